//! The inbox and the log: table `event`.

use std::collections::BTreeSet;

use mynah_core::{
    Batch, Decided, Event, EventBody, EventId, Lane, Message, NoticeKind, Timestamp, Turn,
};
use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::actions::Numbers;
use crate::database::Database;
use crate::{records, state};

/// The number of times that the process may die on an event before the event is set aside.
pub(crate) const ATTEMPTS: u32 = 3;

/// The result of accepting a batch: lanes with unhandled events, and events that are begun.
pub(crate) type Accepted = (Vec<Lane>, Vec<(Event, state::Loaded)>);

/// Accepts new events and records. Begins the first event of at most `most` lanes that were empty.
pub(crate) fn accept(
    database: &mut Database,
    batch: &Batch,
    most: usize,
    now: Timestamp,
) -> Result<Accepted> {
    let connection = &database.connection;
    let (mut lanes, mut begun) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for event in &batch.events {
        let lane = event.lane();
        let is_first = begun.len() < most && !has_more(connection, &lane)?;
        let is_new = insert(connection, event, is_first, now)?;
        if (is_new || is_open(connection, &event.id)?) && seen.insert(lane.clone()) {
            lanes.push(lane);
        }
        if is_new && is_first {
            begun.push(event);
        }
    }
    records::write(connection, &batch.records)?;
    let begun = begun.into_iter().map(|event| with_state(database, event.clone(), now));
    Ok((lanes, begun.collect::<Result<_>>()?))
}

/// Completes an event that is begun, and loads the state of its scopes.
fn with_state(
    database: &mut Database,
    mut event: Event,
    now: Timestamp,
) -> Result<(Event, state::Loaded)> {
    fill_in_original(&database.connection, &mut event)?;
    let loaded = state::load(&database.connection, &event, now)?;
    database.note_loaded(&event.id);
    Ok((event, loaded))
}

/// Puts an event into the inbox, unless it was seen before; begun, if its work begins at once.
pub(crate) fn insert(
    connection: &Connection,
    event: &Event,
    begun: bool,
    now: Timestamp,
) -> Result<bool> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO event (id, lane, time, accepted, body, message, person, begun)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS (SELECT 1 FROM seen WHERE id = ?1)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            event.id.as_str(),
            event.lane().as_str(),
            event.time.as_millis(),
            now.as_millis(),
            to_json(&event.body)?,
            event
                .message()
                .map(|message| message.id.as_str())
                .filter(|id| !is_named_after(event, id)),
            event.person().map(|person| person.id.as_str()),
            begun,
        ])?;
    Ok(inserted == 1)
}

/// The oldest unhandled event of a lane, marked as begun, with the state of its scopes.
pub(crate) fn begin(
    database: &mut Database,
    lane: &Lane,
    now: Timestamp,
) -> Result<Option<(Event, state::Loaded)>> {
    while let Some(row) = oldest(&database.connection, lane)? {
        let connection = &database.connection;
        let Ok(body) = serde_json::from_str(&row.body) else {
            tracing::error!(
                event = row.id,
                "an event in the store cannot be read and is set aside"
            );
            pass_over(connection, row.seq, "unreadable", now)?;
            continue;
        };
        if !row.begun {
            connection
                .prepare_cached("UPDATE event SET begun = 1 WHERE seq = ?1")?
                .execute([row.seq])?;
        }
        let id = EventId::new(row.id);
        let event = Event { id, time: Timestamp::from_millis(row.time), body };
        return with_state(database, event, now).map(Some);
    }
    Ok(None)
}

struct Row {
    seq: i64,
    id: String,
    time: i64,
    body: String,
    begun: bool,
}

fn oldest(connection: &Connection, lane: &Lane) -> Result<Option<Row>> {
    connection
        .prepare_cached(
            "SELECT seq, id, time, coalesce(body, ''), begun FROM event
             WHERE lane = ?1 AND handled IS NULL ORDER BY seq LIMIT 1",
        )?
        .query_row([lane.as_str()], |row| {
            Ok(Row {
                seq: row.get(0)?,
                id: row.get(1)?,
                time: row.get(2)?,
                body: row.get(3)?,
                begun: row.get(4)?,
            })
        })
        .optional()
}

/// Before the id of a message, this makes the id of its event in most transports; others use the id itself.
const OF_MESSAGE: &str = "m";

/// SQL condition for the event of the message ?1, or the event ?1.
pub(crate) const EVENT_OR_MESSAGE: &str = "(id IN (?1, 'm' || ?1) OR message = ?1)";

/// Whether the id of an event gives the id of its message, which then is not stored again, nor indexed.
fn is_named_after(event: &Event, message: &str) -> bool {
    let id = event.id.as_str();
    id == message || id.strip_prefix(OF_MESSAGE) == Some(message)
}

/// Adds the recalled message to a recall, if the log still has it.
fn fill_in_original(connection: &Connection, event: &mut Event) -> Result<()> {
    let EventBody::Notice(notice) = &mut event.body else { return Ok(()) };
    let NoticeKind::Recall { message, original } = &mut notice.kind else { return Ok(()) };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT body FROM event WHERE {EVENT_OR_MESSAGE} AND body IS NOT NULL ORDER BY seq"
    ))?;
    let mut rows = statement.query([message.as_str()])?;
    *original = None;
    while original.is_none()
        && let Some(row) = rows.next()?
    {
        let found = as_message(&row.get::<_, String>(0)?);
        *original = found.filter(|found| found.id == *message).map(Box::new);
    }
    Ok(())
}

