//! People in the directory.

use std::collections::BTreeMap;

use mynah_core::{Called, Chat, Person, Timestamp};
use serde::{Deserialize, Serialize};

use super::facts::{Facts, Standing};
use super::friends::{Friends, OwnNames, person_id};
use super::recognise::{Evidence, Verdict, recognise};
use super::strangers::Seen;
use super::{Directory, Member};

/// The name for a member whose name the service does not send.
const NAMELESS: &str = "群友";

/// People by their numbers. Boxed: the nodes of a map that grows at its end are half empty.
pub(super) type People = BTreeMap<u32, Box<KnownPerson>>;

/// A person that has an id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownPerson {
    #[serde(flatten)]
    pub(crate) facts: Facts,
    /// The name of the present login, if there is one.
    #[serde(rename = "@", default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<Box<str>>,
    /// Where a stranger was seen.
    #[serde(rename = "in", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) seen: Vec<Seen>,
    /// The day on which a stranger was last seen.
    #[serde(rename = "d", default)]
    pub(super) day: i64,
    /// How many logins in a row they were not found in.
    #[serde(rename = "z", default, skip_serializing_if = "is_zero")]
    pub(crate) missed: u32,
    /// Made during this login without being recognised: if evidence comes later, the older id takes its place.
    #[serde(skip)]
    pub(crate) fresh: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this form")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl KnownPerson {
    /// The name by which the account knows them: the remark, else the nickname.
    fn own_name(&self) -> &str {
        let facts = &self.facts;
        [&*facts.remark, &*facts.nick, &*facts.alias, "?"]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or("?")
    }

    /// The private chat with them.
    pub(super) fn chat(&self, id: u32) -> Chat {
        Chat::private(format!("p{id}"), self.own_name())
    }
}

impl Directory {
    // -- Learning.

    /// Takes in the whole contact list after a new login and recognises whom it can.
    pub(crate) fn learn_contact_list(&mut self, contacts: Vec<(Box<str>, Facts)>) {
        let (bound, unbound): (Vec<_>, Vec<_>) =
            contacts.into_iter().partition(|(name, _)| self.person_of.contains_key(name));
        for (user_name, facts) in bound {
            self.learn_person(&user_name, facts);
        }
        self.recognise_people(unbound, Evidence::WholeList);
    }

    /// Takes in the facts about one person.
    pub(crate) fn learn_person(&mut self, user_name: &str, facts: Facts) {
        if let Some(&id) = self.person_of.get(user_name) {
            let changed = self.people.get_mut(&id).is_some_and(|person| person.facts.merge(facts));
            if changed {
                self.person_changed(id);
            }
            return;
        }
        self.recognise_people(vec![(user_name.into(), facts)], Evidence::OnePerson);
    }

    /// The person is not a friend any more.
    pub(crate) fn unfriend(&mut self, user_name: &str) {
        let Some(&id) = self.person_of.get(user_name) else { return };
        if let Some(person) = self.people.get_mut(&id) {
            person.facts.standing = Standing::Stranger;
            self.friends_changed();
            self.person_changed(id);
        }
    }

