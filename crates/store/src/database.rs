//! The open database: its connection, and what is known beside it.

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
    /// The version that the next changed value of state gets. One counter for all, so that a value which was removed
    /// and set again never has an old version.
    next_version: u64,
    /// Whether commits are synced at present.
    synced: bool,
    pub(crate) transaction: Transaction,
    /// The events that were set aside after this opening, once that was done.
    pub(crate) set_aside: Option<Vec<EventId>>,
    /// Set where the database itself rolled the transaction back.
    pub(crate) rolled_back: Option<rusqlite::Error>,
    /// What commits write before it is carried over into the file.
    pub(crate) log: Log,
    /// The files that must stay where they are: the database and the lock.
    watched: Vec<Watched>,
}

/// What the open transaction holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// Several jobs, each of which may fail for itself.
    Shared,
    /// One job.
    Single,
    /// One job that failed: it is to be undone.
    Failed,
}

/// The write-ahead log, as the commits of this connection tell. In memory there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    exists: bool,
    frames: Arc<AtomicI64>,
    is_written: Arc<AtomicBool>,
}

impl Log {
    /// Whether there is one.
    pub(crate) const fn exists(&self) -> bool {
        self.exists
    }

    /// How many frames wait to be carried over, as the last commit told.
    pub(crate) fn frames(&self) -> i64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Whether anything was written since this was last asked.
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
    /// Opens or makes the file, checks it before anything is written, and brings it to the present version.
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

    /// Has a file watched beside the others.
    pub(crate) fn watch(&mut self, file: Watched) {
        self.watched.push(file);
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
        // From now on nothing is carried over in the middle of a commit: the writer does it where nobody waits.
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
            // Cannot change inside of a transaction.
            let level = if synced { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.synced = synced;
        }
        self.execute("BEGIN IMMEDIATE")
    }

    /// Runs a statement without values that is needed again and again.
    pub(crate) fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Syncs everything that was written: a synced commit of the least that can be written.
    pub(crate) fn sync(&mut self) -> rusqlite::Result<()> {
        self.begin(true)?;
        self.connection.pragma_update(None, "user_version", schema::VERSION)?;
        self.execute("COMMIT")
    }

    /// Carries the log over into the file, as far as nobody reads what was before. Returns how many frames it has, and
    /// how many of them are carried over.
    pub(crate) fn carry_over(&mut self) -> rusqlite::Result<(i64, i64)> {
        // It is told anew by the next commit.
        self.log.frames.store(0, Ordering::Relaxed);
        let mut statement = self.connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
        statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
    }

    /// Carries the whole log over into the file and empties it, so that the file alone is the data. Returns whether a
    /// reader kept a part of the log.
    pub(crate) fn complete(&mut self) -> rusqlite::Result<bool> {
        self.log.frames.store(0, Ordering::Relaxed);
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
    }

    /// The first file that is not where it was any more.
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

/// Makes a database with its tables. It appears at its path as a whole, so that an empty file is never a new one.
fn create(path: &Path) -> Result<(), StoreError> {
    let draft = path.with_extension("db.new");
    let in_words = |error| translate(error, &draft);
    // Left by a process that died in this place.
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
