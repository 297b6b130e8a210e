//! Turns are counted although their counts are written later.

use super::*;

async fn fire(store: &SqliteStore, id: &str, day: u64) {
    let now = NOW + Duration::from_secs(day * 24 * 60 * 60);
    store.accept(batch(vec![message(id, "g", "p", "x")]), now).await.unwrap();
    let (event, _) = store.begin(&"g".into(), now).await.unwrap().unwrap();
    let decided = Decided { rule: Some("price".to_owned()), ..Decided::default() };
    store.commit(Turn { decided, ..turn(event, Effects::default()) }, now).await.unwrap();
}

fn fired(folder: &Path) -> u64 {
    let survey = Inspector::open(folder).unwrap().survey().unwrap();
    survey.fired.get("price").map_or(0, |fired| fired.times)
}

#[tokio::test]
async fn a_process_that_died_had_counted_its_turns() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).unwrap();
    fire(&store, "1", 0).await;
    store.close().await.unwrap();
    assert_eq!(fired(folder.path()), 1);
    fire(&store, "2", 0).await;
    fire(&store, "3", 1).await;
    let killed = TempDir::new().unwrap();
    copy_files(folder.path(), killed.path());
    for _ in 0..2 {
        let store = open(killed.path()).unwrap();
        assert_eq!(fired(killed.path()), 3, "counted once, however often it starts");
        drop(store);
    }
    drop(store);
    assert_eq!(fired(folder.path()), 3, "an orderly end writes them");
}
