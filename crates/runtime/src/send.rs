//! Sends one action: claim, perform, settle.

use std::future::poll_fn;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use mynah_core::{
    Action, ChatId, Claim, ClaimRequest, Outcome, Outgoing, Receipt, SendError, StoreError,
    Timestamp, with_causes,
};
use tokio::time::{Instant, sleep, timeout};

use crate::outbox::Attempt;
use crate::turn::words_of;
use crate::worker::Worker;
use crate::{backoff, save};

/// The number of tries of an action that the service does not accept; after these it counts as refused.
const TRIES: u32 = 10;

/// The number of tries if the account is the cause: it sends too often, or is not logged in.
const PATIENT_TRIES: u32 = 30;

/// The longest time for an answer of the service, uploads included; after it the outcome is unknown.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// While a request is under way, the lease of the account is looked at this often.
const LOOK: Duration = Duration::from_millis(50);

/// The pause before an action with an unknown outcome is sent again.
const DOUBT: Duration = Duration::from_secs(5);

/// The result of a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SendEnd {
    pub(crate) attempt: Attempt,
    pub(crate) signal: Option<Signal>,
}

/// The part of a send's result that concerns the whole account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The account sends too often; the pause that the service wants, if it gave one.
    TooFrequent(Option<Duration>),
    /// The account is not logged in.
    NotLoggedIn,
}

/// Returns when nothing is left of a lease, so that another process may take the account over and send again. After a freeze
/// of this process a task can run before the timers, so the lease is also looked at each time.
async fn until_over(left: impl Fn() -> Option<Duration>) {
    let mut timer = std::pin::pin!(async {
        while let Some(left) = left() {
            if left.is_zero() {
                return;
            }
            sleep(left.min(LOOK)).await;
        }
        std::future::pending::<()>().await;
    });
    poll_fn(|context| match left() {
        Some(Duration::ZERO) => Poll::Ready(()),
        _ => timer.as_mut().poll(context),
    })
    .await;
}

impl Worker {
    /// Sends the oldest action of a chat, if it may leave.
    pub(crate) async fn send(&self, chat: &ChatId) -> Result<SendEnd, StoreError> {
        let now = self.now();
        let ClaimRequest { chat, token, until } = self.claim_request(chat, now);
        match self.take(self.store.claim(&chat, token, until, now).await?) {
            Ok(outgoing) => self.send_claimed(&outgoing).await,
            Err(attempt) => Ok(SendEnd { attempt, signal: None }),
        }
    }

    /// A request to claim the next action of a chat.
    pub(crate) fn claim_request(&self, chat: &ChatId, now: Timestamp) -> ClaimRequest {
        ClaimRequest { chat: chat.clone(), token: self.next_token(), until: now + LONGEST }
    }

    /// The action of a claim, or the result of an attempt without one.
    pub(crate) fn take(&self, claim: Claim) -> Result<Outgoing, Attempt> {
        match claim {
            Claim::Send(outgoing) => Ok(outgoing),
            Claim::Empty => Err(Attempt::Nothing),
            Claim::Wait(at) => Err(Attempt::Wait(at)),
            Claim::Expired(outgoing) => {
                self.report(&outgoing, &Outcome::Expired, Duration::ZERO);
                Err(Attempt::Skipped)
            }
        }
    }

    /// Sends a claimed action and settles it.
    pub(crate) async fn send_claimed(&self, outgoing: &Outgoing) -> Result<SendEnd, StoreError> {
        let started = Instant::now();
        let (outcome, signal) = match self.save(outgoing).await? {
            Some(outcome) => (outcome, None),
            None => self.attempt(outgoing).await,
        };
        let more = self.store.settle(&outgoing.id, outcome.clone(), self.now()).await?;
        self.report(outgoing, &outcome, started.elapsed());
        // The service does not see a row in a file, so the row does not count for the limits.
        let is_local = matches!(outgoing.action, Action::Save { .. });
        let attempt = if is_local { Attempt::Skipped } else { Attempt::Left { more } };
        Ok(SendEnd { attempt, signal })
    }

    async fn attempt(&self, outgoing: &Outgoing) -> (Outcome, Option<Signal>) {
        if self.settings.dry_run {
            return (Outcome::Refused { reason: "dry run: nothing is sent".to_owned() }, None);
        }
        let work = AssertUnwindSafe(self.service.perform(outgoing)).catch_unwind();
        let work = async {
            tokio::select! {
                biased;
                () = until_over(|| self.store.lease_left()) => Err("the store cannot be reached".to_owned()),
                result = timeout(LONGEST, work) => {
                    result.map_err(|_| format!("no answer within {LONGEST:?}"))
                }
            }
        };
        match work.await {
            Ok(Ok(Ok(receipt))) => (taken(receipt), None),
            Ok(Ok(Err(error))) => self.judge(outgoing, error),
            Ok(Err(panic)) => (self.doubt(format!("panicked: {}", words_of(&*panic))), None),
            Err(reason) => (self.doubt(reason), None),
        }
    }

