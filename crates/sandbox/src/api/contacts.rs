//! Contacts, remarks, pins and friend requests: sections 6.3, 6.4, 6.9 and 10.

use axum::response::Response;
use serde_json::Value;

use super::Shared;
use crate::{
    answer::{in_session, ret},
    ask::{Ask, number_of, text_of},
    hub::State,
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

/// `GET webwxgetcontact`: the address book, a page at a time; `Seq` is 0 on the last.
pub(super) async fn get(hub: Shared, ask: Ask) -> Response {
    let start = ask.query("seq").and_then(|seq| seq.parse().ok()).unwrap_or(0);
    in_session(&hub, &ask, |state| {
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

/// Oneself, friends, followed and special accounts, and only those groups that were saved.
fn address_book(world: &World) -> Vec<Peer> {
    let people = world.person_ids().filter(|id| world.person(*id).is_contact()).map(Peer::Person);
    let saved = |id: &crate::world::people::GroupId| {
        world.group(*id).saved && world.group(*id).has(PersonId::ME)
    };
    people.chain(world.group_ids().filter(saved).map(Peer::Group)).collect()
}

/// `POST webwxbatchgetcontact`: entry i of the answer is entry i of the request, whatever it names. Clients ask for 50
/// at the most, but wechat4u asks for all saved groups at once.
pub(super) async fn batch(hub: Shared, ask: Ask) -> Response {
    in_session(&hub, &ask, |state| {
        let world = &state.world;
        let session = world.session().ok_or(ret::NO_SESSION)?;
        let list = ask.body["List"].as_array().ok_or(ret::PARAMETER)?;
        let writer = Writer { world, session };
        let contact_list: Vec<_> = list.iter().map(|item| wanted(&writer, item)).collect();
        Ok(BatchContacts { count: contact_list.len(), contact_list, ..BatchContacts::default() })
    })
}

fn wanted(writer: &Writer<'_>, item: &Value) -> Contact {
    let name = text_of(&item["UserName"]);
    match writer.session.peer(&name) {
        Some(peer) => writer.contact(peer, Members::All),
        None => Writer::nobody(name),
    }
}

/// `POST webwxsearchcontact`: people by nickname or WeChat id.
pub(super) async fn search(hub: Shared, ask: Ask) -> Response {
    let word = ask.text("KeyWord");
    in_session(&hub, &ask, |state| {
        let session = state.world.session().ok_or(ret::NO_SESSION)?;
        let found = state.world.find_person(&word, None);
        let list: Vec<_> = found
            .map(|person| FoundContact { encry_user_name: session.person_name(person).to_owned() })
            .into_iter()
            .collect();
        Ok(Found { count: list.len(), list, ..Found::default() })
    })
}

/// `POST webwxoplog`: 2 sets the remark, 3 pins a chat. Both set the remark to what is sent, even to nothing.
pub(super) async fn operate(hub: Shared, ask: Ask) -> Response {
    in_session(&hub, &ask, |state| {
        let peer = named(state, &ask.text("UserName"))?;
        let pin = match number_of(&ask.body["CmdId"]) {
            Some(2) => None,
            Some(3) => Some(text_of(&ask.body["OP"]) == "1"),
            _ => return Err(ret::PARAMETER),
        };
        match peer {
            Peer::Person(id) => {
                let person = &mut state.world.people[id.index()];
                person.remark = ask.text("RemarkName");
                person.pinned = pin.unwrap_or(person.pinned);
            }
            Peer::Group(id) => {
                let group = &mut state.world.groups[id.index()];
                group.pinned = pin.unwrap_or(group.pinned);
            }
        }
        state.world.tell_changed(peer);
        Ok(Plain::default())
    })
}

fn named(state: &State, name: &str) -> Result<Peer, i32> {
    state.world.session().and_then(|session| session.peer(name)).ok_or(ret::PARAMETER)
}

/// `POST webwxverifyuser`: 2 asks for a friendship, which people of the sandbox grant at once; 3 accepts a request.
pub(super) async fn verify(hub: Shared, ask: Ask) -> Response {
    in_session(&hub, &ask, |state| {
        let users = ask.body["VerifyUserList"].as_array().ok_or(ret::PARAMETER)?;
        let opcode = number_of(&ask.body["Opcode"]);
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
    world.tell_changed(Peer::Person(person));
    let text = world.language.accepted().to_owned();
    world.post(Peer::Person(person), Some(person), Body::Text(text));
}