fn as_message(body: &str) -> Option<Message> {
    match serde_json::from_str(body).ok()? {
        EventBody::Message(message) => Some(message),
        EventBody::Notice(_) | EventBody::Due(_) | EventBody::Started => None,
    }
}

/// Whether the event is unhandled.
pub(crate) fn is_open(connection: &Connection, id: &EventId) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM event WHERE id = ?1 AND handled IS NULL")?
        .exists([id.as_str()])
}

/// Marks an event as handled. Without `keep_text` its log entry keeps no text of the message.
pub(crate) fn close(
    connection: &Connection,
    turn: &Turn,
    actions: Numbers,
    keep_text: bool,
    now: Timestamp,
) -> Result<()> {
    let decided = if keep_text { Some(to_json(&turn.decided)?) } else { None };
    let sql = if keep_text {
        "UPDATE event SET handled = ?2, begun = 0, decided = ?3, first_action = ?4, actions = ?5 WHERE id = ?1"
    } else {
        "UPDATE event SET handled = ?2, begun = 0, decided = ?3, first_action = ?4, actions = ?5, body = NULL WHERE id = ?1"
    };
    let id = turn.event.id.as_str();
    connection.prepare_cached(sql)?.execute(params![
        id,
        now.as_millis(),
        decided,
        actions.first(),
        actions.count()
    ])?;
    Ok(())
}

fn pass_over(connection: &Connection, seq: i64, why: &str, now: Timestamp) -> Result<()> {
    let decided = Decided { passed_over: Some(why.to_owned()), ..Decided::default() };
    connection
        .prepare_cached("UPDATE event SET handled = ?2, begun = 0, decided = ?3 WHERE seq = ?1")?
        .execute(params![seq, now.as_millis(), to_json(&decided)?])?;
    Ok(())
}

/// Begins the id of a row whose event was deleted.
pub(crate) const GONE: &str = "gone:";

/// Deletes an event. Of the newest one the number stays: a later event with the same number would be hidden from a reader
/// of the log that goes on behind it.
pub(crate) fn delete(connection: &Connection, seq: i64) -> Result<()> {
    let deleted = connection
        .prepare_cached("DELETE FROM event WHERE seq = ?1 AND seq < (SELECT max(seq) FROM event)")?
        .execute([seq])?;
    if deleted == 0 {
        connection
            .prepare_cached(
                "UPDATE event SET id = ?2 || seq, lane = '', begun = 0, handled = coalesce(handled, accepted), first_action = NULL,
                        actions = 0, message = NULL, person = NULL, body = NULL, decided = NULL WHERE seq = ?1",
            )?
            .execute(params![seq, GONE])?;
    }
    Ok(())
}

/// Whether the lane has an unhandled event.
pub(crate) fn has_more(connection: &Connection, lane: &Lane) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM event WHERE lane = ?1 AND handled IS NULL LIMIT 1")?
        .exists([lane.as_str()])
}

/// Counts an attempt for every event that was begun and not handled, and sets aside those with too many attempts.
pub(crate) fn set_aside(connection: &Connection, now: Timestamp) -> Result<Vec<EventId>> {
    connection.execute(
        "UPDATE event SET attempts = attempts + 1, begun = 0 WHERE handled IS NULL AND begun = 1",
        [],
    )?;
    let mut statement = connection.prepare(
        "SELECT seq, id FROM event WHERE handled IS NULL AND attempts >= ?1 ORDER BY seq",
    )?;
    let found: Vec<(i64, String)> = statement
        .query_map([ATTEMPTS], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_>>()?;
    for (seq, _) in &found {
        pass_over(connection, *seq, "set aside: the program ended on it too often", now)?;
    }
    Ok(found.into_iter().map(|(_, id)| EventId::new(id)).collect())
}

/// Lanes with unhandled events, the longest waiting first.
pub(crate) fn open_lanes(connection: &Connection) -> Result<Vec<Lane>> {
    connection
        .prepare("SELECT lane FROM event WHERE handled IS NULL GROUP BY lane ORDER BY min(seq)")?
        .query_map([], |row| Ok(Lane::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Lanes with unhandled timer events, the longest waiting first.
pub(crate) fn due_lanes(connection: &Connection) -> Result<Vec<Lane>> {
    connection
        .prepare_cached(
            // This must repeat the condition of the index verbatim; otherwise SQLite reads all timers of the log.
            "SELECT lane FROM event INDEXED BY due_inbox WHERE handled IS NULL AND id GLOB 'due:*'
             GROUP BY lane ORDER BY min(seq)",
        )?
        .query_map([], |row| Ok(Lane::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Lanes with events on which the process ended at least this often, the fewest attempts first.
pub(crate) fn suspect_lanes(connection: &Connection, attempts: u32) -> Result<Vec<Lane>> {
    connection
        .prepare(
            "SELECT lane FROM event WHERE handled IS NULL AND attempts >= ?1
             GROUP BY lane ORDER BY max(attempts), min(seq)",
        )?
        .query_map([attempts], |row| Ok(Lane::new(row.get::<_, String>(0)?)))?
        .collect()
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
