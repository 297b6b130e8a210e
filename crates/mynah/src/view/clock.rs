//! A clock that runs like the machine's and can be moved ahead.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mynah_core::{Clock, SystemClock, Timestamp};

/// The machine's clock, moved ahead as far as requested. It never goes back.
#[derive(Debug, Default)]
pub(crate) struct AheadClock {
    millis: AtomicU64,
}

impl AheadClock {
    /// Moves it ahead.
    pub(crate) fn advance(&self, by: Duration) {
        self.millis.fetch_add(u64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }
}

impl Clock for AheadClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }
}
