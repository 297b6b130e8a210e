//! Detects that a file was removed, replaced or emptied while it is open.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};

/// An open file and its identity.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    /// `None` if the file system does not report it.
    identity: Option<Identity>,
    must_hold_bytes: bool,
}

/// The device of a file and its number there.
type Identity = (u64, u64);

impl Watched {
    /// A file that was opened at this path.
    pub(crate) fn open_file(file: &File, path: &Path) -> Self {
        let identity = file.metadata().ok().as_ref().and_then(identity);
        Self { path: path.to_owned(), identity, must_hold_bytes: false }
    }

    /// The file at a path, which must keep its place and never become empty.
    pub(crate) fn never_empty(path: &Path) -> Self {
        let identity = fs::metadata(path).ok().as_ref().and_then(identity);
        Self { path: path.to_owned(), identity, must_hold_bytes: true }
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is still the one at its path.
    pub(crate) fn is_there(&self) -> bool {
        let Some(expected) = self.identity else { return true };
        fs::metadata(&self.path).is_ok_and(|found| {
            identity(&found) == Some(expected) && !(self.must_hold_bytes && found.len() == 0)
        })
    }
}

#[cfg(unix)]
fn identity(file: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}
