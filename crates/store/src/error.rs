//! Translates errors of SQLite and of the file system into [`StoreError`].

use std::fs::File;
use std::io;
use std::path::Path;

use mynah_core::StoreError;
use rusqlite::ErrorCode;

/// Translates an error of SQLite for the file at `path`.
pub(crate) fn translate(error: rusqlite::Error, path: &Path) -> StoreError {
    let place = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { place },
        // SQLite does not say why it cannot open a file.
        Some(ErrorCode::CannotOpen) if has_no_descriptor() => StoreError::NoDescriptors { place },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            StoreError::ReadOnly { place }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Damaged { place, what: error.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse { place },
        _ => StoreError::Failed(Box::new(error)),
    }
}

/// Translates an error of the file system.
pub(crate) fn translate_io(error: io::Error, path: &Path) -> StoreError {
    let shown = path.display().to_string();
    if is_lack_of_descriptors(&error) {
        return StoreError::NoDescriptors { place: shown };
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::NotFound
        | io::ErrorKind::AlreadyExists => StoreError::ReadOnly { place: shown },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Full { place: shown }
        }
        _ => StoreError::Failed(Box::new(error)),
    }
}

/// Whether this process can open no file at all now.
fn has_no_descriptor() -> bool {
    cfg!(unix) && File::open("/dev/null").is_err_and(|error| is_lack_of_descriptors(&error))
}

/// ENFILE and EMFILE.
fn is_lack_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
