//! Messages in the service's own form, for forms without an action.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    SandboxActionError, World,
    message::Body,
    people::{Peer, PersonId, Relation},
};

/// A message in the service's own form. People and groups that do not exist are created.
///
/// The content appears unchanged in the answer of `webwxsync`, so it must be escaped and have `<br/>`. In a group the
/// id of
/// `from` and the separator are put before it.
///
/// ```
/// let raw: mynah_sandbox::RawMessage = serde_json::from_str(
///     r#"{"group": "水果店客户群", "raw": "\"Tim\" joined the group chat via your shared QR Code.", "type": 10000}"#,
/// )?;
/// # let _ = raw; Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMessage {
    /// The sender; in a group `None` means a system line. In private: the person whose chat it is.
    #[serde(default)]
    pub from: Option<String>,
    /// The group; `None` in private.
    #[serde(default)]
    pub group: Option<String>,
    /// `Content`.
    pub raw: String,
    /// `MsgType`.
    #[serde(rename = "type")]
    pub msg_type: i32,
    /// Fields of the message that replace those of the sandbox; null is written as null.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// The separator between the sender's id and the content in a group.
    #[serde(default = "separator")]
    pub separator: String,
}

fn separator() -> String {
    ":<br/>".to_owned()
}

impl RawMessage {
    /// A system line in a group.
    pub fn line(group: &str, raw: &str) -> Self {
        Self { from: None, group: Some(group.to_owned()), ..Self::new(10_000, raw) }
    }

    /// A message of this type without sender and chat: set `from`, `group` or both.
    pub fn new(msg_type: i32, raw: &str) -> Self {
        Self {
            from: None,
            group: None,
            raw: raw.to_owned(),
            msg_type,
            fields: Map::new(),
            separator: separator(),
        }
    }

    /// Sets the sender.
    #[must_use]
    pub fn from(mut self, name: &str) -> Self {
        self.from = Some(name.to_owned());
        self
    }

    /// Sets the group.
    #[must_use]
    pub fn group(mut self, name: &str) -> Self {
        self.group = Some(name.to_owned());
        self
    }

    /// Sets a field of the message.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

impl World {
    /// Delivers a message in the service's own form. Returns its id.
    pub(crate) fn deliver_raw(&mut self, raw: RawMessage) -> Result<u64, SandboxActionError> {
        let RawMessage { from, group, raw, msg_type, fields, separator } = raw;
        let group = group.map(|name| self.group_or_new(&name));
        let relation = if group.is_some() { Relation::Stranger } else { Relation::Friend };
        let from = from.filter(|name| !name.is_empty());
        let from = from.map(|name| self.present(&name, group, relation));
        let chat = match (group, from) {
            (Some(group), _) => Peer::Group(group),
            (None, Some(PersonId::ME)) => return Err(SandboxActionError::NoReceiver),
            (None, Some(person)) => Peer::Person(person),
            (None, None) => return Err(SandboxActionError::Nobody),
        };
        let body = Body::Wire { kind: msg_type, content: raw, separator, fields };
        Ok(self.post(chat, from, body))
    }
}
