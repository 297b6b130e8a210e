//! JSON files: read within limits, and told apart.

use serde_json::{Map, Value};

use crate::{ImportError, Input, Kind};

/// Reads a JSON file; the reader bounds how deep it is nested.
pub(crate) fn read(input: &Input) -> Result<Value, ImportError> {
    serde_json::from_str(input.text()?)
        .map_err(|error| input.bad(error.line(), format!("not JSON: {error}")))
}

/// The kind of a JSON file.
pub(crate) fn kind_of(input: &Input) -> Result<Kind, ImportError> {
    Ok(match read(input)? {
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

/// The line of the first occurrence of a text in quotation marks; 0 if it is written in another way.
pub(crate) struct Lines<'l> {
    text: &'l str,
    line: usize,
}

impl<'l> Lines<'l> {
    pub(crate) fn of(text: &'l str) -> Self {
        Self { text, line: 1 }
    }

    /// The line of a key that is asked for in the order of the file; without it, the line of the key before.
    pub(crate) fn of_key(&mut self, key: &str) -> usize {
        let quoted = serde_json::to_string(key).unwrap_or_default();
        if let Some(at) = self.text.find(&quoted) {
            let end = at + quoted.len();
            self.line += self.text[..at].matches('\n').count();
            self.text = &self.text[end..];
        }
        self.line
    }
}
