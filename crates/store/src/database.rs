//! The open database: its connection, its write-ahead log and its watched files.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use mynah_core::{EventId, StoreError, Timestamp};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::Options;
use crate::error::{translate, translate_io};
use crate::hits::{self, Hits};
use crate::hold;
use crate::identity::Watched;
use crate::queues::Queues;
use crate::tidy::StateKey;
use crate::tokens::Tokens;
use crate::{former, schema};

/// The number of turns whose loaded state is remembered.
const LOADED: usize = 1024;

/// The open database of one account.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
    /// The version of the next changed value of state. All values share one counter, so that a value which was removed
    /// and set again never gets an old version.
    next_version: u64,
    /// The events that were set aside after this opening, once that was done.
    pub(crate) set_aside: Option<Vec<EventId>>,
    /// The same as of the open transaction.
    pub(crate) setting_aside: Option<Vec<EventId>>,
    /// The claims of this opening.
    pub(crate) tokens: Tokens,
    /// The open events and actions.
    pub(crate) queues: Queues,
    /// The events whose state is loaded for a turn.
    loaded: BTreeMap<EventId, Loaded>,
    /// The number of changed rows of other tables, as far as it is known.
    beside_state: u64,
    /// The number of all changes when work began that changes no state.
    no_state_since: Option<u64>,
    /// When the earliest timer is due, if this is known.
    pub(crate) next_timer: Option<Option<Timestamp>>,
    /// The turns that are not counted in their table yet.
    pub(crate) hits: Hits,
    /// The last value that housekeeping has looked at; `None` at the start of the table.
    pub(crate) tidied: Option<StateKey>,
    /// The write-ahead log of the commits.
    pub(crate) log: Log,
    /// Whether a read stays open between transactions; see [`hold`].
    is_held: bool,
    /// The version of the data when this connection last began such a read: it changes if other programs write.
    data_version: Option<i64>,
    /// The files that must keep their place: the database and the lock.
    watched: Vec<Watched>,
}

/// When the state of an event was loaded for its turn.
#[derive(Debug, Clone, Copy)]
struct Loaded {
    /// The number of changes of state before the first time.
    changes: u64,
    /// The latest time; values that had expired by then count as missing.
    latest: Timestamp,
}

/// The write-ahead log, as the commits of this connection report it. A database in memory has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    exists: bool,
    /// Whether SQLite has synced its head and its place in the folder.
    is_begun: bool,
    /// The file, once SQLite has synced its place in the folder.
    file: Option<Arc<File>>,
    frames: Arc<AtomicI64>,
    is_written: Arc<AtomicBool>,
}

impl Log {
    /// Whether the database has a log.
    pub(crate) const fn exists(&self) -> bool {
        self.exists
    }

    /// Whether a write may wait for the disk: SQLite syncs the head of a new log with its first frame.
    pub(crate) const fn waits_for_its_head(&self) -> bool {
        self.exists && !self.is_begun
    }

    /// The number of frames to checkpoint, as the last commit reported it.
    pub(crate) fn frames(&self) -> i64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Whether anything was written since the last call.
    pub(crate) fn take_written(&self) -> bool {
        self.is_written.swap(false, Ordering::Relaxed)
    }

    /// `is_written` says whether it may have writes that are not synced.
    fn of(connection: &mut Connection, is_written: bool) -> rusqlite::Result<Self> {
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        let log = Self { exists: mode == "wal", ..Self::default() };
        let Self { frames, is_written: written, .. } = log.clone();
        written.store(is_written, Ordering::Relaxed);
        connection.wal_hook(Some(move |_: &mut _, now: c_int| {
            frames.store(i64::from(now), Ordering::Relaxed);
            written.store(true, Ordering::Relaxed);
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
        let path = &real_path(path);
        schema::check_file(path)?;
        make_private(path).map_err(|error| translate_io(error, path))?;
        let is_unclean = fs::metadata(log_path(path)).is_ok_and(|log| log.len() > 0);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| translate(error, path))?;
        schema::check(&connection, path)?;
        let found = schema::version(&connection).map_err(|error| translate(error, path))?;
        if found < schema::VERSION {
            former::keep(&connection, path, found)?;
        }
        // An earlier process may have died between writing and syncing; a migration writes, too.
        let is_written = is_unclean || found < schema::VERSION;
        let mut database = Self::set_up(connection, path, options, is_written)?;
        if found == schema::VERSION {
            former::remove(path)?;
        }
        if is_unclean {
            hits::recount(&database.connection).map_err(|error| translate(error, path))?;
        }
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
        let in_words = |error| translate(error, path);
        let connection = Connection::open_in_memory().map_err(in_words)?;
        lay_out(&connection).map_err(in_words)?;
        Self::set_up(connection, path, options, false)
    }

    fn set_up(
        mut connection: Connection,
        path: &Path,
        options: Options,
        is_written: bool,
    ) -> Result<Self, StoreError> {
        let next_version = prepare(&mut connection).map_err(|error| translate(error, path))?;
        // From now on no commit checkpoints the log: the writer does it while no call waits.
        let log = Log::of(&mut connection, is_written).map_err(|error| translate(error, path))?;
        let path = path.to_owned();
        Ok(Self {
            connection,
            path,
            options,
            next_version,
            set_aside: None,
            setting_aside: None,
            tokens: Tokens::default(),
            queues: Queues::default(),
            loaded: BTreeMap::new(),
            beside_state: 0,
            no_state_since: None,
            next_timer: None,
            hits: Hits::default(),
            tidied: None,
            log,
            is_held: false,
            data_version: None,
            watched: Vec::new(),
        })
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self) -> rusqlite::Result<()> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        if self.is_held {
            match self.execute(BEGIN) {
                // Another program writes now, or has written. Without the read, SQLite waits for it.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    self.end_read()?;
                }
                outcome => return outcome,
            }
        }
        self.execute(BEGIN)?;
        // Until now another program could write.
        let version = data_version(&self.connection)?;
        if self.data_version.replace(version) != Some(version) {
            self.forget_knowledge();
        }
        if self.log.exists {
            hold::take(&self.connection)?;
            self.is_held = true;
        }
        Ok(())
    }

