//! The data row by row, for moving it between kinds of stores.

use async_trait::async_trait;
use mynah_core::{
    ChatKind, EventBody, MoveMark, MovingStore, RowPage, RowPlace, Store, StoreError, StoredAction,
    StoredEvent, StoredHit, StoredId, StoredRecord, StoredRow, StoredTimer, StoredValue,
};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::SqliteStore;
use crate::database::Database;
use crate::writer::Durability::{Synced, Written};

/// The record with the mark. No store with it is opened for work, so no transport sees it.
const MARK: &str = "mynah.moving";

/// The most rows in a page.
const ROWS: usize = 500;

/// The most ids in a page. No index has their order, so that each page reads and sorts all of them.
const IDS: usize = 20_000;

/// All tables with data, and the indexes that are tables.
const TABLES: [&str; 10] = [
    "event",
    "action",
    "seen",
    "state",
    "timer",
    "record",
    "hit",
    "event_id",
    "late_event",
    "late_action",
];

/// A page of events. Like all statements here that run once for each page or row, it reads no other rows.
const EVENTS: &str = "
    SELECT seq, id, lane, time, accepted, message, person, body, attempts, begun, handled, decided,
           first_action, actions
    FROM event WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// The actions of an event, among the numbers that it has.
const ACTIONS: &str = "
    SELECT seq, n, chat, turn_order, queued, body, not_before, expires, attempts, doubts, claimed, last_claim,
           until, settled, outcome, reason, message
    FROM action WHERE seq >= ?2 AND seq < ?3 AND event = ?1 ORDER BY seq";

#[async_trait]
impl MovingStore for SqliteStore {
    async fn mark(&self) -> std::result::Result<Option<MoveMark>, StoreError> {
        self.executor.run(Written, |db| read_mark(&db.connection)).await
    }

    async fn set_mark(&self, mark: Option<&MoveMark>) -> std::result::Result<(), StoreError> {
        let mark = mark.cloned();
        self.executor.run(Synced, move |db| write_mark(&db.connection, mark.as_ref())).await
    }

