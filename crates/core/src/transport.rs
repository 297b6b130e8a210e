//! A connection to a chat service under one account: a log of events in, a sender out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    Action, ActionId, ActionKind, Called, Chat, ChatId, Event, EventKind, MediaRef, MessageId,
    Pacing, Timestamp,
};

/// The memory of a transport: its own words under its own keys. Written in one transaction with the events read,
/// so that it says exactly how far the service was read.
pub type Records = BTreeMap<String, String>;

/// A connection to a chat service that is not open yet.
pub trait Transport: Send {
    /// Opens it with its records. Nothing is sent before the first [`Source::receive`].
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>);
}

/// Where events come from.
#[async_trait]
pub trait Source: Send {
    /// The next news. Calling again acknowledges the last batch: only then may the service be asked for more.
    ///
    /// Failures that pass (network, server) are retried inside, with backoff, and shown as [`Status::Offline`].
    ///
    /// # Errors
    ///
    /// [`ReceiveError`] where the account's session is over for good and a person must act.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a call that is dropped loses nothing.
    async fn receive(&mut self) -> Result<Incoming, ReceiveError>;

    /// Ends the session on the service. Called once, at an ordered stop that is meant to log out. Gives the records that
    /// change by it, to be kept: the next start is to find no session.
    async fn log_out(&mut self) -> Records;
}

/// News from the service.
#[derive(Debug)]
pub enum Incoming {
    /// Events, to be accepted before more is asked.
    Batch(Batch),
    /// The connection is in another state.
    Status(Status),
    /// The source has ended well: the account finishes its work and stops. [`Source::receive`] is called once more, so
    /// that a failure while the work is finished can still be reported; it must bring no more events.
    End,
}

/// Events together with the records that say how far the service was read.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Events in the order of the service. Some may have been delivered before.
    pub events: Vec<Event>,
    /// Records that changed; the others stay as they are. An empty value removes its record.
    pub records: Records,
    /// The present moment by the clock of the service, if the service reports it.
    pub service_time: Option<Timestamp>,
    /// Requests of the service to send less, which came with these events.
    pub throttled: Vec<Throttled>,
}

/// The service asks the account to send less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttled {
    /// The pause that it asks for, if it names one.
    pub pause: Option<Duration>,
}

/// The state of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Status {
    /// A person has something to do before the account is online.
    Prompt(Prompt),
    /// The account is online; actions may leave.
    Online {
        /// The account's own name on the service.
        name: String,
    },
    /// The service cannot be reached; it is tried again.
    Offline {
        /// The kind of failure, for people in their language.
        cause: OfflineCause,
        /// The failure in the words of the library or the service, for logs.
        detail: String,
        /// The pause before the next try; `None` if the other side has to connect.
        retry_in: Option<Duration>,
    },
}

/// Why a service cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineCause {
    /// No connection: network, DNS, TLS.
    Unreachable,
    /// This machine or process has no file descriptor left for a connection. The service has no part in it.
    NoDescriptors,
    /// The service answers with an error of its own.
    ServiceFailed,
    /// The service asks for a pause.
    Throttled,
    /// The session ended; it is resumed, or a login follows.
    SessionOver,
}

/// A task for a person at the login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "prompt", rename_all = "snake_case")]
pub enum Prompt {
    /// Scan a QR code with the phone.
    Scan {
        /// The text inside the QR code.
        url: String,
    },
    /// Confirm on the phone.
    Confirm {
        /// Whether a QR code was scanned before; else the phone was asked directly.
        scanned: bool,
    },
}

/// Why there is nothing more to receive.
#[derive(Debug, Error)]
pub enum ReceiveError {
    /// The session ended (logged out on the phone, replaced by another login) and could not be renewed.
    #[error("the account was logged out: {reason}")]
    LoggedOut {
        /// The words of the service, or their meaning.
        reason: String,
    },
    /// The service refuses this account.
    #[error("the service refuses this account: {words}")]
    Blocked {
        /// The words of the service.
        words: String,
    },
    /// The service does not let this account log in through this kind of client.
    #[error("the service refuses the login of this account: {words}")]
    LoginRefused {
        /// The words of the service.
        words: String,
    },
    /// The prompt was not followed in time.
    #[error("the login timed out: {reason}")]
    NotLoggedIn {
        /// The task that was waited for.
        reason: String,
    },
    /// The service answers in a way that no retry will mend.
    #[error("the service could not be used")]
    Unusable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where actions go. Shared by everything that acts on the account.
#[async_trait]
pub trait Service: Send + Sync {
    /// The capabilities of the service.
    fn capabilities(&self) -> Arc<Capabilities>;

    /// The chats that the account knows at present: groups, and the private chats of friends.
    fn chats(&self) -> Arc<[Chat]>;

    /// The names that the known members of a group show there, in an order that stays, without the own account.
    ///
    /// By default no member is known.
    fn members(&self, group: &ChatId) -> Vec<String> {
        let _ = group;
        Vec::new()
    }

    /// The friend whom a name in a rule file means now: the same as [`Person::certain_names`](crate::Person::certain_names)
    /// and [`Person::chosen_names`](crate::Person::chosen_names) of that friend's next message say.
    ///
    /// By default no friend has a name.
    fn person_called(&self, name: &str) -> Called {
        let _ = name;
        Called::Nobody
    }

