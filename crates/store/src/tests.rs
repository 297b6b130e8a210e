//! Tests of the store as a whole.

mod crowd;
mod hits;
mod large_state;
mod members;
mod migration;
mod queues;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mynah_core::{
    Action, ActionId, Batch, Binding, Change, Chat, ChatId, Claim, ClaimToken, Committed, Content,
    Decided, Effects, Event, EventBody, ExportPlace, Exported, Fired, Lane, LogPlace, LogQuery,
    MemberQuery, Message, Notice, NoticeKind, Origin, Outcome, Person, Planned, Quiet, Records,
    Scope, StateView, Step, Store, StoreError, StoreReader, Timer, TimerChange, Timestamp, Turn,
    Write,
};
use tempfile::TempDir;

use crate::{FILE, Inspector, Options, SqliteStore};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const UNTIL: Timestamp = Timestamp::from_secs(1_800_000_600);

fn message(id: &str, chat: &str, person: &str, text: &str) -> Event {
    let body = EventBody::Message(Message {
        id: id.into(),
        chat: Chat::group(chat, chat),
        sender: Person::stranger(person, person),
        origin: Origin::Person,
        content: Content::text(text),
        text: text.to_owned(),
        called: false,
        behind_name: None,
    });
    Event { id: format!("event {id}").as_str().into(), time: NOW, body }
}

fn batch(events: Vec<Event>) -> Batch {
    Batch { events, ..Batch::default() }
}

fn reply(chat: &str, text: &str) -> Step {
    let action = Action::Send { content: Content::text(text) };
    Step::Act(Planned { chat: chat.into(), action, delay: Duration::ZERO, is_reply: true })
}

fn turn(event: Event, effects: Effects) -> Turn {
    let reply_max_age = Some(Duration::from_secs(60));
    Turn { event, reads: Vec::new(), effects, decided: Decided::default(), reply_max_age }
}

/// Handles the next event of a lane with these steps.
async fn handle(store: &SqliteStore, lane: &str, steps: Vec<Step>) {
    let (event, _) = store.begin(&Lane::new(lane), NOW).await.unwrap().unwrap();
    let committed = store.commit(turn(event, Effects { steps, ..Effects::default() }), NOW).await;
    assert!(matches!(committed, Ok(Committed::Done { .. })), "{committed:?}");
}

