//! Texts that are taken as they stand although something else was probably meant: a list in one text, a regular
//! expression among keywords, a name in the braces of another program.

use std::collections::BTreeMap;

use crate::problem::Literal;
use mynah_matching::keyword::Stem;
use mynah_matching::template::is_name;

/// The probable meaning of an item of a list of texts; `is_alone` if the key holds nothing else.
pub(super) fn item(key: &'static str, text: &str, is_alone: bool) -> Option<Literal> {
    let text = text.trim();
    let several = || {
        let parts = is_alone.then(|| several(key, text)).flatten()?;
        Some(Literal::Several { key, text: text.to_owned(), parts })
    };
    match key {
        "keyword" | "all" | "none" | "exact" | "prefix" | "suffix" => {
            expression(key, text).or_else(several).or_else(|| wildcard(key, text))
        }
        "start" | "cancel" | "restart_on" | "choose" => slashes(key, text).or_else(several),
        "from" | "not_from" | "admins" | "ignore" | "names" | "groups" | "to" | "forward_to" => {
            several().or_else(|| at_sign(key, text)).or_else(|| admin_word(key, text))
        }
        "pattern" => star_in_pattern(text),
        _ => None,
    }
}

/// `@张三` where names are written without their sign.
fn at_sign(key: &'static str, text: &str) -> Option<Literal> {
    let plain = text.strip_prefix(['@', '＠'])?.trim();
    let is_person = matches!(key, "from" | "not_from" | "admins" | "ignore" | "names");
    is_person.then(|| Literal::AtSign { text: text.to_owned(), plain: plain.to_owned() })
}

/// `admins` where the word is `admin`.
fn admin_word(key: &'static str, text: &str) -> Option<Literal> {
    let is_word = matches!(text, "admins" | "Admin" | "administrator" | "owner" | "管理员");
    (is_word && matches!(key, "from" | "not_from"))
        .then(|| Literal::AdminWord { text: text.to_owned() })
}

/// `天气 *`, `天气.*`: in a pattern a place for any text is a hole.
fn star_in_pattern(text: &str) -> Option<Literal> {
    let is_hole = |part: &str| matches!(part, "*" | ".*" | ".+");
    let ends = [".*", ".+", " *"].iter().find_map(|end| text.strip_suffix(end));
    let starts = [".*", ".+", "* "].iter().find_map(|start| text.strip_prefix(start));
    let plain = match (ends, starts) {
        _ if is_hole(text) => return None,
        (Some(before), _) => format!("{} {{what}}", before.trim_end()),
        (None, Some(after)) => format!("{{what}} {}", after.trim_start()),
        (None, None) => return None,
    };
    Some(Literal::StarInPattern { text: text.to_owned(), plain })
}

/// The texts of a list that was written as one text.
fn several(key: &str, text: &str) -> Option<Vec<String>> {
    let is_people = matches!(
        key,
        "from" | "not_from" | "admins" | "ignore" | "names" | "groups" | "to" | "forward_to"
    );
    // A name of a group may well have `、` in it: that of a group without one lists its members.
    let signs: &[&str] = match key {
        _ if is_people => &["，", ",", "；", ";", "|"],
        "exact" => &["||", "|", "｜", "、", " or ", " OR ", " 或 ", "/"],
        _ => &["||", "|", "｜", "，", ",", "；", ";", "、", " or ", " OR ", " 或 ", "/"],
    };
    let sign = signs.iter().find(|sign| text.contains(**sign))?;
    let parts: Vec<String> = text.split(sign).map(|part| part.trim().to_owned()).collect();
    let is_list = parts.len() > 1
        && parts.iter().all(|part| is_short(part))
        && !parts.iter().all(|part| part.chars().all(|c| c.is_ascii_digit()))
        // A slash parts Latin words in names of things: TCP/IP, km/h, and/or.
        && (*sign != "/" || parts.iter().all(|part| !part.is_ascii()));
    is_list.then_some(parts)
}

/// Whether a text is short enough for an item: a few Chinese characters, or one or two words.
fn is_short(part: &str) -> bool {
    let is_word = part.split_whitespace().count() <= 2;
    let is_something = part.chars().any(char::is_alphanumeric);
    is_something && is_word && part.chars().count() <= if part.is_ascii() { 20 } else { 8 }
}

/// A regular expression, a star or a hole where plain texts belong.
fn expression(key: &'static str, text: &str) -> Option<Literal> {
    slashes(key, text)
        .or_else(|| anchors(key, text))
        .or_else(|| hole(key, text))
        .or_else(|| star(key, text))
}

