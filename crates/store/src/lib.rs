#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! There is one writer at a time. Waiting jobs share a transaction and are answered after its commit. Short work runs
//! in the calling task if the writer is free; longer work, and everything that waits for the disk, on the writer thread.
//! Claims are answered after a sync of the write-ahead log, which covers all earlier writes. Other writes survive the
//! death of the process at once, and the loss of power a moment later or when [`sync`](Store::sync) returns.

mod actions;
mod bindings;
mod crowd;
mod database;
mod error;
mod events;
mod executor;
mod export;
mod folder;
mod forget;
mod former;
mod hits;
mod hold;
mod identity;
mod inbox;
mod inspect;
mod lease;
mod log;
mod members;
mod moving;
mod options;
mod queues;
mod reader;
mod records;
mod rest;
mod rows;
mod schema;
mod state;
mod stores;
mod survey;
#[cfg(test)]
mod tests;
mod tidy;
mod timers;
mod tokens;
mod turns;
mod values;
mod waiting;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::{
    Accepted, ActionId, Batch, Binding, ChatId, Claim, ClaimRequest, ClaimToken, Committed, Event,
    Forgotten, Lane, MemberQuery, MemberValues, MoveMark, Outcome, PersonId, Records, Recovered,
    Snapshot, Store, StoreError, Timestamp, Turn,
};

use database::Database;
use executor::Executor;
use lease::Lease;
use rest::Rest;
use writer::Durability::{self, Noted, Synced, Written};

pub use folder::AccountFolder;
pub use inspect::Inspector;
pub use options::Options;
pub use stores::SqliteStores;

/// The name of the database file in the folder of an account.
pub const FILE: &str = "mynah.db";

/// A batch of at most this many events is short work.
const FEW: usize = 8;

/// The store of one account.
///
/// ```
/// use mynah_core::StoreError;
/// use mynah_store::{Options, SqliteStore};
///
/// # fn main() -> Result<(), StoreError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let store = SqliteStore::open(folder, Options::default())?;
/// let second = SqliteStore::open(folder, Options::default());
/// assert!(matches!(second, Err(StoreError::InUse { .. })), "one process at a time");
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    // The order matters: the file is closed before the lease ends.
    executor: Executor,
    path: Option<PathBuf>,
    _lease: Option<Lease>,
}

impl SqliteStore {
    /// Opens the store of a data folder and makes the folder if it does not exist. Holds the lease until it is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process has it; `Newer` or `Damaged` before anything is written; `ReadOnly` and
    /// `Full` as the file system reports them; `Moved` or `Moving` if the data is or goes elsewhere.
    /// [`StoreError::remedy`] has the advice for the operator.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        Self::open_if(folder, options, |mark| match mark {
            Some(mark) => Err(mark.refusal(&folder.display().to_string())),
            None => Ok(()),
        })
    }

    /// Opens a store as [`open`](Self::open) does, also if its data is or goes elsewhere.
    fn open_marked(folder: &Path, options: Options) -> Result<Self, StoreError> {
        Self::open_if(folder, options, |_| Ok(()))
    }

    fn open_if(
        folder: &Path,
        options: Options,
        is_allowed: impl FnOnce(Option<MoveMark>) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let folder = AccountFolder::new(folder);
        let lease = Lease::take(&folder)?;
        let path = folder.database();
        let mut database = Database::open(&path, options)?;
        let mark = moving::read_mark(&database.connection);
        is_allowed(mark.map_err(|error| error::translate(error, &path))?)?;
        database.watch(lease.watched());
        let executor = Executor::thread(database)?;
        Ok(Self { executor, path: Some(path), _lease: Some(lease) })
    }

    /// A store in memory that works in the calling task, without a thread: for simulation, replay and tests.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::in_memory_with(Options::default())
    }

    /// The same with options.
    #[must_use]
    pub fn in_memory_with(options: Options) -> Self {
        let database = Database::in_memory(options).expect("memory needs no file and no right");
        Self { executor: Executor::inline(database), path: None, _lease: None }
    }

    /// Continues like a process that has just opened the store: for simulating the death of the process.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn reopen(&self) -> Result<(), StoreError> {
        let forget = |db: &mut Database| {
            db.set_aside = None;
            db.tokens.clear();
            db.queues.clear();
            Ok(())
        };
        self.executor.run(Written, forget).await
    }

    /// The database file; `None` in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

impl SqliteStore {
    /// An event with its snapshot, which reads a large state where it is stored.
    fn with_rest(&self, event: Event, loaded: state::Loaded, now: Timestamp) -> (Event, Snapshot) {
        let snapshot = Snapshot::new(loaded.values);
        if !loaded.is_part {
            return (event, snapshot);
        }
        let rest = Rest { reader: self.executor.reader(), event: event.clone(), now };
        (event, snapshot.with_rest(Box::new(rest)))
    }
}

