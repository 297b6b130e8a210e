//! Nodes that share accounts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Assignment, Fleet, NodeInfo, OrderEnd, Store, StoreError, Stores};
use mynah_store_postgres::{PostgresStores, migrate};
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::cluster::{Cluster, runtime, silence};
use crate::restarts::NOW;

/// A node with the accounts that it runs.
pub(crate) struct Member {
    pub(crate) fleet: Arc<dyn Fleet>,
    pub(crate) runs: BTreeMap<String, Arc<dyn Store>>,
}

impl Member {
    pub(crate) async fn join(cluster: &Cluster, database: &str, info: NodeInfo) -> Self {
        let settings = mynah_store_postgres::Settings::new(&cluster.address(database), None, None);
        let stores = PostgresStores::new(settings.unwrap(), &info.name);
        let fleet = stores.fleet().unwrap();
        fleet.join(info).await.unwrap();
        Self { fleet, runs: BTreeMap::new() }
    }

    /// One look: starts the accounts it gives, and ends those it asks back.
    pub(crate) async fn look(&mut self) -> Assignment {
        let mut look = self.fleet.look().await.unwrap();
        for taken in look.take.drain(..) {
            taken.store.recover(NOW).await.unwrap();
            self.runs.insert(taken.account, taken.store);
        }
        for account in &look.give {
            self.end(account).await;
        }
        look
    }

    pub(crate) async fn end(&mut self, account: &str) {
        if let Some(store) = self.runs.remove(account) {
            store.close().await.unwrap();
        }
        self.fleet.give(account).await.unwrap();
    }

    fn names(&self) -> Vec<&str> {
        self.runs.keys().map(String::as_str).collect()
    }
}

/// A node that can run so many accounts.
pub(crate) fn node(name: &str, accounts: usize) -> NodeInfo {
    let accounts = (0..accounts).map(|number| format!("account {number:03}")).collect();
    NodeInfo { ttl: Duration::from_secs(60), ..NodeInfo::new(name, accounts) }
}

/// Looks until nothing changes any more.
pub(crate) async fn settle(members: &mut [&mut Member]) {
    let mut quiet = 0;
    while quiet < 2 {
        quiet += 1;
        for member in members.iter_mut() {
            let before = member.runs.len();
            let look = member.look().await;
            if member.runs.len() != before || !look.give.is_empty() {
                quiet = 0;
            }
        }
    }
}

/// A database of its own. A node takes the accounts of others at once in it.
pub(crate) async fn database(cluster: &Cluster, name: &str) -> Client {
    let admin = cluster.admin("postgres").await;
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let settings = mynah_store_postgres::Settings::new(&cluster.address(name), None, None);
    migrate(&settings.unwrap()).await.unwrap();
    let admin = cluster.admin(name).await;
    admin.batch_execute(crate::cluster::SILENCE).await.unwrap();
    // The first beat of a node is over at once.
    let sql = "ALTER TABLE mynah.node ALTER COLUMN joined SET DEFAULT clock_timestamp() - interval '1 hour'";
    admin.batch_execute(sql).await.unwrap();
    admin
}

fn story(story: impl Future<Output = ()>) {
    runtime().block_on(async { timeout(Duration::from_secs(60), story).await.unwrap() });
}

#[test]
fn nodes_share_accounts_by_weight_and_give_back_what_is_too_much() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        database(cluster, "shares").await;
        let mut one = Member::join(cluster, "shares", node("one", 12)).await;
        settle(&mut [&mut one]).await;
        assert_eq!(one.runs.len(), 12);
        let two = NodeInfo { weight: 2, ..node("two", 12) };
        let mut two = Member::join(cluster, "shares", two).await;
        settle(&mut [&mut one, &mut two]).await;
        assert_eq!((one.runs.len(), two.runs.len()), (4, 8));
        let overview = one.fleet.overview().await.unwrap();
        let nodes: Vec<_> =
            overview.nodes.iter().map(|node| (node.name.as_str(), node.held, node.share)).collect();
        assert_eq!(nodes, [("one", 4, 4), ("two", 8, 8)]);
        assert!(overview.accounts.iter().all(|account| account.runners == 2));
        for store in one.runs.values().chain(two.runs.values()) {
            store.sync().await.unwrap();
        }
        // One third more is not a reason to move anything, as long as it is not above a tenth of the share.
        two.fleet.drain().await.unwrap();
        settle(&mut [&mut one, &mut two]).await;
        assert_eq!((one.runs.len(), two.runs.len()), (12, 0));
        two.fleet.leave().await.unwrap();
    });
}

