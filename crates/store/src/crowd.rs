//! The short jobs of many tasks, so that they share a transaction. One transaction for each would lock the log, write
//! its pages and sign them again for each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::writer::Job;

/// The jobs that wait for the end of what the runtime does now.
#[derive(Default)]
pub(crate) struct Crowd {
    /// Whether so much work is open that others are likely to add jobs. Otherwise waiting for them costs more than it
    /// saves.
    is_there: AtomicBool,
    jobs: Mutex<Vec<Job>>,
}

impl Crowd {
    pub(crate) fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, is_there: bool) {
        self.is_there.store(is_there, Ordering::Relaxed);
    }

    /// Adds a job. Returns whether it is the first, whose caller does all of them.
    #[must_use]
    pub(crate) fn add(&self, job: Job) -> bool {
        let mut jobs = self.jobs();
        jobs.push(job);
        jobs.len() == 1
    }

    /// Takes all jobs.
    pub(crate) fn take(&self) -> Vec<Job> {
        std::mem::take(&mut self.jobs())
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Crowd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crowd").field("is_there", &self.is_there).finish_non_exhaustive()
    }
}
