//! `GET /health`: true only while every account is online.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use mynah_core::Timestamp;
use serde::{Deserialize, Serialize};

/// The states of the accounts of this process.
#[derive(Debug, Default)]
pub struct Health {
    accounts: Mutex<BTreeMap<String, Entry>>,
    /// They hold for all accounts, also for those that start later.
    rejected_settings: Mutex<Option<RejectedFile>>,
}

/// The state of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
pub enum Condition {
    /// It has not been online yet.
    Starting,
    /// A person has to scan a code or confirm on the phone.
    Waiting {
        /// The step that the person has to do.
        what: String,
    },
    /// It receives and sends.
    Online,
    /// The service cannot be reached; the account retries.
    Offline {
        /// The failure.
        reason: String,
    },
    /// It has ended: stopped, logged out, refused.
    Ended {
        /// The reason.
        reason: String,
    },
    /// It could not start, and is tried again.
    NotStarted {
        /// The reason.
        reason: String,
    },
}

impl Condition {
    /// Why the account is offline, has ended or could not start.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Offline { reason } | Self::Ended { reason } | Self::NotStarted { reason } => {
                Some(reason)
            }
            Self::Starting | Self::Waiting { .. } | Self::Online => None,
        }
    }
}

/// A file that was saved while the account runs and has mistakes: the account keeps its previous rules or settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedFile {
    /// The file of the first mistake.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// How many mistakes there are; failed tests count.
    pub mistakes: usize,
    /// All of them, in the program's language. Not part of `/health`: it quotes the file.
    #[serde(skip)]
    pub report: String,
    /// Since when every version of the file has had mistakes, in seconds since 1970.
    pub since: i64,
}

#[derive(Debug, Clone, Serialize)]
struct Entry {
    #[serde(flatten)]
    condition: Condition,
    /// Since when, in seconds since 1970.
    since: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_rules: Option<RejectedFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_settings: Option<RejectedFile>,
}

#[derive(Debug, Serialize)]
struct Answer {
    healthy: bool,
    accounts: BTreeMap<String, Entry>,
}

impl Health {
    /// Records the state of an account. The time changes only if the state does.
    pub fn set(&self, account: &str, condition: Condition, now: Timestamp) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.as_millis().div_euclid(1000);
        match accounts.get_mut(account) {
            Some(entry) if entry.condition == condition => {}
            Some(entry) => (entry.condition, entry.since) = (condition, since),
            None => {
                let (rejected_rules, rejected_settings) = (None, None);
                let entry = Entry { condition, since, rejected_rules, rejected_settings };
                accounts.insert(account.to_owned(), entry);
            }
        }
    }

    /// Removes an account.
    pub fn remove(&self, account: &str) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }

    /// Records that the rule file of an account was rejected, or with `None` that it is accepted again. Of several
    /// rejections in a row, the first sets the time.
    pub fn set_rejected_rules(&self, account: &str, rejected: Option<RejectedFile>) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = accounts.get_mut(account) else { return };
        reject(&mut entry.rejected_rules, rejected);
    }

    /// The same for the settings of the process, which hold for all of its accounts.
    pub fn set_rejected_settings(&self, rejected: Option<RejectedFile>) {
        let mut settings = self.rejected_settings.lock().unwrap_or_else(PoisonError::into_inner);
        reject(&mut settings, rejected);
    }

    /// The rejected rule file of an account, until a good version is loaded.
    #[must_use]
    pub fn rejected_rules(&self, account: &str) -> Option<RejectedFile> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account)?.rejected_rules.clone()
    }

    /// The rejected settings of the process, until good ones are read.
    #[must_use]
    pub fn rejected_settings(&self) -> Option<RejectedFile> {
        self.rejected_settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns true if there are accounts and all of them are online.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.answer().healthy
    }

    /// The state of an account.
    #[must_use]
    pub fn of(&self, account: &str) -> Option<Condition> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account).map(|entry| entry.condition.clone())
    }

    /// Since when an account has been in its state.
    #[must_use]
    pub fn since(&self, account: &str) -> Option<Timestamp> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account).map(|entry| Timestamp::from_secs(entry.since))
    }

    fn answer(&self) -> Answer {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(rejected) = self.rejected_settings() {
            for entry in accounts.values_mut() {
                entry.rejected_settings = Some(rejected.clone());
            }
        }
        let on_line = |entry: &Entry| entry.condition == Condition::Online;
        Answer { healthy: !accounts.is_empty() && accounts.values().all(on_line), accounts }
    }
}

