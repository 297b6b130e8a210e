//! Actions of the program itself, beside those of turns.

use async_trait::async_trait;
use thiserror::Error;

use crate::{EventId, Outcome, Planned};

/// Performs actions of the program itself (an operator, another bot, a bridge) in the same way as replies: they are stored
/// first, paced, sent in the order of their chat, and found in the log.
#[async_trait]
pub trait Perform: Send + Sync {
    /// Performs an action and returns the outcomes: one for each message that the service took a long text in. An id is
    /// performed once, however often it is given, also over restarts.
    ///
    /// # Errors
    ///
    /// [`PerformError`] says whether the action is still performed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the answer, not the action, from the moment on that the account has taken the order:
    /// at once, unless dozens of orders wait.
    async fn perform(&self, id: EventId, planned: Planned) -> Result<Vec<Outcome>, PerformError>;
}

/// Why there is no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PerformError {
    /// The account had ended before it took the action. Nothing is performed.
    #[error("the account is not running")]
    NotRunning,
    /// The account ended meanwhile. An action that it had stored is performed at its next start; giving the same id again
    /// makes sure of it.
    #[error(
        "the account ended before the outcome was known; it may still be performed at the next start"
    )]
    Interrupted,
    /// The id was given before, and its outcome is in the log. Nothing is performed a second time.
    #[error("an action with this id was accepted before")]
    Repeated,
}
