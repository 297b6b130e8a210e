//! The values of all people in a chat, as a turn reads them; and what is left of a person who is forgotten.

use std::sync::Arc;

use mynah_core::{Context, Frame, MemberValue};

use super::*;

fn set(scope: Scope, key: &str, text: &str) -> Write {
    let change = Change::Set(text.to_owned());
    Write { scope, key: key.to_owned(), change, expires: None }
}

async fn write(store: &SqliteStore, lane: &str, writes: Vec<Write>) {
    let (event, _) = store.begin(&Lane::new(lane), NOW).await.unwrap().unwrap();
    let effects = Effects { writes, ..Effects::default() };
    store.commit(turn(event, effects), NOW).await.unwrap();
}

#[tokio::test]
async fn a_turn_sees_its_own_changes_and_reads_nothing_that_lets_it_run_again() {
    let store = Arc::new(SqliteStore::in_memory());
    let events = [("1", "p"), ("2", "q"), ("3", "p")];
    let events = events.map(|(id, person)| message(id, "g", person, "x"));
    store.accept(batch(events.into()), NOW).await.unwrap();
    for text in ["1", "2"] {
        write(&store, "g", vec![set(Scope::Person, "x", text)]).await;
    }
    let (event, snapshot) = store.begin(&"g".into(), NOW).await.unwrap().unwrap();
    let at_hand: Arc<dyn Store> = store.clone();
    let frame = Frame { snapshot, store: Some(at_hand), ..Frame::of(&event, NOW) };
    let mut ctx = Context::new(frame);
    ctx.add(Scope::Person, "x", 4);
    ctx.add(Scope::Chat, "x", 4);
    let found = ctx.member_values(&["x", "y"]).await.unwrap();
    let value = |person: &str, text: &str| MemberValue {
        person: person.into(),
        name: person.to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(found[0].values, [value("q", "2"), value("p", "5")]);
    assert_eq!(found[1].values, []);
    let (reads, effects, decided) = ctx.finish();
    assert_eq!(reads, []);
    // Values of others may change meanwhile: the turn is committed as it is.
    let turn = Turn { reads, effects, decided, ..turn(event, Effects::default()) };
    assert!(matches!(store.commit(turn, NOW).await.unwrap(), Committed::Done { .. }));
}

#[tokio::test]
async fn nothing_of_a_forgotten_person_is_left_in_the_state() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    let events = ["1", "2"].map(|id| message(id, "g", "ann", "x"));
    let other = message("3", "g", "bob", "x");
    store.accept(batch(events.into_iter().chain([other]).collect()), NOW).await.unwrap();
    let of_person = || {
        vec![
            set(Scope::Bot, "person:points:ann", "5"),
            set(Scope::Person, "points", "5"),
            set(Scope::Person, "days", "2"),
            set(Scope::Person, "streak:days", "2026-11-23"),
            set(Scope::Person, "after", "{}"),
            set(Scope::Person, "cooldown:r", "1"),
        ]
    };
    write(&store, "g", of_person()).await;
    write(&store, "g", of_person()).await;
    write(
        &store,
        "g",
        vec![set(Scope::Bot, "person:points:bob", "7"), set(Scope::Person, "points", "7")],
    )
    .await;
    assert_eq!(store.forget(&"ann".into()).await.unwrap().values, 6);
    drop(store);
    let rows = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    let mut all = rows.prepare("SELECT key, person, name FROM state ORDER BY key").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let left: Vec<(String, String, Option<String>)> =
        all.query_map([], row).unwrap().map(Result::unwrap).collect();
    let bob = |key: &str, person: &str, name: Option<&str>| {
        (key.to_owned(), person.to_owned(), name.map(str::to_owned))
    };
    assert_eq!(left, [bob("person:points:bob", "", None), bob("points", "bob", Some("bob"))]);
}
