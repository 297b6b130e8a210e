//! What the whole log says: which rules fired how often, and which chats there are.

use std::collections::BTreeMap;

use mynah_core::{Chat, ChatId, StoreError, Timestamp};
use rusqlite::{Connection, Result};

use crate::Inspector;
use crate::error::translate;

/// So many chats at most; those that were quiet the longest are left out.
const CHATS: u32 = 200;

/// The log in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// When the oldest decision of the log was made.
    pub since: Option<Timestamp>,
    /// The rules that fired, by their ids. Those that matched and had to keep quiet do not count.
    pub fired: BTreeMap<String, Fired>,
    /// The chats in which something happened, by name.
    pub chats: Vec<Chat>,
}

/// How often something fired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// So often.
    pub times: u64,
    /// The last time.
    pub last: Timestamp,
}

impl Inspector {
    /// Reads the whole log, which takes a while if it is long.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn survey(&self) -> std::result::Result<Survey, StoreError> {
        survey(&self.connection).map_err(|error| translate(error, &self.path))
    }

    /// The values under one key in all chats that have one.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn chat_values(
        &self,
        key: &str,
        now: Timestamp,
    ) -> std::result::Result<BTreeMap<ChatId, String>, StoreError> {
        chat_values(&self.connection, key, now).map_err(|error| translate(error, &self.path))
    }
}

fn survey(connection: &Connection) -> Result<Survey> {
    let since = "SELECT min(accepted) FROM event WHERE decided IS NOT NULL";
    let since = connection.query_row(since, [], |row| row.get::<_, Option<i64>>(0))?;
    Ok(Survey {
        since: since.map(Timestamp::from_millis),
        fired: fired(connection)?,
        chats: chats(connection)?,
    })
}

fn fired(connection: &Connection) -> Result<BTreeMap<String, Fired>> {
    connection
        .prepare_cached(
            "SELECT decided ->> '$.rule', count(*), max(handled) FROM event
             WHERE decided ->> '$.rule' IS NOT NULL AND decided ->> '$.quiet' IS NULL GROUP BY 1",
        )?
        .query_map([], |row| {
            let last = row.get::<_, Option<i64>>(2)?.unwrap_or_default();
            Ok((row.get(0)?, Fired { times: row.get(1)?, last: Timestamp::from_millis(last) }))
        })?
        .collect()
}

fn chats(connection: &Connection) -> Result<Vec<Chat>> {
    let found: Vec<String> = connection
        .prepare_cached(
            // The chat as it was named in its last event.
            "SELECT body -> '$.chat', max(seq) FROM event
             WHERE body ->> '$.chat.id' IS NOT NULL GROUP BY body ->> '$.chat.id' ORDER BY 2 DESC LIMIT ?1",
        )?
        .query_map([CHATS], |row| row.get(0))?
        .collect::<Result<_>>()?;
    // What an older version wrote and this one cannot read is left out.
    let known = found.iter().filter_map(|json| serde_json::from_str(json).ok());
    let mut chats: Vec<Chat> = known.collect();
    chats.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(chats)
}

fn chat_values(
    connection: &Connection,
    key: &str,
    now: Timestamp,
) -> Result<BTreeMap<ChatId, String>> {
    connection
        .prepare_cached(
            "SELECT chat, value FROM state
             WHERE scope = 1 AND person = '' AND key = ?1 AND (expires IS NULL OR expires > ?2)",
        )?
        .query_map((key, now.as_millis()), |row| {
            Ok((ChatId::new(row.get::<_, String>(0)?), row.get(1)?))
        })?
        .collect()
}
