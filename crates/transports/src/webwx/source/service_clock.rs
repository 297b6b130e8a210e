//! The clock of the service, by the time in its answers.

use mynah_core::Timestamp;
use tokio::time::Instant;

/// The clocks drift; a change beyond this, in milliseconds, means that one of them was set.
const SET: i64 = 60_000;

/// How far the clock of the service is ahead of this machine's. All times are in milliseconds.
#[derive(Debug, Default)]
pub(super) struct ServiceClock {
    ahead: i64,
    dated: Option<Dated>,
    /// A change that only one answer has shown.
    doubted: Option<i64>,
}

/// What the date of an answer said, and when by the clock of this machine.
#[derive(Debug, Clone, Copy)]
struct Dated {
    ahead: i64,
    local: Timestamp,
    at: Instant,
}

impl ServiceClock {
    /// Takes in the time of the service; the date of its answer if it is missing.
    pub(super) fn set(
        &mut self,
        time: Option<Timestamp>,
        dated_ahead: Option<i64>,
        local: Timestamp,
    ) {
        self.dated = dated_ahead.map(|ahead| Dated { ahead, local, at: Instant::now() });
        self.doubted = None;
        if let Some(time) = time {
            self.ahead = time.as_millis().saturating_sub(local.as_millis());
        } else if let Some(ahead) = dated_ahead {
            self.ahead = ahead;
        }
    }

    /// Follows a clock that was set, by the date of the last answer: this machine's at once, e.g. one that gets the time only
    /// after its start; that of the service when a second answer confirms it, as one wrong date would make all messages
    /// old. Returns the change.
    pub(super) fn watch(&mut self, dated_ahead: Option<i64>, local: Timestamp) -> Option<i64> {
        let (before, ahead) = (self.dated?, dated_ahead?);
        let now = Dated { ahead, local, at: Instant::now() };
        let change = ahead.saturating_sub(before.ahead);
        if is_drift(change) {
            self.doubted = None;
            self.dated = Some(Dated { ahead: before.ahead, ..now });
            return None;
        }
        let is_local = is_drift(change.saturating_add(before.set_by(now)));
        let is_confirmed =
            self.doubted.is_some_and(|doubted| is_drift(ahead.saturating_sub(doubted)));
        if !is_local && !is_confirmed {
            self.doubted = Some(ahead);
            return None;
        }
        self.doubted = None;
        self.dated = Some(now);
        self.ahead = self.ahead.saturating_add(change);
        Some(change)
    }

    /// The time of the service.
    pub(super) fn at(&self, local: Timestamp) -> Timestamp {
        Timestamp::from_millis(local.as_millis().saturating_add(self.ahead))
    }
}

impl Dated {
    /// How far the clock of this machine was set until then.
    fn set_by(self, now: Self) -> i64 {
        let passed = now.at.duration_since(self.at).as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        now.local.as_millis().saturating_sub(self.local.as_millis()).saturating_sub(passed)
    }
}

fn is_drift(change: i64) -> bool {
    change.saturating_abs() <= SET
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: i64 = 1_800_000_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn clock() -> ServiceClock {
        let mut clock = ServiceClock::default();
        clock.set(Some(at(NOW + 5_000)), Some(4_000), at(NOW));
        clock
    }

    #[tokio::test(start_paused = true)]
    async fn one_wrong_date_changes_nothing_and_two_do() {
        let mut clock = clock();
        assert_eq!(clock.watch(Some(HOUR), at(NOW)), None);
        assert_eq!(clock.watch(Some(4_000), at(NOW)), None);
        assert_eq!(clock.watch(Some(-HOUR), at(NOW)), None);
        assert_eq!(clock.watch(Some(HOUR), at(NOW)), None);
        assert_eq!(clock.at(at(NOW)), at(NOW + 5_000));
        assert_eq!(clock.watch(Some(HOUR + 1_000), at(NOW)), Some(HOUR - 3_000));
        assert_eq!(clock.at(at(NOW)), at(NOW + HOUR + 2_000));
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_of_this_machine_is_followed_at_once() {
        let mut clock = clock();
        tokio::time::advance(Duration::from_secs(30)).await;
        let set = NOW + 30_000 + HOUR;
        assert_eq!(clock.watch(Some(4_000 - HOUR), at(set)), Some(-HOUR));
        assert_eq!(clock.at(at(set)), at(NOW + 35_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_and_drift_change_nothing() {
        let mut clock = clock();
        assert_eq!(clock.watch(Some(4_500), at(NOW + HOUR)), None);
        let set = NOW + 3 * HOUR;
        assert_eq!(clock.watch(Some(4_000 - 2 * HOUR), at(set)), Some(-2 * HOUR));
        assert_eq!(clock.at(at(set)), at(NOW + HOUR + 5_000));
    }
}
