//! The comparisons of `when`: `">= 5"`, `"1..5"`, `"!= x"`, a text or a number.

use mynah_matching::fold::{Folding, fold_width};
use mynah_matching::template::Template;

/// A name of `when` and the comparison that its value must pass.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    /// A capture, or a variable with its owner: `user.points`.
    pub(crate) name: Box<str>,
    /// The name as written.
    pub(crate) written: Box<str>,
    pub(crate) test: Test,
}

/// What a value is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// It is one of these.
    OneOf(Vec<Template>),
    /// It is another text or number.
    Other(Template),
    /// It is a number on this side of that one.
    Side(Side, Template),
    /// It is a number of this range, ends included.
    Between(Number, Number),
    /// There is a value that is not blank.
    Given,
}

/// The side of a number on which another number must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    AtLeast,
    Above,
    AtMost,
    Below,
}

/// Why a text is not a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadComparison {
    /// The sign or form is another one; the comparison that was probably meant.
    Form { found: String, meant: Option<String> },
    /// Something other than a number follows `>=`, `>`, `<=` or `<`.
    NoNumber { found: String },
    /// The range ends before it begins.
    Reversed { found: String, meant: String },
    /// A sign of comparison in an item of a list.
    InList { found: String },
}

/// A mistake in the text of a comparison.
#[derive(Debug)]
pub(crate) enum Mistake {
    Comparison(BadComparison),
    /// One that the reader of templates reports with its place.
    Template,
}

impl From<BadComparison> for Mistake {
    fn from(bad: BadComparison) -> Self {
        Self::Comparison(bad)
    }
}

impl Test {
    /// Reads the text of a comparison.
    pub(crate) fn read(text: &str) -> Result<Self, Mistake> {
        let plain: String = text.trim().chars().map(fold_width).collect();
        if let Some(meant) = foreign_sign(&plain) {
            let found = text.to_owned();
            return Err(BadComparison::Form { found, meant: Some(meant) }.into());
        }
        let signs =
            [(">=", Side::AtLeast), ("<=", Side::AtMost), (">", Side::Above), ("<", Side::Below)];
        for (sign, side) in signs {
            if let Some(number) = plain.strip_prefix(sign) {
                return number_or_name(number.trim(), text).map(|number| Self::Side(side, number));
            }
        }
        match plain.strip_prefix("!=") {
            Some("") => Ok(Self::Given),
            // The text itself keeps its width.
            Some(_) => {
                let other = text.trim().chars().skip(2).collect::<String>();
                template(other.trim()).map(Self::Other)
            }
            None => match range(&plain, text)? {
                Some((least, most)) => Ok(Self::Between(least, most)),
                None => template(text.trim()).map(|text| Self::OneOf(vec![text])),
            },
        }
    }

    /// Reads an item of a list of texts.
    pub(crate) fn item(text: &str) -> Result<Template, Mistake> {
        let is_sign = text.trim_start().starts_with(['<', '>', '!', '=', '＜', '＞', '！', '＝']);
        if is_sign {
            return Err(BadComparison::InList { found: text.to_owned() }.into());
        }
        template(text.trim())
    }

    /// Whether a value passes; `text` gives the text of a template at this moment.
    pub(crate) fn passes(
        &self,
        value: &str,
        folding: Folding,
        text: impl Fn(&Template) -> String,
    ) -> bool {
        match self {
            Self::OneOf(list) => list.iter().any(|one| is_equal(value, &text(one), folding)),
            Self::Other(one) => !is_equal(value, &text(one), folding),
            Self::Side(side, number) => {
                let both = Number::or_zero(value).zip(Number::or_zero(&text(number)));
                both.is_some_and(|(value, number)| side.holds(value, number))
            }
            Self::Between(least, most) => {
                Number::or_zero(value).is_some_and(|value| (*least..=*most).contains(&value))
            }
            Self::Given => !value.trim().is_empty(),
        }
    }

