//! Names with an argument: `{random:1-6}`, `{upper:code}`, `{top:points 5}`.

pub(crate) mod of_members;

use mynah_reader::closest;
use of_members::OfMembers;

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
    /// Something about the values of all people in the chat.
    OfMembers(OfMembers<'n>),
}

/// Why a name with an argument has no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadComputed {
    /// No such word before the colon; the one that was probably meant.
    Word { found: String, meant: Option<&'static str> },
    /// A random choice that is neither a range nor several texts.
    Choice(String),
    /// A range of numbers among several texts.
    RangeAmongTexts { range: String },
    /// A range that ends before it begins.
    Reversed { from: i64, to: i64 },
    /// Something other than a variable of the person behind `top:` and the like.
    NotOfMembers { word: String, found: String },
    /// A number that is too large, or no number, behind the variable; 0 for words without a number.
    Count { word: String, key: String, found: String, most: usize },
    /// A name about the members of a group in private.
    InPrivate { name: String },
    /// The rank of a person where there is no person.
    RankOfNoOne,
}

/// The words before the colon, with an example of each.
pub(crate) const WORDS: [(&str, &str); 8] = [
    ("random", "random:1-6"),
    ("upper", "upper:text"),
    ("lower", "lower:text"),
    ("top", "top:points 5"),
    ("rank", "rank:points"),
    ("count", "count:points"),
    ("who", "who:points"),
    ("pick", "pick:points 3"),
];

/// Words of other programs, with the word that is meant.
const FOREIGN: &[(&[&str], &str)] = &[
    (&["rand", "dice", "roll", "choice", "range"], "random"),
    (&["uppercase", "toupper", "caps"], "upper"),
    (&["lowercase", "tolower"], "lower"),
    (&["leaderboard", "ranking", "ranks", "toplist", "best", "sort", "max"], "top"),
    (&["position", "place", "nth"], "rank"),
    (&["number", "num", "len", "length", "total", "size", "members"], "count"),
    (&["names", "list", "all", "everyone", "each"], "who"),
    (&["draw", "choose", "lucky", "winner", "winners", "lottery", "sample"], "pick"),
];

/// The word that is meant by another one.
fn meant(word: &str) -> Option<&'static str> {
    let foreign = FOREIGN.iter().find(|(others, _)| others.contains(&word));
    let near = || closest(word, WORDS.iter().map(|(known, _)| *known));
    foreign.map(|(_, known)| *known).or_else(near)
}

/// Reads a name with an argument; `None` for all other names.
pub(crate) fn read(name: &str) -> Option<Result<Computed<'_>, BadComputed>> {
    let (word, argument) = mynah_matching::template::call(name)?;
    Some(match word {
        "random" => choice(argument),
        "upper" => Ok(Computed::Upper(argument)),
        "lower" => Ok(Computed::Lower(argument)),
        _ => match of_members::read(word, argument) {
            Some(read) => read.map(Computed::OfMembers),
            None => Err(BadComputed::Word { found: word.to_owned(), meant: meant(word) }),
        },
    })
}

fn choice(argument: &str) -> Result<Computed<'_>, BadComputed> {
    let texts: Vec<&str> = argument.split('|').map(str::trim).collect();
    let bad = || BadComputed::Choice(argument.to_owned());
    if texts.len() > 1 {
        // One of them may be nothing, all of them not.
        let is_something = texts.iter().any(|text| !text.is_empty());
        return match out_of_place(&texts) {
            Some(range) => Err(BadComputed::RangeAmongTexts { range: range.to_owned() }),
            None if is_something => Ok(Computed::OneOf(texts)),
            None => Err(bad()),
        };
    }
    let (from, to) = range(argument).ok_or_else(bad)?;
    if from > to {
        Err(BadComputed::Reversed { from, to })
    } else {
        Ok(Computed::Between(from, to))
    }
}

