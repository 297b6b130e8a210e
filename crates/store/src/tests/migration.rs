//! Data of former versions: migrated whole, wherever the process dies, with a copy beside it.

use rusqlite::Connection;

use super::*;
use crate::schema::{VERSION, statements};

/// An event with two actions, one with an action under way, and one that waits.
const ROWS: &str = r#"
    INSERT INTO event (seq, id, lane, time, accepted, body, message, handled, decided) VALUES
        (1, 'm1', 'g', 5, 5, '{"event":"started"}', '1', 86400001, '{"rule":"price"}'),
        (2, 'm2', 'g', 5, 6, '{"event":"started"}', '2', 86400002, '{"rule":"price"}'),
        (3, 'm3', 'g', 5, 7, '{"event":"started"}', '3', 5, '{"rule":"price","quiet":"mute"}'),
        (4, 'm4', 'g', 5, 8, '{"event":"started"}', '4', NULL, NULL);
    INSERT INTO action (event, n, chat, body, queued, turn_order, not_before, attempts, claimed, last_claim, settled,
                        outcome)
    VALUES ('m1', 0, 'g', 'BODY', 5, 5, 0, 1, 6, 6, 7, 'accepted'),
           ('m1', 1, 'g', 'BODY', 5, 5, 0, 0, NULL, NULL, NULL, NULL),
           ('m2', 0, 'h', 'BODY', 6, 6, 0, 1, 9, 9, NULL, NULL);
    INSERT INTO state (scope, chat, person, key, value, version, expires) VALUES (1, 'g', '', 'k', 'v', 7, 1);
    INSERT INTO record VALUES ('session', 'secret');
    INSERT INTO seen (id, accepted) VALUES ('m0', 1);
"#;

/// The data of a former version, whose process died.
fn former(version: u32) -> TempDir {
    let folder = TempDir::new().unwrap();
    let made = Connection::open(folder.path().join(FILE)).unwrap();
    made.pragma_update(None, "journal_mode", "WAL").unwrap();
    for sql in statements(0, version) {
        made.execute_batch(&sql).unwrap();
    }
    let body = serde_json::to_string(&Action::Send { content: Content::text("x") }).unwrap();
    made.execute_batch(&ROWS.replace("BODY", &body)).unwrap();
    if version > 1 {
        made.execute_batch("INSERT INTO hit (rule, day, times, last) VALUES ('', 0, 1, 5), ('', 1, 2, 86400002), ('price', 1, 2, 86400002)")
            .unwrap();
    }
    if version > 3 {
        made.execute_batch(
            "UPDATE event SET first_action = 1, actions = 2 WHERE id = 'm1';
             UPDATE event SET first_action = 3, actions = 1 WHERE id = 'm2';",
        )
        .unwrap();
    }
    folder
}

