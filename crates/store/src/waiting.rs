//! What waits to be sent, chat by chat.

use mynah_core::{ChatId, StoreError, Timestamp};
use rusqlite::{Connection, Result};

use crate::Inspector;
use crate::error::translate;

/// So many chats at most; those that wait the longest come first.
const CHATS: u32 = 200;

/// What waits to be sent in one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The chat.
    pub chat: ChatId,
    /// So many actions.
    pub actions: u64,
    /// When the oldest of them was queued.
    pub since: Timestamp,
    /// When the first of them expires, if one does.
    pub expires: Option<Timestamp>,
}

impl Inspector {
    /// The chats with something to send, those that wait the longest first.
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
