//! What is said: the history of all chats, and its way to the client.

use std::sync::Arc;

use super::{
    Entry, News, World,
    message::{Body, Message},
    people::{Peer, PersonId},
};

/// So much of the past is kept for the page, for downloads and for recalls.
const HISTORY: usize = 20_000;

/// What is said while nobody is logged in and reaches the next session: a small backlog, as with the real service.
pub(super) const BACKLOG: usize = 200;

impl World {
    /// Puts a message of the world into the history and before the client. Dropped before the first login.
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

    /// Puts what the client sent into the history; the other people see it, the client does not, unless `echo`.
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

    /// Nineteen digits, growing, unlike those of another run: far beyond what a float can hold.
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

    /// Tells the client that a person or a group is new or has changed.
    pub(crate) fn tell_changed(&mut self, peer: Peer) {
        self.tell(Entry::Contact(peer));
    }

    pub(crate) fn tell(&mut self, entry: Entry) {
        self.news.push(News::People);
        if let Some(session) = &mut self.session {
            session.log.push(entry);
        }
    }

    pub(crate) fn message(&self, id: u64) -> Option<&Arc<Message>> {
        self.history.get(&id)
    }

    /// The messages that are still known, the oldest first.
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

    /// What has happened since this was asked last.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// How many messages of others stand in the chat since the client last read it or answered.
    pub(crate) fn unread(&self, chat: Peer) -> u32 {
        self.unread.get(&chat).copied().unwrap_or(0)
    }

    pub(crate) fn mark_read(&mut self, chat: Peer) {
        self.unread.remove(&chat);
    }
}
