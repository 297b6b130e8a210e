//! `GET /health`: true only while every account's connection works.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use mynah_core::Timestamp;
use serde::Serialize;

/// How the accounts of this process are.
#[derive(Debug, Default)]
pub struct Health {
    accounts: Mutex<BTreeMap<String, Entry>>,
}

/// How an account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
pub enum Condition {
    /// It was never on line yet.
    Starting,
    /// A person has to scan a code or confirm on the phone.
    Waiting {
        /// For what.
        what: String,
    },
    /// It receives and sends.
    Online,
    /// The service cannot be reached; it is tried again.
    Offline {
        /// What happened.
        reason: String,
    },
    /// It works no more: stopped, logged out, refused.
    Ended {
        /// Why.
        reason: String,
    },
}

#[derive(Debug, Clone, Serialize)]
struct Entry {
    #[serde(flatten)]
    condition: Condition,
    /// Since when, in seconds since 1970.
    since: i64,
}

#[derive(Debug, Serialize)]
struct Answer {
    healthy: bool,
    accounts: BTreeMap<String, Entry>,
}

impl Health {
    /// Notes how an account is. The moment counts only if that is news.
    pub fn set(&self, account: &str, condition: Condition, now: Timestamp) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.get(account).is_none_or(|entry| entry.condition != condition) {
            let since = now.as_millis().div_euclid(1000);
            accounts.insert(account.to_owned(), Entry { condition, since });
        }
    }

    /// Whether there are accounts and all of them are on line.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.answer().healthy
    }

    /// How an account is.
    #[must_use]
    pub fn of(&self, account: &str) -> Option<Condition> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account).map(|entry| entry.condition.clone())
    }

    /// Since when an account is so.
    #[must_use]
    pub fn since(&self, account: &str) -> Option<Timestamp> {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.get(account).map(|entry| Timestamp::from_secs(entry.since))
    }

    fn answer(&self) -> Answer {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let on_line = |entry: &Entry| entry.condition == Condition::Online;
        Answer { healthy: !accounts.is_empty() && accounts.values().all(on_line), accounts }
    }
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
    fn the_same_condition_keeps_its_moment() {
        let health = Health::default();
        health.set("a", Condition::Online, Timestamp::from_secs(10));
        health.set("a", Condition::Online, Timestamp::from_secs(99));
        assert_eq!(health.answer().accounts["a"].since, 10);
    }
}