    /// What it asks for, for people; `text` gives the text of a template.
    pub(crate) fn shown(&self, text: impl Fn(&Template) -> String) -> String {
        let quoted = |text: String| if text.is_empty() { "\"\"".to_owned() } else { text };
        match self {
            Self::OneOf(list) => {
                list.iter().map(|one| quoted(text(one))).collect::<Vec<_>>().join(" | ")
            }
            Self::Other(one) => format!("!= {}", quoted(text(one))),
            Self::Side(side, number) => format!("{} {}", side.sign(), text(number)),
            Self::Between(least, most) => format!("{}..{}", least.shown(), most.shown()),
            Self::Given => "!= \"\"".to_owned(),
        }
    }
}

impl Side {
    fn holds(self, value: Number, number: Number) -> bool {
        match self {
            Self::AtLeast => value >= number,
            Self::Above => value > number,
            Self::AtMost => value <= number,
            Self::Below => value < number,
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::Below => "<",
        }
    }
}

fn template(text: &str) -> Result<Template, Mistake> {
    Template::parse(text).map_err(|_| Mistake::Template)
}

/// Whether a value is a text, or a number if the text is one: beside a number a missing value is 0.
fn is_equal(value: &str, text: &str, folding: Folding) -> bool {
    match Number::read(text) {
        Some(number) => Number::or_zero(value) == Some(number),
        None => {
            let folded = |text: &str| folding.fold(text).text().trim().to_owned();
            folded(value) == folded(text)
        }
    }
}

/// The comparison as it is written here, for signs of other languages.
fn foreign_sign(plain: &str) -> Option<String> {
    let signs = [
        ("=>", ">= "),
        ("=<", "<= "),
        ("≥", ">= "),
        ("≤", "<= "),
        ("≠", "!= "),
        ("<>", "!= "),
        ("===", ""),
        ("==", ""),
        ("=", ""),
        ("!=", "!= "),
    ];
    let (sign, meant) = signs.into_iter().find(|(sign, _)| plain.starts_with(sign))?;
    let value = plain[sign.len()..].trim();
    (sign != "!=" && !value.is_empty()).then(|| format!("{meant}{value}"))
}

/// The number behind `>=`, or a text in which a name is one.
fn number_or_name(number: &str, whole: &str) -> Result<Template, Mistake> {
    let parsed = template(number)?;
    let has_names = parsed.names().next().is_some();
    if has_names || Number::read(number).is_some() {
        return Ok(parsed);
    }
    Err(BadComparison::NoNumber { found: whole.to_owned() }.into())
}

/// `5..10`; `None` for a text without a range.
fn range(plain: &str, whole: &str) -> Result<Option<(Number, Number)>, BadComparison> {
    let Some((least, most)) = plain.split_once("..") else { return Ok(None) };
    let (from, to) = (least.trim(), most.trim_start_matches(['.', '=']).trim());
    let form = |meant: Option<String>| BadComparison::Form { found: whole.to_owned(), meant };
    match (Number::read(from), Number::read(to)) {
        (Some(_), Some(_)) if most.starts_with(['.', '=']) => {
            Err(form(Some(format!("{from}..{to}"))))
        }
        (Some(least), Some(most)) if least > most => {
            Err(BadComparison::Reversed { found: whole.to_owned(), meant: format!("{to}..{from}") })
        }
        (Some(least), Some(most)) => Ok(Some((least, most))),
        (Some(_), None) if to.is_empty() => Err(form(Some(format!(">= {from}")))),
        (None, Some(_)) if from.is_empty() => Err(form(Some(format!("<= {to}")))),
        _ => Ok(None),
    }
}

/// A decimal number of up to 18 digits before and 9 behind the point; compared exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(i128);

/// The digits behind the point that a number may have.
const DECIMALS: usize = 9;