/// `/hello/i`, as JavaScript writes a regular expression.
fn slashes(key: &'static str, text: &str) -> Option<Literal> {
    let inside = text.strip_prefix('/')?;
    let (inside, flags) = inside.rsplit_once('/')?;
    let is_regex = !inside.is_empty()
        && !inside.contains("//")
        && flags.chars().all(|c| matches!(c, 'g' | 'i' | 'm' | 's' | 'u' | 'y'));
    is_regex.then(|| Literal::Regex {
        key,
        text: text.to_owned(),
        plain: inside.to_owned(),
        is_slashed: true,
    })
}

/// `^hello$`, `a.*b`, `\d+`.
fn anchors(key: &'static str, text: &str) -> Option<Literal> {
    let begins = text.strip_prefix('^').is_some_and(|rest| {
        // `^_^` and `^o^` are faces.
        rest.chars().next().is_some_and(char::is_alphanumeric) && !rest.ends_with('^')
    });
    let classes = [".*", ".+", r"\d", r"\w", r"\s", r"\b"];
    let is_regex = begins || classes.iter().any(|class| text.contains(class));
    is_regex.then(|| Literal::Regex {
        key,
        text: text.to_owned(),
        plain: text.to_owned(),
        is_slashed: false,
    })
}

/// `天气 {city}`: only a pattern has holes.
fn hole(key: &'static str, text: &str) -> Option<Literal> {
    let (_, after) = text.split_once('{')?;
    let (name, _) = after.split_once('}')?;
    let name = name.split(':').next().unwrap_or_default();
    let is_hole = is_name(name) && !name.chars().all(|c| c.is_ascii_digit());
    is_hole.then(|| Literal::Hole { key, text: text.to_owned(), name: name.to_owned() })
}

/// A `*` or `?` that looks like a wildcard and is none. A `?` at the end is a question.
fn wildcard(key: &'static str, text: &str) -> Option<Literal> {
    let is_stem = matches!(key, "keyword" | "all" | "none");
    let text_left = if is_stem { Stem::read(text).text } else { text };
    let inside = text_left.trim_end_matches(['?', '!', '.']);
    let is_wildcard = (text_left.contains('*') || inside.contains('?'))
        && text_left.chars().any(char::is_alphanumeric);
    is_wildcard.then(|| Literal::Wildcard { text: text.to_owned() })
}

/// `价格*`: a star at an end means nothing, unless it is beside a letter ([`Stem`]).
fn star(key: &'static str, text: &str) -> Option<Literal> {
    if matches!(key, "keyword" | "all" | "none") && !Stem::read(text).text.contains('*') {
        return None;
    }
    let plain = text.strip_prefix('*').unwrap_or(text);
    let plain = plain.strip_suffix('*').unwrap_or(plain);
    let is_star = plain != text
        && plain.starts_with(char::is_alphanumeric)
        && plain.ends_with(char::is_alphanumeric);
    is_star.then(|| Literal::Star { key, text: text.to_owned(), plain: plain.to_owned() })
}

/// A sum as the text of a variable: `+1`, `{user.points} + 1`, `user.points + 1`. Gives the sum as `add` writes it.
pub(super) fn sum(text: &str) -> Option<String> {
    let text = text.trim();
    let at = text.rfind(['+', '-'])?;
    let (before, sign, digits) = (text[..at].trim(), &text[at..=at], text[at + 1..].trim());
    // More digits are a telephone number.
    let is_number = (1..=6).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit());
    let in_braces = before.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
    let name = in_braces.map_or(before, |name| name.split('|').next().unwrap_or_default());
    let is_variable = is_name(name) && (name != before || name.contains('.'));
    // A lone `-1` may well be meant as a value.
    let is_sum = is_number && (is_variable || (before.is_empty() && sign == "+"));
    is_sum.then(|| format!("{sign}{digits}").trim_start_matches('+').to_owned())
}

