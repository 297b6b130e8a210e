//! Texts that mean a time span, a time of day, days, a zone.

use std::time::Duration;

use jiff::civil::{Time, Weekday};

use crate::model::{Days, TimeWindow};
use crate::problem::BadValue;
use mynah_matching::fold::fold_width;
use mynah_reader::{BadDuration, YEAR};

/// The shortest duration that is more than zero.
const SHORTEST: Duration = Duration::from_nanos(1);

/// A duration of a rule: more than zero, a year at most.
pub(crate) fn duration(text: &str) -> Result<Duration, BadDuration> {
    mynah_reader::duration(text, SHORTEST..=YEAR)
}

/// The text with plain signs: Chinese keyboards write wide digits, colons and commas, which look the same.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(fold_width).collect()
}

/// A part of the day: `09:00-18:00`; over midnight if the end is earlier, `24:00` as end.
pub(crate) fn time_window(text: &str) -> Result<TimeWindow, BadValue> {
    let bad = || BadValue::TimeWindow(text.to_owned());
    let plain = plain(text);
    let (from, to) = plain.split_once(['-', '–', '—', '~']).ok_or_else(bad)?;
    let from = clock_time(from.trim()).ok_or_else(bad)?;
    let to = match to.trim() {
        "24:00" => Time::midnight(),
        to => clock_time(to).ok_or_else(bad)?,
    };
    // From midnight to midnight is the whole day, which may be meant; any other such span is a mistake.
    if from == to && !plain.ends_with("24:00") {
        return Err(BadValue::EmptyWindow(text.to_owned()));
    }
    Ok(TimeWindow { from, to })
}

/// A time of day: `09:00`.
pub(crate) fn time_of_day(text: &str) -> Result<Time, BadValue> {
    clock_time(plain(text).trim()).ok_or_else(|| BadValue::Time(text.to_owned()))
}

fn clock_time(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let number = |part: Option<&str>| {
        let part = part?;
        let is_number =
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse::<i8>().ok() } else { None }
    };
    let (hour, minute) = (number(parts.next())?, number(parts.next())?);
    let second = match parts.next() {
        Some(second) => number(Some(second))?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Time::new(hour, minute, second, 0).ok()
}

/// Days of the week: `mon`, `mon-fri`, `sat,sun`, `fri-mon`.
pub(crate) fn days(text: &str) -> Result<Days, BadValue> {
    let bad = || BadValue::Days(text.to_owned());
    let mut days = Days::NONE;
    for part in plain(text).split([',', '、']) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (weekday(first).ok_or_else(bad)?, weekday(last).ok_or_else(bad)?);
        let mut day = first;
        days = days.with(day);
        while day != last {
            day = day.next();
            days = days.with(day);
        }
    }
    Ok(days)
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.trim().to_lowercase().as_str() {
        "mon" | "monday" => Weekday::Monday,
        "tue" | "tuesday" => Weekday::Tuesday,
        "wed" | "wednesday" => Weekday::Wednesday,
        "thu" | "thursday" => Weekday::Thursday,
        "fri" | "friday" => Weekday::Friday,
        "sat" | "saturday" => Weekday::Saturday,
        "sun" | "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_day_end_before_their_end() {
        let window = time_window("22:00-06:00").expect("a window");
        let at = |hour| Time::constant(hour, 0, 0, 0);
        assert!(window.contains(at(22)) && window.contains(at(0)) && !window.contains(at(6)));
        let window = time_window("9:00 - 24:00").expect("a window");
        assert!(window.contains(at(9)) && window.contains(at(23)) && !window.contains(at(0)));
        let window = time_window("00:00-24:00").expect("the whole day");
        assert!(window.contains(at(0)) && window.contains(at(12)) && window.contains(at(23)));
        assert_eq!(time_window("０９：００－18：00"), time_window("09:00-18:00"));
        for text in
            ["", "9", "9-18", "09:00", "09:00-25:00", "09:60-10:00", "08:00-08:00", "+9:00-10:00"]
        {
            assert!(time_window(text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_may_go_over_the_weekend() {
        let week = |text| days(text).expect("days");
        assert!(
            week("mon-fri").contains(Weekday::Friday) && !week("mon-fri").contains(Weekday::Sunday)
        );
        assert!(week("sat,sun").contains(Weekday::Sunday));
        assert_eq!(week("sat，sun"), week("sat,sun"));
        assert!(
            week("fri-mon").contains(Weekday::Sunday)
                && !week("fri-mon").contains(Weekday::Tuesday)
        );
        assert_eq!(week("mon-sun"), Days::EVERY);
        for text in ["", "mon-", "mo", "周一", "mon fri"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}
