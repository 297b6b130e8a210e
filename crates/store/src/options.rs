//! How long things are kept.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// How long things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long handled events and sent actions stay in the log. Zero keeps no text at all.
    pub keep_log: Duration,
    /// How long the ids of events are known after their log entry is gone. Must be longer than messages are answered.
    pub keep_seen: Duration,
    /// So many bytes may be in use before the old end of the log is dropped early.
    pub largest: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keep_log: Duration::from_secs(7 * DAY),
            keep_seen: Duration::from_secs(30 * DAY),
            largest: 1 << 30,
        }
    }
}

impl Options {
    pub(crate) fn keeps_text(&self) -> bool {
        !self.keep_log.is_zero()
    }
}
