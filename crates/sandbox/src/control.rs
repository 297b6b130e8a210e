//! The control API under `/sandbox/`: phone, people, faults, and views of the state.
//!
//! The README lists the calls.
//!
//! Requests whose `Host` or `Origin` is not the sandbox's own address are refused, so that no web page can control
//! the
//! phone.

mod guard;
mod people;
mod phone;
pub(crate) mod view;
mod watch;

use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{Method, StatusCode, Uri},
    middleware,
    response::Response,
    routing::{get, post},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::answer::bytes;

/// Files are sent as base64 inside JSON.
const LARGEST: usize = 100 << 20;

use crate::accounts::Shared;

pub(crate) fn router() -> Router {
    let calls = Router::new()
        .route("/accounts", get(view::accounts))
        .route("/login/scan", post(phone::scan))
        .route("/login/confirm", post(phone::confirm))
        .route("/login/cancel", post(phone::cancel))
        .route("/login/logout", post(phone::log_out))
        .route("/login/expire", post(phone::expire))
        .route("/clock", post(phone::clock))
        .route("/messages", post(people::say))
        .route("/acts", post(people::act))
        .route("/raw", post(people::raw))
        .route("/faults", get(people::faults).post(people::add_faults).delete(people::clear_faults))
        .route("/sent", get(view::sent))
        .route("/calls", get(view::calls))
        .route("/state", get(view::state))
        .route("/media/{message}", get(view::media))
        .route("/picture/{peer}", get(view::picture))
        .route("/events", get(watch::events))
        .fallback(no_such_call)
        .method_not_allowed_fallback(wrong_method);
    let guard = middleware::from_fn(guard::own_address_only);
    Router::new().nest("/sandbox", calls.layer(DefaultBodyLimit::max(LARGEST)).layer(guard))
}

/// The body as JSON, regardless of its content type; an empty body counts as `{}`.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Box<Response>> {
    let body = if body.is_empty() { &b"{}"[..] } else { body };
    serde_json::from_slice(body).map_err(|error| {
        let error_text = match error.is_data() {
            true => error.to_string(),
            false => format!("the body is not valid JSON: {error}"),
        };
        Box::new(refused(StatusCode::BAD_REQUEST, &error_text))
    })
}

async fn no_such_call(uri: Uri) -> Response {
    let error_text =
        format!("unknown call {}; the README of the sandbox lists all calls", uri.path());
    refused(StatusCode::NOT_FOUND, &error_text)
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let error_text = format!("{} does not accept {method}", uri.path());
    refused(StatusCode::METHOD_NOT_ALLOWED, &error_text)
}

fn refused(status: StatusCode, error: &str) -> Response {
    let mut answer = reply(&json!({ "ok": false, "error": error }));
    *answer.status_mut() = status;
    answer
}

fn done(ok: bool) -> Response {
    reply(&json!({ "ok": ok }))
}

fn reply(value: &impl Serialize) -> Response {
    bytes("application/json", serde_json::to_vec(value).unwrap_or_default().into())
}
