//! Who may work with an account.

use std::time::Duration;

use mynah_core::{
    ActionId, Batch, Decided, Effects, Event, EventBody, Lane, MemberQuery, Outcome, Store,
    StoreError, Stores, Turn,
};
use mynah_store_postgres::PostgresStores;
use tokio::time::{Instant, timeout};

use crate::cluster::{Cluster, runtime, silence};
use crate::restarts::{NOW, answer, batch, claim};

/// The error of each call, by its name.
async fn all_calls(store: &dyn Store) -> Vec<(&'static str, Option<StoreError>)> {
    let event = Event { id: "1".into(), time: NOW, body: EventBody::Started };
    let (reads, effects, decided) = (Vec::new(), Effects::default(), Decided::default());
    let turn = Turn { event, reads, effects, decided, reply_max_age: None };
    let action = ActionId { event: "1".into(), n: 0 };
    let query = MemberQuery { chat: "g".into(), keys: vec!["k".to_owned()] };
    vec![
        ("recover", store.recover(NOW).await.err()),
        ("records", store.records().await.err()),
        ("accept", store.accept(Batch::default(), NOW).await.err()),
        ("sync", store.sync().await.err()),
        ("begin", store.begin(&Lane::new("g"), NOW).await.err()),
        ("member_values", store.member_values(&query, NOW).await.err()),
        ("commit", store.commit(turn, NOW).await.err()),
        ("fire", store.fire(NOW).await.err()),
        ("claim", claim(store, 7).await.err()),
        ("settle", store.settle(&action, Outcome::Accepted, NOW).await.err()),
        ("recent_claims", store.recent_claims(NOW, 1).await.err()),
        ("tidy", store.tidy(NOW).await.err()),
        ("forget", store.forget(&"p".into()).await.err()),
        ("unbind", store.unbind("x").await.err()),
    ]
}

async fn in_time(story: impl Future<Output = ()>) {
    timeout(Duration::from_secs(60), story).await.expect("it takes too long");
}

#[test]
fn every_call_of_a_lost_lease_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    runtime().block_on(in_time(async {
        let stores = PostgresStores::new(cluster.settings(), "old");
        let old = stores.open_store("lost").await.unwrap();
        old.accept(batch("1"), NOW).await.unwrap();
        answer(&old).await.unwrap();
        silence(&cluster.admin("bots").await, "lost").await;
        let new = PostgresStores::new(cluster.settings(), "new");
        let new = new.open_store("lost").await.unwrap();
        assert!(new.epoch() > old.epoch());
        for (call, error) in all_calls(&old).await {
            assert!(matches!(error, Some(StoreError::LeaseLost)), "{call}: {error:?}");
        }
        for (call, error) in all_calls(&new).await {
            assert!(error.is_none(), "{call}: {error:?}");
        }
        old.close().await.unwrap();
        new.sync().await.unwrap();
    }));
}

#[test]
fn a_living_holder_keeps_its_account_and_an_ended_one_leaves_it() {
    let Some(cluster) = Cluster::shared() else { return };
    // The end of this runtime is that of the process: its connections end, and nothing is given back.
    let first = runtime();
    let held = first.block_on(async {
        let stores = PostgresStores::new(cluster.settings(), "first");
        (stores.open_store("kept").await.unwrap(), stores)
    });
    runtime().block_on(in_time(async {
        let second = PostgresStores::new(cluster.settings(), "second");
        let refused = second.open("kept").await.err();
        let Some(StoreError::InUse { place }) = refused else { panic!("{refused:?}") };
        assert!(place.contains("kept of bots"), "{place}");
        let again = held.1.open("kept").await.err();
        assert!(matches!(again, Some(StoreError::InUse { .. })), "{again:?}");
        first.shutdown_background();
        let ended = Instant::now();
        let store = second.open_store("kept").await.unwrap();
        let after = ended.elapsed();
        assert!(after < Duration::from_secs(5), "its expiry was not awaited: {after:?}");
        assert!(store.epoch() > held.0.epoch());
    }));
}

#[test]
fn an_account_is_free_at_once_after_an_orderly_end() {
    let Some(cluster) = Cluster::shared() else { return };
    runtime().block_on(in_time(async {
        let first = PostgresStores::new(cluster.settings(), "first");
        let store = first.open_store("given").await.unwrap();
        store.close().await.unwrap();
        assert!(matches!(store.sync().await, Err(StoreError::Closed)));
        let second = PostgresStores::new(cluster.settings(), "second");
        second.open("given").await.unwrap();
        assert!(second.accounts().await.unwrap().contains(&"given".to_owned()));
        assert!(second.reader("nobody").await.unwrap().is_none());
    }));
}

#[test]
fn another_level_of_isolation_is_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    runtime().block_on(in_time(async {
        let admin = cluster.admin("bots").await;
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ;
            SELECT mynah.fence_1(1, gen_random_uuid(), 1, true)";
        let error = admin.batch_execute(sql).await.unwrap_err();
        let refusal = error.as_db_error().unwrap().message();
        assert!(refusal.contains("read committed"), "{refusal}");
    }));
}
