//! Nodes that share accounts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Fleet, Look, NodeInfo, OrderEnd, Store, StoreError, Stores};
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

    /// One look: starts what it gives, and ends what it asks back.
    pub(crate) async fn look(&mut self) -> Look {
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
        // One third more is no reason to move anything, as long as it is not above a tenth of the share.
        two.fleet.drain().await.unwrap();
        settle(&mut [&mut one, &mut two]).await;
        assert_eq!((one.runs.len(), two.runs.len()), (12, 0));
        two.fleet.leave().await.unwrap();
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
