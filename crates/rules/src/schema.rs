//! The JSON Schema of `bot.toml`, made from the table of keys: for editors.

use serde_json::{Map, Value};

use crate::keys::{Key, Kind, Table};

/// The JSON Schema of `bot.toml` as text, with an end of line.
///
/// It describes the keys and their types; all further checks are made by [`load`](crate::load).
#[must_use]
pub fn json_schema() -> String {
    let mut schema = table(Table::File);
    for (key, value) in [
        ("$schema", "http://json-schema.org/draft-07/schema#"),
        ("title", "bot.toml"),
        ("description", "The rules of a Mynah bot."),
    ] {
        schema[key] = value.into();
    }
    format!("{schema:#}\n")
}

fn table(table: Table) -> Value {
    let mut properties = Map::new();
    properties.extend(table.keys().map(|key| (key.name.to_owned(), property(key))));
    let schema = with(of_type("object"), "properties", properties.into());
    let schema = with(schema, "additionalProperties", false.into());
    match required(table) {
        [] => schema,
        required => with(schema, "required", required.into()),
    }
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
    with(kind(key.kind), "description", format!("{}\n{}", key.en, key.zh).into())
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
        | Kind::Script => of_type("string"),
        Kind::Column | Kind::Statuses => of_types(&["string", "integer"]),
        Kind::Body => of_types(&["string", "object"]),
        Kind::Taken => values(pattern("^(text|(/.*)?)$")),
        Kind::FileName => pattern("\\.csv$"),
        Kind::Duration => pattern(&mynah_reader::duration_pattern()),
        Kind::Texts
        | Kind::Groups
        | Kind::Patterns
        | Kind::Regexes
        | Kind::Times
        | Kind::At
        | Kind::Days => one_or_list(of_type("string")),
        Kind::Templates | Kind::Paths => filled_list(of_type("string")),
        Kind::Weighted => filled_list(any_of([of_type("string"), table(Table::Weighted)])),
        Kind::Flag => of_type("boolean"),
        Kind::Integer => of_type("integer"),
        Kind::Chance => with(with(of_type("number"), "minimum", 0.into()), "maximum", 1.into()),
        Kind::Cooldown => {
            any_of([pattern(&mynah_reader::duration_pattern()), table(Table::Cooldown)])
        }
        Kind::Limit => table(Table::Limit),
        Kind::Word(words) => one_of(words),
        Kind::Words(words) => one_or_list(one_of(words)),
        Kind::Vars => values(of_types(&PLAIN)),
        Kind::TemplateVars => scoped(&of_types(&PLAIN)),
        Kind::Lists => values(any_of([one_or_list(of_type("string")), file()])),
        Kind::Comparisons => scoped(&one_or_list(of_types(&PLAIN))),
        Kind::Counts => scoped(&of_types(&["integer", "string"])),
        Kind::Streaks => values(one_of(&["day", "week"])),
        Kind::Next => any_of([of_type("string"), values(of_type("string"))]),
        Kind::Steps => filled_list(table(Table::Do)),
        Kind::Section(inner) => table(inner),
        Kind::Sections(inner) => list(table(inner)),
    }
}

/// The types of plain values.
const PLAIN: [&str; 3] = ["string", "number", "boolean"];

// These are functions, because the compiler makes much code of each `json!`.

/// A schema with one more key.
fn with(mut schema: Value, key: &str, value: Value) -> Value {
    schema[key] = value;
    schema
}

fn of_type(name: &str) -> Value {
    with(Value::Object(Map::new()), "type", name.into())
}

fn of_types(names: &[&str]) -> Value {
    with(Value::Object(Map::new()), "type", names.into())
}

fn pattern(regex: &str) -> Value {
    with(of_type("string"), "pattern", regex.into())
}

fn one_of(words: &[&str]) -> Value {
    with(Value::Object(Map::new()), "enum", words.into())
}

fn any_of(schemas: [Value; 2]) -> Value {
    with(Value::Object(Map::new()), "anyOf", Vec::from(schemas).into())
}

fn list(item: Value) -> Value {
    with(of_type("array"), "items", item)
}

fn filled_list(item: Value) -> Value {
    with(list(item), "minItems", 1.into())
}

fn one_or_list(item: Value) -> Value {
    any_of([item.clone(), list(item)])
}

fn values(value: Value) -> Value {
    with(of_type("object"), "additionalProperties", value)
}

/// A table with the key `file` alone.
fn file() -> Value {
    let properties = with(Value::Object(Map::new()), "file", of_type("string"));
    let table = with(of_type("object"), "properties", properties);
    with(with(table, "required", ["file"].as_slice().into()), "additionalProperties", false.into())
}

/// Variables: `chat.x` without quotes is a table of its own.
fn scoped(value: &Value) -> Value {
    let scope = any_of([value.clone(), values(value.clone())]);
    let mut scopes = Value::Object(Map::new());
    for name in ["user", "chat", "bot"] {
        scopes = with(scopes, name, scope.clone());
    }
    with(values(value.clone()), "properties", scopes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