#[test]
fn a_glance_finds_work_exactly_if_a_look_could() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "glances").await;
        let mut one = Member::join(cluster, "glances", node("one", 2)).await;
        let mut two = Member::join(cluster, "glances", node("two", 3)).await;
        settle(&mut [&mut one, &mut two]).await;
        // Of account 2, which this node does not offer, it sees nothing.
        let lease = |number: u32, change: &str| {
            format!(
                "UPDATE mynah.lease l SET {change} FROM mynah.account a
                    WHERE a.account = l.account AND a.name = 'account 00{number}'"
            )
        };
        let node = |name: &str, change: &str| {
            format!("UPDATE mynah.node SET {change} WHERE name = '{name}'")
        };
        let changes = [
            (String::new(), false),
            (lease(0, "holder = NULL"), true),
            (lease(0, "holder = NULL, not_before = now() + interval '1 hour'"), false),
            (lease(0, "holder = NULL, not_before = now()"), true),
            (lease(2, "holder = NULL"), false),
            (node("two", "expires = now() - interval '1 ms'"), true),
            (node("one", "expires = now() - interval '1 ms'"), true),
            (node("one", "draining = true"), true),
        ];
        for (change, is_seen) in changes {
            admin.batch_execute(&format!("BEGIN; {change}")).await.unwrap();
            let sql =
                "SELECT g.o_look FROM mynah.node n, mynah.glance_1(n.id) g WHERE n.name = 'one'";
            let looks: bool = admin.query_one(sql, &[]).await.unwrap().get(0);
            assert_eq!(looks, is_seen, "{change}");
            admin.batch_execute("ROLLBACK").await.unwrap();
        }
        two.fleet.leave().await.unwrap();
        one.fleet.leave().await.unwrap();
    });
}

#[test]
fn a_node_with_a_long_ttl_takes_accounts_of_others_as_soon_as_any() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "patient").await;
        let sql = "ALTER TABLE mynah.node ALTER COLUMN joined SET DEFAULT clock_timestamp() - interval '3 s'";
        admin.batch_execute(sql).await.unwrap();
        let info = NodeInfo { ttl: Duration::from_secs(3600), ..node("one", 2) };
        let mut one = Member::join(cluster, "patient", info).await;
        one.look().await;
        assert_eq!(one.runs.len(), 2);
        one.fleet.leave().await.unwrap();
    });
}

#[test]
fn an_account_that_no_live_node_names_is_known_as_such() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        database(cluster, "unnamed").await;
        let mut one = Member::join(cluster, "unnamed", node("one", 2)).await;
        settle(&mut [&mut one]).await;
        one.fleet.drain().await.unwrap();
        let named = async |fleet: &dyn Fleet| {
            let accounts = fleet.overview().await.unwrap().accounts;
            accounts.iter().map(|account| account.is_named).collect::<Vec<_>>()
        };
        assert_eq!(named(&*one.fleet).await, [true, true], "a node that drains has them, too");
        one.fleet.join(node("one", 1)).await.unwrap();
        assert_eq!(named(&*one.fleet).await, [true, false]);
        one.fleet.leave().await.unwrap();
        assert_eq!(named(&*one.fleet).await, [false, false]);
    });
}

#[test]
fn an_account_goes_to_its_last_node_first() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        database(cluster, "sticky").await;
        let mut one = Member::join(cluster, "sticky", node("one", 6)).await;
        let mut two = Member::join(cluster, "sticky", node("two", 6)).await;
        settle(&mut [&mut one, &mut two]).await;
        let had = one.names().iter().map(ToString::to_string).collect::<Vec<_>>();
        for name in &had {
            one.end(name).await;
        }
        one.look().await;
        assert_eq!(one.names(), had);
    });
}

