//! A trigger as a condition.

use std::collections::BTreeSet;

use super::script::Script;
use crate::names::{in_pattern, in_regex, variable};
use crate::remark::Reason;

/// The names in braces for `<star>`, `<star2>` and so on.
#[derive(Debug, Clone, Default)]
pub(super) struct Stars {
    /// For each star: the name of the capture, or the text that it always has; and whether it is a number.
    pub(super) stars: Vec<Star>,
}

#[derive(Debug, Clone)]
pub(super) enum Star {
    Words(String),
    Number(String),
    Fixed(String),
}

/// A part of a trigger.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// `*`, `_`, `#`.
    Wild(char),
    /// `(a|b)`: its items.
    Either(Vec<String>),
    /// `[a|b]`: its items.
    Optional(Vec<String>),
    /// `@name` and `(@name)`.
    Array {
        name: String,
        captured: bool,
    },
}

/// A trigger of optional words only has at most so many forms.
const MOST_FORMS: usize = 64;

/// The key of the condition, its value, and the names of the stars.
pub(super) fn condition(
    pattern: &str,
    script: &Script,
) -> Result<(&'static str, String, Stars), Reason> {
    let parts = parts(pattern, script)?;
    if let [Part::Text(text)] = parts.as_slice() {
        return Ok(("exact", text.clone(), Stars::default()));
    }
    if let Some(regex) = only_optional(&parts) {
        return regex.map(|regex| ("regex", regex, Stars::default()));
    }
    let mut stars = Stars::default();
    if let Some(pattern) = as_pattern(&parts, &mut stars) {
        return Ok(("pattern", pattern, stars));
    }
    stars = Stars::default();
    let regex = as_regex(&parts, script, &mut stars)?;
    Ok(("regex", regex, stars))
}

/// The arrays that triggers name.
pub(super) fn used_arrays(script: &Script) -> BTreeSet<String> {
    let parts = script.triggers.iter().filter_map(|one| parts(&one.pattern, script).ok()).flatten();
    parts
        .filter_map(|part| if let Part::Array { name, .. } = part { Some(name) } else { None })
        .collect()
}

/// Splits a trigger.
fn parts(pattern: &str, script: &Script) -> Result<Vec<Part>, Reason> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = pattern.trim();
    while let Some(c) = rest.chars().next() {
        let (part, length) = match c {
            '*' | '#' => (Part::Wild(c), 1),
            '_' if is_alone(pattern, rest) => (Part::Wild(c), 1),
            '(' | '[' => group(rest, c, script)?,
            '@' => {
                let name: String = rest[1..].chars().take_while(|c| is_name(*c)).collect();
                let length = 1 + name.len();
                (array(name, false, script)?, length)
            }
            '<' => {
                let end = rest.find('>').ok_or(Reason::Unreadable)?;
                let value = rest[1..end].strip_prefix("bot ").ok_or(Reason::Stored)?;
                let value = script.vars.get(value.trim()).ok_or(Reason::Stored)?;
                (Part::Text(value.to_lowercase()), end + 1)
            }
            '{' | '}' | ']' | ')' | '|' => return Err(Reason::Form),
            c => (Part::Text(c.to_string()), c.len_utf8()),
        };
        match (parts.last_mut(), part) {
            (Some(Part::Text(last)), Part::Text(more)) => last.push_str(&more),
            (_, part) => parts.push(part),
        }
        rest = &rest[length..];
    }
    if parts.is_empty() { Err(Reason::Empty) } else { Ok(parts) }
}

/// A trigger of optional words only, as a regular expression of all its forms: here at least one of them has to be there,
/// because a rule cannot answer an empty message.
fn only_optional(parts: &[Part]) -> Option<Result<String, Reason>> {
    let mut forms = vec![String::new()];
    for part in parts {
        match part {
            Part::Optional(items) => forms = with_optional(&forms, items),
            Part::Text(text) if text.trim().is_empty() => {}
            _ => return None,
        }
        forms.truncate(MOST_FORMS + 1);
    }
    if forms.len() > MOST_FORMS || forms.iter().any(|form| form.contains(['*', '_', '#'])) {
        return Some(Err(Reason::Form));
    }
    let forms = forms.iter().map(|form| form.trim()).filter(|form| !form.is_empty());
    let forms: Vec<String> = forms.map(|form| in_regex(form).replace(' ', r"\s+")).collect();
    Some(Ok(format!(r"^(?:{})[\s.,!?。，！？…]*$", forms.join("|"))))
}

