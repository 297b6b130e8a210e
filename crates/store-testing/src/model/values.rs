//! The values under keys in three scopes.

use std::collections::BTreeMap;

use mynah_core::{
    Binding, Change, ChatId, Event, Exported, ExportedValue, MemberValue, MemberValues, PersonId,
    Read, Scope, Snapshot, StateOwner, StateValue, Timestamp, Value, Write, add, kept_name,
};

use crate::Mistake;

/// The owner of a value: the bot, a chat, or a person in a chat.
type Owner = (Option<ChatId>, Option<PersonId>);

#[derive(Debug, Default)]
pub(super) struct Values {
    values: BTreeMap<(Owner, String), Value>,
    /// The names of the people when these values last changed.
    names: BTreeMap<(Owner, String), String>,
    /// The version of the last change.
    version: u64,
}

/// The owner that an event has in a scope.
fn owner(event: &Event, scope: Scope) -> Option<Owner> {
    let chat = event.chat().map(|chat| chat.id.clone());
    let person = event.person().map(|person| person.id.clone());
    match scope {
        Scope::Bot => Some((None, None)),
        Scope::Chat => Some((Some(chat?), None)),
        Scope::Person => Some((Some(chat?), Some(person?))),
    }
}

fn is_expired(value: &Value, now: Timestamp) -> bool {
    value.expires.is_some_and(|expires| expires <= now)
}

impl Values {
    /// The live values of an event's scopes.
    pub(super) fn snapshot(&self, event: &Event, now: Timestamp) -> Snapshot {
        let mut found = BTreeMap::new();
        for scope in [Scope::Bot, Scope::Chat, Scope::Person] {
            let Some(owner) = owner(event, scope) else { continue };
            for ((of, key), value) in &self.values {
                if *of == owner && !is_expired(value, now) {
                    found.insert((scope, key.clone()), value.clone());
                }
            }
        }
        Snapshot::new(found)
    }

    /// Whether all values that a turn read are unchanged. A value that has expired since then counts as unchanged.
    pub(super) fn still_hold(&self, event: &Event, reads: &[Read], now: Timestamp) -> bool {
        reads.iter().all(|read| {
            let Some(owner) = owner(event, read.scope) else { return true };
            match (read.version, self.values.get(&(owner, read.key.clone()))) {
                (None, found) => found.is_none_or(|value| is_expired(value, now)),
                (Some(version), found) => found.is_some_and(|value| value.version == version),
            }
        })
    }

    pub(super) fn apply(
        &mut self,
        event: &Event,
        writes: &[Write],
        now: Timestamp,
        mistake: Option<Mistake>,
    ) {
        for write in writes {
            if write.change == Change::RemoveOfAll
                && write.scope == Scope::Person
                && mistake != Some(Mistake::ClearedForOne)
            {
                let chat = event.chat().map(|chat| &chat.id);
                self.values.retain(|((of, person), key), _| {
                    of.as_ref() != chat || person.is_none() || *key != write.key
                });
                continue;
            }
            let Some(owner) = owner(event, write.scope) else { continue };
            let place = (owner, write.key.clone());
            let text = match &write.change {
                Change::Remove | Change::RemoveOfAll => {
                    self.values.remove(&place);
                    continue;
                }
                Change::Set(text) => text.clone(),
                Change::Add(by) => {
                    let live = self.values.get(&place).filter(|value| !is_expired(value, now));
                    add(live.map(|value| value.text.as_str()), *by)
                }
            };
            self.version += 1;
            let value = Value { text, version: self.version, expires: write.expires };
            if let (Scope::Person, Some(person)) = (write.scope, event.person()) {
                self.names.insert(place.clone(), kept_name(&person.name));
            }
            self.values.insert(place, value);
        }
    }

