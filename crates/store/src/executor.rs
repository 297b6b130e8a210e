//! Where the work is done: on one writer thread, or inline.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use mynah_core::StoreError;
use tokio::sync::oneshot;

use crate::database::Database;
use crate::error::translate;
use crate::writer::{Durability, Job, Work, Writer, copy};

/// Where jobs run.
#[derive(Debug)]
pub(crate) enum Executor {
    /// On a thread of their own, in groups.
    Thread { jobs: Option<Sender<Job>>, thread: Option<JoinHandle<()>> },
    /// Where they are asked for, one by one: for simulation and tests.
    Inline(Arc<Mutex<Writer>>),
}

impl Executor {
    /// Starts the writer thread.
    pub(crate) fn thread(database: Database) -> Result<Self, StoreError> {
        let (jobs, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("mynah-store".to_owned())
            .spawn(move || Writer::new(database).run(&waiting))
            .map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok(Self::Thread { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Works where it is asked.
    pub(crate) fn inline(database: Database) -> Self {
        Self::Inline(Arc::new(Mutex::new(Writer::new(database))))
    }

    /// Runs a job and returns after its commit.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.hand_over(Job::Work { durability, work: prepare(work, sender) })?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    /// Returns when everything that was answered before survives the loss of power.
    pub(crate) async fn sync(&self) -> Result<(), StoreError> {
        let (sender, receiver) = oneshot::channel();
        // Whoever asked may be gone.
        let answer = |failed: Option<StoreError>| drop(sender.send(failed.map_or(Ok(()), Err)));
        self.hand_over(Job::Sync(Box::new(answer)))?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    fn hand_over(&self, job: Job) -> Result<(), StoreError> {
        match self {
            Self::Thread { jobs, .. } => {
                let jobs = jobs.as_ref().ok_or(StoreError::Closed)?;
                jobs.send(job).map_err(|_| StoreError::Closed)
            }
            Self::Inline(writer) => {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                writer.write(vec![job]);
                writer.sync();
                Ok(())
            }
        }
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