/// Of several rejections in a row, the first sets the time.
fn reject(place: &mut Option<RejectedFile>, rejected: Option<RejectedFile>) {
    let first = place.as_ref().map(|before| before.since);
    *place = rejected.map(|rejected| {
        let since = first.unwrap_or(rejected.since);
        RejectedFile { since, ..rejected }
    });
}

pub(crate) async fn get_health(State(health): State<Arc<Health>>) -> Response {
    let answer = health.answer();
    let status = if answer.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_string(&answer).expect("text keys and plain values");
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_off_line_is_not_healthy() {
        let health = Health::default();
        assert!(!health.is_healthy(), "nobody is there");
        health.set("a", Condition::Online, Timestamp::from_secs(10));
        assert!(health.is_healthy());
        let reason = "logged out on the phone".to_owned();
        health.set("b", Condition::Ended { reason }, Timestamp::from_secs(20));
        assert!(!health.is_healthy());
        let shown = serde_json::to_value(health.answer()).unwrap();
        assert_eq!(
            shown,
            serde_json::json!({"healthy": false, "accounts": {
                "a": {"condition": "online", "since": 10},
                "b": {"condition": "ended", "reason": "logged out on the phone", "since": 20},
            }})
        );
    }

    #[test]
    fn an_account_that_is_removed_is_not_shown() {
        let health = Health::default();
        health.set("a", Condition::Online, Timestamp::from_secs(10));
        let reason = "the data is damaged".to_owned();
        health.set("b", Condition::NotStarted { reason }, Timestamp::from_secs(20));
        let shown = serde_json::to_value(health.answer()).unwrap();
        let failed = serde_json::json!({"condition": "not_started", "reason": "the data is damaged", "since": 20});
        assert_eq!((&shown["healthy"], &shown["accounts"]["b"]), (&false.into(), &failed));
        health.remove("b");
        assert!(health.is_healthy());
        assert_eq!(health.of("b"), None);
    }

    #[test]
    fn the_same_condition_keeps_its_moment() {
        let health = Health::default();
        health.set("a", Condition::Online, Timestamp::from_secs(10));
        health.set("a", Condition::Online, Timestamp::from_secs(99));
        assert_eq!(health.answer().accounts["a"].since, 10);
    }

    #[test]
    fn rejected_rules_are_shown_until_the_file_is_mended() {
        let health = Health::default();
        health.set("a", Condition::Online, Timestamp::from_secs(10));
        let rejected = |line, since| RejectedFile {
            file: "bot.toml".to_owned(),
            line,
            mistakes: 1,
            report: "unknown key".to_owned(),
            since,
        };
        health.set_rejected_rules("a", Some(rejected(7, 20)));
        health.set_rejected_rules("a", Some(rejected(9, 30)));
        health.set("a", Condition::Starting, Timestamp::from_secs(40));
        assert_eq!(health.rejected_rules("a"), Some(rejected(9, 20)));
        let shown = serde_json::to_value(health.answer()).unwrap();
        assert_eq!(shown["accounts"]["a"]["rejected_rules"]["line"], 9);
        health.set("a", Condition::Online, Timestamp::from_secs(50));
        assert!(health.is_healthy(), "the rules before answer");
        health.set_rejected_rules("a", None);
        assert_eq!(health.rejected_rules("a"), None);
    }

    #[test]
    fn rejected_settings_hold_for_accounts_that_start_later() {
        let health = Health::default();
        health.set("a", Condition::Online, Timestamp::from_secs(10));
        let (file, report) = ("mynah.toml".to_owned(), "unknown key".to_owned());
        let rejected = RejectedFile { file, line: 3, mistakes: 1, report, since: 20 };
        health.set_rejected_settings(Some(rejected));
        health.set("b", Condition::Starting, Timestamp::from_secs(30));
        let lines = || {
            let shown = serde_json::to_value(health.answer()).unwrap();
            ["a", "b"].map(|name| shown["accounts"][name]["rejected_settings"]["line"].clone())
        };
        assert_eq!(lines(), [3, 3].map(serde_json::Value::from));
        health.set_rejected_settings(None);
        assert_eq!(lines(), [serde_json::Value::Null, serde_json::Value::Null]);
    }
}