/// Copies the files of a data folder, as the death of its process leaves them.
fn copy_files(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A token that no claim had before.
fn token() -> ClaimToken {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ClaimToken(NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn claim(store: &SqliteStore, chat: &str, now: Timestamp) -> ActionId {
    match store.claim(&ChatId::new(chat), token(), UNTIL, now).await.unwrap() {
        Claim::Send(outgoing) => outgoing.id,
        other => panic!("{other:?}"),
    }
}

fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(folder, Options::default())
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_start_and_comes_once() {
    let folder = TempDir::new().unwrap();
    let records = Records::from([("cursor".to_owned(), "7".to_owned())]);
    let event = message("1", "g", "p", "hi");
    let store = open(folder.path()).unwrap();
    let first = Batch { records: records.clone(), ..batch(vec![event.clone(), event.clone()]) };
    assert_eq!(store.accept(first, NOW).await.unwrap(), [Lane::new("g")]);
    drop(store);
    let store = open(folder.path()).unwrap();
    assert_eq!(Store::records(&store).await.unwrap(), records);
    assert_eq!(store.accept(batch(vec![event.clone()]), NOW).await.unwrap(), [Lane::new("g")]);
    let begun = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    assert_eq!(begun.0, event);
}

#[tokio::test]
async fn a_commit_that_read_old_state_is_refused_whole() {
    let store = SqliteStore::in_memory();
    store
        .accept(batch(vec![message("1", "a", "p", "x"), message("2", "b", "p", "x")]), NOW)
        .await
        .unwrap();
    let set = |text: &str| {
        let change = Change::Set(text.to_owned());
        Write { scope: Scope::Bot, key: "k".to_owned(), change, expires: None }
    };
    let (first, seen_by_first) = store.begin(&"a".into(), NOW).await.unwrap().unwrap();
    let (second, seen_by_second) = store.begin(&"b".into(), NOW).await.unwrap().unwrap();
    assert_eq!(
        (seen_by_first.get(Scope::Bot, "k"), seen_by_second.get(Scope::Bot, "k")),
        (None, None)
    );
    let effects = Effects { writes: vec![set("1")], steps: vec![reply("a", "1")], timers: vec![] };
    let turn_of = |event, reads| Turn { reads, ..turn(event, effects.clone()) };
    let done = store.commit(turn_of(first, seen_by_first.reads()), NOW).await.unwrap();
    assert!(matches!(done, Committed::Done { .. }));
    let again = store.commit(turn_of(second.clone(), seen_by_second.reads()), NOW).await.unwrap();
    assert_eq!(again, Committed::Conflict);
    let (event, seen) = store.begin(&"b".into(), NOW).await.unwrap().unwrap();
    assert_eq!((event, seen.get(Scope::Bot, "k")), (second, Some("1".to_owned())));
}

#[tokio::test]
async fn expired_state_is_absent_and_counts_for_nothing() {
    let store = SqliteStore::in_memory();
    let events = vec![message("1", "g", "p", "x"), message("2", "g", "p", "x")];
    store.accept(batch(events), NOW).await.unwrap();
    let add = |expires| Write {
        scope: Scope::Person,
        key: "n".to_owned(),
        change: Change::Add(5),
        expires,
    };
    let (event, _) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    let until = NOW + Duration::from_secs(10);
    let effects =
        Effects { writes: vec![add(Some(until)), add(Some(until))], ..Effects::default() };
    store.commit(turn(event, effects), NOW).await.unwrap();
    let (_, seen) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    assert_eq!(seen.get(Scope::Person, "n"), Some("10".to_owned()));
    let (event, seen) = store.begin(&"g".into(), until).await.unwrap().unwrap();
    assert_eq!(seen.get(Scope::Person, "n"), None);
    let turn = Turn {
        reads: seen.reads(),
        ..turn(event, Effects { writes: vec![add(None)], ..Effects::default() })
    };
    assert!(matches!(store.commit(turn, until).await.unwrap(), Committed::Done { .. }));
    assert!(!store.tidy(until).await.unwrap());
}

#[tokio::test]
async fn a_chat_is_sent_in_order_also_across_retries_and_a_clock_that_goes_back() {
    let store = SqliteStore::in_memory();
    let events = (1..=2).map(|n| message(&n.to_string(), "g", "p", "x")).collect();
    store.accept(batch(events), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "1"), reply("g", "2")]).await;
    let earlier = NOW - Duration::from_secs(3600);
    let (event, _) = store.begin(&"g".into(), earlier).await.unwrap().unwrap();
    let effects = Effects { steps: vec![reply("g", "3")], ..Effects::default() };
    store.commit(turn(event, effects), earlier).await.unwrap();
    let first = claim(&store, "g", earlier).await;
    assert_eq!(
        store.claim(&"g".into(), token(), UNTIL, earlier).await.unwrap(),
        Claim::Empty,
        "one is under way"
    );
    let retry_at = earlier + Duration::from_secs(9);
    let not_sent = Outcome::NotSent { retry_at, reason: "busy".to_owned() };
    assert!(store.settle(&first, not_sent, earlier).await.unwrap());
    assert_eq!(
        store.claim(&"g".into(), token(), UNTIL, earlier).await.unwrap(),
        Claim::Wait(retry_at)
    );
    let mut order = Vec::new();
    for _ in 0..3 {
        let id = claim(&store, "g", retry_at).await;
        store.settle(&id, Outcome::Accepted, retry_at).await.unwrap();
        order.push(id.to_string());
    }
    assert_eq!(order, ["event 1#0", "event 1#1", "event 2#0"]);
}

#[tokio::test]
async fn a_reply_expires_and_a_doubt_is_resolved_once() {
    let store = SqliteStore::in_memory();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "1"), reply("g", "2")]).await;
    let doubt = || Outcome::Unknown { reason: "cut".to_owned(), again_at: Some(NOW) };
    let id = claim(&store, "g", NOW).await;
    assert_eq!(store.recover(NOW).await.unwrap().in_doubt, std::slice::from_ref(&id));
    store.settle(&id, doubt(), NOW).await.unwrap();
    assert_eq!(claim(&store, "g", NOW).await, id, "once more");
    store.settle(&id, doubt(), NOW).await.unwrap();
    let late = NOW + Duration::from_secs(61);
    let Claim::Expired(expired) = store.claim(&"g".into(), token(), UNTIL, late).await.unwrap()
    else {
        panic!("it should have expired")
    };
    assert_eq!(expired.id.n, 1);
    assert_eq!(store.claim(&"g".into(), token(), UNTIL, late).await.unwrap(), Claim::Empty);
    let status = store.status(late).await.unwrap();
    let outcomes: Vec<&str> =
        status.troubled.iter().map(|action| action.outcome.as_str()).collect();
    assert_eq!(outcomes, ["expired", "unknown"]);
}

#[tokio::test]
async fn what_expired_after_a_try_says_what_that_failed_on() {
    let store = SqliteStore::in_memory();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "1"), reply("g", "2")]).await;
    let id = claim(&store, "g", NOW).await;
    let late = NOW + Duration::from_secs(61);
    let doubt = Outcome::Unknown { reason: "cut".to_owned(), again_at: Some(NOW) };
    store.settle(&id, doubt, NOW).await.unwrap();
    for n in 0..2 {
        let claimed =
            store.claim(&"g".into(), token(), UNTIL, late + Duration::from_secs(n)).await.unwrap();
        assert!(matches!(claimed, Claim::Expired(_)), "{claimed:?}");
    }
    let troubled = store.status(late).await.unwrap().troubled;
    let told: Vec<_> =
        troubled.iter().map(|one| (one.outcome.as_str(), one.reason.as_deref())).collect();
    assert_eq!(told, [("expired", None), ("expired", Some("cut"))]);
}

