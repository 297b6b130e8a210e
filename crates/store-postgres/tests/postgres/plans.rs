//! How the server finds the rows of a message.

use std::time::Duration;

use mynah_core::{Change, Claim, Lane, Outcome, Scope, StateView, Store, Write};
use mynah_store_postgres::{PostgresStore, PostgresStores, Settings};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::cluster::{Cluster, runtime};
use crate::fleet::{database, ended};
use crate::restarts::{NOW, answer, batch, claim, reply};

/// How often the queues were read whole.
async fn scans(admin: &Client) -> i64 {
    let sql = "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE relname IN ('inbox', 'outbox', 'state')";
    admin.query_one(sql, &[]).await.unwrap().get(0)
}

/// A store for the only account of a database.
async fn opened(cluster: &Cluster, database: &str) -> (PostgresStore, PostgresStores) {
    let settings = Settings::new(&cluster.address(database), None, None).unwrap();
    let stores = PostgresStores::new(settings, "test");
    let store = stores.open_store("main").await.unwrap();
    store.recover(NOW).await.unwrap();
    (store, stores)
}

/// Sends the next action of chat g.
async fn send(store: &PostgresStore, token: u64) {
    let claimed = claim(store, token).await.unwrap();
    let Claim::Send(outgoing) = claimed else { panic!("{claimed:?}") };
    store.settle(&outgoing.id, Outcome::Accepted, NOW).await.unwrap();
}

/// Ends the connections, and waits until the server has counted so many actions that were queued: it counts when a
/// connection ends.
async fn counted(admin: &Client, (store, stores): (PostgresStore, PostgresStores), actions: u64) {
    store.close().await.unwrap();
    drop((store, stores));
    ended(admin).await;
    let sql = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'outbox'";
    while admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < actions.cast_signed() {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Rows that were deleted make a queue long, although the statistics say that it is short.
#[test]
fn no_message_reads_a_whole_queue() {
    let Some(cluster) = Cluster::shared() else { return };
    let story = async {
        let admin = database(cluster, "plans").await;
        admin.batch_execute("ANALYZE mynah.inbox, mynah.outbox, mynah.state").await.unwrap();
        let whole = scans(&admin).await;
        let (store, stores) = opened(cluster, "plans").await;
        for number in 1..=3 {
            store.accept(batch(&number.to_string()), NOW).await.unwrap();
            answer(&store).await.unwrap();
            send(&store, number).await;
        }
        counted(&admin, (store, stores), 3).await;
        assert_eq!(scans(&admin).await, whole);
    };
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}

/// Messages in one chat, each of which reads and writes a value.
const MESSAGES: u64 = 60;

/// Values of other chats.
const VALUES: &str = "INSERT INTO mynah.state (account, scope, chat, person, key, version, value)
    SELECT a.account, 1, 'other ' || n, '', 'count', n, '1' FROM mynah.account a, generate_series(1, 1000) AS n";

/// The indexes of which a search reads more than a few entries on average.
const LONG_SEARCHES: &str = "SELECT coalesce(string_agg(format('%s: %s in %s', indexrelname, idx_tup_read, idx_scan), '; '), '')
    FROM pg_stat_user_indexes WHERE schemaname = 'mynah' AND idx_tup_read > 4 * idx_scan";

/// Tables are empty when the statements are planned.
#[test]
fn no_message_reads_the_rows_of_those_before_it() {
    let Some(cluster) = Cluster::shared() else { return };
    let story = async {
        let admin = database(cluster, "long").await;
        let (store, stores) = opened(cluster, "long").await;
        admin.batch_execute(VALUES).await.unwrap();
        for number in 1..=MESSAGES {
            store.accept(batch(&number.to_string()), NOW).await.unwrap();
            let (event, snapshot) = store.begin(&Lane::new("g"), NOW).await.unwrap().unwrap();
            let key = "count".to_owned();
            snapshot.get(Scope::Chat, &key);
            let mut turn = reply(event);
            turn.reads = snapshot.reads();
            let change = Change::Add(1);
            turn.effects.writes.push(Write { scope: Scope::Chat, key, change, expires: None });
            store.commit(turn, NOW).await.unwrap();
            send(&store, number).await;
        }
        counted(&admin, (store, stores), MESSAGES).await;
        let long: String = admin.query_one(LONG_SEARCHES, &[]).await.unwrap().get(0);
        assert_eq!(long, "");
    };
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}
