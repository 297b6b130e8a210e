//! Names about the values of all people in a chat: `{top:points 5}`, `{rank:points}`, `{count:x}`, `{who:x}`, `{pick:x 3}`.

use mynah_matching::fold::fold_width;
use mynah_matching::template::is_name;

use super::BadComputed;

/// A question about the values of all people in a chat under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OfMembers<'n> {
    pub(crate) question: Question,
    /// The name of the variable, without `user.`.
    pub(crate) key: &'n str,
}

/// What is asked about the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// So many of the largest numbers, a line each.
    Top(usize),
    /// The place of the person among them.
    Rank,
    /// How many people have a value.
    Count,
    /// Their names.
    Who,
    /// So many of their names, at random.
    Pick(usize),
}

/// The most lines of `{top:…}`.
const MOST_LINES: usize = 20;

/// The lines of `{top:…}` if it has no number.
const USUAL_LINES: usize = 10;

/// The most names of `{who:…}` and `{pick:…}`.
pub(crate) const MOST_NAMES: usize = 50;

/// Reads the argument of one of these words; `None` for other words.
pub(super) fn read<'n>(
    word: &str,
    argument: &'n str,
) -> Option<Result<OfMembers<'n>, BadComputed>> {
    let (most, usual) = match word {
        "top" => (MOST_LINES, USUAL_LINES),
        "pick" => (MOST_NAMES, 1),
        "rank" | "count" | "who" => (0, 0),
        _ => return None,
    };
    Some(key_and_count(word, argument, most).map(|(key, count)| {
        let count = count.unwrap_or(usual);
        let question = match word {
            "top" => Question::Top(count),
            "pick" => Question::Pick(count),
            "rank" => Question::Rank,
            "count" => Question::Count,
            _ => Question::Who,
        };
        OfMembers { question, key }
    }))
}

fn key_and_count<'n>(
    word: &str,
    argument: &'n str,
    most: usize,
) -> Result<(&'n str, Option<usize>), BadComputed> {
    let (name, number) = match argument.split_once(char::is_whitespace) {
        Some((name, number)) => (name, Some(number.trim())),
        None => (argument, None),
    };
    let of_person = name.strip_prefix("user.");
    let key = of_person.unwrap_or(name);
    if !is_name(key) || (of_person.is_none() && key.contains('.')) {
        let found = name.to_owned();
        return Err(BadComputed::NotOfMembers { word: word.to_owned(), found });
    }
    let Some(found) = number else { return Ok((key, None)) };
    let plain: String = found.chars().map(fold_width).collect();
    let count = plain.parse().ok().filter(|count| (1..=most).contains(count));
    match count {
        Some(count) => Ok((key, Some(count))),
        None => {
            let (word, key) = (word.to_owned(), key.to_owned());
            Err(BadComputed::Count { word, key, found: found.to_owned(), most })
        }
    }
}
