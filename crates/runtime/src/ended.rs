//! How the run of an account ends.

use mynah_core::{HandlerError, ReceiveError, StoreError};

/// How the run of an account ended.
#[derive(Debug)]
pub enum Ended {
    /// As asked for.
    Stopped,
    /// The source ended, and everything that waited is done.
    Finished,
    /// The session ended and could not be renewed.
    LoggedOut {
        /// What the service said, or what it means.
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
    /// Nobody did what a prompt asked for.
    NotLoggedIn {
        /// What was waited for.
        reason: String,
    },
    /// The store failed; [`StoreError::remedy`] says what to do.
    Storage(StoreError),
    /// The service answers in a way that no retry will mend.
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
