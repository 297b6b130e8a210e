//! An account of the set, in whichever state it is.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::{Entry, RunEnd};
use crate::Ended;
use crate::account::Plan;
use crate::handlers::AccountHandlers;
use crate::reload::{FileWatcher, Reloader};
use crate::stop::AccountStop;
use crate::view::console::AccountView;

/// The wait before the second try to open the data or to find the rules; each further one takes twice as long …
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// … up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// An account of the set.
pub(super) struct Member {
    pub(super) plan: Plan,
    /// Stops it in every state.
    pub(super) stop: AccountStop,
    /// Whether it stays in the set while it cannot start.
    pub(super) is_kept: bool,
    /// Notified to try again.
    pub(super) retry: Notify,
    state: watch::Sender<State>,
}

/// The state of an account.
pub(super) enum State {
    Starting,
    Running {
        view: Arc<AccountView>,
        reloads: Box<(Arc<Reloader>, AccountHandlers)>,
    },
    /// It could not start; the number orders ends of all accounts.
    Failed {
        ended: Ended,
        number: u64,
    },
    Ended {
        end: RunEnd,
        number: u64,
        /// The view of it, if it has run.
        view: Option<Arc<AccountView>>,
    },
}

/// The number of the next end.
pub(super) fn next_number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl Member {
    pub(super) fn new(plan: Plan, stop: AccountStop, is_kept: bool) -> Self {
        let (retry, state) = (Notify::new(), watch::Sender::new(State::Starting));
        Self { plan, stop, is_kept, retry, state }
    }

    pub(super) fn name(&self) -> &str {
        &self.plan.name
    }

    pub(super) fn set(&self, state: State) {
        self.state.send_replace(state);
    }

    pub(super) fn end_with(&self, end: RunEnd) {
        self.state.send_modify(|state| {
            let view = match state {
                State::Running { view, .. } => Some(Arc::clone(view)),
                State::Starting | State::Failed { .. } | State::Ended { .. } => None,
            };
            *state = State::Ended { end, number: next_number(), view };
        });
    }

    /// Waits for its end.
    pub(super) async fn until_ended(&self) {
        let mut states = self.state.subscribe();
        // The sender lives as long as this.
        let _ = states.wait_for(|state| matches!(state, State::Ended { .. })).await;
    }

    /// How it ended or failed to start, with the number of that end.
    pub(super) fn end(&self) -> Option<(u64, Ended)> {
        match &*self.state.borrow() {
            State::Failed { ended, number } => Some((*number, *ended)),
            State::Ended { end, number, .. } => Some((*number, end.ended)),
            State::Starting | State::Running { .. } => None,
        }
    }

    /// How its run ended, if it has ended.
    pub(super) fn run_end(&self) -> Option<RunEnd> {
        match &*self.state.borrow() {
            State::Ended { end, .. } => Some(*end),
            _ => None,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(&*self.state.borrow(), State::Running { .. })
    }

    pub(super) fn reloads(&self) -> Option<(Arc<Reloader>, AccountHandlers)> {
        match &*self.state.borrow() {
            State::Running { reloads, .. } => Some((**reloads).clone()),
            _ => None,
        }
    }

    pub(super) fn entry(&self) -> Entry {
        let view = match &*self.state.borrow() {
            State::Running { view, .. } | State::Ended { view: Some(view), .. } => {
                Some(Arc::clone(view))
            }
            _ => None,
        };
        Entry { name: self.name().to_owned(), connector: self.plan.connector, view }
    }

    /// Waits until it is worth another try; false if the account is stopped. `files` are those of its rules. `by_itself`
    /// says that another try can succeed though nothing was saved.
    pub(super) async fn until_retry(
        &self,
        watcher: &FileWatcher,
        files: &[PathBuf],
        by_itself: bool,
        tries: u32,
    ) -> bool {
        let saved = async {
            if !self.plan.main.exists() {
                return std::future::pending().await;
            }
            let mut saves = watcher.of_rules();
            saves.look_at(&self.plan.main, files);
            saves.next().await;
        };
        let waited = async {
            match by_itself {
                true => tokio::time::sleep(wait(tries)).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.stop.token().cancelled() => false,
            () = self.retry.notified() => true,
            () = saved => true,
            () = waited => true,
        }
    }
}

/// The wait after so many tries.
fn wait(tries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let seconds = [1, 2, 3, 8, 9, 40].map(|tries| wait(tries).as_secs());
        assert_eq!(seconds, [2, 4, 8, 256, 300, 300]);
    }
}
