//! Performs actions: finds the person and the chat, and creates the message.

use super::{SandboxAction, SandboxActionError, SandboxActionKind};
use crate::world::{
    World,
    lines::Who,
    message::{Body, Message},
    people::{GroupId, Peer, PersonId, Relation},
};

/// The chat and the person of an action.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) from: PersonId,
    pub(super) group: Option<GroupId>,
}

impl Scene {
    pub(super) fn group(self) -> Result<GroupId, SandboxActionError> {
        self.group.ok_or(SandboxActionError::NoGroup)
    }

    pub(super) fn chat(self) -> Peer {
        self.group.map_or(Peer::Person(self.from), Peer::Group)
    }
}

impl World {
    /// Performs an action. Returns the id of the resulting message, if there is one.
    pub(crate) fn act(&mut self, act: SandboxAction) -> Result<Option<u64>, SandboxActionError> {
        let SandboxAction { from, group, kind } = act;
        if let SandboxActionKind::NewGroup { members } = kind {
            self.new_group(&group.ok_or(SandboxActionError::NoGroup)?, &members);
            return Ok(None);
        }
        let group = group.map(|name| self.group_or_new(&name));
        if let SandboxActionKind::System { text } = kind {
            let chat = match group {
                Some(group) => Peer::Group(group),
                None => Peer::Person(self.person_or_new(&named(&from)?, None, Relation::Friend)),
            };
            return Ok(Some(self.post(chat, None, Body::System(text))));
        }
        let from = self.actor(&named(&from)?, group, &kind);
        self.perform(Scene { from, group }, kind)
    }

    /// The person who acts; becomes a member or a friend if the action needs that.
    fn actor(&mut self, name: &str, group: Option<GroupId>, kind: &SandboxActionKind) -> PersonId {
        let relation = match kind {
            SandboxActionKind::FriendRequest { .. }
            | SandboxActionKind::Befriend
            | SandboxActionKind::NewPerson { friend: false } => Relation::Stranger,
            _ if group.is_some() => Relation::Stranger,
            _ => Relation::Friend,
        };
        if matches!(kind, SandboxActionKind::Join { .. } | SandboxActionKind::Leave) {
            self.person_or_new(name, group, relation)
        } else {
            self.present(name, group, relation)
        }
    }

    /// Finds or creates the person, as a member of the group.
    pub(in crate::world) fn present(
        &mut self,
        name: &str,
        group: Option<GroupId>,
        relation: Relation,
    ) -> PersonId {
        let person = self.person_or_new(name, group, relation);
        if let Some(group) = group
            && self.groups[group.index()].add(person)
        {
            self.log_change(Peer::Group(group));
        }
        person
    }

    pub(super) fn person_or_new(
        &mut self,
        name: &str,
        group: Option<GroupId>,
        relation: Relation,
    ) -> PersonId {
        let known = self.find_person(name, group);
        let person = known.unwrap_or_else(|| self.add_person(name, Relation::Stranger));
        if relation == Relation::Friend && self.person(person).relation == Relation::Stranger {
            self.people[person.index()].relation = Relation::Friend;
            self.log_change(Peer::Person(person));
        }
        person
    }

    pub(in crate::world) fn group_or_new(&mut self, name: &str) -> GroupId {
        self.find_group(name).unwrap_or_else(|| {
            let group = self.add_group(name);
            self.log_change(Peer::Group(group));
            group
        })
    }

