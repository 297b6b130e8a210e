//! The answers of the writer, their time, and the syncs that it still has to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

use tempfile::TempDir;

use super::*;
use crate::database::log_path;
use crate::{FILE, Options};

type Answers = Arc<Mutex<Vec<String>>>;
type Ran = rusqlite::Result<Durability>;

/// Work that notes its answer.
struct TestWork<W> {
    work: W,
    answer: Answer,
}

impl<W: FnMut(&mut Database) -> Ran + Send> Work for TestWork<W> {
    fn run(&mut self, database: &mut Database) -> Ran {
        (self.work)(database)
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        (self.answer)(failed);
    }
}

struct TestWriter {
    writer: Writer,
    told: Answers,
    _folder: TempDir,
}

impl TestWriter {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let database = Database::open(&folder.path().join(FILE), Options::default()).unwrap();
        let mut writer = Writer::new(database);
        // The first sync goes through SQLite.
        writer.debt.add(Instant::now(), OWED);
        writer.sync();
        writer.carry_over();
        Self { writer, told: Answers::default(), _folder: folder }
    }

    fn answer(&self, name: &str) -> Answer {
        let (told, name) = (Arc::clone(&self.told), name.to_owned());
        Box::new(move |failed| {
            let how = if failed.is_some() { " failed" } else { "" };
            told.lock().unwrap().push(format!("{name}{how}"));
        })
    }

    /// A job that writes, or only reads.
    fn work(&self, name: &str, durability: Durability, writes: bool) -> Job {
        let key = name.to_owned();
        self.piece(name, move |database| {
            if writes {
                let sql = "INSERT INTO record (key, value) VALUES (?1, 'x')";
                database.connection.execute(sql, [&key])?;
            }
            Ok(durability)
        })
    }

    fn piece(&self, name: &str, work: impl FnMut(&mut Database) -> Ran + Send + 'static) -> Job {
        Job::Work(Box::new(TestWork { work, answer: self.answer(name) }))
    }

    /// Writes a record, and adds a call that waits for its sync.
    fn accept(&mut self) {
        let work = self.work("accept", Durability::Written, true);
        self.writer.write(vec![work, Job::Sync(self.answer("sync"))]);
    }

    /// Runs a job in the calling task. Returns whether it was done.
    fn here(&mut self, job: Job) -> bool {
        self.writer.write_here(vec![job]).is_ok()
    }

    /// Runs a job in the calling task. Returns whether the thread must be woken after that.
    fn wakes(&mut self, inbox: &Inbox, job: Job) -> bool {
        assert!(self.here(job));
        self.writer.due().is_some_and(|due| inbox.look_by(due))
    }

    /// The answers since the last call.
    fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    fn owes(&self) -> bool {
        self.writer.debt.due().is_some()
    }
}

#[test]
fn what_an_earlier_process_left_is_synced_before_a_sync_is_answered() {
    let folder = TempDir::new().unwrap();
    let open = || Database::open(&folder.path().join(FILE), Options::default()).unwrap();
    let earlier = open();
    earlier.connection.execute("INSERT INTO record (key, value) VALUES ('a', 'x')", []).unwrap();
    let writer = Writer::new(open());
    let mut test = TestWriter { writer, told: Answers::default(), _folder: folder };
    test.writer.write(vec![Job::Sync(test.answer("sync"))]);
    assert!(test.told().is_empty() && test.owes());
    test.writer.sync();
    assert_eq!(test.told(), ["sync"]);
}

#[test]
fn a_database_in_order_is_opened_without_a_write() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    let open = || Database::open(&path, Options::default()).unwrap();
    drop(open());
    let log = log_path(&path);
    for _ in 0..2 {
        let database = open();
        assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
        assert!(Writer::new(database).debt.due().is_none(), "there is nothing to sync");
    }
}

