//! Builders of the service's answers.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Serialize;

use crate::{
    hub::{Hub, State},
    request::ServiceRequest,
    wire::{answers::Envelope, to_json},
};

/// A JSON answer. The service labels it `text/plain`.
pub(crate) fn json(value: &impl Serialize) -> Response {
    bytes("text/plain", to_json(value).into())
}

/// JavaScript statements, which the page of the web client evaluates.
pub(crate) fn script(text: impl Into<String>) -> Response {
    bytes("text/javascript", Bytes::from(text.into()))
}

pub(crate) fn bytes(mime: &'static str, bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(mime))], Body::from(bytes)).into_response()
}

pub(crate) fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

/// Answers a call that needs a session: with the result of `act`, or with the empty skeleton and the error code.
pub(crate) fn in_session<T: Envelope>(
    hub: &Hub,
    request: &ServiceRequest,
    act: impl FnOnce(&mut State) -> Result<T, i32>,
) -> Response {
    let answer = hub.change(|state| {
        state.check(request)?;
        act(state)
    });
    json(&answer.unwrap_or_else(T::failed))
}

/// Return codes, section 15 of the protocol reference.
pub(crate) mod ret {
    /// The request is invalid.
    pub(crate) const PARAMETER: i32 = 1;
    /// Not logged in, or logged out on the phone.
    pub(crate) const NO_SESSION: i32 = 1100;
    /// Missing or wrong cookies.
    pub(crate) const COOKIE: i32 = 1102;
    /// Login refused.
    pub(crate) const REFUSED: i32 = 1203;
    /// The receiver is not a friend.
    pub(crate) const NO_FRIEND: i32 = 1204;
    /// Too often.
    pub(crate) const TOO_OFTEN: i32 = 1205;
}

impl State {
    /// Checks that the request belongs to the session. The error is the return code for the client.
    pub(crate) fn check(&self, request: &ServiceRequest) -> Result<(), i32> {
        let uin = self.world.me().uin.to_string();
        let mut code = ret::NO_SESSION;
        for (sid, given) in request.credentials() {
            let mine = self.world.session().is_some_and(|session| session.sid == sid);
            if mine && (given.is_empty() || given == uin) {
                return Ok(());
            }
            code = self.world.ended_with(&sid).unwrap_or(ret::COOKIE);
        }
        Err(code)
    }
}
