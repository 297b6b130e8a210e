//! Sending and recalling messages: section 7 of the protocol reference.

use std::{net::SocketAddr, time::Instant};

use axum::response::Response;
use serde_json::Value;

use crate::accounts::Shared;
use crate::{
    SandboxEvent, Sent,
    answer::{in_session, ret},
    hub::{Hub, State},
    request::{ServiceRequest, number_of, text_of},
    wire::answers::{Plain, SentAnswer},
    world::{
        SendKey,
        message::{Body, Media},
        people::Peer,
    },
};

/// A message can be recalled for two minutes.
const RECALL_WINDOW_MS: u64 = 120_000;

/// `POST webwxsendmsg`: a text, or a forwarded location (type 48).
pub(super) async fn text(hub: Shared, request: ServiceRequest) -> Response {
    send(&hub, &request, |_, message| {
        let content = text_of(&message["Content"]);
        Ok(match number_of(&message["Type"]) {
            Some(48) => location(&content),
            _ => Body::Text(content),
        })
    })
}

/// `POST webwxsendmsgimg`.
pub(super) async fn image(hub: Shared, request: ServiceRequest) -> Response {
    send(&hub, &request, |state, message| Ok(Body::Image(media(state, message)?)))
}

/// `POST webwxsendvideomsg`.
pub(super) async fn video(hub: Shared, request: ServiceRequest) -> Response {
    send(&hub, &request, |state, message| {
        Ok(Body::Video { media: media(state, message)?, seconds: 0 })
    })
}

/// `POST webwxsendemoticon`: an uploaded picture, or a sticker that the service knows by its MD5 digest.
pub(super) async fn sticker(hub: Shared, request: ServiceRequest) -> Response {
    send(&hub, &request, |state, message| {
        let (id, md5) = (text_of(&message["MediaId"]), text_of(&message["EMoticonMd5"]));
        if id.is_empty() && !md5.is_empty() {
            let known = by_digest(state, &md5);
            return Ok(Body::Sticker(
                known.unwrap_or_else(|| Media::new(&md5, bytes::Bytes::new())),
            ));
        }
        Ok(Body::Sticker(uploaded(state, &id)?))
    })
}

/// `POST webwxsendappmsg`: a file or a link.
pub(super) async fn app(hub: Shared, request: ServiceRequest) -> Response {
    send(&hub, &request, |state, message| {
        let content = text_of(&message["Content"]);
        let attachment = element(&content, "attachid").filter(|id| !id.is_empty());
        if let Some(id) = attachment {
            let mut media = uploaded(state, &id)?;
            if let Some(title) = element(&content, "title").filter(|title| !title.is_empty()) {
                media.name = title;
            }
            return Ok(Body::File(media));
        }
        let part = |name| element(&content, name).unwrap_or_default();
        if content.is_empty() {
            return Err(ret::PARAMETER);
        }
        Ok(Body::Link { title: part("title"), description: part("des"), url: part("url") })
    })
}

/// The common part of all sends: checks the receiver and the send limit, and answers a repeated send with the first
/// id.
fn send(
    hub: &Hub,
    request: &ServiceRequest,
    body: impl FnOnce(&State, &Value) -> Result<Body, i32>,
) -> Response {
    let message = &request.body["Msg"];
    in_session(hub, request, |state| {
        let to = receiver(state, &text_of(&message["ToUserName"]))?;
        let key = send_key(message, to);
        if let Some(id) = state.world.session().and_then(|session| session.sends.known(&key)) {
            return Ok(sent_answer(id, message));
        }
        let body = body(state, message)?;
        within_limit(state, hub)?;
        let id = record(hub, state, (to, request.client), body);
        if let Some(session) = state.world.session_mut()
            && !key.client_id.is_empty()
            && hub.options.drops_repeats
        {
            session.sends.remember(key, id);
        }
        Ok(sent_answer(id, message))
    })
}

fn receiver(state: &State, name: &str) -> Result<Peer, i32> {
    let session = state.world.session().ok_or(ret::NO_SESSION)?;
    let peer = session.peer(name).ok_or(ret::PARAMETER)?;
    let takes = match peer {
        Peer::Person(person) => state.world.person(person).takes_messages(),
        Peer::Group(group) => state.world.group(group).has(crate::world::people::PersonId::ME),
    };
    if takes { Ok(peer) } else { Err(ret::NO_FRIEND) }
}

fn send_key(message: &Value, to: Peer) -> SendKey {
    let ids = [text_of(&message["ClientMsgId"]), text_of(&message["LocalID"])];
    let client_id = ids.into_iter().find(|id| !id.is_empty()).unwrap_or_default();
    let content =
        [&message["Type"], &message["Content"], &message["MediaId"], &message["EMoticonMd5"]];
    SendKey { client_id, to, content: content.map(text_of).join("\u{0}") }
}

fn within_limit(state: &mut State, hub: &Hub) -> Result<(), i32> {
    let Some((most, window)) = hub.options.send_limit else { return Ok(()) };
    let times = &mut state.send_times;
    while times.front().is_some_and(|time| time.elapsed() >= window) {
        times.pop_front();
    }
    if times.len() >= most {
        return Err(ret::TOO_OFTEN);
    }
    times.push_back(Instant::now());
    Ok(())
}

