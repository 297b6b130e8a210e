//! How the server finds the rows of a message.

use std::time::Duration;

use mynah_core::{Claim, Outcome, Store};
use mynah_store_postgres::{PostgresStores, Settings};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::cluster::{Cluster, runtime};
use crate::fleet::{database, ended};
use crate::restarts::{NOW, answer, batch, claim};

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
