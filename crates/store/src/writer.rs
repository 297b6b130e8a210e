//! The one writer: groups jobs into transactions, and syncs as rarely as the guarantees allow.
//!
//! All waiting jobs share a transaction, so a flood needs few transactions; if one of them fails, the transaction is undone
//! and each job gets its own. A written commit survives the death of the process. A job that must survive the loss of power
//! is answered after a sync. The log is written in order, so that sync covers all earlier writes: the claim of an action
//! syncs its batch, its turn and the last outcome, too. If no claim follows, the writer syncs by itself a moment later.
//! Nothing is reordered: the loss of power can lose the end of the history, never its middle.
//!
//! Only the thread syncs, and while it waits for the disk it does not hold the writer: calling tasks go on with it, and the
//! next sync covers their writes.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mynah_core::StoreError;
use rusqlite::{Connection, ffi};

use crate::crowd::Crowd;
use crate::database::Database;
use crate::error::translate;
use crate::executor::lock;
use crate::inbox::{Inbox, Next};

/// A sync request waits this long for a claim that needs a sync anyway: longer than rules take for a decision.
const PATIENCE: Duration = Duration::from_millis(2);

/// The longest time between a write and its sync, even if no call waits for the sync …
const OWED: Duration = Duration::from_millis(20);

/// … and for a write whose loss does no harm: the next start makes up for an outcome, and the service repeats a batch.
/// The sync of the next claim mostly comes before.
const NOTED: Duration = Duration::from_millis(250);

/// A log of this many frames (8 MB) is checkpointed in the next lull …
const LARGE: i64 = 4000;

/// … a log of this many frames is checkpointed at once …
const HUGE: i64 = 4 * LARGE;

/// … where a lull is a time without jobs …
const LULL: Duration = Duration::from_millis(2);

/// … and after this time without any job, a log of any length is checkpointed.
const IDLE: Duration = Duration::from_secs(1);

/// The durability that the result of a job needs when it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Survives the loss of power.
    Synced,
    /// Survives the death of the process, and a moment later the loss of power; or the job writes nothing.
    Written,
    /// The same, and the moment may be longer.
    Noted,
}

impl Durability {
    /// The longest time until a sync that no call waits for.
    const fn patience(self) -> Duration {
        match self {
            Self::Synced | Self::Written => OWED,
            Self::Noted => NOTED,
        }
    }
}

/// A request to the writer.
pub(crate) enum Job {
    /// A piece of work on the database, answered after its commit.
    Work(Box<dyn Work>),
    /// A sync of all earlier jobs.
    Sync(Answer),
}

/// A piece of work. It may run again after its transaction was undone.
pub(crate) trait Work: Send {
    /// Does the work in the open transaction.
    fn run(&mut self, database: &mut Database) -> Result<Durability, rusqlite::Error>;

    /// Gives the answer: the result of the last run, or this failure.
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

/// Answers a call that waits for a sync.
pub(crate) type Answer = Box<dyn FnOnce(Option<StoreError>) + Send>;

/// The database, and the record of its unsynced writes.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Database,
    debt: Debt,
    /// Whether earlier writes are being synced: their debt is taken, but they may still be lost.
    is_syncing: bool,
    /// The time of the last job.
    busy: Instant,
    /// The number of frames at which a log is large.
    large: i64,
    /// The failure after which the writer accepts no more work.
    failed: Option<Failure>,
    crowd: Arc<Crowd>,
}

/// Works until the inbox is closed. Calling tasks use the writer between its groups of jobs.
pub(crate) fn run(writer: &Mutex<Writer>, inbox: &Inbox) {
    let _last_word = LastWord(writer, inbox);
    loop {
        let mut guard = lock(writer);
        inbox.look_at(guard.look_at());
        drop(guard);
        let next = inbox.next();
        let is_over = matches!(next, Next::Close);
        guard = lock(writer);
        match next {
            Next::Jobs(group) => {
                guard.write(group);
                guard.shorten();
            }
            Next::Look => guard.do_chore(),
            Next::Close => guard.write_hits(),
        }
        if (is_over || guard.is_sync_due())
            && let Some((debt, file)) = guard.begin_sync()
        {
            drop(guard);
            let outcome = file.sync_data();
            guard = lock(writer);
            guard.end_sync(debt, outcome.map_err(|error| failed_sync(&error)));
        }
        if is_over {
            return;
        }
    }
}