#[tokio::test]
async fn an_event_that_kills_the_process_is_set_aside_after_three_attempts() {
    let store = SqliteStore::in_memory();
    let events = vec![message("1", "g", "p", "x"), message("2", "h", "p", "x")];
    store.accept(batch(events), NOW).await.unwrap();
    for attempt in 1..=3 {
        store.begin(&"g".into(), NOW).await.unwrap().unwrap();
        store.reopen().await.unwrap();
        let recovered = store.recover(NOW).await.unwrap();
        assert_eq!(recovered.set_aside.len(), usize::from(attempt == 3), "attempt {attempt}");
        assert_eq!(recovered.suspects.len(), usize::from(attempt < 3), "attempt {attempt}");
        assert_eq!(recovered.last_chance.len(), usize::from(attempt == 2), "attempt {attempt}");
    }
    assert_eq!(store.begin(&"g".into(), NOW).await.unwrap().map(|(event, _)| event.id), None);
    assert!(store.begin(&"h".into(), NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn a_recall_finds_what_was_said() {
    let store = SqliteStore::in_memory();
    let kind = NoticeKind::Recall { message: "1".into(), original: None };
    let notice = Notice { chat: Chat::group("g", "g"), person: None, kind };
    let recall = Event { id: "r".into(), time: NOW, body: EventBody::Notice(notice) };
    store.accept(batch(vec![message("1", "g", "p", "secret"), recall]), NOW).await.unwrap();
    handle(&store, "g", vec![]).await;
    let (event, _) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    let EventBody::Notice(Notice { kind: NoticeKind::Recall { original, .. }, .. }) = event.body
    else {
        panic!("it is a recall")
    };
    assert_eq!(original.map(|message| message.text), Some("secret".to_owned()));
}

#[tokio::test]
async fn timers_become_events_once() {
    let store = SqliteStore::in_memory();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    let (event, _) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    let at = NOW + Duration::from_secs(5);
    let timer = |key: &str| Timer {
        key: key.to_owned(),
        at,
        chat: Some(Chat::group("g", "g")),
        person: None,
        name: "later".to_owned(),
        data: String::new(),
    };
    let timers = vec![
        TimerChange::Set(timer("a")),
        TimerChange::Set(timer("b")),
        TimerChange::Cancel { chat: Some("g".into()), key: "b".to_owned() },
    ];
    store.commit(turn(event, Effects { timers, ..Effects::default() }), NOW).await.unwrap();
    assert_eq!(store.fire(NOW).await.unwrap(), (vec![], Some(at)));
    assert_eq!(store.fire(at).await.unwrap(), (vec![Lane::new("g")], None));
    let (event, _) = store.begin(&"g".into(), at).await.unwrap().unwrap();
    store.commit(turn(event, Effects::default()), at).await.unwrap();
    assert_eq!(store.fire(at).await.unwrap(), (vec![], None));
    assert!(store.begin(&"g".into(), at).await.unwrap().is_none());
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    assert!(error.remedy().contains("stop the other process"));
    drop(store);
    open(folder.path()).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("data/main");
    let store = open(&folder).unwrap();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_damaged_file_is_named_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    for damage in [&b"this is no database, and never was one"[..], &[0x53; 5000]] {
        fs::write(&path, damage).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("mynah.db"), "{error}");
        assert!(error.remedy().contains("backup"));
        assert_eq!(fs::read(&path).unwrap(), damage);
    }
}

#[tokio::test]
async fn new_databases_are_alike_and_whole_also_after_a_crash_while_one_was_made() {
    let made = [TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap()];
    let draft = made[2].path().join("mynah.db.new");
    fs::write(&draft, "half").unwrap();
    fs::write(format!("{}-wal", draft.display()), "half").unwrap();
    fs::write(format!("{}-journal", draft.display()), "half").unwrap();
    let bytes = made.each_ref().map(|folder| {
        drop(open(folder.path()).unwrap());
        fs::read(folder.path().join(FILE)).unwrap()
    });
    assert!(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
    for folder in &made {
        let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        files.retain(|file| file.as_ref().is_ok_and(|file| file.file_name() != "mynah.lock"));
        assert_eq!(files.len(), 1, "{files:?}");
        let store = open(folder.path()).unwrap();
        store.accept(batch(vec![message("1", "g", "li", "hi")]), NOW).await.unwrap();
    }
}

#[tokio::test]
async fn an_emptied_database_is_an_error_and_what_is_left_stays() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(FILE);
    let log = folder.path().join("mynah.db-wal");
    drop(open(folder.path()).unwrap());
    fs::write(&path, "").unwrap();
    fs::write(&log, "what was accepted last").unwrap();
    let is_emptied = |error: &StoreError| matches!(error, StoreError::Emptied { .. });
    for _ in 0..2 {
        let error = open(folder.path()).unwrap_err();
        assert!(is_emptied(&error), "{error:?}");
        assert!(error.remedy().contains("backup"));
        assert!(is_emptied(&Inspector::open(folder.path()).unwrap_err()));
        assert_eq!(fs::read(&log).unwrap(), b"what was accepted last");
    }
    fs::remove_file(&path).unwrap();
    assert!(is_emptied(&open(folder.path()).unwrap_err()), "its log is there, so there was data");
    assert!(!path.exists());
    fs::remove_file(&log).unwrap();
    open(folder.path()).unwrap();
}

#[test]
fn a_database_without_tables_is_no_new_one() {
    for pragma in ["application_id = 0", "application_id = 1299079528"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(FILE);
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute_batch(&format!("CREATE TABLE x (y); DROP TABLE x; PRAGMA {pragma}"))
            .unwrap();
        drop(connection);
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, StoreError::Emptied { .. }), "{pragma}: {error:?}");
    }
}

