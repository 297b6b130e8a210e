//! Housekeeping in small pieces, so that no call waits long for it.

use std::time::Duration;

use mynah_core::Timestamp;
use rusqlite::{Connection, Result, params};

use crate::database::Database;
use crate::{Options, hits};

/// The number of rows in one piece. Each piece reads only the oldest rows and never scans a whole table.
const ROWS: usize = 500;

/// The number of free pages that one piece returns to the file system.
const PAGES: u32 = 200;

/// The pacer looks back for one day and must find all sent actions of that day, however short the log is kept.
const SHORTEST_HISTORY: Duration = Duration::from_secs(25 * 60 * 60);

/// Does one piece. Returns whether more pieces are due.
pub(crate) fn tidy(database: &mut Database, now: Timestamp) -> Result<bool> {
    let Database { connection, options, .. } = database;
    let full = [
        drop_expired_state(connection, now)?,
        drop_texts(connection, options, now)?,
        drop_events(connection, options, now)?,
        drop_seen(connection, options, now)?,
        hits::tidy(connection, now, ROWS)?,
    ];
    let freed = give_back_pages(connection)?;
    Ok(freed || full.into_iter().any(|rows| rows >= ROWS))
}

fn drop_expired_state(connection: &Connection, now: Timestamp) -> Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM state WHERE (scope, chat, person, key) IN
             (SELECT scope, chat, person, key FROM state WHERE expires <= ?1 LIMIT ?2)",
        )?
        .execute(params![now.as_millis(), ROWS])
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
            "SELECT seq, id, accepted FROM (SELECT * FROM event ORDER BY seq LIMIT ?2)
             WHERE accepted < ?1 AND handled IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM action WHERE action.event = id AND settled IS NULL)",
        )?
        .query_map(params![before.as_millis(), ROWS], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_>>()?;
    for (seq, id, accepted) in &old {
        connection
            .prepare_cached(
                "INSERT INTO seen (id, accepted) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![id, accepted])?;
        connection.prepare_cached("DELETE FROM action WHERE event = ?1")?.execute([id])?;
        connection.prepare_cached("DELETE FROM event WHERE seq = ?1")?.execute([seq])?;
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