/// Fails all waiting syncs when the thread ends, also after a panic: only the thread syncs.
struct LastWord<'a>(&'a Mutex<Writer>, &'a Inbox);

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        lock(self.0).end();
        self.1.end();
    }
}

/// Why a group failed.
#[derive(Debug)]
enum Failure {
    /// SQLite reports an error. After a failed sync it is unknown which part of the log is on the disk.
    Database(rusqlite::Error),
    /// This file was removed, emptied or replaced: further writes are lost, or another process writes to the same
    /// data.
    Gone(PathBuf),
    /// The thread has ended.
    Over,
}

/// The unsynced writes and the calls that wait for their sync.
#[derive(Default)]
pub(crate) struct Debt {
    since: Option<Instant>,
    /// The time of the sync that no call waits for.
    owed: Option<Instant>,
    /// Answered first: a claim has a request to send, a sync only the next batch to ask for.
    claims: Vec<Answer>,
    waiting: Vec<Answer>,
    waiting_since: Option<Instant>,
}

/// Work for the time between jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chore {
    Sync,
    CarryOver,
}

impl Writer {
    pub(crate) fn new(database: Database) -> Self {
        let mut debt = Debt::default();
        if database.log.exists() && database.log.take_written() {
            debt.add(Instant::now(), OWED);
        }
        Self {
            database,
            debt,
            is_syncing: false,
            busy: Instant::now(),
            large: LARGE,
            failed: None,
            crowd: Arc::default(),
        }
    }

    /// The database, for reading.
    pub(crate) fn connection(&self) -> &Connection {
        &self.database.connection
    }