    fn perform(
        &mut self,
        scene: Scene,
        kind: SandboxActionKind,
    ) -> Result<Option<u64>, SandboxActionError> {
        match kind {
            SandboxActionKind::Recall { id } => self.recall(scene, id.as_deref()).map(Some),
            SandboxActionKind::Join { by } => self.join(scene, by.as_deref()).map(Some),
            SandboxActionKind::Leave => self.leave(scene).map(|()| None),
            SandboxActionKind::Remove { person } => self.remove_member(scene, &person),
            SandboxActionKind::Own => self.own(scene).map(|()| None),
            SandboxActionKind::Rename { name } => self.rename(scene, &name).map(Some),
            SandboxActionKind::Pat { target, suffix } => {
                Ok(Some(self.pat(scene, &target, &suffix)))
            }
            SandboxActionKind::Nickname { name } => {
                self.take_name(scene, &name);
                Ok(None)
            }
            SandboxActionKind::Remark { name } => {
                self.remark(scene.from, name);
                Ok(None)
            }
            SandboxActionKind::FriendRequest { text } => {
                Ok(Some(self.ask_for_friendship(scene.from, text)))
            }
            SandboxActionKind::Befriend => Ok(Some(self.befriend(scene.from))),
            SandboxActionKind::Unfriend => {
                self.unfriend(scene.from);
                Ok(None)
            }
            SandboxActionKind::Phone { code } => {
                let chat = scene.chat();
                self.mark_read(chat);
                Ok(Some(self.post(
                    chat,
                    Some(PersonId::ME),
                    Body::Phone { code, chats: vec![chat] },
                )))
            }
            SandboxActionKind::Call => {
                let id = self.send(scene, SandboxActionKind::Call)?;
                let line = self.language.call().to_owned();
                self.post(scene.chat(), None, Body::System(line));
                Ok(id)
            }
            said => self.send(scene, said),
        }
    }

    /// All actions that end as a message of the person.
    fn send(
        &mut self,
        scene: Scene,
        kind: SandboxActionKind,
    ) -> Result<Option<u64>, SandboxActionError> {
        let chat = match (&kind, scene.group) {
            (SandboxActionKind::Say { to, .. }, None) if scene.from == PersonId::ME => {
                let to = to.as_deref().ok_or(SandboxActionError::NoReceiver)?;
                Peer::Person(self.person_or_new(to, None, Relation::Friend))
            }
            (_, None) if scene.from == PersonId::ME => return Err(SandboxActionError::NoReceiver),
            _ => scene.chat(),
        };
        let Some(body) = self.body(kind)? else { return Ok(None) };
        let from = if matches!(body, Body::System(_)) { None } else { Some(scene.from) };
        Ok(Some(self.post(chat, from, body)))
    }

    /// The account itself, or the person under the name that the group sees.
    pub(super) fn who(&self, person: PersonId, group: Option<GroupId>) -> Option<String> {
        (person != PersonId::ME).then(|| match group {
            Some(group) => self.name_in(group, person).to_owned(),
            None => self.person(person).name.clone(),
        })
    }

    fn recall(&mut self, scene: Scene, id: Option<&str>) -> Result<u64, SandboxActionError> {
        let message = match id {
            Some(id) => id.parse().ok().and_then(|id| self.message(id)),
            None => self
                .messages()
                .rev()
                .find(|it| it.chat == scene.chat() && self.is_recallable(scene, it)),
        };
        let message = message
            .filter(|it| self.is_recallable(scene, it))
            .ok_or(SandboxActionError::NoMessage)?;
        let (of, chat) = (message.id, message.chat);
        self.mark_recalled(of);
        let name = self.who(scene.from, scene.group);
        let text = self.language.recalled(who(name.as_deref()));
        Ok(self.post(chat, Some(scene.from), Body::Recall { of, text }))
    }

    fn is_recallable(&self, scene: Scene, message: &Message) -> bool {
        let said = !matches!(message.body, Body::Recall { .. });
        said && message.from == Some(scene.from) && !self.is_recalled(message.id)
    }
}

fn named(from: &str) -> Result<String, SandboxActionError> {
    if from.is_empty() { Err(SandboxActionError::Nobody) } else { Ok(from.to_owned()) }
}

pub(super) fn who(name: Option<&str>) -> Who<'_> {
    name.map_or(Who::Me, Who::Other)
}