#[cfg(unix)]
fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_database_that_is_not_a_file_is_refused_at_once() {
    use std::os::unix::fs::PermissionsExt;

    for make in [pipe as fn(&Path), |path| fs::create_dir(path).unwrap()] {
        let data = TempDir::new().unwrap();
        let path = data.path().join(FILE);
        make(&path);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        for error in [open(data.path()).unwrap_err(), Inspector::open(data.path()).unwrap_err()] {
            let is_named = |place: &str| place.ends_with(FILE);
            let is_refused = matches!(&error, StoreError::NotRegular { place } if is_named(place));
            assert!(is_refused, "{error:?}");
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    }
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_not_a_file_is_refused_at_once() {
    fn link(path: &Path) {
        std::os::unix::fs::symlink("elsewhere", path).unwrap();
    }
    fn folder(path: &Path) {
        fs::create_dir(path).unwrap();
    }
    for (kind, make) in [("pipe", pipe as fn(&Path)), ("link", link), ("folder", folder)] {
        let data = TempDir::new().unwrap();
        make(&data.path().join("mynah.lock"));
        let error = open(data.path()).unwrap_err();
        let is_named = |place: &str| place.ends_with("mynah.lock");
        let is_refused = matches!(&error, StoreError::NotRegular { place } if is_named(place));
        assert!(is_refused, "{kind}: {error:?}");
        assert!(!data.path().join("elsewhere").exists() && !data.path().join(FILE).exists());
    }
}

#[tokio::test]
async fn a_lost_lock_file_is_noticed_before_a_claim_is_promised() {
    for replaced in [false, true] {
        let folder = TempDir::new().unwrap();
        let lock = folder.path().join("mynah.lock");
        let store = open(folder.path()).unwrap();
        store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
        handle(&store, "g", vec![reply("g", "answer")]).await;
        fs::remove_file(&lock).unwrap();
        if replaced {
            fs::write(&lock, "").unwrap();
        }
        let error = store.claim(&ChatId::new("g"), token(), UNTIL, NOW).await.unwrap_err();
        assert!(matches!(&error, StoreError::Gone { place } if place.ends_with("mynah.lock")));
    }
}

#[tokio::test]
async fn a_database_emptied_while_it_is_open_is_noticed() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "answer")]).await;
    fs::File::create(folder.path().join(FILE)).unwrap();
    assert!(store.claim(&ChatId::new("g"), token(), UNTIL, NOW).await.is_err());
}

#[tokio::test]
async fn after_an_orderly_stop_the_database_alone_is_whole() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let reader = Inspector::open(folder.path()).unwrap();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    store.close().await.unwrap();
    let copy = TempDir::new().unwrap();
    fs::copy(folder.path().join(FILE), copy.path().join(FILE)).unwrap();
    assert_eq!(open(copy.path()).unwrap().status(NOW).await.unwrap().open_events, 1);
    assert_eq!(fs::metadata(folder.path().join("mynah.db-wal")).unwrap().len(), 0);
    assert_eq!(reader.status(NOW).unwrap().open_events, 1);
}

fn save(row: &str) -> Step {
    let action = Action::Save { file: "notes.csv".to_owned(), row: vec![row.to_owned()] };
    Step::Act(Planned { chat: "g".into(), action, delay: Duration::ZERO, is_reply: true })
}

#[tokio::test]
async fn a_row_to_be_saved_never_expires() {
    let store = SqliteStore::in_memory();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    handle(&store, "g", vec![save("one"), reply("g", "too late")]).await;
    let much_later = NOW + Duration::from_secs(86_400);
    let id = claim(&store, "g", much_later).await;
    assert_eq!(id.n, 0);
    store.settle(&id, Outcome::Accepted, much_later).await.unwrap();
    let next = store.claim(&ChatId::new("g"), token(), UNTIL, much_later).await.unwrap();
    assert!(matches!(next, Claim::Expired(_)), "{next:?}");
}

#[tokio::test]
async fn a_row_under_way_at_a_crash_is_no_doubt_but_tried_again() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    handle(&store, "g", vec![save("one")]).await;
    claim(&store, "g", NOW).await;
    drop(store);
    let store = open(folder.path()).unwrap();
    let recovered = store.recover(NOW).await.unwrap();
    assert!(recovered.in_doubt.is_empty(), "{recovered:?}");
    let Claim::Send(again) = store.claim(&ChatId::new("g"), token(), UNTIL, NOW).await.unwrap()
    else {
        panic!("it is lost")
    };
    assert_eq!(again.attempt, 2, "so the file is searched for it");
}