    /// Commits the open transaction, with the counts of rules if they are due.
    pub(crate) fn commit(&mut self) -> rusqlite::Result<()> {
        if self.hits.is_due() || self.queues.is_long() {
            self.queues.write(&self.connection)?;
        }
        self.hits.wanted |= !self.options.keeps_text();
        self.hits.write_if_due(&self.connection)?;
        self.execute("COMMIT")?;
        self.hits.commit();
        if let Some(set_aside) = self.setting_aside.take() {
            self.set_aside = Some(set_aside);
        }
        Ok(())
    }

    /// Undoes a transaction that a panic left open.
    pub(crate) fn roll_back_open(&mut self) {
        if !self.connection.is_autocommit() {
            self.roll_back();
        }
    }

    /// Undoes a transaction that failed, whether SQLite has undone it already or not.
    pub(crate) fn roll_back(&mut self) {
        self.hits.roll_back();
        self.forget_knowledge();
        self.setting_aside = None;
        let rolled_back = match self.connection.is_autocommit() {
            true => Ok(()),
            false => self.connection.execute_batch("ROLLBACK"),
        };
        if let Err(error) = rolled_back.and(self.end_read()) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the transaction could not be rolled back");
        }
    }

    /// Ends the read that stays open between transactions.
    fn end_read(&mut self) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.is_held) { hold::release(&self.connection) } else { Ok(()) }
    }

    /// Drops what is known of the content of the tables.
    fn forget_knowledge(&mut self) {
        self.queues.clear();
        self.loaded.clear();
        self.no_state_since = None;
        self.next_timer = None;
    }

    /// Notes that the state of an event is loaded for a turn.
    pub(crate) fn note_loaded(&mut self, event: &EventId, now: Timestamp) {
        if self.loaded.len() >= LOADED {
            self.loaded.clear();
        }
        let first = Loaded { changes: self.changes_of_state(), latest: now };
        let loaded = self.loaded.entry(event.clone()).or_insert(first);
        loaded.latest = loaded.latest.max(now);
    }

    /// Whether no state has changed since that of an event was first loaded, and the clock was not set back, so that all reads
    /// of its turn are current. The turn must load the state anew if it runs again.
    pub(crate) fn is_untouched_since_loaded(&mut self, event: &EventId, now: Timestamp) -> bool {
        let changes = self.changes_of_state();
        let loaded = self.loaded.remove(event);
        loaded.is_some_and(|loaded| loaded.changes == changes && loaded.latest <= now)
    }

    /// Does work that changes no state. All other work counts as a change of it.
    pub(crate) fn beside_state<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let before = self.connection.total_changes();
        self.no_state_since = Some(before);
        let result = work(self);
        self.no_state_since = None;
        self.beside_state += self.connection.total_changes() - before;
        result
    }

    fn changes_of_state(&self) -> u64 {
        let all = self.no_state_since.unwrap_or_else(|| self.connection.total_changes());
        all - self.beside_state
    }

    /// Writes before a rest: the counts of rules, and the marks of the queues.
    pub(crate) fn write_hits(&mut self) -> rusqlite::Result<()> {
        if self.hits.is_empty() && !self.queues.is_new() {
            return Ok(());
        }
        self.begin()?;
        self.hits.wanted = true;
        self.commit()
    }

    /// Runs a frequent statement without values.
    pub(crate) fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// The file to sync, which has all commits until now; `None` if SQLite itself must sync it.
    pub(crate) fn log_file(&self) -> Option<Arc<File>> {
        self.log.file.clone()
    }

    /// Syncs all earlier commits with a synced commit of the smallest possible write, so that SQLite also syncs the place
    /// of the log in its folder. From then on its file alone needs a sync.
    pub(crate) fn first_sync(&mut self) -> rusqlite::Result<()> {
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        self.begin()?;
        self.connection.pragma_update(None, "user_version", schema::VERSION)?;
        self.commit()?;
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        self.log.is_begun = true;
        // Without access to the file, SQLite goes on syncing it.
        self.log.file =
            fs::OpenOptions::new().write(true).open(log_path(&self.path)).ok().map(Arc::new);
        Ok(())
    }

    /// Checkpoints the log into the file, except for the frames that a reader still needs. Returns the number of frames
    /// in the log, and the number of checkpointed frames.
    pub(crate) fn carry_over(&mut self) -> rusqlite::Result<(i64, i64)> {
        self.end_read()?;
        // The next commit reports the number again.
        self.log.frames.store(0, Ordering::Relaxed);
        let mut statement = self.connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
        statement.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
    }

    /// Checkpoints the whole log into the file and empties it, so that the file alone has all data. Returns whether a
    /// reader kept a part of the log.
    pub(crate) fn complete(&mut self) -> rusqlite::Result<bool> {
        self.end_read()?;
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

/// Changes if another connection writes.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// Chooses the form of a new database. On one that exists, the last line would write.
fn lay_out(connection: &Connection) -> rusqlite::Result<()> {
    // A small change then writes 2 KB instead of 4 KB.
    connection.pragma_update(None, "page_size", 2048)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")
}

/// Sets the connection up and returns the first free version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<u64> {
    connection.set_prepared_statement_cache_capacity(128);
    // Without this, SQLite prepares a statement again whenever a bound value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // A commit writes and does not sync: the writer syncs the log for many commits at once.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Statements that may fail half-way keep copies of pages in small pieces of memory instead of 64 KB at once.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Without a limit, the log file keeps the size of the largest flood for ever.
    connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
    // Overwrites deleted data: a person who asks to be forgotten must leave no trace in the file.
    connection.pragma_update_and_check(None, "secure_delete", "FAST", |_| Ok(()))?;
    schema::migrate(connection)?;
    let last: Option<i64> =
        connection.query_row("SELECT max(version) FROM state", [], |row| row.get(0))?;
    Ok(last.and_then(|last| u64::try_from(last).ok()).unwrap_or(0) + 1)
}

