//! The session: how it begins and ends, and why old ones are refused.

use super::{Entry, Session, World, chat::BACKLOG, message::Body};

/// How many ended sessions are remembered by their own code.
const ENDED: usize = 64;

impl World {
    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    pub(crate) fn session_mut(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// The world with a session that a client still has from an earlier life of it, by the id in the client's `wxsid`
    /// cookie. Everybody has the names of then; the log of the session begins anew.
    #[must_use]
    pub fn with_session(mut self, sid: &str) -> Self {
        let since = self.seconds();
        let session = Session::new(&mut self.draw, since).with_sid(sid);
        self.take_up(session);
        self
    }

    /// A login: new keys and new names for everybody. An older session is replaced (1101).
    pub(crate) fn begin_session(&mut self) -> &Session {
        let since = self.seconds();
        let session = Session::new(&mut self.draw, since);
        self.take_up(session)
    }

    fn take_up(&mut self, mut session: Session) -> &Session {
        self.end_session(1101);
        session.learn(&self.people, self.groups.len());
        for message in self.waiting.drain(..) {
            session.log.push(Entry::Message(message));
        }
        self.ever_logged_in = true;
        self.session.insert(session)
    }

    /// Ends the session. What it never handed out waits for the next one. False if there was none.
    pub(crate) fn end_session(&mut self, code: i32) -> bool {
        let Some(mut session) = self.session.take() else { return false };
        for entry in session.log.unread() {
            if let Entry::Message(message) = entry
                && !matches!(message.body, Body::Phone { .. })
                && self.waiting.len() < BACKLOG
            {
                self.waiting.push(message);
            }
        }
        self.ended.push_back((session.sid, code));
        if self.ended.len() > ENDED {
            self.ended.pop_front();
        }
        true
    }

    /// The code that tells why the session `sid` is over, if it was one.
    pub(crate) fn ended_with(&self, sid: &str) -> Option<i32> {
        self.ended.iter().rev().find(|(ended, _)| ended == sid).map(|(_, code)| *code)
    }
}
