//! When the last action of a chat was queued, among its unsettled actions: reading it costs a walk along the queue.

use std::collections::BTreeMap;

use mynah_core::{ChatId, Timestamp};

/// The number of chats that are remembered. The others are read.
const MOST: usize = 1000;

/// The latest queuing times among the unsettled actions of chats; `None` for a chat without such actions.
#[derive(Debug, Default)]
pub(crate) struct Tails(BTreeMap<ChatId, Option<Timestamp>>);

impl Tails {
    /// The time for a chat, if it is known.
    pub(crate) fn get(&self, chat: &ChatId) -> Option<Option<Timestamp>> {
        self.0.get(chat).copied()
    }

    /// Remembers the time of a chat.
    pub(crate) fn note(&mut self, chat: &ChatId, last: Option<Timestamp>) {
        if let Some(known) = self.0.get_mut(chat) {
            *known = last;
            return;
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(chat.clone(), last);
    }

    /// An action that was queued then is settled: it may have been the last.
    pub(crate) fn left(&mut self, chat: &ChatId, queued: Timestamp) {
        if self.get(chat).flatten().is_some_and(|last| last <= queued) {
            self.forget(chat);
        }
    }

    pub(crate) fn forget(&mut self, chat: &ChatId) {
        self.0.remove(chat);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
