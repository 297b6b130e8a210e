//! The messages: the history of all chats, and their delivery to the client.

use std::sync::Arc;

use super::{
    Entry, News, World,
    message::{Body, Message},
    people::{Peer, PersonId},
};

/// The number of messages that are kept for the page, for downloads and for recalls.
const HISTORY: usize = 20_000;

/// The number of messages that wait for the next login: a small backlog, as with the real service.
pub(super) const BACKLOG: usize = 200;

impl World {
    /// Adds a message to the history and delivers it to the client. Drops it before the first login.
    pub(crate) fn post(&mut self, chat: Peer, from: Option<PersonId>, body: Body) -> u64 {
        let message = self.compose(chat, from, body);
        let id = message.id;
        if !self.ever_logged_in {
            return id;
        }
        if !matches!(message.body, Body::Phone { .. }) {
            self.remember(&message);
            self.news.push(News::Message(message.clone()));
            *self.unread.entry(chat).or_default() +=
                u32::from(from.is_some_and(|from| from != PersonId::ME));
        }
        self.deliver(message);
        id
    }

    /// Adds a message of the client to the history; with `echo` the client receives it, too.
    pub(crate) fn record_sent(&mut self, chat: Peer, body: Body, echo: bool) -> Arc<Message> {
        let message = self.compose(chat, Some(PersonId::ME), body);
        self.remember(&message);
        self.unread.remove(&chat);
        if echo {
            self.deliver(message.clone());
        }
        message
    }

    fn compose(&mut self, chat: Peer, from: Option<PersonId>, body: Body) -> Arc<Message> {
        let time = self.now();
        let id = self.next_id(time);
        Arc::new(Message { id, time, chat, from, body })
    }

    /// Nineteen digits, increasing, different in each run: far beyond the precision of a float.
    fn next_id(&mut self, time: u64) -> u64 {
        let drawn = time * 1_000_000 + self.draw.below(1_000_000);
        self.last_id = drawn.max(self.last_id + 1 + self.draw.below(1000));
        self.last_id
    }

    fn remember(&mut self, message: &Arc<Message>) {
        self.history.insert(message.id, message.clone());
        while self.history.len() > HISTORY {
            if let Some((id, _)) = self.history.pop_first() {
                self.recalled.remove(&id);
            }
        }
    }

    fn deliver(&mut self, message: Arc<Message>) {
        match &mut self.session {
            Some(session) => session.log.push(Entry::Message(message)),
            None if self.waiting.len() < BACKLOG => self.waiting.push(message),
            None => {}
        }
    }

    /// Reports a new or changed person or group to the client.
    pub(crate) fn log_change(&mut self, peer: Peer) {
        self.log_entry(Entry::Contact(peer));
    }

    pub(crate) fn log_entry(&mut self, entry: Entry) {
        self.news.push(News::People);
        if let Some(session) = &mut self.session {
            session.log.push(entry);
        }
    }

    pub(crate) fn message(&self, id: u64) -> Option<&Arc<Message>> {
        self.history.get(&id)
    }

    /// The messages in the history, the oldest first.
    pub(crate) fn messages(&self) -> impl DoubleEndedIterator<Item = &Arc<Message>> {
        self.history.values()
    }

    pub(crate) fn is_recalled(&self, id: u64) -> bool {
        self.recalled.contains(&id)
    }

    pub(crate) fn mark_recalled(&mut self, id: u64) {
        self.recalled.insert(id);
        self.news.push(News::Recalled(id));
    }

    /// Takes the events since the last call.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The number of messages of other people in the chat since the client last read it or answered.
    pub(crate) fn unread(&self, chat: Peer) -> u32 {
        self.unread.get(&chat).copied().unwrap_or(0)
    }

    pub(crate) fn mark_read(&mut self, chat: Peer) {
        self.unread.remove(&chat);
    }
}
