//! The moment at which played conversations begin.

use jiff::civil::date;
use jiff::tz::TimeZone;
use mynah_core::Timestamp;

/// A Monday noon in that zone: neither night nor weekend, and no change of clocks near.
pub(crate) fn monday_noon(zone: &TimeZone) -> Timestamp {
    moment(date(2026, 11, 23).at(12, 0, 0, 0), zone)
}

/// The moment of a local date and time. A time that a change of clocks skips or doubles is read in the usual way.
pub(crate) fn moment(at: jiff::civil::DateTime, zone: &TimeZone) -> Timestamp {
    let millis = zone.to_ambiguous_zoned(at).compatible().map_or_else(
        // Only beyond the years that a calendar has.
        |_| i64::MAX,
        |zoned| zoned.timestamp().as_millisecond(),
    );
    Timestamp::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noon_is_noon_in_its_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let noon: jiff::Timestamp = "2026-11-23T12:00:00+08:00".parse().unwrap();
        assert_eq!(monday_noon(&zone).as_millis(), noon.as_millisecond());
        assert_eq!(date(2026, 11, 23).weekday(), jiff::civil::Weekday::Monday);
    }
}