#[test]
fn the_accounts_of_a_node_without_a_sign_are_taken_and_its_stores_are_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "silent").await;
        let mut one = Member::join(cluster, "silent", node("one", 2)).await;
        let mut two = Member::join(cluster, "silent", node("two", 2)).await;
        settle(&mut [&mut one, &mut two]).await;
        let (account, store) = one.runs.first_key_value().unwrap();
        silence(&admin, account).await;
        settle(&mut [&mut two]).await;
        assert_eq!(two.runs.len(), 2);
        assert!(matches!(store.sync().await, Err(StoreError::LeaseLost)));
        // It finds that it has expired, and comes back as a new incarnation.
        let look = one.fleet.look().await.unwrap();
        assert_eq!(look.give, std::slice::from_ref(account));
        store.lease_lost().await;
    });
}

#[test]
fn an_order_is_taken_once_and_answered_under_the_lease() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        database(cluster, "orders").await;
        let mut one = Member::join(cluster, "orders", node("one", 1)).await;
        one.look().await;
        let fleet = &one.fleet;
        let minute = Duration::from_secs(60);
        let id = fleet.order("account 000", "{\"mute\":1}", "pat", minute).await.unwrap();
        one.fleet.changed().await;
        let orders = fleet.orders().await.unwrap();
        assert_eq!(orders.len(), 1);
        assert_eq!((orders[0].id.as_str(), orders[0].by.as_str()), (id.as_str(), "pat"));
        assert!(fleet.orders().await.unwrap().is_empty());
        fleet.answer(&id, true, "done").await.unwrap();
        let end = fleet.wait_for(&id).await.unwrap();
        let text = "done".to_owned();
        assert_eq!(end, OrderEnd::Answered { is_done: true, text, node: "one".to_owned() });
        let late = fleet.order("account 000", "x", "pat", Duration::ZERO).await.unwrap();
        assert_eq!(fleet.wait_for(&late).await.unwrap(), OrderEnd::NotTaken);
        assert!(fleet.orders().await.unwrap().is_empty());
        let nobody = fleet.order("nobody", "x", "pat", minute).await;
        assert!(matches!(nobody, Err(StoreError::Unsupported { .. })), "{nobody:?}");
    });
}

/// The state of the only account.
async fn state(fleet: &dyn Fleet) -> mynah_core::AccountState {
    fleet.overview().await.unwrap().accounts.remove(0)
}

#[test]
fn an_account_that_fails_is_kept_off_the_nodes_for_longer_each_time() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "poisoned").await;
        let mut one = Member::join(cluster, "poisoned", node("one", 1)).await;
        let mut waits = Vec::new();
        for failures in 1..=3 {
            one.look().await;
            let (account, store) = one.runs.pop_first().unwrap();
            store.close().await.unwrap();
            one.fleet.poison(&account, "the rules are broken").await.unwrap();
            assert!(one.look().await.take.is_empty() && one.runs.is_empty());
            let state = state(&*one.fleet).await;
            assert_eq!(
                (state.failures, state.trouble.as_deref()),
                (failures, Some("the rules are broken"))
            );
            waits.push(state.not_before.unwrap().since(state.since));
            admin.batch_execute("UPDATE mynah.lease SET not_before = now()").await.unwrap();
        }
        assert_eq!(waits, [10, 20, 40].map(Duration::from_secs));
        one.look().await;
        // After a while on a node it counts as sound.
        admin
            .batch_execute("UPDATE mynah.lease SET since = now() - interval '1 hour'")
            .await
            .unwrap();
        one.look().await;
        assert_eq!(state(&*one.fleet).await.failures, 0);
    });
}

