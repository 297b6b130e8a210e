//! JSON: question → answer or answers, or a list of objects.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::builder::Builder;
use crate::decode::decode;
use crate::form::Form;
use crate::table::Table;
use crate::unreadable::Unreadable;

/// A value of JSON takes about 60 bytes in memory, and follows one of these signs.
const MOST_VALUES: usize = 2_000_000;

/// Reads JSON. The keys of objects in a list become a header with the row number 0: the first object is row 1.
pub(crate) fn read(bytes: &[u8]) -> Result<Table, Unreadable> {
    if bytes.is_empty() {
        return Err(Unreadable::Empty);
    }
    let (text, _) = decode(bytes)?;
    if memchr::memchr3_iter(b',', b'[', b'{', text.as_bytes()).nth(MOST_VALUES).is_some() {
        return Err(Unreadable::Text);
    }
    let value: Json = serde_json::from_str(&text)
        .map_err(|error| Unreadable::Json { line: error.line(), column: error.column() })?;
    let mut builder = Builder::default();
    match value {
        Json::Object(entries) => pairs(&mut builder, &entries)?,
        Json::List(items) => objects(&mut builder, &items)?,
        Json::Nothing | Json::Text(_) => return Err(Unreadable::JsonShape),
    }
    Ok(builder.finish(Form::Json))
}

/// `{"question": "answer"}`, or several answers: a row for each of them.
fn pairs(builder: &mut Builder, entries: &[(String, Json)]) -> Result<(), Unreadable> {
    for (number, (question, answer)) in (1..).zip(entries) {
        builder.end_row();
        match answer {
            Json::Text(answer) => {
                builder.cell(number, 1, question)?;
                builder.cell(number, 2, answer)?;
            }
            Json::List(answers) => {
                for answer in answers {
                    let Json::Text(answer) = answer else { return Err(Unreadable::JsonShape) };
                    builder.end_row();
                    builder.cell(number, 1, question)?;
                    builder.cell(number, 2, answer)?;
                }
            }
            Json::Nothing => builder.cell(number, 1, question)?,
            Json::Object(_) => return Err(Unreadable::JsonShape),
        }
    }
    Ok(())
}

/// `[{"question": …, "answer": …}]`, also with other keys, or `[["question", "answer"]]`.
fn objects(builder: &mut Builder, items: &[Json]) -> Result<(), Unreadable> {
    let mut keys: Vec<&str> = Vec::new();
    for item in items {
        let Json::Object(entries) = item else { continue };
        for (key, _) in entries {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
                if keys.len() > crate::MOST_COLUMNS as usize {
                    return Err(Unreadable::Columns { row: 1 });
                }
            }
        }
    }
    for (column, key) in (1..).zip(&keys) {
        builder.cell(0, column, key)?;
    }
    for (number, item) in (1..).zip(items) {
        match item {
            Json::Object(entries) => {
                for (column, key) in (1..).zip(&keys) {
                    let value = entries.iter().find(|(name, _)| name == key);
                    cell(builder, number, column, value.map(|(_, value)| value))?;
                }
            }
            Json::List(cells) => {
                for (column, value) in (1..).zip(cells) {
                    cell(builder, number, column, Some(value))?;
                }
            }
            Json::Text(_) | Json::Nothing => return Err(Unreadable::JsonShape),
        }
    }
    Ok(())
}

/// A cell; several texts become its lines.
fn cell(
    builder: &mut Builder,
    row: u32,
    column: u32,
    value: Option<&Json>,
) -> Result<(), Unreadable> {
    match value {
        None | Some(Json::Nothing) => Ok(()),
        Some(Json::Text(text)) => builder.cell(row, column, text),
        Some(Json::List(items)) => {
            let texts: Option<Vec<&str>> = items
                .iter()
                .map(|item| if let Json::Text(text) = item { Some(text.as_str()) } else { None })
                .collect();
            builder.cell(row, column, &texts.ok_or(Unreadable::JsonShape)?.join("\n"))
        }
        Some(Json::Object(_)) => Err(Unreadable::JsonShape),
    }
}

/// JSON whose objects keep their order. Numbers and truth values are texts as written.
enum Json {
    Nothing,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Json::Object(object))
    }
}