fn record(
    hub: &Hub,
    state: &mut State,
    (to, client): (Peer, Option<SocketAddr>),
    body: Body,
) -> u64 {
    let message = state.world.record_sent(to, body, hub.options.echo);
    let to_name = state.world.chat_name(to);
    let sent = Sent {
        id: message.id.to_string(),
        to: state.world.session().map(|session| session.name(to).to_owned()).unwrap_or_default(),
        to_name,
        kind: message.body.kind().to_owned(),
        text: message.body.text().to_owned(),
        time: seconds(message.time),
        recalled: false,
        client,
    };
    state.sent.push(sent.clone());
    hub.publish(SandboxEvent::Sent(sent));
    message.id
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
pub(crate) fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

fn sent_answer(id: u64, message: &Value) -> SentAnswer {
    SentAnswer {
        msg_id: id.to_string(),
        local_id: text_of(&message["LocalID"]),
        ..SentAnswer::default()
    }
}

/// Finds the media of a `MediaId`: an upload, or received media that the client forwards.
fn uploaded(state: &State, id: &str) -> Result<Media, i32> {
    let received = || {
        state.world.messages().rev().find_map(|it| it.body.media().filter(|media| media.id == id))
    };
    state.world.uploads.get(id).or_else(received).cloned().ok_or(ret::PARAMETER)
}

/// Finds the picture or video of a send: an upload, or the media of the message whose XML the client forwards.
fn media(state: &State, message: &Value) -> Result<Media, i32> {
    let id = text_of(&message["MediaId"]);
    if !id.is_empty() {
        return uploaded(state, &id);
    }
    let xml = text_of(&message["Content"]);
    attribute(&xml, "md5").and_then(|md5| by_digest(state, &md5)).ok_or(ret::PARAMETER)
}

/// Finds sent or uploaded media by the digest of its bytes.
fn by_digest(state: &State, md5: &str) -> Option<Media> {
    let is = |media: &&Media| crate::world::draw::md5_hex(&media.bytes).eq_ignore_ascii_case(md5);
    let said = || state.world.messages().rev().find_map(|it| it.body.media().filter(is));
    state.world.uploads.values().find(is).or_else(said).cloned()
}

/// The text of the first element of that name. Some clients do not escape file names, so an XML parser would fail
/// here.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(unescape(text))
}

fn unescape(text: &str) -> String {
    let plain = text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>"));
    if let Some(plain) = plain {
        return plain.to_owned();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

fn location(xml: &str) -> Body {
    let degrees = |name| attribute(xml, name).and_then(|value| value.parse().ok()).unwrap_or(0.0);
    Body::Location {
        label: attribute(xml, "label").unwrap_or_default(),
        latitude: degrees("x"),
        longitude: degrees("y"),
    }
}

/// The value of the first attribute of that name; spaces around its `=` are allowed.
fn attribute(xml: &str, name: &str) -> Option<String> {
    xml.match_indices(name).find_map(|(at, _)| {
        if !xml[..at].ends_with([' ', '\n', '\t']) {
            return None;
        }
        let rest = xml[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest[1..].split_once(quote).map(|(value, _)| unescape(value))
    })
}

/// `POST webwxrevokemsg`: recalls a message of the account.
pub(super) async fn revoke(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| {
        let id = request.text("SvrMsgId").parse().map_err(|_| ret::PARAMETER)?;
        let mine = |it: &crate::world::message::Message| {
            it.from == Some(crate::world::people::PersonId::ME)
        };
        let message = state.world.message(id).filter(|it| mine(it)).ok_or(ret::PARAMETER)?;
        if state.world.now().saturating_sub(message.time) > RECALL_WINDOW_MS {
            return Err(ret::PARAMETER);
        }
        state.world.mark_recalled(id);
        let id = id.to_string();
        if let Some(sent) = state.sent.find_mut(|sent| sent.id == id) {
            sent.recalled = true;
        }
        Ok(Plain::default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_in_the_xml_of_clients() {
        let xml = "<appmsg appid=''><title>a &amp; b.txt</title><des></des><url><![CDATA[http://x/?a&b]]></url></appmsg>";
        assert_eq!(element(xml, "title").as_deref(), Some("a & b.txt"));
        assert_eq!(element(xml, "des").as_deref(), Some(""));
        assert_eq!(element(xml, "url").as_deref(), Some("http://x/?a&b"));
        assert_eq!(element(xml, "attachid"), None);
        assert_eq!(element("<title>a & b</title>", "title").as_deref(), Some("a & b"));
    }

    #[test]
    fn attributes_are_found_in_the_xml_of_clients() {
        let xml = "<img aeskey=\"1\" md5 = 'a&amp;b' cdnmd5=\"no\"/>";
        assert_eq!(attribute(xml, "md5").as_deref(), Some("a&b"));
        assert_eq!(attribute("<img cdnmd5=\"no\"/>", "md5"), None);
        assert_eq!(attribute("<img md5/>", "md5"), None);
        assert_eq!(attribute("<img md5=\"no", "md5"), None);
    }
}
