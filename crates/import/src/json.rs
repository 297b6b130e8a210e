//! JSON files: read within limits, and told apart.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::book::Book;
use crate::remark::{Place, Reason};
use crate::{ImportError, Input, Kind};
use mynah_core::sort_by_key;

/// Reads a JSON file, and remarks on keys that a later equal key of the same object replaces.
pub(crate) fn read(input: &Input, book: &mut Book) -> Result<Value, ImportError> {
    let tree = parse(input)?;
    for (key, line) in replaced_keys(input.text()?) {
        book.remark(&Place::new(input.name.as_str(), line), Reason::Replaced, key);
    }
    Ok(tree)
}

/// The reader bounds how deep a file is nested.
fn parse(input: &Input) -> Result<Value, ImportError> {
    serde_json::from_str(input.text()?)
        .map_err(|error| input.bad(error.line(), format!("not JSON: {error}")))
}

/// The kind of a JSON file.
pub(crate) fn kind_of(input: &Input) -> Result<Kind, ImportError> {
    Ok(match parse(input)? {
        Value::Array(rows) if rows.iter().take(20).any(is_dialogue) => Kind::Koishi,
        Value::Object(object) if is_plugin(&object) => Kind::CowAgent,
        Value::Object(object) if is_word_bank(&object) => Kind::WordBank,
        _ => Kind::Table,
    })
}

fn is_dialogue(row: &Value) -> bool {
    let has = |key: &str| row.get(key).is_some();
    has("question") && has("answer") && (has("flag") || has("original") || has("probS"))
}

fn is_plugin(object: &Map<String, Value>) -> bool {
    let is_table = |key: &str| object.get(key).is_some_and(Value::is_object);
    is_table("keyword") || is_table("group_welc_fixed_msg")
}

/// Questions with their answers, or such a table under `data`.
fn is_word_bank(object: &Map<String, Value>) -> bool {
    let is_bank = |object: &Map<String, Value>| {
        let is_answer =
            |value: &Value| value.is_string() || value.is_array() || value.get("reply").is_some();
        !object.is_empty() && object.values().take(50).all(is_answer)
    };
    is_bank(object) || object.get("data").and_then(Value::as_object).is_some_and(is_bank)
}

/// The texts of a value: a text, a number, or a list of them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Object(_) => Vec::new(),
    }
}

/// The places of the keys of a file, each its last one. A tree of JSON has keys in the order of their characters.
pub(crate) struct Keys<'l>(HashMap<Cow<'l, str>, KeyPlace>);

#[derive(Clone, Copy, Default)]
struct KeyPlace {
    number: usize,
    line: usize,
}

impl<'l> Keys<'l> {
    pub(crate) fn of(text: &'l str) -> Self {
        let (mut strings, mut keys, mut number) = (Strings::of(text), HashMap::new(), 0);
        while let Some(part) = strings.next() {
            if let Part::String(key) = part
                && strings.is_behind_key()
            {
                number += 1;
                keys.insert(key, KeyPlace { number, line: strings.line });
            }
        }
        Self(keys)
    }

    /// The keys and values of an object in the order of the file, with the line of each.
    pub(crate) fn in_order<'o>(
        &self,
        object: &'o Map<String, Value>,
    ) -> impl Iterator<Item = (&'o String, &'o Value, usize)> + use<'o> {
        let place = |key: &String| self.0.get(key.as_str()).copied().unwrap_or_default();
        let mut all: Vec<_> = object.iter().map(|(key, value)| (key, value, place(key))).collect();
        sort_by_key(&mut all, |(.., place)| place.number);
        all.into_iter().map(|(key, value, place)| (key, value, place.line))
    }
}

/// Finds the lines of texts that are asked for in the order of the file.
pub(crate) struct Lines<'l>(Strings<'l>);

impl<'l> Lines<'l> {
    pub(crate) fn of(text: &'l str) -> Self {
        Self(Strings::of(text))
    }

    /// The line of a text; of a missing one, the line of the one before.
    pub(crate) fn of_text(&mut self, text: &str) -> usize {
        let mut strings = self.0.clone();
        while let Some(part) = strings.next().filter(|_| !text.is_empty()) {
            if matches!(&part, Part::String(found) if found == text) {
                self.0 = strings;
                break;
            }
        }
        self.0.line
    }
}

/// The keys that a later equal key of the same object replaces, with their lines.
fn replaced_keys(text: &str) -> Vec<(String, usize)> {
    let (mut strings, mut replaced) = (Strings::of(text), Vec::new());
    // The keys of each open object; none of a list.
    let mut open: Vec<Option<HashMap<Cow<'_, str>, usize>>> = Vec::new();
    while let Some(part) = strings.next() {
        match part {
            Part::Open { is_object } => open.push(is_object.then(HashMap::new)),
            Part::Close => drop(open.pop()),
            Part::String(key) if strings.is_behind_key() => {
                let Some(Some(keys)) = open.last_mut() else { continue };
                if let Some(line) = keys.insert(key.clone(), strings.line) {
                    replaced.push((key.into_owned(), line));
                }
            }
            Part::String(_) => {}
        }
    }
    replaced
}

/// The strings and brackets of a text that is JSON, in their order.
#[derive(Clone)]
struct Strings<'t> {
    rest: &'t str,
    /// The line of the last part.
    line: usize,
}

enum Part<'t> {
    Open { is_object: bool },
    Close,
    String(Cow<'t, str>),
}

impl<'t> Strings<'t> {
    const fn of(text: &'t str) -> Self {
        Self { rest: text, line: 1 }
    }

    /// Whether a value follows, so that the last string was a key.
    fn is_behind_key(&self) -> bool {
        self.rest.trim_start().starts_with(':')
    }

    fn next(&mut self) -> Option<Part<'t>> {
        let at = self.rest.find(['{', '[', '}', ']', '"'])?;
        self.line += self.rest[..at].matches('\n').count();
        let (sign, behind) = (self.rest.as_bytes()[at], &self.rest[at + 1..]);
        self.rest = behind;
        match sign {
            b'{' => Some(Part::Open { is_object: true }),
            b'[' => Some(Part::Open { is_object: false }),
            b'"' => {
                let length = length_of_string(behind);
                self.rest = behind.get(length + 1..)?;
                Some(Part::String(unescaped(&behind[..length])))
            }
            _ => Some(Part::Close),
        }
    }
}

/// The bytes before the quotation mark that ends a string.
fn length_of_string(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find(['"', '\\']) {
        at += found;
        if text.as_bytes()[at] == b'"' {
            return at;
        }
        at += 2;
    }
    text.len()
}

fn unescaped(written: &str) -> Cow<'_, str> {
    if !written.contains('\\') {
        return written.into();
    }
    serde_json::from_str::<String>(&format!("\"{written}\"")).map_or(written.into(), Cow::Owned)
}
