//! Why a file is refused although the system would open or read it.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a file is refused although the system would open or read it. It is the inner error of an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The file is a pipe, a device, a socket, or a link where links are not followed.
    NotRegular,
    /// The path leads out of the folder.
    Outside,
    /// The file has more bytes than the limit.
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
}

impl Refusal {
    /// The refusal inside this error, if there is one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRegular => {
                f.write_str("it is a link, a pipe, a device or a socket, not a file")
            }
            Self::Outside => f.write_str("it leads out of the bot's folder"),
            Self::TooLarge { limit } => write!(f, "it has more than {limit} bytes"),
        }
    }
}

impl Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::NotRegular => io::ErrorKind::Unsupported,
            Refusal::Outside => io::ErrorKind::PermissionDenied,
            Refusal::TooLarge { .. } => io::ErrorKind::FileTooLarge,
        };
        Self::new(kind, refusal)
    }
}