impl Number {
    /// Reads `5`, `-3`, `1.50`; full-width digits count as well.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let plain: String = text.trim().chars().map(fold_width).collect();
        let (sign, digits) = match plain.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 18) || !is_number(part, DECIMALS) {
            return None;
        }
        let number: i128 = format!("{whole}{part:0<DECIMALS$}").parse().ok()?;
        Some(Self(sign * number))
    }

    /// The same, but 0 for a blank text.
    pub(crate) fn or_zero(text: &str) -> Option<Self> {
        if text.trim().is_empty() { Some(Self(0)) } else { Self::read(text) }
    }

    fn shown(self) -> String {
        let (whole, part) = (self.0.abs() / 1_000_000_000, self.0.abs() % 1_000_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        let part = format!("{part:09}");
        match part.trim_end_matches('0') {
            "" => format!("{sign}{whole}"),
            part => format!("{sign}{whole}.{part}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(test: &str, value: &str) -> bool {
        let test = Test::read(test).unwrap_or_else(|mistake| panic!("{test}: {mistake:?}"));
        test.passes(value, Folding::new(false, false), ToString::to_string)
    }

    #[test]
    fn a_value_is_compared_as_a_number_or_as_a_text() {
        for (test, value, holds) in [
            ("5", "5", true),
            ("5", "5.0", true),
            ("5", "５", true),
            ("5", "6", false),
            ("0", "", true),
            ("5", "five", false),
            ("红", "红", true),
            ("Red", " red ", true),
            ("红", "", false),
            ("", "", true),
            ("", "  ", true),
            ("", "x", false),
            ("!=", "x", true),
            ("!=", "", false),
            ("!= 红", "蓝", true),
            ("!= 红", "红", false),
            ("!= 红", "", true),
            ("!= 0", "", false),
            ("!= 5", "five", true),
            ("！＝ 5", "5", false),
            (">= 5", "5", true),
            ("＞＝5", "5", true),
            (">5", "5", false),
            ("> 5", "5.000000001", true),
            ("<= -1", "-1", true),
            ("<= -1", "", false),
            ("< 1", "", true),
            (">= 0", "many", false),
            (">= 5", "999999999999999999", true),
            (">= 5", "9999999999999999999", false),
            ("5..10", "5", true),
            ("5..10", "10", true),
            ("5..10", "10.5", false),
            ("5 .. 10", "7", true),
            ("-3..0", "", true),
            ("好..坏", "好..坏", true),
        ] {
            assert_eq!(passes(test, value), holds, "{test} of {value:?}");
        }
    }

    #[test]
    fn other_forms_are_mistakes_with_the_right_form() {
        for (text, expected) in [
            ("=> 5", Some(">= 5")),
            ("≥5", Some(">= 5")),
            ("== 5", Some("5")),
            ("= 红", Some("红")),
            ("<> 5", Some("!= 5")),
            ("5..", Some(">= 5")),
            ("..5", Some("<= 5")),
            ("1...5", Some("1..5")),
            ("1..=5", Some("1..5")),
        ] {
            match Test::read(text) {
                Err(Mistake::Comparison(BadComparison::Form { meant, .. })) => {
                    assert_eq!(meant.as_deref(), expected, "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        let reversed = Test::read("10..5");
        assert!(
            matches!(&reversed, Err(Mistake::Comparison(BadComparison::Reversed { meant, .. })) if meant == "5..10"),
            "{reversed:?}"
        );
        for text in [">= five", ">", "< {{x}}"] {
            let read = Test::read(text);
            let is_no_number =
                matches!(read, Err(Mistake::Comparison(BadComparison::NoNumber { .. })));
            assert!(is_no_number, "{text}: {read:?}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        for text in [">= 5", "5..10", "-1.5..2", "!= 红", "红"] {
            let test = Test::read(text).expect("a comparison");
            assert_eq!(test.shown(ToString::to_string), text);
        }
    }
}
