//! Quiet hours: parts of the day in which nothing is answered.

use jiff::civil::DateTime;
use jiff::{ToSpan, Zoned};
use mynah_core::{Chat, Timestamp};

use super::RuleBook;
use super::event_facts::zoned;
use crate::model::TimeWindow;

/// So many windows are joined to find the end: windows that cover the whole day have none.
const MOST_JOINED: usize = 8;

impl RuleBook {
    /// Until when the quiet hours of a chat last, if it is one of them.
    #[must_use]
    pub fn quiet_until(&self, chat: &Chat, now: Timestamp) -> Option<Timestamp> {
        let of_group = self.table(chat).and_then(|table| table.quiet.as_deref());
        let windows = of_group.unwrap_or(&self.quiet);
        // The clock is looked at only where there are quiet hours.
        if windows.is_empty() {
            return None;
        }
        let mut end = end_of_window(windows, &zoned(now, &self.zone))?;
        for _ in 0..MOST_JOINED {
            let Some(later) = end_of_window(windows, &end) else { break };
            end = later;
        }
        Some(Timestamp::from_millis(end.timestamp().as_millisecond()))
    }
}

/// The latest end of the windows that contain a moment.
fn end_of_window(windows: &[TimeWindow], at: &Zoned) -> Option<Zoned> {
    let ends = windows.iter().filter(|window| window.contains(at.time())).filter_map(|window| {
        let today = at.date();
        let is_over_midnight = window.to <= at.time();
        let day = if is_over_midnight { today.checked_add(1.day()).ok()? } else { today };
        DateTime::from_parts(day, window.to).to_zoned(at.time_zone().clone()).ok()
    });
    ends.max_by_key(|end| end.timestamp())
}

#[cfg(test)]
mod tests {
    use super::super::test_book::book;
    use super::*;

    #[track_caller]
    fn ends(rules: &str, at: &str, end: Option<&str>) {
        let stamp = |text: &str| {
            let instant: jiff::Timestamp = text.parse().expect(text);
            Timestamp::from_millis(instant.as_millisecond())
        };
        let found = book(rules).quiet_until(&Chat::group("g", "夜猫群"), stamp(at));
        assert_eq!(found, end.map(stamp), "{at}");
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_are_joined() {
        let night = "[bot]\nquiet = \"22:00-07:00\"\n";
        ends(night, "2026-11-23T21:59:59+08:00", None);
        ends(night, "2026-11-23T22:00:00+08:00", Some("2026-11-24T07:00:00+08:00"));
        ends(night, "2026-11-24T06:59:59+08:00", Some("2026-11-24T07:00:00+08:00"));
        ends(night, "2026-11-24T07:00:00+08:00", None);
        let both = "[bot]\nquiet = [\"22:00-24:00\", \"00:00-07:00\"]\n";
        ends(both, "2026-11-23T23:00:00+08:00", Some("2026-11-24T07:00:00+08:00"));
    }

    #[test]
    fn a_group_has_its_own_quiet_hours_or_none() {
        let rules = |quiet: &str| {
            format!(
                "[bot]\nquiet = \"22:00-07:00\"\n[[group]]\nname = \"夜猫*\"\nquiet = {quiet}\n"
            )
        };
        ends(&rules("\"off\""), "2026-11-23T23:00:00+08:00", None);
        let noon = rules("\"12:00-13:00\"");
        ends(&noon, "2026-11-23T23:00:00+08:00", None);
        ends(&noon, "2026-11-23T12:30:00+08:00", Some("2026-11-23T13:00:00+08:00"));
    }

    #[test]
    fn hours_that_cover_the_day_end_far_ahead() {
        let always = "[bot]\nquiet = \"00:00-24:00\"\n";
        ends(always, "2026-11-23T12:00:00+08:00", Some("2026-12-02T00:00:00+08:00"));
    }
}
