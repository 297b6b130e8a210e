//! The events in an account, reported to the console at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mynah_core::{Decided, Event, EventBody, EventId, Prompt, Status, Timestamp};
use mynah_page::view::News;
use tokio::sync::broadcast;

use super::rows;
use crate::operate::is_mute;

/// Troubles that are remembered; the oldest go first.
const TROUBLES: usize = 20;

/// News that may wait for a slow browser; one that misses some reads everything again.
const WAITING: usize = 1024;

/// Sends the events to the visitors of the console.
#[derive(Debug, Clone)]
pub(crate) struct ConsoleFeed(broadcast::Sender<Arc<News>>);

/// The data that the observer of an account collects for the console.
#[derive(Debug, Default)]
pub(crate) struct Live {
    account: String,
    feed: ConsoleFeed,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    /// The login prompt for a person.
    prompt: Option<Prompt>,
    /// The faults, newest first.
    recent_errors: VecDeque<RecentError>,
}

/// A fault. Its chat and person are looked up when it is shown, so that they have their current names.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RecentError {
    /// When.
    pub(crate) time: Timestamp,
    /// The kind of trouble.
    pub(crate) kind: &'static str,
    /// On which event.
    pub(crate) event: Option<EventId>,
    /// The name of the chat, where that is known at once.
    pub(crate) chat: Option<String>,
    /// The name of the person, where that is known at once.
    pub(crate) person: Option<String>,
    /// Until when it has consequences.
    pub(crate) until: Option<Timestamp>,
    /// The words of the program.
    pub(crate) detail: String,
}

impl Default for ConsoleFeed {
    fn default() -> Self {
        Self(broadcast::channel(WAITING).0)
    }
}

impl ConsoleFeed {
    /// All news from now on.
    pub(super) fn follow(&self) -> broadcast::Receiver<Arc<News>> {
        self.0.subscribe()
    }

    /// An account came, went, or could not start.
    pub(crate) fn accounts_changed(&self) {
        self.tell(|| News::Status);
    }

    fn tell(&self, news: impl FnOnce() -> News) {
        // Most bots have no visitor most of the time.
        if self.0.receiver_count() > 0 {
            // The last one may have left just now.
            let _ = self.0.send(Arc::new(news()));
        }
    }
}

impl Live {
    /// Nothing has happened yet in this account.
    pub(crate) fn new(account: &str, feed: ConsoleFeed) -> Self {
        Self { account: account.to_owned(), feed, now: Mutex::default() }
    }

    /// The connection is in another state.
    pub(crate) fn status(&self, status: &Status) {
        match status {
            Status::Prompt(prompt) => self.now().prompt = Some(prompt.clone()),
            Status::Online { .. } => self.now().prompt = None,
            // It comes back by itself, or with another prompt.
            Status::Offline { .. } => {}
        }
        self.feed.tell(|| News::Status);
    }

    /// The account has ended.
    pub(crate) fn ended(&self) {
        self.now().prompt = None;
        self.feed.tell(|| News::Status);
    }

    /// The rule file was read again, and taken over or rejected.
    pub(crate) fn rules_changed(&self) {
        self.feed.tell(|| News::Reloaded);
    }

    /// A turn was committed.
    pub(crate) fn turn(&self, event: &Event, decided: &Decided) {
        self.feed.tell(|| News::Turn { entry: rows::log_row(&self.account, event, Some(decided)) });
        if matches!(event.body, EventBody::Started) {
            self.feed.tell(|| News::Reloaded);
        } else if is_mute(event) {
            self.feed.tell(|| News::Status);
        }
    }

    /// Something went wrong.
    pub(crate) fn recent_error(&self, recent_error: RecentError) {
        {
            let recent_errors = &mut self.now().recent_errors;
            recent_errors.push_front(recent_error);
            recent_errors.truncate(TROUBLES);
        }
        self.feed.tell(|| News::Status);
    }

    /// The login prompt for a person.
    pub(crate) fn prompt(&self) -> Option<Prompt> {
        self.now().prompt.clone()
    }

    /// The faults, newest first.
    pub(super) fn recent_errors(&self) -> Vec<RecentError> {
        self.now().recent_errors.iter().cloned().collect()
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_stands_until_somebody_logged_in() {
        let live = Live::default();
        let prompt = Prompt::Scan { url: "https://example.com/l/a".to_owned() };
        live.status(&Status::Prompt(prompt.clone()));
        assert_eq!(live.prompt(), Some(prompt));
        live.status(&Status::Online { name: "八哥".to_owned() });
        assert_eq!(live.prompt(), None);
    }

    #[test]
    fn old_troubles_are_forgotten() {
        let live = Live::default();
        for n in 0..TROUBLES + 5 {
            live.recent_error(RecentError { detail: n.to_string(), ..RecentError::default() });
        }
        let recent_errors = live.recent_errors();
        assert_eq!((recent_errors.len(), recent_errors[0].detail.as_str()), (TROUBLES, "24"));
    }

    #[test]
    fn visitors_hear_of_turns_and_of_new_rules() {
        let live = Live::default();
        let mut visitor = live.feed.follow();
        let event = Event {
            id: EventId::from("started:1"),
            time: Timestamp::default(),
            body: EventBody::Started,
        };
        live.turn(&event, &Decided::default());
        let News::Turn { entry } = &*visitor.try_recv().unwrap() else { panic!("a turn first") };
        assert_eq!((entry.id.as_str(), entry.kind), ("started:1", "started"));
        assert!(matches!(&*visitor.try_recv().unwrap(), News::Reloaded));
    }
}