    /// The time of the next chore, if no job comes before.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.chore().map(|(at, _)| at)
    }

    /// When the thread looks for a chore: for some time after the last job sooner than it must, so that an outcome that
    /// comes meanwhile need not wake it.
    fn look_at(&self) -> Option<Instant> {
        self.due().map(|due| due.min(Instant::now() + NOTED))
    }

    /// The next chore and its time, if no job comes before.
    fn chore(&self) -> Option<(Instant, Chore)> {
        let frames = self.database.log.frames();
        if frames >= self.large && self.debt.is_awaited_by_none() {
            return Some((self.busy + LULL, Chore::CarryOver));
        }
        if let Some(due) = self.debt.due() {
            return Some((due, Chore::Sync));
        }
        (frames > 0).then_some((self.busy + IDLE, Chore::CarryOver))
    }

    /// Does the due chore, unless a calling task has made it unnecessary meanwhile. The thread itself syncs.
    fn do_chore(&mut self) {
        if let Some((at, Chore::CarryOver)) = self.chore()
            && at <= Instant::now()
        {
            self.write_hits();
            self.carry_over();
        }
    }

    fn is_sync_due(&self) -> bool {
        self.debt.due().is_some_and(|due| due <= Instant::now())
    }

    /// Writes the counts of rules before a rest.
    fn write_hits(&mut self) {
        if self.failed.is_some() {
            return;
        }
        if let Err(error) = self.database.write_hits() {
            self.database.roll_back();
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the counts of rules could not be written; the next try follows");
        }
        self.note_written(Instant::now(), OWED);
    }

    /// Notes the writes of the last transaction as unsynced.
    fn note_written(&mut self, now: Instant, patience: Duration) {
        if self.database.log.take_written() {
            self.debt.add(now, patience);
        }
    }

    /// Runs a group of jobs in one transaction and answers those that do not wait for a sync.
    pub(crate) fn write(&mut self, group: Vec<Job>) {
        let now = Instant::now();
        self.busy = now;
        let mut all = Vec::with_capacity(group.len());
        for job in group {
            match job {
                Job::Sync(answer) => self.debt.wait(answer, now),
                Job::Work(work) => all.push(work),
            }
        }
        let outcomes = self.commit(&mut all);
        self.crowd.set(self.database.queues.is_crowded());
        let done = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok());
        self.note_written(now, done.map(|durability| durability.patience()).min().unwrap_or(OWED));
        for (work, outcome) in all.into_iter().zip(outcomes) {
            match outcome {
                Ok(Durability::Synced) if self.has_unsynced() => {
                    self.debt.claims.push(Box::new(|failed| work.answer(failed)));
                }
                Ok(_) => work.answer(None),
                Err(failure) => work.answer(Some(self.in_words(&failure))),
            }
        }
        self.answer_syncs();
    }

    /// Answers the waiting syncs if there is nothing to sync, or if the writer has failed.
    fn answer_syncs(&mut self) {
        if let Some(failure) = &self.failed {
            let told = self.in_words(failure);
            self.debt.pay(Some(told));
        } else if !self.has_unsynced() {
            self.debt.pay(None);
        }
    }

    /// Whether the loss of power could undo a write. A sync that has begun and not ended promises nothing.
    fn has_unsynced(&self) -> bool {
        self.is_syncing || self.debt.since.is_some()
    }

    /// Does jobs in the calling task. Returns them if that would wait for the disk, for which a caller with short work must
    /// not: if a checkpoint of a huge log is due, or the log has no frame yet.
    pub(crate) fn write_here(&mut self, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        if self.has_huge_log() || self.database.log.waits_for_its_head() {
            return Err(jobs);
        }
        self.write(jobs);
        Ok(())
    }

    /// The short jobs that share a transaction.
    pub(crate) fn crowd(&self) -> Arc<Crowd> {
        Arc::clone(&self.crowd)
    }

    /// Checkpoints a huge log, even if jobs wait for the next group.
    fn shorten(&mut self) {
        if self.has_huge_log() {
            self.carry_over();
        }
    }

    fn has_huge_log(&self) -> bool {
        self.database.log.frames() >= self.large + HUGE - LARGE
    }

    /// Runs the jobs and commits them. Returns the outcome of each.
    fn commit(&mut self, all: &mut [Box<dyn Work>]) -> Vec<Result<Durability, Failure>> {
        if let Some(failure) = &self.failed {
            return all.iter().map(|_| Err(failure.copy())).collect();
        }
        self.database.roll_back_open();
        if let Ok(outcomes) = in_transaction(&mut self.database, all) {
            return outcomes.into_iter().map(Ok).collect();
        }
        // One of them failed, or SQLite has rolled back all: each is tried alone, so that it fails alone.
        self.database.roll_back();
        all.chunks_mut(1).map(|one| self.commit_alone(one)).collect()
    }

    fn commit_alone(&mut self, one: &mut [Box<dyn Work>]) -> Result<Durability, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.copy());
        }
        let outcome = in_transaction(&mut self.database, one);
        if outcome.is_err() {
            self.database.roll_back();
        }
        match outcome {
            Ok(done) => Ok(done.first().copied().unwrap_or(Durability::Written)),
            Err(error) => {
                let nothing_is_sure = is_of_a_sync(&error);
                let failure = Failure::Database(error);
                Err(if nothing_is_sure { self.give_up(failure) } else { failure })
            }
        }
    }

    /// Ends the writer: it does and syncs nothing more.
    fn end(&mut self) {
        self.failed.get_or_insert(Failure::Over);
        self.answer_syncs();
    }

    /// Syncs all unsynced writes, and answers the calls that wait for it.
    pub(crate) fn sync(&mut self) {
        if let Some((debt, file)) = self.begin_sync() {
            let outcome = file.sync_data().map_err(|error| failed_sync(&error));
            self.end_sync(debt, outcome);
        }
    }

    /// Takes the debt and the file whose sync pays for it. `None` if nothing is left to do: there is no debt, or the first
    /// sync was done here.
    fn begin_sync(&mut self) -> Option<(Debt, Arc<File>)> {
        if self.failed.is_some() || self.debt.since.is_none() {
            self.answer_syncs();
            return None;
        }
        let debt = std::mem::take(&mut self.debt);
        if let Some(file) = self.database.log_file() {
            self.is_syncing = true;
            return Some((debt, file));
        }
        let outcome = self.database.first_sync();
        if outcome.is_err() {
            self.database.roll_back();
        }
        // The frame of this sync is synced with the rest.
        self.database.log.take_written();
        self.end_sync(debt, outcome);
        None
    }

    /// Answers the calls of a debt after its sync, and those that came meanwhile if nothing was written since it began.
    fn end_sync(&mut self, mut debt: Debt, outcome: rusqlite::Result<()>) {
        let failed = match (outcome, self.database.missing().map(Path::to_owned)) {
            (Ok(()), None) => None,
            // Check this before any answer: data in a missing file is lost.
            (Ok(()), Some(missing)) => Some(Failure::Gone(missing)),
            (Err(error), _) => Some(Failure::Database(error)),
        };
        let told = failed.map(|failure| {
            let failure = self.give_up(failure);
            self.in_words(&failure)
        });
        debt.pay(told);
        self.is_syncing = false;
        self.answer_syncs();
    }

    /// Fails all waiting and later calls. Returns a copy of the failure.
    fn give_up(&mut self, failure: Failure) -> Failure {
        let error = self.in_words(&failure);
        let told = &error as &dyn std::error::Error;
        tracing::error!(error = told, "what was written may be lost");
        self.debt.pay(Some(error));
        self.failed.insert(failure).copy()
    }

    /// Checkpoints the log into the database, so that the log can start again from its beginning.
    pub(crate) fn carry_over(&mut self) {
        match self.database.carry_over() {
            // A reader of an old state keeps a part of the log.
            Ok((frames, done)) => self.large = LARGE + if done < frames { frames } else { 0 },
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the log could not be carried over into the database");
            }
        }
    }

    /// Syncs all unsynced writes and checkpoints the whole log.
    pub(crate) fn complete(&mut self) -> Result<(), StoreError> {
        self.write_hits();
        self.sync();
        if let Some(failure) = &self.failed {
            return Err(self.in_words(failure));
        }
        let is_kept =
            self.database.complete().map_err(|error| translate(error, &self.database.path))?;
        if is_kept {
            tracing::warn!(
                path = %self.database.path.display(),
                "another program reads the data, so a part of it stays in the log beside the file"
            );
        }
        Ok(())
    }

    fn in_words(&self, failure: &Failure) -> StoreError {
        let path = &self.database.path;
        match failure {
            Failure::Database(error) => translate(copy(error), path),
            Failure::Gone(path) => StoreError::Gone { place: path.display().to_string() },
            Failure::Over => StoreError::Closed,
        }
    }
}

