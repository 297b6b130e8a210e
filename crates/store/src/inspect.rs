//! Read access to a store, also to that of a running bot: status, log, export, backup.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mynah_core::{Action, ChatId, Decided, Event, EventBody, EventId, StoreError, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Result, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{translate, translate_io};
use crate::events::EVENT_OR_MESSAGE;
use crate::{FILE, schema};

/// Read access to the store of a data folder. Takes no lease and never writes.
#[derive(Debug)]
pub struct Inspector {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

/// The queues and the last failures.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StoreStatus {
    /// Unhandled events.
    pub open_events: u64,
    /// When the oldest of them was accepted.
    pub oldest_event: Option<Timestamp>,
    /// Unsettled actions.
    pub open_actions: u64,
    /// When the oldest of them was queued.
    pub oldest_action: Option<Timestamp>,
    /// Pending timers.
    pub timers: u64,
    /// When the earliest of them is due.
    pub next_timer: Option<Timestamp>,
    /// Events handled within the last 24 hours.
    pub handled_today: u64,
    /// Actions settled within the last 24 hours, by outcome.
    pub settled_today: BTreeMap<String, u64>,
    /// The last actions that were refused, expired or in doubt, newest first.
    pub troubled: Vec<TroubledAction>,
}

/// An action that failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TroubledAction {
    /// Its key.
    pub id: String,
    /// The chat of the action.
    pub chat: ChatId,
    /// When it was settled.
    pub time: Timestamp,
    /// `refused`, `expired` or `unknown`.
    pub outcome: String,
    /// The reason; for an expired action the error of the last try, if there was a try.
    pub reason: Option<String>,
}

/// A filter for events of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Only the one with this event id or message id.
    pub id: Option<String>,
    /// Only those accepted at this moment or later.
    pub since: Option<Timestamp>,
    /// Only those after this number; see [`Logged::seq`].
    pub after: Option<i64>,
    /// The largest number of entries; the last ones if neither `since` nor `after` is given.
    pub limit: Option<u32>,
}

/// A page of the log, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LogPage {
    /// The entries that this version can read.
    pub entries: Vec<Logged>,
    /// The entries that are partly unreadable: the event, the decision or an action. Callers must report them.
    /// An entry with a readable event is among the entries, too.
    pub unreadable: Vec<Unreadable>,
    /// The number of the last entry, readable or not.
    pub last: Option<i64>,
}

/// An entry of the log in an unknown form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its number in the log.
    pub seq: i64,
    /// The id of its event.
    pub id: EventId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The unreadable part, and the reason.
    pub why: String,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Logged {
    /// Its number in the log, rising.
    pub seq: i64,
    /// The event itself.
    pub event: Event,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When it was handled; `None` while it waits.
    pub handled: Option<Timestamp>,
    /// The decision of the rules.
    pub decided: Option<Decided>,
    /// The actions of the turn.
    pub actions: Vec<LoggedAction>,
}

/// An action of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoggedAction {
    /// The chat of the action.
    pub chat: ChatId,
    /// The content; `None` after its text was dropped.
    pub action: Option<Action>,
    /// When it was settled; `None` while it waits.
    pub settled: Option<Timestamp>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The reason of the outcome.
    pub reason: Option<String>,
}

impl Inspector {
    /// Opens the store of a data folder for reading.
    ///
    /// # Errors
    ///
    /// As for [`SqliteStore::open`](crate::SqliteStore::open); `ReadOnly` if there is no store. Does not check all of
    /// the file, so that opening is quick at any size; damage is reported by the call that reads it.
    pub fn open(folder: &Path) -> std::result::Result<Self, StoreError> {
        let path = folder.join(FILE);
        schema::check_size(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&path, flags).map_err(|error| translate(error, &path))?;
        schema::check_version(&connection, &path)?;
        Ok(Self { connection, path })
    }