#[test]
fn the_first_write_of_a_log_is_left_to_the_thread_since_it_waits_for_the_disk() {
    let folder = TempDir::new().unwrap();
    let database = Database::open(&folder.path().join(FILE), Options::default()).unwrap();
    let writer = Writer::new(database);
    let mut test = TestWriter { writer, told: Answers::default(), _folder: folder };
    let job = test.work("first", Durability::Noted, true);
    assert!(!test.here(job));
    test.writer.write(vec![test.work("first", Durability::Noted, true)]);
    test.writer.sync();
    let job = test.work("second", Durability::Noted, true);
    assert!(test.here(job));
    assert_eq!(test.told(), ["first", "second"]);
}

#[test]
fn the_sync_of_a_claim_pays_for_everything_that_was_written_before() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("accept", Durability::Written, true)]);
    assert_eq!(test.told(), ["accept"]);
    test.writer.write(vec![Job::Sync(test.answer("sync"))]);
    test.writer.write(vec![test.work("commit", Durability::Written, true)]);
    assert_eq!(test.told(), ["commit"], "a sync waits for a claim");
    assert!(test.owes());
    test.writer.write(vec![test.work("claim", Durability::Synced, true)]);
    assert!(test.told().is_empty() && test.writer.is_sync_due(), "a claim waits for the disk only");
    test.writer.sync();
    assert_eq!(test.told(), ["claim", "sync"]);
    assert!(!test.owes());
}

#[test]
fn what_is_written_during_a_sync_is_paid_for_by_the_next() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("first", Durability::Synced, true)]);
    let (debt, _) = test.writer.begin_sync().unwrap();
    test.writer.write(vec![test.work("second", Durability::Synced, true)]);
    test.writer.write(vec![Job::Sync(test.answer("sync"))]);
    test.writer.end_sync(debt, Ok(()));
    assert_eq!(test.told(), ["first"]);
    assert!(test.writer.is_sync_due());
    test.writer.sync();
    assert_eq!(test.told(), ["second", "sync"]);
}

#[test]
fn a_promise_during_a_sync_waits_for_its_end() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("accept", Durability::Written, true)]);
    let (debt, _) = test.writer.begin_sync().unwrap();
    test.writer.write(vec![Job::Sync(test.answer("sync"))]);
    test.writer.write(vec![test.work("the same claim", Durability::Synced, false)]);
    assert_eq!(test.told(), ["accept"], "the disk may still lose it");
    test.writer.end_sync(debt, Ok(()));
    assert_eq!(test.told(), ["the same claim", "sync"]);
    test.writer.write(vec![test.work("next", Durability::Written, true)]);
    let (debt, _) = test.writer.begin_sync().unwrap();
    test.writer.write(vec![Job::Sync(test.answer("sync"))]);
    test.writer.end_sync(debt, Err(failed_sync(&io::Error::other("the disk is gone"))));
    assert_eq!(test.told(), ["next", "sync failed"]);
}

#[test]
fn a_promise_that_writes_nothing_waits_for_the_writes_before_it() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("at once", Durability::Synced, false)]);
    assert_eq!(test.told(), ["at once"], "nothing is unsynced");
    test.writer.write(vec![test.work("claim", Durability::Written, true)]);
    test.writer.write(vec![test.work("the same claim", Durability::Synced, false)]);
    assert_eq!(test.told(), ["claim"]);
    test.writer.sync();
    assert_eq!(test.told(), ["the same claim"]);
}

#[test]
fn a_sync_of_nothing_is_answered_at_once() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("look", Durability::Written, false)]);
    test.writer.write(vec![Job::Sync(test.answer("sync"))]);
    assert_eq!(test.told(), ["look", "sync"]);
    assert_eq!(test.writer.chore(), None, "an idle writer sleeps");
}

#[test]
fn what_is_overdue_is_synced_after_the_next_group() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("accept", Durability::Written, true)]);
    test.writer.debt.owed = Some(Instant::now() + NOTED);
    assert!(!test.writer.is_sync_due());
    test.writer.debt.owed = Some(Instant::now());
    test.writer.write(vec![test.work("commit", Durability::Written, true)]);
    assert!(test.writer.is_sync_due());
}

