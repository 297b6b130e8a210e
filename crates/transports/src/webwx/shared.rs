//! What receiving and sending share: the client, the directory, and news that one has for the other.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{Clock, Timestamp};
use mynah_webwx::Client;
use tokio::sync::Notify;

use super::backoff::Backoff;
use super::called_by::CalledBy;
use super::directory::Directory;

/// Shared by the source and the service of one account.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) names: CalledBy,
    pub(crate) clock: Arc<dyn Clock>,
    directory: Mutex<Directory>,
    state: Mutex<State>,
    /// Wakes the source when a send found that the session is over.
    session_over: Notify,
}

/// What is passed between receiving and sending.
struct State {
    online: bool,
    /// Why the session is over, as a send was told.
    session_over: Option<String>,
    sent: SentIds,
    throttle: Backoff,
    silent_until: Option<Timestamp>,
}

impl Shared {
    pub(crate) fn new(
        client: Client,
        names: CalledBy,
        clock: Arc<dyn Clock>,
        directory: Directory,
    ) -> Self {
        let state = State {
            online: false,
            session_over: None,
            sent: SentIds::default(),
            throttle: Backoff::too_frequent(),
            silent_until: None,
        };
        Self {
            client,
            names,
            clock,
            directory: Mutex::new(directory),
            state: Mutex::new(state),
            session_over: Notify::new(),
        }
    }

    /// The directory. The lock is held for moments, never across a call.
    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether names of the service are those of a login that holds.
    pub(crate) fn is_online(&self) -> bool {
        self.state().online
    }

    pub(crate) fn set_online(&self, online: bool) {
        let mut state = self.state();
        state.online = online;
        state.session_over = None;
    }

    /// A call other than the source's own was told that the session is over.
    pub(crate) fn report_session_over(&self, reason: String) {
        let mut state = self.state();
        if state.online {
            state.online = false;
            state.session_over = Some(reason);
            self.session_over.notify_one();
        }
    }

    /// Takes such a report.
    pub(crate) fn take_session_over(&self) -> Option<String> {
        self.state().session_over.take()
    }

    /// Waits for such a report. Cancel safe.
    pub(crate) async fn until_session_over(&self) {
        self.session_over.notified().await;
    }

    /// Remembers a message that this client sent: an echo of it is no news.
    pub(crate) fn remember_sent(&self, id: &str) {
        self.state().sent.remember(id);
    }

    /// Whether that message was sent by this client.
    pub(crate) fn is_echo(&self, id: &str) -> bool {
        self.state().sent.contains(id)
    }

    /// The service finds that the account sends too often. Returns how long to be silent.
    pub(crate) fn throttled(&self) -> Duration {
        let now = self.clock.now();
        let mut state = self.state();
        if let Some(until) = state.silent_until.filter(|until| *until > now) {
            return until.since(now);
        }
        let wait = state.throttle.fail();
        state.silent_until = Some(now + wait);
        wait
    }

    /// How much longer to be silent, if at all.
    pub(crate) fn silent_for(&self) -> Option<Duration> {
        let now = self.clock.now();
        self.state().silent_until.filter(|until| *until > now).map(|until| until.since(now))
    }

    /// The service took something: it no longer finds the account too busy.
    pub(crate) fn not_throttled(&self) {
        let mut state = self.state();
        // The notice may come after an answer that says all is well; so a silence once begun is kept.
        if state
            .silent_until
            .is_none_or(|until| until + Duration::from_secs(600) < self.clock.now())
        {
            state.throttle.succeed();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The ids of the last messages that were sent.
#[derive(Debug, Default)]
struct SentIds(VecDeque<String>);

impl SentIds {
    /// An echo comes within seconds; the service allows about a hundred messages in that time.
    const KEPT: usize = 500;

    fn remember(&mut self, id: &str) {
        if id.is_empty() {
            return;
        }
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        self.0.push_back(id.to_owned());
    }

    fn contains(&self, id: &str) -> bool {
        self.0.iter().any(|sent| sent == id)
    }
}
