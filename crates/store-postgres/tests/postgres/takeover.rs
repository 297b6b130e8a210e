//! How the next holder treats the work that the former one left.

use std::time::Duration;

use mynah_core::{Claim, ClaimToken, Lane, Outcome, Store};
use mynah_store_postgres::{PostgresStore, PostgresStores};
use tokio::time::timeout;

use crate::cluster::{Cluster, runtime, silence};
use crate::restarts::{NOW, answer, batch};

const MINUTE: Duration = Duration::from_secs(60);

fn story(story: impl Future<Output = ()>) {
    runtime().block_on(async { timeout(MINUTE, story).await.unwrap() });
}

/// A holder whose request to send a reply may be under way for a minute.
async fn sending(stores: &PostgresStores, account: &str) -> PostgresStore {
    let store = stores.open_store(account).await.unwrap();
    store.recover(NOW).await.unwrap();
    store.accept(batch("1"), NOW).await.unwrap();
    answer(&store).await.unwrap();
    let claim = store.claim(&"g".into(), ClaimToken(1), NOW + MINUTE, NOW).await;
    assert!(matches!(claim, Ok(Claim::Send(_))), "{claim:?}");
    store
}

/// The next holder finds the reply in doubt and wants to repeat it at once.
async fn repeat(store: &PostgresStore) -> Claim {
    let recovered = store.recover(NOW).await.unwrap();
    let outcome = Outcome::Unknown { reason: "the bot ended".to_owned(), again_at: Some(NOW) };
    store.settle(&recovered.in_doubt[0], outcome, NOW).await.unwrap();
    store.claim(&"g".into(), ClaimToken(2), NOW, NOW).await.unwrap()
}

#[test]
fn a_request_of_a_holder_that_may_live_is_not_repeated_before_it_is_given_up() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let old = PostgresStores::new(cluster.settings(), "old");
        let _held = sending(&old, "until").await;
        silence(&cluster.admin("bots").await, "until").await;
        let new = PostgresStores::new(cluster.settings(), "new");
        let claim = repeat(&new.open_store("until").await.unwrap()).await;
        assert_eq!(claim, Claim::Wait(NOW + MINUTE));
    });
}

#[test]
fn a_request_of_a_holder_that_has_ended_is_repeated_at_once() {
    let Some(cluster) = Cluster::shared() else { return };
    // The end of this runtime is that of the process.
    let first = runtime();
    let held = first.block_on(async {
        let stores = PostgresStores::new(cluster.settings(), "old");
        (sending(&stores, "ended").await, stores)
    });
    first.shutdown_background();
    story(async {
        let new = PostgresStores::new(cluster.settings(), "new");
        let claim = repeat(&new.open_store("ended").await.unwrap()).await;
        assert!(matches!(claim, Claim::Send(_)), "{claim:?}");
    });
    drop(held);
}

#[test]
fn an_event_is_not_blamed_for_holders_that_were_cut_off() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = cluster.admin("bots").await;
        let mut cut_off = Vec::new();
        for n in 0..5 {
            let stores = PostgresStores::new(cluster.settings(), &format!("node {n}"));
            let store = stores.open_store("cut off").await.unwrap();
            let recovered = store.recover(NOW).await.unwrap();
            assert!(
                recovered.set_aside.is_empty() && recovered.suspects.is_empty(),
                "{recovered:?}"
            );
            store.accept(batch("1"), NOW).await.unwrap();
            assert!(store.begin(&Lane::new("g"), NOW).await.unwrap().is_some());
            silence(&admin, "cut off").await;
            cut_off.push((store, stores));
        }
    });
}
