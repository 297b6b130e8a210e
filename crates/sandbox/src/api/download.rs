//! Downloads: section 9 of the protocol reference.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use crate::accounts::Shared;
use crate::{
    answer::bytes,
    hub::{Hub, State},
    request::ServiceRequest,
    world::{
        World,
        message::{Body, Media},
        people::Peer,
        samples,
    },
};

/// `GET webwxgetmsgimg`: the picture or sticker of a message. Stickers of the sticker store have no bytes.
pub(super) async fn image(hub: Shared, request: ServiceRequest) -> Response {
    of_message(&hub, &request, |body| {
        matches!(body, Body::Image(_) | Body::Sticker(_) | Body::Video { .. })
    })
}

/// `GET webwxgetvoice`.
pub(super) async fn voice(hub: Shared, request: ServiceRequest) -> Response {
    of_message(&hub, &request, |body| matches!(body, Body::Voice { .. }))
}

/// `GET webwxgetvideo`: only with a `Range` header.
pub(super) async fn video(hub: Shared, request: ServiceRequest) -> Response {
    if request.header("range").is_none() {
        return empty();
    }
    of_message(&hub, &request, |body| matches!(body, Body::Video { .. }))
}

/// `GET webwxgetmedia`: a file by its `MediaId`; needs the data ticket.
pub(super) async fn file(hub: Shared, request: ServiceRequest) -> Response {
    let id = request.query("mediaid").unwrap_or("").to_owned();
    let ticket = request
        .query("webwx_data_ticket")
        .or(request.cookie("webwx_data_ticket"))
        .unwrap_or("")
        .to_owned();
    let media = hub.read(|state| {
        let allowed = state.world.session().is_some_and(|session| session.has_ticket(&ticket));
        if allowed { by_id(&state.world, &id) } else { None }
    });
    media.map_or_else(empty, |media| ranged(&request, &media))
}

/// `GET webwxpreview`: a picture that was just uploaded.
pub(super) async fn preview(hub: Shared, request: ServiceRequest) -> Response {
    let id = request.query("mediaid").unwrap_or("").to_owned();
    let media = allowed(&hub, &request, |state| by_id(&state.world, &id));
    media.map_or_else(empty, |media| ranged(&request, &media))
}

/// `GET webwxgetpubliclinkimg`: the thumbnail of a location.
pub(super) async fn place(hub: Shared, request: ServiceRequest) -> Response {
    match allowed(&hub, &request, |_| Some(())) {
        Some(()) => bytes("image/png", samples::picture(100, [200, 220, 200])),
        None => empty(),
    }
}

/// `GET webwxgeticon` and `webwxgetheadimg`: the avatar of a person or group, each with its own colour.
pub(super) async fn icon(hub: Shared, request: ServiceRequest) -> Response {
    let name = request.query("username").unwrap_or("").to_owned();
    match allowed(&hub, &request, |state| state.world.session()?.peer(&name)) {
        Some(peer) => bytes("image/png", picture_of(peer)),
        None => empty(),
    }
}

/// A picture of one colour, derived from the name.
pub(crate) fn picture_of(peer: Peer) -> Bytes {
    let number = match peer {
        Peer::Person(person) => person.0,
        Peer::Group(group) => group.0.wrapping_mul(7).wrapping_add(3),
    };
    let shade = |step: u32| u8::try_from(90 + number.wrapping_mul(step) % 130).unwrap_or(128);
    samples::picture(64, [shade(67), shade(41), shade(89)])
}

fn by_id(world: &World, id: &str) -> Option<Media> {
    let said =
        || world.messages().rev().find_map(|it| it.body.media().filter(|media| media.id == id));
    world.uploads.get(id).or_else(said).cloned()
}

fn of_message(hub: &Hub, request: &ServiceRequest, kind: impl Fn(&Body) -> bool) -> Response {
    let id = request.query("msgid").and_then(|id| id.parse().ok());
    let media = allowed(hub, request, |state| {
        let message = state.world.message(id?)?;
        message
            .body
            .media()
            .filter(|_| kind(&message.body) && !state.world.is_recalled(message.id))
            .cloned()
    });
    media.map_or_else(empty, |media| ranged(request, &media))
}

fn allowed<T>(
    hub: &Hub,
    request: &ServiceRequest,
    find: impl FnOnce(&State) -> Option<T>,
) -> Option<T> {
    hub.read(|state| state.check(request).ok().and_then(|()| find(state)))
}

/// The answer without bytes, which the service gives when there is nothing to show.
fn empty() -> Response {
    bytes("text/plain", Bytes::new())
}

/// The bytes, or the requested range of them.
fn ranged(request: &ServiceRequest, media: &Media) -> Response {
    let total = media.bytes.len();
    let Some((start, end)) = request.header("range").and_then(|range| parse_range(range, total))
    else {
        return bytes(media.mime, media.bytes.clone());
    };
    let mut response = bytes(media.mime, media.bytes.slice(start..end));
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let range = format!("bytes {start}-{}/{total}", end - 1);
    if let Ok(range) = HeaderValue::from_str(&range) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response.into_response()
}

/// The first range of a `Range` header; `None` if the header is invalid.
fn parse_range(header: &str, total: usize) -> Option<(usize, usize)> {
    let (from, to) = header.trim().strip_prefix("bytes=")?.split(',').next()?.split_once('-')?;
    let (from, to) = (from.trim(), to.trim());
    let (start, end) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(start), Ok(last)) => (start, last.saturating_add(1).min(total)),
        (Ok(start), Err(_)) if to.is_empty() => (start, total),
        (Err(_), Ok(last)) if from.is_empty() => (total.saturating_sub(last), total),
        _ => return None,
    };
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (header, expected) in [
            ("bytes=0-", Some((0, 10))),
            ("bytes=2-4", Some((2, 5))),
            ("bytes=2-99", Some((2, 10))),
            ("bytes=-3", Some((7, 10))),
            ("bytes=10-", None),
            ("bytes=5-2", None),
            ("bytes=x-y", None),
            ("bytes=-", None),
            ("items=0-1", None),
        ] {
            assert_eq!(parse_range(header, 10), expected, "{header}");
        }
    }
}
