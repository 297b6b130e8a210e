//! How the next holder treats the work that the former one left.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Claim, ClaimRequest, ClaimToken, Lane, Outcome, Store, StoreError};
use mynah_store_postgres::{PostgresStore, PostgresStores, Settings, migrate};
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::cluster::{Cluster, runtime, silence};
use crate::restarts::{NOW, answer, batch, reply};

const MINUTE: Duration = Duration::from_secs(60);

/// The row of a process that does not share accounts is good for this long.
const TTL: Duration = Duration::from_secs(6);

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
        // The former holder gives its requests up as soon as its lease may be another one's.
        let Claim::Wait(until) = claim else { panic!("{claim:?}") };
        assert!(until > NOW && until <= NOW + TTL, "{until:?}");
    });
}

/// Also if the claim is made together with the commit of its turn.
#[test]
fn a_claim_with_a_commit_is_given_up_with_the_lease() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let old = PostgresStores::new(cluster.settings(), "old");
        let store = old.open_store("until of a commit").await.unwrap();
        store.recover(NOW).await.unwrap();
        store.accept(batch("1"), NOW).await.unwrap();
        let (event, _) = store.begin(&Lane::new("g"), NOW).await.unwrap().unwrap();
        let request = ClaimRequest { chat: "g".into(), token: ClaimToken(1), until: NOW + MINUTE };
        store.commit_and_claim(Arc::new(reply(event)), Some(request), NOW).await.unwrap();
        silence(&cluster.admin("bots").await, "until of a commit").await;
        let new = PostgresStores::new(cluster.settings(), "new");
        let claim = repeat(&new.open_store("until of a commit").await.unwrap()).await;
        assert!(matches!(claim, Claim::Wait(until) if until <= NOW + TTL), "{claim:?}");
    });
}

/// A request of the first holder may be under way for a minute when it falls silent or gives the lease back; the second
/// holder gives the lease back before it has settled it.
async fn claim_after_two(cluster: &Cluster, account: &str, first_is_silent: bool) -> Claim {
    let admin = cluster.admin("bots").await;
    let nodes = ["first", "second", "third"];
    let [first, second, third] = nodes.map(|name| PostgresStores::new(cluster.settings(), name));
    let held = sending(&first, account).await;
    let longer = "UPDATE mynah.outbox SET until = $1
        WHERE account = (SELECT account FROM mynah.account WHERE name = $2)";
    admin.execute(longer, &[&(NOW + MINUTE).as_millis(), &account]).await.unwrap();
    match first_is_silent {
        true => silence(&admin, account).await,
        false => held.close().await.unwrap(),
    }
    second.open_store(account).await.unwrap().close().await.unwrap();
    repeat(&third.open_store(account).await.unwrap()).await
}

#[test]
fn a_request_waits_for_the_holder_that_made_it_however_the_next_one_ended() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let claim = claim_after_two(cluster, "silent, then given back", true).await;
        assert_eq!(claim, Claim::Wait(NOW + MINUTE));
    });
}

/// The clock of the former holder was ahead by a day.
#[test]
fn a_request_does_not_wait_for_the_clock_of_a_former_holder() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = cluster.admin("bots").await;
        let old = PostgresStores::new(cluster.settings(), "old");
        let _held = sending(&old, "ahead").await;
        let ahead = "UPDATE mynah.outbox SET until = until + $1, claimed = claimed + $1
            WHERE account = (SELECT account FROM mynah.account WHERE name = 'ahead')";
        admin.execute(ahead, &[&86_400_000_i64]).await.unwrap();
        silence(&admin, "ahead").await;
        let new = PostgresStores::new(cluster.settings(), "new");
        let claim = repeat(&new.open_store("ahead").await.unwrap()).await;
        assert!(matches!(claim, Claim::Wait(until) if until <= NOW + TTL), "{claim:?}");
    });
}

/// The connections of a process end while it lives, and it cannot come back: another one takes the account over early. By
/// then it has given its requests up, although its row is still good.
#[test]
fn a_holder_without_a_connection_gives_its_requests_up_before_the_next_one_has_the_account() {
    const ROLE: &str = "CREATE ROLE mynah_node; CREATE ROLE cut_off LOGIN IN ROLE mynah_node";
    // One after the other: before the first is committed, the process could come back.
    const CUT: [&str; 2] = [
        "ALTER ROLE cut_off NOLOGIN",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'cut_off'",
    ];
    let Some(cluster) = Cluster::start() else { return };
    cluster.admin_runs("postgres", ROLE);
    story(async {
        migrate(&cluster.settings()).await.unwrap();
        let address = cluster.address("bots").replace("mynah@", "cut_off@");
        let old = PostgresStores::new(Settings::new(&address, None, None).unwrap(), "old");
        let held = old.open_store("main").await.unwrap();
        assert!(held.lease_left().unwrap() > Duration::ZERO);
        let admin = cluster.admin("postgres").await;
        for step in CUT {
            admin.batch_execute(step).await.unwrap();
        }
        let new = PostgresStores::new(cluster.settings(), "new");
        let _next = new.open_store("main").await.unwrap();
        assert_eq!(held.lease_left(), Some(Duration::ZERO));
    });
}

