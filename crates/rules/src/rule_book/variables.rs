//! Where variables lie in the state, and the marks of streaks.

use std::borrow::Cow;

use jiff::civil::Date;
use jiff::{ToSpan, Zoned};
use mynah_core::{Person, Scope};

use super::pending::Pending;
use crate::model::Period;

/// The beginning of the names of variables that a person has in all chats. They lie in the state of the bot, as
/// `person:points:ID`.
pub(crate) const OF_PERSON: &str = "person:";

/// The key of a variable in the state; `None` for a variable of a person where there is no person.
pub(crate) fn stored<'k>(
    scope: Scope,
    key: &'k str,
    person: Option<&Person>,
) -> Option<Cow<'k, str>> {
    if scope != Scope::Bot || !key.starts_with(OF_PERSON) {
        return Some(key.into());
    }
    person.map(|person| format!("{key}:{}", person.id).into())
}

/// Counts an acting rule into a streak: one more in the next calendar unit, unchanged in the same one, else 1.
pub(super) fn count_streak(pending: &mut Pending<'_>, key: &str, per: Period, clock: &Zoned) {
    let mark = format!("streak:{key}");
    let Some(unit) = begin(per, clock.date()) else { return };
    let last: Option<Date> = pending.get(Scope::Person, &mark).and_then(|last| last.parse().ok());
    let length: Option<i64> =
        pending.get(Scope::Person, key).and_then(|length| length.trim().parse().ok());
    let next = match (length, last) {
        // In the same unit, or after the clock was set back.
        (Some(_), Some(last)) if last >= unit => return,
        (Some(length), Some(last)) if Some(last) == before(per, unit) => length.saturating_add(1),
        _ => 1,
    };
    pending.set(Scope::Person, key, next.to_string(), None);
    let unit = last.map_or(unit, |last| last.max(unit));
    pending.set(Scope::Person, &mark, unit.to_string(), None);
}

/// The first day of the calendar unit that contains a day.
fn begin(per: Period, day: Date) -> Option<Date> {
    match per {
        Period::Hour | Period::Day => Some(day),
        Period::Week => {
            let since_monday = i32::from(day.weekday().to_monday_zero_offset());
            day.checked_sub(since_monday.days()).ok()
        }
    }
}

fn before(per: Period, unit: Date) -> Option<Date> {
    let days = if per == Period::Week { 7 } else { 1 };
    unit.checked_sub(days.days()).ok()
}
