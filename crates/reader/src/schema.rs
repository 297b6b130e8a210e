//! The JSON Schema of a table of keys, for editors.

use serde_json::{Map, Value, json};

use crate::{Key, Kind, duration_pattern};

/// The JSON Schema of a file with these keys, as text with an end of line.
///
/// Any text may hold `${NAME}` in place of a value, so that texts are not held to their form where that is possible.
#[must_use]
pub fn json_schema(title: &str, description: &str, keys: &[Key]) -> String {
    let mut schema = table(keys);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(title);
    schema["description"] = json!(description);
    format!("{schema:#}\n")
}

fn table(keys: &[Key]) -> Value {
    let mut properties = Map::new();
    properties.extend(keys.iter().map(|key| (key.name.to_owned(), property(key))));
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = kind(key.kind);
    schema["description"] = json!(format!("{}\n{}", key.help.en, key.help.zh));
    if let Some(default) = key.default {
        // Defaults are written as in the file; those of TOML that occur here are JSON, too.
        schema["default"] = serde_json::from_str(default).unwrap_or(Value::Null);
    }
    schema
}

fn kind(kind: Kind) -> Value {
    match kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
        Kind::Duration { or_zero } => {
            let zero = if or_zero { "|^0$" } else { "" };
            pattern(&format!("{}{zero}", duration_pattern()))
        }
        Kind::Word(words) => json!({ "anyOf": [{ "enum": words }, variable()] }),
        Kind::Rate { word, or_off } => {
            let off = if or_off { "|^off$" } else { "" };
            pattern(&format!("^ *[0-9]+ *{word} *[0-9]{off}"))
        }
        Kind::Size => pattern("^ *[0-9]+ *(KB|MB|GB) *$|^0$"),
        Kind::Url => pattern("^https?://"),
        Kind::Text | Kind::Path | Kind::Name | Kind::Durations | Kind::Socket => {
            json!({ "type": "string", "minLength": 1 })
        }
        Kind::Names => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Kind::Open => json!({ "type": "object" }),
        Kind::Section(keys) => table(keys),
        Kind::Sections(keys) => json!({ "type": "array", "items": table(keys) }),
    }
}

/// A text of this form, or with a variable.
fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!(r"{pattern}|\$\{{") })
}

fn variable() -> Value {
    json!({ "type": "string", "pattern": r"\$\{" })
}
