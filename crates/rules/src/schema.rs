//! The JSON Schema of `bot.toml`, made from the table of keys: for editors.

use serde_json::{Map, Value, json};

use crate::keys::{Key, Kind, Table};

/// The JSON Schema of `bot.toml` as text, with an end of line.
///
/// It describes the keys and their types; all further checks are made by [`load`](crate::load).
#[must_use]
pub fn json_schema() -> String {
    let mut schema = table(Table::File);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
        schema.insert("title".into(), json!("bot.toml"));
        schema.insert("description".into(), json!("The rules of a Mynah bot."));
    }
    format!("{schema:#}\n")
}

fn table(table: Table) -> Value {
    let properties: Map<String, Value> =
        table.keys().map(|key| (key.name.to_owned(), property(key))).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let required = required(table);
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The keys that a table cannot do without.
fn required(table: Table) -> &'static [&'static str] {
    match table {
        Table::Group => &["name"],
        Table::Dialog => &["id", "step"],
        Table::Step => &["ask"],
        Table::Schedule => &["to"],
        Table::Test => &["script"],
        Table::Sheet => &["file"],
        Table::Limit => &["per"],
        Table::Weighted => &["text"],
        Table::Fetch => &["url"],
        Table::File | Table::Bot | Table::Rule | Table::Do | Table::Cooldown | Table::Done => &[],
    }
}

fn property(key: &Key) -> Value {
    let mut schema = kind(key.kind);
    schema["description"] = json!(format!("{}\n{}", key.en, key.zh));
    schema
}

fn kind(kind: Kind) -> Value {
    match kind {
        Kind::Text
        | Kind::Regex
        | Kind::Template
        | Kind::Cron
        | Kind::Zone
        | Kind::Path
        | Kind::Address
        | Kind::Handler
        | Kind::Script => json!({ "type": "string" }),
        Kind::Column | Kind::Statuses => json!({ "type": ["string", "integer"] }),
        Kind::Body => json!({ "type": ["string", "object"] }),
        Kind::Taken => values(&json!({ "type": "string", "pattern": "^(text|(/.*)?)$" })),
        Kind::FileName => json!({ "type": "string", "pattern": "\\.csv$" }),
        Kind::Duration => duration(),
        Kind::Texts
        | Kind::Groups
        | Kind::Patterns
        | Kind::Regexes
        | Kind::Times
        | Kind::At
        | Kind::Days => one_or_list(&json!({ "type": "string" })),
        Kind::Templates | Kind::Paths => {
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
        }
        Kind::Weighted => {
            let item = json!({ "anyOf": [{ "type": "string" }, table(Table::Weighted)] });
            json!({ "type": "array", "items": item, "minItems": 1 })
        }
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Chance => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Cooldown => json!({ "anyOf": [duration(), table(Table::Cooldown)] }),
        Kind::Limit => table(Table::Limit),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Words(words) => one_or_list(&json!({ "enum": words })),
        Kind::Vars => values(&json!({ "type": ["string", "number", "boolean"] })),
        Kind::TemplateVars => scoped(&json!({ "type": ["string", "number", "boolean"] })),
        Kind::Lists => {
            let file = json!({
                "type": "object",
                "properties": { "file": { "type": "string" } },
                "required": ["file"],
                "additionalProperties": false,
            });
            values(&json!({ "anyOf": [one_or_list(&json!({ "type": "string" })), file] }))
        }
        Kind::Comparisons => {
            let one = json!({ "type": ["string", "number", "boolean"] });
            scoped(&json!({ "anyOf": [one, { "type": "array", "items": one }] }))
        }
        Kind::Counts => scoped(&json!({ "type": ["integer", "string"] })),
        Kind::Streaks => values(&json!({ "enum": ["day", "week"] })),
        Kind::Next => {
            json!({ "anyOf": [{ "type": "string" }, values(&json!({ "type": "string" }))] })
        }
        Kind::Steps => json!({ "type": "array", "items": table(Table::Do), "minItems": 1 }),
        Kind::Section(inner) => table(inner),
        Kind::Sections(inner) => json!({ "type": "array", "items": table(inner) }),
    }
}

fn duration() -> Value {
    json!({ "type": "string", "pattern": mynah_reader::duration_pattern() })
}

fn one_or_list(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}

fn values(value: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": value })
}

/// Variables: `chat.x` without quotes is a table of its own.
fn scoped(value: &Value) -> Value {
    let scope = values(value);
    json!({
        "type": "object",
        "properties": {
            "user": { "anyOf": [value, scope] },
            "chat": { "anyOf": [value, scope] },
            "bot": { "anyOf": [value, scope] },
        },
        "additionalProperties": value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_every_table_is_in_it() {
        let schema: Value = serde_json::from_str(&json_schema()).expect("JSON");
        let rule = &schema["properties"]["rule"]["items"];
        for key in Table::Rule.keys() {
            assert!(rule["properties"][key.name]["description"].is_string(), "{}", key.name);
        }
        let step = &schema["properties"]["dialog"]["items"]["properties"]["step"]["items"];
        assert_eq!(step["required"], json!(["ask"]));
        assert_eq!(rule["additionalProperties"], json!(false));
    }
}
