//! Stored numbers as a sheet shows them.

mod code;
mod decimal;
mod digits;
mod time;

use self::code::Token;
use self::digits::Digits;

/// How the cells of a style show numbers: a section for all, or one for positive and one for negative numbers, or another
/// one for zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct NumberFormat(Vec<Section>);

#[derive(Debug, Clone, PartialEq)]
struct Section {
    condition: Option<Condition>,
    kind: Kind,
}

/// The numbers that a section is for, as in `[>=100]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    sign: String,
    than: f64,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// As many digits as needed, between two texts.
    General(String, String),
    /// A date with or without a time: in one form, however the sheet shows it.
    Date,
    /// A time of a day or a duration.
    Time(Vec<Token>),
    Digits(Digits),
}

impl NumberFormat {
    /// The format of a number that Excel knows without a code.
    pub(crate) fn built_in(id: u32) -> Self {
        Self::of(match id {
            1 => "0",
            2 => "0.00",
            3 => "#,##0",
            4 => "#,##0.00",
            9 => "0%",
            10 => "0.00%",
            11 => "0.00E+00",
            18 => "h:mm AM/PM",
            19 => "h:mm:ss AM/PM",
            20 => "h:mm",
            21 => "h:mm:ss",
            37 | 38 => "#,##0;(#,##0)",
            39 | 40 => "#,##0.00;(#,##0.00)",
            45 => "mm:ss",
            46 => "[h]:mm:ss",
            47 => "mm:ss.0",
            48 => "##0.0E+0",
            14..=17 | 22 | 27..=36 | 50..=58 => "yyyy",
            _ => "",
        })
    }

    /// The format of a code. What is not known of it is shown with as many digits as needed.
    pub(crate) fn of(code: &str) -> Self {
        if code.is_empty() {
            return Self::default();
        }
        Self(code::sections(code).into_iter().map(Section::of).collect())
    }

    /// A number in this format. Dates count from 1900, or from 1904.
    pub(crate) fn show(&self, stored: &str, from_1904: bool) -> String {
        let stored = stored.trim();
        let Some(value) = stored.parse::<f64>().ok().filter(|value| value.is_finite()) else {
            return stored.to_owned();
        };
        let Some((section, has_sign)) = self.section(value) else { return general(value) };
        let shown = match &section.kind {
            Kind::General(before, after) => {
                Some(format!("{before}{}{after}", general(value.abs())))
            }
            Kind::Date => return time::date(value, from_1904).unwrap_or_else(|| general(value)),
            Kind::Time(tokens) => time::show(tokens, value.abs()),
            Kind::Digits(digits) => Some(digits.show(value.abs())),
        };
        let Some(shown) = shown else { return general(value) };
        let is_zero = !shown.contains(|c| matches!(c, '1'..='9')) && value.abs() < 1.0;
        if has_sign && value < 0.0 && !is_zero { format!("-{shown}") } else { shown }
    }

    /// The section for a number, and whether negative numbers have a sign in it.
    fn section(&self, value: f64) -> Option<(&Section, bool)> {
        let all = &self.0[..self.0.len().min(3)];
        let last = all.last()?;
        if all.iter().any(|section| section.condition.is_some()) {
            let found = all.iter().find(|section| {
                section.condition.as_ref().map_or(*section == last, |one| one.holds(value))
            })?;
            let is_for_negative = found.condition.as_ref().is_some_and(Condition::is_for_negative);
            return Some((found, !is_for_negative));
        }
        Some(match all {
            [_, negative, ..] if value < 0.0 => (negative, false),
            [_, _, zero] if value == 0.0 => (zero, false),
            [first, ..] => (first, true),
            [] => return None,
        })
    }
}

impl Section {
    fn of((condition, tokens): (Option<Condition>, Option<Vec<Token>>)) -> Self {
        let unknown = || Kind::General(String::new(), String::new());
        Self { condition, kind: tokens.and_then(Kind::of).unwrap_or_else(unknown) }
    }
}

impl Condition {
    /// Reads `>=100`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let number = text.trim_start_matches(['<', '>', '=']);
        let sign = text[..text.len() - number.len()].to_owned();
        (!sign.is_empty()).then_some(Self { sign, than: number.trim().parse().ok()? })
    }

    fn holds(&self, value: f64) -> bool {
        match self.sign.as_str() {
            "<" => value < self.than,
            "<=" => value <= self.than,
            ">" => value > self.than,
            ">=" => value >= self.than,
            "<>" => value.partial_cmp(&self.than) != Some(std::cmp::Ordering::Equal),
            _ => value.partial_cmp(&self.than) == Some(std::cmp::Ordering::Equal),
        }
    }

    /// Whether all its numbers are negative: then the section itself says so.
    fn is_for_negative(&self) -> bool {
        match self.sign.as_str() {
            "<" => self.than <= 0.0,
            "<=" | "=" => self.than < 0.0,
            _ => false,
        }
    }
}

impl Kind {
    /// The kind of a section; `None` for one that is not known here, as fractions.
    fn of(tokens: Vec<Token>) -> Option<Self> {
        if let Some(at) = tokens.iter().position(|token| *token == Token::General) {
            let texts =
                |tokens: &[Token]| tokens.iter().map(Token::text).collect::<Option<String>>();
            return Some(Self::General(texts(&tokens[..at])?, texts(&tokens[at + 1..])?));
        }
        if tokens.iter().any(Token::is_of_time) {
            return Some(if time::has_date(&tokens) { Self::Date } else { Self::Time(tokens) });
        }
        Digits::of(tokens).map(Self::Digits)
    }
}