/// Each form without and with each item behind it.
fn with_optional(forms: &[String], items: &[String]) -> Vec<String> {
    let more = |form: &String| {
        let behind: Vec<String> = items.iter().map(|item| format!("{form} {item}")).collect();
        std::iter::once(form.clone()).chain(behind)
    };
    forms.iter().flat_map(more).collect()
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a `_` is a word of its own, and not a part of one.
fn is_alone(pattern: &str, rest: &str) -> bool {
    let before = pattern.trim()[..pattern.trim().len() - rest.len()].chars().next_back();
    let after = rest[1..].chars().next();
    ![before, after].into_iter().flatten().any(char::is_alphanumeric)
}

fn array(name: String, captured: bool, script: &Script) -> Result<Part, Reason> {
    if script.arrays.contains_key(&name) {
        Ok(Part::Array { name, captured })
    } else {
        Err(Reason::Form)
    }
}

/// `(…)` or `[…]`, and its length.
fn group(rest: &str, open: char, script: &Script) -> Result<(Part, usize), Reason> {
    let close = if open == '(' { ')' } else { ']' };
    let end = rest.find(close).ok_or(Reason::Unreadable)?;
    let inside = rest[1..end].trim();
    if inside.contains(['(', '[', '<', '{']) {
        return Err(Reason::Form);
    }
    if let Some(name) = inside.strip_prefix('@').filter(|name| name.chars().all(is_name))
        && open == '('
    {
        return Ok((array(name.to_owned(), true, script)?, end + 1));
    }
    let mut items = Vec::new();
    for item in inside.split('|').map(str::trim).filter(|item| !item.is_empty()) {
        match item.strip_prefix('@') {
            Some(name) => {
                items.extend(script.arrays.get(name).ok_or(Reason::Form)?.iter().cloned());
            }
            None => items.push(item.to_owned()),
        }
    }
    if items.is_empty() {
        return Err(Reason::Form);
    }
    let part = if open == '(' { Part::Either(items) } else { Part::Optional(items) };
    Ok((part, end + 1))
}

/// The trigger as a pattern, if a pattern can say it.
fn as_pattern(parts: &[Part], stars: &mut Stars) -> Option<String> {
    let mut pattern = String::new();
    let mut optional = 0;
    for part in parts {
        match part {
            Part::Text(text) => pattern.push_str(&in_pattern(text)?),
            Part::Wild('*') => pattern.push_str(&format!("{{{}}}", stars.words())),
            Part::Wild('#') => pattern.push_str(&format!("{{{}:int}}", stars.number())),
            Part::Wild(_) => return None,
            Part::Either(items) => {
                if items.iter().any(|item| item.contains(['*', '_', '#', '{', '}', ':'])) {
                    return None;
                }
                match items.as_slice() {
                    [one] => {
                        stars.stars.push(Star::Fixed(one.clone()));
                        pattern.push_str(&in_pattern(one)?);
                    }
                    _ => pattern.push_str(&format!("{{{}:{}}}", stars.words(), items.join("|"))),
                }
            }
            Part::Optional(items) => {
                if items.iter().any(|item| item.contains(['_', '#'])) {
                    return None;
                }
                if items.iter().any(|item| item == "*") {
                    optional += 1;
                    pattern.push_str(&format!("[{{any{optional}}}]"));
                } else if items.iter().any(|item| item.contains('*')) {
                    return None;
                } else {
                    let items: Option<Vec<String>> =
                        items.iter().map(|item| in_pattern(item)).collect();
                    pattern.push_str(&format!("[{}]", items?.join("|")));
                }
            }
            Part::Array { name, captured: true } => {
                pattern.push_str(&format!("{{{}:{}}}", stars.words(), variable(name)));
            }
            Part::Array { name, captured: false } => {
                pattern.push_str(&format!("<{}>", variable(name)));
            }
        }
    }
    Some(pattern)
}

/// The trigger as a regular expression.
fn as_regex(parts: &[Part], script: &Script, stars: &mut Stars) -> Result<String, Reason> {
    let mut regex = String::from("^");
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let wild = |item: &str| {
            let escaped = in_regex(item);
            escaped.replace(r"\*", ".+?").replace('_', r"[^\s\d]+").replace(r"\#", r"\d+")
        };
        let either =
            |items: &[String]| items.iter().map(|item| wild(item)).collect::<Vec<_>>().join("|");
        match part {
            Part::Text(text) => {
                let begin = matches!(parts.get(at.wrapping_sub(1)), Some(Part::Optional(_)));
                let end = matches!(parts.get(at + 1), Some(Part::Optional(_)));
                let text = if begin { text.trim_start() } else { text };
                let text = if end { text.trim_end() } else { text };
                regex.push_str(&in_regex(text).replace(' ', r"\s+"));
            }
            Part::Wild('*') => regex.push_str(&format!("(?<{}>.+?)", stars.words())),
            Part::Wild('#') => regex.push_str(&format!(r"(?<{}>\d+)", stars.number())),
            Part::Wild(_) => regex.push_str(&format!(r"(?<{}>[^\s\d]+)", stars.words())),
            Part::Either(items) => {
                regex.push_str(&format!("(?<{}>{})", stars.words(), either(items)));
            }
            Part::Optional(items) if is_last => {
                regex.push_str(&format!(r"(?:\s+(?:{}))?", either(items)));
            }
            Part::Optional(items) if at == 0 => {
                regex.push_str(&format!(r"(?:(?:{})\s+)?", either(items)));
            }
            Part::Optional(items) => regex.push_str(&format!(r"\s+(?:(?:{})\s+)?", either(items))),
            Part::Array { name, captured } => {
                let items = either(script.arrays.get(name).map(Vec::as_slice).unwrap_or_default());
                let open =
                    if *captured { format!("?<{}>", stars.words()) } else { "?:".to_owned() };
                regex.push_str(&format!("({open}{items})"));
            }
        }
    }
    regex.push_str(r"[\s.,!?。，！？…]*$");
    Ok(regex)
}

