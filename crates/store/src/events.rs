//! The inbox and the log: table `event`.

use std::collections::BTreeSet;

use mynah_core::{
    Batch, Decided, Event, EventBody, EventId, Lane, Message, NoticeKind, Timestamp, Turn,
};
use rusqlite::{Connection, Result, params};

use crate::actions::Numbers;
use crate::database::Database;
use crate::queues::Known;
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
    let Database { connection, queues, .. } = database;
    let queues = queues.known(connection)?;
    let (mut lanes, mut begun) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for event in &batch.events {
        let lane = event.lane();
        let is_first = begun.len() < most && !queues.has_more(&lane);
        let is_new = insert((connection, queues), event, is_first, now)?;
        if (is_new || open(connection, queues, &event.id)?.is_some()) && seen.insert(lane.clone()) {
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
    database.note_loaded(&event.id, now);
    Ok((event, loaded))
}

/// Puts an event into the inbox, unless it was seen before; begun, if its work begins at once.
pub(crate) fn insert(
    (connection, queues): (&Connection, &mut Known),
    event: &Event,
    begun: bool,
    now: Timestamp,
) -> Result<bool> {
    if queues.is_recent(&event.id) {
        return Ok(false);
    }
    let lane = event.lane();
    let inserted = connection
        .prepare_cached(
            // With FAIL no page is copied for a part of the statement: it inserts one row.
            "INSERT OR FAIL INTO event (id, lane, time, accepted, body, message, person, begun)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
             WHERE NOT EXISTS (SELECT 1 FROM event_id WHERE id = ?1)
             AND NOT EXISTS (SELECT 1 FROM seen WHERE id = ?1)",
        )?
        .execute(params![
            event.id.as_str(),
            lane.as_str(),
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
    if inserted == 1 {
        let seq = connection.last_insert_rowid();
        queues.note_event(&lane, &event.id, seq);
        if begun {
            queues.begin(&event.id, seq);
        }
    }
    Ok(inserted == 1)
}

/// The oldest unhandled event of a lane, marked as begun, with the state of its scopes.
pub(crate) fn begin(
    database: &mut Database,
    lane: &Lane,
    now: Timestamp,
) -> Result<Option<(Event, state::Loaded)>> {
    loop {
        let Database { connection, queues, .. } = &mut *database;
        let queues = queues.known(connection)?;
        let Some(seq) = queues.oldest(lane) else { return Ok(None) };
        let row = read(connection, seq)?;
        let id = EventId::new(row.id);
        let Ok(body) = serde_json::from_str(&row.body) else {
            tracing::error!(
                event = id.as_str(),
                "an event in the store cannot be read and is set aside"
            );
            pass_over(connection, seq, "unreadable", now)?;
            queues.close_event(lane, &id, seq);
            continue;
        };
        if !row.begun {
            connection
                .prepare_cached("UPDATE event SET begun = 1 WHERE seq = ?1")?
                .execute([seq])?;
        }
        queues.begin(&id, seq);
        let event = Event { id, time: Timestamp::from_millis(row.time), body };
        return with_state(database, event, now).map(Some);
    }
}

struct Row {
    id: String,
    time: i64,
    body: String,
    begun: bool,
}

fn read(connection: &Connection, seq: i64) -> Result<Row> {
    connection
        .prepare_cached("SELECT id, time, coalesce(body, ''), begun FROM event WHERE seq = ?1")?
        .query_row([seq], |row| {
            Ok(Row { id: row.get(0)?, time: row.get(1)?, body: row.get(2)?, begun: row.get(3)? })
        })
}

/// Before the id of a message, this makes the id of its event in most transports; others use the id itself.
const OF_MESSAGE: &str = "m";

/// SQL condition for the event of the message ?1, or the event ?1.
pub(crate) const EVENT_OR_MESSAGE: &str = "seq IN (
    SELECT seq FROM event_id WHERE id IN (?1, 'm' || ?1)
    UNION SELECT seq FROM event WHERE message = ?1
    UNION SELECT seq FROM event WHERE seq > (SELECT event FROM mark) AND id IN (?1, 'm' || ?1))";

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

/// The number of an event if it is unhandled.
pub(crate) fn open(connection: &Connection, queues: &Known, id: &EventId) -> Result<Option<i64>> {
    if let Some(seq) = queues.begun(id) {
        return Ok(Some(seq));
    }
    let Some(seq) = queues.find(connection, id)? else { return Ok(None) };
    let is_open = connection
        .prepare_cached("SELECT 1 FROM event WHERE seq = ?1 AND handled IS NULL")?
        .exists([seq])?;
    Ok(is_open.then_some(seq))
}

/// Marks an event as handled. Without `keep_text` its log entry keeps no text of the message.
pub(crate) fn close(
    Database { connection, queues, options, .. }: &mut Database,
    seq: i64,
    turn: &Turn,
    actions: Numbers,
    now: Timestamp,
) -> Result<()> {
    let keep_text = options.keeps_text();
    let decided = if keep_text { Some(to_json(&turn.decided)?) } else { None };
    let sql = if keep_text {
        "UPDATE event SET handled = ?2, begun = 0, decided = ?3, first_action = ?4, actions = ?5 WHERE seq = ?1"
    } else {
        "UPDATE event SET handled = ?2, begun = 0, decided = ?3, first_action = ?4, actions = ?5, body = NULL WHERE seq = ?1"
    };
    let queues = queues.known(connection)?;
    connection.prepare_cached(sql)?.execute(params![
        seq,
        now.as_millis(),
        decided,
        actions.first(),
        actions.count()
    ])?;
    queues.close_event(&turn.event.lane(), &turn.event.id, seq);
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
/// of the log that goes on behind it. All ids must be indexed; see [`Queues::write`](crate::queues::Queues::write).
pub(crate) fn delete(connection: &Connection, seq: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM event_id WHERE id = (SELECT id FROM event WHERE seq = ?1)")?
        .execute([seq])?;
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

/// Counts an attempt for every event that was begun and not handled, and sets aside those with too many attempts.
pub(crate) fn set_aside(
    Database { connection, queues, .. }: &mut Database,
    now: Timestamp,
) -> Result<Vec<EventId>> {
    queues.clear();
    connection.execute(
        "UPDATE event SET attempts = attempts + 1, begun = 0
         WHERE seq IN (SELECT seq FROM open_event WHERE begun = 1)",
        [],
    )?;
    let mut statement =
        connection.prepare("SELECT seq, id FROM open_event WHERE attempts >= ?1 ORDER BY seq")?;
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
        .prepare("SELECT lane FROM open_event GROUP BY lane ORDER BY min(seq)")?
        .query_map([], |row| Ok(Lane::new(row.get::<_, String>(0)?)))?
        .collect()
}

/// Lanes with events on which the process ended at least this often, the fewest attempts first.
pub(crate) fn suspect_lanes(connection: &Connection, attempts: u32) -> Result<Vec<Lane>> {
    connection
        .prepare(
            "SELECT lane FROM open_event WHERE attempts >= ?1
             GROUP BY lane ORDER BY max(attempts), min(seq)",
        )?
        .query_map([attempts], |row| Ok(Lane::new(row.get::<_, String>(0)?)))?
        .collect()
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
