//! Contacts, remarks, pins and friend requests: sections 6.3, 6.4, 6.9 and 10.

use axum::response::Response;
use serde_json::Value;

use crate::accounts::Shared;
use crate::{
    answer::{in_session, ret},
    hub::State,
    request::{ServiceRequest, number_of, text_of},
    wire::{
        answers::{BatchContacts, Contacts, Found, FoundContact, Plain},
        contact::{Contact, Members, Writer},
    },
    world::{
        World,
        message::Body,
        people::{Peer, PersonId, Relation},
    },
};

/// `GET webwxgetcontact`: one page of the address book; `Seq` is 0 on the last page.
pub(super) async fn get(hub: Shared, request: ServiceRequest) -> Response {
    let start = request.query("seq").and_then(|seq| seq.parse().ok()).unwrap_or(0);
    in_session(&hub, &request, |state| {
        let world = &state.world;
        let session = world.session().ok_or(ret::NO_SESSION)?;
        let writer = Writer { world, session };
        let all = address_book(world);
        let end = all.len().min(world.page.saturating_add(start));
        let page = all.get(start..end).unwrap_or(&[]);
        let member_list: Vec<_> =
            page.iter().map(|peer| writer.contact(*peer, Members::None)).collect();
        let seq = if end < all.len() { end } else { 0 };
        Ok(Contacts { member_count: member_list.len(), member_list, seq, ..Contacts::default() })
    })
}

/// The account itself, friends, followed and special accounts, and only the saved groups.
fn address_book(world: &World) -> Vec<Peer> {
    let people = world.person_ids().filter(|id| world.person(*id).is_contact()).map(Peer::Person);
    let saved = |id: &crate::world::people::GroupId| {
        world.group(*id).saved && world.group(*id).has(PersonId::ME)
    };
    people.chain(world.group_ids().filter(saved).map(Peer::Group)).collect()
}

/// `POST webwxbatchgetcontact`: entry i of the answer is entry i of the request, also for unknown names. Clients request
/// for at most 50, but wechat4u asks for all saved groups at once.
pub(super) async fn batch(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| {
        let world = &state.world;
        let session = world.session().ok_or(ret::NO_SESSION)?;
        let list = request.body["List"].as_array().ok_or(ret::PARAMETER)?;
        let writer = Writer { world, session };
        let contact_list: Vec<_> = list.iter().map(|item| wanted(&writer, item)).collect();
        Ok(BatchContacts { count: contact_list.len(), contact_list, ..BatchContacts::default() })
    })
}

fn wanted(writer: &Writer<'_>, item: &Value) -> Contact {
    let name = text_of(&item["UserName"]);
    match writer.session.peer(&name) {
        Some(peer) => writer.contact(peer, Members::All),
        None => Writer::unknown(name),
    }
}

/// `POST webwxsearchcontact`: finds people by nickname or WeChat id.
pub(super) async fn search(hub: Shared, request: ServiceRequest) -> Response {
    let word = request.text("KeyWord");
    in_session(&hub, &request, |state| {
        let session = state.world.session().ok_or(ret::NO_SESSION)?;
        let found = state.world.find_person(&word, None);
        let list: Vec<_> = found
            .map(|person| FoundContact { encry_user_name: session.person_name(person).to_owned() })
            .into_iter()
            .collect();
        Ok(Found { count: list.len(), list, ..Found::default() })
    })
}

/// `POST webwxoplog`: 2 sets the remark, 3 pins a chat. Both set the remark to the given text, also to an empty one.
pub(super) async fn operate(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| {
        let peer = named(state, &request.text("UserName"))?;
        let pin = match number_of(&request.body["CmdId"]) {
            Some(2) => None,
            Some(3) => Some(text_of(&request.body["OP"]) == "1"),
            _ => return Err(ret::PARAMETER),
        };
        match peer {
            Peer::Person(id) => {
                let person = &mut state.world.people[id.index()];
                person.remark = request.text("RemarkName");
                person.pinned = pin.unwrap_or(person.pinned);
            }
            Peer::Group(id) => {
                let group = &mut state.world.groups[id.index()];
                group.pinned = pin.unwrap_or(group.pinned);
            }
        }
        state.world.log_change(peer);
        Ok(Plain::default())
    })
}

fn named(state: &State, name: &str) -> Result<Peer, i32> {
    state.world.session().and_then(|session| session.peer(name)).ok_or(ret::PARAMETER)
}

/// `POST webwxverifyuser`: 2 sends a friend request, which people of the sandbox accept at once; 3 accepts a request.
pub(super) async fn verify(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| {
        let users = request.body["VerifyUserList"].as_array().ok_or(ret::PARAMETER)?;
        let opcode = number_of(&request.body["Opcode"]);
        for user in users {
            let Peer::Person(person) = named(state, &text_of(&user["Value"]))? else {
                return Err(ret::PARAMETER);
            };
            match opcode {
                Some(1 | 2) => become_friend(&mut state.world, person),
                Some(3) => state.world.accept_friend(person),
                _ => {}
            }
        }
        Ok(Plain::default())
    })
}

fn become_friend(world: &mut World, person: PersonId) {
    if world.person(person).relation != Relation::Stranger {
        return;
    }
    world.people[person.index()].relation = Relation::Friend;
    world.log_change(Peer::Person(person));
    let text = world.language.accepted().to_owned();
    world.post(Peer::Person(person), Some(person), Body::Text(text));
}
