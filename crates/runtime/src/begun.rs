//! Events that were begun with their acceptance and wait for their turn.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mynah_core::{Event, Lane, Snapshot};

/// The begun events, at most one for each lane whose work could begin at once.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    free_lanes: AtomicUsize,
    events: Mutex<BTreeMap<Lane, (Event, Snapshot)>>,
}

impl Begun {
    /// Sets the number of lanes whose work could begin at once.
    pub(crate) fn set_free_lanes(&self, free: usize) {
        self.free_lanes.store(free, Ordering::Relaxed);
    }

    /// The number of events that the next batch may begin.
    pub(crate) fn room(&self) -> usize {
        self.free_lanes.load(Ordering::Relaxed).saturating_sub(self.events().len())
    }

    pub(crate) fn add(&self, begun: Vec<(Event, Snapshot)>) {
        self.events().extend(begun.into_iter().map(|begun| (begun.0.lane(), begun)));
    }

    /// Takes the event of a lane, if it was begun.
    pub(crate) fn take(&self, lane: &Lane) -> Option<(Event, Snapshot)> {
        self.events().remove(lane)
    }

    fn events(&self) -> MutexGuard<'_, BTreeMap<Lane, (Event, Snapshot)>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