/// The place of a database behind links, where SQLite keeps its log.
pub(crate) fn real_path(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The write-ahead log of a database file.
pub(crate) fn log_path(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// The rollback journal of a database file that has no write-ahead log yet.
fn journal_path(path: &Path) -> PathBuf {
    beside(path, "-journal")
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut place = path.as_os_str().to_owned();
    place.push(ending);
    place.into()
}

/// Makes a database with its tables. It appears at its path complete, so an empty file there is never a new database.
fn create(path: &Path) -> Result<(), StoreError> {
    let draft = path.with_extension("db.new");
    let in_words = |error| translate_io(error, &draft);
    schema::check_log(path)?;
    // A process that died here left some of these files.
    for rest in [draft.clone(), journal_path(&draft), log_path(&draft)] {
        if rest.exists() {
            fs::remove_file(&rest).map_err(|error| translate_io(error, &rest))?;
        }
    }
    make_private(&draft).map_err(in_words)?;
    fill(&draft)?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(in_words)?;
    fs::rename(&draft, path).map_err(|error| translate_io(error, path))
}

/// Writes an empty database into an empty file and syncs nothing. All are the same, so SQLite makes the first one of a process.
fn fill(draft: &Path) -> Result<(), StoreError> {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    let in_words = |error| translate_io(error, draft);
    if let Some(bytes) = EMPTY.get() {
        return fs::write(draft, bytes).map_err(in_words);
    }
    make(draft).map_err(|error| translate(error, draft))?;
    let bytes = fs::read(draft).map_err(in_words)?;
    // Another thread may have made one meanwhile.
    EMPTY.get_or_init(|| bytes);
    Ok(())
}

/// Lets SQLite make the tables.
fn make(draft: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(draft, flags)?;
    // After a crash the draft is made again.
    connection.pragma_update(None, "synchronous", "OFF")?;
    lay_out(&connection)?;
    schema::migrate(&mut connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}

/// Makes the file, readable by its owner only.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
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
