//! The phone's buttons, and the clock.

use axum::{body::Bytes, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::json;

use super::{Shared, done, read, refused, reply};
use crate::{api::seconds, login::Stage};

pub(super) async fn scan(hub: Shared) -> Response {
    done(hub.phone(Stage::Scanned).await.is_some())
}

pub(super) async fn confirm(hub: Shared) -> Response {
    done(hub.phone(Stage::Confirmed).await.is_some())
}

pub(super) async fn cancel(hub: Shared) -> Response {
    done(hub.cancel_login())
}

#[derive(Deserialize)]
struct LogOut {
    /// The code in the answer to the client: 1100 by the phone, 1101 by another login, 1102 by the service.
    #[serde(default = "by_phone")]
    code: i32,
}

fn by_phone() -> i32 {
    1100
}

pub(super) async fn log_out(hub: Shared, body: Bytes) -> Response {
    match read::<LogOut>(&body) {
        Ok(request) => done(hub.end_session(request.code)),
        Err(refused) => *refused,
    }
}

pub(super) async fn expire(hub: Shared) -> Response {
    hub.expire_logins();
    done(true)
}

#[derive(Deserialize)]
struct Clock {
    /// Seconds, with an optional fraction.
    advance: f64,
}

pub(super) async fn clock(hub: Shared, body: Bytes) -> Response {
    let request = match read::<Clock>(&body) {
        Ok(request) => request,
        Err(refused) => return *refused,
    };
    let Ok(by) = std::time::Duration::try_from_secs_f64(request.advance) else {
        return refused(
            StatusCode::BAD_REQUEST,
            "the clock only moves forward: give \"advance\" in seconds",
        );
    };
    let now = hub.change(|state| {
        state.world.advance(u64::try_from(by.as_millis()).unwrap_or(0));
        state.world.now()
    });
    reply(&json!({ "ok": true, "time": seconds(now) }))
}
