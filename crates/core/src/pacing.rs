//! How fast an account may send.

use std::time::Duration;

/// So many within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// Within which time.
    pub per: Duration,
}

impl Rate {
    /// So many within that time.
    #[must_use]
    pub const fn new(count: u32, per: Duration) -> Self {
        Self { count, per }
    }
}

/// How fast an account may send. All limits hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// In each chat.
    pub per_chat: Option<Rate>,
    /// In all chats together.
    pub account: Option<Rate>,
    /// In all chats together within any 24 hours.
    pub daily: Option<u32>,
    /// Each action waits a random time between these two before it leaves.
    pub jitter: (Duration, Duration),
}

impl Pacing {
    /// No limit at all: for the sandbox, for tests, and for services on this machine. An account of a public service is
    /// soon blocked without limits.
    #[must_use]
    pub const fn off() -> Self {
        Self {
            per_chat: None,
            account: None,
            daily: None,
            jitter: (Duration::ZERO, Duration::ZERO),
        }
    }
}

impl Default for Pacing {
    /// Limits that accounts have been seen to survive; see section 16.5 of the protocol reference.
    fn default() -> Self {
        Self {
            per_chat: Some(Rate::new(1, Duration::from_secs(2))),
            account: Some(Rate::new(20, Duration::from_secs(60))),
            daily: Some(400),
            jitter: (Duration::from_millis(500), Duration::from_secs(2)),
        }
    }
}
