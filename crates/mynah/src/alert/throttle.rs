//! Which alerts are news.

use std::collections::BTreeMap;
use std::time::Duration;

use mynah_core::Timestamp;

use super::{Alert, AlertKind};

/// A QR code is shown anew every few minutes while nobody scans it. One alert in this time holds a code that is
/// probably still good, and a night without anybody brings a few dozen, not hundreds.
const AGAIN: Duration = Duration::from_secs(20 * 60);

/// Remembers what was told when.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    told: BTreeMap<Topic, Timestamp>,
}

/// The account, the kind, and whether a QR code came along: a request on the phone that nobody saw is followed by one.
type Topic = (String, AlertKind, bool);

impl Throttle {
    /// Whether this is to be told; then it is noted as told.
    pub(super) fn admits(&mut self, alert: &Alert, now: Timestamp) -> bool {
        let topic = (alert.account.clone(), alert.kind, alert.url.is_some());
        let is_news = match (alert.kind, self.told.get(&topic)) {
            // Each of these is about another edit of a file, or another name.
            (AlertKind::Reload | AlertKind::Bound, _) | (_, None) => true,
            // A clock that jumped back must not silence alerts for good.
            (_, Some(told)) => now < *told || now.since(*told) >= AGAIN,
        };
        if is_news {
            self.told.insert(topic, now);
        }
        is_news
    }

    /// Whatever happens to this account next is news.
    pub(super) fn forget(&mut self, account: &str) {
        self.told.retain(|(of, ..), _| of != account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(account: &str, kind: AlertKind) -> Alert {
        Alert::new(kind, account, "", Timestamp::default())
    }

    #[test]
    fn the_same_trouble_is_told_once_in_a_while() {
        let mut throttle = Throttle::default();
        let mut admits = |account, kind, minutes: i64| {
            throttle.admits(&alert(account, kind), Timestamp::from_secs(minutes * 60))
        };
        assert!(admits("a", AlertKind::Login, 60));
        assert!(!admits("a", AlertKind::Login, 62));
        assert!(admits("b", AlertKind::Login, 62), "another account");
        assert!(admits("a", AlertKind::Blocked, 62), "another trouble");
        assert!(admits("a", AlertKind::Login, 80), "a while later");
        assert!(admits("a", AlertKind::Login, 10), "the clock jumped back");
        throttle.forget("a");
        let later = Timestamp::from_secs(63 * 60);
        assert!(throttle.admits(&alert("a", AlertKind::Blocked), later), "it was well in between");
        assert!(!throttle.admits(&alert("b", AlertKind::Login), later));
    }

    #[test]
    fn a_code_that_follows_a_request_on_the_phone_is_news() {
        let mut throttle = Throttle::default();
        let request = alert("a", AlertKind::Login);
        let code = Alert { url: Some("https://x/l/y".to_owned()), ..request.clone() };
        assert!(throttle.admits(&request, Timestamp::from_secs(60)));
        assert!(throttle.admits(&code, Timestamp::from_secs(120)));
        assert!(!throttle.admits(&code, Timestamp::from_secs(400)), "the same, renewed");
    }

    #[test]
    fn every_bad_reload_is_told() {
        let mut throttle = Throttle::default();
        assert!(throttle.admits(&alert("a", AlertKind::Reload), Timestamp::from_secs(1)));
        assert!(throttle.admits(&alert("a", AlertKind::Reload), Timestamp::from_secs(2)));
    }
}