/// The range of numbers before other texts: `{random:1-6|x}`, as a name with a default is written. Scores like `1-0|2-1` are
/// texts.
fn out_of_place<'t>(texts: &[&'t str]) -> Option<&'t str> {
    let (first, others) = texts.split_first()?;
    let is_rising = range(first).is_some_and(|(from, to)| from < to);
    let are_texts = others.iter().all(|text| range(text).is_none());
    (is_rising && are_texts).then_some(*first)
}

/// Two whole numbers with a hyphen between them.
fn range(text: &str) -> Option<(i64, i64)> {
    let number = |text: &str| {
        let text = text.trim();
        let is_number = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if is_number { text.parse().ok() } else { None }
    };
    let (from, to) = text.split_once('-')?;
    number(from).zip(number(to))
}

#[cfg(test)]
mod tests {
    use super::of_members::Question;
    use super::*;

    type Read<'n> = Option<Result<Computed<'n>, BadComputed>>;

    fn of(key: &str, question: Question) -> Read<'_> {
        Some(Ok(Computed::OfMembers(OfMembers { question, key })))
    }

    fn word(found: &str, meant: Option<&'static str>) -> Read<'static> {
        Some(Err(BadComputed::Word { found: found.to_owned(), meant }))
    }

    fn count(word: &str, found: &str, most: usize) -> Read<'static> {
        let (word, key, found) = (word.to_owned(), "points".to_owned(), found.to_owned());
        Some(Err(BadComputed::Count { word, key, found, most }))
    }

    fn not_of(word: &str, found: &str) -> Read<'static> {
        let (word, found) = (word.to_owned(), found.to_owned());
        Some(Err(BadComputed::NotOfMembers { word, found }))
    }

    #[test]
    fn names_with_an_argument_are_read() {
        for (name, expected) in [
            ("random:1-6", Some(Ok(Computed::Between(1, 6)))),
            ("random: 1 - 6 ", Some(Ok(Computed::Between(1, 6)))),
            ("random:红| 黄", Some(Ok(Computed::OneOf(vec!["红", "黄"])))),
            ("random:!|", Some(Ok(Computed::OneOf(vec!["!", ""])))),
            ("random:|", Some(Err(BadComputed::Choice("|".to_owned())))),
            ("random:1-6|x", Some(Err(BadComputed::RangeAmongTexts { range: "1-6".to_owned() }))),
            ("random:1-0|2-1", Some(Ok(Computed::OneOf(vec!["1-0", "2-1"])))),
            ("random:x|1-6", Some(Ok(Computed::OneOf(vec!["x", "1-6"])))),
            ("random:6-1", Some(Err(BadComputed::Reversed { from: 6, to: 1 }))),
            ("random:6", Some(Err(BadComputed::Choice("6".to_owned())))),
            ("random:", Some(Err(BadComputed::Choice(String::new())))),
            ("upper:user.x", Some(Ok(Computed::Upper("user.x")))),
            ("dice:6", word("dice", Some("random"))),
            ("tpo:points", word("tpo", Some("top"))),
            ("abc:points", word("abc", None)),
            ("top:points", of("points", Question::Top(10))),
            ("top: user.points  20 ", of("points", Question::Top(20))),
            ("top:points ５", of("points", Question::Top(5))),
            ("top:points 21", count("top", "21", 20)),
            ("top:points 0", count("top", "0", 20)),
            ("top:points x", count("top", "x", 20)),
            ("rank:points", of("points", Question::Rank)),
            ("rank:points 3", count("rank", "3", 0)),
            ("count:points", of("points", Question::Count)),
            ("who:points", of("points", Question::Who)),
            ("pick:points", of("points", Question::Pick(1))),
            ("pick:points 50", of("points", Question::Pick(50))),
            ("pick:points 51", count("pick", "51", 50)),
            ("top:chat.points", not_of("top", "chat.points")),
            ("who:a+b", not_of("who", "a+b")),
            ("sender", None),
            ("user.x", None),
        ] {
            assert_eq!(read(name), expected, "{name}");
        }
    }
}