impl Stars {
    fn next(&self) -> String {
        match self.stars.len() {
            0 => "star".to_owned(),
            more => format!("star{}", more + 1),
        }
    }

    fn words(&mut self) -> String {
        let name = self.next();
        self.stars.push(Star::Words(name.clone()));
        name
    }

    fn number(&mut self) -> String {
        let name = self.next();
        self.stars.push(Star::Number(name.clone()));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_conditions() {
        let mut script = Script::default();
        script.arrays.insert("colors".into(), vec!["red".into(), "dark blue".into()]);
        script.vars.insert("name".into(), "Aiden".into());
        for (trigger, key, expected) in [
            ("hello bot", "exact", "hello bot"),
            ("my name is *", "pattern", "my name is {star}"),
            ("* told me to say *", "pattern", "{star} told me to say {star2}"),
            ("i am # years old", "pattern", "i am {star:int} years old"),
            (
                "i am _ years old",
                "regex",
                r"^i\s+am\s+(?<star>[^\s\d]+)\s+years\s+old[\s.,!?。，！？…]*$",
            ),
            ("what (are|is) you", "pattern", "what {star:are|is} you"),
            ("[please|can you] ask me", "pattern", "[please|can you] ask me"),
            ("[*] hello [*]", "pattern", "[{any1}] hello [{any2}]"),
            ("my (@colors) *", "pattern", "my {star:colors} {star2}"),
            ("a @colors *", "pattern", "a <colors> {star}"),
            ("are you <bot name>", "exact", "are you aiden"),
            ("snake_case", "exact", "snake_case"),
            (
                "[yes|of course] [please]",
                "regex",
                r"^(?:please|yes|yes\s+please|of\s+course|of\s+course\s+please)[\s.,!?。，！？…]*$",
            ),
        ] {
            let (found, value, _) = condition(trigger, &script).expect(trigger);
            assert_eq!((found, value.as_str()), (key, expected), "{trigger}");
        }
        for trigger in ["", "my @fruits", "(a", "[*]", "<get name>", "a {b"] {
            assert!(condition(trigger, &script).is_err(), "{trigger}");
        }
    }
}
