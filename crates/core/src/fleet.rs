//! Sharing the accounts of one database among several processes, called nodes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Rate, Store, StoreError, Timestamp};

/// One node's part in sharing the accounts of a database, and the view of an operator on all nodes.
///
/// A node joins, then calls [`look`](Self::look) again and again: whenever [`changed`](Self::changed) returns. There is no
/// leader: each node computes its share from the same rows. All moments are those of the clock of the database.
///
/// A node that cannot renew its sign of life within its TTL has lost all its accounts: each call of their stores gives
/// [`StoreError::LeaseLost`], and [`Store::lease_lost`] returns. The next look joins again as a new incarnation.
///
/// Calls of operators ([`overview`](Self::overview), [`order`](Self::order) and those below it) need no join.
///
/// # Errors
///
/// Each call waits up to half a minute for a database that cannot be reached, then gives [`StoreError::Unreachable`];
/// [`StoreError::Newer`] if the tables need a newer program. A call can be repeated.
///
/// # Cancellation
///
/// A cancelled call may have taken effect. [`changed`](Self::changed) has none, and loses no news if it is cancelled. A
/// look that is cancelled may have taken accounts; the next look returns them.
#[async_trait]
pub trait Fleet: fmt::Debug + Send + Sync {
    /// Registers this node, or changes what it said of itself: its accounts after a reload of the settings, its weight.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] for values that no fleet can work with: a weight of zero, a TTL below half a second.
    async fn join(&self, node: NodeInfo) -> Result<(), StoreError>;

    /// Takes accounts up to the share of this node, and returns what changed for it since the last look. Takes free
    /// accounts and those of nodes that have died, preferring those that this node held last. Never waits for other nodes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] if the node has not joined.
    async fn look(&self) -> Result<Assignment, StoreError>;

    /// Gives an account back, after its store was closed or dropped. Until then no other node takes it, as long as this one
    /// lives. Other nodes learn of it at once. Does nothing if this node does not hold the account.
    async fn give(&self, account: &str) -> Result<(), StoreError>;

    /// Gives an account back which failed, so that it is not passed from node to node: no node takes it for a time, which
    /// doubles with each failure in a row, from ten seconds up to an hour. The reason is for people. A node that has held the
    /// account for ten minutes before counts as its recovery.
    async fn poison(&self, account: &str, reason: &str) -> Result<(), StoreError>;

    /// Stops taking accounts: later looks return all accounts of this node in [`Assignment::give`]. Undone by the next
    /// [`join`](Self::join).
    async fn drain(&self) -> Result<(), StoreError>;

    /// Leaves: gives back all accounts that this node still holds and removes its row. Close the stores first.
    async fn leave(&self) -> Result<(), StoreError>;

    /// Returns when another look may find something, or orders came: at a message of another node, when time has made an
    /// account free, or after the TTL at the latest. Cancel safe.
    async fn changed(&self);

    /// Stores what people see of the accounts that this node holds; rows of other accounts are dropped. May be lost when
    /// the server of the database crashes.
    async fn publish(&self, rows: Vec<LiveRow>) -> Result<(), StoreError>;

    /// Takes the orders for the accounts that this node holds. Each order is returned once: a second look does not see it.
    /// If the node dies before it answers, the next holder of the account gets the order once more. An order whose id is
    /// that of the event it becomes therefore takes effect once.
    async fn orders(&self) -> Result<Vec<Order>, StoreError>;

    /// Answers an order that [`orders`](Self::orders) returned. An answer after the account went to another node is dropped.
    async fn answer(&self, order: &str, is_done: bool, text: &str) -> Result<(), StoreError>;

    /// All nodes and accounts.
    async fn overview(&self) -> Result<Overview, StoreError>;

    /// What the holders have published, in the order of the names of the accounts.
    async fn live(&self) -> Result<Vec<Live>, StoreError>;

    /// Queues an order for the holder of an account and returns its id. An order that is not taken within `within` is
    /// refused.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] if the database has no account with this name.
    async fn order(
        &self,
        account: &str,
        body: &str,
        by: &str,
        within: Duration,
    ) -> Result<String, StoreError>;

    /// Waits for the end of an order: at most until it expires and, if it was taken, half a minute longer.
    async fn wait_for(&self, order: &str) -> Result<OrderEnd, StoreError>;

    /// Marks all live nodes of a name as draining. Returns how many there were.
    async fn drain_node(&self, node: &str) -> Result<u64, StoreError>;

    /// Moves an account to a node of this name, also into another zone: its holder gives it back, and the other takes it
    /// before all others. If it does not within a minute, any node takes it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] if there is no such account, or no live node of this name that can run it.
    async fn move_account(&self, account: &str, node: &str) -> Result<(), StoreError>;