#[tokio::test]
async fn a_row_that_the_disk_does_not_take_holds_up_no_reply() {
    let store = SqliteStore::in_memory();
    let chat = ChatId::new("g");
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    handle(&store, "g", vec![save("one"), reply("g", "noted")]).await;
    let row = claim(&store, "g", NOW).await;
    let retry_at = NOW + Duration::from_secs(30);
    let outcome = Outcome::NotSent { retry_at, reason: "no room".to_owned() };
    assert!(store.settle(&row, outcome, NOW).await.unwrap());
    let reply = claim(&store, "g", NOW).await;
    assert_eq!(reply.n, 1);
    assert!(
        matches!(store.claim(&chat, token(), UNTIL, retry_at).await, Ok(Claim::Empty)),
        "one at a time"
    );
    assert!(store.settle(&reply, Outcome::Accepted, NOW).await.unwrap());
    assert!(
        matches!(store.claim(&chat, token(), UNTIL, NOW).await, Ok(Claim::Wait(at)) if at == retry_at)
    );
    assert_eq!(claim(&store, "g", retry_at).await, row);
}

#[tokio::test]
async fn damaged_pages_are_found_at_the_start() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let events = (0..200).map(|n| message(&n.to_string(), "g", "p", "some text")).collect();
    store.accept(batch(events), NOW).await.unwrap();
    drop(store);
    let path = folder.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 20_000, "the log was written back");
    bytes[8192..16_000].fill(0xaa);
    fs::write(&path, &bytes).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_file_of_another_program_or_of_a_newer_version_is_left_as_it_is() {
    let change = |sql: &str| {
        let folder = TempDir::new().unwrap();
        drop(open(folder.path()).unwrap());
        let path = folder.path().join(FILE);
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let before = fs::read(&path).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), before);
        error
    };
    let newer = change("PRAGMA user_version = 99");
    assert!(matches!(newer, StoreError::Newer { found: 99, .. }), "{newer:?}");
    assert!(newer.remedy().contains("newer version"));
    let foreign = change("PRAGMA application_id = 1");
    assert!(matches!(foreign, StoreError::Damaged { .. }), "{foreign:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    // The store refuses a file in the place of the folder for every user, even for root.
    for data in [file.clone(), file.join("data"), file.join("a/b")] {
        let error = open(&data).unwrap_err();
        assert_eq!(error.to_string(), format!("{} is a file, not a folder", file.display()));
        assert!(error.remedy().contains("--data"));
    }
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let error = crate::error::translate_io(denied, Path::new("data"));
    assert!(matches!(error, StoreError::ReadOnly { .. }));
    assert!(error.remedy().contains("right to write"));
    #[cfg(unix)]
    {
        let no_descriptor = std::io::Error::from_raw_os_error(24);
        let error = crate::error::translate_io(no_descriptor, Path::new("data"));
        assert!(error.remedy().contains("ulimit -n"), "{error}");
    }
}

#[tokio::test]
async fn a_full_disk_fails_cleanly_and_works_again_when_there_is_room() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let limit = |pages: u32| {
        store.executor.run(crate::writer::Durability::Synced, move |db| {
            db.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
        })
    };
    limit(1).await.unwrap();
    let long = "x".repeat(100_000);
    let flood = |n: u32| batch(vec![message(&format!("big {n}"), "g", "p", &long)]);
    let error = store.accept(flood(1), NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.remedy().contains("make room"));
    assert!(store.begin(&"g".into(), NOW).await.unwrap().is_none(), "all or nothing");
    limit(1_000_000).await.unwrap();
    store.accept(flood(1), NOW).await.unwrap();
    assert!(store.begin(&"g".into(), NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn jobs_that_wait_share_a_transaction_and_fail_alone() {
    let folder = TempDir::new().unwrap();
    let store = std::sync::Arc::new(open(folder.path()).unwrap());
    let accepts = (0..100).map(|n| {
        let store = std::sync::Arc::clone(&store);
        let event = message(&n.to_string(), &format!("g{}", n % 7), "p", "x");
        tokio::spawn(async move { store.accept(batch(vec![event]), NOW).await })
    });
    let fails = store.executor.run(crate::writer::Durability::Synced, |db| {
        db.connection.execute("INSERT INTO nowhere VALUES (1)", [])
    });
    assert!(fails.await.is_err());
    for accept in accepts.collect::<Vec<_>>() {
        accept.await.unwrap().unwrap();
    }
    assert_eq!(store.status(NOW).await.unwrap().open_events, 100);
}

#[tokio::test]
async fn a_backup_of_a_running_store_is_whole() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    let copy = TempDir::new().unwrap();
    let inspector = Inspector::open(folder.path()).unwrap();
    inspector.backup(&copy.path().join(FILE)).unwrap();
    assert!(inspector.backup(&copy.path().join(FILE)).is_err(), "nothing is overwritten");
    store.accept(batch(vec![message("2", "g", "p", "x")]), NOW).await.unwrap();
    let restored = open(copy.path()).unwrap();
    assert_eq!(restored.status(NOW).await.unwrap().open_events, 1);
    assert_eq!(inspector.status(NOW).unwrap().open_events, 2);
}

#[tokio::test]
async fn the_log_shows_what_was_decided_and_done() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "answer")]).await;
    let inspector = Inspector::open(folder.path()).unwrap();
    let query = LogQuery { id: Some("1".to_owned()), ..LogQuery::default() };
    let log = inspector.log(&query).unwrap().entries;
    assert_eq!((log.len(), log[0].actions.len(), log[0].handled), (1, 1, Some(NOW)));
    let id = claim(&store, "g", NOW).await;
    store.settle(&id, Outcome::Accepted, NOW).await.unwrap();
    assert_eq!(store.settled(NOW).await.unwrap()["accepted"], 1);
    assert!(store.settled(NOW + Duration::from_millis(1)).await.unwrap().is_empty());
    let items = export(&store).await;
    let [Exported::Event(logged)] = items.as_slice() else { panic!("{items:?}") };
    assert!(serde_json::to_string(logged).unwrap().contains("answer"), "{logged:?}");
}

