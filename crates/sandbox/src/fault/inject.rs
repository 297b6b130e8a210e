//! The layer around all endpoints that commits the faults and writes the log of calls.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{Fault, FaultKind, skeleton::skeleton};
use crate::{
    Call,
    answer::{bytes, json, script},
    ask::text_of,
    hub::Hub,
    net::Line,
    wire::{SyncKey, answers::SentAnswer, to_json},
    world::message::Body as Said,
};

/// Far above every answer of the sandbox.
const LARGEST: usize = 1 << 30;

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Something went wrong</h1>\
                    <p>Please try again later.</p></body></html>\n";

/// Commits the fault that waits for this call, if one does, and logs the call.
pub(crate) async fn inject(
    State(hub): State<Arc<Hub>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let fault = hub.with_faults(|faults| faults.strike(&path));
    let answer = match fault {
        None => Answer::Whole(next.run(request).await),
        Some(fault) => {
            Injection { hub: &hub, line: &line, name: last_part(&path), fault }
                .commit(request, next)
                .await
        }
    };
    let (status, response) = match answer {
        Answer::Whole(response) => (response.status().as_u16(), response),
        Answer::None => {
            line.reset();
            (0, StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    };
    hub.log_call(Call { method, path, status });
    response
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

enum Answer {
    Whole(Response),
    /// The connection breaks instead.
    None,
}

struct Injection<'a> {
    hub: &'a Hub,
    line: &'a Line,
    /// The endpoint.
    name: &'a str,
    fault: Fault,
}

impl Injection<'_> {
    async fn commit(&self, request: Request, next: Next) -> Answer {
        use FaultKind as Kind;
        match self.fault.fault {
            Kind::Delay => {
                self.pause(self.fault.time(Duration::from_secs(1))).await;
                Answer::Whole(next.run(request).await)
            }
            Kind::Hang => {
                self.hub.stop.cancelled().await;
                Answer::None
            }
            Kind::Reset if self.fault.value != "body" => Answer::None,
            Kind::Lost => {
                next.run(request).await;
                Answer::None
            }
            Kind::Status
            | Kind::Garbage
            | Kind::Html
            | Kind::Empty
            | Kind::Retcode
            | Kind::Selector
            | Kind::Expired => Answer::Whole(self.instead()),
            Kind::Throttled => Answer::Whole(self.throttled(request).await),
            Kind::Duplicate if self.name != "webwxsync" => {
                Answer::Whole(twice(request, next).await)
            }
            _ => Answer::Whole(self.spoil(request, next).await),
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.hub.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// The faults that answer without carrying the call out.
    fn instead(&self) -> Response {
        let number = |default: i32| text_of(&self.fault.value).parse().unwrap_or(default);
        match self.fault.fault {
            FaultKind::Garbage => {
                bytes("application/octet-stream", Bytes::from_static(b"\x00\xff{\"\xfe]\r\n<<\x80"))
            }
            FaultKind::Html => bytes("text/html", PAGE.into()),
            FaultKind::Empty => bytes("text/plain", Bytes::new()),
            FaultKind::Expired => script("window.code=400;"),
            FaultKind::Retcode => skeleton(self.name, number(-1)),
            FaultKind::Selector => {
                script(format!("window.synccheck={{retcode:\"0\",selector:\"{}\"}}", number(2)))
            }
            _ => {
                let status =
                    u16::try_from(number(502)).ok().and_then(|it| StatusCode::from_u16(it).ok());
                let mut page = bytes("text/html", PAGE.into());
                *page.status_mut() = status.unwrap_or(StatusCode::BAD_GATEWAY);
                page
            }
        }
    }

    /// The send is acknowledged and vanishes; a line of the service arrives in its place.
    async fn throttled(&self, request: Request) -> Response {
        let body = to_bytes(request.into_body(), LARGEST).await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let to = text_of(&body["Msg"]["ToUserName"]);
        json(&self.hub.change(|state| {
            let line = state.world.language.throttled().to_owned();
            let chat = state.world.session().and_then(|session| session.peer(&to));
            let id = chat.map(|chat| state.world.post(chat, None, Said::System(line)));
            SentAnswer {
                msg_id: id.map(|id| (id - 1).to_string()).unwrap_or_default(),
                local_id: text_of(&body["Msg"]["LocalID"]),
                ..SentAnswer::default()
            }
        }))
    }

    /// The faults that carry the call out and then spoil the answer, or what was asked.
    async fn spoil(&self, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        let asked = to_bytes(body, LARGEST).await.unwrap_or_default();
        let asked = match self.fault.fault {
            FaultKind::Redeliver => self.with_older_key(&asked),
            _ => asked,
        };
        let response = next.run(rebuild(parts, &asked)).await;
        let (mut head, body) = response.into_parts();
        let answer = to_bytes(body, LARGEST).await.unwrap_or_default();
        let body = match self.fault.fault {
            FaultKind::Cut | FaultKind::Reset => {
                let length = HeaderValue::from(answer.len());
                head.headers.insert(header::CONTENT_LENGTH, length);
                self.broken_off(&answer)
            }
            FaultKind::Slow => {
                head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(answer.len()));
                in_pieces(&answer, self.fault.time(Duration::from_millis(50)))
            }
            FaultKind::Utf8 => Body::from(without_utf8(&answer)),
            _ => Body::from(self.changed(&answer, &asked)),
        };
        if self.fault.fault != FaultKind::Cut
            && self.fault.fault != FaultKind::Reset
            && self.fault.fault != FaultKind::Slow
        {
            head.headers.remove(header::CONTENT_LENGTH);
        }
        Response::from_parts(head, body)
    }

    /// Half of the answer, then the end: by a reset or as if the server had closed.
    fn broken_off(&self, answer: &Bytes) -> Body {
        let half = answer.slice(..answer.len() / 2);
        let reset = self.fault.fault == FaultKind::Reset;
        let line = self.line.clone();
        let end = stream::once(async move {
            // What was written before must reach the peer first.
            tokio::time::sleep(Duration::from_millis(20)).await;
            if reset {
                line.reset();
            }
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        });
        Body::from_stream(stream::once(async move { Ok(half) }).chain(end))
    }

    /// The body of a `webwxsync` with the key of an earlier position.
    fn with_older_key(&self, asked: &Bytes) -> Bytes {
        let Ok(mut body) = serde_json::from_slice::<Value>(asked) else { return asked.clone() };
        let back = self.fault.value.as_u64().unwrap_or(u64::MAX);
        let older = self.hub.look(|state| {
            let log = &state.world.session()?.log;
            Some(SyncKey::from(
                log.keys(log.handed_out().saturating_sub(back), state.world.seconds()),
            ))
        });
        body["SyncKey"] = serde_json::to_value(older).unwrap_or(Value::Null);
        to_json(&body).into()
    }

    /// The answer with wrong, missing, repeated or stale fields. What is no JSON becomes rubbish.
    fn changed(&self, answer: &Bytes, asked: &Bytes) -> Vec<u8> {
        let Ok(mut value) = serde_json::from_slice::<Value>(answer) else {
            return answer.iter().rev().copied().collect();
        };
        let named = named(&self.fault.value);
        match self.fault.fault {
            FaultKind::Types => change_fields(&mut value, &named, &|field| Some(other_type(field))),
            FaultKind::Missing => change_fields(&mut value, &named, &|_| None),
            FaultKind::Null => change_fields(&mut value, &named, &|_| Some(Value::Null)),
            FaultKind::Duplicate => duplicate(&mut value),
            FaultKind::StaleKey => stale(&mut value, asked),
            _ => {}
        }
        to_json(&value)
    }
}

fn rebuild(parts: Parts, body: &Bytes) -> Request {
    let mut request = Request::from_parts(parts, Body::from(body.clone()));
    request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    request
}

/// Carries the same call out twice, as a proxy does that repeats a request; the second answer counts.
async fn twice(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    next.clone().run(rebuild(parts.clone(), &body)).await;
    next.run(rebuild(parts, &body)).await
}

fn in_pieces(answer: &Bytes, pause: Duration) -> Body {
    let size = (answer.len() / 8).max(1);
    let pieces: Vec<_> = answer.chunks(size).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::iter(pieces).then(move |piece| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, io::Error>(piece)
    }))
}

/// Cuts every Chinese character short, as truncated nicknames do.
fn without_utf8(answer: &Bytes) -> Vec<u8> {
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

/// Changes or removes the named fields wherever they stand; with no names all fields of the answer but its head.
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

/// The same value as another type, all the way down.
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
    fn fields_are_changed_where_they_stand() {
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
    fn without_names_everything_but_the_head_is_meant() {
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
