//! Durations: one grammar for rule files, settings, the command line and chat commands.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::{Lang, arabic, plain_width, say};

/// The longest duration of a rule: a longer one is a slip.
pub const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

/// The units with their lengths in milliseconds, and the words for each.
const UNITS: &[(&[&str], u64)] = &[
    (&["ms", "毫秒"], 1),
    (&["s", "秒", "秒钟"], 1000),
    (&["m", "min", "分", "分钟"], 60 * 1000),
    (&["h", "时", "小时", "个小时"], 3600 * 1000),
    (&["d", "天"], 24 * 3600 * 1000),
];

/// A text that is not a duration, or not one that fits its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadDuration {
    /// The text as written.
    pub text: String,
    /// The reason.
    pub why: WhyBad,
}

/// Why a duration cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyBad {
    /// A number without a unit.
    NoUnit,
    /// Not a duration.
    Form,
    /// Zero where time must pass.
    Zero,
    /// Shorter than this place allows.
    TooShort,
    /// Longer than a year, where that is the bound.
    TooLong,
    /// Longer than any bound.
    Huge,
}

/// Reads a duration: `30s`, `5m`, `2h`, `1d`, `500ms`, `1.5h`, `10 分钟`, and several together: `1h30m`.
///
/// A bare `0` is zero where `fits` begins with zero.
///
/// # Errors
///
/// The reason, with the text.
pub fn duration(text: &str, fits: RangeInclusive<Duration>) -> Result<Duration, BadDuration> {
    let read = parse(text).and_then(|duration| match duration {
        Duration::ZERO if !fits.contains(&duration) => Err(WhyBad::Zero),
        duration if duration < *fits.start() => Err(WhyBad::TooShort),
        duration if duration > *fits.end() => Err(WhyBad::TooLong),
        duration => Ok(duration),
    });
    read.map_err(|why| {
        let why = if why == WhyBad::TooLong && *fits.end() > YEAR { WhyBad::Huge } else { why };
        BadDuration { text: text.to_owned(), why }
    })
}

fn parse(text: &str) -> Result<Duration, WhyBad> {
    let plain: String = text.chars().map(plain_width).collect();
    let mut rest = plain.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(WhyBad::Form);
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (part, after) = part(rest)?;
        total = total.checked_add(part).ok_or(WhyBad::TooLong)?;
        rest = after.trim_start();
    }
    Ok(total)
}

/// One number with its unit, and the rest of the text.
fn part(text: &str) -> Result<(Duration, &str), WhyBad> {
    let (number, after) = split(text, |c| c.is_ascii_digit() || c == '.');
    let (unit, rest) = split(after.trim_start(), char::is_alphabetic);
    if number.is_empty() {
        return Err(WhyBad::Form);
    }
    if unit.is_empty() {
        return Err(if rest.trim().is_empty() { WhyBad::NoUnit } else { WhyBad::Form });
    }
    let millis = UNITS.iter().find(|(words, _)| words.contains(&unit)).map(|(_, millis)| *millis);
    Ok((times(number, millis.ok_or(WhyBad::Form)?)?, rest))
}

fn split(text: &str, is_inside: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_inside(c)).unwrap_or(text.len()))
}

/// A decimal number of units, exact to the nanosecond.
fn times(number: &str, unit_millis: u64) -> Result<Duration, WhyBad> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') || fraction.len() > 9 {
        return Err(WhyBad::Form);
    }
    let unit_nanos = u128::from(unit_millis) * 1_000_000;
    let whole: u64 = whole.parse().map_err(|_| WhyBad::TooLong)?;
    let tenths: u64 = fraction.parse().map_err(|_| WhyBad::Form)?;
    let parts = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(9));
    let nanos = u128::from(whole) * unit_nanos + u128::from(tenths) * unit_nanos / parts;
    u64::try_from(nanos).map(Duration::from_nanos).map_err(|_| WhyBad::TooLong)
}

/// The regular expression of a duration in plain characters, for JSON Schemas.
#[must_use]
pub fn duration_pattern() -> String {
    let words: Vec<&str> = UNITS.iter().flat_map(|(words, _)| words.iter().copied()).collect();
    format!(r"^\s*([0-9]+(\.[0-9]+)?\s*({})\s*)+$", words.join("|"))
}

