//! The lease of a data folder: one process works with it, others are refused.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use mynah_core::StoreError;
use mynah_files::Refusal;

use crate::AccountFolder;
use crate::error::translate_io;
use crate::identity::Watched;

/// Held as long as the store is open.
#[derive(Debug)]
pub(crate) struct Lease {
    file: File,
    path: PathBuf,
}

impl Lease {
    /// Takes the lease of a folder and makes the folder if it does not exist. The locked file stays; only the lock
    /// matters, and the system releases the lock when the process ends.
    pub(crate) fn take(folder: &AccountFolder) -> Result<Self, StoreError> {
        let path = folder.lock();
        let folder = folder.path();
        make_folder(folder).map_err(|error| no_folder(error, folder))?;
        let file = lock_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path }),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::InUse { place: folder.display().to_string() })
            }
            Err(TryLockError::Error(error)) => Err(translate_io(error, folder)),
        }
    }

    /// The locked file. If another file takes its place, another process can take the lease.
    pub(crate) fn watched(&self) -> Watched {
        Watched::open_file(&self.file, &self.path)
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// Why a folder could not be made: its place, or that of a folder above it, may be that of a file.
fn no_folder(error: io::Error, folder: &Path) -> StoreError {
    match folder.ancestors().find(|path| path.exists()) {
        Some(found) if !found.is_dir() => {
            StoreError::NotFolder { place: found.display().to_string() }
        }
        _ => translate_io(error, folder),
    }
}

/// Opens the locked file or creates it. Neither waits for the other end of a pipe nor follows a link.
fn lock_file(path: &Path) -> Result<File, StoreError> {
    mynah_files::open_to_write(path).map_err(|error| match Refusal::of(&error) {
        Some(_) => StoreError::NotRegular { place: path.display().to_string() },
        None if path.is_dir() => StoreError::NotRegular { place: path.display().to_string() },
        None => translate_io(error, path),
    })
}
