//! Numbers as people write them: digits, Chinese numerals, and both together (`1万2`).

mod chinese;

/// The numbers that a hole takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Whole ones without a sign: `007`, `二十`, `1万2`.
    Whole,
    /// Also `-3`, `1.5`, `1,200`.
    Any,
}

/// The value of a Chinese numeral is less than this.
pub(crate) const BELOW: u64 = 1_000_000_000_000;

/// The number that a whole text is, in ASCII digits; digits stay as they are (`007`).
pub(crate) fn read(text: &str, numbers: Numbers) -> Option<String> {
    if is_digits(text) {
        return Some(text.to_owned());
    }
    if numbers == Numbers::Any
        && let Some(decimal) = decimal(text)
    {
        return Some(decimal);
    }
    chinese::read(text)
}

/// The ends of all numbers at the beginning of a text, the longest first. None ends inside a run of digits.
pub(crate) fn ends(text: &str, numbers: Numbers) -> Vec<usize> {
    let may_be_in = |c: char| match numbers {
        Numbers::Whole => c.is_ascii_digit() || chinese::is_numeral(c),
        Numbers::Any => {
            c.is_ascii_digit() || chinese::is_numeral(c) || matches!(c, '-' | '.' | ',')
        }
    };
    let characters = text.char_indices().take_while(|(at, c)| *at < LONGEST && may_be_in(*c));
    let mut ends: Vec<usize> = characters
        .map(|(at, c)| at + c.len_utf8())
        .filter(|end| !splits_digits(text, *end) && read(&text[..*end], numbers).is_some())
        .collect();
    ends.extend(long_digits(text));
    ends.reverse();
    ends
}

/// Longer numbers are digits only.
const LONGEST: usize = 100;

/// The end of a run of digits that is longer than other numbers can be.
fn long_digits(text: &str) -> Option<usize> {
    let end = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (end > LONGEST).then_some(end)
}

/// Whether a place is between two digits.
pub(crate) fn splits_digits(text: &str, at: usize) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    text[..at].ends_with(is_digit) && text[at..].starts_with(is_digit)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `-3`, `1.5`, `1,200`: without the commas.
fn decimal(text: &str) -> Option<String> {
    let (sign, plain) = match text.strip_prefix('-') {
        Some(plain) => ("-", plain),
        None => ("", text),
    };
    let (whole, fraction) = match plain.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (plain, None),
    };
    if !fraction.is_none_or(is_digits) {
        return None;
    }
    let mut groups = whole.split(',');
    let first = groups.next().filter(|first| is_digits(first))?;
    let rest: Vec<&str> = groups.collect();
    let are_thousands = rest.is_empty()
        || (first.len() <= 3 && rest.iter().all(|group| group.len() == 3 && is_digits(group)));
    let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
    are_thousands.then(|| format!("{sign}{first}{}{fraction}", rest.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_into_ascii_digits() {
        for (text, whole) in [
            ("0", Some("0")),
            ("007", Some("007")),
            ("90817263546372819", Some("90817263546372819")),
            ("两", Some("2")),
            ("十", Some("10")),
            ("二十", Some("20")),
            ("一百零二", Some("102")),
            ("三百五", Some("350")),
            ("1万2", Some("12000")),
            ("1万2000", Some("12000")),
            ("3千", Some("3000")),
            ("12亿", Some("1200000000")),
            ("二零二六", Some("2026")),
            ("零零七", Some("007")),
            ("一亿零三", Some("100000003")),
            ("貳萬", Some("20000")),
            ("", None),
            ("-3", None),
            ("1.5", None),
            ("百", None),
            ("一万亿", None),
            ("十百", None),
            ("二十三四", None),
        ] {
            assert_eq!(read(text, Numbers::Whole).as_deref(), whole, "{text}");
        }
        for (text, any) in [
            ("-3", Some("-3")),
            ("1.5", Some("1.5")),
            ("1,200", Some("1200")),
            ("-1,234,567.80", Some("-1234567.80")),
            ("二十", Some("20")),
            ("1,20", None),
            ("1.", None),
            (".5", None),
            ("1-2", None),
            ("--1", None),
            ("1.2.3", None),
        ] {
            assert_eq!(read(text, Numbers::Any).as_deref(), any, "{text}");
        }
    }

    #[test]
    fn numbers_end_where_no_digit_goes_on() {
        let found = |text: &str, numbers| -> Vec<String> {
            ends(text, numbers).into_iter().map(|end| text[..end].to_owned()).collect()
        };
        assert_eq!(found("123个", Numbers::Whole), ["123"]);
        assert_eq!(found("1万2个", Numbers::Whole), ["1万2", "1万", "1"]);
        assert_eq!(found("二十三", Numbers::Whole), ["二十三", "二十", "二"]);
        assert_eq!(found("-1.5元", Numbers::Any), ["-1.5", "-1"]);
        assert_eq!(found("-1", Numbers::Whole), Vec::<String>::new());
        let long = "7".repeat(300);
        assert_eq!(found(&long, Numbers::Whole), std::slice::from_ref(&long));
    }
}
