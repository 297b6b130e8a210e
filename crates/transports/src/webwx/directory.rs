//! Who is who: people and groups with ids of our own, which stay the same when the service gives everybody a new name.
//!
//! A *user name* (`@…`, `@@…`) is the service's name of a person or group during one login. The directory binds user
//! names to our ids: at once where the login goes on, by [recognition](recognise) after a new one. Its knowledge is
//! written into records, one for each person and group, so that a change costs one small record.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Chat, ChatId, Records, Timestamp, to_map};
use mynah_webwx::text;
use mynah_webwx::wire::User;
use serde::{Deserialize, Serialize};

mod facts;
mod friends;
mod groups;
mod members;
mod people;
mod recognise;
mod sketch;
mod strangers;

pub(crate) use facts::{Facts, Standing};
use friends::Friends;
use groups::KnownGroup;
use members::Members;
pub(crate) use members::{Member, Roster};
use people::{KnownPerson, People};

/// The account itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Me {
    pub(crate) uin: u64,
    pub(crate) user_name: String,
    pub(crate) nick: String,
}

/// The record of the directory itself.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Head {
    me: Me,
    /// The next number for a person or group. Numbers are never used twice.
    next: u32,
    /// Whether the contact list of this login could not be read whole. Then no nickname is known to be unique.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// The most people who are remembered without being found in the last login.
const MOST_AWAY: usize = 10_000;

/// The most groups that are remembered.
const MOST_GROUPS: usize = 5_000;

const HEAD: &str = "directory";
const PERSON: &str = "person/";
const GROUP: &str = "group/";

/// People who are gone from the list of a group.
#[derive(Debug)]
pub(crate) struct Departed {
    pub(crate) group: Box<str>,
    pub(crate) members: Vec<Member>,
}

/// A person who was reported to have left.
#[derive(Debug)]
struct LeftLately {
    group: Box<str>,
    member: Member,
    told: Timestamp,
}

/// The line about a removal and the new list of members come within this time, in either order.
const LATELY: Duration = Duration::from_secs(60);

/// People and groups, by our own ids and by the names of the present login.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    head: Head,
    people: People,
    groups: BTreeMap<u32, KnownGroup>,
    person_of: HashMap<Box<str>, u32>,
    group_of: HashMap<Box<str>, u32>,
    /// Real ids of groups of which nothing else is known yet.
    real_ids: HashMap<Box<str>, String>,
    members: Members,
    /// Who is gone from the lists of groups, until [`take_departed`](Self::take_departed).
    departed: Vec<Departed>,
    /// The people who were reported to have left a moment ago, so that a later line does not report the same again.
    left_lately: VecDeque<LeftLately>,
    /// Friends by name; made anew when a friend changed.
    friends: Option<Friends>,
    chats: Option<Arc<[Chat]>>,
    /// The chats of the last login, while those of the present one are being read.
    last_chats: Option<Arc<[Chat]>>,
    dirty: BTreeSet<String>,
}

impl Directory {
    /// The directory as stored in records. Records that cannot be read are left out with a warning: their people and
    /// groups get new ids, and the bot runs.
    pub(crate) fn from_records(records: &Records) -> Self {
        let mut directory = Self::default();
        if let Some(head) = records.get(HEAD).and_then(|json| parsed(HEAD, json)) {
            directory.head = head;
        }
        for (key, json) in records {
            directory.load(key, json);
        }
        directory
    }

    fn load(&mut self, key: &str, json: &str) {
        let number = |prefix: &str| key.strip_prefix(prefix)?.parse::<u32>().ok();
        if let Some(id) = number(PERSON)
            && let Some(person) = parsed::<KnownPerson>(key, json)
        {
            self.person_of.extend(person.user_name.clone().map(|name| (name, id)));
            self.people.insert(id, Box::new(person));
            self.head.next = self.head.next.max(id + 1);
        } else if let Some(id) = number(GROUP)
            && let Some(group) = parsed::<KnownGroup>(key, json)
        {
            self.group_of.extend(group.user_name.clone().map(|name| (name, id)));
            self.groups.insert(id, group);
            self.head.next = self.head.next.max(id + 1);
        }
    }

    /// The records that changed since the last call.
    pub(crate) fn take_changes(&mut self) -> Records {
        let dirty = std::mem::take(&mut self.dirty);
        to_map(dirty.into_iter().map(|key| {
            let json = self.record(&key);
            (key, json)
        }))
    }

