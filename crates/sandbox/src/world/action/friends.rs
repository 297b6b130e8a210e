//! Beginning and ending friendships.

use crate::world::{
    Entry, World,
    message::Body,
    people::{Peer, PersonId, Relation},
};

impl World {
    pub(super) fn ask_for_friendship(&mut self, person: PersonId, text: String) -> u64 {
        let ticket = format!("v2_{}@stranger", self.draw.hex(64));
        let chat = Peer::Person(person);
        self.post(chat, Some(person), Body::FriendRequest { person, text, ticket })
    }

    pub(super) fn befriend(&mut self, person: PersonId) -> u64 {
        self.people[person.index()].relation = Relation::Friend;
        self.log_change(Peer::Person(person));
        let line = self.language.added_me(&self.person(person).name);
        self.post(Peer::Person(person), None, Body::System(line))
    }

    /// The account accepts a friend request, on the phone or by `webwxverifyuser`.
    pub(crate) fn accept_friend(&mut self, person: PersonId) {
        self.people[person.index()].relation = Relation::Friend;
        self.log_change(Peer::Person(person));
        let line = self.language.i_added(&self.person(person).name);
        self.post(Peer::Person(person), None, Body::System(line));
    }

    pub(super) fn unfriend(&mut self, person: PersonId) {
        self.people[person.index()].relation = Relation::Stranger;
        self.log_entry(Entry::Gone(Peer::Person(person)));
    }
}