#[test]
fn an_outcome_waits_longer_for_its_sync_than_another_write_and_hastens_none() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("settle", Durability::Noted, true)]);
    let due = test.writer.debt.due().unwrap();
    assert!(due.saturating_duration_since(Instant::now()) > OWED);
    test.writer.write(vec![test.work("commit", Durability::Written, true)]);
    let sooner = test.writer.debt.due().unwrap();
    assert!(sooner < due);
    test.writer.write(vec![test.work("settle", Durability::Noted, true)]);
    assert_eq!(test.writer.debt.due(), Some(sooner));
    test.writer.sync();
    assert!(!test.owes());
}

impl TestWriter {
    /// The disk reports an error for the next sync.
    fn fail_to_sync(&mut self) {
        let (debt, _) = self.writer.begin_sync().unwrap();
        self.writer.end_sync(debt, Err(failed_sync(&io::Error::other("the disk is gone"))));
    }
}

#[test]
fn after_a_sync_that_failed_nothing_is_promised_any_more() {
    let mut test = TestWriter::new();
    test.accept();
    test.told();
    test.fail_to_sync();
    test.writer.write(vec![test.work("claim", Durability::Synced, true)]);
    assert_eq!(test.told(), ["sync failed", "claim failed"]);
}

#[test]
fn after_a_first_sync_that_failed_nothing_is_promised_either() {
    let folder = TempDir::new().unwrap();
    let database = Database::open(&folder.path().join(FILE), Options::default()).unwrap();
    let writer = Writer::new(database);
    let mut test = TestWriter { writer, told: Answers::default(), _folder: folder };
    test.accept();
    // A read-only connection cannot write a frame.
    test.writer.database.connection.pragma_update(None, "query_only", true).unwrap();
    test.writer.sync();
    test.writer.database.connection.pragma_update(None, "query_only", false).unwrap();
    test.writer.write(vec![test.work("claim", Durability::Synced, true)]);
    assert_eq!(test.told(), ["accept", "sync failed", "claim failed"]);
}

#[test]
fn a_sync_that_is_asked_for_after_one_failed_fails_too() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("accept", Durability::Written, true)]);
    // The writer syncs by itself, while no call waits for it.
    test.fail_to_sync();
    let here = Job::Sync(test.answer("on the spot"));
    assert!(test.here(here));
    test.writer.write(vec![Job::Sync(test.answer("by the thread"))]);
    assert_eq!(test.told(), ["accept", "on the spot failed", "by the thread failed"]);
}

#[test]
fn after_a_claim_whose_sync_failed_nothing_is_promised_any_more() {
    let mut test = TestWriter::new();
    test.accept();
    test.writer.write(vec![test.work("claim", Durability::Synced, true)]);
    test.fail_to_sync();
    // The next sync would succeed, and would not report the data that the disk has dropped.
    test.writer.sync();
    test.writer.write(vec![Job::Sync(test.answer("next"))]);
    assert_eq!(test.told(), ["accept", "claim failed", "sync failed", "next failed"]);
}

#[test]
fn after_a_commit_whose_sync_failed_nothing_is_promised_any_more() {
    let mut test = TestWriter::new();
    test.accept();
    // The error that the disk reports where SQLite itself syncs.
    let fails = |_: &mut Database| -> Ran {
        let error = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
        Err(rusqlite::Error::SqliteFailure(error, None))
    };
    test.writer.write(vec![test.piece("commit", fails)]);
    test.writer.write(vec![test.work("next", Durability::Written, true)]);
    let mut told = test.told();
    told.sort();
    assert_eq!(told, ["accept", "commit failed", "next failed", "sync failed"]);
}

fn wait_until_paid(writer: &Mutex<Writer>) {
    let patience = Instant::now() + Duration::from_secs(60);
    while lock(writer).debt.due().is_some() {
        assert!(Instant::now() < patience, "the thread sleeps though something is owed");
        thread::yield_now();
    }
}

/// Ends the thread of a test, also if the test fails.
struct Closing<'a>(&'a Inbox, &'a Thread);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close(self.1);
    }
}

