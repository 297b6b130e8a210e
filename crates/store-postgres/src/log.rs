//! Pages of the log. A call looks at a limited number of entries; filters on id, chat, person and time are columns, and a
//! rule and a kind are first searched as words in the stored form.

use mynah_core::{
    ChatId, Event, EventBody, EventId, LogPage, LogPlace, LogQuery, Logged, LoggedAction,
    StoreError, Timestamp, Unreadable,
};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use crate::arguments::text;
use crate::error::unreadable;
use crate::link::Link;

/// The most entries that a call looks at.
const ROWS: i64 = 1000;

/// One statement sees one state. `$2` to `$4`: the range of numbers and the id of the event or message; then the filters, the
/// most entries to look at and the most to return. The first three columns are there without an entry, too.
macro_rules! page {
    ($name:literal) => {
        concat!(
            "SELECT * FROM mynah.",
            $name,
            "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        )
    };
}

const FORWARD: &str = page!("log_forward_1");
const BACK: &str = page!("log_back_1");

pub(crate) async fn log(
    link: &Link,
    account: i32,
    query: &LogQuery,
) -> Result<LogPage, StoreError> {
    let is_forward = query.from.is_forward();
    let (after, before) = match query.from {
        LogPlace::After(seq) => (seq, i64::MAX),
        LogPlace::Newest => (i64::MIN, i64::MAX),
        LogPlace::Before(seq) => (i64::MIN, seq),
    };
    // As they are written in JSON.
    let rule = query.rule.as_ref().map(|rule| serde_json::Value::from(rule.as_str()).to_string());
    let kind = query.kind.map(|kind| format!("\"{}\"", kind.word()));
    let limit = i64::from(query.limit.max(1));
    let is_exact = query.rule.is_none() && query.kind.is_none() && query.text.is_none();
    let rows = link
        .query(
            if is_forward { FORWARD } else { BACK },
            &[
                &account,
                &after,
                &before,
                &query.id.as_deref().map(text),
                &query.chat.as_ref().map(|chat| text(chat.as_str())),
                &query.person.as_ref().map(|person| text(person.as_str())),
                &query.since.map(Timestamp::as_millis),
                &query.until.map(Timestamp::as_millis),
                &rule,
                &kind,
                &ROWS,
                &(if is_exact { limit } else { ROWS }),
            ],
        )
        .await?;
    page(query, &rows, limit)
}

fn page(query: &LogQuery, rows: &[Row], limit: i64) -> Result<LogPage, StoreError> {
    let is_forward = query.from.is_forward();
    let place = |seq| if is_forward { LogPlace::After(seq) } else { LogPlace::Before(seq) };
    let number: i64 = rows[0].get(0);
    let last: Option<i64> = rows[0].get(if is_forward { 2 } else { 1 });
    let mut page = Page { query, entries: Vec::new(), unreadable: Vec::new() };
    let mut next = last.map_or(query.from, place);
    let (mut found, mut more) = (0, number >= ROWS);
    for row in rows {
        let Some(seq) = row.get(3) else { break };
        found += i64::from(page.add(seq, row)?);
        if found >= limit {
            more |= last != Some(seq);
            next = place(seq);
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

/// A page as it is read.
struct Page<'a> {
    query: &'a LogQuery,
    entries: Vec<Logged>,
    unreadable: Vec<Unreadable>,
}

/// An action as JSON: chat, body, time and outcome, reason.
type ActionRow = (String, Option<String>, Option<i64>, Option<String>, Option<String>);

impl Page<'_> {
    /// Adds a row to the entries, to the unreadable entries, to both, or to none. Returns whether it added the row.
    fn add(&mut self, seq: i64, row: &Row) -> Result<bool, StoreError> {
        let event = EventId::new(row.get::<_, String>(4));
        let accepted = Timestamp::from_millis(row.get(6));
        let mut wrong = Vec::new();
        let body: Option<EventBody> = read("event", row.get(8), &mut wrong);
        let decided = read("decision", row.get(9), &mut wrong);
        let time = Timestamp::from_millis(row.get(5));
        let handled = row.get::<_, Option<i64>>(7).map(Timestamp::from_millis);
        let entry = body.map(|body| {
            let event = Event { id: event.clone(), time, body };
            Logged { seq, event, accepted, handled, decided, actions: Vec::new() }
        });
        let entry = entry.filter(|entry| self.query.fits(entry));
        if entry.is_none() && wrong.is_empty() {
            return Ok(false);
        }
        let actions: Vec<ActionRow> = match row.get::<_, Option<&str>>(10) {
            Some(actions) => serde_json::from_str(actions).map_err(unreadable)?,
            None => Vec::new(),
        };
        let mut action = |(chat, body, settled, outcome, reason): ActionRow| LoggedAction {
            chat: ChatId::new(chat),
            action: read("action", body.as_deref(), &mut wrong),
            settled: settled.map(Timestamp::from_millis),
            outcome,
            reason,
        };
        let actions = actions.into_iter().map(&mut action).collect();
        if !wrong.is_empty() {
            self.unreadable.push(Unreadable { seq, id: event, accepted, why: wrong.join("; ") });
        }
        self.entries.extend(entry.map(|entry| Logged { actions, ..entry }));
        Ok(true)
    }
}

/// Reads a part of an entry, if it is there. Adds its errors to `wrong`.
fn read<T: DeserializeOwned>(part: &str, json: Option<&str>, wrong: &mut Vec<String>) -> Option<T> {
    match serde_json::from_str(json?) {
        Ok(value) => Some(value),
        Err(error) => {
            wrong.push(format!("the {part} has a form that this version does not know ({error})"));
            None
        }
    }
}
