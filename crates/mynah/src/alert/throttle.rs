//! Which alerts are news.

use std::collections::BTreeMap;
use std::time::Duration;

use mynah_core::Timestamp;

use super::AlertKind;

/// A QR code is shown anew every few minutes while nobody scans it. One alert in this time holds a code that is
/// probably still good, and a night without anybody brings a few dozen, not hundreds.
const AGAIN: Duration = Duration::from_secs(20 * 60);

/// Remembers what was told when.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    told: BTreeMap<(String, AlertKind), Timestamp>,
}

impl Throttle {
    /// Whether this is to be told; then it is noted as told.
    pub(super) fn admits(&mut self, account: &str, kind: AlertKind, now: Timestamp) -> bool {
        let key = (account.to_owned(), kind);
        let is_news = match (kind, self.told.get(&key)) {
            // Each of these is about another edit of a file.
            (AlertKind::Reload, _) | (_, None) => true,
            // A clock that jumped back must not silence alerts for good.
            (_, Some(told)) => now < *told || now.since(*told) >= AGAIN,
        };
        if is_news {
            self.told.insert(key, now);
        }
        is_news
    }

    /// Whatever happens to this account next is news.
    pub(super) fn forget(&mut self, account: &str) {
        self.told.retain(|(of, _), _| of != account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_trouble_is_told_once_in_a_while() {
        let mut throttle = Throttle::default();
        let at = |minutes: i64| Timestamp::from_secs(minutes * 60);
        assert!(throttle.admits("a", AlertKind::Login, at(60)));
        assert!(!throttle.admits("a", AlertKind::Login, at(62)));
        assert!(throttle.admits("b", AlertKind::Login, at(62)), "another account");
        assert!(throttle.admits("a", AlertKind::Blocked, at(62)), "another trouble");
        assert!(throttle.admits("a", AlertKind::Login, at(80)), "a while later");
        assert!(throttle.admits("a", AlertKind::Login, at(10)), "the clock jumped back");
        throttle.forget("a");
        assert!(throttle.admits("a", AlertKind::Blocked, at(63)), "it was well in between");
        assert!(!throttle.admits("b", AlertKind::Login, at(63)));
    }

    #[test]
    fn every_bad_reload_is_told() {
        let mut throttle = Throttle::default();
        assert!(throttle.admits("a", AlertKind::Reload, Timestamp::from_secs(1)));
        assert!(throttle.admits("a", AlertKind::Reload, Timestamp::from_secs(2)));
    }
}
