//! The values of a large state that a turn does not copy.

use mynah_core::{Event, Scope, StateSource, Timestamp, Value};
use rusqlite::Connection;

use crate::executor::Reader;
use crate::state;

/// Reads the state of an event's scopes where it is stored, as of the moment at which the turn began.
pub(crate) struct Rest {
    pub(crate) reader: Reader,
    pub(crate) event: Event,
    pub(crate) now: Timestamp,
}

impl Rest {
    /// A value that cannot be read counts as absent: if there is one, the store refuses the commit of the turn.
    fn read<T: Default>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
        self.reader.read(read).unwrap_or_else(|error| {
            tracing::error!(%error, event = %self.event.id, "a value of the state could not be read");
            T::default()
        })
    }
}

impl StateSource for Rest {
    fn find(&self, scope: Scope, key: &str) -> Option<Value> {
        self.read(|connection| state::one(connection, &self.event, scope, key, self.now))
    }

    fn all(&self, scope: Scope) -> Vec<(String, Value)> {
        self.read(|connection| state::all(connection, &self.event, scope, self.now))
    }
}
