//! Names with an argument: `{random:1-6}`, `{upper:code}`.

/// The meaning of a name with an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Computed<'n> {
    /// A whole number of this range, ends included.
    Between(i64, i64),
    /// One of these texts.
    OneOf(Vec<&'n str>),
    /// The value of this name in upper case.
    Upper(&'n str),
    /// The value of this name in lower case.
    Lower(&'n str),
}

/// Why a name with an argument has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadComputed {
    /// No such word before the colon.
    Word(String),
    /// A random choice that is neither a range nor several texts.
    Choice(String),
    /// A range that ends before it begins.
    Reversed { from: i64, to: i64 },
}

/// The words before the colon, with an example of each.
pub(crate) const WORDS: [(&str, &str); 3] =
    [("random", "random:1-6"), ("upper", "upper:text"), ("lower", "lower:text")];

/// Reads a name with an argument; `None` for all other names.
pub(crate) fn read(name: &str) -> Option<Result<Computed<'_>, BadComputed>> {
    let (word, argument) = mynah_matching::template::call(name)?;
    Some(match word {
        "random" => choice(argument),
        "upper" => Ok(Computed::Upper(argument)),
        "lower" => Ok(Computed::Lower(argument)),
        _ => Err(BadComputed::Word(word.to_owned())),
    })
}

fn choice(argument: &str) -> Result<Computed<'_>, BadComputed> {
    let texts: Vec<&str> = argument.split('|').map(str::trim).collect();
    if texts.len() > 1 {
        return Ok(Computed::OneOf(texts));
    }
    let bad = || BadComputed::Choice(argument.to_owned());
    let (from, to) = argument.split_once('-').ok_or_else(bad)?;
    let number = |text: &str| {
        let text = text.trim();
        let is_number = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    };
    let (from, to): (i64, i64) = number(from).zip(number(to)).ok_or_else(bad)?;
    if from > to {
        Err(BadComputed::Reversed { from, to })
    } else {
        Ok(Computed::Between(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_an_argument_are_read() {
        for (name, expected) in [
            ("random:1-6", Some(Ok(Computed::Between(1, 6)))),
            ("random: 1 - 6 ", Some(Ok(Computed::Between(1, 6)))),
            ("random:红| 黄", Some(Ok(Computed::OneOf(vec!["红", "黄"])))),
            ("random:!|", Some(Ok(Computed::OneOf(vec!["!", ""])))),
            ("random:6-1", Some(Err(BadComputed::Reversed { from: 6, to: 1 }))),
            ("random:6", Some(Err(BadComputed::Choice("6".to_owned())))),
            ("random:", Some(Err(BadComputed::Choice(String::new())))),
            ("upper:user.x", Some(Ok(Computed::Upper("user.x")))),
            ("dice:6", Some(Err(BadComputed::Word("dice".to_owned())))),
            ("sender", None),
            ("user.x", None),
        ] {
            assert_eq!(read(name), expected, "{name}");
        }
    }
}
