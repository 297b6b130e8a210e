//! Runs the jobs: on one writer thread, or in the calling task.
//!
//! The thread waits for the disk, so that no other task does. Short work that needs no sync runs in the calling task if
//! the writer is free: two thread switches take longer than the work, and each message causes several such jobs.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::JoinHandle;

use mynah_core::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::database::Database;
use crate::inbox::Inbox;
use crate::writer::{self, Durability, Job, Work, Writer};

/// Runs jobs.
#[derive(Debug)]
pub(crate) struct Executor {
    writer: Arc<Mutex<Writer>>,
    /// `None` for simulation and tests: all work then runs in the calling task, job by job.
    thread: Option<WriterThread>,
}

/// The thread that waits for the disk.
#[derive(Debug)]
struct WriterThread {
    inbox: Arc<Inbox>,
    handle: JoinHandle<()>,
}

impl WriterThread {
    fn push(&self, job: Job) -> Result<(), StoreError> {
        self.inbox.push(job, self.handle.thread())
    }
}

impl Executor {
    /// Starts the writer thread.
    pub(crate) fn thread(database: Database) -> Result<Self, StoreError> {
        Self::start(Writer::new(database))
    }

    /// Starts the thread for a writer that may have done work already.
    pub(crate) fn start(writer: Writer) -> Result<Self, StoreError> {
        let writer = Arc::new(Mutex::new(writer));
        let inbox = Arc::<Inbox>::default();
        let shared = (Arc::clone(&writer), Arc::clone(&inbox));
        let handle = std::thread::Builder::new()
            .name("mynah-store".to_owned())
            .spawn(move || writer::run(&shared.0, &shared.1))
            .map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok(Self { writer, thread: Some(WriterThread { inbox, handle }) })
    }

    /// Makes an executor without a thread.
    pub(crate) fn inline(database: Database) -> Self {
        Self { writer: Arc::new(Mutex::new(Writer::new(database))), thread: None }
    }

    /// Runs a job on the thread and returns after its commit, or after the sync that its durability needs.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnMut(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.hand_over(Job::Work(Piece::boxed(work, move |_| durability, sender)))?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    /// Does the same for short work, in the calling task if possible. Its result decides whether it waits for a sync.
    pub(crate) async fn run_short<T: Send + 'static>(
        &self,
        durability: fn(&T) -> Durability,
        work: impl FnMut(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.do_here(Job::Work(Piece::boxed(work, durability, sender)))?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    /// Returns when all earlier jobs survive the loss of power.
    pub(crate) async fn sync(&self) -> Result<(), StoreError> {
        let (sender, receiver) = oneshot::channel();
        // The caller may be gone.
        let answer = |failed: Option<StoreError>| drop(sender.send(failed.map_or(Ok(()), Err)));
        self.do_here(Job::Sync(Box::new(answer)))?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    /// A reader that runs between the groups of jobs, without being a job.
    pub(crate) fn reader(&self) -> Reader {
        Reader(Arc::downgrade(&self.writer))
    }

    /// Checkpoints the whole log into the file.
    pub(crate) fn complete(&self) -> Result<(), StoreError> {
        lock(&self.writer).complete()
    }

    /// Does the same without blocking the calling task, if there is a thread.
    pub(crate) async fn complete_aside(&self) -> Result<(), StoreError> {
        if self.thread.is_none() {
            return self.complete();
        }
        let writer = Arc::clone(&self.writer);
        let completed = tokio::task::spawn_blocking(move || lock(&writer).complete()).await;
        completed.map_err(|error| StoreError::Failed(error.into()))?
    }

    /// Does a job in the calling task; hands it to the thread if the writer is in use or a checkpoint is due.
    fn do_here(&self, job: Job) -> Result<(), StoreError> {
        let Some(thread) = &self.thread else { return self.hand_over(job) };
        let Ok(mut writer) = self.writer.try_lock() else { return thread.push(job) };
        if let Err(job) = writer.write_here(job) {
            return thread.push(job);
        }
        let must_wake = writer.due().is_some_and(|due| thread.inbox.look_by(due));
        drop(writer);
        if must_wake {
            thread.handle.thread().unpark();
        }
        Ok(())
    }

    fn hand_over(&self, job: Job) -> Result<(), StoreError> {
        if let Some(thread) = &self.thread {
            return thread.push(job);
        }
        let mut writer = lock(&self.writer);
        writer.write(vec![job]);
        writer.sync();
        Ok(())
    }
}

/// Reads in the calling task, after the current group of jobs. It does not keep the file open.
pub(crate) struct Reader(Weak<Mutex<Writer>>);

impl Reader {
    /// The result of the closure; the default for a closed store, which commits nothing either.
    pub(crate) fn read<T: Default>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        match self.0.upgrade() {
            Some(writer) => read(lock(&writer).connection()),
            None => Ok(T::default()),
        }
    }
}

/// Locks the writer, also after a panic: the writer first rolls back the transaction that the panic left open.
pub(crate) fn lock(writer: &Mutex<Writer>) -> MutexGuard<'_, Writer> {
    writer.lock().unwrap_or_else(|poisoned| {
        writer.clear_poison();
        poisoned.into_inner()
    })
}