fn version_of(file: &Path) -> u32 {
    let connection = Connection::open(file).unwrap();
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// Checks that the store has the data of a former version, and goes on with it.
async fn goes_on(folder: &Path) {
    let store = open(folder).unwrap();
    assert_eq!(version_of(&folder.join(FILE)), VERSION);
    let recovered = store.recover(NOW).await.unwrap();
    assert_eq!(recovered.in_doubt, [ActionId { event: "m2".into(), n: 0 }]);
    assert_eq!(recovered.chats, [ChatId::new("g"), ChatId::new("h")]);
    assert_eq!(recovered.lanes, [Lane::new("g")]);
    assert_eq!(Store::records(&store).await.unwrap()["session"], "secret");
    assert_eq!(claim(&store, "g", NOW).await, ActionId { event: "m1".into(), n: 1 });
    let id = ActionId { event: "m1".into(), n: 1 };
    assert!(!store.settle(&id, Outcome::Accepted, NOW).await.unwrap());
    assert_eq!(store.recent_claims(NOW, 9).await.unwrap(), [("g".into(), NOW)]);
    let log = store.log(&LogQuery::default()).await.unwrap();
    assert_eq!(log.unreadable, []);
    let actions = |n: usize| log.entries[n].actions.iter().map(|action| action.outcome.clone());
    assert_eq!(actions(0).collect::<Vec<_>>(), vec![Some("accepted".to_owned()); 2]);
    assert_eq!((actions(1).count(), actions(2).count()), (1, 0));
    let survey = Inspector::open(folder).unwrap().survey().unwrap();
    assert_eq!(survey.since, Some(Timestamp::default()));
    let price = Fired { times: 2, last: Timestamp::from_millis(86_400_002) };
    assert_eq!(survey.fired.into_iter().collect::<Vec<_>>(), [("price".to_owned(), price)]);
}

#[tokio::test]
async fn every_former_version_is_migrated() {
    for version in 1..VERSION {
        goes_on(former(version).path()).await;
    }
}

#[test]
fn every_former_version_is_read_without_a_change() {
    for version in 1..VERSION {
        let folder = former(version);
        let reader = Inspector::open(folder.path()).unwrap();
        let status = reader.status(NOW).unwrap();
        assert_eq!((status.open_events, status.open_actions), (1, 2), "version {version}");
        let query = LogQuery { id: Some("m1".to_owned()), ..LogQuery::default() };
        let entries = reader.log(&query).unwrap().entries;
        let actions: Vec<usize> = entries.iter().map(|entry| entry.actions.len()).collect();
        assert_eq!(actions, [2], "version {version}");
        drop(reader);
        assert_eq!(version_of(&folder.path().join(FILE)), version);
    }
}

#[tokio::test]
async fn values_of_a_former_version_get_the_last_names_of_their_people() {
    let folder = former(4);
    let made = Connection::open(folder.path().join(FILE)).unwrap();
    let insert = |seq: u32, event: &Event| {
        let body = serde_json::to_string(&event.body).unwrap();
        let person = event.person().map(|person| person.id.to_string());
        let row = (seq, event.id.as_str(), event.lane().to_string(), person, body);
        let sql = "INSERT INTO event (seq, id, lane, time, accepted, handled, person, body)
                   VALUES (?1, ?2, ?3, 5, 5, 5, ?4, ?5)";
        made.execute(sql, row).unwrap();
    };
    let named = |id, chat, name: &str| {
        let mut event = message(id, chat, "p", "x");
        if let EventBody::Message(message) = &mut event.body {
            name.clone_into(&mut message.sender.name);
        }
        event
    };
    insert(11, &named("n1", "g", "Old"));
    insert(12, &named("n2", "g", "New\nname"));
    insert(13, &named("n3", "h", "Elsewhere"));
    let sql = "INSERT INTO state VALUES (2, 'g', 'p', 'x', '5', 8, NULL), (2, 'g', 'q', 'x', '6', 9, NULL)";
    made.execute_batch(sql).unwrap();
    drop(made);
    let store = open(folder.path()).unwrap();
    let query = MemberQuery { chat: "g".into(), keys: vec!["x".to_owned()] };
    let found = store.member_values(&query, NOW).await.unwrap().remove(0).values;
    let found: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.text.as_str())).collect();
    assert_eq!(found, [("New name", "5"), ("", "6")]);
}

#[tokio::test]
async fn a_migration_that_died_anywhere_is_finished_by_the_next_start() {
    let all = statements(3, VERSION);
    for done in 0..=all.len() + 1 {
        let folder = former(3);
        let dying = Connection::open(folder.path().join(FILE)).unwrap();
        // Most changes reach the log before the commit.
        dying.pragma_update(None, "cache_size", 1).unwrap();
        dying.execute_batch("BEGIN IMMEDIATE").unwrap();
        for sql in all.iter().take(done) {
            dying.execute_batch(sql).unwrap();
        }
        if done > all.len() {
            dying.execute_batch("COMMIT").unwrap();
        }
        let killed = TempDir::new().unwrap();
        copy_files(folder.path(), killed.path());
        // Its own copy may be there in part.
        fs::write(killed.path().join("mynah.db.v3.new"), "a part").unwrap();
        goes_on(killed.path()).await;
    }
}

#[tokio::test]
async fn a_copy_of_the_former_version_stays_until_a_start_went_well() {
    let folder = former(3);
    let copy = folder.path().join("mynah.db.v3");
    drop(open(folder.path()).unwrap());
    assert_eq!(version_of(&copy), 3);
    let kept = Connection::open(&copy).unwrap();
    let rows: i64 = kept.query_row("SELECT count(*) FROM action", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 3);
    drop(kept);
    // A start that fails keeps the copy.
    let held = open(folder.path()).unwrap();
    fs::copy(folder.path().join(FILE), &copy).unwrap();
    assert!(matches!(open(folder.path()), Err(StoreError::InUse { .. })));
    assert!(copy.exists());
    drop(held);
    drop(open(folder.path()).unwrap());
    assert!(!copy.exists());
}

#[cfg(unix)]
#[test]
fn the_copy_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = former(3);
    drop(open(folder.path()).unwrap());
    let mode = fs::metadata(folder.path().join("mynah.db.v3")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_person_is_forgotten_in_the_copy_too() {
    let folder = former(3);
    let store = open(folder.path()).unwrap();
    store.forget(&"p".into()).await.unwrap();
    assert!(!folder.path().join("mynah.db.v3").exists());
}

#[test]
fn without_room_for_the_copy_nothing_is_changed() {
    let folder = former(3);
    // A folder in the place of the copy is like a disk that does not take it.
    fs::create_dir(folder.path().join("mynah.db.v3")).unwrap();
    open(folder.path()).unwrap_err();
    assert_eq!(version_of(&folder.path().join(FILE)), 3);
}
