//! Alerts that a person is needed: by webhook, by a command, or both.
//!
//! Alerts go to one task that delivers them in order and retries failed ones, so that nothing waits for a slow webhook.
//! `Throttle` holds repetitions back, over restarts too: `Memory` keeps the sent ones.

mod delivery;
mod memory;
mod throttle;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mynah_core::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::delivery::Delivery;
use self::memory::Memory;
use crate::boxed::boxed;
use crate::config::AlertConfig;

/// Alerts that wait for delivery; more are dropped and logged, which only a broken webhook can bring about. A process of
/// many accounts that all need a login sends one for each.
const WAITING: usize = 1024;

/// Why a person is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertKind {
    /// A person has to log in: confirm on the phone, or scan the QR code in the alert.
    Login,
    /// The account was logged out and cannot come back by itself. As for `Login` while it waits, without a code when it
    /// has given up.
    LoggedOut,
    /// The service refuses the account.
    Blocked,
    /// The account was not logged in in time.
    NotLoggedIn,
    /// The service answers in a way that no retry will mend.
    Unusable,
    /// A changed rule file is wrong; the old rules stay.
    Reload,
    /// A name of the rule file was bound to a person by nickname.
    Bound,
    /// The rules removed as many people from groups as is allowed in an hour.
    Kicks,
    /// The data cannot be read or written.
    Storage,
    /// One of several accounts could not start.
    NotStarted,
    /// An event was set aside because it kills the process, or the like.
    Trouble,
}

/// An alert, as it is posted and written to the command.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Alert {
    /// Why.
    pub(crate) kind: AlertKind,
    /// The account it is about.
    pub(crate) account: String,
    /// The event and the remedy, for people.
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
    /// By the names of the accounts.
    memories: Arc<Mutex<BTreeMap<String, Memory>>>,
}

/// The task that delivers alerts.
#[derive(Debug)]
pub(crate) struct DeliveryTask {
    task: JoinHandle<()>,
    close: CancellationToken,
}

impl DeliveryTask {
    /// Takes no more alerts and waits until the last is delivered. Handles of [`Alerts`] may outlive this: views and tasks
    /// of accounts hold some, and a stop must not wait for them.
    pub(crate) async fn finish(self) {
        self.close.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "alerts were lost by a mistake of the program");
        }
    }
}

impl Alerts {
    /// Begins to deliver as configured, until the task [finishes](DeliveryTask::finish).
    pub(crate) fn start(config: &AlertConfig) -> (Self, DeliveryTask) {
        let close = CancellationToken::new();
        let Some(delivery) = Delivery::of(config) else {
            let task = tokio::spawn(boxed(std::future::ready(())));
            return (Self::none(), DeliveryTask { task, close });
        };
        let (queue, waiting) = mpsc::channel(WAITING);
        let alerts = Self { queue: Some(queue), memories: Arc::default() };
        let task = tokio::spawn(boxed(delivery.run(waiting, close.clone())));
        (alerts, DeliveryTask { task, close })
    }

    /// Holds back repetitions about this account, also those of alerts that its data folder remembers.
    pub(crate) fn add(&self, account: &str, data: &Path) {
        if self.queue.is_some() {
            let memory = Memory::of(data);
            self.memories().insert(account.to_owned(), memory);
        }
    }

    /// Forgets an account; its folder keeps the alerts that were sent.
    pub(crate) fn remove(&self, account: &str) {
        self.memories().remove(account);
    }

    fn memories(&self) -> MutexGuard<'_, BTreeMap<String, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers nothing: the log and the observer of the account say it all.
    pub(crate) fn none() -> Self {
        Self { queue: None, memories: Arc::default() }
    }

    /// Sends an alert, unless the same was sent a short while ago.
    pub(crate) fn send(&self, alert: Alert, now: Timestamp) {
        let Some(queue) = &self.queue else { return };
        if !self.is_news(&alert, now) {
            return;
        }
        match queue.try_send(alert) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::error!("an alert was dropped: too many wait for delivery");
            }
            Err(TrySendError::Closed(_)) => {
                tracing::error!("an alert was dropped: the process is about to end");
            }
        }
    }

    fn is_news(&self, alert: &Alert, now: Timestamp) -> bool {
        let mut memories = self.memories();
        let Some(memory) = memories.get_mut(&alert.account) else { return true };
        let is_news = memory.throttle.admits(alert, now);
        if is_news {
            memory.keep();
        }
        is_news
    }

    /// The account works again: its next fault is alerted at once.
    pub(crate) fn all_is_well(&self, account: &str, now: Timestamp) {
        let mut memories = self.memories();
        if let Some(memory) = memories.get_mut(account) {
            memory.throttle.all_is_well(now);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn delivery_finishes_with_the_last_alert_while_handles_live() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alerts");
        let script = format!("cat >> '{}'", file.display());
        let command = Some(vec!["sh".to_owned(), "-c".to_owned(), script]);
        let (alerts, task) = Alerts::start(&AlertConfig { webhook: None, command });
        let now = Timestamp::from_secs(0);
        for account in ["one", "two"] {
            alerts.send(Alert::new(AlertKind::Login, account, "scan the QR code", now), now);
        }
        tokio::time::timeout(std::time::Duration::from_secs(60), task.finish()).await.unwrap();
        let delivered = std::fs::read_to_string(file).unwrap();
        assert!(delivered.contains("\"one\"") && delivered.contains("\"two\""), "{delivered}");
        drop(alerts);
    }
}
