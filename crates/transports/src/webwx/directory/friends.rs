//! Which friend a name means: the one with that remark, else the only one with that nickname.

use std::collections::HashMap;

use mynah_core::{Called, PersonId};

use super::facts::Standing;
use super::people::{KnownPerson, People};

/// The friends of the present login by remark and by nickname.
#[derive(Debug, Default)]
pub(super) struct Friends {
    remarks: HashMap<String, Holders>,
    nicks: HashMap<String, Holders>,
}

/// The friends that share a name.
#[derive(Debug, Clone, Copy)]
struct Holders {
    first: u32,
    count: usize,
}

/// The names that mean one friend only.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OwnNames {
    /// The remark, if no other friend has it.
    pub(super) remark: Option<String>,
    /// The nickname, if no other friend has it as nickname or remark.
    pub(super) nick: Option<String>,
}

impl Friends {
    /// The friends among the people. From a `partial` contact list only remarks are taken: friends who are not in it may
    /// have the same nickname, or the nickname as remark.
    pub(super) fn among(people: &People, partial: bool) -> Self {
        let mut friends = Self::default();
        for (id, person) in people.iter().filter(|(_, person)| is_present_friend(person)) {
            note(&mut friends.remarks, &person.facts.remark, *id);
            if !partial {
                note(&mut friends.nicks, &person.facts.nick, *id);
            }
        }
        friends
    }

    /// The friend whom a name means.
    pub(super) fn called(&self, name: &str) -> Called {
        match (self.remarks.get(name), self.nicks.get(name)) {
            (Some(Holders { first, count: 1 }), _) => Called::Certain(person_id(*first)),
            (None, Some(Holders { first, count: 1 })) => Called::Chosen(person_id(*first)),
            (Some(Holders { count, .. }), _) | (None, Some(Holders { count, .. })) => {
                Called::Several(*count)
            }
            (None, None) => Called::Nobody,
        }
    }

    /// The names that mean this person only.
    pub(super) fn names_of(&self, id: u32, person: Option<&KnownPerson>) -> OwnNames {
        let Some(person) = person else { return OwnNames::default() };
        let (remark, nick) = (&person.facts.remark, &person.facts.nick);
        let is_own = |holders: Option<&Holders>| {
            holders.is_some_and(|holders| holders.count == 1 && holders.first == id)
        };
        let is_certain = is_own(self.remarks.get(remark));
        let is_chosen = !self.remarks.contains_key(nick) && is_own(self.nicks.get(nick));
        OwnNames {
            remark: is_certain.then(|| remark.clone()),
            nick: is_chosen.then(|| nick.clone()),
        }
    }
}

/// The id of a person as the rest of the program knows it.
pub(super) fn person_id(id: u32) -> PersonId {
    PersonId::new(format!("p{id}"))
}

fn note(names: &mut HashMap<String, Holders>, name: &str, id: u32) {
    if !name.is_empty() {
        let holders = names.entry(name.to_owned()).or_insert(Holders { first: id, count: 0 });
        holders.count += 1;
    }
}

fn is_present_friend(person: &KnownPerson) -> bool {
    person.user_name.is_some() && person.facts.standing == Standing::Friend
}
