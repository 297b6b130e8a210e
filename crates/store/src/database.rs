//! The open database: its connection, its write-ahead log and its watched files.

use std::ffi::c_int;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use mynah_core::{EventId, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::Options;
use crate::error::{translate, translate_io};
use crate::identity::Watched;
use crate::schema;

/// The open database of one account.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
    /// The version of the next changed value of state. All values share one counter, so that a value which was removed
    /// and set again never gets an old version.
    next_version: u64,
    /// Whether commits are synced at present.
    synced: bool,
    pub(crate) transaction: Transaction,
    /// The events that were set aside after this opening, once that was done.
    pub(crate) set_aside: Option<Vec<EventId>>,
    /// The error with which SQLite itself rolled the transaction back.
    pub(crate) rolled_back: Option<rusqlite::Error>,
    /// The write-ahead log of the commits.
    pub(crate) log: Log,
    /// The files that must keep their place: the database and the lock.
    watched: Vec<Watched>,
}

/// The content of the open transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// Several jobs, each of which may fail on its own.
    Shared,
    /// One job.
    Single,
    /// One job that failed and must be rolled back.
    Failed,
}

/// The write-ahead log, as the commits of this connection report it. A database in memory has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    exists: bool,
    frames: Arc<AtomicI64>,
    is_written: Arc<AtomicBool>,
}

impl Log {
    /// Whether the database has a log.
    pub(crate) const fn exists(&self) -> bool {
        self.exists
    }

    /// The number of frames to checkpoint, as the last commit reported it.
    pub(crate) fn frames(&self) -> i64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Whether anything was written since the last call.
    pub(crate) fn take_written(&self) -> bool {
        self.is_written.swap(false, Ordering::Relaxed)
    }

    fn of(connection: &mut Connection) -> rusqlite::Result<Self> {
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        let log = Self { exists: mode == "wal", ..Self::default() };
        let Self { frames, is_written, .. } = log.clone();
        connection.wal_hook(Some(move |_: &mut _, now: c_int| {
            frames.store(i64::from(now), Ordering::Relaxed);
            is_written.store(true, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(log)
    }
}

impl Database {
    /// Opens or makes the file, checks it before it writes anything, and migrates it to the present version.
    pub(crate) fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        if !path.exists() {
            create(path)?;
        }
        make_private(path).map_err(|error| translate_io(error, path))?;
        schema::check_size(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| translate(error, path))?;
        schema::check(&connection, path)?;
        let mut database = Self::set_up(connection, path, options)?;
        database.watch(Watched::never_empty(path));
        Ok(database)
    }

    /// Adds a file to the watched files.
    pub(crate) fn watch(&mut self, file: Watched) {
        self.watched.push(file);
    }

    /// Makes a database in memory.
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
        // From now on no commit checkpoints the log: the writer does it while no call waits.
        let log = Log::of(&mut connection).map_err(|error| translate(error, path))?;
        let path = path.to_owned();
        Ok(Self {
            connection,
            path,
            options,
            next_version,
            synced: true,
            transaction: Transaction::Shared,
            set_aside: None,
            rolled_back: None,
            log,
            watched: Vec::new(),
        })
    }

    /// Begins a transaction whose commit is synced, or only written.
    pub(crate) fn begin(&mut self, synced: bool) -> rusqlite::Result<()> {
        if synced != self.synced {
            // SQLite cannot change this inside a transaction.
            let level = if synced { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.synced = synced;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    /// Runs a frequent statement without values.
    pub(crate) fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Syncs all earlier commits with a synced commit of the smallest possible write.
    pub(crate) fn sync(&mut self) -> rusqlite::Result<()> {
        self.begin(true)?;
        self.connection.pragma_update(None, "user_version", schema::VERSION)?;
        self.execute("COMMIT")
    }

    /// Checkpoints the log into the file, except for the frames that a reader still needs. Returns the number of frames
    /// in the log, and the number of checkpointed frames.
    pub(crate) fn carry_over(&mut self) -> rusqlite::Result<(i64, i64)> {
        // The next commit reports the number again.
        self.log.frames.store(0, Ordering::Relaxed);
        let mut statement = self.connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
        statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
    }

    /// Checkpoints the whole log into the file and empties it, so that the file alone has all data. Returns whether a
    /// reader kept a part of the log.
    pub(crate) fn complete(&mut self) -> rusqlite::Result<bool> {
        self.log.frames.store(0, Ordering::Relaxed);
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    }

    /// The first watched file that is no longer in its place.
    pub(crate) fn missing(&self) -> Option<&Path> {
        self.watched.iter().find(|file| !file.is_there()).map(Watched::path)
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
    // Without this, SQLite prepares a statement again whenever a bound value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Without a limit, the log file keeps the size of the largest flood for ever.
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    // Overwrites deleted data: a person who asks to be forgotten must leave no trace in the file.
    connection.pragma_update_and_check(None, "secure_delete", "FAST", |_| Ok(()))?;
    schema::migrate(connection)?;
    let last: Option<i64> =
        connection.query_row("SELECT max(version) FROM state", [], |row| row.get(0))?;
    Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0) + 1)
}

/// Makes a database with its tables. It appears at its path complete, so an empty file there is never a new database.
fn create(path: &Path) -> Result<(), StoreError> {
    let draft = path.with_extension("db.new");
    let in_words = |error| translate(error, &draft);
    // A process that died here left this file.
    if draft.exists() {
        fs::remove_file(&draft).map_err(|error| translate_io(error, &draft))?;
    }
    schema::check_log(path)?;
    make_private(&draft).map_err(|error| translate_io(error, &draft))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&draft, flags).map_err(in_words)?;
    prepare(&mut connection).map_err(in_words)?;
    connection.close().map_err(|(_, error)| in_words(error))?;
    fs::rename(&draft, path).map_err(|error| translate_io(error, path))
}

/// Makes the file, readable by its owner only.
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