    /// After a backup was put back: frees all leases, and raises all their numbers beyond those that any process may still
    /// hold. Returns the number of accounts.
    async fn restored(&self) -> Result<u64, StoreError>;
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// The name, the same after a restart, so that the node gets its accounts back.
    pub name: String,
    /// Nodes in one zone reach the service from the same address. An account stays in its zone; empty is a zone, too.
    pub zone: String,
    /// An account moves into another zone if its own had no live node for this long; `None` for never.
    pub leave_zone_after: Option<Duration>,
    /// The share of this node in proportion to the others; at least 1.
    pub weight: u32,
    /// The node counts as dead after this time without a sign of life. It gives one three times as often.
    pub ttl: Duration,
    /// How many accounts of this node may resume their sessions within a time.
    pub starts: Rate,
    /// How many accounts of a zone may log in anew within a time.
    pub logins: Rate,
    /// The accounts that this node can run.
    pub accounts: Vec<String>,
}

impl NodeInfo {
    /// A node with the default values, which can run these accounts.
    #[must_use]
    pub fn new(name: &str, accounts: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            zone: String::new(),
            leave_zone_after: None,
            weight: 1,
            ttl: Duration::from_secs(6),
            starts: Rate::new(5, Duration::from_secs(1)),
            logins: Rate::new(1, Duration::from_secs(5)),
            accounts,
        }
    }
}

/// What a look has found.
#[derive(Debug, Default)]
pub struct Assignment {
    /// Accounts that this node holds since this look.
    pub take: Vec<Taken>,
    /// Accounts that this node should stop and [`give`](Fleet::give) back. Each look returns them until it does.
    pub give: Vec<String>,
    /// Whether this node is draining: it will get no accounts until it joins again.
    pub is_draining: bool,
}

/// An account that a node has taken.
pub struct Taken {
    /// Its name.
    pub account: String,
    /// Its store, opened.
    pub store: Arc<dyn Store>,
    /// How long the account waits before it first asks the service, so that not all do at once. Its queues may be served
    /// at once.
    pub wait: Duration,
    /// The name of the node that held it before.
    pub last_node: Option<String>,
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, store: _, wait, last_node } = self;
        f.debug_struct("Taken")
            .field("account", account)
            .field("wait", wait)
            .field("last_node", last_node)
            .finish_non_exhaustive()
    }
}

/// What people see of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRow {
    /// Its name.
    pub account: String,
    /// Its status in the form of the publisher, e.g. JSON.
    pub body: String,
}

/// What a node has published of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The account.
    pub account: String,
    /// The name of the node that published it, if the node is still known.
    pub node: Option<String>,
    /// Whether that node still holds the account and is alive.
    pub is_current: bool,
    /// When it was published.
    pub at: Timestamp,
    /// The status as published.
    pub body: String,
}

/// An order of an operator for one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// The account.
    pub account: String,
    /// What to do, in the form of the operator, e.g. JSON.
    pub body: String,
    /// Who gave it, for the log.
    pub by: String,
}

/// The end of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEnd {
    /// It was done, or its holder refused it.
    Answered {
        /// Whether it was done.
        is_done: bool,
        /// The answer.
        text: String,
        /// The name of the node that answered.
        node: String,
    },
    /// No node took it in time, and none will.
    NotTaken,
    /// A node took it and gave no answer: whether it was done is unknown.
    Unknown {
        /// The name of the node.
        node: String,
    },
    /// There is no order with this id; orders are kept for a day.
    Missing,
}

/// All nodes and accounts of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// The nodes that are alive, or still hold accounts, in the order of their names.
    pub nodes: Vec<NodeState>,
    /// The accounts in the order of their names.
    pub accounts: Vec<AccountState>,
    /// The time of the database.
    pub now: Timestamp,
}

/// A node as the others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// The id of this incarnation.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its zone.
    pub zone: String,
    /// Its weight.
    pub weight: u32,
    /// The version of its program.
    pub version: String,
    /// When it joined.
    pub joined: Timestamp,
    /// Its last sign of life.
    pub beaten: Timestamp,
    /// Whether it is alive: its TTL has not passed.
    pub is_alive: bool,
    /// Whether it gives its accounts back.
    pub is_draining: bool,
    /// The number of accounts that it holds.
    pub held: u64,
    /// The number of accounts that it should hold.
    pub share: u64,
}

/// What tables say that do not say it.
const fn yes() -> bool {
    true
}

/// An account as the nodes share it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// Its name.
    pub account: String,
    /// The name of the node that holds it; the node may have died since.
    pub node: Option<String>,
    /// The name of the node that held it last.
    pub last_node: Option<String>,
    /// The zone that it belongs to, once a node has held it.
    pub zone: Option<String>,
    /// The number of its lease.
    pub epoch: u64,
    /// When its holder last changed.
    pub since: Timestamp,
    /// How many live nodes can run it.
    pub runners: u64,
    /// Whether a live node has it in its settings.
    #[serde(default = "yes")]
    pub is_named: bool,
    /// No node takes it before then, since it has failed.
    pub not_before: Option<Timestamp>,
    /// Failures in a row: starts that failed and nodes that died with it.
    pub failures: u32,
    /// The reason of the last failure.
    pub trouble: Option<String>,
    /// The node that it is on the way to.
    pub moving_to: Option<String>,
}
