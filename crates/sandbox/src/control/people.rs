//! Calls for messages, actions of people, and faults.

use axum::{body::Bytes, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Shared, done, read, refused, reply};
use crate::{Fault, RawMessage, SandboxAction, SandboxActionKind, fault::Faults};

#[derive(Deserialize)]
struct NewMessage {
    from: String,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    to: Option<String>,
    text: String,
}

pub(super) async fn say(hub: Shared, body: Bytes) -> Response {
    let message = match read::<NewMessage>(&body) {
        Ok(message) => message,
        Err(refused) => return *refused,
    };
    let kind = SandboxActionKind::Say { text: message.text, to: message.to };
    match hub.act(SandboxAction { from: message.from, group: message.group, kind }) {
        Ok(id) => reply(&json!({ "id": id.unwrap_or_default() })),
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

pub(super) async fn act(hub: Shared, body: Bytes) -> Response {
    let act = match read::<SandboxAction>(&body) {
        Ok(act) => act,
        Err(refused) => return *refused,
    };
    match hub.act(act) {
        Ok(Some(id)) => reply(&json!({ "ok": true, "id": id })),
        Ok(None) => done(true),
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

pub(super) async fn raw(hub: Shared, body: Bytes) -> Response {
    let raw = match read::<RawMessage>(&body) {
        Ok(raw) => raw,
        Err(refused) => return *refused,
    };
    match hub.deliver_raw(raw) {
        Ok(id) => reply(&json!({ "ok": true, "id": id })),
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

pub(super) async fn faults(hub: Shared) -> Response {
    reply(&json!({ "faults": hub.with_faults(|faults| faults.list().to_vec()) }))
}

/// One fault or a list of faults.
pub(super) async fn add_faults(hub: Shared, body: Bytes) -> Response {
    let value = match read::<Value>(&body) {
        Ok(Value::Array(list)) => list,
        Ok(one) => vec![one],
        Err(refused) => return *refused,
    };
    let faults: Result<Vec<Fault>, _> = value.into_iter().map(serde_json::from_value).collect();
    match faults {
        Ok(new) if new.iter().any(|fault| fault.value_error().is_some()) => {
            let error_text = new.iter().find_map(Fault::value_error).unwrap_or_default();
            refused(StatusCode::BAD_REQUEST, &error_text)
        }
        Ok(new) => {
            hub.with_faults(|faults| new.into_iter().for_each(|fault| faults.add(fault)));
            done(true)
        }
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

pub(super) async fn clear_faults(hub: Shared) -> Response {
    hub.with_faults(Faults::clear);
    done(true)
}