/// A number without the digits that only its binary form has: a sheet shows 15.
fn rounded(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

fn general(value: f64) -> String {
    let rounded = rounded(value);
    let size = rounded.abs();
    if size != 0.0 && !(1e-9..1e20).contains(&size) {
        let shown = format!("{rounded:E}");
        if shown.contains("E-") { shown } else { shown.replace('E', "E+") }
    } else {
        rounded.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(cases: &[(&str, &str, &str)]) {
        for (code, stored, shown) in cases {
            assert_eq!(NumberFormat::of(code).show(stored, false), *shown, "{code}: {stored}");
        }
    }

    #[test]
    fn numbers_are_shown_as_by_a_sheet() {
        shows(&[
            ("", "7", "7"),
            ("", "7.0", "7"),
            ("", "0.30000000000000004", "0.3"),
            ("", "-1.5", "-1.5"),
            ("", "13800000000", "13800000000"),
            ("", "1E+21", "1E+21"),
            ("", "1E-10", "1E-10"),
            ("General", "7.5", "7.5"),
            ("General\"元\"", "-7.5", "-7.5元"),
            ("G/通用格式", "8", "8"),
            ("0.00", "5", "5.00"),
            ("#,##0", "1234567.8", "1,234,568"),
            ("#,##0.00;[Red]-#,##0.00", "-1234.5", "-1,234.50"),
            ("\"¥\"#,##0.00", "99", "¥99.00"),
            ("[$¥-804]#,##0", "99", "¥99"),
            ("[$US$-409]#,##0", "-99", "-US$99"),
            ("0%", "0.5", "50%"),
            ("00000", "42", "00042"),
            ("0\"天\"", "7", "7天"),
            ("#,##0,\"k\"", "7000", "7k"),
            ("0.0,,\"M\"", "1250000", "1.3M"),
            ("@", "12", "12"),
        ]);
    }

    #[test]
    fn the_half_is_rounded_up_by_the_digits_that_a_sheet_shows() {
        shows(&[
            ("0", "2.5", "3"),
            ("0", "0.5", "1"),
            ("0", "-2.5", "-3"),
            ("0%", "0.125", "13%"),
            ("[Red]0.0", "1.25", "1.3"),
            ("0.00", "1.005", "1.01"),
            ("0.0", "9.95", "10.0"),
            ("0", "0.4", "0"),
            ("0", "-0.4", "0"),
            ("0.00", "99.995", "100.00"),
            ("0", "1E+16", "10000000000000000"),
        ]);
    }

    #[test]
    fn texts_between_digits_and_sections_are_shown() {
        shows(&[
            ("000-0000-0000", "13812345678", "138-1234-5678"),
            ("0000-0000", "213812345678", "21381234-5678"),
            ("(000) 000", "12", "(000) 012"),
            ("0;(0)", "-5", "(5)"),
            ("0;(0)", "5", "5"),
            ("0;-0;\"无\"", "0", "无"),
            ("0;;", "0", ""),
            ("#,##0_);\\(#,##0\\)", "-1234", "(1,234)"),
            ("[>=10000]0.0,\"千\";0", "12345", "12.3千"),
            ("[>=10000]0.0,\"千\";0", "-7", "-7"),
            ("[<0]\"负\"0;0", "-7", "负7"),
            ("0.00E+00", "12345", "1.23E+04"),
            ("0.00E+00", "0.000999999", "1.00E-03"),
            ("0.00E+00", "0", "0.00E+00"),
            ("##0.0E+0", "12345", "12.3E+3"),
            ("0.##", "5.5", "5.5"),
            ("#.##", "0.25", ".25"),
            ("0,000", "7", "0,007"),
            ("# ?/?", "0.5", "0.5"),
        ]);
    }

    #[test]
    fn times_and_durations_are_shown_as_by_a_sheet() {
        shows(&[
            ("yyyy-mm-dd", "46349", "2026-11-23"),
            ("yyyy\"年\"m\"月\"d\"日\"", "46349.5", "2026-11-23 12:00"),
            ("mmm-yy", "1", "1900-01-01"),
            ("yyyy", "60", "1900-02-28"),
            ("aaaa", "46349", "2026-11-23"),
            ("m/d h:mm", "46349.25", "2026-11-23 06:00"),
            ("h:mm", "0.39583333333", "9:30"),
            ("hh:mm:ss", "0.39583333333", "09:30:00"),
            ("h:mm AM/PM", "0.75", "6:00 PM"),
            ("上午/下午h\"时\"mm\"分\"", "0.75", "下午6时00分"),
            ("h\"时\"mm\"分\"", "1.5", "12时00分"),
            ("[h]:mm", "1.5", "36:00"),
            ("[h]:mm:ss", "0.000011574", "0:00:01"),
            ("[mm]:ss", "0.0625", "90:00"),
            ("[h]:mm", "-0.5", "-12:00"),
            ("mm:ss", "0.0020833333", "03:00"),
            ("mm:ss.0", "0.00001736111", "00:01.5"),
            ("[s]", "0.5", "43200"),
            ("[h]:mm", "1E+300", "1E+300"),
        ]);
        let built_in = |id: u32, stored: &str| NumberFormat::built_in(id).show(stored, false);
        assert_eq!(built_in(46, "1.5"), "36:00:00");
        assert_eq!(built_in(45, "0.0020833333"), "03:00");
        assert_eq!(built_in(20, "0.25"), "6:00");
        assert_eq!(built_in(38, "-1234"), "(1,234)");
        assert_eq!(built_in(11, "1234"), "1.23E+03");
        assert_eq!(NumberFormat::built_in(14).show("0", true), "1904-01-01");
        assert_eq!(NumberFormat::built_in(22).show("46349.25", false), "2026-11-23 06:00");
        assert_eq!(NumberFormat::built_in(9).show("0.125", false), "13%");
        assert_eq!(NumberFormat::built_in(0).show("ABC", false), "ABC");
    }
}
