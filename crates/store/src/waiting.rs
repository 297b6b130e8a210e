//! The waiting actions of each chat.

use mynah_core::{ChatId, Timestamp, Waiting};
use rusqlite::{Connection, Result};

use crate::schema;

/// The largest number of chats; those that wait longest come first.
const CHATS: u32 = 200;

/// The chats with actions to send, the longest waiting first.
pub(crate) fn waiting(connection: &Connection) -> Result<Vec<Waiting>> {
    connection
        .prepare_cached(&format!(
            "SELECT chat, count(*), min(queued), min(expires) FROM {}
             GROUP BY chat ORDER BY 3 LIMIT ?1",
            schema::open_actions(connection)?
        ))?
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
