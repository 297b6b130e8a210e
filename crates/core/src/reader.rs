//! Reading the data of an account, also beside the process that works with it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use crate::{
    Binding, Chat, ChatId, Fleet, LogPage, LogQuery, Logged, MovingStore, PersonId, Records, Scope,
    Store, StoreError, Timestamp, Unreadable,
};

/// The data of several accounts: files in folders, or a database.
#[async_trait]
pub trait Stores: fmt::Debug + Send + Sync {
    /// Opens the data of an account for work and takes its lease. An account without data gets an empty store.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process works with it; [`StoreError::Moved`] or [`StoreError::Moving`] if it has a
    /// [mark](MovingStore::mark).
    async fn open(&self, account: &str) -> Result<Arc<dyn Store>, StoreError>;

    /// Opens the data of an account for reading, without the lease; `None` if the account has no data.
    async fn reader(&self, account: &str) -> Result<Option<Arc<dyn StoreReader>>, StoreError>;

    /// Opens the data of an account for moving it, and takes its lease. Also if a move has marked it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] if this kind of store cannot move data.
    async fn open_to_move(&self, account: &str) -> Result<Arc<dyn MovingStore>, StoreError> {
        let _ = account;
        Err(StoreError::Unsupported { instead: "move the data with the tools of the store" })
    }

    /// The accounts with data, in the order of their names.
    async fn accounts(&self) -> Result<Vec<String>, StoreError>;

    /// How processes share these accounts; `None` for a store that only one process can use.
    fn fleet(&self) -> Option<Arc<dyn Fleet>> {
        None
    }
}

/// Read access to the data of one account. Never changes the data, and does not delay the process that works with it.
///
/// Each call sees a state between two calls of the [`Store`], and everything that was committed before the call; only the
/// counts of a [`Survey`] may be some seconds old.
#[async_trait]
pub trait StoreReader: Send + Sync {
    /// The number of events to handle and of actions to send. Quick at any size of the store.
    async fn depths(&self) -> Result<Depths, StoreError>;

    /// The state of the queues and the last failures.
    async fn status(&self, now: Timestamp) -> Result<StoreStatus, StoreError>;

    /// Actions settled since then, by outcome.
    async fn settled(&self, since: Timestamp) -> Result<BTreeMap<String, u64>, StoreError>;

    /// The chats with actions to send, the longest waiting first; a limited number.
    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError>;

    /// The account in numbers. Reads the whole log, which takes a while if it is long.
    async fn survey(&self) -> Result<Survey, StoreError>;

    /// The records of the transport. They hold secrets: show people only the parts that are meant for them.
    async fn records(&self) -> Result<Records, StoreError>;

    /// The values of an owner that have not expired and whose keys begin with `prefix`.
    async fn state(
        &self,
        owner: &StateOwner,
        prefix: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<String, StateValue>, StoreError>;

    /// The values under one key in all chats that have one.
    async fn chat_values(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<ChatId, String>, StoreError>;

    /// A page of the log.
    async fn log(&self, query: &LogQuery) -> Result<LogPage, StoreError>;

    /// A page of all data about people: the log, the state, the timers. Leaves out the records of the transport. An
    /// export while the bot works may miss data that is written meanwhile.
    async fn export(&self, from: &ExportPlace) -> Result<ExportPage, StoreError>;

    /// Copies the data into a new file while the bot works. For stores of files only.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] if the store is not a file; an error if the file exists already.
    async fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// The names of the files under which rules saved rows, with the number of rows. Empty for a store that keeps no rows,
    /// see [`Store::save_row`].
    async fn saved_files(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        Ok(BTreeMap::new())
    }

    /// The next saved rows of a file after the one with this number, in the order in which they were saved; at most a
    /// thousand. None at the end.
    async fn saved_rows(&self, file: &str, after: i64) -> Result<Vec<SavedRow>, StoreError> {
        let _ = (file, after);
        Ok(Vec::new())
    }

    /// The names of the rule file that are bound to people, in the order of the names.
    async fn bindings(&self) -> Result<Vec<Binding>, StoreError> {
        // A binding does not expire.
        let values =
            self.state(&StateOwner::Bot, Binding::PREFIX, Timestamp::from_millis(i64::MAX)).await?;
        Ok(values.iter().filter_map(|(key, value)| Binding::read(key, &value.text)).collect())
    }
}

/// A row that a rule saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedRow {
    /// Its number, which rises within an account.
    pub seq: i64,
    /// When it was saved.
    pub at: Timestamp,
    /// Its cells.
    pub cells: Vec<String>,
}

/// The number of events to handle and of actions to send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depths {
    /// Unhandled events.
    pub events: u64,
    /// Unsettled actions.
    pub actions: u64,
}

