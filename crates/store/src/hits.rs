//! How often each rule fired, per day: table `hit`. It outlives the log, so that a rule which did not fire for a month
//! is known as such where the log is kept for a week. It holds ids of rules and numbers, no data about people.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mynah_core::{Decided, Fired, Timestamp};
use rusqlite::{Connection, Result, params};

use crate::rows::to_map;

/// A day in milliseconds; days are those of UTC, since a zone may change.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The number of days that are kept.
const KEPT: i64 = 90;

/// The row of a day that counts all turns; the oldest one shows when counting began.
const ALL: &str = "";

/// Counts are written after this time at the latest, if turns go on.
const UNWRITTEN: Duration = Duration::from_secs(5);

/// The counts of turns that are not written yet: a row for each turn would cost a page. The log has the same turns, so a
/// start after a crash counts them there; see [`recount`].
#[derive(Debug, Default)]
pub(crate) struct Hits {
    /// Those of committed turns.
    committed: Counts,
    since: Option<Instant>,
    /// Those of the open transaction.
    fresh: Counts,
    /// Whether the open transaction has written all of them.
    written: bool,
    /// Whether the open transaction is to write them at its end.
    pub(crate) wanted: bool,
}

/// The number of turns and the last one, by day and rule.
type Counts = BTreeMap<(i64, String), (i64, i64)>;

impl Hits {
    /// Counts a turn, and the rule that fired in it, if any. A rule that matched but did not answer does not count.
    pub(crate) fn note(&mut self, decided: &Decided, now: Timestamp) {
        let fired = decided.rule.as_deref().filter(|_| decided.quiet.is_none());
        for rule in std::iter::once(ALL).chain(fired) {
            add(&mut self.fresh, (day(now), rule.to_owned()), (1, now.as_millis()));
        }
    }

    /// Whether no turn waits to be counted.
    pub(crate) fn is_empty(&self) -> bool {
        self.committed.is_empty() && self.fresh.is_empty()
    }

    /// Whether the open transaction is to write what is not written yet.
    pub(crate) fn is_due(&self) -> bool {
        self.wanted || self.since.is_some_and(|since| since.elapsed() >= UNWRITTEN)
    }

    /// Writes the counts at the end of a transaction, if that is due or wanted.
    pub(crate) fn write_if_due(&mut self, connection: &Connection) -> Result<()> {
        if self.is_empty() || !self.is_due() {
            return Ok(());
        }
        for ((day, rule), (times, last)) in self.committed.iter().chain(&self.fresh) {
            connection
                .prepare_cached(
                    "INSERT INTO hit (day, rule, times, last) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (day, rule) DO UPDATE
                     SET times = times + excluded.times, last = max(last, excluded.last)",
                )?
                .execute(params![day, rule, times, last])?;
        }
        self.written = true;
        Ok(())
    }

    /// The transaction is committed.
    pub(crate) fn commit(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        if std::mem::take(&mut self.written) {
            self.committed.clear();
            self.since = None;
        } else if !fresh.is_empty() {
            self.since.get_or_insert_with(Instant::now);
            fresh.into_iter().for_each(|(key, count)| add(&mut self.committed, key, count));
        }
        self.wanted = false;
    }

    /// The transaction is undone.
    pub(crate) fn roll_back(&mut self) {
        self.fresh.clear();
        self.written = false;
    }
}

fn add(counts: &mut Counts, key: (i64, String), (times, last): (i64, i64)) {
    let sum = counts.entry(key).or_insert((0, last));
    *sum = (sum.0 + times, sum.1.max(last));
}

/// Counts the turns of the log since the last day that was written: a process that died had counted them in memory only.
pub(crate) fn recount(connection: &Connection) -> Result<()> {
    let from: i64 = connection.query_row(
        "SELECT coalesce(max(day), 0) FROM hit WHERE rule = ''",
        [],
        |row| row.get(0),
    )?;
    let more = "ON CONFLICT (day, rule) DO UPDATE
                SET times = max(times, excluded.times), last = max(last, excluded.last)";
    for sql in [
        "INSERT INTO hit (day, rule, times, last)
         SELECT handled / 86400000 AS day, '', count(*), max(handled) FROM event WHERE handled >= ?1 GROUP BY 1",
        "INSERT INTO hit (day, rule, times, last)
         SELECT handled / 86400000 AS day, decided ->> '$.rule' AS name, count(*), max(handled) FROM event
         WHERE handled >= ?1 AND name <> '' AND decided ->> '$.quiet' IS NULL GROUP BY 1, 2",
    ] {
        connection.execute(&format!("{sql} {more}"), [from * DAY])?;
    }
    Ok(())
}

/// The day since which turns are counted.
pub(crate) fn since(connection: &Connection) -> Result<Option<Timestamp>> {
    let first: Option<i64> =
        connection.query_row("SELECT min(day) FROM hit WHERE rule = ''", [], |row| row.get(0))?;
    Ok(first.map(|day| Timestamp::from_millis(day * DAY)))
}

/// The counts of every rule that fired.
pub(crate) fn fired(connection: &Connection) -> Result<BTreeMap<String, Fired>> {
    let sql = "SELECT rule, sum(times), max(last) FROM hit WHERE rule <> '' GROUP BY rule";
    let mut statement = connection.prepare_cached(sql)?;
    to_map(statement.query_map([], |row| {
        let last = Timestamp::from_millis(row.get(2)?);
        Ok((row.get(0)?, Fired { times: row.get(1)?, last }))
    })?)
}

/// Deletes days that are too old, at most `rows` rows. Returns the number of deleted rows.
pub(crate) fn tidy(connection: &Connection, now: Timestamp, rows: usize) -> Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM hit WHERE (day, rule) IN
             (SELECT day, rule FROM hit WHERE day < ?1 LIMIT ?2)",
        )?
        .execute(params![day(now) - KEPT, rows])
}

const fn day(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(DAY)
}