/// Waits until no process but the operator is connected.
pub(crate) async fn ended(admin: &Client) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mynah'";
    while admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn the_accounts_of_an_ended_process_are_taken_at_once_but_not_if_nodes_end_on_them() {
    let Some(cluster) = Cluster::shared() else { return };
    let operator = runtime();
    let admin = operator.block_on(database(cluster, "deadly"));
    let mut kept = Vec::new();
    for number in 0..5 {
        // The end of its runtime is that of the process. Its row is good for a minute longer.
        let process = runtime();
        kept.push(process.block_on(async {
            let mut member = Member::join(cluster, "deadly", node("one", 1)).await;
            let taken = async {
                while member.runs.is_empty() {
                    member.look().await;
                    member.fleet.changed().await;
                }
            };
            let in_time = timeout(Duration::from_secs(30), taken).await;
            assert!(in_time.is_ok(), "process {number} does not take the account of the last one");
            member
        }));
        process.shutdown_background();
        operator.block_on(ended(&admin));
    }
    operator.block_on(async {
        let mut last = Member::join(cluster, "deadly", node("two", 1)).await;
        let backed_off = async {
            while state(&*last.fleet).await.not_before.is_none() {
                last.look().await;
                last.fleet.changed().await;
            }
        };
        assert!(timeout(Duration::from_secs(30), backed_off).await.is_ok());
        let state = state(&*last.fleet).await;
        assert_eq!((state.failures, state.node), (5, None));
        let trouble = state.trouble.unwrap();
        assert!(trouble.contains("5 nodes in a row"), "{trouble}");
    });
}

#[test]
fn an_ended_node_gets_no_share_once_its_accounts_are_taken() {
    let Some(cluster) = Cluster::shared() else { return };
    let (process, operator) = (runtime(), runtime());
    let admin = operator.block_on(database(cluster, "phantom"));
    let ended_one = process.block_on(async {
        let mut one = Member::join(cluster, "phantom", node("one", 4)).await;
        settle(&mut [&mut one]).await;
        one
    });
    process.shutdown_background();
    operator.block_on(async {
        ended(&admin).await;
        let mut two = Member::join(cluster, "phantom", node("two", 4)).await;
        let takes_all = async {
            while two.runs.len() < 4 {
                two.look().await;
                two.fleet.changed().await;
            }
        };
        assert!(timeout(Duration::from_secs(30), takes_all).await.is_ok());
        // The row of the other one is good for a minute.
        for _ in 0..3 {
            assert_eq!(two.look().await.give, [""; 0]);
        }
    });
    drop(ended_one);
}

#[test]
fn an_account_is_not_left_alone_after_five_ends_while_other_nodes_end_as_well() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "storm").await;
        for (others, most) in [(0, 5), (1, 10)] {
            let ended = "INSERT INTO mynah.node (id, name, version, beaten, expires)
                SELECT gen_random_uuid(), 'ended', '1', now(), now() FROM generate_series(1, $1)";
            let number = if others == 0 { 5 } else { others };
            admin.execute(ended, &[&number]).await.unwrap();
            let sql =
                "SELECT mynah.most_deaths_1(5, now() - interval '1 minute', clock_timestamp())";
            assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, i32>(0), most);
        }
    });
}

/// The tenth end counts as the first one that the account is left alone for.
#[test]
fn an_account_is_left_alone_for_ten_seconds_first_after_ten_ends_as_well() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "tenth").await;
        let mut one = Member::join(cluster, "tenth", node("one", 1)).await;
        let others = "INSERT INTO mynah.node (id, name, version, beaten, expires)
            SELECT gen_random_uuid(), 'ended', '1', now(), now() FROM generate_series(1, 11)";
        admin.batch_execute(others).await.unwrap();
        // Its connection has ended, and it does not beat any more.
        let ended = "WITH node AS (
                INSERT INTO mynah.node (id, name, version, beaten, expires)
                    VALUES (gen_random_uuid(), 'two', '1', now() - interval '5 seconds', now() + interval '1 minute')
                    RETURNING id, number
            ), session AS (
                INSERT INTO mynah.session (number, server) SELECT number, pg_postmaster_start_time() FROM node
            )
            UPDATE mynah.lease SET holder = id, since = now() - interval '6 seconds',
                deaths = 9, deaths_since = now() - interval '1 minute' FROM node";
        admin.batch_execute(ended).await.unwrap();
        one.look().await;
        let state = state(&*one.fleet).await;
        assert_eq!((state.failures, state.node), (10, None));
        assert_eq!(state.not_before.unwrap().since(state.since), Duration::from_secs(10));
    });
}

