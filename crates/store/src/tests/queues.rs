//! The queues after a start: rows behind the marks and late rows before them.

use rusqlite::Connection;

use super::*;
use crate::database::Database;
use crate::{events, forget, tidy, turns};

/// Accepts messages of one chat each.
async fn accept(store: &SqliteStore, ids: &[&str], chat: &str) {
    let events = ids.iter().map(|id| message(id, chat, &format!("person {chat}"), "x")).collect();
    store.accept(batch(events), NOW).await.unwrap();
}

/// The events of a lane in the order of their turns, each answered with one reply.
async fn answer_all(store: &SqliteStore, lane: &str) -> Vec<String> {
    let mut order = Vec::new();
    while let Some((event, _)) = store.begin(&Lane::new(lane), NOW).await.unwrap() {
        order.push(event.id.to_string());
        let effects = Effects { steps: vec![reply(lane, "x")], ..Effects::default() };
        store.commit(turn(event, effects), NOW).await.unwrap();
    }
    order
}

/// The actions of a chat in the order of their claims.
async fn send_all(store: &SqliteStore, chat: &str) -> Vec<String> {
    let mut order = Vec::new();
    while let Claim::Send(next) = store.claim(&chat.into(), token(), UNTIL, NOW).await.unwrap() {
        store.settle(&next.id, Outcome::Accepted, NOW).await.unwrap();
        order.push(next.id.event.to_string());
    }
    order
}

#[tokio::test]
async fn a_start_finds_what_is_open_before_and_behind_the_marks() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    accept(&store, &["1", "2", "3", "4"], "g").await;
    accept(&store, &["5"], "h").await;
    for _ in 0..2 {
        handle(&store, "g", vec![reply("g", "x")]).await;
    }
    // Moves the marks: 3 to 5 are late now, and both replies.
    store.tidy(NOW).await.unwrap();
    handle(&store, "g", vec![reply("g", "x")]).await;
    let first = claim(&store, "g", NOW).await;
    store.settle(&first, Outcome::Accepted, NOW).await.unwrap();
    accept(&store, &["6"], "g").await;
    drop(store);
    let status = Inspector::open(folder.path()).unwrap().status(NOW).unwrap();
    assert_eq!((status.open_events, status.open_actions), (3, 2));
    for _ in 0..2 {
        let store = open(folder.path()).unwrap();
        let recovered = store.recover(NOW).await.unwrap();
        assert_eq!(recovered.lanes, [Lane::new("g"), Lane::new("h")]);
        assert_eq!(recovered.chats, [ChatId::new("g")]);
        // The next start reads what this one writes.
        store.tidy(NOW).await.unwrap();
    }
    let store = open(folder.path()).unwrap();
    assert_eq!(answer_all(&store, "g").await, ["event 4", "event 6"]);
    assert_eq!(answer_all(&store, "h").await, ["event 5"]);
    assert_eq!(send_all(&store, "g").await, ["event 2", "event 3", "event 4", "event 6"]);
    store.tidy(NOW).await.unwrap();
    drop(store);
    let connection = Connection::open(folder.path().join(FILE)).unwrap();
    let late =
        "SELECT (SELECT count(*) FROM late_event), (SELECT group_concat(seq) FROM late_action)";
    let late: (u32, String) =
        connection.query_row(late, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(late, (0, "6".to_owned()), "the reply in chat h is open");
}

#[tokio::test]
async fn an_event_is_known_by_its_id_before_and_behind_the_mark() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    accept(&store, &["1", "2"], "g").await;
    store.tidy(NOW).await.unwrap();
    accept(&store, &["3"], "g").await;
    assert_eq!(answer_all(&store, "g").await.len(), 3);
    let found = |id: &str| {
        let query = LogQuery { id: Some(id.to_owned()), ..LogQuery::default() };
        Inspector::open(folder.path()).unwrap().log(&query).unwrap().entries.len()
    };
    assert_eq!((found("event 1"), found("event 3"), found("event 4")), (1, 1, 0));
    assert_eq!((found("1"), found("3")), (1, 1), "by the id of the message");
    accept(&store, &["1", "2", "3"], "g").await;
    drop(store);
    let store = open(folder.path()).unwrap();
    accept(&store, &["1", "2", "3", "4"], "g").await;
    assert_eq!(answer_all(&store, "g").await, ["event 4"]);
    // Without its log entry and with another mark, the same.
    store.forget(&"person g".into()).await.unwrap();
    accept(&store, &["1", "3", "4", "5"], "g").await;
    assert_eq!(answer_all(&store, "g").await, ["event 5"]);
}

#[tokio::test]
async fn an_action_with_the_number_of_a_deleted_one_is_found_by_the_next_start() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    accept(&store, &["1"], "g").await;
    accept(&store, &["2"], "h").await;
    answer_all(&store, "g").await;
    answer_all(&store, "h").await;
    store.tidy(NOW).await.unwrap();
    // The reply in h is the newest action.
    assert_eq!(store.forget(&"person h".into()).await.unwrap().actions, 1);
    accept(&store, &["3"], "g").await;
    answer_all(&store, "g").await;
    drop(store);
    let store = open(folder.path()).unwrap();
    assert_eq!(store.recover(NOW).await.unwrap().chats, [ChatId::new("g")]);
    assert_eq!(send_all(&store, "g").await, ["event 1", "event 3"]);
}

