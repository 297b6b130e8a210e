//! Creating and changing groups: section 10 of the protocol reference.

use axum::response::Response;
use serde_json::Value;

use super::session::INVITE_START;
use crate::accounts::Shared;
use crate::{
    answer::{in_session, ret},
    hub::State,
    request::{ServiceRequest, text_of},
    wire::{
        answers::{Created, Updated},
        contact::{Members, Writer},
        text::to_wire,
    },
    world::{
        Entry, World,
        people::{GroupId, Peer, PersonId, Relation},
    },
};

/// `POST webwxcreatechatroom`: creates a group of the account and at least two friends.
pub(super) async fn create(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| {
        let list = request.body["MemberList"].as_array().ok_or(ret::PARAMETER)?;
        // Some clients list the account itself, which is a member anyway, or send bare names.
        let names =
            list.iter().map(|it| text_of(if it.is_string() { it } else { &it["UserName"] }));
        let me = |name: &String| matches!(peer(state, name), Ok(Peer::Person(PersonId::ME)));
        let people = names
            .filter(|name| !me(name))
            .map(|name| friend(state, &name))
            .collect::<Result<Vec<_>, _>>()?;
        if people.len() < 2 {
            return Err(ret::PARAMETER);
        }
        let topic = request.text("Topic");
        let group = state.world.add_group(&topic);
        people.iter().for_each(|person| _ = state.world.groups[group.index()].add(*person));
        state.world.log_change(Peer::Group(group));
        let session = state.world.session().ok_or(ret::NO_SESSION)?;
        let writer = Writer { world: &state.world, session };
        let member_list = writer.members(state.world.group(group), Members::All);
        Ok(Created {
            topic: to_wire(&topic),
            member_count: member_list.len(),
            member_list,
            chat_room_name: writer.name(Peer::Group(group)),
            ..Created::default()
        })
    })
}

fn friend(state: &State, name: &str) -> Result<PersonId, i32> {
    match peer(state, name)? {
        Peer::Person(person) if state.world.person(person).relation == Relation::Friend => {
            Ok(person)
        }
        Peer::Person(_) => Err(ret::NO_FRIEND),
        Peer::Group(_) => Err(ret::PARAMETER),
    }
}

fn peer(state: &State, name: &str) -> Result<Peer, i32> {
    state.world.session().and_then(|session| session.peer(name)).ok_or(ret::PARAMETER)
}

/// `POST webwxupdatechatroom`: the query parameter `fun` names the operation.
pub(super) async fn update(hub: Shared, request: ServiceRequest) -> Response {
    in_session(&hub, &request, |state| {
        let Peer::Group(group) = peer(state, &request.text("ChatRoomName"))? else {
            return Err(ret::PARAMETER);
        };
        if !state.world.group(group).has(PersonId::ME) {
            return Err(ret::PARAMETER);
        }
        match request.query("fun") {
            Some("addmember") => add(state, group, &request.text("AddMemberList"))?,
            Some("invitemember") => invite(state, group, &request.text("InviteMemberList"))?,
            Some("delmember") => remove(state, group, &request.text("DelMemberList"))?,
            Some("modtopic") => {
                state.world.set_topic(group, PersonId::ME, &topic(&request.body["NewTopic"])?);
            }
            Some("quitchatroom") => {
                state.world.groups[group.index()].remove(PersonId::ME);
                state.world.log_entry(Entry::Gone(Peer::Group(group)));
            }
            _ => return Err(ret::PARAMETER),
        }
        Ok(updated(&state.world, group))
    })
}

fn topic(value: &Value) -> Result<String, i32> {
    Some(text_of(value)).filter(|topic| !topic.is_empty()).ok_or(ret::PARAMETER)
}

fn friends(state: &State, names: &str) -> Result<Vec<PersonId>, i32> {
    names.split(',').map(|name| friend(state, name.trim())).collect()
}

/// Whether a group is so large that people enter it by invitation.
fn is_large(state: &State, group: GroupId) -> bool {
    let most = usize::try_from(INVITE_START).unwrap_or_default();
    state.world.group(group).members.len() >= most
}

/// To a large group, friends get an invitation card; they join with the act `join`. In a small one they accept at once.
fn invite(state: &mut State, group: GroupId, names: &str) -> Result<(), i32> {
    if !is_large(state, group) {
        return add(state, group, names);
    }
    let people = friends(state, names)?;
    people.into_iter().for_each(|person| state.world.send_invitation(group, person));
    Ok(())
}

/// Friends join at once; a large group is entered by invitation only.
fn add(state: &mut State, group: GroupId, names: &str) -> Result<(), i32> {
    let people = friends(state, names)?;
    if is_large(state, group) {
        return Err(ret::PARAMETER);
    }
    for person in people {
        if state.world.groups[group.index()].add(person) {
            state.world.say_invited(group, person);
        }
    }
    state.world.log_change(Peer::Group(group));
    Ok(())
}

/// Only the owner may remove members.
fn remove(state: &mut State, group: GroupId, names: &str) -> Result<(), i32> {
    if state.world.group(group).owner != PersonId::ME {
        return Err(ret::PARAMETER);
    }
    for name in names.split(',') {
        let Peer::Person(person) = peer(state, name.trim())? else { return Err(ret::PARAMETER) };
        if state.world.groups[group.index()].has(person) && person != PersonId::ME {
            state.world.remove_by_me(group, person);
        }
    }
    Ok(())
}

fn updated(world: &World, group: GroupId) -> Updated {
    let Some(session) = world.session() else { return Updated::default() };
    let member_list = Writer { world, session }.members(world.group(group), Members::All);
    Updated { member_count: member_list.len(), member_list, ..Updated::default() }
}
