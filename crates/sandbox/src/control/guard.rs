//! Accepts only requests to the sandbox's own address, from its own pages.

use axum::{
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::refused;
use crate::{accounts::Shared, hub::Hub};

pub(super) async fn own_address_only(hub: Shared, request: Request, next: Next) -> Response {
    match refusal(&hub, &request) {
        Some(reason) => refused(StatusCode::FORBIDDEN, reason),
        None => next.run(request).await,
    }
}

fn refusal(hub: &Hub, request: &Request) -> Option<&'static str> {
    let header = |name| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase())
    };
    let authority = request.uri().authority().map(|it| it.as_str().to_ascii_lowercase());
    let host = authority.or_else(|| header(header::HOST)).unwrap_or_default();
    if !is_own(hub, &host) {
        return Some("this Host is not the sandbox's own address");
    }
    let foreign =
        |origin: String| !origin.strip_prefix("http://").is_some_and(|origin| is_own(hub, origin));
    header(header::ORIGIN)
        .is_some_and(foreign)
        .then_some("this Origin is not the sandbox's own address")
}

fn is_own(hub: &Hub, host: &str) -> bool {
    let port = hub.address.port();
    let loopback = hub.address.ip().is_loopback() || hub.address.ip().is_unspecified();
    let names = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
    host == hub.address.to_string() || (loopback && names.iter().any(|name| name == host))
}
