//! Tells somebody that a person is needed: by webhook, by a command, or both.
//!
//! Alerts are handed to one task that delivers them in order and tries again what failed, so that nothing waits for a
//! slow webhook. Repetitions are held back by `Throttle`.

mod delivery;
mod throttle;

use std::sync::{Arc, Mutex, PoisonError};

use mynah_core::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::delivery::Delivery;
use self::throttle::Throttle;
use crate::config::AlertConfig;

/// Alerts that wait for delivery; more are dropped and logged, which only a broken webhook can bring about.
const WAITING: usize = 64;

/// Why a person is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertKind {
    /// Somebody has to log in: confirm on the phone, or scan the QR code that comes along.
    Login,
    /// The account was logged out and cannot come back by itself. As for `Login` while it waits, without a code when it
    /// has given up.
    LoggedOut,
    /// The service refuses the account.
    Blocked,
    /// Nobody logged in in time.
    NotLoggedIn,
    /// The service answers in a way that no retry will mend.
    Unusable,
    /// A changed rule file is wrong; the old rules stay.
    Reload,
    /// A name of the rule file was bound to a person by nickname.
    Bound,
    /// The data cannot be read or written.
    Storage,
    /// An event was set aside because it kills the process, or the like.
    Trouble,
}

/// An alert: what is posted, and written to the command.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Alert {
    /// Why.
    pub(crate) kind: AlertKind,
    /// The account it is about.
    pub(crate) account: String,
    /// What happened and what to do, for people.
    pub(crate) text: String,
    /// When, as RFC 3339.
    pub(crate) time: String,
    /// The text inside the QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The QR code as PNG, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) picture: Option<String>,
}

impl Alert {
    /// An alert about an account.
    pub(crate) fn new(
        kind: AlertKind,
        account: &str,
        text: impl Into<String>,
        now: Timestamp,
    ) -> Self {
        let time =
            jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default().to_string();
        let account = account.to_owned();
        Self { kind, account, text: text.into(), time, url: None, picture: None }
    }
}

/// Where alerts are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Alerts {
    queue: Option<mpsc::Sender<Alert>>,
    throttle: Arc<Mutex<Throttle>>,
}

impl Alerts {
    /// Begins to deliver as configured. The task ends when all handles are gone and everything is delivered.
    pub(crate) fn start(config: &AlertConfig) -> (Self, JoinHandle<()>) {
        let throttle = Arc::default();
        match Delivery::of(config) {
            None => (Self { queue: None, throttle }, tokio::spawn(std::future::ready(()))),
            Some(delivery) => {
                let (queue, waiting) = mpsc::channel(WAITING);
                (Self { queue: Some(queue), throttle }, tokio::spawn(delivery.run(waiting)))
            }
        }
    }

    /// Sends an alert, unless the same was sent a short while ago.
    pub(crate) fn send(&self, alert: Alert, now: Timestamp) {
        let Some(queue) = &self.queue else { return };
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        if throttle.admits(&alert, now) && queue.try_send(alert).is_err() {
            tracing::error!("an alert was dropped: too many wait for delivery");
        }
    }

    /// The account works again: what goes wrong from now on is news.
    pub(crate) fn all_is_well(&self, account: &str) {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner).forget(account);
    }
}
