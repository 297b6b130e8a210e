//! The pending timers: table `timer`.

use mynah_core::{Due, Event, EventBody, Lane, Timer, TimerChange, Timestamp};
use rusqlite::{Connection, Result, params};

use crate::database::Database;
use crate::events::{self, to_json};

/// The number of timers that become events in one transaction; the rest follows at once.
const AT_ONCE: usize = 500;

/// Sets, moves or cancels a timer.
pub(crate) fn apply(connection: &Connection, change: &TimerChange) -> Result<()> {
    match change {
        TimerChange::Set(timer) => connection
            .prepare_cached(
                "INSERT INTO timer (chat, key, at, body) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (chat, key) DO UPDATE SET at = excluded.at, body = excluded.body",
            )?
            .execute(params![
                timer.chat.as_ref().map_or("", |chat| chat.id.as_str()),
                timer.key,
                timer.at.as_millis(),
                to_json(timer)?,
            ])?,
        TimerChange::Cancel { chat, key } => connection
            .prepare_cached("DELETE FROM timer WHERE chat = ?1 AND key = ?2")?
            .execute(params![chat.as_ref().map_or("", |chat| chat.as_str()), key])?,
    };
    Ok(())
}

/// Turns due timers into events of their lanes. Returns the lanes with waiting timer events, and the next due time.
pub(crate) fn fire(
    database: &mut Database,
    now: Timestamp,
) -> Result<(Vec<Lane>, Option<Timestamp>)> {
    database.next_timer = None;
    let Database { connection, queues, .. } = database;
    let queues = queues.known(connection)?;
    for body in take_due(connection, now)? {
        match serde_json::from_str::<Timer>(&body) {
            Ok(timer) => {
                events::insert((connection, queues), &into_event(timer), false, now)?;
            }
            Err(error) => {
                tracing::error!(%error, "a timer in the store cannot be read and is dropped");
            }
        }
    }
    Ok((queues.due_lanes(), next(connection)?))
}

/// Takes the timers that are due, the earliest first.
fn take_due(connection: &Connection, now: Timestamp) -> Result<Vec<String>> {
    let rows: Vec<(String, String, String)> = connection
        .prepare_cached(
            "SELECT chat, key, body FROM timer WHERE at <= ?1 ORDER BY at, chat, key LIMIT ?2",
        )?
        .query_map(params![now.as_millis(), AT_ONCE], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_>>()?;
    let mut forget = connection.prepare_cached("DELETE FROM timer WHERE chat = ?1 AND key = ?2")?;
    for (chat, key, _) in &rows {
        forget.execute([chat, key])?;
    }
    Ok(rows.into_iter().map(|(_, _, body)| body).collect())
}

fn into_event(timer: Timer) -> Event {
    let Timer { key, at, chat, person, name, data } = timer;
    let id = Event::id_of_due(chat.as_ref().map(|chat| &chat.id), &key, at);
    Event { id, time: at, body: EventBody::Due(Due { key, at, chat, person, name, data }) }
}

/// When the earliest timer is due.
pub(crate) fn next(connection: &Connection) -> Result<Option<Timestamp>> {
    let at: Option<i64> =
        connection.prepare_cached("SELECT min(at) FROM timer")?.query_row([], |row| row.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}