/// The queues and the last failures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StoreStatus {
    /// Unhandled events.
    pub open_events: u64,
    /// When the oldest of them was accepted.
    pub oldest_event: Option<Timestamp>,
    /// Unsettled actions.
    pub open_actions: u64,
    /// When the oldest of them was queued.
    pub oldest_action: Option<Timestamp>,
    /// Pending timers.
    pub timers: u64,
    /// When the earliest of them is due.
    pub next_timer: Option<Timestamp>,
    /// Events handled within the last 24 hours.
    pub handled_today: u64,
    /// Actions settled within the last 24 hours, by outcome.
    pub settled_today: BTreeMap<String, u64>,
    /// The last actions that were refused, expired or in doubt, newest first.
    pub troubled: Vec<TroubledAction>,
}

/// An action that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TroubledAction {
    /// Its key.
    pub id: String,
    /// The chat of the action.
    pub chat: ChatId,
    /// When it was settled.
    pub time: Timestamp,
    /// `refused`, `expired` or `unknown`.
    pub outcome: String,
    /// The reason; for an expired action the error of the last try, if there was a try.
    pub reason: Option<String>,
}

/// The waiting actions of one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The chat.
    pub chat: ChatId,
    /// The number of actions.
    pub actions: u64,
    /// The time at which the oldest action was queued.
    pub since: Timestamp,
    /// The time at which the first action expires, if any does.
    pub expires: Option<Timestamp>,
}

/// The log in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The day since which turns are counted, at most 90 days ago; it begins at midnight of UTC.
    pub since: Option<Timestamp>,
    /// The rules that fired since then, by their ids, however long the log is kept. Rules that matched but did
    /// not answer do not count.
    pub fired: BTreeMap<String, Fired>,
    /// The chats with at least one event, by name.
    pub chats: Vec<Chat>,
}

/// The number of times a rule or chat was active.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// The number of times.
    pub times: u64,
    /// The last time.
    pub last: Timestamp,
}

/// The owner of a value of state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateOwner {
    /// The whole bot.
    Bot,
    /// A chat.
    Chat(ChatId),
    /// A person in a chat.
    Person(ChatId, PersonId),
}

impl StateOwner {
    /// The scope of its values.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Bot => Scope::Bot,
            Self::Chat(_) => Scope::Chat,
            Self::Person(..) => Scope::Person,
        }
    }

    /// Its chat, if it has one.
    #[must_use]
    pub const fn chat(&self) -> Option<&ChatId> {
        match self {
            Self::Bot => None,
            Self::Chat(chat) | Self::Person(chat, _) => Some(chat),
        }
    }

    /// Its person, if it is one.
    #[must_use]
    pub const fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Bot | Self::Chat(_) => None,
            Self::Person(_, person) => Some(person),
        }
    }
}

/// A value of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateValue {
    /// The value as text.
    pub text: String,
    /// When it expires.
    pub expires: Option<Timestamp>,
}

/// A place in an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ExportPlace {
    /// The start.
    #[default]
    Start,
    /// After this entry of the log.
    Entry(i64),
    /// After the log.
    Values,
    /// After this value.
    Value(StateOwner, String),
    /// After the values.
    Timers,
    /// After the timer of this chat with this key.
    Timer(Option<ChatId>, String),
}

/// A page of an export.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExportPage {
    /// The items; possibly none.
    pub items: Vec<Exported>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<ExportPlace>,
}

/// An item of an export. As JSON: an object with its `kind` and what it `is`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", content = "is", rename_all = "snake_case")]
pub enum Exported {
    /// An entry of the log.
    Event(Box<Logged>),
    /// An entry of the log that this version cannot read in full.
    Unreadable(Unreadable),
    /// A value of state, expired or not.
    State(ExportedValue),
    /// A timer as it is stored.
    Timer(serde_json::Value),
}

/// A value of state in an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedValue {
    /// Its scope.
    pub scope: Scope,
    /// The chat; empty for the bot.
    pub chat: String,
    /// The person; empty unless the value belongs to one.
    pub person: String,
    /// The key.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// When it expires.
    pub expires: Option<Timestamp>,
    /// The name of the person when the value last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
