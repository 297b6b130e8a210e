//! The meaning of the service's own lines.
//!
//! A line reaches the client as plain text in the language of the account, with names already filled in. Each form is a
//! row in the table of [`forms`], with holes for the variable parts; reading is [`read`]. A new wording is a new row.

use std::ops::Range;

use mynah_webwx::text;

mod forms;
mod matching;

/// The meaning of a system line. Names are as the line shows them; the directory finds the people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SystemLine {
    /// People came into the group. `names` is the list as written; see [`split_names`].
    Joined { names: String },
    /// The account itself was invited.
    Invited,
    /// People were removed from the group.
    Left { names: String },
    /// The account itself was removed.
    Removed,
    /// The group has another title; `by` is `None` where the account itself did it.
    Renamed { by: Option<String>, title: String },
    /// A person patted another.
    Patted { by: Who, whom: Who },
    /// A red packet came.
    RedPacket,
    /// A person, or the account itself (`None`), recalled a message.
    Recalled { by: Option<String> },
    /// The service finds that the account acts too often.
    Throttled,
    /// The account and the other person are friends now.
    Befriended,
    /// The other person is not a friend (any more): messages do not arrive.
    NoFriend,
    /// A line about something to be seen on the phone: a transfer, a call, a sent red packet.
    Other(&'static str),
}

/// A person in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// The account itself.
    Me,
    /// A person, by the name shown.
    Named(String),
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Joined,
    Invited,
    Left,
    Removed,
    Renamed,
    Patted,
    RedPacket,
    Recalled,
    Throttled,
    Befriended,
    NoFriend,
    Other(&'static str),
}

/// Longer lines are not system lines; the longest real ones list forty names.
const LONGEST: usize = 8 * 1024;

/// As much of an unknown form is shown, in characters.
const LONGEST_FORM: usize = 120;

/// Reads a line of the service; `None` if it has no form known here.
///
/// `line` has been through the text pipeline: no entities, no emoji spans.
pub(crate) fn read(line: &str) -> Option<SystemLine> {
    if line.len() > LONGEST {
        return None;
    }
    // The service adds a link for taking an invitation back.
    let line = text::without_links(line);
    let line = line.trim().trim_end_matches(['。', '.']).trim_end();
    let simplified = forms::simplified(line);
    // First as if no name held half a pair of quotes: this keeps words of a form inside a name apart from the form.
    let candidates = forms::candidates(&simplified);
    [true, false].into_iter().find_map(|whole_quotes| {
        let text = matching::Line { text: &simplified, whole_quotes };
        let said = |found: Found, meaning| found.said(line, meaning);
        candidates.iter().find_map(|form| said(text.matched(&form.text)?, form.meaning))
    })
}

/// The form of a line about joining that [`read`] does not know, without its variable parts. `None` if the line is
/// about something else. `names` are those of the group's members.
pub(crate) fn unknown_join<'n>(line: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let simplified = forms::simplified(line).to_lowercase();
    let joins = ["加入", "进群", "入群", "进入了群", "joined", "invited"];
    joins.iter().any(|word| simplified.contains(word)).then(|| without_names(line, names))
}

/// The line without quoted parts and without these names.
fn without_names<'n>(line: &str, names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<&str> = names.filter(|name| name.chars().count() > 1).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let bare = names.iter().fold(line.to_owned(), |line, name| line.replace(name, "…"));
    let mut form = String::new();
    let mut quoted = false;
    for c in bare.chars() {
        if is_quote(c) {
            quoted = !quoted;
            form.push_str(if quoted { "“…" } else { "”" });
        } else if !quoted {
            form.push(if c.is_ascii_digit() { '#' } else { c });
        }
    }
    form.trim().chars().take(LONGEST_FORM).collect()
}

/// The contents of the holes of a form: places in the line.
#[derive(Debug, Default)]
struct Found {
    actor: Option<Range<usize>>,
    object: Option<Range<usize>>,
    title: Option<Range<usize>>,
}