    /// The text of a record; empty for one that is gone.
    fn record(&self, key: &str) -> String {
        let json = if key == HEAD {
            serde_json::to_string(&self.head)
        } else if let Some(id) = key.strip_prefix(PERSON).and_then(|id| id.parse().ok()) {
            self.people.get(&id).map_or(Ok(String::new()), serde_json::to_string)
        } else {
            let group = key.strip_prefix(GROUP).and_then(|id| self.groups.get(&id.parse().ok()?));
            group.map_or(Ok(String::new()), serde_json::to_string)
        };
        json.unwrap_or_default()
    }

    /// A new login: the names of the last one mean nothing any more. Returns whether it is the same account.
    pub(crate) fn begin_login(&mut self, user: &User) -> bool {
        let same = self.head.me.uin == 0 || user.uin == 0 || self.head.me.uin == user.uin;
        self.last_chats = Some(self.chats()).filter(|_| same);
        if !same {
            tracing::warn!(
                "another account logged in; the people and groups of the last one are forgotten"
            );
            self.forget_everybody();
        }
        self.unbind_everybody();
        self.set_partial(false);
        self.set_me(user);
        same
    }

    /// The contact list of this login could not be read whole.
    pub(crate) fn contacts_are_partial(&mut self) {
        self.set_partial(true);
    }

    fn set_partial(&mut self, partial: bool) {
        if self.head.partial != partial {
            self.head.partial = partial;
            self.dirty.insert(HEAD.to_owned());
            self.friends_changed();
        }
    }

    /// The lists that a new login reads at the start are complete.
    pub(crate) fn end_login(&mut self) {
        self.last_chats = None;
    }

    /// The same login goes on; only the data of the account itself is taken over.
    pub(crate) fn set_me(&mut self, user: &User) {
        let me = Me {
            uin: user.uin,
            user_name: user.user_name.clone(),
            nick: text::name(&user.nick_name),
        };
        if self.head.me != me {
            self.head.me = me;
            self.dirty.insert(HEAD.to_owned());
        }
    }

    /// The account's nickname changed.
    pub(crate) fn rename_me(&mut self, nick: &str) {
        let nick = text::name(nick);
        if !nick.is_empty() && nick != self.head.me.nick {
            self.head.me.nick = nick;
            self.dirty.insert(HEAD.to_owned());
        }
    }

    /// The account itself.
    pub(crate) fn me(&self) -> &Me {
        &self.head.me
    }

    /// Whether that user name is the account's own. Own messages sometimes have none (section 4.1).
    pub(crate) fn is_me(&self, user_name: &str) -> bool {
        user_name.is_empty() || user_name == self.head.me.user_name
    }

    /// Whether that id, of this login or one that never changes, is the account's own.
    pub(crate) fn is_own_id(&self, id: &str) -> bool {
        !id.is_empty() && id == self.head.me.user_name
    }

    /// The chats of the present login: groups, and the private chats of friends. While they are being read, those of
    /// the last one: until then names mean the same people, and messages wait.
    pub(crate) fn chats(&mut self) -> Arc<[Chat]> {
        if let Some(chats) = self.last_chats.as_ref().or(self.chats.as_ref()) {
            return Arc::clone(chats);
        }
        let groups = self.groups.iter().filter(|(_, group)| group.user_name.is_some());
        let groups = groups.map(|(id, group)| self.chat_of_group(*id, group));
        let friends = self.people.iter().filter(|(_, person)| {
            person.user_name.is_some() && person.facts.standing == Standing::Friend
        });
        let friends = friends.map(|(id, person)| person.chat(*id));
        let chats: Arc<[Chat]> = groups.chain(friends).collect();
        self.chats = Some(Arc::clone(&chats));
        chats
    }

    fn forget_everybody(&mut self) {
        let people = self.people.keys().map(|id| format!("{PERSON}{id}"));
        let groups = self.groups.keys().map(|id| format!("{GROUP}{id}"));
        self.dirty.extend(people.chain(groups));
        self.people.clear();
        self.groups.clear();
    }

    fn unbind_everybody(&mut self) {
        for (id, person) in &mut self.people {
            person.fresh = false;
            person.missed =
                if person.user_name.is_some() { 0 } else { person.missed.saturating_add(1) };
            person.user_name = None;
            self.dirty.insert(format!("{PERSON}{id}"));
        }
        for (id, group) in &mut self.groups {
            if group.unbind() {
                self.dirty.insert(format!("{GROUP}{id}"));
            }
        }
        self.forget_the_longest_away();
        self.person_of.clear();
        self.group_of.clear();
        self.real_ids.clear();
        self.members.clear();
        self.departed.clear();
        self.left_lately.clear();
        self.friends = None;
        self.chats = None;
    }