/// A store with a reply that waits in chat g, whose connection for claims is open.
async fn waiting(cluster: &Cluster) -> (PostgresStores, PostgresStore) {
    let stores = PostgresStores::new(cluster.settings(), "test");
    let store = stores.open_store("main").await.unwrap();
    store.recover(NOW).await.unwrap();
    store.accept(batch("1"), NOW).await.unwrap();
    let none = store.claim(&"g".into(), ClaimToken(1), NOW + MINUTE, NOW).await;
    assert!(matches!(none, Ok(Claim::Empty)), "{none:?}");
    answer(&store).await.unwrap();
    (stores, store)
}

/// A claim of a reply, and how long the store can count on its lease when it is made.
fn claimed(store: PostgresStore) -> tokio::task::JoinHandle<(Claim, Duration)> {
    tokio::spawn(async move {
        let claim = store.claim(&"g".into(), ClaimToken(2), NOW + MINUTE, NOW).await.unwrap();
        (claim, store.lease_left().unwrap())
    })
}

/// Waits until a query counts something.
async fn until_some(admin: &Client, count: &str) {
    while admin.query_one(count, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// No node can give a sign of life until this transaction ends.
const NO_SIGN: &str = "BEGIN; SELECT 1 FROM mynah.node FOR UPDATE";

/// The control connection ends, and the first sign of life on the next one takes a while. A request that is begun before it
/// would be given up soon.
#[test]
fn a_request_is_not_begun_before_a_new_connection_has_given_a_sign_of_life() {
    const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1298030851";
    const WAITS: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let Some(cluster) = Cluster::start() else { return };
    story(async {
        let (_stores, store) = waiting(&cluster).await;
        let (admin, other) = (cluster.admin("bots").await, cluster.admin("bots").await);
        admin.batch_execute(NO_SIGN).await.unwrap();
        admin.query(END, &[]).await.unwrap();
        while store.lease_left().unwrap() > SECOND {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let claim = claimed(store);
        until_some(&other, WAITS).await;
        admin.batch_execute("COMMIT").await.unwrap();
        let (claim, left) = claim.await.unwrap();
        assert!(matches!(claim, Claim::Send(_)), "{claim:?}");
        assert!(left > SECOND, "{left:?}");
    });
}

/// All connections end during a claim, which is repeated.
#[test]
fn a_request_whose_claim_was_repeated_is_not_begun_before_a_sign_of_life() {
    const CLAIM: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%claim_next%'";
    const END: &str =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mynah'";
    const CLAIMED: &str = "SELECT count(*) FROM mynah.outbox WHERE claimed IS NOT NULL";
    let Some(cluster) = Cluster::start() else { return };
    story(async {
        let (_stores, store) = waiting(&cluster).await;
        let (admin, other) = (cluster.admin("bots").await, cluster.admin("bots").await);
        let takeover =
            "BEGIN; SELECT pg_advisory_xact_lock(1298030849, account) FROM mynah.account";
        other.batch_execute(takeover).await.unwrap();
        let claim = claimed(store);
        until_some(&admin, CLAIM).await;
        admin.batch_execute(NO_SIGN).await.unwrap();
        admin.query(END, &[]).await.unwrap();
        other.batch_execute("COMMIT").await.unwrap();
        until_some(&other, CLAIMED).await;
        admin.batch_execute("COMMIT").await.unwrap();
        let (claim, left) = claim.await.unwrap();
        assert!(matches!(claim, Claim::Send(_)), "{claim:?}");
        assert!(left > SECOND, "{left:?}");
    });
}

#[test]
fn a_request_of_a_holder_that_gave_the_lease_back_is_repeated_at_once() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let claim = claim_after_two(cluster, "given back twice", false).await;
        assert!(matches!(claim, Claim::Send(_)), "{claim:?}");
    });
}

/// The holder lives, finds that the server has crashed, ends its requests and gives the lease back.
#[test]
fn a_request_under_way_at_a_crash_of_the_server_is_repeated_at_once() {
    let Some(cluster) = Cluster::start() else { return };
    story(async {
        let stores = PostgresStores::new(cluster.settings(), "test");
        let store = sending(&stores, "main").await;
        cluster.restart("immediate");
        assert!(matches!(store.sync().await, Err(StoreError::Recovered)));
        store.close().await.unwrap();
        let claim = repeat(&stores.open_store("main").await.unwrap()).await;
        assert!(matches!(claim, Claim::Send(_)), "{claim:?}");
    });
}

/// Without `[fleet]` a process outlives an outage of the database, but not its requests.
#[test]
fn a_lease_runs_out_while_the_server_is_away_and_is_renewed_when_it_is_back() {
    let Some(cluster) = Cluster::start() else { return };
    story(async {
        let stores = PostgresStores::new(cluster.settings(), "test");
        let store = stores.open_store("main").await.unwrap();
        store.recover(NOW).await.unwrap();
        store.accept(batch("1"), NOW).await.unwrap();
        answer(&store).await.unwrap();
        cluster.stop();
        while store.lease_left().unwrap() > Duration::ZERO {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cluster.begin();
        let claim = store.claim(&"g".into(), ClaimToken(1), NOW + MINUTE, NOW).await;
        assert!(matches!(claim, Ok(Claim::Send(_))), "{claim:?}");
        assert!(store.lease_left().unwrap() > Duration::ZERO);
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
