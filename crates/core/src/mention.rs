//! Detects mentions of the bot in text: for services whose mentions are plain text, for tests and for replay.

/// The names of the bot, and those of other members that must not be mistaken for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Names<'a> {
    /// Own names: display name in this group, nickname, configured names. Any order.
    pub own: &'a [&'a str],
    /// Those of them that also call without `@`, at the beginning of a text: the configured names.
    pub bare: &'a [&'a str],
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
    /// Where in `text` the words behind a name without `@` begin, if the text begins with such a name.
    pub behind: Option<usize>,
}

/// Names of all members of a group: a mention of them is not one of a bot whose name is shorter.
const EVERYBODY: [&str; 2] = ["所有人", "all"];

/// Whether [`find`] can find anything: a text without a sign and without a name at its beginning has no mention.
#[must_use]
pub fn may_call(text: &str, bare: &[&str]) -> bool {
    text.contains(['@', '＠'])
        || bare.iter().any(|name| prefix_length(text.trim_start(), name).is_some())
}

/// Finds mentions of the bot in `text` and removes them.
///
/// A mention is `@` and an own name, longest first, whatever its case and width, ended by white space, punctuation, a
/// Chinese character or the end of the text; it does not count if a longer name of another member fits there, known or
/// picked in the client. At the beginning of the text the blanks and commas behind it go with it, at the end those before it. Elsewhere the blank
/// behind it goes, unless it keeps two words apart.
#[must_use]
pub fn find(text: &str, names: Names<'_>) -> Mentioned {
    let mut own: Vec<&str> = names.own.iter().copied().filter(|name| !name.is_empty()).collect();
    own.sort_by_key(|name| std::cmp::Reverse(name.chars().count()));
    let mut called = false;
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = rest.find(['@', '＠']) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let sign = from.chars().next().map_or(1, char::len_utf8);
        let after = &from[sign..];
        let length = own.iter().find_map(|name| length_of(after, name, names.others));
        if let Some(length) = length.filter(|length| !is_address(before, &after[*length..])) {
            called = true;
            rest = close_gap(&mut kept, &after[length..]);
        } else {
            kept.push_str(&from[..sign]);
            rest = after;
        }
    }
    kept.push_str(rest);
    let text = kept.trim().to_owned();
    let behind = behind_bare_name(&text, names);
    Mentioned { called: called || behind.is_some(), text, behind }
}

/// Takes away the signs that only part a mention from other words: `kept` is before it, `rest` behind it.
fn close_gap<'t>(kept: &mut String, rest: &'t str) -> &'t str {
    if kept.trim().is_empty() {
        return rest.trim_start_matches(parts_a_name);
    }
    if rest.trim().is_empty() {
        kept.truncate(kept.trim_end_matches(parts_a_name).len());
        return "";
    }
    let rest = rest.strip_prefix(char::is_whitespace).unwrap_or(rest);
    if kept.ends_with(needs_space) && rest.starts_with(needs_space) {
        kept.push(' ');
    }
    rest
}

/// Where the words behind a name begin, if a text begins with that name without `@`.
fn behind_bare_name(text: &str, names: Names<'_>) -> Option<usize> {
    let is_apart = |end: usize| !text[end..].chars().next().is_some_and(continues_a_name);
    let bare = names.bare.iter().filter(|name| !name.is_empty());
    let ends = bare.filter_map(|name| prefix_length(text, name));
    let end = ends.filter(|end| is_apart(*end)).max()?;
    let longer = names.others.iter().filter_map(|name| prefix_length(text, name));
    let is_another = longer.into_iter().any(|length| length > end && is_apart(length));
    let behind = text[end..].trim_start_matches(parts_a_name);
    (!is_another).then_some(text.len() - behind.len())
}

/// Whether `c` only parts a name from the words beside it. Not `!`, `.` and `/`: commands begin with them.
fn parts_a_name(c: char) -> bool {
    c.is_whitespace() || matches!(c, '，' | ',' | '：' | ':' | '、')
}

/// The length in bytes of `name` at the beginning of `text`, if it is a whole name there.
fn length_of(text: &str, name: &str, others: &[&str]) -> Option<usize> {
    let is_whole = |length: usize| {
        !text[length..].chars().next().is_some_and(|c| continues_a_name(c) && !is_ideograph(c))
    };
    let end = prefix_length(text, name).filter(|end| is_whole(*end))?;
    let mut longer = others.iter().chain(&EVERYBODY).filter_map(|other| prefix_length(text, other));
    let is_another = longer.any(|length| length > end && is_whole(length));
    (!is_another && !is_picked_name_longer(&text[end..])).then_some(end)
}

/// Whether the sign between these texts belongs to a mail address: `before` is its user, `rest` begins with a part of a
/// domain.
fn is_address(before: &str, rest: &str) -> bool {
    let mut rest = rest.chars();
    before.ends_with(|c: char| c.is_ascii_alphanumeric())
        && rest.next() == Some('.')
        && rest.next().is_some_and(|c| c.is_ascii_alphanumeric())
}

