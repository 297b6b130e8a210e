//! The end of the run of an account.

use mynah_core::{HandlerError, ReceiveError, StoreError};

/// The reason why the run of an account ended.
#[derive(Debug)]
pub enum Ended {
    /// The caller stopped it.
    Stopped,
    /// The source ended, and no work is left.
    Finished,
    /// The session ended and could not be renewed.
    LoggedOut {
        /// The words of the service, or their meaning.
        reason: String,
    },
    /// The service refuses this account.
    Blocked {
        /// The words of the service.
        words: String,
    },
    /// The service does not let this account log in through this kind of client.
    LoginRefused {
        /// The words of the service.
        words: String,
    },
    /// A login prompt was not answered in time.
    NotLoggedIn {
        /// The expected answer.
        reason: String,
    },
    /// The store failed; [`StoreError::remedy`] has the advice for the operator.
    Storage(StoreError),
    /// The service answers in a way that no retry can solve.
    Unusable(HandlerError),
}

impl From<ReceiveError> for Ended {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::LoggedOut { reason } => Self::LoggedOut { reason },
            ReceiveError::Blocked { words } => Self::Blocked { words },
            ReceiveError::LoginRefused { words } => Self::LoginRefused { words },
            ReceiveError::NotLoggedIn { reason } => Self::NotLoggedIn { reason },
            ReceiveError::Unusable(source) => Self::Unusable(source),
        }
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Storage(error)
    }
}