    /// The live values under a key of all people in a chat.
    pub(super) fn of_members(
        &self,
        chat: &ChatId,
        wanted: &str,
        now: Timestamp,
        mistake: Option<Mistake>,
    ) -> MemberValues {
        let is_of_chat = |of: &Option<ChatId>| {
            of.as_ref() == Some(chat) || mistake == Some(Mistake::MembersOfAllChats)
        };
        let mut found = Vec::new();
        for (place, value) in &self.values {
            let ((of, Some(person)), key) = place else { continue };
            if is_of_chat(of) && key == wanted && !is_expired(value, now) {
                let name = self.names.get(place).cloned().unwrap_or_default();
                let text = value.text.clone();
                found.push((value.version, MemberValue { person: person.clone(), name, text }));
            }
        }
        let is_cut = found.len() > MemberValues::MOST;
        found.truncate(MemberValues::MOST);
        found.sort_by_key(|(version, _)| *version);
        MemberValues { values: found.into_iter().map(|(_, value)| value).collect(), is_cut }
    }

    /// The live values of an owner whose keys begin with the prefix.
    pub(super) fn of(
        &self,
        owner: &StateOwner,
        prefix: &str,
        now: Timestamp,
    ) -> BTreeMap<String, StateValue> {
        let owner = (owner.chat().cloned(), owner.person().cloned());
        let live = self.values.iter().filter(|(_, value)| !is_expired(value, now));
        let theirs = live.filter(|((of, key), _)| *of == owner && key.starts_with(prefix));
        theirs
            .map(|((_, key), Value { text, expires, .. })| {
                (key.clone(), StateValue { text: text.clone(), expires: *expires })
            })
            .collect()
    }

    /// The live values under one key in all chats.
    pub(super) fn of_chats(&self, wanted: &str, now: Timestamp) -> BTreeMap<ChatId, String> {
        let mut found = BTreeMap::new();
        for (((chat, person), key), value) in &self.values {
            if let (Some(chat), None) = (chat, person)
                && key == wanted
                && !is_expired(value, now)
            {
                found.insert(chat.clone(), value.text.clone());
            }
        }
        found
    }

    /// All values.
    pub(super) fn exported(&self) -> Vec<Exported> {
        let item = |(((chat, person), key), value): (&(Owner, String), &Value)| {
            let scope = match (chat, person) {
                (None, _) => Scope::Bot,
                (Some(_), None) => Scope::Chat,
                (Some(_), Some(_)) => Scope::Person,
            };
            Exported::State(ExportedValue {
                scope,
                chat: chat.as_ref().map_or_else(String::new, ToString::to_string),
                person: person.as_ref().map_or_else(String::new, ToString::to_string),
                key: key.clone(),
                value: value.text.clone(),
                expires: value.expires,
                name: self.names.get(&((chat.clone(), person.clone()), key.clone())).cloned(),
            })
        };
        self.values.iter().map(item).collect()
    }

    /// Deletes the values of a person and of these chats, and the bindings to the person. Returns how many there were.
    pub(super) fn forget(&mut self, person: &PersonId, chats: &[ChatId]) -> usize {
        let before = self.values.len();
        self.values.retain(|((chat, of), key), value| {
            let is_bound = chat.is_none()
                && Binding::read(key, &value.text).is_some_and(|bound| bound.person == *person);
            let is_kept_by_id = chat.is_none()
                && key.starts_with("person:")
                && key.ends_with(&format!(":{person}"));
            let is_theirs = of.as_ref() == Some(person) || is_kept_by_id;
            !is_bound && !is_theirs && !chat.as_ref().is_some_and(|chat| chats.contains(chat))
        });
        before - self.values.len()
    }

    /// Ends the binding of a name and returns it.
    pub(super) fn unbind(&mut self, name: &str, mistake: Option<Mistake>) -> Option<Binding> {
        let place = ((None, None), Binding::key(name));
        let value = match mistake {
            Some(Mistake::BindingKept) => self.values.get(&place).cloned(),
            _ => self.values.remove(&place),
        };
        Binding::read(&place.1, &value?.text)
    }

    pub(super) fn drop_expired(&mut self, now: Timestamp) {
        self.values.retain(|_, value| !is_expired(value, now));
    }
}