    /// The number of events to handle, and of actions to send. Quick at any size of the store.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn depths(&self) -> std::result::Result<(u64, u64), StoreError> {
        let count = |sql| self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
        let events = count("SELECT count(*) FROM event WHERE handled IS NULL");
        let both = events.and_then(|events| {
            Ok((events, count("SELECT count(*) FROM action WHERE settled IS NULL")?))
        });
        both.map_err(|error| translate(error, &self.path))
    }

    /// The state of the queues and the last failures.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn status(&self, now: Timestamp) -> std::result::Result<StoreStatus, StoreError> {
        status(&self.connection, now).map_err(|error| translate(error, &self.path))
    }

    /// Actions settled since then, by outcome.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn settled(
        &self,
        since: Timestamp,
    ) -> std::result::Result<BTreeMap<String, u64>, StoreError> {
        settled(&self.connection, since.as_millis()).map_err(|error| translate(error, &self.path))
    }

    /// Events of the log, oldest first.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn log(&self, query: &LogQuery) -> std::result::Result<LogPage, StoreError> {
        log(&self.connection, query).map_err(|error| translate(error, &self.path))
    }

    /// An event of the log by its id; quick at any size of the log. `None` if its text was dropped.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn event(&self, id: &EventId) -> std::result::Result<Option<Event>, StoreError> {
        event(&self.connection, id).map_err(|error| translate(error, &self.path))
    }

    /// The records of the transport. They hold secrets: show people only the parts that are meant for them.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn records(&self) -> std::result::Result<mynah_core::Records, StoreError> {
        crate::records::read(&self.connection).map_err(|error| translate(error, &self.path))
    }

    /// Writes all data about people as JSON Lines: log, state and timers. Leaves out the records of the transport.
    ///
    /// # Errors
    ///
    /// If the store or the output fails.
    pub fn export(&self, out: &mut dyn Write) -> std::result::Result<(), StoreError> {
        let mut after = 0;
        loop {
            let query = LogQuery { after: Some(after), limit: Some(500), ..LogQuery::default() };
            let page = self.log(&query)?;
            let Some(last) = page.last else { break };
            after = last;
            let failed = |error: io::Error| StoreError::Failed(error.into());
            for logged in &page.entries {
                write_line(out, "event", logged).map_err(failed)?;
            }
            for unreadable in &page.unreadable {
                write_line(out, "unreadable", unreadable).map_err(failed)?;
            }
        }
        self.export_rows(out, "state", "SELECT json_object('scope', CASE scope WHEN 0 THEN 'bot' WHEN 1 THEN 'chat' ELSE 'person' END, 'chat', chat, 'person', person, 'key', key, 'value', value, 'expires', expires) FROM state")?;
        self.export_rows(out, "timer", "SELECT body FROM timer ORDER BY at")
    }

    fn export_rows(
        &self,
        out: &mut dyn Write,
        kind: &str,
        sql: &str,
    ) -> std::result::Result<(), StoreError> {
        let failed = |error| translate(error, &self.path);
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let text: String = row.get(0).map_err(failed)?;
            let value: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| StoreError::Failed(error.into()))?;
            write_line(out, kind, &value).map_err(|error| StoreError::Failed(error.into()))?;
        }
        Ok(())
    }

    /// Copies the store into a new file while the bot runs.
    ///
    /// # Errors
    ///
    /// If the file exists already, or the copying fails.
    pub fn backup(&self, to: &Path) -> std::result::Result<(), StoreError> {
        create_private(to).map_err(|error| translate_io(error, to))?;
        let name = to.to_string_lossy();
        self.connection.execute("VACUUM INTO ?1", [name.as_ref()]).map(|_| ()).map_err(|error| {
            // A partial copy must not pass for a backup. If removing it fails too, the first error is still reported.
            let _ = std::fs::remove_file(to);
            translate(error, to)
        })
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(|_| ())
}

fn write_line(out: &mut dyn Write, kind: &str, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &serde_json::json!({ "kind": kind, "is": value }))?;
    out.write_all(b"\n")
}

pub(crate) fn status(connection: &Connection, now: Timestamp) -> Result<StoreStatus> {
    let day_ago = (now - std::time::Duration::from_secs(24 * 60 * 60)).as_millis();
    let pair = |sql: &str| -> Result<(u64, Option<Timestamp>)> {
        connection.query_row(sql, [], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis)))
        })
    };
    let (open_events, oldest_event) =
        pair("SELECT count(*), min(accepted) FROM event WHERE handled IS NULL")?;
    let (open_actions, oldest_action) =
        pair("SELECT count(*), min(queued) FROM action WHERE settled IS NULL")?;
    let (timers, next_timer) = pair("SELECT count(*), min(at) FROM timer")?;
    let handled_today = connection.query_row(
        "SELECT count(*) FROM event WHERE handled >= ?1 AND seq > (
             SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM event
             WHERE handled < ?1 ORDER BY seq DESC LIMIT 1))",
        [day_ago],
        |row| row.get(0),
    )?;
    let settled_today = settled(connection, day_ago)?;
    let troubled = troubled(connection)?;
    Ok(StoreStatus {
        open_events,
        oldest_event,
        open_actions,
        oldest_action,
        timers,
        next_timer,
        handled_today,
        settled_today,
        troubled,
    })
}

