//! Where the work is done: on one writer thread that groups jobs into transactions, or inline.
//!
//! The thread takes all jobs that wait, runs each in a savepoint of one transaction, and answers after the commit: a
//! flood costs few syncs. If all jobs of a group only mark or read, the commit is not synced: such marks must survive
//! the death of the process, which they do, and may be lost with the power.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use mynah_core::StoreError;
use tokio::sync::oneshot;

use crate::database::Database;
use crate::error::translate;

/// How many jobs share a transaction at most: enough to spare syncs, few enough to answer soon.
const GROUP: usize = 256;

/// How durable a job must be when it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Survives the loss of power.
    Synced,
    /// Survives the death of the process; or there is nothing to keep.
    Written,
}

/// Where jobs run.
#[derive(Debug)]
pub(crate) enum Executor {
    /// On a thread of their own, in groups.
    Thread { jobs: Option<Sender<Job>>, thread: Option<JoinHandle<()>> },
    /// Where they are asked for, one by one: for simulation and tests.
    Inline(Arc<Mutex<Database>>),
}

/// A piece of work on the database, and how to answer it after the commit.
pub(crate) struct Job {
    durability: Durability,
    work: Work,
}

/// Given no database, the work is not done; its answer is a failure then.
type Work = Box<dyn FnOnce(Option<&mut Database>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Option<StoreError>) + Send>;

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("durability", &self.durability).finish_non_exhaustive()
    }
}

impl Executor {
    /// Starts the writer thread.
    pub(crate) fn thread(database: Database) -> Result<Self, StoreError> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("mynah-store".to_owned())
            .spawn(move || write_all(database, &waiting))
            .map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok(Self::Thread { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Works where it is asked.
    pub(crate) fn inline(database: Database) -> Self {
        Self::Inline(Arc::new(Mutex::new(database)))
    }

    /// Runs a job and returns after its commit.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job = Job { durability, work: prepare(work, sender) };
        match self {
            Self::Thread { jobs, .. } => {
                let jobs = jobs.as_ref().ok_or(StoreError::Closed)?;
                jobs.send(job).map_err(|_| StoreError::Closed)?;
            }
            Self::Inline(database) => {
                let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
                write_group(&mut database, vec![job]);
            }
        }
        receiver.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Executor {
    /// Waits for the thread, so that the file is closed before the lease ends.
    fn drop(&mut self) {
        if let Self::Thread { jobs, thread } = self {
            drop(jobs.take());
            if let Some(thread) = thread.take()
                && thread.join().is_err()
            {
                tracing::error!("the thread of the store panicked");
            }
        }
    }
}

/// Wraps the work in a savepoint, and its result in an answer that is given after the commit.
fn prepare<T: Send + 'static>(
    work: impl FnOnce(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    sender: oneshot::Sender<Result<T, StoreError>>,
) -> Work {
    Box::new(move |database| {
        let result = database.map_or(Err(StoreError::Closed), |database| {
            in_savepoint(database, work).map_err(|error| translate(error, &database.path))
        });
        Box::new(move |failed| {
            // Whoever asked may be gone; what was done is done.
            let _ = sender.send(failed.map_or(result, Err));
        })
    })
}

fn in_savepoint<T>(
    database: &mut Database,
    work: impl FnOnce(&mut Database) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    database.connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = work(database);
    if database.connection.is_autocommit() {
        // The database rolled back everything by itself, as it may when the disk is full.
        database.rolled_back = result.as_ref().err().map(copy);
        return result;
    }
    if result.is_err() {
        database.connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    database.connection.prepare_cached("RELEASE job")?.execute([])?;
    result
}

/// The writer thread: group after group until all senders are gone.
fn write_all(mut database: Database, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        write_group(&mut database, group);
    }
}

/// Runs a group of jobs in one transaction and answers them.
fn write_group(database: &mut Database, group: Vec<Job>) {
    let mut answers = Vec::with_capacity(group.len());
    let outcome = write(database, group, &mut answers);
    if outcome.is_err()
        && !database.connection.is_autocommit()
        && let Err(error) = database.connection.execute_batch("ROLLBACK")
    {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "the transaction could not be rolled back");
    }
    for answer in answers {
        let failed = outcome.as_ref().err().map(|error| translate(copy(error), &database.path));
        answer(failed);
    }
}

fn write(
    database: &mut Database,
    group: Vec<Job>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    let synced = group.iter().any(|job| job.durability == Durability::Synced);
    let begun = database.begin(synced);
    for job in group {
        let open = begun.is_ok() && !database.connection.is_autocommit();
        answers.push((job.work)(open.then_some(&mut *database)));
    }
    begun?;
    if let Some(error) = database.rolled_back.take() {
        return Err(error);
    }
    database.connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
}

/// The same error once more, as far as it matters: each job of a group gets its own.
fn copy(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => {
            rusqlite::Error::SqliteFailure(*code, text.clone())
        }
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
}
