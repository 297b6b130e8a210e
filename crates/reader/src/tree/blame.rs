//! The mistake in a broken statement: the parser's error, or the most likely intention of the person.

use std::ops::Range;

use toml::de::Error;

use super::slip;
use crate::{Grammar, Shape, Syntax, floor_boundary, plain_width};

/// The parser's error about a file, with its place.
pub(super) fn blame(source: &str, error: &Error, grammar: &dyn Grammar) -> (Syntax, Range<usize>) {
    let place = visible(source, error.span().unwrap_or(0..0));
    (syntax(source, error.message(), &place, grammar), place)
}

/// The mistake in a key and its value, from the parser's first error; places are bytes of the statement.
pub(super) fn pair(
    statement: &str,
    error: &Error,
    grammar: &dyn Grammar,
) -> (Syntax, Range<usize>) {
    let lead = statement.len() - statement.trim_start().len();
    if let Some((at, c)) = statement.char_indices().find(|(_, c)| is_control(*c)) {
        return (Syntax::Control(c), at..at + c.len_utf8());
    }
    if let Some((at, c)) = colon(statement, lead) {
        return (Syntax::Assignment(c.to_string()), at..at + c.len_utf8());
    }
    if let Some(found) = slip::slip(statement, grammar) {
        return found;
    }
    let place = visible(statement, error.span().unwrap_or(0..0));
    match syntax(statement, error.message(), &place, grammar) {
        Syntax::OpenText(_) => open_text(statement, place),
        Syntax::Unquoted(found) => {
            (value_without_quotes(found, &statement[lead..], grammar), place)
        }
        other => (other, place),
    }
}

/// A character that no text file should have.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// A character without width, as programs for chats and documents put between others.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// A colon in place of `=`: `keyword: "…"`, also a full-width one.
fn colon(statement: &str, lead: usize) -> Option<(usize, char)> {
    // Keys are in English, but that is another mistake.
    let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let length = statement[lead..].find(|c| !is_key(c)).unwrap_or(statement.len() - lead);
    let after_key = length + lead;
    let blank = statement[after_key..].len() - statement[after_key..].trim_start().len();
    let at = after_key + blank;
    let found = statement[at..].chars().next()?;
    (after_key > lead && matches!(found, ':' | '：')).then_some((at, found))
}

fn key_length(text: &str) -> usize {
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.find(|c| !is_key(c)).unwrap_or(text.len())
}

/// A text that is never closed: one of several lines is known by where it begins, a short one by where it should end.
fn open_text(statement: &str, place: Range<usize>) -> (Syntax, Range<usize>) {
    let Some(equals) = statement.find('=') else { return (Syntax::OpenText("\""), place) };
    let value = &statement[equals + 1..];
    let begin = equals + 1 + (value.len() - value.trim_start().len());
    let value = value.trim_start();
    for quotes in ["\"\"\"", "'''"] {
        if value.starts_with(quotes) {
            return (Syntax::OpenText(quotes), begin..begin + quotes.len());
        }
    }
    let quote = match value.chars().next() {
        Some('"') => "\"",
        Some('\'') => "'",
        _ => return (Syntax::OpenText(quote_before(statement, place.start)), place),
    };
    if value.trim_end().contains('\n') {
        let line = value.lines().next().unwrap_or_default().trim_end();
        return (Syntax::TextOverLines, begin..begin + line.len());
    }
    (Syntax::OpenText(quote), place)
}

/// The kind of quote that was opened last before a place.
fn quote_before(statement: &str, at: usize) -> &'static str {
    match statement[..at].chars().rev().find(|c| matches!(c, '"' | '\'')) {
        Some('\'') => "'",
        _ => "\"",
    }
}

/// A value without quotes; its key gives the expected type.
fn value_without_quotes(found: String, statement: &str, grammar: &dyn Grammar) -> Syntax {
    let plain: String = found.chars().map(plain_width).collect();
    let is_value = matches!(plain.as_str(), "true" | "false") || plain.parse::<f64>().is_ok();
    if plain != found && is_value {
        return Syntax::FullWidth { found, plain };
    }
    let key = &statement[..key_length(statement)];
    match grammar.shape(key) {
        Some(Shape::Flag) => Syntax::NoFlag(found),
        Some(Shape::Integer | Shape::Number) => Syntax::NoNumber(found),
        _ => Syntax::Unquoted(found),
    }
}

