//! The open database: its connection, and what is known beside it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mynah_core::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::Options;
use crate::error::{translate, translate_io};
use crate::schema;

/// The open database of one account.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
    /// The version that the next changed value of state gets. One counter for all, so that a value which was removed
    /// and set again never has an old version.
    next_version: u64,
    /// Whether commits are synced at present.
    synced: bool,
    /// Set where the database itself rolled the transaction back.
    pub(crate) rolled_back: Option<rusqlite::Error>,
}

impl Database {
    /// Opens or makes the file, checks it before anything is written, and brings it to the present version.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        make_private(path).map_err(|error| translate_io(error, path))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| translate(error, path))?;
        schema::check(&connection, path)?;
        Self::set_up(connection, path, options)
    }

    /// One in memory.
    pub(crate) fn in_memory(options: Options) -> Result<Self, StoreError> {
        let path = Path::new(":memory:");
        let connection = Connection::open_in_memory().map_err(|error| translate(error, path))?;
        Self::set_up(connection, path, options)
    }

    fn set_up(
        mut connection: Connection,
        path: &Path,
        options: Options,
    ) -> Result<Self, StoreError> {
        let next_version = prepare(&mut connection).map_err(|error| translate(error, path))?;
        let path = path.to_owned();
        Ok(Self { connection, path, options, next_version, synced: true, rolled_back: None })
    }

    /// Begins a transaction whose commit is synced, or only written.
    pub(crate) fn begin(&mut self, synced: bool) -> rusqlite::Result<()> {
        if synced != self.synced {
            // Cannot change inside of a transaction.
            let level = if synced { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.synced = synced;
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(|_| ())
    }

    /// A version that no value of state had before.
    pub(crate) fn fresh_version(&mut self) -> u64 {
        let version = self.next_version;
        self.next_version += 1;
        version
    }
}

/// Sets the connection up and returns the first free version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<u64> {
    connection.set_prepared_statement_cache_capacity(64);
    // Else the database prepares a statement anew whenever a bound value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A flood must not leave a log file of its size behind for ever.
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    // What is deleted is overwritten: people who ask to be forgotten are.
    connection.pragma_update_and_check(None, "secure_delete", "FAST", |_| Ok(()))?;
    schema::migrate(connection)?;
    let last: Option<i64> =
        connection.query_row("SELECT max(version) FROM state", [], |row| row.get(0))?;
    Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0) + 1)
}

/// Makes the file, readable by its owner only, and its folder if there is none.
fn make_private(path: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new();
    file.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        file.mode(0o600);
        file.open(path)?.set_permissions(fs::Permissions::from_mode(0o600))
    }
    #[cfg(not(unix))]
    file.open(path).map(|_| ())
}
