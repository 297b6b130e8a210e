//! The common state of receiving and sending: the client, the directory, and news from one for the other.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{ActionId, CalledBy, ChatId, Clock, Timestamp};
use mynah_webwx::Client;
use tokio::sync::Notify;

use super::backoff::Backoff;
use super::directory::Directory;
use super::earlier::{EarlierTries, UploadedPart};

/// For so long nothing is sent to a person whom the service reports as not a friend; then it is tried again.
const UNREACHABLE: Duration = Duration::from_secs(10 * 60);

/// The size of a group from which on it is entered by invitation, unless the service names another one.
const INVITE_START: usize = 40;

/// Shared by the source and the service of one account.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) names: CalledBy,
    pub(crate) clock: Arc<dyn Clock>,
    directory: Mutex<Directory>,
    state: Mutex<State>,
    /// Wakes the source when the session is in doubt.
    doubted: Notify,
}

/// The news between receiving and sending.
struct State {
    online: bool,
    /// How often the session was doubted: a call other than those that read was answered as if it were over.
    doubts: u64,
    /// How many of these doubts were settled by an answer of a call that reads.
    settled: u64,
    earlier: EarlierTries,
    /// Until when nothing is sent to these chats, as their people are not friends.
    unreachable: BTreeMap<ChatId, Timestamp>,
    sent: SentIds,
    throttle: Backoff,
    silent_until: Option<Timestamp>,
    /// From this size on, a group is entered by invitation.
    invite_start: usize,
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
            doubts: 0,
            settled: 0,
            earlier: EarlierTries::default(),
            unreachable: BTreeMap::new(),
            sent: SentIds::default(),
            throttle: Backoff::too_frequent(),
            silent_until: None,
            invite_start: INVITE_START,
        };
        Self {
            client,
            names,
            clock,
            directory: Mutex::new(directory),
            state: Mutex::new(state),
            doubted: Notify::new(),
        }
    }

    /// The directory. The lock is held for moments, never across a call.
    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size from which on a group is entered by invitation.
    pub(crate) fn invite_start(&self) -> usize {
        self.state().invite_start
    }

    /// Takes that size over from the service, if it names one.
    pub(crate) fn set_invite_start(&self, size: i64) {
        if let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) {
            self.state().invite_start = size;
        }
    }

    /// Whether names of the service are those of a login that holds.
    pub(crate) fn is_online(&self) -> bool {
        self.state().online
    }

    pub(crate) fn set_online(&self, online: bool) {
        let mut state = self.state();
        state.online = online;
        state.settled = state.doubts;
        state.earlier.forget_session();
    }

    // -- Doubts about the session. No call but those that read, the poll and the sync, can end it.

    /// A call was answered as if the session were over: the source is to find out. Returns the number of the doubt.
    pub(crate) fn doubt_session(&self) -> u64 {
        let mut state = self.state();
        state.doubts += 1;
        self.doubted.notify_one();
        state.doubts
    }

    /// How many doubts there were so far.
    pub(crate) fn doubts(&self) -> u64 {
        self.state().doubts
    }

    /// A call that reads worked, and began after so many doubts: those were unfounded. Returns whether any was open.
    pub(crate) fn settle_doubts(&self, doubts: u64) -> bool {
        let mut state = self.state();
        let settles = doubts > state.settled;
        state.settled = state.settled.max(doubts);
        settles
    }

    /// Whether a doubt is open.
    pub(crate) fn is_doubted(&self) -> bool {
        let state = self.state();
        state.doubts > state.settled
    }

    /// Waits for a doubt. Cancel safe.
    pub(crate) async fn until_doubted(&self) {
        self.doubted.notified().await;
    }

    /// An action was answered as if the session were over. Returns whether the session is known to have gone on after
    /// the first such answer to it: then the action itself is refused. Else the session is in doubt.
    pub(crate) fn is_refused_itself(&self, action: &ActionId) -> bool {
        let first = self.state().earlier.of(action).doubt;
        if let Some(doubt) = first {
            return doubt <= self.state().settled;
        }
        let doubt = self.doubt_session();
        self.state().earlier.of(action).doubt = Some(doubt);
        false
    }

    // -- Earlier tries.

    /// The service refused an action with a code that may pass. Returns how often by now.
    pub(crate) fn declined(&self, action: &ActionId) -> u32 {
        let mut state = self.state();
        let tries = state.earlier.of(action);
        tries.declined += 1;
        tries.declined
    }

    /// The upload of this part by an earlier try of the action.
    pub(crate) fn uploaded(&self, action: &ActionId, part: u32) -> Option<UploadedPart> {
        self.state().earlier.of(action).uploaded(part).cloned()
    }

    /// Remembers an upload for the next try.
    pub(crate) fn remember_uploaded(&self, action: &ActionId, part: u32, upload: UploadedPart) {
        self.state().earlier.of(action).remember_uploaded(part, upload);
    }

    /// The id of the message that showed this part of an action, if an earlier try got so far.
    pub(crate) fn shown(&self, action: &ActionId, part: u32) -> Option<String> {
        self.state().earlier.of(action).shown(part).map(str::to_owned)
    }

    /// Remembers that a part of an action was shown: another try goes on behind it.
    pub(crate) fn remember_shown(&self, action: &ActionId, part: u32, message: &str) {
        self.state().earlier.of(action).remember_shown(part, message);
    }

    /// The action was done or given up.
    pub(crate) fn forget_tries(&self, action: &ActionId) {
        self.state().earlier.forget(action);
    }

    // -- People who are not friends.

    /// The service says that nothing reaches this chat.
    pub(crate) fn note_unreachable(&self, chat: &ChatId) {
        let now = self.clock.now();
        let mut state = self.state();
        state.unreachable.retain(|_, until| *until > now);
        state.unreachable.insert(chat.clone(), now + UNREACHABLE);
    }

    /// The other person spoke or became a friend.
    pub(crate) fn note_reachable(&self, chat: &ChatId) {
        self.state().unreachable.remove(chat);
    }

    /// Whether nothing reaches this chat, as the service said lately.
    pub(crate) fn is_unreachable(&self, chat: &ChatId) -> bool {
        let now = self.clock.now();
        self.state().unreachable.get(chat).is_some_and(|until| *until > now)
    }

    /// Remembers a message that this client sent, so that its echo is ignored.
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
struct SentIds {
    ids: HashSet<Arc<str>>,
    /// The same, oldest first.
    order: VecDeque<Arc<str>>,
}

impl SentIds {
    /// An echo comes within seconds; the service allows about a hundred messages in that time.
    const KEPT: usize = 500;

    fn remember(&mut self, id: &str) {
        let id: Arc<str> = id.into();
        if id.is_empty() || !self.ids.insert(Arc::clone(&id)) {
            return;
        }
        if self.order.len() == Self::KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        self.order.push_back(id);
    }

    fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_sent_ids_are_forgotten() {
        let mut sent = SentIds::default();
        for n in (0..=SentIds::KEPT).chain([SentIds::KEPT]) {
            sent.remember(&n.to_string());
        }
        sent.remember("");
        let known = ["0", "1", ""].map(|id| sent.contains(id));
        assert_eq!(known, [false, true, false]);
        assert_eq!((sent.ids.len(), sent.order.len()), (SentIds::KEPT, SentIds::KEPT));
    }
}