#[tokio::test]
async fn an_entry_of_an_unknown_form_is_reported_and_hides_nothing_behind_it() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let events = ["1", "2", "3", "4"].map(|id| message(id, "g", "p", "x"));
    store.accept(batch(events.to_vec()), NOW).await.unwrap();
    for _ in 0..4 {
        handle(&store, "g", vec![reply("g", "answer")]).await;
    }
    let tampered = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    tampered
        .execute_batch(
            r#"UPDATE event SET body = '{"event":"hologram"}' WHERE seq IN (1, 2);
               UPDATE event SET decided = '{"micros":"many"}' WHERE seq = 3;
               UPDATE action SET body = '{"do":"dance"}' WHERE event = 'event 4';"#,
        )
        .unwrap();
    let inspector = Inspector::open(folder.path()).unwrap();
    let log = inspector.log(&LogQuery::default()).unwrap();
    assert_eq!(log.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3, 4]);
    let unreadable: Vec<_> = log.unreadable.iter().map(|one| (one.seq, one.why.as_str())).collect();
    for (n, part, cause) in [
        (1, "event", "hologram"),
        (2, "event", "hologram"),
        (3, "decision", "many"),
        (4, "action", "dance"),
    ] {
        let (seq, why) = unreadable[n - 1];
        assert_eq!(usize::try_from(seq).unwrap(), n);
        assert!(why.contains(part) && why.contains(cause), "{why}");
    }
    let first = LogQuery { limit: 2, ..LogQuery::from_the_start() };
    let page = inspector.log(&first).unwrap();
    let next = (page.next, page.more);
    assert_eq!((page.entries.len(), next), (0, (LogPlace::After(2), true)), "it goes on behind it");
    let items = export(&store).await;
    let events = items.iter().filter(|item| matches!(item, Exported::Event(_))).count();
    let unreadable = items.iter().filter(|item| matches!(item, Exported::Unreadable(_))).count();
    assert_eq!((events, unreadable), (2, 4), "{items:?}");
}

/// All items of an export.
async fn export(reader: &dyn StoreReader) -> Vec<Exported> {
    let (mut items, mut place) = (Vec::new(), Some(ExportPlace::Start));
    while let Some(from) = place {
        let page = reader.export(&from).await.unwrap();
        items.extend(page.items);
        place = page.next;
    }
    items
}

#[tokio::test]
async fn a_survey_counts_the_rules_that_fired_and_knows_the_chats() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let decided = |rule: Option<&str>, quiet: Option<Quiet>| Decided {
        rule: rule.map(str::to_owned),
        quiet,
        ..Decided::default()
    };
    let turns = [
        decided(Some("price"), None),
        decided(Some("price"), Some(Quiet::Cooldown)),
        decided(None, None),
        decided(Some("price"), None),
    ];
    let mute = Write {
        scope: Scope::Chat,
        key: "k".to_owned(),
        change: Change::Set("v".to_owned()),
        expires: Some(NOW + Duration::from_secs(60)),
    };
    for (n, decided) in (0_u32..).zip(turns) {
        let chat = if n == 2 { "h" } else { "g" };
        store.accept(batch(vec![message(&n.to_string(), chat, "p", "x")]), NOW).await.unwrap();
        let now = NOW + Duration::from_secs(n.into());
        let (event, _) = store.begin(&Lane::new(chat), now).await.unwrap().unwrap();
        let effects = Effects { writes: vec![mute.clone()], ..Effects::default() };
        store.commit(Turn { decided, ..turn(event, effects) }, now).await.unwrap();
    }
    store.close().await.unwrap();
    let inspector = Inspector::open(folder.path()).unwrap();
    let survey = inspector.survey().unwrap();
    let day = 24 * 60 * 60 * 1000;
    assert_eq!(survey.since, Some(Timestamp::from_millis(NOW.as_millis() / day * day)));
    let price = Fired { times: 2, last: NOW + Duration::from_secs(3) };
    assert_eq!(survey.fired.into_iter().collect::<Vec<_>>(), [("price".to_owned(), price)]);
    assert_eq!(survey.chats, [Chat::group("g", "g"), Chat::group("h", "h")]);
    let values = async |now| {
        let values = store.chat_values("k", now).await.unwrap();
        values.into_values().collect::<Vec<_>>()
    };
    assert_eq!(values(NOW).await, ["v", "v"]);
    assert!(values(NOW + Duration::from_secs(60)).await.is_empty(), "they have expired");
}

