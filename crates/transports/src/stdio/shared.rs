//! The state that reading and writing share: people, chats, and actions that wait for their outcome.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{
    Chat, ChatId, Event, EventBody, Notice, NoticeKind, Origin, Person, PersonId, Records, to_map,
};
use tokio::sync::{oneshot, watch};

use super::line::Answer;
use super::people::People;

/// The records of chats begin with this; the id follows.
const CHAT: &str = "stdio.chat.";

/// So many chats are remembered.
const MOST_CHATS: usize = 10_000;

/// So many members are remembered, over all groups and until the program ends.
const MOST_MEMBERS: usize = 60_000;

/// Shared by the source and the service of one account.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) people: People,
    /// How long an action waits for its outcome, if it does.
    pub(super) outcomes: Option<Duration>,
    /// How the streams are.
    pub(super) streams: watch::Sender<Streams>,
    state: Mutex<State>,
}

/// How the streams are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Streams {
    /// The input has ended: nothing more is answered.
    pub(super) has_ended: bool,
    /// The reader of the output has gone away.
    pub(super) reader_is_gone: bool,
}

#[derive(Debug, Default)]
struct State {
    chats: BTreeMap<ChatId, Chat>,
    /// The same as a list, made when it is asked for: a batch may bring thousands of new chats.
    listed: Option<Arc<[Chat]>>,
    /// The names of the members of groups who spoke or joined in this run, by their ids.
    members: BTreeMap<ChatId, BTreeMap<PersonId, String>>,
    /// Actions that wait for their outcome.
    waiting: BTreeMap<String, oneshot::Sender<Answer>>,
}

impl Shared {
    pub(super) fn new(people: People, outcomes: Option<Duration>, records: &Records) -> Self {
        let mut chats = to_map(people.chats().map(|chat| (chat.id.clone(), chat)));
        let kept = records.iter().filter(|(key, _)| key.starts_with(CHAT));
        let kept = kept.filter_map(|(_, value)| serde_json::from_str::<Chat>(value).ok());
        chats.extend(kept.map(|chat| (chat.id.clone(), chat)));
        let state = Mutex::new(State { chats, ..State::default() });
        Self { people, outcomes, streams: watch::Sender::default(), state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a chat. Returns the record that keeps it, if it is new or has another name.
    pub(super) fn meet(&self, chat: &Chat) -> Option<(String, String)> {
        let mut state = self.state();
        let is_known = state.chats.get(&chat.id).is_some_and(|known| known == chat);
        let is_full = state.chats.len() >= MOST_CHATS && !state.chats.contains_key(&chat.id);
        if is_known || is_full {
            return None;
        }
        state.chats.insert(chat.id.clone(), chat.clone());
        state.listed = None;
        let value = serde_json::to_string(chat).ok()?;
        Some((format!("{CHAT}{}", chat.id), value))
    }

    /// Takes note of the people whom an event shows to be members of its group, or not to be members any more.
    pub(super) fn meet_members(&self, event: &Event) {
        let Some(group) = event.chat().filter(|chat| chat.is_group()) else { return };
        let (present, gone): (&[Person], &[Person]) = match &event.body {
            EventBody::Message(message) if message.origin == Origin::Person => {
                (std::slice::from_ref(&message.sender), &[])
            }
            EventBody::Notice(Notice { kind: NoticeKind::Join { people }, .. }) => (people, &[]),
            EventBody::Notice(Notice { kind: NoticeKind::Leave { people }, .. }) => (&[], people),
            _ => return,
        };
        let mut state = self.state();
        let count: usize = state.members.values().map(BTreeMap::len).sum();
        let members = state.members.entry(group.id.clone()).or_default();
        for person in present {
            if count < MOST_MEMBERS || members.contains_key(&person.id) {
                members.insert(person.id.clone(), person.name.clone());
            }
        }
        gone.iter().for_each(|person| drop(members.remove(&person.id)));
    }

    /// The names of the members of a group seen so far.
    pub(super) fn members(&self, group: &ChatId) -> Vec<String> {
        let state = self.state();
        state.members.get(group).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// The chats seen so far.
    pub(super) fn chats(&self) -> Arc<[Chat]> {
        let State { chats, listed, .. } = &mut *self.state();
        let listed = listed.get_or_insert_with(|| chats.values().cloned().collect());
        Arc::clone(listed)
    }

    /// Begins to wait for the outcome of an action.
    pub(super) fn expect(&self, action: String) -> oneshot::Receiver<Answer> {
        let (answer, outcome) = oneshot::channel();
        self.state().waiting.insert(action, answer);
        outcome
    }

    /// Waits no longer for the outcome of an action.
    pub(super) fn give_up(&self, action: &str) {
        self.state().waiting.remove(action);
    }

    /// Takes the outcome of an action. Returns whether it was waited for.
    pub(super) fn settle(&self, action: &str, answer: Answer) -> bool {
        let waiting = self.state().waiting.remove(action);
        waiting.is_some_and(|waiting| waiting.send(answer).is_ok())
    }
}
