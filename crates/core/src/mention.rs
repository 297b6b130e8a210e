//! Detects mentions of the bot in text: for services whose mentions are plain text, for tests and for replay.

/// The names of the bot, and those of other members that must not be mistaken for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Own names: display name in this group, nickname, configured names. Any order.
    pub own: &'a [&'a str],
    /// Names of other members of the group.
    pub others: &'a [&'a str],
}

/// The result of a search for mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mentioned {
    /// Whether the text mentions the bot.
    pub called: bool,
    /// The text without the mentions of the bot, trimmed.
    pub text: String,
}

/// Finds mentions of the bot in `text` and removes them.
///
/// A mention is `@` and an own name, longest first, ended by U+2005, white space, punctuation or the end of the text;
/// it does not count if a longer name of another member fits there. The blank after it is removed too, unless it keeps
/// two words apart.
#[must_use]
pub fn find(text: &str, names: Names<'_>) -> Mentioned {
    let mut own: Vec<&str> = names.own.iter().copied().filter(|name| !name.is_empty()).collect();
    own.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let mut called = false;
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = rest.find(['@', '＠']) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let sign = from.chars().next().map_or(1, char::len_utf8);
        let after = &from[sign..];
        if let Some(length) = own.iter().find_map(|name| length_of(after, name, names.others)) {
            called = true;
            rest = &after[length..];
            if kept.ends_with(needs_space) && rest.starts_with(needs_space) {
                kept.push(' ');
            }
        } else {
            kept.push_str(&from[..sign]);
            rest = after;
        }
    }
    kept.push_str(rest);
    Mentioned { called, text: kept.trim().to_owned() }
}

/// The length in bytes of `name` and the blank after it at the beginning of `text`, if it is a whole name there.
fn length_of(text: &str, name: &str, others: &[&str]) -> Option<usize> {
    let end = prefix_length(text, name)?;
    let next = text[end..].chars().next();
    if next.is_some_and(continues_a_name) {
        return None;
    }
    let longer = others.iter().any(|other| {
        prefix_length(text, other).is_some_and(|length| {
            length > end && !text[length..].chars().next().is_some_and(continues_a_name)
        })
    });
    (!longer).then(|| end + next.filter(|c| c.is_whitespace()).map_or(0, char::len_utf8))
}

/// The length in bytes of the beginning of `text` that reads as `name`; all kinds of blanks are equal.
fn prefix_length(text: &str, name: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    for expected in name.chars() {
        let (_, found) = characters.next()?;
        let alike = found == expected || (found.is_whitespace() && expected.is_whitespace());
        if !alike {
            return None;
        }
    }
    Some(characters.next().map_or(text.len(), |(at, _)| at))
}

/// Whether words of this script need a space between them: letters and digits below the code points of the scripts of
/// East Asia.
fn needs_space(c: char) -> bool {
    c < '\u{2e80}' && c.is_alphanumeric()
}

/// Whether a name can continue with this character.
fn continues_a_name(c: char) -> bool {
    c.is_alphanumeric()
        || c == '_'
        || !(c.is_whitespace() || c.is_ascii_punctuation() || is_wide_punctuation(c))
}

fn is_wide_punctuation(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}'
        | '\u{ff5b}'..='\u{ff65}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{200b}'..='\u{200f}' | '·')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_a_whole_name_after_the_sign() {
        let own = ["小助手", "Bob", "小 助"];
        let others = ["Bob Dylan", "小助手二号"];
        for (text, called, left) in [
            ("@小助手 在吗", true, "在吗"),
            ("@小助手\u{2005}在吗", true, "在吗"),
            ("在吗 @小助手", true, "在吗"),
            ("@小助手，在吗", true, "，在吗"),
            ("你好@小助手 在吗", true, "你好在吗"),
            ("hi@Bob there", true, "hi there"),
            ("hi @Bob\u{2005}there", true, "hi there"),
            ("hi@Bob！", true, "hi！"),
            ("@小助手二号 在吗", false, "@小助手二号 在吗"),
            ("@小助手们 在吗", false, "@小助手们 在吗"),
            ("@Bob", true, ""),
            ("@Bobby hi", false, "@Bobby hi"),
            ("@Bob Dylan hi", false, "@Bob Dylan hi"),
            ("@Bob hi", true, "hi"),
            ("@小\u{2005}助 hi", true, "hi"),
            ("＠小助手 hi", true, "hi"),
            ("@所有人 开会", false, "@所有人 开会"),
            ("mail@example.com", false, "mail@example.com"),
            ("@", false, "@"),
        ] {
            let found = find(text, Names { own: &own, others: &others });
            assert_eq!(found, Mentioned { called, text: left.to_owned() }, "{text}");
        }
    }
}