/// A name written as another program writes it: `${sender}`, `%sender%`, `{{sender}}`, `$sender`, `｛sender｝`. Gives the
/// place in the text, and the name.
pub(super) fn foreign_names(
    text: &str,
    is_known: impl Fn(&str) -> Option<String>,
) -> Vec<(std::ops::Range<usize>, String)> {
    // Not `<name>`: a text for people may show in this form the words to type.
    const FORMS: [(&str, &str); 5] =
        [("${", "}"), ("{{", "}}"), ("%", "%"), ("｛", "｝"), ("$", "")];
    // So many bytes at most are searched for the end of a name: each sign of a long text may begin one.
    const LONGEST: usize = 256;
    let mut found: BTreeMap<usize, (std::ops::Range<usize>, String)> = BTreeMap::new();
    for (open, close) in FORMS {
        for (at, _) in text.match_indices(open) {
            let inside = &text[at + open.len()..];
            let inside = &inside[..inside.floor_char_boundary(LONGEST)];
            let end = if close.is_empty() {
                inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            } else {
                inside.find(close)
            };
            let end = match end {
                None if close.is_empty() => inside.len(),
                None => continue,
                Some(end) => end,
            };
            let written = inside[..end].trim();
            // `${user.price}` may well be a price in dollars.
            if open.starts_with('$') && written.contains('.') {
                continue;
            }
            let Some(name) = is_known(written) else { continue };
            let place = at..at + open.len() + end + close.len();
            // `{{{sender}}}` is the value between braces.
            let is_in_braces =
                open == "{{" && (inside.starts_with('{') || text[..at].ends_with('{'));
            let before = found.range(..=place.start).next_back();
            let is_new = before.is_none_or(|(_, (other, _))| !other.contains(&place.start));
            if !is_in_braces && is_new {
                found.insert(place.start, (place, name));
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(key: &'static str, text: &str) -> Option<Vec<String>> {
        match item(key, text, true) {
            Some(Literal::Several { parts, .. }) => Some(parts),
            _ => None,
        }
    }

    #[test]
    fn a_list_in_one_text_is_found() {
        for (key, text, expected) in [
            ("keyword", "停车，车位", ["停车", "车位"].as_slice()),
            ("keyword", "a or b", &["a", "b"]),
            ("keyword", "价格|报价", &["价格", "报价"]),
            ("choose", "是/否", &["是", "否"]),
            ("cancel", "取消,退出", &["取消", "退出"]),
            ("from", "张三，李四", &["张三", "李四"]),
        ] {
            let found = parts(key, text).unwrap_or_default();
            assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn texts_with_such_signs_that_are_no_list_are_left_alone() {
        for (key, text) in [
            ("keyword", "TCP/IP"),
            ("keyword", "1,000"),
            ("keyword", "orange"),
            ("keyword", "24/7"),
            ("keyword", "thank*"),
            ("none", "*bao*"),
            ("keyword", "really?"),
            ("keyword", "^_^"),
            ("keyword", "^o^"),
            ("keyword", "***"),
            ("exact", "你好，在吗"),
            ("exact", "/help"),
            ("exact", "[微笑]"),
            ("keyword", "我想问一下今天的停车费，还有明天的"),
            ("groups", "张三、李四、王五"),
            ("groups", "客户*"),
            ("keyword", "{1}"),
        ] {
            assert_eq!(item(key, text, true), None, "{key} = {text}");
        }
        assert_eq!(item("keyword", "停车，车位", false), None);
    }

    #[test]
    fn sums_are_not_values() {
        for (text, by) in [
            ("+1", "1"),
            ("{user.points} + 1", "1"),
            ("{user.points}-5", "-5"),
            ("{chat.total|0} + 1", "1"),
            ("user.points + 1", "1"),
        ] {
            assert_eq!(sum(text).as_deref(), Some(by), "{text}");
        }
        for text in ["1", "-1", "2026-11-23", "{name}", "+86 13800000000", "a+b", "C++", "user-1"] {
            assert_eq!(sum(text), None, "{text}");
        }
    }

    #[test]
    fn names_in_the_form_of_other_programs_are_found() {
        let known = |name: &str| (name == "sender").then(|| name.to_owned());
        for (text, expected) in [
            ("hi ${sender}", ["${sender}"].as_slice()),
            ("%sender%", &["%sender%"]),
            ("{{sender}}", &["{{sender}}"]),
            ("{{ sender }}!", &["{{ sender }}"]),
            ("$sender, ${sender}", &["$sender", "${sender}"]),
            ("｛sender｝", &["｛sender｝"]),
        ] {
            let found = foreign_names(text, known);
            let found: Vec<_> = found.into_iter().map(|(place, _)| &text[place]).collect();
            assert_eq!(found, expected, "{text}");
        }
        for text in
            ["{sender}", "{{{sender}}}", "$5 for {sender}", "100%", "{{x}}", "$senders", "<sender>"]
        {
            assert_eq!(foreign_names(text, known), [], "{text}");
        }
    }
}
