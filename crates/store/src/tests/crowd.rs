//! Many tasks at one store in a file: every call is answered, and nothing is lost or done twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mynah_core::Outgoing;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::{JoinSet, yield_now};

use super::*;

const CHATS: usize = 6;
const MESSAGES: usize = 40;

/// Far longer than any call takes: a call without an answer must fail the test, not hang it.
const NEVER: Duration = Duration::from_secs(120);

type Shared = Arc<SqliteStore>;

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, work).await.expect("a call was never answered")
}

fn shared(folder: &Path) -> Shared {
    Arc::new(open(folder).unwrap())
}

fn names() -> impl Iterator<Item = String> {
    (0..CHATS).map(|n| format!("chat {n}"))
}

/// Accepts the messages of a chat, each of them twice, as the receiving task does.
async fn take_in(store: Shared, chat: String) {
    for n in 0..MESSAGES {
        let event = message(&format!("{chat} {n}"), &chat, "p", &n.to_string());
        let records = Records::from([(chat.clone(), n.to_string())]);
        let batch = Batch { records, ..batch(vec![event]) };
        assert_eq!(store.accept(batch.clone(), NOW).await.unwrap(), [Lane::new(chat.as_str())]);
        store.sync().await.unwrap();
        store.accept(batch, NOW).await.unwrap();
    }
}

/// Answers the messages of a chat and adds each to the count of all chats, which it reads before.
async fn answer(store: Shared, chat: String) {
    let lane = Lane::new(chat.as_str());
    let mut done = 0;
    while done < MESSAGES {
        let Some((event, seen)) = store.begin(&lane, NOW).await.unwrap() else {
            yield_now().await;
            continue;
        };
        let count = seen.get(Scope::Bot, "count").map_or(0, |text| text.parse::<usize>().unwrap());
        let change = Change::Set((count + 1).to_string());
        let write = Write { scope: Scope::Bot, key: "count".to_owned(), change, expires: None };
        let steps = vec![reply(&chat, &event.message().unwrap().text)];
        let effects = Effects { writes: vec![write], steps, ..Effects::default() };
        let turn = Turn { reads: seen.reads(), ..turn(event, effects) };
        if matches!(store.commit(turn, NOW).await.unwrap(), Committed::Done { .. }) {
            done += 1;
        }
    }
}

/// Sends the answers of a chat. The first try of every third answer fails.
async fn send(store: Shared, chat: String) {
    let chat = ChatId::new(chat);
    let mut sent = 0;
    while sent < MESSAGES {
        let Claim::Send(Outgoing { id, action, attempt, .. }) =
            store.claim(&chat, token(), UNTIL, NOW).await.unwrap()
        else {
            yield_now().await;
            continue;
        };
        let Action::Send { content } = action else { panic!("{action:?}") };
        assert_eq!(content, Content::text(sent.to_string()), "in order and once");
        let outcome = if sent % 3 == 0 && attempt == 1 {
            Outcome::NotSent { retry_at: NOW, reason: "busy".to_owned() }
        } else {
            sent += 1;
            Outcome::Accepted
        };
        store.settle(&id, outcome, NOW).await.unwrap();
    }
}

/// Reads the store and drops unfinished calls, until the other tasks are ready.
async fn disturb(store: Shared, ready: Arc<AtomicBool>) {
    while !ready.load(Ordering::Relaxed) {
        store.status(NOW).await.unwrap();
        store.fire(NOW).await.unwrap();
        let other = Arc::clone(&store);
        let left = tokio::spawn(async move {
            other.begin(&"chat 0".into(), NOW).await.unwrap();
            other.sync().await
        });
        Store::records(&*store).await.unwrap();
        left.abort();
        assert!(!store.tidy(NOW).await.unwrap());
        // The last call ends before the store is dropped, too.
        let _ = left.await;
    }
}

async fn all_at_once() {
    let folder = TempDir::new().unwrap();
    let store = shared(folder.path());
    let ready = Arc::new(AtomicBool::new(false));
    let disturbing = tokio::spawn(disturb(Arc::clone(&store), Arc::clone(&ready)));
    let mut work = JoinSet::new();
    for chat in names() {
        work.spawn(take_in(Arc::clone(&store), chat.clone()));
        work.spawn(answer(Arc::clone(&store), chat.clone()));
        work.spawn(send(Arc::clone(&store), chat));
    }
    in_time(work.join_all()).await;
    ready.store(true, Ordering::Relaxed);
    in_time(disturbing).await.unwrap();
    drop(store);
    check(&open(folder.path()).unwrap()).await;
}

/// Checks the content of the store after all tasks have ended.
async fn check(store: &SqliteStore) {
    let all = CHATS * MESSAGES;
    let status = store.status(NOW).await.unwrap();
    assert_eq!((status.open_events, status.open_actions), (0, 0));
    assert_eq!((status.handled_today, status.settled_today["accepted"]), (all as u64, all as u64));
    assert_eq!(Store::records(store).await.unwrap().len(), CHATS);
    store.accept(batch(vec![message("last", "chat 0", "p", "x")]), NOW).await.unwrap();
    let (_, seen) = store.begin(&"chat 0".into(), NOW).await.unwrap().unwrap();
    assert_eq!(seen.get(Scope::Bot, "count"), Some(all.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_on_several_threads_is_served_and_nothing_is_lost() {
    all_at_once().await;
}

#[tokio::test]
async fn a_crowd_on_one_thread_is_served_and_nothing_is_lost() {
    all_at_once().await;
}

#[tokio::test]
async fn a_sync_returns_though_nobody_else_works() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    for n in 0..20 {
        store.accept(batch(vec![message(&n.to_string(), "g", "p", "x")]), NOW).await.unwrap();
        in_time(store.sync()).await.unwrap();
        // No sync is pending now.
        in_time(store.sync()).await.unwrap();
    }
}

/// Accepts messages without end and sends the ids of the answered ones to the test.
async fn flood(store: Shared, chat: String, told: UnboundedSender<String>) {
    for n in 0.. {
        let id = format!("{chat} {n}");
        store.accept(batch(vec![message(&id, &chat, "p", "x")]), NOW).await.unwrap();
        // The receiver is gone once the test is over.
        let _ = told.send(id);
        store.begin(&Lane::new(chat.as_str()), NOW).await.unwrap();
        store.sync().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_is_dropped_in_the_middle_keeps_what_it_answered_and_can_be_opened_at_once() {
    let folder = TempDir::new().unwrap();
    for life in 0..10 {
        let store = shared(folder.path());
        let (sender, mut told) = unbounded_channel();
        let mut work = JoinSet::new();
        for chat in names() {
            work.spawn(flood(Arc::clone(&store), format!("{life} {chat}"), sender.clone()));
        }
        drop(sender);
        let mut answered = Vec::new();
        while answered.len() < 10 * CHATS {
            answered.push(in_time(told.recv()).await.unwrap());
        }
        in_time(work.shutdown()).await;
        drop(store);
        while let Some(id) = told.recv().await {
            answered.push(id);
        }
        let store = open(folder.path()).unwrap();
        for id in answered {
            let query = LogQuery { id: Some(id.clone()), ..LogQuery::default() };
            assert_eq!(store.log(&query).await.unwrap().entries.len(), 1, "{id}");
        }
    }
}
