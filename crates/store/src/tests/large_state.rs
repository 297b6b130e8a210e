//! A large state: a turn copies a part of it and reads the rest in the store.

use super::*;

const KEYS: usize = 5000;

fn set(key: &str, text: &str) -> Write {
    let change = Change::Set(text.to_owned());
    Write { scope: Scope::Bot, key: key.to_owned(), change, expires: None }
}

/// A store with many values of the bot, and two events in two lanes.
async fn large() -> SqliteStore {
    let store = SqliteStore::in_memory();
    let events = [("1", "a"), ("2", "b"), ("3", "c")].map(|(id, chat)| message(id, chat, "p", "x"));
    store.accept(batch(events.into()), NOW).await.unwrap();
    let (event, _) = store.begin(&"a".into(), NOW).await.unwrap().unwrap();
    let writes = (0..KEYS).map(|n| set(&format!("key {n}"), &n.to_string())).collect();
    store.commit(turn(event, Effects { writes, ..Effects::default() }), NOW).await.unwrap();
    store
}

#[tokio::test]
async fn a_turn_does_not_copy_all_of_a_large_state_and_reads_every_value_of_it() {
    let store = large().await;
    let (event, seen) = store.begin(&"b".into(), NOW).await.unwrap().unwrap();
    assert!(format!("{seen:?}").matches("Value").count() <= 128, "{} keys were copied", KEYS);
    for n in [0, 1, KEYS / 2, KEYS - 1] {
        assert_eq!(seen.get(Scope::Bot, &format!("key {n}")), Some(n.to_string()));
    }
    assert_eq!(seen.get(Scope::Bot, "absent"), None);
    assert_eq!(seen.values(Scope::Bot).len(), KEYS);
    let effects = Effects { writes: vec![set("key 1", "one")], ..Effects::default() };
    let turn = Turn { reads: seen.reads(), ..turn(event, effects) };
    assert!(matches!(store.commit(turn, NOW).await.unwrap(), Committed::Done { .. }));
}

#[tokio::test]
async fn a_value_that_changed_after_a_turn_read_it_from_a_large_state_refuses_the_commit() {
    let store = large().await;
    let keys: Vec<String> = (0..KEYS).map(|n| format!("key {n}")).collect();
    let (first, seen_by_first) = store.begin(&"b".into(), NOW).await.unwrap().unwrap();
    let (second, _) = store.begin(&"c".into(), NOW).await.unwrap().unwrap();
    for key in &keys {
        assert!(seen_by_first.get(Scope::Bot, key).is_some());
    }
    let writes = keys.iter().map(|key| set(key, "new")).collect();
    store.commit(turn(second, Effects { writes, ..Effects::default() }), NOW).await.unwrap();
    let old = seen_by_first.get(Scope::Bot, &keys[KEYS - 1]);
    assert_eq!(old, Some((KEYS - 1).to_string()), "a turn sees one value at every look");
    let turn = Turn { reads: seen_by_first.reads(), ..turn(first, Effects::default()) };
    assert_eq!(store.commit(turn, NOW).await.unwrap(), Committed::Conflict);
}
