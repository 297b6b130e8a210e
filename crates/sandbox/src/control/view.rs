//! Views of the state: the whole state for the page, sent messages, calls, media.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, Query, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Shared, refused, reply};
use crate::{
    accounts::Accounts,
    answer::{bytes, not_found},
    api::{picture_of, seconds},
    hub::State,
    login::Stage,
    world::{
        World,
        message::{Body, Message},
        people::{GroupId, Peer, PersonId, Relation},
    },
};

pub(super) async fn sent(hub: Shared) -> Response {
    let (messages, dropped) = hub.sent();
    reply(&json!({ "messages": messages, "dropped": dropped }))
}

/// All accounts of the sandbox. The account of a sandbox with one has an empty name.
pub(super) async fn accounts(Extension(accounts): Extension<Arc<Accounts>>) -> Response {
    let list: Vec<_> = accounts
        .list()
        .iter()
        .map(|it| json!({ "name": it.name(), "url": it.url(), "online": it.is_online() }))
        .collect();
    reply(&json!({ "accounts": list }))
}

pub(super) async fn calls(hub: Shared) -> Response {
    let (calls, dropped) = hub.calls();
    reply(&json!({ "calls": calls, "dropped": dropped }))
}

/// Selects the messages of an answer.
#[derive(Deserialize)]
pub(super) struct MessageQuery {
    /// The id of a chat; absent for all chats.
    chat: Option<String>,
    /// The maximum number of messages, the latest first.
    limit: Option<usize>,
    /// Only messages before this id.
    before: Option<u64>,
}

const MESSAGES: usize = 500;

/// Chats, people and the latest messages: the answer of `GET /sandbox/state`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateView {
    /// The account of the bot.
    pub me: PersonView,
    /// True if a client is logged in.
    pub online: bool,
    /// The newest login code, if there was one.
    pub login: Option<LoginView>,
    /// Seconds since 1970 by the clock of the world.
    pub time: f64,
    /// All groups, all friends, and every other person with a message.
    pub chats: Vec<ChatView>,
    /// All people but the account itself.
    pub people: Vec<PersonView>,
    /// The oldest first.
    pub messages: Vec<MessageView>,
}

/// The newest login code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoginView {
    /// `waiting`, `scanned`, `confirmed`, `used`, `cancelled` or `expired`.
    pub state: &'static str,
    /// The code.
    pub uuid: String,
    /// The text encoded in the QR code.
    pub link: String,
    /// The address of the QR code's picture.
    pub picture: String,
}

/// A group, a friend, or another person with a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `group` or `private`.
    pub kind: &'static str,
    /// Its members; none for a private chat.
    pub members: Vec<MemberView>,
    /// Messages of other people since the bot last read the chat or answered.
    pub unread: u32,
    /// The time of the last message; 0 if there is none.
    pub last: f64,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberView {
    /// The id of the person.
    pub id: String,
    /// The name that members of the group see.
    pub name: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonView {
    /// The id.
    pub id: String,
    /// The nickname.
    pub name: String,
    /// The remark of the account; empty if there is none.
    pub remark: String,
    /// `me`, `friend`, `stranger`, `official` or `special`.
    pub relation: &'static str,
}

/// A message or another entry of a chat.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageView {
    /// Its id: a number that rises with time.
    pub id: String,
    /// The id of the chat.
    pub chat: String,
    /// Empty for a system line.
    pub from: String,
    /// The name of the sender; empty for a system line.
    pub from_name: String,
    /// True if the account of the bot sent it.
    pub mine: bool,
    /// As in [`Sent::kind`](crate::Sent::kind), or `system`.
    pub kind: &'static str,
    /// As in [`Sent::text`](crate::Sent::text).
    pub text: String,
    /// Seconds since 1970.
    pub time: f64,
    /// True if it was recalled.
    pub recalled: bool,
    /// The address of its picture, voice or file.
    pub media: Option<String>,
    /// The target of a link or location.
    pub url: Option<String>,
}

pub(super) async fn state(
    hub: Shared,
    query: Result<Query<MessageQuery>, QueryRejection>,
) -> Response {
    match query {
        Ok(Query(query)) => reply(&hub.read(|state| view(state, &query))),
        Err(error) => refused(StatusCode::BAD_REQUEST, &error.body_text()),
    }
}

/// The state, for the library.
pub(crate) fn state_of(
    state: &State,
    chat: Option<&str>,
    before: Option<u64>,
    limit: usize,
) -> StateView {
    view(state, &MessageQuery { chat: chat.map(str::to_owned), limit: Some(limit), before })
}

fn view(state: &State, query: &MessageQuery) -> StateView {
    let world = &state.world;
    let login = state.logins.newest().map(|login| LoginView {
        state: stage_name(login.stage),
        link: format!("https://login.weixin.qq.com/l/{}", login.uuid),
        picture: format!("/qrcode/{}", login.uuid),
        uuid: login.uuid.clone(),
    });
    StateView {
        me: person(world, PersonId::ME),
        online: world.session().is_some(),
        login,
        time: seconds(world.now()),
        chats: chats(world),
        people: world.person_ids().skip(1).map(|id| person(world, id)).collect(),
        messages: messages(world, query),
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Waiting => "waiting",
        Stage::Scanned => "scanned",
        Stage::Confirmed => "confirmed",
        Stage::Used => "used",
        Stage::Cancelled => "cancelled",
        Stage::Expired => "expired",
    }
}

