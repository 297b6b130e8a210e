//! Housekeeping in small pieces, so that no call waits long for it.

use std::time::Duration;

use mynah_core::Timestamp;
use rusqlite::{Connection, Result, params};

use crate::database::Database;
use crate::{Options, events, hits};

/// The number of rows in one piece. Each piece reads only the oldest rows and never scans a whole table.
const ROWS: usize = 500;

/// The number of free pages that one piece returns to the file system.
const PAGES: u32 = 200;

/// The pacer looks back for one day and must find all sent actions of that day, however short the log is kept.
const SHORTEST_HISTORY: Duration = Duration::from_secs(25 * 60 * 60);

/// Does one piece. Returns whether more pieces are due.
pub(crate) fn tidy(database: &mut Database, now: Timestamp) -> Result<bool> {
    database.hits.wanted = true;
    // Deleting an event needs its id in the index.
    database.queues.write(&database.connection)?;
    let is_whole = drop_expired_state(database, now)?;
    let Database { connection, options, .. } = database;
    let full = [
        drop_texts(connection, options, now)?,
        drop_events(connection, options, now)?,
        drop_seen(connection, options, now)?,
        hits::tidy(connection, now, ROWS)?,
    ];
    // A later job of the same transaction may use the numbers of deleted actions again.
    database.queues.write(&database.connection)?;
    let freed = give_back_pages(&database.connection)?;
    Ok(freed || !is_whole || full.into_iter().any(|rows| rows >= ROWS))
}

/// The key of a value.
pub(crate) type StateKey = (i64, String, String, String);

/// Drops expired values among the next rows: an index of the times would be written with every value. Returns whether
/// this was the end of the table; the next piece then begins at its start.
fn drop_expired_state(database: &mut Database, now: Timestamp) -> Result<bool> {
    let Database { connection, tidied, .. } = database;
    let from = tidied.take().unwrap_or((-1, String::new(), String::new(), String::new()));
    let rows: Vec<(StateKey, Option<i64>)> = connection
        .prepare_cached(
            "SELECT scope, chat, person, key, expires FROM state
             WHERE (scope, chat, person, key) > (?1, ?2, ?3, ?4)
             ORDER BY scope, chat, person, key LIMIT ?5",
        )?
        .query_map(params![from.0, from.1, from.2, from.3, ROWS], |row| {
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?), row.get(4)?))
        })?
        .collect::<Result<_>>()?;
    let mut forget = connection.prepare_cached(
        "DELETE FROM state WHERE scope = ?1 AND chat = ?2 AND person = ?3 AND key = ?4",
    )?;
    for ((scope, chat, person, key), expires) in &rows {
        if expires.is_some_and(|expires| expires <= now.as_millis()) {
            forget.execute(params![scope, chat, person, key])?;
        }
    }
    let is_end = rows.len() < ROWS;
    *tidied = rows.into_iter().next_back().map(|(key, _)| key).filter(|_| !is_end);
    Ok(is_end)
}

/// Removes the texts from log entries where texts are kept for a shorter time than entries.
fn drop_texts(connection: &Connection, options: &Options, now: Timestamp) -> Result<usize> {
    if options.keep_log >= SHORTEST_HISTORY {
        return Ok(0);
    }
    let before = (now - options.keep_log).as_millis();
    connection
        .prepare_cached(
            "UPDATE action SET body = NULL WHERE seq IN (SELECT seq FROM action
             WHERE settled <= ?1 AND body IS NOT NULL ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![before, ROWS])?;
    connection
        .prepare_cached(
            "UPDATE event SET body = NULL, decided = NULL WHERE seq IN (SELECT seq FROM event
             WHERE accepted <= ?1 AND handled IS NOT NULL AND body IS NOT NULL ORDER BY seq LIMIT ?2)",
        )?
        .execute(params![before, ROWS])
}

/// Drops the old end of the log and keeps the ids. Unhandled events and unsettled actions stay.
fn drop_events(connection: &Connection, options: &Options, now: Timestamp) -> Result<usize> {
    let keep = options.keep_log.max(SHORTEST_HISTORY);
    let before = if is_too_large(connection, options)? { now } else { now - keep };
    let old: Vec<(i64, String, i64)> = connection
        .prepare_cached(
            "SELECT seq, id, accepted FROM
             (SELECT seq, id, accepted, handled, first_action, actions FROM event ORDER BY seq LIMIT ?2)
             WHERE accepted < ?1 AND handled IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM action WHERE action.event = id AND settled IS NULL
                             AND action.seq >= first_action AND action.seq < first_action + actions)",
        )?
        .query_map(params![before.as_millis(), ROWS], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_>>()?;
    for (seq, id, accepted) in &old {
        if !id.starts_with(events::GONE) {
            connection
                .prepare_cached(
                    "INSERT INTO seen (id, accepted) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
                )?
                .execute(params![id, accepted])?;
        }
        connection
            .prepare_cached(
                "DELETE FROM action WHERE event = ?1
                 AND seq >= (SELECT first_action FROM event WHERE seq = ?2)
                 AND seq < (SELECT first_action + actions FROM event WHERE seq = ?2)",
            )?
            .execute(params![id, seq])?;
        events::delete(connection, *seq)?;
    }
    Ok(old.len())
}

/// Whether the used pages exceed the size limit of the log.
fn is_too_large(connection: &Connection, options: &Options) -> Result<bool> {
    let number = |name: &str| {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u64>(0))
    };
    let used = number("page_count")?.saturating_sub(number("freelist_count")?);
    Ok(used * number("page_size")? > options.largest)
}

fn drop_seen(connection: &Connection, options: &Options, now: Timestamp) -> Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM seen WHERE seq IN
             (SELECT seq FROM (SELECT seq, accepted FROM seen ORDER BY seq LIMIT ?2)
              WHERE accepted < ?1)",
        )?
        .execute(params![(now - options.keep_seen).as_millis(), ROWS])
}

/// Returns free pages to the file system. Unlike `VACUUM` it does not block other calls.
fn give_back_pages(connection: &Connection) -> Result<bool> {
    let free: u32 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    // Some free pages are kept, since new rows soon use them.
    if free <= PAGES {
        return Ok(false);
    }
    let mut statement =
        connection.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(true)
}