/// The place of an error, moved onto a character that can be pointed at.
fn visible(statement: &str, span: Range<usize>) -> Range<usize> {
    let text = statement.trim_end();
    let start = floor_boundary(text, span.start.min(text.len()));
    let end = floor_boundary(text, span.end.min(text.len())).max(start);
    match text[start..].chars().next() {
        // A wide sign is to be pointed at as a whole.
        Some(c) if start == end && !c.is_ascii() => start..start + c.len_utf8(),
        _ => start..end,
    }
}

/// The mistake, by the words of the parser.
pub(super) fn syntax(
    source: &str,
    message: &str,
    span: &Range<usize>,
    grammar: &dyn Grammar,
) -> Syntax {
    let found = source.get(span.clone()).unwrap_or_default().trim();
    let word = message.split(", expected").next().unwrap_or(message);
    match word {
        // The key of a header comes after its bracket.
        "duplicate key" if source[..span.start].ends_with('[') => {
            Syntax::TwiceTable(found.to_owned())
        }
        "duplicate key" => Syntax::Twice(found.to_owned()),
        "string values must be quoted" if found.is_empty() => Syntax::NoValue,
        "string values must be quoted" => Syntax::Unquoted(found.to_owned()),
        // Something like 09:00-18:00 or True.
        _ if word.starts_with("invalid") && is_bare_value(source, span) => {
            Syntax::Unquoted(found.to_owned())
        }
        "invalid unquoted key" => bare_key(found),
        "key with no value" => Syntax::NoEquals,
        "missing value" | "missing value for key" => Syntax::NoValue,
        "unclosed array" => Syntax::OpenList,
        "unclosed inline table" => Syntax::OpenTable,
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            Syntax::NoComma
        }
        "unexpected key or value" | "unexpected content" => Syntax::Leftover,
        "too few unicode value digits" => escape_before(source, span.start, grammar),
        _ if word.contains("string") => Syntax::OpenText("\""),
        _ => Syntax::Other(message.to_owned()),
    }
}

/// Whether there is a value without quotes: after `=`, or as an item of a list.
fn is_bare_value(source: &str, span: &Range<usize>) -> bool {
    let before = source[..span.start].trim_end();
    !span.is_empty() && before.ends_with(['=', '[', ','])
}

/// A key that needs quotes, has an invisible character, or was written in wide letters.
fn bare_key(found: &str) -> Syntax {
    if let Some(unseen) = found.chars().find(|c| is_unseen(*c)) {
        return Syntax::Control(unseen);
    }
    let plain: String = found.chars().map(plain_width).collect();
    if plain != found && key_length(&plain) == plain.len() {
        return Syntax::FullWidth { found: found.to_owned(), plain };
    }
    Syntax::BareKey(found.to_owned())
}

/// `\u` or `\U` without the number of a character, as in a path of Windows.
fn escape_before(source: &str, at: usize, grammar: &dyn Grammar) -> Syntax {
    let escape = source[..at].rfind('\\').and_then(|slash| source[slash + 1..].chars().next());
    escape.map_or_else(|| Syntax::OpenText("\""), |escaped| wrong_escape(source, escaped, grammar))
}

/// A backslash that means nothing: in a path of Windows it parts folders.
pub(super) fn wrong_escape(statement: &str, escaped: char, grammar: &dyn Grammar) -> Syntax {
    let key = &statement[..key_length(statement)];
    let is_drive = statement.split_once(":\\").is_some_and(|(before, _)| {
        let mut end = before.chars().rev();
        end.next().is_some_and(|c| c.is_ascii_alphabetic())
            && end.next().is_none_or(|c| !c.is_alphanumeric())
    });
    match () {
        () if grammar.names_a_file(key) || is_drive => Syntax::Path,
        () if grammar.is_sent(key) => Syntax::EscapeInText(escaped),
        () => Syntax::Escape(escaped),
    }
}
