//! Strangers: people who are known from groups only.
//!
//! They get an id at their first message or event. After a new login they are recognised by their account number, where
//! the service sends it, or as the only one of their nickname in a group then and now.

use mynah_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Standing};
use super::people::KnownPerson;
use super::{Directory, Member, day};

/// The most strangers that are remembered; the longest unseen are forgotten first. About 6 MB.
const MOST_STRANGERS: usize = 20_000;

/// The most groups in which a person is remembered.
const MOST_SEEN: usize = 8;

/// A group in which a stranger was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    #[serde(rename = "g")]
    group: u32,
    /// Whether no other member there had the same nickname.
    #[serde(rename = "l")]
    lone: bool,
}

impl Directory {
    /// The id of a member of a group, or of a person who just was one.
    pub(super) fn member_id(&mut self, group: &str, member: &Member, now: Timestamp) -> u32 {
        let group_id = self.id_of_group(group);
        let lone = self.members.get(group).is_some_and(|roster| roster.is_lone(member));
        let bound = self.person_of.get(&member.user_name).copied();
        let is_settled =
            |id: &u32| self.people.get(id).is_some_and(|person| person.is_settled_in(group_id));
        let id = match bound.filter(is_settled) {
            Some(id) => id,
            None => self.recognise_stranger(group_id, member, lone, bound),
        };
        if let Some(person) = self.people.get_mut(&id)
            && person.facts.merge(facts_of(member))
        {
            self.person_changed(id);
        }
        self.see(id, group_id, lone, now);
        id
    }

    /// Who a member is that has no id in this login yet, or only one that was made for want of evidence.
    fn recognise_stranger(
        &mut self,
        group: u32,
        member: &Member,
        lone: bool,
        bound: Option<u32>,
    ) -> u32 {
        match (self.known_stranger(group, member, lone), bound) {
            (Some(known), bound) => {
                bound.into_iter().for_each(|fresh| self.leave_person(fresh));
                self.bind_person(known, &member.user_name, facts_of(member));
                known
            }
            (None, Some(bound)) => bound,
            (None, None) => self.add_person(&member.user_name, facts_of(member)),
        }
    }

    /// The stranger of an earlier login who this is beyond doubt.
    fn known_stranger(&self, group: u32, member: &Member, lone: bool) -> Option<u32> {
        let unbound = self.people.iter().filter(|(_, person)| {
            person.user_name.is_none() && person.facts.standing == Standing::Stranger
        });
        let mut alike = Vec::new();
        for (id, person) in unbound {
            if member.uin != 0 && person.facts.uin == member.uin {
                return Some(*id);
            }
            if person.could_be(member) && person.was_seen_in(group) {
                alike.push((*id, person.seen_alone_in(group)));
            }
        }
        match alike[..] {
            [(id, true)] if lone => Some(id),
            [] => None,
            _ => {
                let could_be: Vec<u32> = alike.iter().map(|(id, _)| *id).collect();
                tracing::warn!(
                    name = %member.nick,
                    ?could_be,
                    "a member cannot be distinguished from others of the same name and counts as new"
                );
                None
            }
        }
    }

    /// Notes where and when a stranger was seen.
    pub(super) fn see(&mut self, id: u32, group: u32, lone: bool, now: Timestamp) {
        let Some(person) = self.people.get_mut(&id) else { return };
        if person.facts.standing == Standing::Stranger
            && person.note_seen(Seen { group, lone }, day(now))
        {
            self.person_changed(id);
        }
    }

    /// Forgets a tenth of the strangers when there are too many, the longest unseen first.
    pub(super) fn make_room_for_strangers(&mut self) {
        // Counting all people for every new one would be slow; there are never more strangers than people.
        if self.people.len() < MOST_STRANGERS {
            return;
        }
        let strangers =
            self.people.iter().filter(|(_, person)| person.facts.standing == Standing::Stranger);
        let mut by_age: Vec<(bool, i64, u32)> =
            strangers.map(|(id, person)| (person.user_name.is_some(), person.day, *id)).collect();
        if by_age.len() < MOST_STRANGERS {
            return;
        }
        by_age.sort_unstable();
        for (_, _, id) in &by_age[..MOST_STRANGERS / 10] {
            if let Some(user_name) = self.people.remove(id).and_then(|person| person.user_name) {
                self.person_of.remove(&user_name);
            }
            self.person_changed(*id);
        }
    }
}

impl KnownPerson {
    /// Whether data of this group cannot change this identity: only a stranger who got an id during this login, and was
    /// not seen in the group since, may turn out to be a known person.
    pub(super) fn is_settled_in(&self, group: u32) -> bool {
        let open = self.fresh && self.facts.standing == Standing::Stranger;
        !open || self.was_seen_in(group)
    }

    pub(super) fn seen_alone_in(&self, group: u32) -> bool {
        self.seen.iter().any(|seen| seen.group == group && seen.lone)
    }

    fn was_seen_in(&self, group: u32) -> bool {
        self.seen.iter().any(|seen| seen.group == group)
    }

    /// Whether the nickname is the same and no account number speaks against it.
    fn could_be(&self, member: &Member) -> bool {
        let numbers_differ = self.facts.uin != 0 && member.uin != 0;
        !member.nick.is_empty() && *self.facts.nick == *member.nick && !numbers_differ
    }

    /// Notes where and when they were seen. Returns whether that is new.
    fn note_seen(&mut self, seen: Seen, day: i64) -> bool {
        let is_new = match self.seen.iter_mut().find(|known| known.group == seen.group) {
            Some(known) => std::mem::replace(known, seen) != seen,
            None => {
                self.seen.insert(0, seen);
                self.seen.truncate(MOST_SEEN);
                true
            }
        };
        std::mem::replace(&mut self.day, day) != day || is_new
    }
}

/// The facts about one member in a list of members.
fn facts_of(member: &Member) -> Facts {
    Facts { nick: member.nick.to_string(), uin: member.uin, ..Facts::default() }
}