    /// Performs an action. Dropping the future leaves the outcome unknown.
    ///
    /// # Errors
    ///
    /// [`SendError`] says whether the action may have taken effect, and whether it is worth another try.
    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError>;

    /// Fetches media, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`MediaError`] says whether it is gone, too large, or might come at another try.
    async fn media(&self, media: &MediaRef, limit: u64) -> Result<Bytes, MediaError>;
}

/// The capabilities of a service: data, so that `check` can warn and one pacer and one splitter serve all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The transport's name, e.g. `webwx`.
    pub transport: &'static str,
    /// The kinds of action it has.
    pub actions: BTreeSet<ActionKind>,
    /// The kinds of event that it reports beside messages.
    pub events: BTreeSet<EventKind>,
    /// The longest text, in [`counted_in`](Self::counted_in); longer ones are split. 0 means no limit.
    pub max_text: usize,
    /// The unit of [`max_text`](Self::max_text).
    pub counted_in: TextUnit,
    /// The largest picture or video in bytes.
    pub max_picture: u64,
    /// The largest file in bytes.
    pub max_file: u64,
    /// Whether a mention alerts the person.
    pub mention_alerts: bool,
    /// The messages of groups that it receives.
    pub group_delivery: GroupDelivery,
    /// Whether [`Service::chats`] is complete once the account is online; else it grows as people speak.
    pub lists_chats: bool,
    /// Whether groups have names, which conditions can ask for.
    pub has_names: bool,
    /// Whether an action of unknown outcome may be repeated, since the receiver drops a copy by its id.
    pub drops_copies: bool,
    /// How long after the last message of a chat something may be sent there; `None` for ever.
    pub reply_window: Option<Duration>,
    /// The limits to begin with; settings may give others.
    pub pacing: Pacing,
}

impl Capabilities {
    /// A service that can do everything, without limits: to begin with, and for services of tests.
    #[must_use]
    pub fn everything(transport: &'static str) -> Self {
        Self {
            transport,
            actions: ActionKind::ALL.iter().copied().collect(),
            events: EventKind::ALL.iter().copied().collect(),
            max_text: 0,
            counted_in: TextUnit::Chars,
            max_picture: u64::MAX,
            max_file: u64::MAX,
            mention_alerts: true,
            group_delivery: GroupDelivery::All,
            lists_chats: true,
            has_names: true,
            drops_copies: true,
            reply_window: None,
            pacing: Pacing::off(),
        }
    }
}

/// The unit in which a service counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUnit {
    /// Unicode characters.
    Chars,
    /// UTF-16 code units.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl TextUnit {
    /// The length of a character.
    #[must_use]
    pub const fn length_of(self, c: char) -> usize {
        match self {
            Self::Chars => 1,
            Self::Utf16 => c.len_utf16(),
            Self::Bytes => c.len_utf8(),
        }
    }

    /// The length of a text.
    #[must_use]
    pub fn length(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// The messages of groups that an account receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupDelivery {
    /// All.
    All,
    /// Those that call the bot.
    Calls,
    /// None: there are no groups.
    Nothing,
}

/// An action on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Its key: the same on every try, so that the service can drop a copy.
    pub id: ActionId,
    /// The chat it is for.
    pub chat: ChatId,
    /// The action.
    pub action: Action,
    /// When its turn committed; if the clock went back, the latest such time in its queue.
    pub queued: Timestamp,
    /// Which try this is, from 1.
    pub attempt: u32,
}

/// The service took an action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the new message, if the service reports it; proof of delivery.
    pub message: Option<MessageId>,
}

/// Why an action was not performed, or may not have been.
#[derive(Debug, Error)]
pub enum SendError {
    /// It certainly took no effect and is worth another try.
    #[error("not sent")]
    NotSent {
        /// When to try again, if the transport knows better than that waits grow with every try.
        retry_after: Option<Duration>,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The service finds that the account sends too often; it took no effect.
    #[error("the service says: too frequent")]
    TooFrequent {
        /// How long to be silent, if the service said so.
        retry_after: Option<Duration>,
    },
    /// The account is not logged in; it took no effect.
    #[error("not logged in")]
    NotLoggedIn,
    /// The service refuses it for good.
    #[error("refused: {reason}")]
    Refused {
        /// In words for people.
        reason: String,
    },
    /// The service has no such action.
    #[error("{transport} cannot do this: {action}")]
    Unsupported {
        /// The transport's name.
        transport: &'static str,
        /// The kind of action that it lacks.
        action: ActionKind,
    },
    /// The request left, and no answer shows whether it took effect.
    #[error("no answer says whether it was sent")]
    Unknown {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why media could not be had.
#[derive(Debug, Error)]
pub enum MediaError {
    /// The service does not have it (any more).
    #[error("the media is gone")]
    Gone,
    /// It is larger than asked for.
    #[error("the media is larger than {limit} bytes")]
    TooLarge {
        /// The limit given.
        limit: u64,
    },
    /// There is no service here, or it cannot fetch this.
    #[error("there is no service to fetch media from")]
    Unavailable,
    /// It may come at another try.
    #[error("the media could not be fetched")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