    /// Friends and groups that were not found for many logins go when there are too many of them; of strangers, those
    /// who were not seen for long (see `people`).
    fn forget_the_longest_away(&mut self) {
        let away = self.people.iter().filter(|(_, person)| person.missed > 0);
        let mut away: Vec<(u32, u32)> = away.map(|(id, person)| (person.missed, *id)).collect();
        away.sort_unstable();
        for (_, id) in away.into_iter().skip(MOST_AWAY) {
            self.people.remove(&id);
        }
        while self.groups.len() > MOST_GROUPS {
            let oldest = self.groups.pop_first();
            self.dirty.extend(oldest.map(|(id, _)| format!("{GROUP}{id}")));
        }
    }

    fn next_id(&mut self) -> u32 {
        let id = self.head.next;
        self.head.next += 1;
        self.dirty.insert(HEAD.to_owned());
        id
    }

    fn person_changed(&mut self, id: u32) {
        self.dirty.insert(format!("{PERSON}{id}"));
        if self.people.get(&id).is_none_or(|person| person.facts.standing != Standing::Stranger) {
            self.friends_changed();
        }
    }

    /// Everything derived from the list of friends must be derived again.
    fn friends_changed(&mut self) {
        self.friends = None;
        self.chats = None;
    }

    fn group_changed(&mut self, id: u32) {
        self.dirty.insert(format!("{GROUP}{id}"));
        self.chats = None;
    }

    // -- Members of groups.

    /// The members of a group, if they are at hand.
    pub(crate) fn roster(&self, group: &str) -> Option<&Roster> {
        self.members.get(group)
    }

    /// Who is gone from the lists of groups since the last call.
    pub(crate) fn take_departed(&mut self) -> Vec<Departed> {
        std::mem::take(&mut self.departed)
    }

    /// Notes that this member was reported to have left.
    pub(crate) fn note_left(&mut self, group: &str, member: &Member, now: Timestamp) {
        self.left_lately.retain(|left| now.since(left.told) < LATELY);
        if self.left_lately.len() < 1_000 {
            let (group, member) = (group.into(), member.clone());
            self.left_lately.push_back(LeftLately { group, member, told: now });
        }
    }

    /// Whether a member of that name was just reported to have left.
    pub(crate) fn left_lately(&self, group: &str, name: &str, now: Timestamp) -> bool {
        self.left_lately.iter().any(|left| {
            &*left.group == group && left.member.is_called(name) && now.since(left.told) < LATELY
        })
    }

    /// The names that the members of a group show there, by the id of its chat: those at hand, without the own account.
    pub(crate) fn names_of_members(&self, chat: &ChatId) -> Vec<String> {
        let roster = self.user_name_of_group(chat.as_str()).and_then(|group| self.roster(group));
        let members = roster.map(Roster::members).unwrap_or_default().iter();
        let others = members.filter(|member| !self.is_me(&member.user_name));
        others.map(Member::shown).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// Marks a group's members as used.
    pub(crate) fn touch_members(&mut self, group: &str) {
        self.members.touch(group);
    }

    /// Removes a member who left from the list at hand.
    pub(crate) fn take_off(&mut self, group: &str, user_name: &str) {
        self.members.take_off(group, user_name);
    }

    /// The member whom a line of the service means by that name; `None` where several or none have it.
    pub(crate) fn member_called(&self, group: &str, name: &str) -> Option<&Member> {
        let roster = self.members.get(group)?;
        let by = |matches: &dyn Fn(&Member) -> bool| {
            let mut found = roster.members().iter().filter(|member| matches(member));
            found.next().filter(|_| found.next().is_none())
        };
        by(&|member| member.shown() == name)
            .or_else(|| by(&|member| &*member.nick == name))
            .or_else(|| by(&|member| self.remark_of(&member.user_name) == Some(name)))
    }
}

/// A record, read; `None` with a warning if it cannot be.
fn parsed<T: for<'de> Deserialize<'de>>(key: &str, json: &str) -> Option<T> {
    serde_json::from_str(json)
        .inspect_err(
            |error| tracing::warn!(key, %error, "a record of the directory cannot be read"),
        )
        .ok()
}

/// Days since 1970: exact enough for the time when a person was last seen.
fn day(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(86_400_000)
}

#[cfg(test)]
mod tests;
