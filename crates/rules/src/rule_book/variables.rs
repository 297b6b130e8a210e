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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use mynah_core::NoState;
    use proptest::prelude::*;

    use super::*;

    /// Zones whose clocks change by half an hour, by an hour and at midnight, and one without changes.
    const ZONES: [&str; 5] = [
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
        "Asia/Beirut",
    ];

    /// The days from 1970 on, or the weeks, that a local calendar shows: counted without the calendar of the program.
    fn unit(per: Period, clock: &Zoned) -> i64 {
        let (year, month, day) =
            (i64::from(clock.year()), i64::from(clock.month()), i64::from(clock.day()));
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let lengths =
            [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let years: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
        let months: i64 = lengths.iter().take(usize::try_from(month - 1).unwrap()).sum();
        let days = years + months + day - 1;
        // 1970 began on a Thursday.
        if per == Period::Week { (days + 3).div_euclid(7) } else { days }
    }

    proptest! {
        #[test]
        fn a_streak_is_the_units_in_a_row_of_the_local_calendar(
            zone in 0..ZONES.len(),
            is_week in any::<bool>(),
            start in 0_i64..800_000_000,
            gaps in prop::collection::vec(
                prop_oneof![
                    0_i64..7_200,
                    40_000_i64..130_000,
                    500_000_i64..700_000,
                    1_000_000_i64..1_300_000,
                ],
                1..60,
            ),
        ) {
            let zone = TimeZone::get(ZONES[zone]).unwrap();
            let per = if is_week { Period::Week } else { Period::Day };
            let mut pending = Pending::new(&NoState);
            let mut units: Vec<i64> = Vec::new();
            let mut now = start;
            for gap in gaps {
                now += gap;
                let clock = Timestamp::from_second(1_000_000_000 + now).unwrap().to_zoned(zone.clone());
                count_streak(&mut pending, "days", per, &clock);
                let unit = unit(per, &clock);
                if units.last() != Some(&unit) {
                    units.push(unit);
                }
                let in_a_row = units.iter().rev().zip((0..=unit).rev()).take_while(|(a, b)| **a == *b);
                let expected = in_a_row.count().to_string();
                prop_assert_eq!(pending.get(Scope::Person, "days"), Some(expected), "{}", clock);
            }
        }
    }
}
