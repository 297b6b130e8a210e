//! The `[[account]]` tables of `mynah.toml`, compared with those that apply.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mynah_core::to_map;

use mynah_rules::RuleBook;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use crate::account::Plan;
use crate::boxed::boxed;
use crate::config::{AccountConfig, Config};
use crate::rule_file::Mistakes;
use crate::stores::ProcessStores;
use crate::supervisor::{Busy, Supervisor};
use crate::{Bot, Report, descriptors};

/// Makes the plans of the accounts of the settings.
type Planning = Box<dyn Fn(&Config) -> Result<Vec<Plan>, Report> + Send + Sync>;

/// The accounts of the settings, where a process runs those.
pub(crate) struct AccountTables {
    /// The folder for the data of accounts that name none.
    pub(super) data: PathBuf,
    planning: Planning,
    stores: ProcessStores,
    supervisor: Supervisor,
    /// The node that shares the accounts with others, if this process is one.
    node: Option<UnboundedSender<AccountsChange>>,
    /// The tables that apply, by name.
    applied: Mutex<BTreeMap<String, AccountConfig>>,
}

/// The difference between the accounts of the settings and those that are run.
#[derive(Default)]
pub(crate) struct AccountsChange {
    /// The names of accounts without a table.
    pub(crate) removed: Vec<String>,
    /// The accounts that are stopped and started again.
    pub(crate) changed: Vec<Plan>,
    /// The new accounts.
    pub(crate) added: Vec<Plan>,
}

impl AccountTables {
    /// The accounts of these settings apply. `data` is the folder for the data of accounts that name none.
    pub(crate) fn new(
        (data, config): (PathBuf, &Config),
        planning: impl Fn(&Config) -> Result<Vec<Plan>, Report> + Send + Sync + 'static,
        (stores, supervisor): (ProcessStores, Supervisor),
    ) -> Self {
        let (planning, applied) = (Box::new(planning), Mutex::new(by_name(config)));
        Self { data, planning, stores, supervisor, node: None, applied }
    }

    /// The same for a node, which starts accounts when it takes them.
    pub(crate) fn of_node(self, node: Option<UnboundedSender<AccountsChange>>) -> Self {
        Self { node, ..self }
    }

    /// The change that these settings ask for.
    pub(super) fn change(&self, config: &Config) -> Result<AccountsChange, Report> {
        let plans = (self.planning)(config)?;
        let (applied, wanted) = (self.applied().clone(), by_name(config));
        let gone = applied.keys().filter(|name| !wanted.contains_key(*name));
        let mut change =
            AccountsChange { removed: gone.cloned().collect(), ..AccountsChange::default() };
        for plan in plans {
            match applied.get(&plan.name) {
                None => change.added.push(plan),
                before if before != wanted.get(&plan.name) => change.changed.push(plan),
                _ => {}
            }
        }
        if change.growth() > 0 {
            let (count, each) = (config.accounts.len(), self.stores.descriptors());
            descriptors::check(count, each, descriptors::raise())?;
        }
        Ok(change)
    }

    /// Refuses a change with accounts whose rules cannot be used by this bot. Returns the compiled rules.
    pub(super) async fn check(
        &self,
        change: &AccountsChange,
        bot: &Bot,
    ) -> Result<Vec<Arc<RuleBook>>, Mistakes> {
        let mut books = Vec::new();
        for plan in change.changed.iter().chain(&change.added) {
            books.push(self.supervisor.check_rules(plan, bot).await?);
        }
        Ok(books)
    }

    /// Keeps the process from ending while accounts are replaced.
    pub(super) fn busy(&self) -> Busy {
        self.supervisor.busy()
    }

    /// Stops the accounts that are removed or replaced. Their sessions stay.
    pub(super) async fn stop(&self, change: &AccountsChange) {
        let changed = change.changed.iter().map(|plan| plan.name.clone());
        let mut stopping = JoinSet::new();
        for name in change.removed.iter().cloned().chain(changed) {
            let supervisor = self.supervisor.clone();
            stopping.spawn(boxed(async move { supervisor.stop(&name).await }));
        }
        stopping.join_all().await;
    }

    /// Starts the accounts that are new or replaced, or lets the node share them. From now on these settings apply.
    pub(super) async fn start(&self, change: AccountsChange, config: &Config) {
        *self.applied() = by_name(config);
        if change.is_none() {
            return;
        }
        let names = |plans: &[Plan]| {
            plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (added, started_anew) = (names(&change.added), names(&change.changed));
        let removed = change.removed.join(", ");
        tracing::info!(added, started_anew, removed, "the accounts of the settings were reloaded");
        if let Some(node) = &self.node {
            // If it has ended, so does the process.
            return drop(node.send(change));
        }
        let mut starting = JoinSet::new();
        for plan in change.changed.into_iter().chain(change.added) {
            let supervisor = self.supervisor.clone();
            starting.spawn(boxed(async move {
                let name = plan.name.clone();
                if let Err(failure) = supervisor.keep_running(plan).await {
                    failure.log(&name);
                }
            }));
        }
        starting.join_all().await;
    }

    fn applied(&self) -> MutexGuard<'_, BTreeMap<String, AccountConfig>> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccountsChange {
    /// Whether an account is not one of those that go on as they are.
    pub(super) fn touches(&self, account: &str) -> bool {
        self.removed.iter().any(|name| name == account)
            || self.changed.iter().any(|plan| plan.name == account)
    }

    /// How many accounts there are more.
    pub(super) fn growth(&self) -> usize {
        self.added.len().saturating_sub(self.removed.len())
    }

    pub(super) fn is_none(&self) -> bool {
        self.removed.is_empty() && self.changed.is_empty() && self.added.is_empty()
    }
}

fn by_name(config: &Config) -> BTreeMap<String, AccountConfig> {
    to_map(config.accounts.iter().map(|account| (account.name.clone(), account.clone())))
}
