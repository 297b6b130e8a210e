//! The values under keys in three scopes.

use std::collections::BTreeMap;

use mynah_core::{
    Change, ChatId, Event, PersonId, Read, Scope, Snapshot, Timestamp, Value, Write, add,
};

/// The owner of a value: the bot, a chat, or a person in a chat.
type Owner = (Option<ChatId>, Option<PersonId>);

#[derive(Debug, Default)]
pub(super) struct Values {
    values: BTreeMap<(Owner, String), Value>,
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

    pub(super) fn apply(&mut self, event: &Event, writes: &[Write], now: Timestamp) {
        for write in writes {
            let Some(owner) = owner(event, write.scope) else { continue };
            let place = (owner, write.key.clone());
            let text = match &write.change {
                Change::Remove => {
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
            self.values.insert(place, value);
        }
    }

    pub(super) fn drop_expired(&mut self, now: Timestamp) {
        self.values.retain(|_, value| !is_expired(value, now));
    }
}
