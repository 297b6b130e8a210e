//! `synccheck` and `webwxsync`: sections 6.5 and 6.6 of the protocol reference.

use std::time::Duration;

use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use serde_json::Value;

use crate::accounts::Shared;
use crate::{
    answer::{in_session, ret, script},
    cookies::session_cookies,
    hub::State,
    request::ServiceRequest,
    wire::{
        SyncKey,
        answers::{Buff, DelContact, Profile, Synced},
        contact::Writer,
        text::to_wire,
    },
    world::{Entry, Keys, Session, World, message::Body, new_ticket, people::PersonId},
};

/// The delay before a held poll reports the end of the session, so that the answer of the logout arrives first.
const LOGOUT_FIRST: Duration = Duration::from_millis(300);

/// `GET synccheck`: held until the log has entries after the client's key, or the session ends.
pub(super) async fn check(hub: Shared, request: ServiceRequest) -> Response {
    let keys = request.query("synckey").map(parse_keys).unwrap_or_default();
    let answered = |retcode: i32, selector: i32| {
        script(format!("window.synccheck={{retcode:\"{retcode}\",selector:\"{selector}\"}}"))
    };
    if let Err(code) = hub.read(|state| state.check(&request)) {
        let nothing_given = request.credentials().next().is_none();
        return answered(if nothing_given { ret::COOKIE } else { code }, 0);
    }
    let news = hub.wait_for(hub.options.hold, |state| news(state, &request, &keys)).await;
    match news {
        Some(Ok(selector)) => answered(0, selector),
        Some(Err(code)) => {
            tokio::time::sleep(LOGOUT_FIRST).await;
            answered(code, 0)
        }
        None => answered(0, 0),
    }
}

fn news(state: &State, request: &ServiceRequest, keys: &Keys) -> Option<Result<i32, i32>> {
    if let Err(code) = state.check(request) {
        return Some(Err(code));
    }
    let log = &state.world.session()?.log;
    let position = if keys.is_empty() { log.handed_out() } else { log.position(keys) };
    log.next(position).map(|entry| Ok(selector(entry)))
}

fn selector(entry: &Entry) -> i32 {
    match entry {
        Entry::Message(message) if matches!(message.body, Body::Phone { code: 2 | 5, .. }) => 7,
        Entry::Message(_) => 2,
        Entry::Contact(_) | Entry::Profile => 4,
        Entry::Gone(_) => 6,
    }
}

/// `Key_Val` pairs, joined by `|`.
fn parse_keys(text: &str) -> Keys {
    let pair = |part: &str| {
        let (key, value) = part.split_once('_')?;
        Some((key.trim().parse().ok()?, value.trim().parse().ok()?))
    };
    text.split('|').filter_map(pair).collect()
}

/// `POST webwxsync`: the log entries after the client's key, and the key after them.
pub(super) async fn sync(hub: Shared, request: ServiceRequest) -> Response {
    let batch = hub.options.sync_batch;
    let keys = body_keys(&request.body["SyncKey"]);
    let mut cookies = Vec::new();
    let mut response = in_session(&hub, &request, |state| {
        let now = state.world.seconds();
        let session = state.world.session_mut().ok_or(ret::NO_SESSION)?;
        let position = session.log.position(&keys);
        let (entries, next) = session.log.read(position, batch);
        renew_ticket(&mut state.world, now);
        cookies = session_cookies(&state.world, &request.host, None);
        let session = state.world.session().ok_or(ret::NO_SESSION)?;
        Ok(synced(&state.world, session, &entries, next))
    });
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The sync keys in a body; their numbers may be strings.
fn body_keys(value: &Value) -> Keys {
    let number = |value: &Value| crate::request::text_of(value).parse().ok();
    let parts = value["List"].as_array().map_or(&[][..], Vec::as_slice);
    parts.iter().filter_map(|part| Some((number(&part["Key"])?, number(&part["Val"])?))).collect()
}

/// Issues a new data ticket now and then, as the service does. Older tickets stay valid: some clients keep the first.
fn renew_ticket(world: &mut World, now: u64) {
    const EVERY: u64 = 600;
    let ticket = new_ticket(&mut world.draw);
    if let Some(session) = world.session_mut()
        && now.saturating_sub(session.since) / EVERY >= session.tickets.len() as u64
    {
        session.tickets.push(ticket);
    }
}

pub(super) fn synced(world: &World, session: &Session, entries: &[Entry], next: u64) -> Synced {
    let writer = Writer { world, session };
    let mut answer = Synced::default();
    for entry in entries {
        match entry {
            Entry::Message(message) => answer.add_msg_list.push(writer.delivered(message)),
            Entry::Contact(peer) => answer.mod_contact_list.push(writer.changed(*peer)),
            Entry::Gone(peer) => {
                answer
                    .del_contact_list
                    .push(DelContact { user_name: writer.name(*peer), contact_flag: 0 });
            }
            Entry::Profile => answer.profile = profile(&writer),
        }
    }
    answer.add_msg_count = answer.add_msg_list.len();
    answer.mod_contact_count = answer.mod_contact_list.len();
    answer.del_contact_count = answer.del_contact_list.len();
    answer.continue_flag = i32::from(next < session.log.end());
    let keys = session.log.keys(next, world.seconds());
    answer.sync_key = SyncKey::from(keys.clone());
    answer.sync_check_key = SyncKey::from(keys);
    answer
}

fn profile(writer: &Writer<'_>) -> Profile {
    let me = writer.world.me();
    Profile {
        bit_flag: 190,
        user_name: Buff { buff: writer.session.person_name(PersonId::ME).to_owned() },
        nick_name: Buff { buff: to_wire(&me.name) },
        sex: me.sex,
        head_img_update_flag: 1,
        signature: to_wire(&me.signature),
        ..Profile::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_read_from_queries_and_bodies() {
        let keys = vec![(1, 651_991_553), (1000, 1_513_904_762)];
        assert_eq!(parse_keys("1_651991553|1000_1513904762"), keys);
        assert_eq!(parse_keys("x|1_|_2|1_651991553|1000_1513904762|"), keys);
        let list = json!({ "Count": 2, "List": [{ "Key": 1, "Val": 651_991_553 }, { "Key": "1000", "Val": "1513904762" }] });
        assert_eq!(body_keys(&list), keys);
        for nothing in [json!(null), json!({}), json!({ "List": null }), json!([1])] {
            assert!(body_keys(&nothing).is_empty());
        }
    }
}