#[tokio::test]
async fn hits_of_rules_outlive_the_log_by_months_and_not_for_ever() {
    let folder = TempDir::new().unwrap();
    let options = Options { keep_log: Duration::ZERO, ..Options::default() };
    let store = SqliteStore::open(folder.path(), options).unwrap();
    let days = |n: u64| NOW + Duration::from_secs(n * 24 * 3600);
    let fired = || {
        let survey = Inspector::open(folder.path()).unwrap().survey().unwrap();
        survey.fired.get("price").map(|fired| (fired.times, fired.last))
    };
    for n in [0, 0, 40] {
        let id = format!("{n}:{:?}", fired());
        store.accept(batch(vec![message(&id, "g", "p", "x")]), days(n)).await.unwrap();
        let (event, _) = store.begin(&"g".into(), days(n)).await.unwrap().unwrap();
        let decided = Decided { rule: Some("price".to_owned()), ..Decided::default() };
        let turn = Turn { decided, ..turn(event, Effects::default()) };
        store.commit(turn, days(n)).await.unwrap();
    }
    while store.tidy(days(80)).await.unwrap() {}
    assert!(store.log(&LogQuery::default()).await.unwrap().entries.is_empty());
    assert_eq!(fired(), Some((3, days(40))));
    while store.tidy(days(100)).await.unwrap() {}
    assert_eq!(fired(), Some((1, days(40))), "what was 100 days ago is forgotten");
}

#[tokio::test]
async fn what_waits_is_known_chat_by_chat() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let events = vec![message("1", "g", "p", "x"), message("2", "h", "p", "x")];
    store.accept(batch(events), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "a"), reply("g", "b")]).await;
    handle(&store, "h", vec![reply("h", "c")]).await;
    let sent = claim(&store, "h", NOW).await;
    store.settle(&sent, Outcome::Accepted, NOW).await.unwrap();
    let waiting = store.waiting().await.unwrap();
    let shown: Vec<_> = waiting.iter().map(|one| (one.chat.as_str(), one.actions)).collect();
    assert_eq!(shown, [("g", 2)]);
}

#[tokio::test]
async fn a_person_is_forgotten() {
    let store = SqliteStore::in_memory();
    let events = vec![message("1", "g", "ann", "mine"), message("2", "g", "bob", "his")];
    store.accept(batch(events.clone()), NOW).await.unwrap();
    for _ in 0..2 {
        let (event, _) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
        let change = Change::Set("v".to_owned());
        let write = Write { scope: Scope::Person, key: "k".to_owned(), change, expires: None };
        let effects =
            Effects { writes: vec![write], steps: vec![reply("g", "a")], ..Effects::default() };
        store.commit(turn(event, effects), NOW).await.unwrap();
    }
    let forgotten = store.forget(&"ann".into()).await.unwrap();
    assert_eq!((forgotten.events, forgotten.actions, forgotten.values), (1, 1, 1));
    let log = store.log(&LogQuery::default()).await.unwrap().entries;
    assert_eq!(log.len(), 1);
    assert!(store.accept(batch(events), NOW).await.unwrap().is_empty(), "ids stay known");
}

