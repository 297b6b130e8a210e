//! Runs the jobs: on one writer thread, or in the calling task.
//!
//! The thread waits for the disk, so that no other task does. Short work that needs no sync runs in the calling task if
//! the writer is free: two thread switches take longer than the work, and each message causes several such jobs. While
//! many lanes or sends are open, the short jobs of all tasks that can go on share a transaction.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::JoinHandle;

use mynah_core::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::crowd::Crowd;
use crate::database::Database;
use crate::inbox::Inbox;
use crate::writer::{self, Durability, Job, Work, Writer};

/// Runs jobs.
#[derive(Debug)]
pub(crate) struct Executor {
    writer: Arc<Mutex<Writer>>,
    /// `None` for simulation and tests: all work then runs in the calling task, job by job.
    thread: Option<WriterThread>,
    crowd: Arc<Crowd>,
}

/// The thread that waits for the disk.
#[derive(Debug)]
struct WriterThread {
    inbox: Arc<Inbox>,
    handle: JoinHandle<()>,
}

impl WriterThread {
    fn push(&self, jobs: impl IntoIterator<Item = Job>) -> Result<(), StoreError> {
        self.inbox.push(jobs, self.handle.thread())
    }
}

impl Executor {
    /// Starts the writer thread.
    pub(crate) fn thread(database: Database) -> Result<Self, StoreError> {
        Self::start(Writer::new(database))
    }

    /// Starts the thread for a writer that may have done work already.
    pub(crate) fn start(writer: Writer) -> Result<Self, StoreError> {
        let crowd = writer.crowd();
        let writer = Arc::new(Mutex::new(writer));
        let inbox = Arc::<Inbox>::default();
        let shared = (Arc::clone(&writer), Arc::clone(&inbox));
        let handle = std::thread::Builder::new()
            .name("mynah-store".to_owned())
            .spawn(move || writer::run(&shared.0, &shared.1))
            .map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok(Self { writer, thread: Some(WriterThread { inbox, handle }), crowd })
    }

    /// Makes an executor without a thread.
    pub(crate) fn inline(database: Database) -> Self {
        let writer = Writer::new(database);
        let crowd = writer.crowd();
        Self { writer: Arc::new(Mutex::new(writer)), thread: None, crowd }
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
        let job = Job::Work(Piece::boxed(work, durability, sender));
        if self.thread.is_some() && self.crowd.is_there() {
            self.do_together(job).await;
        } else {
            self.do_here(job)?;
        }
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

    /// Does a job together with those that other tasks add before the runtime has nothing else to do.
    async fn do_together(&self, job: Job) {
        if self.crowd.add(job) {
            // Also if the caller is dropped meanwhile: the other tasks wait for their answers.
            let group = Group(self);
            yield_now().await;
            drop(group);
        }
    }

    /// Does a job in the calling task; hands it to the thread if the writer is in use or a checkpoint is due.
    fn do_here(&self, job: Job) -> Result<(), StoreError> {
        match self.thread {
            Some(_) => self.do_all_here(vec![job]),
            None => self.hand_over(job),
        }
    }

    fn do_all_here(&self, jobs: Vec<Job>) -> Result<(), StoreError> {
        let Some(thread) = &self.thread else {
            return jobs.into_iter().try_for_each(|job| self.hand_over(job));
        };
        let Ok(mut writer) = self.writer.try_lock() else { return thread.push(jobs) };
        if let Err(jobs) = writer.write_here(jobs) {
            return thread.push(jobs);
        }
        let must_wake = writer.due().is_some_and(|due| thread.inbox.look_by(due));
        drop(writer);
        if must_wake {
            thread.handle.thread().unpark();
        }
        Ok(())
    }

    /// Whether short jobs share transactions now.
    #[cfg(test)]
    pub(crate) fn has_crowd(&self) -> bool {
        self.crowd.is_there()
    }

    fn hand_over(&self, job: Job) -> Result<(), StoreError> {
        if let Some(thread) = &self.thread {
            return thread.push([job]);
        }
        let mut writer = lock(&self.writer);
        writer.write(vec![job]);
        writer.sync();
        Ok(())
    }
}

/// Does the jobs of the crowd when it is dropped.
struct Group<'a>(&'a Executor);

impl Drop for Group<'_> {
    fn drop(&mut self) {
        // The callers of jobs that are lost get an error.
        let _ = self.0.do_all_here(self.0.crowd.take());
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::{FILE, Options};

    #[tokio::test]
    async fn a_thread_that_sleeps_is_told_of_what_was_done_on_the_spot() {
        let folder = TempDir::new().unwrap();
        let executor = started(&folder);
        executor.run(Durability::Written, |_| Ok(())).await.unwrap();
        // After the reader has released the writer, the thread has nothing to do.
        drop(lock(&executor.writer));
        let sql = "INSERT INTO record (key, value) VALUES ('one', 'x')";
        let insert = move |database: &mut Database| database.connection.execute(sql, []);
        executor.run_short(|_| Durability::Written, insert).await.unwrap();
        let synced = tokio::time::timeout(Duration::from_secs(60), executor.sync()).await;
        synced.expect("the thread sleeps though something is owed").unwrap();
    }

    /// An executor with a thread whose log is empty.
    fn started(folder: &TempDir) -> Executor {
        let database = Database::open(&folder.path().join(FILE), Options::default()).unwrap();
        let mut writer = Writer::new(database);
        writer.sync();
        writer.carry_over();
        Executor::start(writer).unwrap()
    }

    /// Writes a record in a job of the crowd.
    async fn record(executor: &Executor, key: u32) -> Result<usize, StoreError> {
        let sql = "INSERT INTO record (key, value) VALUES (?1, 'x')";
        let insert = move |database: &mut Database| database.connection.execute(sql, [key]);
        executor.run_short(|_| Durability::Noted, insert).await
    }

    #[tokio::test]
    async fn jobs_of_a_crowd_share_a_transaction() {
        let folder = TempDir::new().unwrap();
        let executor = Arc::new(started(&folder));
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&commits);
        let count = move |database: &mut Database| {
            let counted = Arc::clone(&counted);
            let count = move || {
                counted.fetch_add(1, Ordering::Relaxed);
                false
            };
            database.connection.commit_hook(Some(count))
        };
        executor.run(Durability::Written, count).await.unwrap();
        let before = commits.load(Ordering::Relaxed);
        executor.crowd.set(true);
        let tasks = (0..9).map(|key| {
            let executor = Arc::clone(&executor);
            tokio::spawn(async move { record(&executor, key).await })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert_eq!(task.await.unwrap().unwrap(), 1);
        }
        assert_eq!(commits.load(Ordering::Relaxed) - before, 1);
        assert!(!executor.crowd.is_there(), "nothing is open");
    }

    #[tokio::test]
    async fn a_crowd_is_served_if_its_first_caller_goes_away() {
        let folder = TempDir::new().unwrap();
        let executor = started(&folder);
        executor.crowd.set(true);
        let second = {
            let mut first = std::pin::pin!(record(&executor, 1));
            let mut second = Box::pin(record(&executor, 2));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(first.as_mut().poll(&mut context).is_pending());
            assert!(second.as_mut().poll(&mut context).is_pending());
            second
        };
        let second = tokio::time::timeout(Duration::from_secs(60), second).await;
        assert_eq!(second.expect("nobody did the work").unwrap(), 1);
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
