//! An account in numbers: the number of times each rule fired, and the list of chats.

use std::collections::BTreeMap;

use mynah_core::{Chat, ChatId, Survey, Timestamp, sort_by};
use rusqlite::{Connection, Result};

use crate::hits;
use crate::rows::to_map;

pub(crate) fn survey(connection: &Connection) -> Result<Survey> {
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
    sort_by(&mut chats, |a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(chats)
}

/// The values under one key in all chats that have one.
pub(crate) fn chat_values(
    connection: &Connection,
    key: &str,
    now: Timestamp,
) -> Result<BTreeMap<ChatId, String>> {
    let sql = "SELECT chat, value FROM state
        WHERE scope = 1 AND person = '' AND key = ?1 AND (expires IS NULL OR expires > ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    to_map(statement.query_map((key, now.as_millis()), |row| {
        Ok((ChatId::new(row.get::<_, String>(0)?), row.get(1)?))
    })?)
}