/// The other accounts are looked for after them, and there are fewer places than accounts.
#[test]
fn accounts_under_suspicion_take_no_place_of_others() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "places").await;
        let mut one = Member::join(cluster, "places", node("one", 40)).await;
        let mut two = Member::join(cluster, "places", node("two", 40)).await;
        let suspects = "UPDATE mynah.lease SET deaths = 5 WHERE account IN
            (SELECT account FROM mynah.account WHERE name >= 'account 010')";
        admin.batch_execute(suspects).await.unwrap();
        one.look().await;
        let sound = (0..10).map(|number| format!("account {number:03}"));
        assert!(sound.clone().all(|account| one.runs.contains_key(&account)), "{:?}", one.names());
        assert_eq!(one.runs.len(), 11, "one of the others as well");
        two.look().await;
        assert_eq!(two.runs.len(), 1);
        one.look().await;
        assert_eq!(one.runs.len(), 11, "the next one waits until this one is sound");
    });
}

/// The node that is below its share has one of them, and the others wait.
#[test]
fn an_account_under_suspicion_does_not_wait_for_a_node_below_its_share() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "waiting").await;
        let mut one = Member::join(cluster, "waiting", node("one", 6)).await;
        let _two = Member::join(cluster, "waiting", node("two", 6)).await;
        one.look().await;
        assert_eq!(one.runs.len(), 3);
        let suspects = "UPDATE mynah.lease SET deaths = 5, holder = gen_random_uuid(), since = now() - interval '1 hour'
            WHERE holder IS NULL";
        admin.batch_execute(suspects).await.unwrap();
        for _ in 0..3 {
            let look = one.look().await;
            assert_eq!((one.runs.len(), look.give), (4, Vec::new()));
        }
    });
}

/// Two nodes end soon after they took the account, and a third one runs it.
#[test]
fn an_account_that_runs_for_a_while_is_not_blamed_for_nodes_that_ended_before() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "sound").await;
        let mut one = Member::join(cluster, "sound", node("one", 1)).await;
        settle(&mut [&mut one]).await;
        let died = "UPDATE mynah.lease SET deaths = 4, trouble = '4 nodes in a row ended with it'";
        admin.batch_execute(died).await.unwrap();
        one.look().await;
        assert_eq!(state(&*one.fleet).await.failures, 4);
        let later = "UPDATE mynah.lease SET since = now() - interval '11 seconds'";
        admin.batch_execute(later).await.unwrap();
        one.look().await;
        let now = state(&*one.fleet).await;
        assert_eq!((now.failures, now.trouble), (0, None));
    });
}

/// As an account whose session is over, which another node could not log in either.
#[test]
fn an_account_whose_store_is_closed_stays_with_its_node_until_it_is_given_back() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        database(cluster, "stays").await;
        let mut one = Member::join(cluster, "stays", node("one", 1)).await;
        settle(&mut [&mut one]).await;
        let mut two = Member::join(cluster, "stays", node("two", 1)).await;
        let (account, store) = one.runs.pop_first().unwrap();
        store.close().await.unwrap();
        assert!(matches!(store.sync().await, Err(StoreError::Closed)));
        drop(store);
        settle(&mut [&mut one, &mut two]).await;
        assert!(one.runs.is_empty() && two.runs.is_empty());
        let state = state(&*one.fleet).await;
        assert_eq!((state.node.as_deref(), state.epoch), (Some("one"), 1));
        one.fleet.give(&account).await.unwrap();
        settle(&mut [&mut one, &mut two]).await;
        assert_eq!(one.runs.len() + two.runs.len(), 1);
    });
}

