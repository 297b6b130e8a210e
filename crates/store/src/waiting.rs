//! The waiting actions of each chat.

use mynah_core::{ChatId, StoreError, Timestamp};
use rusqlite::{Connection, Result};

use crate::Inspector;
use crate::error::translate;

/// The largest number of chats; those that wait longest come first.
const CHATS: u32 = 200;

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

impl Inspector {
    /// The chats with actions to send, the longest waiting first.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn waiting(&self) -> std::result::Result<Vec<Waiting>, StoreError> {
        waiting(&self.connection).map_err(|error| translate(error, &self.path))
    }
}

fn waiting(connection: &Connection) -> Result<Vec<Waiting>> {
    connection
        .prepare_cached(
            "SELECT chat, count(*), min(queued), min(expires) FROM action
             WHERE settled IS NULL GROUP BY chat ORDER BY 3 LIMIT ?1",
        )?
        .query_map([CHATS], |row| {
            Ok(Waiting {
                chat: ChatId::new(row.get::<_, String>(0)?),
                actions: row.get(1)?,
                since: Timestamp::from_millis(row.get(2)?),
                expires: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
            })
        })?
        .collect()
}