/// Deletes rows, then accepts message 3 in chat g and answers it, as jobs of one transaction.
async fn answer_behind(store: &SqliteStore, delete: fn(&mut Database) -> rusqlite::Result<()>) {
    let group = move |db: &mut Database| {
        delete(db)?;
        let event = message("3", "g", "person g", "x");
        let (lane, steps) = (event.lane(), vec![reply("g", "x"), reply("g", "y")]);
        events::accept(db, &batch(vec![event]), 0, LATER)?;
        let (event, _) = events::begin(db, &lane, LATER)?.expect("it waits");
        let effects = Effects { steps, ..Effects::default() };
        turns::commit(db, &turn(event, effects), None, LATER)
    };
    let committed = store.executor.run(crate::writer::Durability::Written, group).await.unwrap();
    assert!(matches!(committed, Committed::Done { .. }), "{committed:?}");
}

/// A time after which housekeeping deletes the log of now.
const LATER: Timestamp = Timestamp::from_secs(1_800_000_000 + 8 * 24 * 3600);

#[tokio::test]
async fn a_transaction_that_deletes_actions_and_queues_new_ones_loses_none() {
    let ways: [fn(&mut Database) -> rusqlite::Result<()>; 2] = [
        |db| tidy::tidy(db, LATER).map(drop),
        |db| forget::forget(db, &"person h".into()).map(drop),
    ];
    for delete in ways {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path()).unwrap();
        accept(&store, &["1"], "h").await;
        answer_all(&store, "h").await;
        assert_eq!(send_all(&store, "h").await, ["event 1"]);
        store.tidy(NOW).await.unwrap();
        // The new replies have the number of the deleted one, and the next.
        answer_behind(&store, delete).await;
        // The mark moves to the newest action.
        store.tidy(LATER).await.unwrap();
        drop(store);
        let store = open(folder.path()).unwrap();
        assert_eq!(store.recover(LATER).await.unwrap().chats, [ChatId::new("g")]);
        for n in 0..2 {
            let id = claim(&store, "g", LATER).await;
            assert_eq!(id, ActionId { event: "event 3".into(), n });
            store.settle(&id, Outcome::Accepted, LATER).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_marks_move_in_a_flood() {
    let store = SqliteStore::in_memory();
    let ids: Vec<String> = (0..1500).map(|n| n.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    accept(&store, &ids, "g").await;
    let marks = |db: &mut Database| {
        db.connection.query_row("SELECT event FROM mark", [], |row| row.get::<_, i64>(0))
    };
    let mark = store.executor.run(crate::writer::Durability::Written, marks).await.unwrap();
    assert_eq!(mark, 1500);
    store.reopen().await.unwrap();
    assert_eq!(answer_all(&store, "g").await.len(), 1500);
}

#[tokio::test]
async fn short_jobs_are_gathered_while_many_lanes_are_open() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let chats = ["a", "b", "c", "d"];
    let mut crowds = Vec::new();
    for chat in chats {
        store.accept(batch(vec![message(chat, chat, "p", "x")]), NOW).await.unwrap();
        crowds.push(store.executor.has_crowd());
    }
    assert_eq!(crowds, [false, false, false, true]);
    for chat in chats {
        handle(&store, chat, Vec::new()).await;
    }
    assert!(!store.executor.has_crowd());
}

#[tokio::test]
async fn reads_are_compared_again_only_after_a_change_of_state() {
    let store = SqliteStore::in_memory();
    let untouched = |id: &str| {
        let id = message(id, id, "p", "x").id;
        let look = move |db: &mut Database| Ok(db.is_untouched_since_loaded(&id, NOW));
        store.executor.run(crate::writer::Durability::Written, look)
    };
    for chat in ["a", "b", "c"] {
        accept(&store, &[chat], chat).await;
    }
    for (id, change, expected) in [("b", None, true), ("c", Some(Change::Remove), false)] {
        store.begin(&Lane::new(id), NOW).await.unwrap();
        let (event, _) = store.begin(&Lane::new("a"), NOW).await.unwrap().unwrap();
        let key = "key".to_owned();
        let write = |change| Write { scope: Scope::Bot, key: key.clone(), change, expires: None };
        let writes = change.map(write).into_iter().collect();
        let effects = Effects { writes, steps: vec![reply("a", "x")], ..Effects::default() };
        store.commit(turn(event, effects), NOW).await.unwrap();
        let claimed = claim(&store, "a", NOW).await;
        store.settle(&claimed, Outcome::Accepted, NOW).await.unwrap();
        accept(&store, &[&format!("{id} again")], "a").await;
        assert_eq!(untouched(id).await.unwrap(), expected, "{id}");
    }
}