    /// Saves the row of an action: in the store, or else in a file. `None` if the action has no row or there is no folder.
    async fn save(&self, outgoing: &Outgoing) -> Result<Option<Outcome>, StoreError> {
        let Action::Save { file, row } = &outgoing.action else { return Ok(None) };
        if self.settings.dry_run {
            return Ok(None);
        }
        if self.store.save_row(&outgoing.id, file, row, self.now()).await? {
            return Ok(Some(Outcome::Accepted));
        }
        let Some(folder) = &self.settings.save_folder else { return Ok(None) };
        let _one_at_a_time = self.saving.lock().await;
        let result = save::append(folder, file, row, outgoing.attempt > 1);
        Ok(Some(self.saved(outgoing, result.map_err(|error| (folder.join(file), error)))))
    }

    /// The outcome of a row. If a retry cannot succeed, the action is given up at once, since later actions of the chat
    /// must not wait.
    fn saved(&self, outgoing: &Outgoing, result: Result<(), (PathBuf, io::Error)>) -> Outcome {
        match result {
            Ok(()) => Outcome::Accepted,
            Err((path, error)) => {
                let reason = format!("{}: {error}", path.display());
                if stays(error.kind()) {
                    Outcome::Refused { reason }
                } else {
                    // The input of people is not given up: the row is written once the disk accepts it.
                    self.again(outgoing, u32::MAX, backoff::pause(outgoing.attempt, None), reason)
                }
            }
        }
    }

    /// Translates an error of the service into an outcome.
    fn judge(&self, outgoing: &Outgoing, error: SendError) -> (Outcome, Option<Signal>) {
        let words = with_causes(&error);
        match error {
            SendError::NotSent { retry_after, .. } => {
                let pause = retry_after.unwrap_or_else(|| backoff::pause(outgoing.attempt, None));
                (self.again(outgoing, TRIES, pause, words), None)
            }
            SendError::TooFrequent { retry_after } => {
                let pause = backoff::pause(outgoing.attempt, retry_after);
                let outcome = self.again(outgoing, PATIENT_TRIES, pause, words);
                (outcome, Some(Signal::TooFrequent(retry_after)))
            }
            SendError::NotLoggedIn => {
                let pause = backoff::pause(outgoing.attempt, None);
                (self.again(outgoing, PATIENT_TRIES, pause, words), Some(Signal::NotLoggedIn))
            }
            SendError::Refused { reason } => (Outcome::Refused { reason }, None),
            SendError::Unsupported { .. } => (Outcome::Refused { reason: words }, None),
            SendError::Unknown { .. } => (self.doubt(words), None),
        }
    }

    /// Tries again later, unless the action has had enough tries.
    fn again(&self, outgoing: &Outgoing, tries: u32, pause: Duration, words: String) -> Outcome {
        if outgoing.attempt >= tries {
            return Outcome::Refused { reason: format!("given up after {tries} tries: {words}") };
        }
        let retry_at = self.now() + pause;
        Outcome::NotSent { retry_at, reason: words }
    }

    fn doubt(&self, reason: String) -> Outcome {
        Outcome::Unknown { reason, again_at: self.again_at(DOUBT) }
    }

    /// The observer logs failures, since it knows the account.
    fn report(&self, outgoing: &Outgoing, outcome: &Outcome, took: Duration) {
        tracing::debug!(action = %outgoing.id, chat = %outgoing.chat, ?outcome, ?took, "action tried");
        self.performing.tried(&outgoing.id, outcome);
        self.observer.sent(outgoing, outcome, took);
    }
}

/// Whether an error of this machine lasts until a person solves its cause. Others pass by themselves: a full disk, or
/// a file that a spreadsheet program has locked.
const fn stays(failure: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        failure,
        Kind::InvalidInput
            | Kind::NotFound
            | Kind::PermissionDenied
            | Kind::IsADirectory
            | Kind::NotADirectory
            | Kind::ReadOnlyFilesystem
            | Kind::Unsupported
    )
}

fn taken(receipt: Receipt) -> Outcome {
    receipt.message.map_or(Outcome::Accepted, Outcome::Delivered)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_lease_is_seen_before_a_timer_runs() {
        let left = Cell::new(Duration::from_secs(2));
        let mut over = std::pin::pin!(until_over(|| Some(left.get())));
        let mut context = Context::from_waker(Waker::noop());
        assert!(over.as_mut().poll(&mut context).is_pending());
        left.set(Duration::ZERO);
        assert!(over.as_mut().poll(&mut context).is_ready());
    }
}