impl Failure {
    /// A copy with the parts that matter: each job of a group gets its own.
    fn copy(&self) -> Self {
        match self {
            Self::Database(error) => Self::Database(copy(error)),
            Self::Gone(path) => Self::Gone(path.clone()),
            Self::Over => Self::Over,
        }
    }
}

impl Debt {
    /// Adds a write and the longest time until its sync.
    fn add(&mut self, now: Instant, patience: Duration) {
        self.since.get_or_insert(now);
        let owed = now + patience;
        self.owed = Some(self.owed.map_or(owed, |earlier| earlier.min(owed)));
    }

    /// Adds a call that waits for the next sync.
    fn wait(&mut self, answer: Answer, now: Instant) {
        self.waiting.push(answer);
        self.waiting_since.get_or_insert(now);
    }

    fn is_awaited_by_none(&self) -> bool {
        self.claims.is_empty() && self.waiting.is_empty()
    }

    /// The time of the next sync: at once if a claim waits for it.
    fn due(&self) -> Option<Instant> {
        let since = self.since?;
        if !self.claims.is_empty() {
            return Some(since);
        }
        let owed = self.owed?;
        Some(self.waiting_since.map_or(owed, |since| owed.min(since + PATIENCE)))
    }

    /// Answers the waiting calls: the writes are synced, or can never be.
    fn pay(&mut self, failed: Option<StoreError>) {
        self.since = None;
        self.owed = None;
        self.waiting_since = None;
        let mut failed = failed;
        for answer in self.claims.drain(..).chain(self.waiting.drain(..)) {
            // The first call gets the cause; the others get `Closed`.
            let first = failed.take();
            let told = first.is_some();
            answer(first);
            failed = told.then_some(StoreError::Closed);
        }
    }
}

impl std::fmt::Debug for Debt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { since, owed, claims, waiting, waiting_since: _ } = self;
        f.debug_struct("Debt")
            .field("since", since)
            .field("owed", owed)
            .field("claims", &claims.len())
            .field("waiting", &waiting.len())
            .finish_non_exhaustive()
    }
}

/// Runs the jobs in one transaction, and commits it if none of them fails.
fn in_transaction(
    database: &mut Database,
    all: &mut [Box<dyn Work>],
) -> rusqlite::Result<Vec<Durability>> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    database.begin()?;
    let done = all.iter_mut().map(|work| work.run(database)).collect::<rusqlite::Result<_>>()?;
    database.commit()?;
    Ok(done)
}

/// The error of SQLite for a sync that failed.
fn failed_sync(error: &io::Error) -> rusqlite::Error {
    let code = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
    rusqlite::Error::SqliteFailure(code, Some(error.to_string()))
}

/// Whether a sync failed. The next sync may succeed although the disk has lost the writes.
fn is_of_a_sync(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

/// A copy of the error with the parts that matter.
fn copy(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => {
            rusqlite::Error::SqliteFailure(*code, text.clone())
        }
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests;
