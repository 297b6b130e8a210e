//! Retention times and the size limit.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// Retention times and the size limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long handled events and sent actions stay in the log. With zero, no text is kept.
    pub keep_log: Duration,
    /// How long the ids of events stay known after their log entry is gone. Must be longer than messages are answered.
    pub keep_seen: Duration,
    /// The number of bytes in use above which the old end of the log is dropped early.
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
