//! The meaning of a failure for its action: whether it may have taken effect, and whether and when to try again.

use std::error::Error;
use std::time::Duration;

use mynah_core::{Action, Outgoing, SendError};
use mynah_webwx::{CallError, UploadError};

use super::WebWxService;
use super::members::NOT_OWNER;

/// The reason not to send to a person who is not a friend.
pub(super) const NOT_FRIEND: &str = "the receiver is not a friend";

/// Why an action came to nothing.
pub(super) enum Failed {
    /// A call failed that people see if it works.
    Call(CallError),
    /// An upload failed: nothing was shown to anybody.
    Upload(CallError),
    /// An upload came to nothing in a way that may pass: nothing was shown to anybody.
    NotTaken(UploadError),
    /// The outcome is known.
    Settled(SendError),
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        Self::Settled(error)
    }
}

impl Failed {
    /// A failed upload of the file of this name.
    pub(super) fn upload(error: UploadError, name: &str) -> Self {
        match error {
            UploadError::Call(error) => Self::Upload(error),
            UploadError::NoMedia | UploadError::Changed => Self::NotTaken(error),
            UploadError::Read(source) => Self::Settled(unreadable(name, &source)),
            other => Self::Settled(SendError::Refused { reason: other.to_string() }),
        }
    }
}

/// A file of this machine that cannot be read.
pub(super) fn unreadable(name: &str, error: &std::io::Error) -> SendError {
    SendError::Refused { reason: format!("{name} could not be read: {error}") }
}

/// How often the service may refuse an action with a code that may pass, and the pause between two tries.
struct Patience {
    tries: u32,
    pause: Duration,
}

impl Patience {
    /// A refusal is an answer, not a fault of the network: retries for minutes would hold up the actions behind it.
    const USUAL: Self = Self { tries: 3, pause: Duration::from_secs(2) };

    /// A few friends an hour are granted (section 16.5 of the protocol reference). One late try, early enough for a
    /// welcome that waits behind it.
    const FRIENDS: Self = Self { tries: 2, pause: Duration::from_secs(10 * 60) };

    fn of(action: &Action) -> Self {
        if matches!(action, Action::AcceptFriend { .. }) { Self::FRIENDS } else { Self::USUAL }
    }
}

impl WebWxService {
    /// The meaning of a failure for the action.
    pub(super) fn judge(&self, outgoing: &Outgoing, failed: Failed) -> SendError {
        let (error, is_shown) = match failed {
            Failed::Settled(error) => return error,
            Failed::NotTaken(error) => return self.declined(outgoing, error),
            Failed::Call(error) => (error, true),
            Failed::Upload(error) => (error, false),
        };
        if error.is_session_over() {
            return self.session_doubted(outgoing, error);
        }
        if error.is_too_frequent() {
            return SendError::TooFrequent { retry_after: Some(self.shared.throttled()) };
        }
        if error.is_declined() {
            return self.declined(outgoing, error);
        }
        if error.may_have_taken_effect() && is_shown {
            return SendError::Unknown { source: Box::new(error) };
        }
        if error.is_retryable() || error.may_have_taken_effect() {
            return SendError::NotSent { retry_after: None, source: Box::new(error) };
        }
        let reason = match &outgoing.action {
            Action::Kick { .. } => format!("{error}; {NOT_OWNER}"),
            Action::Invite { person } if error.is_not_friend() => {
                format!("{} is not a friend of the account", person.name)
            }
            _ if error.is_not_friend() => NOT_FRIEND.to_owned(),
            _ => error.to_string(),
        };
        SendError::Refused { reason }
    }

    /// One call alone cannot end a session: the calls that read tell whether it goes on. If it does, the second such
    /// answer to an action is the action's own refusal.
    fn session_doubted(&self, outgoing: &Outgoing, error: CallError) -> SendError {
        if self.shared.is_refused_itself(&outgoing.id) {
            let reason = format!("refused although the session goes on: {error}");
            return SendError::Refused { reason };
        }
        tracing::info!(
            error = &error as &dyn Error,
            "a call was answered as if the session were over; the service is asked whether it is"
        );
        SendError::NotSent { retry_after: None, source: Box::new(error) }
    }

    /// The service said no, without words about for how long.
    fn declined(
        &self,
        outgoing: &Outgoing,
        error: impl Error + Send + Sync + 'static,
    ) -> SendError {
        let Patience { tries, pause } = Patience::of(&outgoing.action);
        let times = self.shared.declined(&outgoing.id);
        if times >= tries {
            let mut reason = format!("given up after {times} refusals: {error}");
            if matches!(outgoing.action, Action::Kick { .. }) {
                // The service has no code of its own for this, by far the most frequent cause.
                reason = format!("{reason}; {NOT_OWNER}");
            }
            return SendError::Refused { reason };
        }
        SendError::NotSent { retry_after: Some(pause), source: Box::new(error) }
    }
}
