//! Observers of an account: logs, metrics, alerts, the console.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Chat, Decided, Event, EventId, Outcome, Outgoing, Person, Status, Timestamp};

/// Gets a call for everything that happens. The work waits for these calls: be quick, and never block.
pub trait Observer: Send + Sync {
    /// The state of the connection changed.
    fn status(&self, status: &Status) {
        let _ = status;
    }

    /// A batch of this many events was accepted; some of them may be repetitions.
    fn accepted(&self, events: usize) {
        let _ = events;
    }

    /// A turn was committed.
    fn turn(&self, event: &Event, decided: &Decided) {
        let _ = (event, decided);
    }

    /// An action was settled, or will be tried again; `took` is the time that the service needed.
    fn sent(&self, outgoing: &Outgoing, outcome: &Outcome, took: Duration) {
        let _ = (outgoing, outcome, took);
    }

    /// A problem occurred, and the account goes on.
    fn trouble(&self, trouble: &Trouble) {
        let _ = trouble;
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// All of them, in order.
impl Observer for Vec<Arc<dyn Observer>> {
    fn status(&self, status: &Status) {
        self.iter().for_each(|observer| observer.status(status));
    }

    fn accepted(&self, events: usize) {
        self.iter().for_each(|observer| observer.accepted(events));
    }

    fn turn(&self, event: &Event, decided: &Decided) {
        self.iter().for_each(|observer| observer.turn(event, decided));
    }

    fn sent(&self, outgoing: &Outgoing, outcome: &Outcome, took: Duration) {
        self.iter().for_each(|observer| observer.sent(outgoing, outcome, took));
    }

    fn trouble(&self, trouble: &Trouble) {
        self.iter().for_each(|observer| observer.trouble(trouble));
    }
}

/// A problem that did not end the account.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// A handler failed, panicked or took too long; its effects were dropped.
    HandlerFailed {
        /// The name of the handler.
        handler: String,
        /// The event that it handled.
        event: EventId,
        /// The error with all its causes.
        error: String,
    },
    /// A rule calls a handler that is not registered.
    NoSuchHandler {
        /// The name of the handler.
        handler: String,
        /// The event of the rule.
        event: EventId,
    },
    /// The texts of a turn would have become too many messages in a chat; the last ones are not sent.
    TooLong {
        /// The event of the turn.
        event: EventId,
        /// The number of messages that are not sent.
        dropped: u32,
    },
    /// The process died on this event too often; it is not tried again.
    SetAside {
        /// The event.
        event: EventId,
    },
    /// The process ended while an action was in flight.
    InDoubt {
        /// The id of the action, as text.
        action: String,
    },
    /// The service reports that the account sends too often.
    TooFrequent {
        /// Nothing is sent before this time.
        until: Timestamp,
    },
    /// A turn would have removed more people than the limit of an hour allows; these stay.
    TooManyKicks {
        /// The event of the turn.
        event: EventId,
        /// The number of people who were not removed.
        dropped: u32,
        /// No person is removed before this time.
        until: Timestamp,
    },
    /// A person repeats the same texts, as another bot would.
    Loop {
        /// The chat.
        chat: Chat,
        /// The person.
        person: Person,
        /// The person gets no answer before this time.
        until: Timestamp,
    },
}
