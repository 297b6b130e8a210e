//! The session: its begin and its end, and the codes for ended sessions.

use super::{Entry, Session, World, chat::BACKLOG, message::Body};

/// The number of ended sessions whose code is remembered.
const ENDED: usize = 64;

impl World {
    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    pub(crate) fn session_mut(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    /// Restores a session that a client still has from an earlier run of the world, by the id in its `wxsid` cookie.
    /// All people and groups keep their names of that session; its log starts anew.
    #[must_use]
    pub fn with_session(mut self, sid: &str) -> Self {
        let since = self.seconds();
        let session = Session::new(&mut self.draw, since).with_sid(sid);
        self.begin_session_with(session);
        self
    }

    /// Logs a client in, with new keys and new names for all contacts. Replaces an older session (code 1101).
    pub(crate) fn begin_session(&mut self) -> &Session {
        let since = self.seconds();
        let session = Session::new(&mut self.draw, since);
        self.begin_session_with(session)
    }

    fn begin_session_with(&mut self, mut session: Session) -> &Session {
        self.end_session(1101);
        session.learn(&self.people, self.groups.len());
        for message in self.waiting.drain(..) {
            session.log.push(Entry::Message(message));
        }
        self.ever_logged_in = true;
        self.session.insert(session)
    }

    /// Ends the session. Entries that were never delivered wait for the next session. Returns false if there was
    /// none.
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

    /// The code with which the session `sid` ended, if it existed.
    pub(crate) fn ended_with(&self, sid: &str) -> Option<i32> {
        self.ended.iter().rev().find(|(ended, _)| ended == sid).map(|(_, code)| *code)
    }
}
