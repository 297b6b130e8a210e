//! Why a file is refused although the system would open or read it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

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
        let inner = error.get_ref()?;
        let outside = || inner.is::<LinkOut>().then_some(Self::Outside);
        inner.downcast_ref().copied().or_else(outside)
    }
}

/// A link that leads out of the folder: [`Refusal::Outside`] with the link. It is the inner error of an [`io::Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOut {
    /// The link, relative to the folder.
    pub link: PathBuf,
    /// Where it leads.
    pub target: PathBuf,
}

impl LinkOut {
    /// The link inside this error, if there is one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The first link of this path in the folder whose target is outside. Both paths as they are written; the folder also
    /// without links.
    pub(crate) fn find(folder: &Path, path: &Path, real_folder: &Path) -> Option<Self> {
        let mut below = PathBuf::new();
        for part in path.strip_prefix(folder).ok()?.components() {
            below.push(part);
            let here = folder.join(&below);
            if here.is_symlink() {
                let target = here.canonicalize().ok()?;
                if !target.starts_with(real_folder) {
                    return Some(Self { link: below, target });
                }
            }
        }
        None
    }
}

impl fmt::Display for LinkOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (link, target) = (self.link.display(), self.target.display());
        write!(f, "the link {link} leads out of the bot's folder, to {target}")
    }
}

impl Error for LinkOut {}

impl From<LinkOut> for io::Error {
    fn from(link: LinkOut) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, link)
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
