//! An account in numbers: the number of times each rule fired, and the list of chats.

use std::collections::BTreeMap;

use mynah_core::{Chat, ChatId, StoreError, Timestamp};
use rusqlite::{Connection, Result};

use crate::error::translate;
use crate::{Inspector, hits};

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
    Ok(Survey {
        since: hits::since(connection)?,
        fired: hits::fired(connection)?,
        chats: chats(connection)?,
    })
}

fn chats(connection: &Connection) -> Result<Vec<Chat>> {
    let found: Vec<String> = connection
        .prepare_cached(
            // The name of the chat in its last event.
            "SELECT body -> '$.chat', max(seq) FROM event
             WHERE body ->> '$.chat.id' IS NOT NULL GROUP BY body ->> '$.chat.id'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    // Skips entries of an older version that this version cannot read.
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
