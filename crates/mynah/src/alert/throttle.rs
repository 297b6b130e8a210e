//! Which alerts are news.

use std::collections::BTreeMap;
use std::time::Duration;

use mynah_core::{Timestamp, to_map};
use serde::{Deserialize, Serialize};

use super::{Alert, AlertKind};

/// A new QR code is shown every few minutes until one is scanned. One alert in this time holds a code that is probably
/// still valid, and a night without an operator brings a few dozen, not hundreds.
const AGAIN: Duration = Duration::from_secs(20 * 60);

/// After a restart, trouble of the run before is over when the account has worked for so long. A bot that comes online and
/// crashes, again and again, must not alert at each start.
const STEADY: Duration = Duration::from_secs(5 * 60);

/// Remembers which alerts of an account were sent when.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    sent: BTreeMap<Topic, SentAlert>,
    /// Since when nothing was wrong.
    well: Option<Timestamp>,
}

/// The kind, and whether it has a QR code: a request on the phone that was overlooked is followed by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Topic {
    kind: AlertKind,
    #[serde(default)]
    with_code: bool,
}

#[derive(Debug, Clone, Copy)]
struct SentAlert {
    at: Timestamp,
    /// By a run of the program before this one.
    before: bool,
    /// The account has worked since, in this run.
    over: bool,
}

/// An alert that was sent, as it is kept for the next run of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredAlert {
    #[serde(flatten)]
    topic: Topic,
    at: i64,
}

impl Throttle {
    /// The alerts that an earlier run of the program sent.
    pub(super) fn from_kept(kept: &[StoredAlert]) -> Self {
        let sent = kept.iter().map(|kept| {
            let at = Timestamp::from_millis(kept.at);
            (kept.topic, SentAlert { at, before: true, over: false })
        });
        Self { sent: to_map(sent), well: None }
    }

    /// The alerts for the next run of the program.
    pub(super) fn kept(&self) -> Vec<StoredAlert> {
        let kept = self.sent.iter();
        kept.map(|(topic, sent)| StoredAlert { topic: *topic, at: sent.at.as_millis() }).collect()
    }

    /// Whether this is to be sent; then it is noted as sent.
    pub(super) fn admits(&mut self, alert: &Alert, now: Timestamp) -> bool {
        // Each of these is about another edit of a file, or another name.
        if matches!(alert.kind, AlertKind::Reload | AlertKind::Bound) {
            return true;
        }
        let topic = Topic { kind: alert.kind, with_code: alert.url.is_some() };
        let is_news = self.sent.get(&topic).is_none_or(|sent| self.is_old(*sent, now));
        self.well = None;
        if is_news {
            self.sent.insert(topic, SentAlert { at: now, before: false, over: false });
        }
        is_news
    }

    fn is_old(&self, sent: SentAlert, now: Timestamp) -> bool {
        let is_steady = self.well.is_some_and(|since| now.since(since) >= STEADY);
        let is_over = if sent.before { is_steady } else { sent.over };
        // A clock that jumped back must not silence alerts for good.
        is_over || now < sent.at || now.since(sent.at) >= AGAIN
    }

    /// The account works: its next fault is alerted at once.
    pub(super) fn all_is_well(&mut self, now: Timestamp) {
        self.sent.values_mut().for_each(|sent| sent.over = true);
        self.well.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(kind: AlertKind) -> Alert {
        Alert::new(kind, "a", "", Timestamp::default())
    }

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_secs(minute * 60)
    }

    #[test]
    fn the_same_trouble_is_told_once_in_a_while() {
        let mut throttle = Throttle::default();
        assert!(throttle.admits(&alert(AlertKind::Login), minute(60)));
        assert!(!throttle.admits(&alert(AlertKind::Login), minute(62)));
        assert!(throttle.admits(&alert(AlertKind::Blocked), minute(62)), "another trouble");
        assert!(throttle.admits(&alert(AlertKind::Login), minute(80)), "a while later");
        assert!(throttle.admits(&alert(AlertKind::Login), minute(10)), "the clock jumped back");
        throttle.all_is_well(minute(62));
        assert!(throttle.admits(&alert(AlertKind::Blocked), minute(63)), "it was well in between");
    }

    #[test]
    fn a_code_that_follows_a_request_on_the_phone_is_news() {
        let mut throttle = Throttle::default();
        let request = alert(AlertKind::Login);
        let code = Alert { url: Some("https://x/l/y".to_owned()), ..request.clone() };
        assert!(throttle.admits(&request, minute(1)));
        assert!(throttle.admits(&code, minute(2)));
        assert!(!throttle.admits(&code, minute(7)), "the same, renewed");
    }

    #[test]
    fn every_bad_reload_is_told() {
        let mut throttle = Throttle::default();
        assert!(throttle.admits(&alert(AlertKind::Reload), Timestamp::from_secs(1)));
        assert!(throttle.admits(&alert(AlertKind::Reload), Timestamp::from_secs(2)));
        assert!(throttle.kept().is_empty());
    }

    /// The next run of the program.
    fn restarted(throttle: &Throttle) -> Throttle {
        let kept = serde_json::to_string(&throttle.kept()).unwrap();
        Throttle::from_kept(&serde_json::from_str::<Vec<StoredAlert>>(&kept).unwrap())
    }

    #[test]
    fn a_bot_that_crashes_after_each_login_alerts_once_in_a_while() {
        let mut throttle = Throttle::default();
        let mut sent = 0;
        for minute_of_start in 0..60 {
            throttle = restarted(&throttle);
            throttle.all_is_well(minute(minute_of_start));
            sent += u32::from(throttle.admits(&alert(AlertKind::Trouble), minute(minute_of_start)));
        }
        assert_eq!(sent, 3, "one in twenty minutes");
    }

    #[test]
    fn trouble_after_a_steady_while_is_news_after_a_restart_too() {
        let mut throttle = Throttle::default();
        assert!(throttle.admits(&alert(AlertKind::LoggedOut), minute(0)));
        let mut next = restarted(&throttle);
        next.all_is_well(minute(1));
        assert!(!next.admits(&alert(AlertKind::LoggedOut), minute(2)), "it is not steady yet");
        let mut next = restarted(&throttle);
        next.all_is_well(minute(1));
        assert!(next.admits(&alert(AlertKind::LoggedOut), minute(6)));
    }
}
