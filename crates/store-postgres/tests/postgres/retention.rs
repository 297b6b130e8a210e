//! How long data is kept, and data that cannot be read.

use std::time::Duration;

use mynah_core::{
    Change, Claim, Decided, Effects, Lane, LogQuery, Outcome, Scope, StateView, Store, Stores,
    Timestamp, Turn, Write,
};
use mynah_store_postgres::{Keep, PostgresStore, PostgresStores};
use tokio_postgres::Client;

use crate::cluster::{Cluster, runtime};
use crate::restarts::{NOW, answer, batch, claim};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// An account whose data is kept for this long, its process, and an operator.
async fn account(
    cluster: &Cluster,
    name: &str,
    log: Duration,
) -> (PostgresStore, PostgresStores, Client) {
    let stores = PostgresStores::new(cluster.settings(), "test");
    let stores = stores.with(name, Keep { log, seen: HOUR * 48 });
    let store = stores.open_store(name).await.unwrap();
    (store, stores, cluster.admin("bots").await)
}

/// The number of rows that an account has in a table.
async fn rows(admin: &Client, name: &str, table: &str) -> i64 {
    let sql = format!(
        "SELECT count(*) FROM mynah.{table} t JOIN mynah.account a USING (account) WHERE a.name = $1"
    );
    admin.query_one(&sql, &[&name]).await.unwrap().get(0)
}

/// Answers a message, and sends the answer.
async fn talk(store: &dyn Store, id: &str, token: u64) {
    store.accept(batch(id), NOW).await.unwrap();
    answer(store).await.unwrap();
    let Ok(Claim::Send(outgoing)) = claim(store, token).await else { panic!("nothing to send") };
    store.settle(&outgoing.id, Outcome::Accepted, NOW).await.unwrap();
}

async fn tidy(store: &dyn Store, now: Timestamp) {
    while store.tidy(now).await.unwrap() {}
}

/// Handles the next event of chat g with a value that expires.
async fn remember(store: &dyn Store, until: Timestamp) {
    let (event, _) = store.begin(&Lane::new("g"), NOW).await.unwrap().unwrap();
    let change = Change::Set("v\0".to_owned());
    let write = Write { scope: Scope::Chat, key: "k".to_owned(), change, expires: Some(until) };
    let effects = Effects { writes: vec![write], ..Effects::default() };
    let (reads, decided) = (Vec::new(), Decided::default());
    let turn = Turn { event, reads, effects, decided, reply_max_age: None };
    store.commit(turn, NOW).await.unwrap();
}

#[test]
fn old_texts_go_first_then_entries_then_ids() {
    let Some(cluster) = Cluster::shared() else { return };
    runtime().block_on(async {
        let name = "tidied";
        let (store, stores, admin) = account(cluster, name, HOUR).await;
        talk(&store, "1", 1).await;
        store.accept(batch("2"), NOW).await.unwrap();
        remember(&store, NOW + HOUR).await;
        // This answer waits.
        store.accept(batch("3"), NOW).await.unwrap();
        answer(&store).await.unwrap();
        tidy(&store, NOW).await;
        let reader = stores.reader(name).await.unwrap().unwrap();
        let entries = async || reader.log(&LogQuery::default()).await.unwrap().entries.len();
        assert_eq!((entries().await, rows(&admin, name, "state").await), (3, 1));
        tidy(&store, NOW + HOUR * 2).await;
        assert_eq!((entries().await, rows(&admin, name, "state").await), (0, 0));
        assert_eq!(rows(&admin, name, "event").await, 3);
        tidy(&store, NOW + HOUR * 26).await;
        let mut left = Vec::new();
        for table in ["event", "decision", "action", "outbox", "outcome", "seen"] {
            left.push(rows(&admin, name, table).await);
        }
        assert_eq!(left, [1, 1, 1, 1, 0, 3], "what waits stays, and so do the ids");
        assert_eq!(store.accept(batch("1"), NOW).await.unwrap(), Vec::<Lane>::new());
        tidy(&store, NOW + HOUR * 50).await;
        assert_eq!(rows(&admin, name, "seen").await, 1);
        assert!(rows(&admin, name, "hit").await > 0);
        tidy(&store, NOW + HOUR * 24 * 92).await;
        assert_eq!(rows(&admin, name, "hit").await, 0);
        assert!(matches!(claim(&store, 9).await, Ok(Claim::Send(_))), "the text that waits stays");
    });
}

#[test]
fn no_text_is_kept_where_the_log_is_kept_for_no_time() {
    let Some(cluster) = Cluster::shared() else { return };
    runtime().block_on(async {
        let (store, _stores, admin) = account(cluster, "silent", Duration::ZERO).await;
        talk(&store, "1", 1).await;
        tidy(&store, NOW).await;
        let sql = "SELECT count(*) FROM mynah.account a JOIN mynah.event e USING (account) JOIN mynah.decision d USING (account, seq)
            JOIN mynah.action x ON x.account = e.account AND x.event = e.seq
            WHERE a.name = 'silent' AND e.body IS NULL AND d.decided IS NULL AND x.body IS NULL";
        assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 1);
    });
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    let Some(cluster) = Cluster::shared() else { return };
    runtime().block_on(async {
        let (store, stores, admin) = account(cluster, "spoilt", HOUR).await;
        for id in ["1", "2", "3"] {
            store.accept(batch(id), NOW).await.unwrap();
        }
        let of_account = "(SELECT account FROM mynah.account WHERE name = 'spoilt')";
        let spoil =
            format!("UPDATE mynah.event SET body = '[]' WHERE id = '1' AND account = {of_account}");
        admin.batch_execute(&spoil).await.unwrap();
        let (event, _) = store.begin(&Lane::new("g"), NOW).await.unwrap().unwrap();
        assert_eq!(event.id.as_str(), "2");
        answer(&store).await.unwrap();
        answer(&store).await.unwrap();
        let spoil = format!(
            "UPDATE mynah.action SET body = '[]' WHERE account = {of_account} AND event IN
            (SELECT seq FROM mynah.event WHERE id = '2')"
        );
        admin.batch_execute(&spoil).await.unwrap();
        let Ok(Claim::Send(outgoing)) = claim(&store, 1).await else { panic!("nothing to send") };
        assert_eq!(outgoing.id.event.as_str(), "3");
        let reader = stores.reader("spoilt").await.unwrap().unwrap();
        assert_eq!(reader.settled(NOW).await.unwrap().get("refused"), Some(&1));
    });
}

#[test]
fn a_text_with_nul_can_be_kept() {
    let Some(cluster) = Cluster::shared() else { return };
    runtime().block_on(async {
        let (store, _stores, _admin) = account(cluster, "nul", HOUR).await;
        store.accept(batch("1\0"), NOW).await.unwrap();
        remember(&store, NOW + HOUR).await;
        store.accept(batch("2"), NOW).await.unwrap();
        let (_, seen) = store.begin(&Lane::new("g"), NOW).await.unwrap().unwrap();
        assert_eq!(seen.get(Scope::Chat, "k").as_deref(), Some("v\u{fffd}"));
    });
}