impl BadDuration {
    /// The mistake.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        let text = &self.text;
        match self.why {
            WhyBad::NoUnit => say!(lang, "\"{text}\" has no unit", "\"{text}\" 没有单位"),
            WhyBad::Form => {
                say!(lang, "\"{text}\" is not a valid duration", "\"{text}\" 不是有效的时长")
            }
            WhyBad::Zero => say!(lang, "\"{text}\" is a duration of zero", "\"{text}\" 时长为零"),
            WhyBad::TooShort => {
                say!(lang, "\"{text}\" is shorter than a second", "\"{text}\" 不到一秒")
            }
            WhyBad::TooLong => {
                say!(lang, "\"{text}\" is longer than a year", "\"{text}\" 超过一年")
            }
            WhyBad::Huge => say!(lang, "\"{text}\" is too long", "\"{text}\" 太长"),
        }
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> String {
        match self.meant() {
            Some(meant) => say!(lang, "write \"{meant}\"", "请写 \"{meant}\""),
            None => "30s, 5m, 2h, 1d".to_owned(),
        }
    }

    /// The duration that was probably meant, as it is written: `30s` for `30 seconds`.
    #[must_use]
    pub fn meant(&self) -> Option<String> {
        matches!(self.why, WhyBad::NoUnit | WhyBad::Form).then(|| meant(&self.text)).flatten()
    }
}

/// `5 minutes`, `半小时`, `每天`; a number alone is taken as seconds.
fn meant(text: &str) -> Option<String> {
    let plain = text.chars().map(plain_width).collect::<String>().to_lowercase();
    let plain = match plain.trim() {
        "daily" | "every day" | "每天" | "每日" => "1d".to_owned(),
        "hourly" | "every hour" | "每小时" => "1h".to_owned(),
        "weekly" | "every week" | "每周" => "1w".to_owned(),
        text => arabic(&text.replace("半", "0.5").replace("every ", "").replace('每', ""))
            .replace([' ', '个'], ""),
    };
    let mut rest = plain.as_str();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, |c| !c.is_ascii_digit());
        let number: f64 = if number.is_empty() { 1.0 } else { number.parse().ok()? };
        seconds += number * seconds_of(unit)?;
        rest = after;
    }
    // Only for durations that a person would write.
    let is_duration = (1.0..=YEAR.as_secs_f64()).contains(&seconds);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between the bounds"
    )]
    is_duration.then(|| shown(seconds.round() as u64))
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "" | "s" | "sec" | "secs" | "second" | "seconds" | "秒" | "秒钟" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" | "分" | "分钟" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" | "小时" | "时" | "钟头" => 3600.0,
        "d" | "day" | "days" | "天" | "日" => 86_400.0,
        "w" | "week" | "weeks" | "周" | "星期" => 7.0 * 86_400.0,
        _ => return None,
    })
}

fn shown(seconds: u64) -> String {
    let mut rest = seconds;
    let mut shown = String::new();
    for (length, letter) in [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            shown.push_str(&format!("{count}{letter}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_duration_is_read() {
        for (text, millis) in [
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            (" 1h 30m ", 5_400_000),
            ("1.5h", 5_400_000),
            ("0.1s", 100),
            ("1 h", 3_600_000),
            ("３０ｓ", 30_000),
            ("10 分钟", 600_000),
            ("1小时30分", 5_400_000),
            ("2 个小时", 7_200_000),
            ("3天", 259_200_000),
            ("0", 0),
            ("0s", 0),
        ] {
            let read = duration(text, Duration::ZERO..=YEAR);
            assert_eq!(read, Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_reason() {
        for (text, why, meant) in [
            ("", WhyBad::Form, None),
            ("30", WhyBad::NoUnit, Some("30s")),
            ("s", WhyBad::Form, Some("1s")),
            ("30 seconds", WhyBad::Form, Some("30s")),
            ("every 5 minutes", WhyBad::Form, Some("5m")),
            ("两个小时", WhyBad::Form, Some("2h")),
            ("半小时", WhyBad::Form, Some("30m")),
            ("每天", WhyBad::Form, Some("1d")),
            ("2 weeks", WhyBad::Form, Some("14d")),
            ("1x", WhyBad::Form, None),
            ("-5s", WhyBad::Form, None),
            ("1e3s", WhyBad::Form, None),
            ("1.2.3s", WhyBad::Form, None),
            (".5s", WhyBad::Form, None),
            ("5m30", WhyBad::NoUnit, Some("5m30s")),
            ("soon", WhyBad::Form, None),
            ("0s", WhyBad::Zero, None),
            ("0.5s", WhyBad::TooShort, None),
            ("400d", WhyBad::TooLong, None),
            ("99999999999999999999d", WhyBad::TooLong, None),
        ] {
            let bad = duration(text, Duration::from_secs(1)..=YEAR).expect_err(text);
            assert_eq!((bad.why, bad.meant().as_deref()), (why, meant), "{text}");
        }
    }
}
