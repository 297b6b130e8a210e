//! `webwxinit`, `webwxstatusnotify`, `webwxlogout` and reports: sections 6.1, 6.2, 6.7 to 6.9.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use crate::accounts::Shared;
use crate::{
    answer::{in_session, json, ret},
    hub::State,
    request::{ServiceRequest, number_of},
    wire::{
        answers::{Article, Init, Notified, Plain, Subscribed, User},
        contact::{Members, Writer},
        text::to_wire,
    },
    world::{
        World,
        message::Body,
        people::{Peer, PersonId, Relation},
    },
};

/// The number of conversations in the answer of `webwxinit`.
const RECENT: usize = 10;

/// Groups of this size and larger need an invitation to join.
pub(super) const INVITE_START: i32 = 40;

pub(super) async fn init(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| init_answer(&mut state.world).ok_or(ret::NO_SESSION))
}

fn init_answer(world: &mut World) -> Option<Init> {
    let now = world.seconds();
    let chats = conversations(world);
    let world = &*world;
    let session = world.session()?;
    // The first call starts at the beginning, later calls at the end of the log: like with the real service, a client
    // that continues with this key instead of its own misses the messages between.
    let position =
        if session.log.handed_out() == 0 { session.log.position(&[]) } else { session.log.end() };
    let writer = Writer { world, session };
    let contact_list: Vec<_> =
        chats.iter().take(RECENT).map(|chat| writer.contact(*chat, Members::Nameless)).collect();
    let names: Vec<_> = chats.iter().take(10 * RECENT).map(|chat| writer.name(*chat)).collect();
    let subscribe_list = articles(&writer);
    Some(Init {
        count: contact_list.len(),
        contact_list,
        sync_key: session.log.keys(position, now).into(),
        user: user(&writer),
        chat_set: names.join(",") + ",",
        skey: session.skey.clone(),
        client_version: 369_492_002,
        system_time: now,
        gray_scale: 1,
        invite_start_count: INVITE_START,
        subscribe_count: subscribe_list.len(),
        subscribe_list,
        click_report_interval: 600_000,
        ..Init::default()
    })
}

/// The conversation list of the phone: the file helper, all groups, some friends and followed accounts.
fn conversations(world: &World) -> Vec<Peer> {
    let is = |relation: Relation| move |id: &PersonId| world.person(*id).relation == relation;
    let file_helper = world.person_ids().find(|id| world.person(*id).real_id == "filehelper");
    let groups = world.group_ids().filter(|id| world.group(*id).has(PersonId::ME)).map(Peer::Group);
    let friends = world.person_ids().filter(is(Relation::Friend)).take(RECENT);
    let officials = world.person_ids().filter(is(Relation::Official)).take(2);
    file_helper
        .into_iter()
        .map(Peer::Person)
        .chain(groups)
        .chain(friends.chain(officials).map(Peer::Person))
        .collect()
}

fn user(writer: &Writer<'_>) -> User {
    let me = writer.world.me();
    User {
        uin: me.uin,
        user_name: writer.name(Peer::Person(PersonId::ME)),
        nick_name: to_wire(&me.name),
        head_img_url: writer.icon(Peer::Person(PersonId::ME)),
        sex: me.sex,
        signature: to_wire(&me.signature),
        head_img_flag: 1,
        sns_flag: 17,
        ..User::default()
    }
}

fn articles(writer: &Writer<'_>) -> Vec<Subscribed> {
    let world = writer.world;
    let officials =
        world.person_ids().filter(|id| world.person(*id).relation == Relation::Official).take(2);
    officials
        .map(|id| Subscribed {
            user_name: writer.name(Peer::Person(id)),
            article_count: 1,
            article_list: vec![Article {
                title: "今天的头条".to_owned(),
                digest: "点开看看".to_owned(),
                cover: "http://example.com/cover.jpg".to_owned(),
                url: "http://example.com/article?a=1&amp;b=2".to_owned(),
            }],
            time: world.seconds(),
            nick_name: to_wire(&world.person(id).name),
        })
        .collect()
}

pub(super) async fn status_notify(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| {
        match number_of(&request.body["Code"]) {
            Some(3) => greet(state),
            Some(1) => read(state, &request),
            _ => {}
        }
        Ok(Notified { msg_id: fresh_id(&mut state.world), ..Notified::default() })
    })
}

fn fresh_id(world: &mut World) -> String {
    (3_000_000_000_000_000_000 + world.draw.below(1_000_000_000_000_000_000)).to_string()
}

/// After the first ready notification the service lists the conversations. Clients repeat the notification.
fn greet(state: &mut State) {
    let chats = conversations(&state.world);
    let Some(session) = state.world.session_mut() else { return };
    if !std::mem::replace(&mut session.greeted, true) {
        let me = Peer::Person(PersonId::ME);
        state.world.post(me, Some(PersonId::ME), Body::Phone { code: 4, chats });
    }
}

fn read(state: &mut State, request: &ServiceRequest) {
    for name in [request.text("ToUserName"), request.text("FromUserName")] {
        if let Some(peer) = state.world.session().and_then(|session| session.peer(&name)) {
            state.world.mark_read(peer);
        }
    }
}

/// Ends the session. The held long poll is answered a moment later (see `synccheck`): a client that reads the end of
/// the session there first would abort this call.
pub(super) async fn log_out(hub: Shared, request: ServiceRequest) -> Response {
    let answer = in_session(&hub, &request, |_| Ok(Plain::default()));
    if hub.read(|state| state.check(&request).is_ok()) {
        hub.end_session(ret::NO_SESSION);
    }
    answer
}

/// Accepts reports and feedback and ignores them.
pub(super) async fn report(_: Shared, _: ServiceRequest) -> Response {
    json(&Plain::default())
}

/// `GET webwxcheckurl`: redirects a browser to the given address.
pub(super) async fn check_url(_: Shared, request: ServiceRequest) -> Response {
    let target = request.query("requrl").unwrap_or("/").to_owned();
    (axum::http::StatusCode::FOUND, [(header::LOCATION, target)]).into_response()
}
