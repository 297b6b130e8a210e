//! The turns that wait for other services: they do not count among the lanes that work at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};

use mynah_core::TurnWaits;
use tokio::sync::Notify;

/// So many turns may wait without counting. Each has its event and its snapshot in memory.
const MOST: usize = 1_000;

/// The number of waiting turns.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    count: AtomicUsize,
    begun: Notify,
}

impl Waiting {
    /// The number of turns that wait and do not count.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Returns when a turn has begun to wait.
    pub(crate) async fn begun(&self) {
        self.begun.notified().await;
    }
}

impl TurnWaits for Waiting {
    fn begin(&self) -> bool {
        let more = |count: usize| (count < MOST).then_some(count + 1);
        let waits = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok();
        if waits {
            self.begun.notify_one();
        }
        waits
    }

    fn end(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