/// Whether the name of a mention goes on at the beginning of `rest`: WeChat ends a name that was picked from the list of
/// members with U+2005, so the letters before that sign belong to the name of a member.
fn is_picked_name_longer(rest: &str) -> bool {
    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '@' | '＠'));
    end.is_some_and(|end| {
        end > 0 && rest[end..].starts_with('\u{2005}') && !rest[..end].contains(is_wide_punctuation)
    })
}

/// The length in bytes of the beginning of `text` that reads as `name`, whatever the case, the width and the kind of blank.
fn prefix_length(text: &str, name: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    for expected in name.chars() {
        let (_, found) = characters.next()?;
        if found != expected && plain(found) != plain(expected) {
            return None;
        }
    }
    Some(characters.next().map_or(text.len(), |(at, _)| at))
}

/// A character as names are compared: small, of usual width, and every blank a space.
fn plain(c: char) -> char {
    let c = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let mut small = c.to_lowercase();
    match (small.next(), small.next()) {
        (Some(small), None) => small,
        _ => c,
    }
}

/// Whether a character is a Chinese one: it can follow a name directly.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
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
            ("@小助手，在吗", true, "在吗"),
            ("＠小助手： 在吗", true, "在吗"),
            ("价格？ @小助手", true, "价格？"),
            ("价格，@小助手 @Bob", true, "价格"),
            ("请问@小助手，价格", true, "请问，价格"),
            ("@Bob !help", true, "!help"),
            ("@Bob /help", true, "/help"),
            ("@bob hi", true, "hi"),
            ("@ＢＯＢ　hi", true, "hi"),
            ("@小助手在吗", true, "在吗"),
            ("@小助手二号在吗", false, "@小助手二号在吗"),
            ("你好@小助手 在吗", true, "你好在吗"),
            ("hi@Bob there", true, "hi there"),
            ("hi @Bob\u{2005}there", true, "hi there"),
            ("hi@Bob！", true, "hi！"),
            ("@小助手二号 在吗", false, "@小助手二号 在吗"),
            ("@小助手们 在吗", true, "们 在吗"),
            ("@小助手们\u{2005}在吗", false, "@小助手们\u{2005}在吗"),
            ("@小助手在吗@张三\u{2005}", true, "在吗@张三"),
            ("@小助手，在吗\u{2005}", true, "在吗"),
            ("@Bob", true, ""),
            ("@Bobby hi", false, "@Bobby hi"),
            ("@Bob Dylan hi", false, "@Bob Dylan hi"),
            ("@Bob hi", true, "hi"),
            ("@小\u{2005}助 hi", true, "hi"),
            ("＠小助手 hi", true, "hi"),
            ("@所有人 开会", false, "@所有人 开会"),
            ("mail@example.com", false, "mail@example.com"),
            ("mail x@bob.com", false, "mail x@bob.com"),
            ("请写给 x@Bob.com.", false, "请写给 x@Bob.com."),
            ("@Bob.", true, "."),
            ("@", false, "@"),
        ] {
            let found = find(text, Names { own: &own, others: &others, bare: &[] });
            assert_eq!(found, Mentioned { called, text: left.to_owned(), behind: None }, "{text}");
        }
    }

    #[test]
    fn everybody_is_not_the_bot() {
        let names = Names { own: &["所有", "al"], ..Names::default() };
        assert!(!find("@所有人开会", names).called);
        assert!(!find("@all hi", names).called);
        assert!(find("@所有 开会", names).called);
    }

    #[test]
    fn a_configured_name_at_the_beginning_calls_without_the_sign() {
        let names = Names {
            own: &["小助手", "Bob", "昵称"],
            bare: &["小助手", "Bob"],
            others: &["Bob Dylan", "小助手-2"],
        };
        for (text, behind) in [
            ("小助手，在吗", Some("在吗")),
            ("小助手 在吗", Some("在吗")),
            ("小助手", Some("")),
            ("小助手？", Some("？")),
            ("bob: hi", Some("hi")),
            ("Bob !help", Some("!help")),
            ("小助手在吗", None),
            ("Bobby hi", None),
            ("Bob Dylan sings", None),
            ("Bob Dylans hi", Some("Dylans hi")),
            ("小助手-2 在吗", None),
            ("请问小助手，在吗", None),
            ("昵称，在吗", None),
        ] {
            let found = find(text, names);
            assert_eq!(found.behind.map(|at| &found.text[at..]), behind, "{text}");
            assert_eq!(found.called, behind.is_some(), "{text}");
            assert_eq!(found.text, text);
            assert!(behind.is_none() || may_call(text, names.bare), "{text}");
        }
        let both = find("@Bob 小助手，在吗", names);
        assert_eq!(
            (both.called, both.text.as_str(), both.behind),
            (true, "小助手，在吗", Some(12))
        );
    }
}
