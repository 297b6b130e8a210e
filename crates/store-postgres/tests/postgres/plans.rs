//! How the server finds the rows of a message.

use std::time::Duration;

use mynah_core::{Change, Claim, Lane, Outcome, Scope, StateView, Store, Write};
use mynah_store_postgres::{PostgresStores, Settings};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::cluster::{Cluster, runtime};
use crate::fleet::{database, ended};
use crate::restarts::{NOW, answer, batch, claim, reply};

/// How often the queues were read whole, and how many rows they got.
async fn scans(admin: &Client) -> (i64, i64) {
    let sql = "SELECT sum(seq_scan)::bigint, sum(n_tup_ins)::bigint FROM pg_stat_user_tables
        WHERE relname IN ('inbox', 'outbox', 'state')";
    let row = admin.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

/// Rows that were deleted make a queue long, although the statistics say that it is short.
#[test]
fn no_message_reads_a_whole_queue() {
    let Some(cluster) = Cluster::shared() else { return };
    let story = async {
        let admin = database(cluster, "plans").await;
        admin.batch_execute("ANALYZE mynah.inbox, mynah.outbox, mynah.state").await.unwrap();
        let (whole, _) = scans(&admin).await;
        let settings = Settings::new(&cluster.address("plans"), None, None).unwrap();
        let stores = PostgresStores::new(settings, "test");
        let store = stores.open_store("main").await.unwrap();
        store.recover(NOW).await.unwrap();
        for number in 1..=3 {
            store.accept(batch(&number.to_string()), NOW).await.unwrap();
            answer(&store).await.unwrap();
            let claimed = claim(&store, number).await.unwrap();
            let Claim::Send(outgoing) = claimed else { panic!("{claimed:?}") };
            store.settle(&outgoing.id, Outcome::Accepted, NOW).await.unwrap();
        }
        store.close().await.unwrap();
        drop((store, stores));
        // The server counts when a connection ends.
        ended(&admin).await;
        while scans(&admin).await.1 < 6 {
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(scans(&admin).await.0, whole);
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
        let settings = Settings::new(&cluster.address("long"), None, None).unwrap();
        let stores = PostgresStores::new(settings, "test");
        let store = stores.open_store("main").await.unwrap();
        store.recover(NOW).await.unwrap();
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
            let claimed = claim(&store, number).await.unwrap();
            let Claim::Send(outgoing) = claimed else { panic!("{claimed:?}") };
            store.settle(&outgoing.id, Outcome::Accepted, NOW).await.unwrap();
        }
        store.close().await.unwrap();
        drop((store, stores));
        // The server counts when a connection ends.
        ended(&admin).await;
        let sql = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'outcome'";
        while admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < MESSAGES.cast_signed() {
            sleep(Duration::from_millis(20)).await;
        }
        let long: String = admin.query_one(LONG_SEARCHES, &[]).await.unwrap().get(0);
        assert_eq!(long, "");
    };
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}