/// All groups, all friends, and every other person with a message.
fn chats(world: &World) -> Vec<ChatView> {
    let mut last = std::collections::HashMap::new();
    for message in world.messages() {
        last.insert(message.chat, message.time);
    }
    let groups = world.group_ids().map(Peer::Group);
    let people = world.person_ids().map(|id| (id, Peer::Person(id)));
    let people = people.filter(|(id, peer)| {
        world.person(*id).relation == Relation::Friend || last.contains_key(peer)
    });
    groups
        .chain(people.map(|(_, peer)| peer))
        .map(|peer| chat(world, peer, last.get(&peer)))
        .collect()
}

fn chat(world: &World, peer: Peer, last: Option<&u64>) -> ChatView {
    let (kind, members) = match peer {
        Peer::Group(group) => ("group", members(world, group)),
        Peer::Person(_) => ("private", Vec::new()),
    };
    ChatView {
        id: peer.id(),
        name: world.chat_name(peer),
        kind,
        members,
        unread: world.unread(peer),
        last: last.map_or(0.0, |time| seconds(*time)),
    }
}

fn members(world: &World, group: GroupId) -> Vec<MemberView> {
    let members = world.group(group).members.iter();
    members
        .map(|member| MemberView {
            id: Peer::Person(member.person).id(),
            name: world.name_in(group, member.person).to_owned(),
        })
        .collect()
}

fn person(world: &World, id: PersonId) -> PersonView {
    let person = world.person(id);
    let relation = match person.relation {
        Relation::Me => "me",
        Relation::Friend => "friend",
        Relation::Stranger => "stranger",
        Relation::Official => "official",
        Relation::Special => "special",
    };
    PersonView {
        id: Peer::Person(id).id(),
        name: person.name.clone(),
        remark: person.remark.clone(),
        relation,
    }
}

fn messages(world: &World, query: &MessageQuery) -> Vec<MessageView> {
    let fits = |message: &Message| {
        query.chat.as_ref().is_none_or(|chat| *chat == message.chat.id())
            && query.before.is_none_or(|before| message.id < before)
    };
    let limit = query.limit.unwrap_or(MESSAGES);
    let mut latest: Vec<_> = world
        .messages()
        .rev()
        .filter(|it| fits(it))
        .take(limit)
        .map(|it| message(world, it))
        .collect();
    latest.reverse();
    latest
}

fn message(world: &World, message: &Message) -> MessageView {
    let from =
        message.from.map(|from| (Peer::Person(from).id(), name_of(world, message.chat, from)));
    let (from, from_name) = from.unwrap_or_default();
    MessageView {
        id: message.id.to_string(),
        chat: message.chat.id(),
        mine: message.from == Some(PersonId::ME),
        from,
        from_name,
        kind: message.body.kind(),
        text: message.body.text().to_owned(),
        time: seconds(message.time),
        recalled: world.is_recalled(message.id),
        media: message.body.media().map(|_| format!("/sandbox/media/{}", message.id)),
        url: match &message.body {
            Body::Link { url, .. } => Some(url.clone()),
            _ => None,
        },
    }
}

fn name_of(world: &World, chat: Peer, person: PersonId) -> String {
    match chat {
        Peer::Group(group) => world.name_in(group, person).to_owned(),
        Peer::Person(_) => world.person(person).name.clone(),
    }
}

/// One message, in the form of `GET /sandbox/state`.
pub(crate) fn message_of(state: &State, id: u64) -> Option<MessageView> {
    Some(message(&state.world, state.world.message(id)?))
}

/// Finds a chat by id or name. Returns the id, the name, and true for a group.
pub(crate) fn chat_of(state: &State, id_or_name: &str) -> Option<(String, String, bool)> {
    let world = &state.world;
    let people = world.person_ids().map(Peer::Person);
    let peers = world.group_ids().map(Peer::Group).chain(people);
    let named = |peer: Peer| (peer.id(), world.chat_name(peer), matches!(peer, Peer::Group(_)));
    peers.map(named).find(|(id, name, _)| id == id_or_name || name == id_or_name)
}

pub(super) async fn media(hub: Shared, Path(id): Path<String>) -> Response {
    let media = hub.read(|state| {
        let message = state.world.message(id.parse().ok()?)?;
        message.body.media().cloned()
    });
    match media {
        // Only pictures and sounds are shown inline; a page that a person sent as a file must not run here.
        Some(media) if media.mime.starts_with("text/") => {
            bytes("application/octet-stream", media.bytes)
        }
        Some(media) => bytes(media.mime, media.bytes),
        None => not_found(),
    }
}

pub(super) async fn picture(hub: Shared, Path(id): Path<String>) -> Response {
    let known = hub.read(|state| {
        let people = state.world.person_ids().map(Peer::Person);
        people.chain(state.world.group_ids().map(Peer::Group)).find(|peer| peer.id() == id)
    });
    known.map_or_else(not_found, |peer| bytes("image/png", picture_of(peer)))
}