/// Only a claim to send waits for a sync, since its request follows.
const fn durability_of(claim: &Claim) -> Durability {
    match claim {
        Claim::Send(_) => Synced,
        Claim::Expired(_) | Claim::Wait(_) | Claim::Empty => Written,
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn recover(&self, now: Timestamp) -> Result<Recovered, StoreError> {
        self.executor.run(Synced, move |db| turns::recover(db, now)).await
    }

    async fn records(&self) -> Result<Records, StoreError> {
        self.executor.run(Written, |db| records::read(&db.connection)).await
    }

    async fn accept_and_begin(
        &self,
        batch: Batch,
        begin: usize,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let is_short = batch.events.len() <= FEW;
        let work =
            move |db: &mut Database| db.beside_state(|db| events::accept(db, &batch, begin, now));
        let (lanes, begun) = if is_short {
            // The caller asks for a sync before it acknowledges the batch.
            self.executor.run_short(|_| Noted, work).await?
        } else {
            self.executor.run(Written, work).await?
        };
        let begun = begun.into_iter().map(|(event, loaded)| self.with_rest(event, loaded, now));
        Ok(Accepted { lanes, begun: begun.collect() })
    }

    async fn sync(&self) -> Result<(), StoreError> {
        self.executor.sync().await
    }

    async fn begin(
        &self,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Option<(Event, Snapshot)>, StoreError> {
        let lane = lane.clone();
        let work = move |db: &mut Database| db.beside_state(|db| events::begin(db, &lane, now));
        let begun = self.executor.run_short(|_| Written, work).await?;
        Ok(begun.map(|(event, loaded)| self.with_rest(event, loaded, now)))
    }

    async fn member_values(
        &self,
        query: &MemberQuery,
        now: Timestamp,
    ) -> Result<Vec<MemberValues>, StoreError> {
        let query = query.clone();
        self.executor.run(Written, move |db| members::values(&db.connection, &query, now)).await
    }

    async fn commit_and_claim(
        &self,
        turn: Arc<Turn>,
        claim: Option<ClaimRequest>,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        let durability = |committed: &Committed| match committed {
            Committed::Done { claim: Some(claim), .. } => durability_of(claim),
            Committed::Done { claim: None, .. } | Committed::Conflict => Written,
        };
        let work = move |db: &mut Database| {
            if turn.effects.writes.is_empty() {
                return db.beside_state(|db| turns::commit(db, &turn, claim.as_ref(), now));
            }
            turns::commit(db, &turn, claim.as_ref(), now)
        };
        self.executor.run_short(durability, work).await
    }

    async fn fire(&self, now: Timestamp) -> Result<(Vec<Lane>, Option<Timestamp>), StoreError> {
        self.executor.run(Written, move |db| timers::fire(db, now)).await
    }

    async fn claim(
        &self,
        chat: &ChatId,
        token: ClaimToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let request = ClaimRequest { chat: chat.clone(), token, until };
        let work = move |db: &mut Database| db.beside_state(|db| actions::claim(db, &request, now));
        self.executor.run_short(durability_of, work).await
    }

    async fn settle(
        &self,
        id: &ActionId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = id.clone();
        let work =
            move |db: &mut Database| db.beside_state(|db| actions::settle(db, &id, &outcome, now));
        self.executor.run_short(|_| Noted, work).await
    }

    async fn recent_claims(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ChatId, Timestamp)>, StoreError> {
        let work = move |db: &mut Database| actions::recent_claims(&db.connection, since, limit);
        self.executor.run(Written, work).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.executor.run(Written, move |db| tidy::tidy(db, now)).await
    }

    async fn forget(&self, person: &PersonId) -> Result<Forgotten, StoreError> {
        let person = person.clone();
        let forgotten = self.executor.run(Synced, move |db| forget::forget(db, &person)).await?;
        // A copy from before a migration still has the data.
        if let Some(path) = &self.path {
            former::remove(&database::real_path(path))?;
        }
        Ok(forgotten)
    }

    async fn unbind(&self, name: &str) -> Result<Option<Binding>, StoreError> {
        let name = name.to_owned();
        self.executor.run(Synced, move |db| bindings::unbind(&db.connection, &name)).await
    }

    /// Checkpoints the log into the database file, so that a copy of the file is complete. Waits for the disk, and up to
    /// a few seconds for other readers.
    async fn close(&self) -> Result<(), StoreError> {
        self.executor.complete_aside().await
    }
}
