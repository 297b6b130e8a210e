//! Pages of the log.
//!
//! Filters on id, chat, person and time are columns. A rule and a kind are first searched as words in the stored form, so
//! that only few rows are decoded. A call without an id looks at a limited range of numbers.

use mynah_core::{
    ChatId, Event, EventBody, EventId, LogPage, LogPlace, LogQuery, Logged, LoggedAction,
    Timestamp, Unreadable,
};
use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row, params, params_from_iter};
use serde::de::DeserializeOwned;

use crate::schema;

/// The most rows that a call looks at.
const ROWS: i64 = 10_000;

/// Numbers of the log: from the first to the last, both included.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: i64,
    last: i64,
    /// Whether there are numbers behind the range in the direction of the query.
    more: bool,
}

pub(crate) fn log(connection: &Connection, query: &LogQuery) -> Result<LogPage> {
    let Some(range) = range(connection, query)? else {
        let (entries, unreadable) = (Vec::new(), Vec::new());
        return Ok(LogPage { entries, unreadable, next: query.from, more: false });
    };
    let is_forward = query.from.is_forward();
    let (sql, parameters) = statement(query, range, schema::event_or_message(connection)?);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut page = Page { query, entries: Vec::new(), unreadable: Vec::new() };
    let place = |seq| if is_forward { LogPlace::After(seq) } else { LogPlace::Before(seq) };
    let mut next = place(if is_forward { range.last } else { range.first });
    let (mut found, mut more) = (0, range.more);
    while let Some(row) = rows.next()? {
        found += u32::from(page.add(connection, row)?);
        if found >= query.limit.max(1) {
            next = place(row.get(0)?);
            more = true;
            break;
        }
    }
    let Page { mut entries, mut unreadable, .. } = page;
    if !is_forward {
        entries.reverse();
        unreadable.reverse();
    }
    Ok(LogPage { entries, unreadable, next, more })
}

/// The numbers to look at; `None` if there are none in this direction.
fn range(connection: &Connection, query: &LogQuery) -> Result<Option<Range>> {
    let ends: (Option<i64>, Option<i64>) = connection.query_row(
        "SELECT (SELECT min(seq) FROM event), (SELECT max(seq) FROM event)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (Some(oldest), Some(newest)) = ends else { return Ok(None) };
    // An index finds an id.
    let rows = if query.id.is_some() { i64::MAX } else { ROWS };
    let range = match query.from {
        LogPlace::After(seq) => {
            let first = seq.saturating_add(1).max(oldest);
            let last = first.saturating_add(rows - 1).min(newest);
            Range { first, last, more: last < newest }
        }
        LogPlace::Newest => back_from(newest, oldest, rows),
        LogPlace::Before(seq) => back_from(seq.saturating_sub(1).min(newest), oldest, rows),
    };
    Ok(Some(range).filter(|range| range.first <= range.last))
}

fn back_from(last: i64, oldest: i64, rows: i64) -> Range {
    let first = last.saturating_sub(rows - 1).max(oldest);
    Range { first, last, more: first > oldest }
}

/// The statement of a query, and its parameters.
fn statement(query: &LogQuery, range: Range, named: &'static str) -> (String, Vec<Value>) {
    // The id is the first parameter.
    let id = query.id.clone().map_or(Value::Null, Value::from);
    let mut conditions = vec!["seq BETWEEN ?2 AND ?3", "body IS NOT NULL"];
    let mut parameters = vec![id, Value::from(range.first), Value::from(range.last)];
    let mut add = |condition, values: &[Value]| {
        conditions.push(condition);
        parameters.extend_from_slice(values);
    };
    let text = |text: &str| Value::from(text.to_owned());
    if query.id.is_some() {
        add(named, &[]);
    }
    if let Some(chat) = &query.chat {
        add("lane = ?", &[text(chat.as_str())]);
    }
    if let Some(person) = &query.person {
        add("person = ?", &[text(person.as_str())]);
    }
    if let Some(since) = query.since {
        add("accepted >= ?", &[Value::from(since.as_millis())]);
    }
    if let Some(until) = query.until {
        add("accepted < ?", &[Value::from(until.as_millis())]);
    }
    if let Some(rule) = &query.rule {
        // As it is written in JSON.
        add("instr(decided, ?)", &[text(&serde_json::Value::from(rule.as_str()).to_string())]);
    }
    if let Some(kind) = query.kind {
        add("instr(body, ?)", &[text(&format!("\"{}\"", kind.word()))]);
    }
    let order = if query.from.is_forward() { "ASC" } else { "DESC" };
    let conditions = conditions.join(" AND ");
    let sql = format!(
        "SELECT seq, id, time, accepted, handled, body, decided FROM event
         WHERE {conditions} ORDER BY seq {order}"
    );
    (sql, parameters)
}

/// A page as it is read.
struct Page<'a> {
    query: &'a LogQuery,
    entries: Vec<Logged>,
    unreadable: Vec<Unreadable>,
}

impl Page<'_> {
    /// Adds a row to the entries, to the unreadable entries, to both, or to none. Returns whether it added the row.
    fn add(&mut self, connection: &Connection, row: &Row<'_>) -> Result<bool> {
        let (seq, id): (i64, String) = (row.get(0)?, row.get(1)?);
        let accepted = Timestamp::from_millis(row.get(3)?);
        let mut wrong = Vec::new();
        let body: Option<EventBody> = read("event", Some(row.get(5)?), &mut wrong);
        let decided = read("decision", row.get(6)?, &mut wrong);
        let event = EventId::new(id.clone());
        let time = Timestamp::from_millis(row.get(2)?);
        let handled = row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis);
        let entry = body.map(|body| {
            let event = Event { id: event.clone(), time, body };
            Logged { seq, event, accepted, handled, decided, actions: Vec::new() }
        });
        let entry = entry.filter(|entry| self.query.fits(entry));
        if entry.is_none() && wrong.is_empty() {
            return Ok(false);
        }
        let actions = actions_of(connection, (seq, &id), &mut wrong)?;
        if !wrong.is_empty() {
            let why = wrong.join("; ");
            self.unreadable.push(Unreadable { seq, id: event, accepted, why });
        }
        self.entries.extend(entry.map(|entry| Logged { actions, ..entry }));
        Ok(true)
    }
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
    (seq, event): (i64, &str),
    wrong: &mut Vec<String>,
) -> Result<Vec<LoggedAction>> {
    // Before version 4 an index found them.
    let numbers = if schema::version(connection)? < 4 {
        "AND ?2 IS NOT NULL"
    } else {
        "AND seq >= (SELECT first_action FROM event WHERE seq = ?2)
         AND seq < (SELECT first_action + actions FROM event WHERE seq = ?2)"
    };
    connection
        .prepare_cached(&format!(
            "SELECT chat, body, settled, outcome, reason FROM action WHERE event = ?1 {numbers} ORDER BY n"
        ))?
        .query_map(params![event, seq], |row| {
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