/// It has lost its connection, and its next beat is not due yet.
#[test]
fn a_node_is_not_taken_for_ended_before_its_next_beat_is_late() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "late").await;
        let sql = "WITH times (ago, ttl) AS (VALUES ('750 ms', '6 s'), ('2 s', '6 s'), ('750 ms', '30 ms'), ('1 s', '900 ms'))
            INSERT INTO mynah.node (id, name, version, beaten, expires)
            SELECT gen_random_uuid(), ttl || ago, '1', now() - ago::interval, now() - ago::interval + ttl::interval FROM times";
        let judge = "SELECT array_agg(mynah.is_ended_1(n) ORDER BY n.number) FROM mynah.node n";
        admin
            .batch_execute(&format!(
                "BEGIN; {sql}; INSERT INTO mynah.session (number, server)
            SELECT number, pg_postmaster_start_time() FROM mynah.node"
            ))
            .await
            .unwrap();
        let is_ended: Vec<bool> = admin.query_one(judge, &[]).await.unwrap().get(0);
        assert_eq!(is_ended, [false, true, true, true]);
    });
}

#[test]
fn texts_of_orders_are_not_kept_after_their_end() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "texts").await;
        let mut one = Member::join(cluster, "texts", node("one", 1)).await;
        one.look().await;
        let minute = Duration::from_secs(60);
        let answered = one.fleet.order("account 000", "a secret", "pat", minute).await.unwrap();
        assert_eq!(one.fleet.orders().await.unwrap().len(), 1);
        one.fleet.answer(&answered, true, "done").await.unwrap();
        let late = one.fleet.order("account 000", "a secret", "pat", Duration::ZERO).await.unwrap();
        assert!(one.fleet.orders().await.unwrap().is_empty());
        let sql = "SELECT count(*), count(*) FILTER (WHERE body = '' AND done IS NOT NULL) FROM mynah.\"order\"";
        let row = admin.query_one(sql, &[]).await.unwrap();
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (2, 2));
        assert!(matches!(one.fleet.wait_for(&late).await.unwrap(), OrderEnd::NotTaken));
        let older = "UPDATE mynah.\"order\" SET expires = expires - interval '2 days'";
        admin.batch_execute(older).await.unwrap();
        one.fleet.orders().await.unwrap();
        assert_eq!(admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0), 0);
    });
}

/// Nodes that ended do not make the first failure of an account count like the fifth.
#[test]
fn the_ends_of_nodes_do_not_lengthen_the_back_off_of_a_failure() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "two_counts").await;
        let mut one = Member::join(cluster, "two_counts", node("one", 1)).await;
        settle(&mut [&mut one]).await;
        admin.batch_execute("UPDATE mynah.lease SET deaths = 4").await.unwrap();
        let (account, store) = one.runs.pop_first().unwrap();
        store.close().await.unwrap();
        one.fleet.poison(&account, "the rules are broken").await.unwrap();
        let state = state(&*one.fleet).await;
        assert_eq!(state.not_before.unwrap().since(state.since), Duration::from_secs(10));
    });
}

#[test]
fn an_account_stays_in_its_zone_unless_the_zone_is_empty_for_long_enough() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "zones").await;
        let zone = |name: &str, zone: &str| NodeInfo { zone: zone.to_owned(), ..node(name, 1) };
        let mut east = Member::join(cluster, "zones", zone("one", "east")).await;
        settle(&mut [&mut east]).await;
        silence(&admin, "account 000").await;
        let mut west = Member::join(cluster, "zones", zone("two", "west")).await;
        settle(&mut [&mut west]).await;
        assert!(west.runs.is_empty());
        let leaving =
            NodeInfo { leave_zone_after: Some(Duration::from_secs(60)), ..zone("two", "west") };
        west.fleet.join(leaving).await.unwrap();
        settle(&mut [&mut west]).await;
        assert!(west.runs.is_empty(), "not for long enough");
        admin
            .batch_execute("UPDATE mynah.lease SET since = now() - interval '2 minutes'")
            .await
            .unwrap();
        settle(&mut [&mut west]).await;
        assert_eq!(west.runs.len(), 1);
        assert_eq!(state(&*west.fleet).await.zone.as_deref(), Some("west"));
    });
}