impl Found {
    fn said(&self, line: &str, meaning: Meaning) -> Option<SystemLine> {
        let at = |hole: &Option<Range<usize>>| hole.clone().and_then(|hole| line.get(hole));
        let (actor, object) = (at(&self.actor), at(&self.object));
        Some(match meaning {
            Meaning::Joined => SystemLine::Joined { names: name(object)? },
            Meaning::Left => SystemLine::Left { names: name(object)? },
            Meaning::Renamed => SystemLine::Renamed {
                by: name(actor),
                title: unquoted(at(&self.title)?).to_owned(),
            },
            Meaning::Patted => patted(actor?, object)?,
            Meaning::Recalled => SystemLine::Recalled { by: name(actor) },
            Meaning::Invited => SystemLine::Invited,
            Meaning::Removed => SystemLine::Removed,
            Meaning::RedPacket => SystemLine::RedPacket,
            Meaning::Throttled => SystemLine::Throttled,
            Meaning::Befriended => SystemLine::Befriended,
            Meaning::NoFriend => SystemLine::NoFriend,
            Meaning::Other(kind) => SystemLine::Other(kind),
        })
    }
}

fn patted(actor: &str, object: Option<&str>) -> Option<SystemLine> {
    let by = who(actor.trim());
    let whom = match object {
        Some(object) => who(patted_name(object.trim())),
        None => by.clone(),
    };
    let empty = |who: &Who| matches!(who, Who::Named(name) if name.is_empty());
    (!empty(&by) && !empty(&whom)).then_some(SystemLine::Patted { by, whom })
}

/// The name that a hole took, if it is one.
fn name(hole: Option<&str>) -> Option<String> {
    hole.map(unquoted).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The name at the beginning of the text after "patted": quoted, or a word for the account itself, or all of it.
fn patted_name(object: &str) -> &str {
    let mut characters = object.chars();
    if characters.next().is_some_and(is_quote) {
        let inner = characters.as_str();
        let end = inner.rfind(is_quote).unwrap_or(inner.len());
        return &object[..object.len() - inner.len() + end];
    }
    let own = ["我", "你", "me", "you"].into_iter().find(|own| {
        object.strip_prefix(own).is_some_and(|rest| {
            !own.is_ascii() || !rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        })
    });
    own.map_or(object, |own| &object[..own.len()])
}

fn who(shown: &str) -> Who {
    match shown {
        "我" | "你" | "I" | "You" | "me" | "you" => Who::Me,
        _ => Who::Named(unquoted(shown).to_owned()),
    }
}

/// The name without blanks and one pair of quotes around it.
fn unquoted(name: &str) -> &str {
    let name = name.trim();
    let name = name.strip_prefix(is_quote).unwrap_or(name);
    name.strip_suffix(is_quote).unwrap_or(name).trim()
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '「' | '」' | '＂')
}

/// Splits a list of names at `、` and `, `. A name that holds a separator itself stays whole where it is known.
pub(crate) fn split_names(list: &str, is_known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = list;
    while !rest.is_empty() {
        // A name with more than three separators in it is cut: looking further would cost the square of the line.
        let ends = || separators(rest).take(4).chain([(rest.len(), rest.len())]);
        let whole = ends().filter(|(end, _)| is_known(unquoted(&rest[..*end]))).last();
        let Some((end, next)) = whole.or_else(|| ends().next()) else { break };
        let name = unquoted(&rest[..end]);
        if !name.is_empty() {
            names.push(name.to_owned());
        }
        rest = &rest[next..];
    }
    names
}

/// Where the separators begin and end.
fn separators(list: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    list.char_indices().filter_map(|(at, c)| match c {
        '、' => Some((at, at + c.len_utf8())),
        ',' if list[at..].starts_with(", ") => Some((at, at + 2)),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
