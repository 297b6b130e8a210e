//! The errors of the crate: the failed call, the cause, and the consequences.

use std::error::Error;
use std::fmt;

use thiserror::Error as ThisError;

use crate::Call;
use crate::code::Code;
use crate::redact::excerpt;

/// The cause of a failure. Its concrete type is not part of the API.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A call that was refused or failed, or whose answer cannot be read.
///
/// Its methods classify it: [`is_session_over`](Self::is_session_over), [`is_retryable`](Self::is_retryable) and so on.
#[derive(Debug)]
pub struct CallError {
    /// The call.
    pub call: Call,
    /// The cause.
    pub failure: Failure,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.failure)
    }
}

/// The message already contains the failure, so the chain continues with the source of the failure.
impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failure.source()
    }
}

/// The reason why a call failed.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Failure {
    /// The connection failed. The request was not sent.
    #[error("the service could not be reached")]
    Unreachable(#[source] Cause),
    /// This process may open no more files and connections. The request was not sent.
    #[error("no file descriptor was left for a connection")]
    NoDescriptors(#[source] Cause),
    /// The answer did not arrive in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke before the answer was complete.
    #[error("the connection broke before the answer was complete")]
    Interrupted(#[source] Cause),
    /// The answer has an HTTP status that means an error.
    #[error("HTTP status {status}: {body}")]
    Status {
        /// The status.
        status: u16,
        /// The beginning of the body, without secrets.
        body: String,
    },
    /// The answer cannot be read.
    #[error("{what}: {body}")]
    Unreadable {
        /// The problem.
        what: &'static str,
        /// The beginning of the body, without secrets.
        body: String,
        /// The error of the parser, if there is one.
        #[source]
        cause: Option<Cause>,
    },
    /// The answer exceeds the limit of the call.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The service understood the request and refused it.
    #[error("refused with {code}{}", said(words))]
    Refused {
        /// The code of the refusal.
        code: Code,
        /// The text of the refusal, often empty.
        words: String,
    },
    /// The request is not possible, e.g. because no account is logged in. It was not sent.
    #[error("not possible: {0}")]
    Impossible(&'static str),
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

impl CallError {
    pub(crate) fn new(call: Call, failure: Failure) -> Self {
        Self { call, failure }
    }

    pub(crate) fn refused(call: Call, code: i64, words: &str) -> Self {
        Self::new(call, Failure::Refused { code: code.into(), words: excerpt(words) })
    }

    pub(crate) fn unreadable(call: Call, what: &'static str, body: &str) -> Self {
        Self::new(call, Failure::Unreadable { what, body: excerpt(body), cause: None })
    }

    /// The code of the service, if there is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match &self.failure {
            Failure::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The text of the service, if it refused with one.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match &self.failure {
            Failure::Refused { words, .. } if !words.is_empty() => Some(words),
            _ => None,
        }
    }

    /// Whether the session has ended: every call fails until the next login.
    #[must_use]
    pub fn is_session_over(&self) -> bool {
        self.code().is_some_and(Code::is_session_over)
    }

    /// Whether the account makes too many requests, by the code or the text of the service.
    #[must_use]
    pub fn is_too_frequent(&self) -> bool {
        let by_words = |words: &str| {
            ["频繁", "頻繁", "too often", "too frequent"].iter().any(|hint| words.contains(hint))
        };
        (self.code() == Some(Code::TooFrequent) || self.words().is_some_and(by_words))
            && !self.awaits_friend()
    }

    /// Whether the receiver is not a friend of the account.
    #[must_use]
    pub fn is_not_friend(&self) -> bool {
        self.code() == Some(Code::NotFriend) || self.awaits_friend()
    }

    /// Whether the service requires that the receiver accepts a friend request first.
    fn awaits_friend(&self) -> bool {
        self.words().is_some_and(|words| {
            ["接受", "accept"].iter().any(|hint| words.contains(hint))
                && ["好友", "朋友", "friend"].iter().any(|hint| words.contains(hint))
        })
    }

    /// Whether the service refused with a code that may pass. This is an answer, not a network error.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        self.code().is_some_and(Code::may_pass) && !self.is_too_frequent() && !self.is_not_friend()
    }

    /// Whether the service refuses to log this account in.
    ///
    /// It sends the same code for a login that came too late or twice. This method returns `false` for those: start the
    /// login again.
    #[must_use]
    pub fn is_login_refused(&self) -> bool {
        let spent = self.words().is_some_and(|words| words.contains("check ticket failed"));
        self.code() == Some(Code::LoginRefused) && !spent
    }

    /// Whether the same call may succeed later without any intervention.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.failure {
            Failure::Unreachable(_) | Failure::NoDescriptors(_) => true,
            Failure::TimedOut | Failure::Interrupted(_) => true,
            // The service itself refuses with a code. These answers are incomplete, or come from a proxy on the way.
            Failure::Status { .. } | Failure::Unreadable { .. } => true,
            Failure::Refused { code, .. } => {
                (code.may_pass() && !self.is_not_friend()) || self.is_too_frequent()
            }
            Failure::TooLarge { .. } | Failure::Impossible(_) => false,
        }
    }

    /// Whether the call may have taken effect although it failed: no answer of the service excludes it.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match &self.failure {
            Failure::TimedOut
            | Failure::Interrupted(_)
            | Failure::Unreadable { .. }
            | Failure::TooLarge { .. } => true,
            // A proxy sends these although the service may have processed the request.
            Failure::Status { status, .. } => *status >= 500,
            Failure::Unreachable(_) | Failure::NoDescriptors(_) => false,
            Failure::Refused { .. } | Failure::Impossible(_) => false,
        }
    }
}

/// The client cannot be built.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum BuildError {
    /// The address of the server is not valid.
    #[error(
        "{address:?} is not a valid server address, such as https://wx.qq.com or http://127.0.0.1:8086"
    )]
    BadServer {
        /// The configured address.
        address: String,
    },
    /// A text contains characters that are not allowed in an HTTP header.
    #[error("{what} contains characters that are not allowed in an HTTP header")]
    BadHeader {
        /// The name of the text.
        what: &'static str,
    },
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[source] Cause),
}

/// The upload failed.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum UploadError {
    /// The file is empty. The service accepts no empty files.
    #[error("the file is empty")]
    Empty,
    /// The file is larger than the service accepts.
    #[error("the file has {size} bytes, more than the {limit} that the service takes")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The file could not be read.
    #[error("the file could not be read")]
    Read(#[source] std::io::Error),
    /// The file changed while it was read. Nothing was sent.
    #[error("the file changed while it was read")]
    Changed,
    /// The service accepted the file and returned no media id: it refuses the content.
    #[error("the service accepted the file but returned no media id")]
    NoMedia,
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// The download failed.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum DownloadError {
    /// The service does not have the media, or no longer.
    #[error("the service does not have the media, or no longer")]
    Gone,
    /// The media are larger than the limit of the caller.
    #[error("the media are larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}
