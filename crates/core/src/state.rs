//! State as a turn reads it: text under keys in three scopes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The scope of a value, relative to the chat and the person of the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole bot.
    Bot,
    /// This chat.
    Chat,
    /// This person in this chat.
    Person,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bot => "bot",
            Self::Chat => "chat",
            Self::Person => "person",
        })
    }
}

/// Read access to state. Implemented by [`Snapshot`] and by [`Context`](crate::Context), which shows its own writes.
pub trait StateView {
    /// The value under a key, if there is one that has not expired.
    fn get(&self, scope: Scope, key: &str) -> Option<String>;

    /// When the value under a key expires, if there is such a value and it expires.
    fn expires(&self, scope: Scope, key: &str) -> Option<Timestamp>;
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value as text.
    pub text: String,
    /// Rises with every change; a commit is refused if a value that the turn read has another version by then.
    pub version: u64,
    /// When the value expires.
    pub expires: Option<Timestamp>,
}

/// The state of the three scopes at the beginning of a turn. Records the reads.
///
/// A large state is not copied for every turn: the snapshot then holds a part of it and asks the store for other values.
/// Such a value may be newer than the beginning of the turn. The commit is refused if it does not fit the other reads.
#[derive(Default)]
pub struct Snapshot {
    values: BTreeMap<(Scope, String), Value>,
    reads: Mutex<BTreeMap<(Scope, String), Option<Value>>>,
    rest: Option<Box<dyn StateSource>>,
}

/// The source of the values that a [`Snapshot`] does not hold.
pub trait StateSource: Send + Sync {
    /// The value under a key, if there is one that has not expired.
    fn find(&self, scope: Scope, key: &str) -> Option<Value>;

    /// All values of a scope that have not expired.
    fn all(&self, scope: Scope) -> Vec<(String, Value)>;
}

/// A value that a turn read: its commit is valid only if the version is still the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The scope of the value.
    pub scope: Scope,
    /// The key of the value.
    pub key: String,
    /// The version seen; `None` if there was no value.
    pub version: Option<u64>,
}

impl Snapshot {
    /// A snapshot of these values. The store leaves out expired values.
    #[must_use]
    pub fn new(values: BTreeMap<(Scope, String), Value>) -> Self {
        Self { values, ..Self::default() }
    }

    /// A snapshot in which these values are only a part of the state, and this source has all of it.
    #[must_use]
    pub fn with_rest(mut self, rest: Box<dyn StateSource>) -> Self {
        self.rest = Some(rest);
        self
    }

    /// All reads so far, in order of scope and key.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads
            .iter()
            .map(|((scope, key), value)| Read {
                scope: *scope,
                key: key.clone(),
                version: value.as_ref().map(|value| value.version),
            })
            .collect()
    }

    /// All reads, at the end of a turn.
    pub(crate) fn into_reads(self) -> Vec<Read> {
        let reads = self.reads.into_inner().unwrap_or_else(PoisonError::into_inner);
        let read = |((scope, key), value): ((Scope, String), Option<Value>)| Read {
            scope,
            key,
            version: value.map(|value| value.version),
        };
        reads.into_iter().map(read).collect()
    }

    /// All values of a scope, for people to read. Does not count as a read.
    pub fn values(&self, scope: Scope) -> Vec<(String, Value)> {
        if let Some(rest) = &self.rest {
            return rest.all(scope);
        }
        let of_scope = self.values.iter().filter(|((of, _), _)| *of == scope);
        of_scope.map(|((_, key), value)| (key.clone(), value.clone())).collect()
    }

    /// The value, the same at every read of a turn.
    fn look<T>(&self, scope: Scope, key: &str, part: impl Fn(&Value) -> T) -> Option<T> {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let read = reads.entry((scope, key.to_owned())).or_insert_with_key(|place| {
            let held = self.values.get(place).cloned();
            held.or_else(|| self.rest.as_ref()?.find(scope, key))
        });
        read.as_ref().map(part)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { values, reads, rest } = self;
        let is_part = rest.is_some();
        f.debug_struct("Snapshot")
            .field("values", values)
            .field("reads", reads)
            .field("is_part", &is_part)
            .finish()
    }
}

impl StateView for Snapshot {
    fn get(&self, scope: Scope, key: &str) -> Option<String> {
        self.look(scope, key, |value| value.text.clone())
    }

    fn expires(&self, scope: Scope, key: &str) -> Option<Timestamp> {
        self.look(scope, key, |value| value.expires).flatten()
    }
}

/// State that is always empty: for decisions about a message alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoState;

impl StateView for NoState {
    fn get(&self, _scope: Scope, _key: &str) -> Option<String> {
        None
    }

    fn expires(&self, _scope: Scope, _key: &str) -> Option<Timestamp> {
        None
    }
}