fn settled(connection: &Connection, since: i64) -> Result<BTreeMap<String, u64>> {
    connection
        .prepare_cached(
            "SELECT outcome, count(*) FROM action WHERE settled >= ?1 GROUP BY outcome",
        )?
        .query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn troubled(connection: &Connection) -> Result<Vec<TroubledAction>> {
    connection
        .prepare(
            "SELECT event, n, chat, settled, outcome, reason FROM action
             WHERE outcome IN ('refused', 'expired', 'unknown') ORDER BY settled DESC, seq DESC LIMIT 10",
        )?
        .query_map([], |row| {
            Ok(TroubledAction {
                id: format!("{}#{}", row.get::<_, String>(0)?, row.get::<_, u32>(1)?),
                chat: ChatId::new(row.get::<_, String>(2)?),
                time: Timestamp::from_millis(row.get(3)?),
                outcome: row.get(4)?,
                reason: row.get(5)?,
            })
        })?
        .collect()
}

pub(crate) fn log(connection: &Connection, query: &LogQuery) -> Result<LogPage> {
    let newest_first = query.since.is_none() && query.after.is_none();
    let order = if newest_first { "DESC" } else { "ASC" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT seq, id, time, accepted, handled, body, decided FROM event
         WHERE (?1 IS NULL OR {EVENT_OR_MESSAGE}) AND accepted >= ?2 AND seq > ?3
         AND body IS NOT NULL ORDER BY seq {order} LIMIT ?4"
    ))?;
    let since = query.since.map_or(i64::MIN, Timestamp::as_millis);
    let mut rows = statement.query(params![
        query.id,
        since,
        query.after.unwrap_or(i64::MIN),
        query.limit.unwrap_or(u32::MAX)
    ])?;
    let mut page = LogPage::default();
    while let Some(row) = rows.next()? {
        add_entry(connection, row, &mut page)?;
    }
    if newest_first {
        page.entries.reverse();
        page.unreadable.reverse();
    }
    Ok(page)
}

fn event(connection: &Connection, id: &EventId) -> Result<Option<Event>> {
    let row = connection
        .prepare_cached("SELECT time, body FROM event WHERE id = ?1 AND body IS NOT NULL")?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    Ok(row.and_then(|(time, body)| {
        let body = serde_json::from_str(&body).ok()?;
        Some(Event { id: id.clone(), time: Timestamp::from_millis(time), body })
    }))
}

/// Adds a row to the page, or to its unreadable entries, or to both.
fn add_entry(connection: &Connection, row: &Row<'_>, page: &mut LogPage) -> Result<()> {
    let (seq, id): (i64, String) = (row.get(0)?, row.get(1)?);
    let accepted = Timestamp::from_millis(row.get(3)?);
    page.last = page.last.max(Some(seq));
    let mut wrong = Vec::new();
    let body: Option<EventBody> = read("event", Some(row.get(5)?), &mut wrong);
    let decided = read("decision", row.get(6)?, &mut wrong);
    let actions = actions_of(connection, &id, &mut wrong)?;
    let id = EventId::new(id);
    if !wrong.is_empty() {
        let (id, why) = (id.clone(), wrong.join("; "));
        page.unreadable.push(Unreadable { seq, id, accepted, why });
    }
    if let Some(body) = body {
        page.entries.push(Logged {
            seq,
            event: Event { id, time: Timestamp::from_millis(row.get(2)?), body },
            accepted,
            handled: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
            decided,
            actions,
        });
    }
    Ok(())
}

/// Reads a part of an entry, if it is there. Adds its errors to `wrong`.
fn read<T: DeserializeOwned>(
    part: &str,
    json: Option<String>,
    wrong: &mut Vec<String>,
) -> Option<T> {
    match serde_json::from_str(&json?) {
        Ok(value) => Some(value),
        Err(error) => {
            wrong.push(format!("the {part} has a form that this version does not know ({error})"));
            None
        }
    }
}

fn actions_of(
    connection: &Connection,
    event: &str,
    wrong: &mut Vec<String>,
) -> Result<Vec<LoggedAction>> {
    // Before version 4 an index found them.
    let numbers = if schema::version(connection)? < 4 {
        ""
    } else {
        "AND seq >= (SELECT first_action FROM event WHERE id = ?1)
         AND seq < (SELECT first_action + actions FROM event WHERE id = ?1)"
    };
    connection
        .prepare_cached(&format!(
            "SELECT chat, body, settled, outcome, reason FROM action WHERE event = ?1 {numbers} ORDER BY n"
        ))?
        .query_map([event], |row| {
            Ok(LoggedAction {
                chat: ChatId::new(row.get::<_, String>(0)?),
                action: read("action", row.get(1)?, wrong),
                settled: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis),
                outcome: row.get(3)?,
                reason: row.get(4)?,
            })
        })?
        .collect()
}