#[tokio::test]
async fn a_reader_of_the_log_misses_nothing_after_the_newest_event_is_forgotten() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    store
        .accept(batch(vec![message("1", "g", "p", "x"), message("2", "g", "q", "x")]), NOW)
        .await
        .unwrap();
    let read = store.log(&LogQuery::from_the_start()).await.unwrap();
    assert_eq!(store.forget(&"q".into()).await.unwrap().events, 1);
    drop(store);
    let store = open(folder.path()).unwrap();
    store
        .accept(batch(vec![message("2", "g", "q", "x"), message("3", "g", "p", "new")]), NOW)
        .await
        .unwrap();
    let page = store.log(&LogQuery { from: read.next, ..LogQuery::default() }).await.unwrap();
    let ids: Vec<_> = page.entries.iter().map(|entry| entry.event.id.as_str()).collect();
    assert_eq!(ids, ["event 3"]);
    for expected in ["event 1", "event 3"] {
        let (event, _) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
        assert_eq!(event.id.as_str(), expected);
        handle(&store, "g", vec![]).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_behind_a_link_is_synced_and_checked_like_another() {
    let (folder, place) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    open(folder.path()).unwrap();
    let moved = place.path().join("data.sqlite");
    fs::rename(folder.path().join(FILE), &moved).unwrap();
    std::os::unix::fs::symlink(&moved, folder.path().join(FILE)).unwrap();
    let store = open(folder.path()).unwrap();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    store.sync().await.unwrap();
    let log = place.path().join("data.sqlite-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    handle(&store, "g", vec![reply("g", "x")]).await;
    let copy = TempDir::new().unwrap();
    copy_files(place.path(), copy.path());
    // The counts of rules are not in the file yet: a start behind the link finds the log and counts them there.
    let again = TempDir::new().unwrap();
    std::os::unix::fs::symlink(copy.path().join("data.sqlite"), again.path().join(FILE)).unwrap();
    let survey = open(again.path()).unwrap().survey().await.unwrap();
    assert!(survey.since.is_some());
}

#[tokio::test]
async fn the_variables_that_a_person_has_in_all_chats_are_forgotten() {
    let store = SqliteStore::in_memory();
    store.accept(batch(vec![message("1", "g", "p", "x")]), NOW).await.unwrap();
    let (event, _) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    // A person whose id ends like that of another one keeps its values.
    let keys =
        ["person:nick:ann", "person:points:ann", "person:nick:joann", "person:ann:bob", "ann"];
    let writes = keys.map(|key| Write {
        scope: Scope::Bot,
        key: key.to_owned(),
        change: Change::Set("v".to_owned()),
        expires: None,
    });
    let effects = Effects { writes: writes.into(), ..Effects::default() };
    store.commit(turn(event, effects), NOW).await.unwrap();
    assert_eq!(store.forget(&"ann".into()).await.unwrap().values, 2);
    store.accept(batch(vec![message("2", "g", "p", "x")]), NOW).await.unwrap();
    let (_, state) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    let left: Vec<_> =
        keys.into_iter().filter(|key| state.get(Scope::Bot, key).is_some()).collect();
    assert_eq!(left, ["person:nick:joann", "person:ann:bob", "ann"]);
}

/// Binds names to people, as turns do.
async fn bind(store: &SqliteStore, bound: &[(&str, &str)]) {
    store.accept(batch(vec![message("b", "g", "p", "x")]), NOW).await.unwrap();
    let (event, _) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    let writes = bound.iter().map(|(name, person)| Write {
        scope: Scope::Bot,
        key: Binding::key(name),
        change: Change::Set((*person).to_owned()),
        expires: None,
    });
    let effects = Effects { writes: writes.collect(), ..Effects::default() };
    store.commit(turn(event, effects), NOW).await.unwrap();
}

async fn bound_names(store: &SqliteStore) -> Vec<String> {
    store.bindings().await.unwrap().into_iter().map(|bound| bound.name).collect()
}

#[tokio::test]
async fn a_person_who_is_forgotten_is_no_admin_any_more() {
    let store = SqliteStore::in_memory();
    bind(&store, &[("老王", "ann"), ("Carol", "ann"), ("小李", "bob")]).await;
    assert_eq!(bound_names(&store).await, ["Carol", "小李", "老王"]);
    assert_eq!(store.forget(&"ann".into()).await.unwrap().values, 2);
    assert_eq!(bound_names(&store).await, ["小李"]);
}

#[tokio::test]
async fn a_name_is_unbound_once() {
    let store = SqliteStore::in_memory();
    bind(&store, &[("老王*", "ann"), ("老王", "bob")]).await;
    let ended = store.unbind("老王*").await.unwrap();
    assert_eq!(ended, Some(Binding { name: "老王*".to_owned(), person: "ann".into() }));
    assert_eq!(store.unbind("老王*").await.unwrap(), None);
    assert_eq!(bound_names(&store).await, ["老王"]);
}

#[tokio::test]
async fn the_log_ends_by_age_and_the_ids_stay_known() {
    let store = SqliteStore::in_memory();
    let event = message("1", "g", "p", "x");
    store.accept(batch(vec![event.clone()]), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "a")]).await;
    let id = claim(&store, "g", NOW).await;
    store.settle(&id, Outcome::Accepted, NOW).await.unwrap();
    let days = |n: u64| NOW + Duration::from_secs(n * 24 * 3600);
    store.tidy(days(6)).await.unwrap();
    assert_eq!(store.log(&LogQuery::default()).await.unwrap().entries.len(), 1);
    store.tidy(days(8)).await.unwrap();
    assert!(store.log(&LogQuery::default()).await.unwrap().entries.is_empty());
    assert!(store.accept(batch(vec![event.clone()]), days(8)).await.unwrap().is_empty());
    store.tidy(days(40)).await.unwrap();
    assert_eq!(store.accept(batch(vec![event]), days(40)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_log_nothing_that_was_said_is_kept() {
    let options = Options { keep_log: Duration::ZERO, ..Options::default() };
    let store = SqliteStore::in_memory_with(options);
    store.accept(batch(vec![message("1", "g", "p", "private")]), NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "answer")]).await;
    let id = claim(&store, "g", NOW).await;
    store.settle(&id, Outcome::Accepted, NOW).await.unwrap();
    store.tidy(NOW).await.unwrap();
    assert!(store.log(&LogQuery::default()).await.unwrap().entries.is_empty());
    assert_eq!(store.recent_claims(NOW, 9).await.unwrap().len(), 1, "the pace is kept");
}
