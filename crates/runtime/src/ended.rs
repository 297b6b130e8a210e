//! The end of the run of an account.

use std::fmt;

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

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::Finished => f.write_str("the input ended, and everything is answered"),
            Self::LoggedOut { reason } => write!(f, "the account was logged out: {reason}"),
            Self::Blocked { words } => write!(f, "the service refuses this account: {words}"),
            Self::LoginRefused { words } => write!(f, "the service refuses the login: {words}"),
            Self::NotLoggedIn { reason } => write!(f, "the login timed out: {reason}"),
            Self::Storage(error) => error.fmt(f),
            Self::Unusable(error) => error.fmt(f),
        }
    }
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