#[test]
fn the_thread_looks_up_for_what_was_done_on_the_spot() {
    let mut test = TestWriter::new();
    let one = test.work("one", Durability::Written, true);
    let two = test.work("two", Durability::Written, true);
    let sync = Job::Sync(test.answer("sync"));
    test.writer.carry_over();
    let TestWriter { writer, told, _folder } = test;
    let writer = &Mutex::new(writer);
    let inbox = &Inbox::default();
    thread::scope(|scope| {
        let handle = scope.spawn(move || run(writer, inbox));
        let _close = Closing(inbox, handle.thread());
        let here = |job| {
            let mut writer = lock(writer);
            writer.write_here(vec![job]).ok().unwrap();
            if writer.due().is_some_and(|due| inbox.look_by(due)) {
                handle.thread().unpark();
            }
        };
        here(one);
        wait_until_paid(writer);
        here(two);
        here(sync);
        wait_until_paid(writer);
    });
    assert_eq!(*told.lock().unwrap(), ["one", "two", "sync"]);
}

fn panics() -> Job {
    let work = |_: &mut Database| panic!("as planned");
    Job::Work(Box::new(TestWork { work, answer: Box::new(drop) }))
}

#[test]
fn work_that_panics_on_the_spot_fails_alone() {
    let mut test = TestWriter::new();
    let caught = catch_unwind(AssertUnwindSafe(|| test.here(panics())));
    assert!(caught.is_err());
    let next = test.work("next", Durability::Written, true);
    assert!(test.here(next));
    test.writer.write(vec![Job::Sync(test.answer("sync"))]);
    test.writer.sync();
    assert_eq!(test.told(), ["next", "sync"]);
}

#[test]
fn nobody_waits_for_a_thread_that_ended_in_a_panic() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("accept", Durability::Written, true)]);
    let (inbox, here) = (Inbox::default(), thread::current());
    inbox.push([Job::Sync(test.answer("sync"))], &here).unwrap();
    inbox.push([panics()], &here).unwrap();
    let TestWriter { writer, told, _folder } = test;
    let writer = Mutex::new(writer);
    assert!(catch_unwind(AssertUnwindSafe(|| run(&writer, &inbox))).is_err());
    assert!(inbox.push([panics()], &here).is_err(), "the thread takes no more jobs");
    let writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut test = TestWriter { writer, told, _folder };
    let late = Job::Sync(test.answer("late"));
    assert!(test.here(late));
    assert_eq!(test.told(), ["accept", "sync failed", "late failed"]);
}

#[cfg(unix)]
#[test]
fn of_a_file_that_was_removed_or_replaced_nothing_is_promised() {
    for (replaced, by_claim) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut test = TestWriter::new();
        test.writer.write(vec![test.work("one", Durability::Written, true)]);
        let path = test.writer.database.path.clone();
        std::fs::remove_file(&path).unwrap();
        if replaced {
            std::fs::write(path, "another").unwrap();
        }
        if by_claim {
            test.writer.write(vec![test.work("promise", Durability::Synced, true)]);
        } else {
            test.writer.write(vec![Job::Sync(test.answer("promise"))]);
        }
        test.writer.sync();
        test.writer.write(vec![test.work("next", Durability::Written, true)]);
        assert_eq!(test.told(), ["one", "promise failed", "next failed"]);
        assert!(matches!(test.writer.failed, Some(Failure::Gone(_))));
    }
}