impl Drop for Executor {
    /// Waits for the thread, so that the file is closed before the lease ends.
    fn drop(&mut self) {
        if let Some(WriterThread { inbox, handle }) = self.thread.take() {
            inbox.close(handle.thread());
            if handle.join().is_err() {
                tracing::error!("the thread of the store panicked");
            }
        }
    }
}

/// Work with a result, and its caller.
struct Piece<T, W, D> {
    work: W,
    durability: D,
    result: Option<T>,
    sender: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W, D> Piece<T, W, D>
where
    T: Send + 'static,
    W: FnMut(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    D: Fn(&T) -> Durability + Send + 'static,
{
    fn boxed(
        work: W,
        durability: D,
        sender: oneshot::Sender<Result<T, StoreError>>,
    ) -> Box<dyn Work> {
        Box::new(Self { work, durability, result: None, sender })
    }
}

impl<T, W, D> Work for Piece<T, W, D>
where
    T: Send + 'static,
    W: FnMut(&mut Database) -> rusqlite::Result<T> + Send + 'static,
    D: Fn(&T) -> Durability + Send + 'static,
{
    fn run(&mut self, database: &mut Database) -> rusqlite::Result<Durability> {
        self.result = None;
        let result = (self.work)(database)?;
        let durability = (self.durability)(&result);
        self.result = Some(result);
        Ok(durability)
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let Self { result, sender, .. } = *self;
        let result = failed.map_or_else(|| result.ok_or(StoreError::Closed), Err);
        // The caller may be gone; the work stays done.
        let _ = sender.send(result);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::{FILE, Options};

    #[tokio::test]
    async fn a_thread_that_sleeps_is_told_of_what_was_done_on_the_spot() {
        let folder = TempDir::new().unwrap();
        let database = Database::open(&folder.path().join(FILE), Options::default()).unwrap();
        let mut writer = Writer::new(database);
        writer.sync();
        writer.carry_over();
        let executor = Executor::start(writer).unwrap();
        executor.run(Durability::Written, |_| Ok(())).await.unwrap();
        // After the reader has released the writer, the thread has nothing to do.
        drop(lock(&executor.writer));
        let sql = "INSERT INTO record (key, value) VALUES ('one', 'x')";
        let insert = move |database: &mut Database| database.connection.execute(sql, []);
        executor.run_short(|_| Durability::Written, insert).await.unwrap();
        let synced = tokio::time::timeout(Duration::from_secs(60), executor.sync()).await;
        synced.expect("the thread sleeps though something is owed").unwrap();
    }

    /// Writes a record, and then fails if `fails` is set.
    fn insert(key: &'static str, fails: bool) -> (Job, oneshot::Receiver<Result<(), StoreError>>) {
        let (sender, receiver) = oneshot::channel();
        let work = move |database: &mut Database| {
            let sql = "INSERT INTO record (key, value) VALUES (?1, 'x')";
            database.connection.execute(sql, [key])?;
            if fails { Err(rusqlite::Error::QueryReturnedNoRows) } else { Ok(()) }
        };
        (Job::Work(Piece::boxed(work, |()| Durability::Written, sender)), receiver)
    }

    #[tokio::test]
    async fn work_that_fails_is_undone_and_nothing_else_is() {
        let executor = Executor::inline(Database::in_memory(Options::default()).unwrap());
        let (job, alone) = insert("alone", true);
        lock(&executor.writer).write(vec![job]);
        let (jobs, answers): (Vec<_>, Vec<_>) =
            [("first", false), ("second", true), ("third", false)]
                .map(|(key, fails)| insert(key, fails))
                .into_iter()
                .unzip();
        lock(&executor.writer).write(jobs);
        let (job, last) = insert("last", false);
        lock(&executor.writer).write(vec![job]);
        assert!(alone.await.unwrap().is_err());
        let mut went_well = Vec::new();
        for answer in answers.into_iter().chain([last]) {
            went_well.push(answer.await.unwrap().is_ok());
        }
        assert_eq!(went_well, [true, false, true, true]);
        let keys = executor
            .run(Durability::Written, |database| {
                let mut all = database.connection.prepare("SELECT key FROM record ORDER BY key")?;
                all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
            })
            .await
            .unwrap();
        assert_eq!(keys, ["first", "last", "third"]);
    }
}
