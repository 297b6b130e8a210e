//! Downloads: section 9 of the protocol reference.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use super::Shared;
use crate::{
    answer::bytes,
    ask::Ask,
    hub::{Hub, State},
    world::{
        World,
        message::{Body, Media},
        people::Peer,
        samples,
    },
};

/// `GET webwxgetmsgimg`: the picture or sticker of a message. Stickers of the store have no bytes.
pub(super) async fn image(hub: Shared, ask: Ask) -> Response {
    of_message(&hub, &ask, |body| {
        matches!(body, Body::Image(_) | Body::Sticker(_) | Body::Video { .. })
    })
}

/// `GET webwxgetvoice`.
pub(super) async fn voice(hub: Shared, ask: Ask) -> Response {
    of_message(&hub, &ask, |body| matches!(body, Body::Voice { .. }))
}

/// `GET webwxgetvideo`: only with a `Range` header.
pub(super) async fn video(hub: Shared, ask: Ask) -> Response {
    if ask.header("range").is_none() {
        return empty();
    }
    of_message(&hub, &ask, |body| matches!(body, Body::Video { .. }))
}

/// `GET webwxgetmedia`: a file by its `MediaId`; the data ticket is asked for.
pub(super) async fn file(hub: Shared, ask: Ask) -> Response {
    let id = ask.query("mediaid").unwrap_or("").to_owned();
    let ticket =
        ask.query("webwx_data_ticket").or(ask.cookie("webwx_data_ticket")).unwrap_or("").to_owned();
    let media = hub.look(|state| {
        let allowed = state.world.session().is_some_and(|session| session.has_ticket(&ticket));
        if allowed { by_id(&state.world, &id) } else { None }
    });
    media.map_or_else(empty, |media| ranged(&ask, &media))
}

/// `GET webwxpreview`: a picture just uploaded.
pub(super) async fn preview(hub: Shared, ask: Ask) -> Response {
    let id = ask.query("mediaid").unwrap_or("").to_owned();
    let media = allowed(&hub, &ask, |state| by_id(&state.world, &id));
    media.map_or_else(empty, |media| ranged(&ask, &media))
}

/// `GET webwxgetpubliclinkimg`: the thumbnail of a place.
pub(super) async fn place(hub: Shared, ask: Ask) -> Response {
    match allowed(&hub, &ask, |_| Some(())) {
        Some(()) => bytes("image/png", samples::picture(100, [200, 220, 200])),
        None => empty(),
    }
}

/// `GET webwxgeticon` and `webwxgetheadimg`: somebody's picture, each of his own colour.
pub(super) async fn icon(hub: Shared, ask: Ask) -> Response {
    let name = ask.query("username").unwrap_or("").to_owned();
    match allowed(&hub, &ask, |state| state.world.session()?.peer(&name)) {
        Some(peer) => bytes("image/png", picture_of(peer)),
        None => empty(),
    }
}

/// A plain picture whose colour tells people apart.
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

fn of_message(hub: &Hub, ask: &Ask, kind: impl Fn(&Body) -> bool) -> Response {
    let id = ask.query("msgid").and_then(|id| id.parse().ok());
    let media = allowed(hub, ask, |state| {
        let message = state.world.message(id?)?;
        message
            .body
            .media()
            .filter(|_| kind(&message.body) && !state.world.is_recalled(message.id))
            .cloned()
    });
    media.map_or_else(empty, |media| ranged(ask, &media))
}

fn allowed<T>(hub: &Hub, ask: &Ask, find: impl FnOnce(&State) -> Option<T>) -> Option<T> {
    hub.look(|state| state.check(ask).ok().and_then(|()| find(state)))
}

/// What the service answers where there is nothing to see: no bytes.
fn empty() -> Response {
    bytes("text/plain", Bytes::new())
}

/// The bytes, or the range of them that is asked for.
fn ranged(ask: &Ask, media: &Media) -> Response {
    let total = media.bytes.len();
    let Some((start, end)) = ask.header("range").and_then(|range| parse_range(range, total)) else {
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

/// The first range of a header; `None` where it makes no sense.
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