    fn recognise_people(&mut self, new: Vec<(Box<str>, Facts)>, evidence: Evidence) {
        let facts: Vec<&Facts> = new.iter().map(|(_, facts)| facts).collect();
        let verdicts = self.verdicts(&facts, evidence);
        for ((user_name, facts), verdict) in new.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Known(id) => self.bind_person(id, &user_name, facts),
                Verdict::New => {
                    self.add_person(&user_name, facts);
                }
                Verdict::Doubtful(candidates) => {
                    tracing::warn!(
                        name = %facts.nick,
                        could_be = ?candidates,
                        "a person cannot be distinguished from others of the same name and counts as new; a remark would help"
                    );
                    self.add_person(&user_name, facts);
                }
            }
        }
    }

    /// The identity of each of `new`: searched first among the people of the last login, then among those who were away
    /// for longer, so that a person who left the contacts long ago makes no identity doubtful.
    fn verdicts(&self, new: &[&Facts], evidence: Evidence) -> Vec<Verdict> {
        if evidence == Evidence::OnePerson && !new.iter().any(|facts| facts.can_stand_alone()) {
            return vec![Verdict::New; new.len()];
        }
        let unbound = || self.people.iter().filter(|(_, person)| person.user_name.is_none());
        let old = |away: bool| -> Vec<(u32, &Facts)> {
            let those = unbound().filter(|(_, person)| (person.missed > 0) == away);
            those.map(|(id, person)| (*id, &person.facts)).collect()
        };
        let mut verdicts = recognise(&old(false), new, evidence);
        let open: Vec<usize> = verdicts
            .iter()
            .enumerate()
            .filter(|(_, v)| **v == Verdict::New)
            .map(|(at, _)| at)
            .collect();
        let left: Vec<&Facts> = open.iter().map(|at| new[*at]).collect();
        for (at, verdict) in open.into_iter().zip(recognise(&old(true), &left, evidence)) {
            verdicts[at] = verdict;
        }
        verdicts
    }

    pub(super) fn bind_person(&mut self, id: u32, user_name: &str, facts: Facts) {
        if let Some(person) = self.people.get_mut(&id) {
            // At a new login the list is complete: it decides who is a friend and with which remark.
            person.facts.standing = facts.standing;
            if facts.standing == Standing::Friend {
                person.facts.remark.clone_from(&facts.remark);
            }
            person.facts.merge(facts);
            person.user_name = Some(user_name.into());
            person.missed = 0;
            self.person_of.insert(user_name.into(), id);
            self.friends_changed();
            self.person_changed(id);
        }
    }

    pub(super) fn add_person(&mut self, user_name: &str, facts: Facts) -> u32 {
        if facts.standing == Standing::Stranger {
            self.make_room_for_strangers();
        }
        let id = self.next_id();
        let user_name = (!user_name.is_empty()).then(|| user_name.into());
        self.person_of.extend(user_name.clone().map(|name| (name, id)));
        let person = KnownPerson { facts, user_name, fresh: true, ..KnownPerson::default() };
        self.people.insert(id, Box::new(person));
        self.person_changed(id);
        id
    }

    /// Learns the real id of a person, which proves the identity (section 12.8 of the protocol reference).
    pub(crate) fn learn_real_id(&mut self, user_name: &str, real_id: &str) {
        let Some(&id) = self.person_of.get(user_name) else { return };
        let Some(here) = self.people.get(&id).map(|person| person.facts.clone()) else { return };
        if here.real_id == real_id {
            return;
        }
        let recognised_wrongly = !here.real_id.is_empty();
        let facts = Facts { real_id: real_id.to_owned(), ..here };
        let mut people = self.people.iter();
        let rightful =
            people.find(|(_, person)| person.facts.real_id == real_id).map(|(id, _)| *id);
        match rightful {
            Some(rightful) => {
                self.leave_person(id);
                self.displace_person(rightful);
                self.bind_person(rightful, user_name, facts);
            }
            None if recognised_wrongly => {
                self.leave_person(id);
                self.add_person(user_name, facts);
            }
            None => self.learn_person(user_name, facts),
        }
    }

    /// The user that this login had taken for this person is another one, who is new until more is known.
    fn displace_person(&mut self, id: u32) {
        let taken = self
            .people
            .get(&id)
            .and_then(|person| Some((person.user_name.clone()?, person.facts.clone())));
        if let Some((user_name, facts)) = taken {
            self.leave_person(id);
            self.add_person(&user_name, Facts { real_id: String::new(), ..facts });
        }
    }

    /// Takes the present user name off a person; one that was made during this login is gone with it.
    pub(super) fn leave_person(&mut self, id: u32) {
        let Some(person) = self.people.get_mut(&id) else { return };
        if let Some(user_name) = person.user_name.take() {
            self.person_of.remove(&user_name);
        }
        if person.fresh {
            self.people.remove(&id);
        }
        self.person_changed(id);
    }

    // -- Naming.

    /// A person by user name, as seen in a group or (without one) in private. Never without a name.
    pub(crate) fn person(
        &mut self,
        user_name: &str,
        group: Option<&str>,
        now: Timestamp,
    ) -> Person {
        if self.is_me(user_name) {
            return self.myself(group);
        }
        let member = group.and_then(|group| self.members.get(group)?.find(user_name).cloned());
        let id = match (group, &member) {
            (Some(group), Some(member)) => self.member_id(group, member, now),
            _ => self.id_of(user_name),
        };
        self.named(id, member.as_ref().map(Member::shown), group.is_some())
    }

    /// A person of whom only the name in a group is known, e.g. from a line of the service.
    pub(crate) fn person_called(&mut self, name: &str, group: &str, now: Timestamp) -> Person {
        if let Some(member) = self.member_called(group, name) {
            let user_name = member.user_name.clone();
            return self.person(&user_name, Some(group), now);
        }
        let Some(&group_id) = self.group_of.get(group) else {
            return Person::stranger(format!("?{name}"), name);
        };
        // Remembered without a user name: recognised when a member of that nickname writes in the group.
        let same = |person: &KnownPerson| {
            person.user_name.is_none()
                && person.facts.nick == name
                && person.seen_alone_in(group_id)
        };
        let known = self.people.iter().find(|(_, person)| same(person)).map(|(id, _)| *id);
        let id = known.unwrap_or_else(|| {
            let facts = Facts { nick: name.to_owned(), ..Facts::default() };
            let id = self.add_person("", facts);
            self.see(id, group_id, true, now);
            id
        });
        self.named(id, Some(name), true)
    }

    /// The user name behind an id of this login or one that never changes.
    pub(crate) fn user_name_of_id(&self, id: &str) -> Option<String> {
        if id.starts_with('@') {
            return Some(id.to_owned());
        }
        let has_it = |person: &KnownPerson| !id.is_empty() && person.facts.real_id == id;
        self.people.values().find(|person| has_it(person))?.user_name.as_deref().map(str::to_owned)
    }

    /// The name that people see for such an id, in the group or in private.
    pub(crate) fn name_of_id(&self, id: &str, group: Option<&str>) -> Option<String> {
        let user_name = self.user_name_of_id(id)?;
        if self.is_own_id(&user_name) {
            return Some(self.myself(group).name);
        }
        let member = group.and_then(|group| self.members.get(group)?.find(&user_name));
        let person = self.person_of.get(&*user_name).and_then(|id| self.people.get(id));
        let in_group = member.map(Member::shown);
        let nick = person.map(|person| &*person.facts.nick);
        in_group.into_iter().chain(nick).find(|name| !name.is_empty()).map(str::to_owned)
    }

    /// The account itself as a person.
    pub(crate) fn myself(&self, group: Option<&str>) -> Person {
        let me = self.me();
        let display =
            group.and_then(|group| Some(self.members.get(group)?.find(&me.user_name)?.shown()));
        let name = display.filter(|name| !name.is_empty()).unwrap_or(&me.nick);
        Person::stranger("me", if name.is_empty() { "me" } else { name })
    }

    /// The private chat with a person.
    pub(crate) fn private_chat(&mut self, user_name: &str) -> Chat {
        if self.is_me(user_name) {
            return Chat::private("me", self.myself(None).name);
        }
        let id = self.id_of(user_name);
        self.people
            .get(&id)
            .map(|person| person.chat(id))
            .unwrap_or_else(|| Chat::private("p?", "?"))
    }

    /// The relation of a person to the account.
    pub(crate) fn standing(&self, user_name: &str) -> Option<Standing> {
        let id = self.person_of.get(user_name)?;
        self.people.get(id).map(|person| person.facts.standing)
    }

    /// The remark of a friend.
    pub(super) fn remark_of(&self, user_name: &str) -> Option<&str> {
        let id = self.person_of.get(user_name)?;
        self.people
            .get(id)
            .map(|person| person.facts.remark.as_str())
            .filter(|remark| !remark.is_empty())
    }

    /// Whether a person has a name that can be shown.
    pub(crate) fn has_name(&self, user_name: &str) -> bool {
        let person = self.person_of.get(user_name).and_then(|id| self.people.get(id));
        person
            .is_some_and(|person| !person.facts.nick.is_empty() || !person.facts.remark.is_empty())
    }

    /// The user name behind the id of a private chat.
    pub(crate) fn user_name_of_person(&self, id: &str) -> Option<&str> {
        let id: u32 = id.strip_prefix('p')?.parse().ok()?;
        self.people.get(&id)?.user_name.as_deref()
    }

    fn id_of(&mut self, user_name: &str) -> u32 {
        if let Some(&id) = self.person_of.get(user_name) {
            return id;
        }
        let real_id = if mynah_webwx::wire::is_special(user_name) { user_name } else { "" };
        let standing = if real_id.is_empty() { Standing::Stranger } else { Standing::Special };
        self.learn_person(
            user_name,
            Facts { standing, real_id: real_id.to_owned(), ..Facts::default() },
        );
        self.person_of.get(user_name).copied().unwrap_or_default()
    }

    /// The person with the names to show: in a group the name there; never the remark before the nickname, because
    /// other people read the bot's replies.
    fn named(&mut self, id: u32, in_group: Option<&str>, group: bool) -> Person {
        let names = self.friend_names(id);
        let facts = self.people.get(&id).map(|person| &person.facts);
        let shown =
            facts.map(|facts| [&*facts.nick, &*facts.remark, &*facts.alias]).unwrap_or_default();
        let placeholder = if group { NAMELESS } else { "?" };
        let name = in_group.into_iter().chain(shown).find(|name| !name.is_empty());
        Person {
            id: person_id(id),
            name: name.unwrap_or(placeholder).to_owned(),
            certain_names: names.remark.into_iter().collect(),
            chosen_names: names.nick.into_iter().collect(),
        }
    }

    /// The names that mean this friend only.
    fn friend_names(&mut self, id: u32) -> OwnNames {
        let (people, partial) = (&self.people, self.head.partial);
        let friends = self.friends.get_or_insert_with(|| Friends::among(people, partial));
        friends.names_of(id, people.get(&id).map(Box::as_ref))
    }

    /// The friend whom a name means.
    pub(crate) fn friend_called(&mut self, name: &str) -> Called {
        let (people, partial) = (&self.people, self.head.partial);
        self.friends.get_or_insert_with(|| Friends::among(people, partial)).called(name)
    }

    /// A person who is no longer in the list of a group.
    pub(crate) fn member_who_left(
        &mut self,
        group: &str,
        member: &Member,
        now: Timestamp,
    ) -> Person {
        let id = self.member_id(group, member, now);
        self.named(id, Some(member.shown()), true)
    }
}
