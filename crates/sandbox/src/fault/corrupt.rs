//! Corrupted answers: wrong types, missing fields, repeated messages, broken characters.

use axum::body::Bytes;
use serde_json::Value;

use super::{Fault, FaultKind};
use crate::{request::text_of, wire::to_json};

/// Returns the answer with wrong, missing, repeated or stale fields. An answer that is not JSON becomes random bytes.
pub(super) fn corrupted(fault: &Fault, answer: &Bytes, asked: &Bytes) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(answer) else {
        return answer.iter().rev().copied().collect();
    };
    let named = named(&fault.value);
    match fault.fault {
        FaultKind::Types => change_fields(&mut value, &named, &|field| Some(other_type(field))),
        FaultKind::Missing => change_fields(&mut value, &named, &|_| None),
        FaultKind::Null => change_fields(&mut value, &named, &|_| Some(Value::Null)),
        FaultKind::Duplicate => duplicate(&mut value),
        FaultKind::StaleKey => stale(&mut value, asked),
        _ => {}
    }
    to_json(&value)
}

/// Cuts every Chinese character short, like truncated nicknames.
pub(super) fn without_utf8(answer: &Bytes) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let mut out = Vec::with_capacity(answer.len());
    for character in text.chars() {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).as_bytes();
        out.extend(if bytes.len() == 3 { &bytes[..2] } else { bytes });
    }
    out
}

fn named(value: &Value) -> Vec<String> {
    match value {
        Value::Array(names) => names.iter().map(text_of).collect(),
        Value::String(name) => vec![name.clone()],
        _ => Vec::new(),
    }
}

/// Changes or removes the named fields at every depth; without names, all fields of the answer except `BaseResponse`.
fn change_fields(value: &mut Value, names: &[String], change: &dyn Fn(&Value) -> Option<Value>) {
    let Value::Object(fields) = value else {
        if let Value::Array(items) = value {
            items.iter_mut().for_each(|item| change_fields(item, names, change));
        }
        return;
    };
    let keys: Vec<_> = fields.keys().cloned().collect();
    for key in keys {
        let meant = if names.is_empty() { key != "BaseResponse" } else { names.contains(&key) };
        if !meant {
            if let Some(inner) = fields.get_mut(&key).filter(|_| !names.is_empty()) {
                change_fields(inner, names, change);
            }
            continue;
        }
        match fields.get(&key).and_then(change) {
            Some(changed) => _ = fields.insert(key, changed),
            None => _ = fields.remove(&key),
        }
    }
}

/// Converts a value to another type, recursively.
fn other_type(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::String(text) => text.parse::<u64>().map_or(Value::from(0), Value::from),
        Value::Array(items) if items.is_empty() => Value::String(String::new()),
        Value::Array(items) => items.iter().map(other_type).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, field)| (key.clone(), other_type(field))).collect()
        }
        Value::Bool(_) | Value::Null => Value::from(0),
    }
}

fn duplicate(value: &mut Value) {
    let Some(list) = value["AddMsgList"].as_array_mut() else { return };
    *list = list.iter().flat_map(|message| [message.clone(), message.clone()]).collect();
    let count = list.len();
    value["AddMsgCount"] = Value::from(count);
}

fn stale(value: &mut Value, asked: &Bytes) {
    let asked: Value = serde_json::from_slice(asked).unwrap_or(Value::Null);
    let key = asked["SyncKey"].clone();
    if key.is_object() {
        value["SyncKey"] = key.clone();
        value["SyncCheckKey"] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer() -> Value {
        json!({ "BaseResponse": { "Ret": 0 }, "Count": 1, "List": [{ "Key": 1, "Name": "a" }], "Empty": [] })
    }

    #[test]
    fn named_fields_are_changed_at_every_depth() {
        let mut value = answer();
        change_fields(&mut value, &["Key".to_owned(), "Ret".to_owned()], &|field| {
            Some(other_type(field))
        });
        assert_eq!(value["List"][0]["Key"], "1");
        assert_eq!(value["BaseResponse"]["Ret"], "0");
        change_fields(&mut value, &["Name".to_owned()], &|_| None);
        assert!(value["List"][0].get("Name").is_none());
    }

    #[test]
    fn without_names_all_fields_but_base_response_are_changed() {
        let mut value = answer();
        change_fields(&mut value, &[], &|_| None);
        assert_eq!(value, json!({ "BaseResponse": { "Ret": 0 } }));
        let mut value = answer();
        change_fields(&mut value, &[], &|field| Some(other_type(field)));
        let expected = json!({ "BaseResponse": { "Ret": 0 }, "Count": "1", "List": [{ "Key": "1", "Name": 0 }], "Empty": "" });
        assert_eq!(value, expected);
    }

    #[test]
    fn duplicates_are_counted() {
        let mut value =
            json!({ "AddMsgCount": 2, "AddMsgList": [{ "MsgId": "1" }, { "MsgId": "2" }] });
        duplicate(&mut value);
        let ids: Vec<_> =
            value["AddMsgList"].as_array().unwrap().iter().map(|it| it["MsgId"].clone()).collect();
        assert_eq!(
            (ids, &value["AddMsgCount"]),
            (vec![json!("1"), json!("1"), json!("2"), json!("2")], &json!(4))
        );
    }

    #[test]
    fn broken_characters() {
        let broken = without_utf8(&Bytes::from_static("{\"a\": \"群\"}".as_bytes()));
        assert!(String::from_utf8(broken).is_err());
    }
}
