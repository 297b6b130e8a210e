//! Who wants to know what an account does: logs, metrics, alerts, the console.

use std::time::Duration;

use mynah_core::{Chat, Decided, Event, EventId, Outcome, Outgoing, Person, Status, Timestamp};

/// Told of everything that happens. Called from the middle of the work: be quick, and never block.
pub trait Observer: Send + Sync {
    /// The connection is in another state.
    fn status(&self, status: &Status) {
        let _ = status;
    }

    /// A batch was accepted: so many events, some of which may have been seen before.
    fn accepted(&self, events: usize) {
        let _ = events;
    }

    /// A turn was committed.
    fn turn(&self, event: &Event, decided: &Decided) {
        let _ = (event, decided);
    }

    /// An action was settled, or is to be tried again; `took` is the time the service took.
    fn sent(&self, outgoing: &Outgoing, outcome: &Outcome, took: Duration) {
        let _ = (outgoing, outcome, took);
    }

    /// Something went wrong, and the account goes on.
    fn trouble(&self, trouble: &Trouble) {
        let _ = trouble;
    }
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// Something that went wrong without ending the account.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// A handler failed, panicked or took too long; its effects were dropped.
    HandlerFailed {
        /// Its name.
        handler: String,
        /// On which event.
        event: EventId,
        /// What it failed with, with all causes.
        error: String,
    },
    /// A rule wants a handler that nobody registered.
    NoSuchHandler {
        /// The name it wants.
        handler: String,
        /// For which event.
        event: EventId,
    },
    /// The texts of a turn would have become too many messages in a chat; those at the end are not sent.
    TooLong {
        /// Of the turn of which event.
        event: EventId,
        /// How many messages are not sent.
        dropped: u32,
    },
    /// The process died on this event too often; it is not tried again.
    SetAside {
        /// Which event.
        event: EventId,
    },
    /// The process ended while an action was on its way.
    InDoubt {
        /// Which action, as text.
        action: String,
    },
    /// The service finds that the account speaks too often.
    TooFrequent {
        /// Nothing is sent before this moment.
        until: Timestamp,
    },
    /// Somebody only repeats himself, as another bot would.
    Loop {
        /// In which chat.
        chat: Chat,
        /// Who.
        person: Person,
        /// Until when he gets no answer.
        until: Timestamp,
    },
}
