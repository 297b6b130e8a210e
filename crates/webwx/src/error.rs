//! What can go wrong: which call, what was wrong, and what follows from it.

use std::error::Error;
use std::fmt;

use thiserror::Error as ThisError;

use crate::Call;
use crate::code::Code;
use crate::redact::excerpt;

/// The cause of a failure, of a type that is nobody's business.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A call that was not granted, or whose answer says nothing.
///
/// Ask it by question: [`is_session_over`](Self::is_session_over), [`is_retryable`](Self::is_retryable) and so on.
#[derive(Debug)]
pub struct CallError {
    /// The call.
    pub call: Call,
    /// What was wrong.
    pub failure: Failure,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.failure)
    }
}

/// The failure is part of the message already: the chain goes on with what is behind it.
impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failure.source()
    }
}

/// What was wrong with a call.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Failure {
    /// There was no connection; the request never left.
    #[error("the service could not be reached")]
    Unreachable(#[source] Cause),
    /// No answer came in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection broke before the whole answer was there.
    #[error("the connection broke before the answer was complete")]
    Interrupted(#[source] Cause),
    /// The answer has an HTTP status that says no.
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
        /// What is wrong with it.
        what: &'static str,
        /// The beginning of the body, without secrets.
        body: String,
        /// The parser's words, where there are any.
        #[source]
        cause: Option<Cause>,
    },
    /// The answer is larger than such an answer may be.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The service understood and refused.
    #[error("refused with {code}{}", said(words))]
    Refused {
        /// Its code.
        code: Code,
        /// Its words, often none.
        words: String,
    },
    /// The request cannot be made, e.g. because nobody is logged in; it never left.
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

    /// The code of the service, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match &self.failure {
            Failure::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The service's own words, if it refused with any.
    #[must_use]
    pub fn words(&self) -> Option<&str> {
        match &self.failure {
            Failure::Refused { words, .. } if !words.is_empty() => Some(words),
            _ => None,
        }
    }

    /// Whether the session has ended: nothing will be granted before another login.
    #[must_use]
    pub fn is_session_over(&self) -> bool {
        self.code().is_some_and(Code::is_session_over)
    }

    /// Whether the service finds that the account asks too often, by code or by words.
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

    /// Whether the service asks to wait until the receiver accepts a friend request.
    fn awaits_friend(&self) -> bool {
        self.words().is_some_and(|words| {
            ["接受", "accept"].iter().any(|hint| words.contains(hint))
                && ["好友", "朋友", "friend"].iter().any(|hint| words.contains(hint))
        })
    }

    /// Whether the service itself said no with a code that may pass: an answer, not a fault on the way.
    #[must_use]
    pub fn is_declined(&self) -> bool {
        self.code().is_some_and(Code::may_pass) && !self.is_too_frequent() && !self.is_not_friend()
    }

    /// Whether the service refuses to log this account in.
    ///
    /// It has the same code for a login that came too late or twice; that is none: begin the login anew.
    #[must_use]
    pub fn is_login_refused(&self) -> bool {
        let spent = self.words().is_some_and(|words| words.contains("check ticket failed"));
        self.code() == Some(Code::LoginRefused) && !spent
    }

    /// Whether the same call may be granted later without anybody doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.failure {
            Failure::Unreachable(_) | Failure::TimedOut | Failure::Interrupted(_) => true,
            // The service itself says no with a code: these are half an answer, or words of somebody in between.
            Failure::Status { .. } | Failure::Unreadable { .. } => true,
            Failure::Refused { code, .. } => {
                (code.may_pass() && !self.is_not_friend()) || self.is_too_frequent()
            }
            Failure::TooLarge { .. } | Failure::Impossible(_) => false,
        }
    }

    /// Whether the call may have done its work although it failed: no answer of the service says that it did not.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match &self.failure {
            Failure::TimedOut
            | Failure::Interrupted(_)
            | Failure::Unreadable { .. }
            | Failure::TooLarge { .. } => true,
            // A proxy says these when the service itself may well have worked.
            Failure::Status { status, .. } => *status >= 500,
            Failure::Unreachable(_) | Failure::Refused { .. } | Failure::Impossible(_) => false,
        }
    }
}

/// A client that cannot be made.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum BuildError {
    /// The server's address is not one.
    #[error(
        "{address:?} is no address of a server such as https://wx.qq.com or http://127.0.0.1:8086"
    )]
    BadServer {
        /// What was given.
        address: String,
    },
    /// A text cannot stand in an HTTP header.
    #[error("{what} has characters that cannot stand in an HTTP header")]
    BadHeader {
        /// Which text.
        what: &'static str,
    },
    /// The secure connection could not be prepared.
    #[error("secure connections could not be prepared")]
    Tls(#[source] Cause),
}

/// A file that was not uploaded.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum UploadError {
    /// It has no bytes; the service takes no empty files.
    #[error("the file is empty")]
    Empty,
    /// It is larger than the service takes.
    #[error("the file has {size} bytes, more than the {limit} that the service takes")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It could not be read.
    #[error("the file could not be read")]
    Read(#[source] std::io::Error),
    /// The service took it without error and named no media to show it by: it does not want it.
    #[error("the service took the file and named no media for it")]
    NoMedia,
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Media that were not downloaded.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum DownloadError {
    /// The service does not have it, or not any more.
    #[error("the service does not have it (any more)")]
    Gone,
    /// It is larger than was asked for.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
}
