//! The way to the writer thread: its jobs, and the time at which it looks for a chore without one.
//!
//! A wake-up costs two thread switches, so a call wakes the thread only for a job, or for a chore that is due before the
//! thread looks anyway.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Instant;

use mynah_core::StoreError;

use crate::writer::Job;

/// The largest number of jobs in a transaction: enough to save syncs, few enough to answer soon.
const GROUP: usize = 256;

/// Between the callers and the thread.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<State>);

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    /// When the thread looks next; `None` if it sleeps until a job comes.
    look_at: Option<Instant>,
    /// No more jobs come.
    is_closed: bool,
    /// The thread has ended.
    is_over: bool,
}

/// The reason why the thread goes on.
pub(crate) enum Next {
    Jobs(Vec<Job>),
    Look,
    Close,
}

impl Inbox {
    /// Adds jobs. Fails if the thread has ended.
    pub(crate) fn push(
        &self,
        jobs: impl IntoIterator<Item = Job>,
        thread: &Thread,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.is_over {
            return Err(StoreError::Closed);
        }
        state.jobs.extend(jobs);
        drop(state);
        thread.unpark();
        Ok(())
    }

    /// Has the thread look for a chore at this time at the latest. Returns whether the thread must be woken for that. Call
    /// this while the writer is locked: the thread cannot set another time meanwhile.
    #[must_use]
    pub(crate) fn look_by(&self, due: Instant) -> bool {
        let mut state = self.state();
        let is_sooner = state.look_at.is_none_or(|at| due < at);
        if is_sooner {
            state.look_at = Some(due);
        }
        is_sooner
    }

    /// Sets the time of the next look, also to a later one. Call this while the writer is locked.
    pub(crate) fn look_at(&self, due: Option<Instant>) {
        self.state().look_at = due;
    }

    /// Ends the thread after the jobs that are there.
    pub(crate) fn close(&self, thread: &Thread) {
        self.state().is_closed = true;
        thread.unpark();
    }

    /// Drops all jobs: the thread has ended.
    pub(crate) fn end(&self) {
        let jobs = {
            let mut state = self.state();
            state.is_over = true;
            std::mem::take(&mut state.jobs)
        };
        drop(jobs);
    }

    /// Waits in the thread for the next reason to go on.
    pub(crate) fn next(&self) -> Next {
        loop {
            let due = match self.state().next() {
                Ok(next) => return next,
                Err(due) => due,
            };
            match due {
                Some(at) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
                None => thread::park(),
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The reason to go on now, or else the time of the next look.
    fn next(&mut self) -> Result<Next, Option<Instant>> {
        if !self.jobs.is_empty() {
            let most = self.jobs.len().min(GROUP);
            return Ok(Next::Jobs(self.jobs.drain(..most).collect()));
        }
        if self.is_closed {
            return Ok(Next::Close);
        }
        if self.look_at.is_some_and(|at| at <= Instant::now()) {
            return Ok(Next::Look);
        }
        Err(self.look_at)
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}
