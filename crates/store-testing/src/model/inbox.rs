//! The events: inbox and log in one list, the oldest first.

use mynah_core::{
    ChatId, Decided, Event, EventBody, EventId, Lane, NoticeKind, PersonId, Timestamp,
};

use crate::Mistake;

/// The number of times that the process may die on an event before the event is set aside.
pub(super) const ATTEMPTS: u32 = 3;

#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) events: Vec<KeptEvent>,
    /// The ids of deleted events.
    seen: Vec<EventId>,
}

#[derive(Debug)]
pub(super) struct KeptEvent {
    pub(super) seq: i64,
    pub(super) event: Event,
    pub(super) accepted: Timestamp,
    pub(super) handled: Option<Timestamp>,
    pub(super) decided: Option<Decided>,
    /// Whether readers take it for unreadable.
    pub(super) is_spoilt: bool,
    begun: bool,
    attempts: u32,
}

impl KeptEvent {
    pub(super) const fn is_handled(&self) -> bool {
        self.handled.is_some()
    }
}

impl Inbox {
    /// Adds an event unless its id is known. Returns whether it is new.
    pub(super) fn insert(&mut self, event: &Event, now: Timestamp) -> bool {
        let is_known = self.events.iter().any(|kept| kept.event.id == event.id);
        let is_new = !is_known && !self.seen.contains(&event.id);
        if is_new {
            self.events.push(KeptEvent {
                seq: self.events.last().map_or(1, |last| last.seq + 1),
                event: event.clone(),
                accepted: now,
                handled: None,
                decided: None,
                is_spoilt: false,
                begun: false,
                attempts: 0,
            });
        }
        is_new
    }

    pub(super) fn forget_handled(&mut self, id: &EventId) {
        self.events.retain(|kept| kept.event.id != *id || !kept.is_handled());
    }

    /// The events that a person caused.
    pub(super) fn events_of(&self, person: &PersonId) -> Vec<EventId> {
        self.by(person).map(|event| event.id.clone()).collect()
    }

    /// The private chats in which a person was seen.
    pub(super) fn private_chats_of(&self, person: &PersonId) -> Vec<ChatId> {
        let seen = self
            .by(person)
            .filter(|event| !matches!(event.body, EventBody::Due(_)))
            .map(Event::chat);
        let private = seen.flatten().filter(|chat| !chat.is_group());
        private.map(|chat| chat.id.clone()).collect()
    }

    fn by(&self, person: &PersonId) -> impl Iterator<Item = &Event> {
        let events = self.events.iter().map(|kept| &kept.event);
        events.filter(move |event| event.person().is_some_and(|by| by.id == *person))
    }

    /// Deletes events and keeps their ids. Returns the number of deleted events.
    pub(super) fn forget(&mut self, ids: &[EventId], mistake: Option<Mistake>) -> usize {
        let before = self.events.len();
        self.events.retain(|kept| !ids.contains(&kept.event.id));
        if mistake != Some(Mistake::ForgottenIdsNew) {
            self.seen.extend_from_slice(ids);
        }
        before - self.events.len()
    }

    fn open(&self) -> impl DoubleEndedIterator<Item = &KeptEvent> {
        self.events.iter().filter(|kept| !kept.is_handled())
    }

    pub(super) fn is_open(&self, id: &EventId) -> bool {
        self.open().any(|kept| kept.event.id == *id)
    }

    pub(super) fn has_more(&self, lane: &Lane) -> bool {
        self.open().any(|kept| kept.event.lane() == *lane)
    }

    /// The oldest unhandled event of a lane, marked as begun.
    pub(super) fn begin(&mut self, lane: &Lane, newest_first: bool) -> Option<Event> {
        let is_next = |kept: &KeptEvent| !kept.is_handled() && kept.event.lane() == *lane;
        let place = match newest_first {
            true => self.events.iter().rposition(is_next),
            false => self.events.iter().position(is_next),
        }?;
        self.events[place].begun = true;
        let mut event = self.events[place].event.clone();
        self.fill_in_original(&mut event);
        Some(event)
    }

    /// Marks an event as begun with its acceptance.
    pub(super) fn begin_new(&mut self, mut event: Event, marks: bool) -> Event {
        for kept in self.events.iter_mut().filter(|kept| kept.event.id == event.id) {
            kept.begun = marks;
        }
        self.fill_in_original(&mut event);
        event
    }

    fn fill_in_original(&self, event: &mut Event) {
        let EventBody::Notice(notice) = &mut event.body else { return };
        let NoticeKind::Recall { message, original } = &mut notice.kind else { return };
        let mut messages = self.events.iter().filter_map(|kept| kept.event.message());
        *original = messages.find(|one| one.id == *message).cloned().map(Box::new);
    }

    pub(super) fn close(&mut self, id: &EventId, decided: &Decided, now: Timestamp) {
        for kept in self.events.iter_mut().filter(|kept| kept.event.id == *id) {
            kept.handled = Some(now);
            kept.decided = Some(decided.clone());
            kept.begun = false;
        }
    }

    /// Counts an attempt for every event that was begun; without `keeps_begun` it counts once.
    pub(super) fn count_attempts(&mut self, keeps_begun: bool) {
        for kept in self.events.iter_mut().filter(|kept| kept.begun) {
            kept.attempts += 1;
            kept.begun = keeps_begun;
        }
    }

    /// Sets aside the events with too many attempts.
    pub(super) fn set_aside(&mut self, now: Timestamp) -> Vec<EventId> {
        let poison = self.open().filter(|kept| kept.attempts >= ATTEMPTS);
        let ids: Vec<EventId> = poison.map(|kept| kept.event.id.clone()).collect();
        for id in &ids {
            let passed_over = Some("set aside".to_owned());
            self.close(id, &Decided { passed_over, ..Decided::default() }, now);
        }
        ids
    }

    /// The lanes with unhandled events, the longest waiting first.
    pub(super) fn open_lanes(&self) -> Vec<Lane> {
        distinct(self.open().map(|kept| kept.event.lane()))
    }

    /// The lanes with unhandled timer events, the longest waiting first.
    pub(super) fn due_lanes(&self) -> Vec<Lane> {
        let due = self.open().filter(|kept| matches!(kept.event.body, EventBody::Due(_)));
        distinct(due.map(|kept| kept.event.lane()))
    }

    /// The lanes with an event on which the process ended at least this often, the fewest attempts first.
    pub(super) fn suspects(&self, attempts: u32) -> Vec<Lane> {
        let suspects = || self.open().filter(|kept| kept.attempts >= attempts);
        let mut lanes = distinct(suspects().map(|kept| kept.event.lane()));
        let most = |lane: &Lane| {
            let of_lane = suspects().filter(|kept| kept.event.lane() == *lane);
            of_lane.map(|kept| kept.attempts).max()
        };
        lanes.sort_by_key(most);
        lanes
    }
}

/// Removes repeated items and keeps the first of each.
pub(super) fn distinct<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for item in items {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}