#[test]
fn an_account_moves_to_the_node_that_an_operator_names() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        database(cluster, "moves").await;
        let mut one = Member::join(cluster, "moves", node("one", 1)).await;
        settle(&mut [&mut one]).await;
        let nowhere = one.fleet.move_account("account 000", "two").await;
        assert!(matches!(nowhere, Err(StoreError::Unsupported { .. })), "{nowhere:?}");
        let other = NodeInfo { zone: "west".to_owned(), ..node("two", 1) };
        let mut two = Member::join(cluster, "moves", other).await;
        settle(&mut [&mut one, &mut two]).await;
        assert_eq!((one.runs.len(), two.runs.len()), (1, 0));
        one.fleet.move_account("account 000", "two").await.unwrap();
        settle(&mut [&mut one, &mut two]).await;
        assert_eq!((one.runs.len(), two.runs.len()), (0, 1));
        assert_eq!(state(&*one.fleet).await.moving_to, None);
    });
}

#[test]
fn after_a_restore_all_leases_are_free_and_their_numbers_new() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        database(cluster, "restored").await;
        let mut one = Member::join(cluster, "restored", node("one", 2)).await;
        settle(&mut [&mut one]).await;
        let before = state(&*one.fleet).await.epoch;
        assert_eq!(one.fleet.restored().await.unwrap(), 2);
        let store = Arc::clone(&one.runs["account 000"]);
        assert!(matches!(store.sync().await, Err(StoreError::LeaseLost)));
        settle(&mut [&mut one]).await;
        store.lease_lost().await;
        assert_eq!(one.runs.len(), 2);
        one.runs["account 000"].sync().await.unwrap();
        assert!(state(&*one.fleet).await.epoch > before + 1_000_000);
    });
}

#[test]
fn an_order_whose_taker_lost_the_account_goes_to_the_next_holder() {
    let Some(cluster) = Cluster::shared() else { return };
    story(async {
        let admin = database(cluster, "order_again").await;
        let mut one = Member::join(cluster, "order_again", node("one", 1)).await;
        settle(&mut [&mut one]).await;
        let minute = Duration::from_secs(60);
        let id = one.fleet.order("account 000", "x", "pat", minute).await.unwrap();
        assert_eq!(one.fleet.orders().await.unwrap().len(), 1);
        silence(&admin, "account 000").await;
        let mut two = Member::join(cluster, "order_again", node("two", 1)).await;
        settle(&mut [&mut two]).await;
        one.fleet.answer(&id, true, "too late").await.unwrap();
        assert_eq!(two.fleet.orders().await.unwrap()[0].id, id);
        two.fleet.answer(&id, true, "done").await.unwrap();
        let end = one.fleet.wait_for(&id).await.unwrap();
        let text = "done".to_owned();
        assert_eq!(end, OrderEnd::Answered { is_done: true, text, node: "two".to_owned() });
    });
}

#[test]
fn a_server_that_is_away_for_longer_than_the_ttl_ends_accounts_and_gives_them_back() {
    let Some(cluster) = Cluster::start() else { return };
    story(async {
        let ttl = Duration::from_millis(600);
        let mut one = Member::join(&cluster, "bots", NodeInfo { ttl, ..node("one", 2) }).await;
        while one.runs.len() < 2 {
            one.look().await;
            one.fleet.changed().await;
        }
        cluster.stop();
        let store = Arc::clone(&one.runs["account 000"]);
        store.lease_lost().await;
        assert!(matches!(store.sync().await, Err(StoreError::LeaseLost)));
        cluster.begin();
        one.look().await;
        assert_eq!(one.runs.len(), 0, "what is lost is ended first");
        one.look().await;
        assert_eq!(one.runs.len(), 2, "its own accounts, without waiting for a beat");
        one.runs["account 000"].sync().await.unwrap();
    });
}
