//! The copy of a database in its former version. It stays beside the database until a start with the new version went
//! well, so that a person can go back.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use mynah_core::StoreError;
use rusqlite::Connection;

use crate::database::make_private;
use crate::error::{translate, translate_io};
use crate::schema;

/// The place of the copy in this version.
fn place(path: &Path, version: u32) -> PathBuf {
    path.with_extension(format!("db.v{version}"))
}

/// Copies the database before its tables are migrated. The copy appears complete at its place.
pub(crate) fn keep(connection: &Connection, path: &Path, version: u32) -> Result<(), StoreError> {
    let place = place(path, version);
    let draft = path.with_extension(format!("db.v{version}.new"));
    let copied = write(connection, &draft, &place);
    if copied.is_err() {
        // A part of a copy must not stay; if removing it fails too, the first error is still reported.
        let _ = fs::remove_file(&draft);
    }
    copied?;
    tracing::info!(copy = %place.display(), "the data is brought to a new form; a copy of the old form is kept");
    Ok(())
}

fn write(connection: &Connection, draft: &Path, place: &Path) -> Result<(), StoreError> {
    let in_words = |error| translate_io(error, draft);
    // A process that died here left this file.
    if draft.exists() {
        fs::remove_file(draft).map_err(in_words)?;
    }
    make_private(draft).map_err(in_words)?;
    let name = draft.to_string_lossy();
    connection
        .execute("VACUUM INTO ?1", [name.as_ref()])
        .map_err(|error| translate(error, draft))?;
    File::open(draft).and_then(|copy| copy.sync_all()).map_err(in_words)?;
    fs::rename(draft, place).map_err(in_words)?;
    sync_folder(place).map_err(in_words)
}

/// Removes the copies of all former versions.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    for version in 1..schema::VERSION {
        let place = place(path, version);
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(translate_io(error, &place));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        return File::open(folder)?.sync_all();
    }
    let _ = path;
    Ok(())
}