    async fn is_empty(&self) -> std::result::Result<bool, StoreError> {
        let is_empty = |connection: &Connection| {
            for table in TABLES {
                let sql = format!("SELECT EXISTS (SELECT 1 FROM {table} {})", but_mark(table));
                if connection.query_row(&sql, [], |row| row.get(0))? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        self.executor.run(Written, move |db| is_empty(&db.connection)).await
    }

    async fn clear(&self, mark: &MoveMark) -> std::result::Result<(), StoreError> {
        let mark = mark.clone();
        let clear = move |connection: &Connection| {
            for table in TABLES {
                connection.execute(&format!("DELETE FROM {table}"), [])?;
            }
            index_all(connection)?;
            write_mark(connection, Some(&mark))
        };
        self.executor
            .run(Synced, move |db| {
                db.queues.clear();
                clear(&db.connection)
            })
            .await
    }

    async fn rows(&self, after: &RowPlace) -> std::result::Result<RowPage, StoreError> {
        let after = after.clone();
        self.executor.run(Written, move |db| page(&db.connection, &after)).await
    }

    async fn put(
        &self,
        rows: &[StoredRow],
        before: &MoveMark,
        mark: &MoveMark,
    ) -> std::result::Result<(), StoreError> {
        let (rows, before, mark) = (rows.to_vec(), before.clone(), mark.clone());
        let put = move |connection: &Connection| {
            let found = read_mark(connection)?;
            if found.as_ref() == Some(&mark) {
                return Ok(true);
            }
            if found.as_ref() != Some(&before) {
                return Ok(false);
            }
            rows.iter().try_for_each(|row| insert(connection, row))?;
            index_all(connection)?;
            write_mark(connection, Some(&mark))?;
            Ok(true)
        };
        let work = move |db: &mut Database| {
            db.queues.clear();
            put(&db.connection)
        };
        let is_put = self.executor.run(Synced, work).await?;
        if is_put { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    async fn close(&self) -> std::result::Result<(), StoreError> {
        Store::close(self).await
    }
}

/// Moves the marks of the [`queues`](crate::queues) to the newest rows: each row that is inserted here is indexed at once.
fn index_all(connection: &Connection) -> Result<()> {
    let newest = "UPDATE mark SET event = (SELECT coalesce(max(seq), 0) FROM event),
                                  action = (SELECT coalesce(max(seq), 0) FROM action)";
    connection.execute(newest, []).map(drop)
}

/// Leaves the mark out of the records.
fn but_mark(table: &str) -> String {
    if table == "record" { format!("WHERE key <> '{MARK}'") } else { String::new() }
}

pub(crate) fn read_mark(connection: &Connection) -> Result<Option<MoveMark>> {
    let text: Option<String> = connection
        .query_row("SELECT value FROM record WHERE key = ?1", [MARK], |row| row.get(0))
        .optional()?;
    // A mark that cannot be read is one of a newer version.
    let unknown = |_| MoveMark::Leaving { id: String::new(), to: "another store".to_owned() };
    Ok(text.map(|text| serde_json::from_str(&text).unwrap_or_else(unknown)))
}

fn write_mark(connection: &Connection, mark: Option<&MoveMark>) -> Result<()> {
    match mark {
        Some(mark) => connection.execute(
            "INSERT INTO record (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [MARK, &crate::events::to_json(mark)?],
        )?,
        None => connection.execute("DELETE FROM record WHERE key = ?1", [MARK])?,
    };
    Ok(())
}

fn page(connection: &Connection, after: &RowPlace) -> Result<RowPage> {
    let (rows, end) = match after {
        RowPlace::Start => (events(connection, i64::MIN)?, RowPlace::Ids),
        RowPlace::Event(seq) => (events(connection, *seq)?, RowPlace::Ids),
        RowPlace::Ids => (ids(connection, i64::MIN, "")?, RowPlace::Values),
        RowPlace::Id(accepted, id) => (ids(connection, *accepted, id)?, RowPlace::Values),
        RowPlace::Values => (values(connection, (-1, "", "", ""))?, RowPlace::Timers),
        RowPlace::Value(scope, chat, person, key) => {
            (values(connection, (*scope, chat, person, key))?, RowPlace::Timers)
        }
        RowPlace::Timers => (timers(connection, ("", ""))?, RowPlace::Records),
        RowPlace::Timer(chat, key) => (timers(connection, (chat, key))?, RowPlace::Records),
        RowPlace::Records => (records(connection, "")?, RowPlace::Hits),
        RowPlace::Record(key) => (records(connection, key)?, RowPlace::Hits),
        RowPlace::Hits => return last(hits(connection, i64::MIN, "")?),
        RowPlace::Hit(day, rule) => return last(hits(connection, *day, rule)?),
    };
    let most = if end == RowPlace::Values { IDS } else { ROWS };
    let place = rows.last().map(StoredRow::place).filter(|_| rows.len() == most);
    let next = Some(place.unwrap_or(end));
    Ok(RowPage { rows: rows.into_iter().map(StoredRow::without_nul).collect(), next })
}

/// The last kind of rows, which ends.
fn last(rows: Vec<StoredRow>) -> Result<RowPage> {
    let next = rows.last().map(StoredRow::place).filter(|_| rows.len() == ROWS);
    Ok(RowPage { rows: rows.into_iter().map(StoredRow::without_nul).collect(), next })
}

fn events(connection: &Connection, after: i64) -> Result<Vec<StoredRow>> {
    let events: Vec<(StoredEvent, Numbers)> = connection
        .prepare_cached(EVENTS)?
        .query_map((after, ROWS), |row| Ok((event(row)?, (row.get(12)?, row.get(13)?))))?
        .collect::<Result<_>>()?;
    let with_actions = |(mut event, numbers): (StoredEvent, Numbers)| {
        let actions = actions(connection, &event.id, numbers)?;
        event.first_action = actions.first().map(|(seq, action)| seq - action.n);
        event.actions = actions.into_iter().map(|(_, action)| action).collect();
        Ok(StoredRow::Event(Box::new(event)))
    };
    events.into_iter().map(with_actions).collect()
}

/// The number of the first action of an event, and how many it had.
type Numbers = (Option<i64>, i64);

fn event(row: &Row<'_>) -> Result<StoredEvent> {
    let (body, handled): (Option<String>, Option<i64>) = (row.get(7)?, row.get(10)?);
    Ok(StoredEvent {
        seq: row.get(0)?,
        id: row.get(1)?,
        lane: row.get(2)?,
        time: row.get(3)?,
        accepted: row.get(4)?,
        private: body.as_deref().is_some_and(is_private),
        message: row.get(5)?,
        person: row.get(6)?,
        body,
        attempts: if handled.is_some() { 0 } else { row.get(8)? },
        begun: handled.is_none() && row.get(9)?,
        handled,
        decided: row.get(11)?,
        first_action: None,
        actions: Vec::new(),
    })
}

/// Whether the body of an event is a message or notice of a private chat.
fn is_private(body: &str) -> bool {
    let chat = match serde_json::from_str(body) {
        Ok(EventBody::Message(message)) => message.chat.kind,
        Ok(EventBody::Notice(notice)) => notice.chat.kind,
        Ok(EventBody::Due(_) | EventBody::Started) | Err(_) => return false,
    };
    chat == ChatKind::Private
}

fn actions(
    connection: &Connection,
    event: &str,
    (first, count): Numbers,
) -> Result<Vec<(i64, StoredAction)>> {
    let Some(first) = first else { return Ok(Vec::new()) };
    connection
        .prepare_cached(ACTIONS)?
        .query_map(params![event, first, first + count], |row| {
            let action = StoredAction {
                n: row.get(1)?,
                chat: row.get(2)?,
                turn_order: row.get(3)?,
                queued: row.get(4)?,
                body: row.get(5)?,
                not_before: row.get(6)?,
                expires: row.get(7)?,
                attempts: row.get(8)?,
                doubts: row.get(9)?,
                claimed: row.get(10)?,
                last_claim: row.get(11)?,
                until: row.get(12)?,
                settled: row.get(13)?,
                outcome: row.get(14)?,
                reason: row.get(15)?,
                message: row.get(16)?,
            };
            Ok((row.get(0)?, if action.settled.is_some() { settled(action) } else { action }))
        })?
        .collect()
}

/// A settled action without what was meant for its sending.
fn settled(action: StoredAction) -> StoredAction {
    let (claimed, expires, until) = (None, None, None);
    StoredAction { not_before: 0, doubts: 0, claimed, expires, until, ..action }
}

fn ids(connection: &Connection, accepted: i64, id: &str) -> Result<Vec<StoredRow>> {
    connection
        .prepare_cached(
            "SELECT id, accepted FROM seen WHERE (accepted, id) > (?1, ?2)
             ORDER BY accepted, id LIMIT ?3",
        )?
        .query_map(params![accepted, id, IDS], |row| {
            Ok(StoredRow::Id(StoredId { id: row.get(0)?, accepted: row.get(1)? }))
        })?
        .collect()
}

fn values(
    connection: &Connection,
    (scope, chat, person, key): (i16, &str, &str, &str),
) -> Result<Vec<StoredRow>> {
    connection
        .prepare_cached(
            "SELECT scope, chat, person, key, value, version, expires, name FROM state
             WHERE (scope, chat, person, key) > (?1, ?2, ?3, ?4)
             ORDER BY scope, chat, person, key LIMIT ?5",
        )?
        .query_map(params![scope, chat, person, key, ROWS], |row| {
            Ok(StoredRow::Value(StoredValue {
                scope: row.get(0)?,
                chat: row.get(1)?,
                person: row.get(2)?,
                key: row.get(3)?,
                value: row.get(4)?,
                version: row.get(5)?,
                expires: row.get(6)?,
                name: row.get(7)?,
            }))
        })?
        .collect()
}

fn timers(connection: &Connection, (chat, key): (&str, &str)) -> Result<Vec<StoredRow>> {
    connection
        .prepare_cached(
            "SELECT chat, key, at, body FROM timer WHERE (chat, key) > (?1, ?2)
             ORDER BY chat, key LIMIT ?3",
        )?
        .query_map(params![chat, key, ROWS], |row| {
            Ok(StoredRow::Timer(StoredTimer {
                chat: row.get(0)?,
                key: row.get(1)?,
                at: row.get(2)?,
                body: row.get(3)?,
            }))
        })?
        .collect()
}

fn records(connection: &Connection, key: &str) -> Result<Vec<StoredRow>> {
    connection
        .prepare_cached(
            "SELECT key, value FROM record WHERE key > ?1 AND key <> ?2 ORDER BY key LIMIT ?3",
        )?
        .query_map(params![key, MARK, ROWS], |row| {
            Ok(StoredRow::Record(StoredRecord { key: row.get(0)?, value: row.get(1)? }))
        })?
        .collect()
}

fn hits(connection: &Connection, day: i64, rule: &str) -> Result<Vec<StoredRow>> {
    connection
        .prepare_cached(
            "SELECT day, rule, times, last FROM hit WHERE (day, rule) > (?1, ?2)
             ORDER BY day, rule LIMIT ?3",
        )?
        .query_map(params![day, rule, ROWS], |row| {
            Ok(StoredRow::Hit(StoredHit {
                day: row.get(0)?,
                rule: row.get(1)?,
                times: row.get(2)?,
                last: row.get(3)?,
            }))
        })?
        .collect()
}

fn insert(connection: &Connection, row: &StoredRow) -> Result<()> {
    match row {
        StoredRow::Event(event) => return insert_event(connection, event),
        StoredRow::Id(StoredId { id, accepted }) => connection
            .prepare_cached("INSERT INTO seen (id, accepted) VALUES (?1, ?2)")?
            .execute(params![id, accepted])?,
        StoredRow::Value(value) => connection
            .prepare_cached(
                "INSERT INTO state (scope, chat, person, key, value, version, expires, name)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                value.scope,
                value.chat,
                value.person,
                value.key,
                value.value,
                value.version,
                value.expires,
                value.name,
            ])?,
        StoredRow::Timer(StoredTimer { chat, key, at, body }) => connection
            .prepare_cached("INSERT INTO timer (chat, key, at, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![chat, key, at, body])?,
        StoredRow::Record(StoredRecord { key, value }) => connection
            .prepare_cached("INSERT INTO record (key, value) VALUES (?1, ?2)")?
            .execute([key, value])?,
        StoredRow::Hit(StoredHit { day, rule, times, last }) => connection
            // An opening after an interruption has counted the turns that arrived.
            .prepare_cached(
                "INSERT INTO hit (day, rule, times, last) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (day, rule) DO UPDATE SET times = excluded.times, last = excluded.last",
            )?
            .execute(params![day, rule, times, last])?,
    };
    Ok(())
}

fn insert_event(connection: &Connection, event: &StoredEvent) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO event (seq, id, lane, time, accepted, attempts, begun, handled, first_action, actions, message,
                                person, body, decided)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            event.seq,
            event.id,
            event.lane,
            event.time,
            event.accepted,
            event.attempts,
            event.begun,
            event.handled,
            event.first_action,
            event.actions.last().map_or(0, |action| action.n + 1),
            event.message,
            event.person,
            event.body,
            event.decided,
        ])?;
    connection
        .prepare_cached("INSERT INTO event_id (id, seq) VALUES (?1, ?2)")?
        .execute(params![event.id, event.seq])?;
    if event.handled.is_none() {
        connection
            .prepare_cached("INSERT INTO late_event (seq) VALUES (?1)")?
            .execute([event.seq])?;
    }
    let Some(first) = event.first_action else { return Ok(()) };
    event.actions.iter().try_for_each(|action| insert_action(connection, event, first, action))
}

fn insert_action(
    connection: &Connection,
    event: &StoredEvent,
    first: i64,
    action: &StoredAction,
) -> Result<()> {
    if action.settled.is_none() {
        connection
            .prepare_cached("INSERT INTO late_action (seq) VALUES (?1)")?
            .execute([first + action.n])?;
    }
    connection
        .prepare_cached(
            "INSERT INTO action (seq, event, n, chat, queued, turn_order, not_before, expires, attempts, doubts, claimed,
                                 last_claim, until, settled, outcome, reason, message, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            first + action.n,
            event.id,
            action.n,
            action.chat,
            action.queued,
            action.turn_order,
            action.not_before,
            action.expires,
            action.attempts,
            action.doubts,
            action.claimed,
            action.last_claim,
            action.until,
            action.settled,
            action.outcome,
            action.reason,
            action.message,
            action.body,
        ])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn no_event_or_action_is_read_but_those_of_the_page() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        for sql in [EVENTS, ACTIONS] {
            let plan = plan(&connection, sql);
            assert!(plan.contains("USING INTEGER PRIMARY KEY (rowid>?"), "{plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("B-TREE"), "{plan}");
        }
        let scan = plan(&connection, "SELECT first_action FROM event WHERE id = ?1");
        assert!(scan.contains("SCAN event"), "ids of events are in another table: {scan}");
    }

    fn plan(connection: &Connection, sql: &str) -> String {
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = plan.parameter_count();
        let none = rusqlite::params_from_iter(std::iter::repeat_n(None::<i64>, parameters));
        let steps = plan.query_map(none, |row| row.get::<_, String>(3)).unwrap();
        steps.collect::<Result<Vec<_>>>().unwrap().join("; ")
    }

    #[test]
    fn all_ids_are_in_pages_in_the_order_of_their_times() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                    INSERT INTO seen (id, accepted) SELECT 'm' || i, (i * 7919) % 50 FROM n";
        connection.execute(fill, [2 * IDS + 1]).unwrap();
        let (mut place, mut sizes, mut found) = (RowPlace::Ids, Vec::new(), Vec::new());
        while place != RowPlace::Values {
            let page = page(&connection, &place).unwrap();
            sizes.push(page.rows.len());
            found.extend(page.rows.into_iter().map(|row| match row {
                StoredRow::Id(StoredId { id, accepted }) => (accepted, id),
                other => panic!("{other:?}"),
            }));
            place = page.next.unwrap();
        }
        assert_eq!(sizes, [IDS, IDS, 1]);
        assert!(found.is_sorted_by(|one, next| one < next), "each id is there once");
    }
}