#[test]
fn a_long_log_is_carried_over_in_a_lull_and_a_huge_one_without() {
    let mut test = TestWriter::new();
    test.writer.write(vec![test.work("one", Durability::Synced, true)]);
    test.writer.sync();
    assert_eq!(test.writer.chore(), Some((test.writer.busy + IDLE, Chore::CarryOver)));
    test.writer.large = 1;
    assert_eq!(test.writer.chore(), Some((test.writer.busy + LULL, Chore::CarryOver)));
    test.writer.busy = Instant::now() + IDLE;
    test.writer.do_chore();
    assert!(test.writer.database.log.frames() > 0, "it is busy");
    test.writer.busy = Instant::now().checked_sub(LULL).unwrap();
    test.writer.do_chore();
    assert_eq!(test.writer.chore(), None);
    test.writer.large = LARGE - HUGE;
    test.writer.write(vec![test.work("two", Durability::Synced, true)]);
    let three = test.work("three", Durability::Written, true);
    assert!(!test.here(three), "a huge log is for the thread");
    test.writer.shorten();
    assert_eq!(test.writer.database.log.frames(), 0);
}

#[test]
fn the_thread_is_woken_for_a_sync_that_is_due_sooner_only() {
    let mut test = TestWriter::new();
    let inbox = Inbox::default();
    let look = test.work("look", Durability::Written, false);
    assert!(!test.wakes(&inbox, look), "nothing is to be synced");
    let first = test.work("first", Durability::Written, true);
    assert!(test.wakes(&inbox, first));
    let second = test.work("second", Durability::Written, true);
    assert!(!test.wakes(&inbox, second), "the thread knows");
    let sync = Job::Sync(test.answer("sync"));
    assert!(test.wakes(&inbox, sync));
    // However long this test waited for the processor, the claim is due sooner.
    test.writer.debt.since = test.writer.debt.waiting_since.map(|since| since - PATIENCE);
    let claim = test.work("claim", Durability::Synced, true);
    assert!(test.wakes(&inbox, claim));
    assert_eq!(test.told(), ["look", "first", "second"]);
    test.writer.sync();
    assert_eq!(test.told(), ["claim", "sync"]);
    let sync = Job::Sync(test.answer("nothing to sync"));
    assert!(!test.wakes(&inbox, sync) && test.told() == ["nothing to sync"]);
}

#[test]
fn an_outcome_soon_after_a_sync_wakes_no_thread() {
    let mut test = TestWriter::new();
    let inbox = Inbox::default();
    test.writer.write(vec![test.work("claim", Durability::Synced, true)]);
    test.writer.sync();
    inbox.look_at(test.writer.look_at());
    let outcome = test.work("outcome", Durability::Noted, true);
    assert!(!test.wakes(&inbox, outcome) && test.owes());
    let write = test.work("write", Durability::Written, true);
    assert!(test.wakes(&inbox, write), "it is synced sooner");
}

#[test]
fn a_read_stays_open_between_transactions_until_a_checkpoint() {
    let mut test = TestWriter::new();
    let is_open = |test: &TestWriter| test.writer.connection().is_busy();
    assert!(!is_open(&test));
    test.writer.write(vec![test.work("first", Durability::Written, true)]);
    assert!(is_open(&test));
    test.writer.write(vec![test.work("second", Durability::Written, true)]);
    assert!(is_open(&test));
    test.writer.carry_over();
    assert!(!is_open(&test) && test.writer.database.log.frames() == 0);
    test.writer.write(vec![test.work("third", Durability::Written, true)]);
    assert!(is_open(&test));
    assert_eq!(test.told(), ["first", "second", "third"]);
}

#[test]
fn a_write_of_another_program_ends_the_read_and_fails_no_job() {
    let folder = TempDir::new().unwrap();
    let database = Database::open(&folder.path().join(FILE), Options::default()).unwrap();
    let writer = Writer::new(database);
    let mut test = TestWriter { writer, told: Answers::default(), _folder: folder };
    test.writer.write(vec![test.work("first", Durability::Written, true)]);
    let other = Connection::open(&test.writer.database.path).unwrap();
    other.execute("DELETE FROM record", []).unwrap();
    test.writer.sync();
    other.execute("DELETE FROM record", []).unwrap();
    test.writer.write(vec![test.work("second", Durability::Written, true)]);
    assert_eq!(test.told(), ["first", "second"]);
    let count = "SELECT count(*) FROM record";
    let seen: u32 = other.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(seen, 1, "a reader beside it sees the last commit");
}
