//! The objects on the wire: section 11 of the protocol reference, with exactly their JSON types.
//!
//! Clients in typed languages reject a whole answer if one number is a string, so no field here is ever null, missing
//! or
//! of another type; a failed call has all fields, with zeros and empty strings.

pub(crate) mod answers;
pub(crate) mod contact;
pub(crate) mod message;
pub(crate) mod text;
pub(crate) mod xml;

use serde::Serialize;

/// The head of every JSON answer.
#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BaseResponse {
    pub(crate) ret: i32,
    pub(crate) err_msg: String,
}

#[derive(Debug, Default, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SyncKey {
    count: usize,
    list: Vec<SyncKeyPart>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SyncKeyPart {
    key: i64,
    val: i64,
}

impl From<Vec<(i64, i64)>> for SyncKey {
    fn from(keys: Vec<(i64, i64)>) -> Self {
        let list: Vec<_> = keys.into_iter().map(|(key, val)| SyncKeyPart { key, val }).collect();
        Self { count: list.len(), list }
    }
}

/// JSON in the format of the service: one line per value, no indentation.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).expect("wire objects are plain data");
    bytes
}
