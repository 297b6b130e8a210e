//! The middleware that injects faults and writes the log of calls.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{
    Fault, FaultKind,
    corrupt::{corrupted, without_utf8},
    skeleton::skeleton,
};
use crate::{
    Call,
    accounts::Shared,
    answer::{bytes, json, script},
    hub::Hub,
    net::Line,
    request::text_of,
    wire::{SyncKey, answers::SentAnswer, to_json},
    world::message::Body as MessageBody,
};

/// Far above the size of every answer of the sandbox.
const LARGEST: usize = 1 << 30;

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Something went wrong</h1>\
                    <p>Please try again later.</p></body></html>\n";

/// Injects the pending fault for this call, if any, and logs the call.
pub(crate) async fn inject(
    hub: Shared,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().to_string();
    let path = request.uri().path().to_owned();
    let fault = hub.with_faults(|faults| faults.next_for(&path));
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
    /// The connection is cut.
    None,
}

struct Injection<'a> {
    hub: &'a Hub,
    line: &'a Line,
    /// The name of the endpoint.
    name: &'a str,
    fault: Fault,
}

impl Injection<'_> {
    async fn commit(&self, request: Request, next: Next) -> Answer {
        use FaultKind as Kind;
        match self.fault.fault {
            Kind::Delay => {
                // The call takes effect first: the service has read it even if the client stops waiting.
                let response = next.run(request).await;
                self.pause(self.fault.time(Duration::from_secs(1))).await;
                Answer::Whole(response)
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
            | Kind::Body
            | Kind::Retcode
            | Kind::Selector
            | Kind::Expired => Answer::Whole(self.instead()),
            Kind::Throttled => Answer::Whole(self.throttled(request).await),
            Kind::Duplicate if self.name != "webwxsync" => {
                Answer::Whole(twice(request, next).await)
            }
            _ => Answer::Whole(self.corrupt(request, next).await),
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.hub.stop.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Faults that answer without carrying out the call.
    fn instead(&self) -> Response {
        let number = |default: i32| text_of(&self.fault.value).parse().unwrap_or(default);
        match self.fault.fault {
            FaultKind::Garbage => {
                bytes("application/octet-stream", Bytes::from_static(b"\x00\xff{\"\xfe]\r\n<<\x80"))
            }
            FaultKind::Html => bytes("text/html", PAGE.into()),
            FaultKind::Empty => bytes("text/plain", Bytes::new()),
            FaultKind::Body => bytes("text/plain", text_of(&self.fault.value).into()),
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

    /// Acknowledges the send and drops it; a system line arrives in its place.
    async fn throttled(&self, request: Request) -> Response {
        let body = to_bytes(request.into_body(), LARGEST).await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let to = text_of(&body["Msg"]["ToUserName"]);
        json(&self.hub.change(|state| {
            let line = state.world.language.throttled().to_owned();
            let chat = state.world.session().and_then(|session| session.peer(&to));
            let id = chat.map(|chat| state.world.post(chat, None, MessageBody::System(line)));
            SentAnswer {
                msg_id: id.map(|id| (id - 1).to_string()).unwrap_or_default(),
                local_id: text_of(&body["Msg"]["LocalID"]),
                ..SentAnswer::default()
            }
        }))
    }

    /// Faults that carry out the call and then corrupt the answer, or change the request.
    async fn corrupt(&self, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        let asked = to_bytes(body, LARGEST).await.unwrap_or_default();
        let asked = match self.fault.fault {
            FaultKind::Redeliver => self.with_older_key(&asked),
            _ => asked,
        };
        let response = next.run(rebuild(parts, &asked)).await;
        let (mut head, body) = response.into_parts();
        head.headers.remove(header::CONTENT_LENGTH);
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
            _ => Body::from(corrupted(&self.fault, &answer, &asked)),
        };
        Response::from_parts(head, body)
    }

    /// Sends half of the answer, then resets or closes the connection.
    fn broken_off(&self, answer: &Bytes) -> Body {
        let half = answer.slice(..answer.len() / 2);
        let reset = self.fault.fault == FaultKind::Reset;
        let line = self.line.clone();
        let end = stream::once(async move {
            // The bytes already written must reach the client first.
            tokio::time::sleep(Duration::from_millis(20)).await;
            if reset {
                line.reset();
            }
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        });
        Body::from_stream(stream::once(async move { Ok(half) }).chain(end))
    }

    /// Replaces the key in the body of a `webwxsync` by one of an earlier position.
    fn with_older_key(&self, asked: &Bytes) -> Bytes {
        let Ok(mut body) = serde_json::from_slice::<Value>(asked) else { return asked.clone() };
        let back = self.fault.value.as_u64().unwrap_or(u64::MAX);
        let older = self.hub.read(|state| {
            let log = &state.world.session()?.log;
            Some(SyncKey::from(
                log.keys(log.handed_out().saturating_sub(back), state.world.seconds()),
            ))
        });
        body["SyncKey"] = serde_json::to_value(older).unwrap_or(Value::Null);
        to_json(&body).into()
    }
}

fn rebuild(parts: Parts, body: &Bytes) -> Request {
    let mut request = Request::from_parts(parts, Body::from(body.clone()));
    request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    request
}

/// Carries out the same call twice, like a proxy that repeats a request; returns the second answer.
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
