//! How often each rule fired, day by day: table `hit`. It outlives the log, so that a rule which did not fire for a month
//! is known as such where the log is kept for a week. It holds ids of rules and numbers, nothing of people.

use std::collections::BTreeMap;

use mynah_core::{Decided, Timestamp};
use rusqlite::{Connection, Result, params};

use crate::survey::Fired;

/// A day in milliseconds; days are those of UTC, since a zone may change.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// So many days are known.
const KEPT: i64 = 90;

/// The row of a day that counts all turns: it tells since when is counted.
const ALL: &str = "";

/// Counts a turn, and the rule that fired in it if one did. One that matched and had to keep quiet does not count.
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

/// Since when turns are counted.
pub(crate) fn since(connection: &Connection) -> Result<Option<Timestamp>> {
    let first: Option<i64> =
        connection.query_row("SELECT min(day) FROM hit WHERE rule = ''", [], |row| row.get(0))?;
    Ok(first.map(|day| Timestamp::from_millis(day * DAY)))
}

/// What is known of every rule that fired.
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

/// Forgets the days of long ago, at most so many rows. Returns how many went.
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
