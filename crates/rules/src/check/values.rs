//! Texts that mean a time span, a time of day, days, a zone.

use std::time::Duration;

use jiff::civil::{Time, Weekday};

use crate::model::{Days, TimeWindow};
use crate::problem::BadValue;
use mynah_matching::fold::fold_width;

/// The longest time span that is taken: longer ones are slips.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A time span: `30s`, `5m`, `2h`, `1d`, `500ms`, also several together: `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, BadValue> {
    let bad = |why: fn(String) -> BadValue| why(text.to_owned());
    let plain = plain(text);
    let mut rest = plain.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(bad(BadValue::Duration));
    }
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(bad(BadValue::Duration));
        }
        if unit.is_empty() {
            return Err(bad(if after.is_empty() { BadValue::NoUnit } else { BadValue::Duration }));
        }
        let number: u64 = number.parse().map_err(|_| bad(BadValue::TooLong))?;
        let millis = unit_millis(unit).ok_or_else(|| bad(BadValue::Duration))?;
        let part = number.checked_mul(millis).ok_or_else(|| bad(BadValue::TooLong))?;
        total =
            total.checked_add(Duration::from_millis(part)).ok_or_else(|| bad(BadValue::TooLong))?;
        rest = after.trim_start();
    }
    match total {
        Duration::ZERO => Err(bad(BadValue::ZeroDuration)),
        total if total > LONGEST => Err(bad(BadValue::TooLong)),
        total => Ok(total),
    }
}

/// The text with plain signs: Chinese keyboards write wide digits, colons and commas, which look the same.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(fold_width).collect()
}

fn unit_millis(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 3600 * 1000,
        "d" => 24 * 3600 * 1000,
        _ => return None,
    })
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
    // From midnight to midnight is the whole day, which somebody may mean; any other such span is a slip.
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
    fn time_spans_have_units() {
        for (text, millis) in [
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            (" 1h 30m ", 5_400_000),
            ("３０ｓ", 30_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "30",
            "s",
            "30 seconds",
            "1x",
            "-5s",
            "1.5h",
            "0s",
            "5m30",
            "99999999999999999999d",
            "400d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

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
