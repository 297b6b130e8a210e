//! The timers.

use std::collections::BTreeMap;

use mynah_core::{
    ChatId, Due, Event, EventBody, Exported, PersonId, Timer, TimerChange, Timestamp,
};

#[derive(Debug, Default)]
pub(super) struct Timers {
    timers: BTreeMap<(Option<ChatId>, String), Timer>,
}

impl Timers {
    pub(super) fn apply(&mut self, changes: &[TimerChange]) {
        for change in changes {
            match change {
                TimerChange::Set(timer) => {
                    let chat = timer.chat.as_ref().map(|chat| chat.id.clone());
                    self.timers.insert((chat, timer.key.clone()), timer.clone());
                }
                TimerChange::Cancel { chat, key } => {
                    self.timers.remove(&(chat.clone(), key.clone()));
                }
            }
        }
    }

    /// Takes the timers that are due as events, the earliest first.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Event> {
        let is_due = |timer: &&Timer| timer.at <= now;
        let mut due: Vec<Timer> = self.timers.values().filter(is_due).cloned().collect();
        self.timers.retain(|_, timer| timer.at > now);
        due.sort_by_key(|timer| timer.at);
        due.into_iter().map(into_event).collect()
    }

    /// Deletes the timers of a person and of these chats, and returns how many there were.
    pub(super) fn forget(&mut self, person: &PersonId, chats: &[ChatId]) -> usize {
        let before = self.timers.len();
        self.timers.retain(|(chat, _), timer| {
            let is_theirs = timer.person.as_ref().is_some_and(|owner| owner.id == *person);
            !is_theirs && !chat.as_ref().is_some_and(|chat| chats.contains(chat))
        });
        before - self.timers.len()
    }

    pub(super) fn len(&self) -> usize {
        self.timers.len()
    }

    pub(super) fn exported(&self) -> impl Iterator<Item = Exported> {
        let json = |timer| serde_json::to_value(timer).expect("a timer has a stored form");
        self.timers.values().map(move |timer| Exported::Timer(json(timer)))
    }

    /// When the earliest timer is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.timers.values().map(|timer| timer.at).min()
    }
}

fn into_event(timer: Timer) -> Event {
    let Timer { key, at, chat, person, name, data } = timer;
    let id = Event::id_of_due(chat.as_ref().map(|chat| &chat.id), &key, at);
    Event { id, time: at, body: EventBody::Due(Due { key, at, chat, person, name, data }) }
}
