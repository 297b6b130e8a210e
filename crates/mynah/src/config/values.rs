//! The small languages inside values: durations, rates, ranges.

use std::ops::RangeInclusive;
use std::time::Duration;

/// So many within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// How many.
    pub(crate) count: u32,
    /// Within how long.
    pub(crate) within: Duration,
}

/// The longest duration of a setting.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// A duration; a bare `0` is no time at all.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    mynah_reader::duration(text, Duration::ZERO..=LONGEST).ok()
}

/// A rate: `20 per 1m` or `5 in 30s`.
pub(super) fn rate(text: &str, word: &str) -> Option<Rate> {
    let (count, within) = text.split_once(word)?;
    let count = count.trim().parse().ok().filter(|count| *count > 0)?;
    let within = duration(within).filter(|within| !within.is_zero())?;
    Some(Rate { count, within })
}

/// A range of durations: `0.5s-2s`; a single one is both ends.
pub(super) fn range(text: &str) -> Option<RangeInclusive<Duration>> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let (least, most) = (duration(least)?, duration(most)?);
    (least <= most).then_some(least..=most)
}

/// A number of bytes: `500MB`, `2GB`, `64KB`; a bare `0` is none.
pub(super) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    if text == "0" {
        return Some(0);
    }
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let factor = match unit {
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    number.trim_end().parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let millis = |text| duration(text).map(|duration| duration.as_millis());
        let good = [
            ("30s", 30_000),
            ("0.5s", 500),
            ("250ms", 250),
            ("1 m", 60_000),
            (" 2h ", 7_200_000),
            ("7d", 604_800_000),
            ("0", 0),
            ("0s", 0),
        ];
        for (text, expected) in good {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for text in ["", "30", "s", "-1s", "1w", "1e3s", "inf s", "99999999999999999999999d"] {
            assert_eq!(millis(text), None, "{text}");
        }
    }

    #[test]
    fn rates_and_ranges() {
        let twenty = Rate { count: 20, within: Duration::from_secs(60) };
        assert_eq!(rate("20 per 1m", "per"), Some(twenty));
        for text in ["0 per 1m", "20 per 0", "20", "per 1m", "-1 per 1m", "20 in 1m"] {
            assert_eq!(rate(text, "per"), None, "{text}");
        }
        let half = Duration::from_millis(500);
        assert_eq!(range("0.5s-2s"), Some(half..=Duration::from_secs(2)));
        assert_eq!(range("500ms"), Some(half..=half));
        assert_eq!(range("2s-1s"), None);
    }

    #[test]
    fn sizes() {
        assert_eq!(size("500MB"), Some(500 << 20));
        assert_eq!(size("2 GB"), Some(2 << 30));
        assert_eq!(size("0"), Some(0));
        for text in
            ["", "500", "500mb", "1.5GB", "99999999999999999999GB", "18446744073709551615GB"]
        {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
