//! Actions in groups and the system lines about them.

use super::{
    SandboxActionError,
    perform::{Scene, who},
};
use crate::world::{
    Entry, World,
    lines::Who,
    message::Body,
    people::{GroupId, Peer, PersonId, Relation},
};

impl World {
    pub(super) fn new_group(&mut self, name: &str, members: &[String]) {
        let group = self.group_or_new(name);
        for member in members {
            let person = self.person_or_new(member, Some(group), Relation::Stranger);
            self.groups[group.index()].add(person);
        }
        self.log_change(Peer::Group(group));
        if let Some(first) = members.first() {
            let line = self.language.invited_me(first, &members[1..].join("、"));
            self.post(Peer::Group(group), None, Body::System(line));
        }
    }

    pub(super) fn join(
        &mut self,
        scene: Scene,
        by: Option<&str>,
    ) -> Result<u64, SandboxActionError> {
        let group = scene.group()?;
        let by_person = by.map(|name| self.person_or_new(name, Some(group), Relation::Stranger));
        self.groups[group.index()].add(scene.from);
        self.log_change(Peer::Group(group));
        let whom = self.person(scene.from).name.clone();
        let line = match by_person {
            Some(by) => {
                let by = self.who(by, Some(group));
                self.language.invited(who(by.as_deref()), &whom)
            }
            None => {
                let owner =
                    self.who(self.group(group).owner, Some(group)).filter(|owner| *owner != whom);
                self.language.joined_by_code(&whom, who(owner.as_deref()))
            }
        };
        Ok(self.post(Peer::Group(group), None, Body::System(line)))
    }

    /// The line that the account receives after it has invited a person.
    pub(crate) fn say_invited(&mut self, group: GroupId, person: PersonId) {
        let line = self.language.invited(Who::Me, &self.person(person).name);
        self.post(Peer::Group(group), None, Body::System(line));
    }

    /// The account removes a person.
    pub(crate) fn remove_by_me(&mut self, group: GroupId, person: PersonId) {
        let line = self.language.i_removed(self.name_in(group, person));
        self.groups[group.index()].remove(person);
        self.post(Peer::Group(group), None, Body::System(line));
        self.log_change(Peer::Group(group));
    }

    pub(super) fn leave(&mut self, scene: Scene) -> Result<(), SandboxActionError> {
        let group = scene.group()?;
        self.groups[group.index()].remove(scene.from);
        if scene.from == PersonId::ME {
            self.log_entry(Entry::Gone(Peer::Group(group)));
        } else {
            self.log_change(Peer::Group(group));
        }
        Ok(())
    }

    pub(super) fn own(&mut self, scene: Scene) -> Result<(), SandboxActionError> {
        let group = scene.group()?;
        self.groups[group.index()].add(scene.from);
        self.groups[group.index()].owner = scene.from;
        self.log_change(Peer::Group(group));
        Ok(())
    }

    /// The account sends a person the card by which the person may join a large group.
    pub(crate) fn send_invitation(&mut self, group: GroupId, person: PersonId) {
        let (title, description) = self.language.invitation(&self.group(group).topic);
        let url =
            "https://support.weixin.qq.com/cgi-bin/mmsupport-bin/addchatroombyinvite".to_owned();
        let card = Body::Link { title, description, url };
        self.post(Peer::Person(person), Some(PersonId::ME), card);
    }

    pub(super) fn remove_member(
        &mut self,
        scene: Scene,
        whom: &str,
    ) -> Result<Option<u64>, SandboxActionError> {
        let group = scene.group()?;
        let person = self.person_or_new(whom, Some(group), Relation::Stranger);
        let whom = self.name_in(group, person).to_owned();
        let by = self.name_in(group, scene.from).to_owned();
        self.groups[group.index()].remove(person);
        let line = match (scene.from, person) {
            (_, PersonId::ME) => self.language.i_was_removed(&by),
            (PersonId::ME, _) => self.language.i_removed(&whom),
            // The service sends no line about other members; only the member list changes.
            _ => {
                self.log_change(Peer::Group(group));
                return Ok(None);
            }
        };
        let id = self.post(Peer::Group(group), None, Body::System(line));
        let gone = person == PersonId::ME;
        self.log_entry(if gone {
            Entry::Gone(Peer::Group(group))
        } else {
            Entry::Contact(Peer::Group(group))
        });
        Ok(Some(id))
    }

    pub(super) fn rename(&mut self, scene: Scene, topic: &str) -> Result<u64, SandboxActionError> {
        let group = scene.group()?;
        Ok(self.set_topic(group, scene.from, topic))
    }

    /// Renames a group, with the system line about it.
    pub(crate) fn set_topic(&mut self, group: GroupId, by: PersonId, topic: &str) -> u64 {
        topic.clone_into(&mut self.groups[group.index()].topic);
        let by = self.who(by, Some(group));
        let line = self.language.renamed(who(by.as_deref()), topic);
        let id = self.post(Peer::Group(group), None, Body::System(line));
        self.log_change(Peer::Group(group));
        id
    }

    pub(super) fn pat(&mut self, scene: Scene, target: &str, suffix: &str) -> u64 {
        let target = self.person_or_new(target, scene.group, Relation::Stranger);
        let (by, whom) = (self.who(scene.from, scene.group), self.who(target, scene.group));
        let line = self.language.patted(who(by.as_deref()), who(whom.as_deref()), suffix);
        let chat = match (scene.group, scene.from) {
            (None, PersonId::ME) => Peer::Person(target),
            _ => scene.chat(),
        };
        self.post(chat, None, Body::System(line))
    }

    pub(super) fn remark(&mut self, person: PersonId, remark: String) {
        self.people[person.index()].remark = remark;
        self.log_change(Peer::Person(person));
    }

    pub(super) fn take_name(&mut self, scene: Scene, name: &str) {
        match scene.group {
            Some(group) => {
                let members = &mut self.groups[group.index()].members;
                if let Some(member) = members.iter_mut().find(|it| it.person == scene.from) {
                    name.clone_into(&mut member.display);
                }
                self.log_change(Peer::Group(group));
            }
            None if scene.from == PersonId::ME => {
                name.clone_into(&mut self.people[PersonId::ME.index()].name);
                self.log_entry(Entry::Profile);
            }
            None => {
                name.clone_into(&mut self.people[scene.from.index()].name);
                self.log_change(Peer::Person(scene.from));
            }
        }
    }
}
