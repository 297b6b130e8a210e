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

/// One statement sees one state. `$2` to `$4`: the range of numbers and the id of the event or message; then the filters and
/// the most entries to return. The first three columns are there without an entry, too.
macro_rules! page {
    ($order:literal) => {
        concat!(
            "WITH chunk AS MATERIALIZED (
                SELECT * FROM mynah.event WHERE account = $1 AND seq > $2 AND seq < $3 AND ($4::text IS NULL OR seq IN (
                    SELECT seq FROM mynah.seen WHERE account = $1 AND id IN ($4, 'm' || $4)
                    UNION ALL SELECT seq FROM mynah.event WHERE account = $1 AND message = $4))
                ORDER BY seq ", $order, " LIMIT $11)
            SELECT s.number, s.first, s.last, e.seq, e.id, e.time, e.accepted, e.handled, e.body, e.decided, (
                SELECT json_agg(json_build_array(a.chat, a.body, c.settled, c.outcome, coalesce(c.reason, o.reason)) ORDER BY a.n)
                FROM mynah.action a
                LEFT JOIN mynah.outcome c ON c.account = a.account AND c.event = a.event AND c.n = a.n
                LEFT JOIN mynah.outbox o ON o.account = a.account AND o.chat = a.chat AND o.turn_order = a.turn_order
                    AND o.seq = a.seq
                WHERE a.account = $1 AND a.event = e.seq)::text
            FROM (SELECT count(*) AS number, min(seq) AS first, max(seq) AS last FROM chunk) s
            LEFT JOIN LATERAL (
                SELECT k.*, d.handled, d.decided FROM chunk k
                LEFT JOIN mynah.decision d ON d.account = k.account AND d.seq = k.seq
                WHERE k.body IS NOT NULL AND ($5::text IS NULL OR k.lane = $5) AND ($6::text IS NULL OR k.person = $6)
                    AND ($7::bigint IS NULL OR k.accepted >= $7) AND ($8::bigint IS NULL OR k.accepted < $8)
                    AND ($9::text IS NULL OR strpos(d.decided, $9) > 0) AND ($10::text IS NULL OR strpos(k.body, $10) > 0)
                ORDER BY k.seq ", $order, " LIMIT $12) e ON true
            ORDER BY e.seq ", $order
        )
    };
}

const FORWARD: &str = page!("ASC");
const BACK: &str = page!("DESC");

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
