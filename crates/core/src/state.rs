//! State as a turn sees it: text under keys in three scopes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Whose state it is, seen from the chat and the person of the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The whole bot's.
    Bot,
    /// This chat's.
    Chat,
    /// This person's in this chat.
    Person,
}

/// Read access to state. Implemented by [`Snapshot`] and by [`Context`](crate::Context), which shows its own writes.
pub trait StateView {
    /// The value under that key, if there is one that has not expired.
    fn get(&self, scope: Scope, key: &str) -> Option<String>;

    /// When the value under that key expires, if there is such a value and it does.
    fn expires(&self, scope: Scope, key: &str) -> Option<Timestamp>;
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value as text.
    pub text: String,
    /// Rises with every change; a commit is refused if a value read has another version by then.
    pub version: u64,
    /// From when on the value is as good as absent.
    pub expires: Option<Timestamp>,
}

/// The state of the three scopes at the beginning of a turn. Remembers what was read from it.
#[derive(Debug, Default)]
pub struct Snapshot {
    values: BTreeMap<(Scope, String), Value>,
    reads: Mutex<BTreeSet<(Scope, String)>>,
}

/// A value that a turn read: its commit is valid only if the version is still the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Whose state was read.
    pub scope: Scope,
    /// The key that was read.
    pub key: String,
    /// The version seen; `None` if there was no value.
    pub version: Option<u64>,
}

impl Snapshot {
    /// A snapshot of these values. The store leaves out what has expired.
    #[must_use]
    pub fn new(values: BTreeMap<(Scope, String), Value>) -> Self {
        Self { values, reads: Mutex::default() }
    }

    /// Everything that was read so far, in order of scope and key.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        reads
            .iter()
            .map(|(scope, key)| Read {
                scope: *scope,
                key: key.clone(),
                version: self.values.get(&(*scope, key.clone())).map(|value| value.version),
            })
            .collect()
    }

    /// All values of a scope, for people to look at. Does not count as a read.
    pub fn values(&self, scope: Scope) -> impl Iterator<Item = (&str, &Value)> {
        self.values
            .iter()
            .filter(move |((of, _), _)| *of == scope)
            .map(|((_, key), value)| (key.as_str(), value))
    }

    fn look(&self, scope: Scope, key: &str) -> Option<&Value> {
        let place = (scope, key.to_owned());
        let value = self.values.get(&place);
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
        value
    }
}

impl StateView for Snapshot {
    fn get(&self, scope: Scope, key: &str) -> Option<String> {
        self.look(scope, key).map(|value| value.text.clone())
    }

    fn expires(&self, scope: Scope, key: &str) -> Option<Timestamp> {
        self.look(scope, key).and_then(|value| value.expires)
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
