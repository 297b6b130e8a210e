//! All nodes and accounts, with what the holders say of their accounts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mynah_core::{AccountState, Fleet, NodeState, Overview, StoreError, to_map};
use mynah_page::{Kind, Metric, Registry};
use serde::Serialize;

use super::Shown;

const ACCOUNTS: Metric = Metric {
    name: "mynah_fleet_accounts",
    help: "Accounts of the database, by whether a live node holds them (held, free), they are left alone after failures (failed) or no live node has them in its settings (unused).",
    kind: Kind::Gauge,
    labels: &["state"],
};
const NODES: Metric = Metric {
    name: "mynah_fleet_nodes",
    help: "Nodes of the fleet, by state (alive, draining, dead).",
    kind: Kind::Gauge,
    labels: &["state"],
};
const HELD: Metric = Metric {
    name: "mynah_fleet_held",
    help: "Accounts that a node holds, and the share that it should hold.",
    kind: Kind::Gauge,
    labels: &["node", "what"],
};

/// The fleet at one moment.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct FleetStatus {
    #[serde(flatten)]
    pub(crate) overview: Overview,
    /// What the holders say of their accounts, by account.
    pub(crate) live: BTreeMap<String, Shown>,
    /// Whether the user of the database may not read that: it contains addresses to log in with.
    pub(crate) is_limited: bool,
}

impl FleetStatus {
    pub(crate) async fn read(fleet: &dyn Fleet) -> Result<Self, StoreError> {
        let overview = fleet.overview().await?;
        let (live, is_limited) = match fleet.live().await {
            Err(StoreError::NoRight { .. }) => (Vec::new(), true),
            live => (live?, false),
        };
        let live = live.into_iter().filter(|live| live.is_current);
        let shown =
            live.filter_map(|live| Some((live.account, serde_json::from_str(&live.body).ok()?)));
        Ok(Self { live: to_map(shown), overview, is_limited })
    }

    /// The live node that holds an account.
    pub(crate) fn holder(&self, account: &AccountState) -> Option<&NodeState> {
        let name = account.node.as_deref()?;
        self.overview.nodes.iter().find(|node| node.name == name && node.is_alive)
    }

    /// Whether no live node has the account in its settings, so that none is meant to run it.
    pub(crate) fn is_unused(&self, account: &AccountState) -> bool {
        !account.is_named
            && self.holder(account).is_none()
            && self.overview.nodes.iter().any(|node| node.is_alive)
    }

    /// Whether no node takes the account for a while, since it has failed.
    pub(crate) fn is_left_alone(&self, account: &AccountState) -> bool {
        account.not_before.is_some_and(|until| until > self.overview.now)
    }
}

/// The state of a node: `alive`, `draining` or `dead`.
pub(crate) fn word(node: &NodeState) -> &'static str {
    match (node.is_alive, node.is_draining) {
        (false, _) => "dead",
        (true, true) => "draining",
        (true, false) => "alive",
    }
}

/// The fleet as this node saw it last, for its pages.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastSeen(Arc<Mutex<FleetStatus>>);

impl LastSeen {
    /// Looks again. What was seen before stays if that fails.
    pub(super) async fn look(&self, fleet: &dyn Fleet) {
        match FleetStatus::read(fleet).await {
            Ok(status) => *self.0.lock().unwrap_or_else(PoisonError::into_inner) = status,
            Err(error) => tracing::debug!(%error, "the fleet was not looked at"),
        }
    }

    pub(crate) fn get(&self) -> FleetStatus {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows the whole fleet in the metrics of this node.
    pub(super) fn register_metrics(&self, registry: &Registry) {
        let seen = self.clone();
        registry.collect(move |registry| {
            let status = seen.get();
            let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            let accounts = &status.overview.accounts;
            let held = accounts.iter().filter(|account| status.holder(account).is_some()).count();
            let unused = accounts.iter().filter(|one| status.is_unused(one)).count();
            let failed = accounts.iter().filter(|one| status.is_left_alone(one));
            let failed = failed.filter(|one| !status.is_unused(one)).count();
            let free = accounts.len().saturating_sub(held + failed + unused);
            for (state, count) in
                [("held", held), ("failed", failed), ("unused", unused), ("free", free)]
            {
                registry.set(&ACCOUNTS, &[state], number(count));
            }
            let nodes = &status.overview.nodes;
            for state in ["alive", "draining", "dead"] {
                let count = nodes.iter().filter(|node| word(node) == state).count();
                registry.set(&NODES, &[state], number(count));
            }
            // Pods of a cluster come and go, each with a name of its own.
            registry.clear(&HELD);
            for node in nodes.iter().filter(|node| node.is_alive) {
                let count = |count: u64| number(usize::try_from(count).unwrap_or(usize::MAX));
                registry.set(&HELD, &[&node.name, "held"], count(node.held));
                registry.set(&HELD, &[&node.name, "share"], count(node.share));
            }
        });
    }
}
