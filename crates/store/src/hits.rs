//! How often each rule fired, per day: table `hit`. It outlives the log, so that a rule which did not fire for a month
//! is known as such where the log is kept for a week. It holds ids of rules and numbers, no data about people.

use std::collections::BTreeMap;

use mynah_core::{Decided, Timestamp};
use rusqlite::{Connection, Result, params};

use crate::survey::Fired;

/// A day in milliseconds; days are those of UTC, since a zone may change.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The number of days that are kept.
const KEPT: i64 = 90;

/// The row of a day that counts all turns; the oldest one shows when counting began.
const ALL: &str = "";

/// Counts a turn, and the rule that fired in it, if any. A rule that matched but did not answer does not count.
pub(crate) fn count(connection: &Connection, decided: &Decided, now: Timestamp) -> Result<()> {
    let fired = decided.rule.as_deref().filter(|_| decided.quiet.is_none());
    for rule in std::iter::once(ALL).chain(fired) {
        connection
            .prepare_cached(
                "INSERT INTO hit (rule, day, times, last) VALUES (?1, ?2, 1, ?3)
                 ON CONFLICT (rule, day) DO UPDATE SET times = times + 1, last = max(last, excluded.last)",
            )?
            .execute(params![rule, day(now), now.as_millis()])?;
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
    connection
        .prepare_cached(
            "SELECT rule, sum(times), max(last) FROM hit WHERE rule <> '' GROUP BY rule",
        )?
        .query_map([], |row| {
            let last = Timestamp::from_millis(row.get(2)?);
            Ok((row.get(0)?, Fired { times: row.get(1)?, last }))
        })?
        .collect()
}

/// Deletes days that are too old, at most `rows` rows. Returns the number of deleted rows.
pub(crate) fn tidy(connection: &Connection, now: Timestamp, rows: usize) -> Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM hit WHERE (rule, day) IN
             (SELECT rule, day FROM hit WHERE day < ?1 LIMIT ?2)",
        )?
        .execute(params![day(now) - KEPT, rows])
}

const fn day(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(DAY)
}
