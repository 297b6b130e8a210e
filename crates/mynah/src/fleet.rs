//! A node of a fleet: runs the accounts of a database that it holds, and shares them with the other nodes.
//!
//! [`Fleet`] says which accounts this node holds and which it should give back; [`Supervisor`] runs them. An account that
//! has lost its lease ends by itself, without asking its service for anything. An account whose session is over stays
//! here until a person has seen to it: another node could not log in either.

mod orders;
mod published;
mod status;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mynah_core::{Assignment, Fleet, NodeInfo, Order, Rate, StoreError, Taken, with_causes};
use mynah_page::Pages;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use self::orders::{ask, ask_holder, is_held, trouble, user};
use self::published::Published;
pub(crate) use self::published::Shown;
pub(crate) use self::status::{FleetStatus, LastSeen, word};
use crate::account::{Plan, Shared};
use crate::config::FleetConfig;
use crate::operate::Answer;
use crate::reload::AccountsChange;
use crate::stores::{self, ProcessStores};
use crate::supervisor::{AccountEnd, NotStarted, RunEnd, Supervisor};
use crate::view::console::OtherNodes;
use crate::{Ended, Report};

/// What is shown of the accounts is published this often at most.
const PUBLISHED: Duration = Duration::from_secs(1);

/// The whole fleet is looked at this often, for the pages.
const SEEN: Duration = Duration::from_secs(3);

/// An account that ends by a failure within this time is left alone for a while, so that it does not wander from node to
/// node.
const SHORT: Duration = Duration::from_secs(60);

/// A node.
pub(crate) struct Node {
    fleet: Arc<dyn Fleet>,
    supervisor: Supervisor,
    /// The accounts that this node can run, by name.
    plans: BTreeMap<String, Plan>,
    /// Changes of the accounts in the settings.
    changes: UnboundedReceiver<AccountsChange>,
    stores: ProcessStores,
    /// Without the accounts.
    info: NodeInfo,
    pages: Pages,
    /// The whole fleet, for the pages of this node.
    seen: LastSeen,
}

/// The end of a piece of work on an account.
enum Done {
    Started {
        account: String,
        failure: Option<Failure>,
    },
    Stopped {
        account: String,
    },
    /// A mistake of the program.
    Failed {
        account: String,
        error: JoinError,
    },
}

/// Why an account could not start.
struct Failure {
    reason: String,
    /// Whether nothing is wrong with the account.
    is_passing: bool,
}

/// The accounts of the node as its loop sees them.
#[derive(Default)]
struct Accounts {
    /// Something is started or stopped.
    busy: BTreeSet<String>,
    /// They were taken while they were busy.
    taken: BTreeMap<String, Taken>,
    /// Orders for accounts that are busy.
    orders: BTreeMap<String, Vec<Order>>,
    /// Their settings have changed while they were busy.
    outdated: BTreeSet<String>,
    /// Whether the other nodes do not know yet which accounts this node can run.
    is_changed: bool,
    /// Whether this node gives its accounts back.
    is_draining: bool,
    /// This node holds their leases.
    held: BTreeSet<String>,
    /// Since when each runs.
    running: BTreeMap<String, Instant>,
    work: JoinSet<Done>,
    /// The account of each piece of work.
    of_work: HashMap<Id, String>,
}

impl Accounts {
    /// Begins a piece of work on an account.
    fn spawn(&mut self, account: &str, work: impl Future<Output = Done> + Send + 'static) {
        let id = self.work.spawn(work).id();
        self.of_work.insert(id, account.to_owned());
    }

    /// The next pieces of work that have ended; `None` if there are none.
    async fn next_done(&mut self) -> Option<Vec<Done>> {
        let first = self.work.join_next_with_id().await?;
        let more = std::iter::from_fn(|| self.work.try_join_next_with_id());
        let done: Vec<_> = std::iter::once(first).chain(more).collect();
        Some(done.into_iter().map(|done| self.outcome(done)).collect())
    }

    fn outcome(&mut self, done: Result<(Id, Done), JoinError>) -> Done {
        let id = done.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let account = self.of_work.remove(&id).unwrap_or_default();
        done.map_or_else(|error| Done::Failed { account, error }, |(_, done)| done)
    }
}

impl Node {
    /// A node with these settings that can run these accounts, until they change.
    pub(crate) fn new(
        config: &FleetConfig,
        (plans, changes): (Vec<Plan>, UnboundedReceiver<AccountsChange>),
        supervisor: &Supervisor,
        shared: &Shared,
    ) -> Result<Self, Report> {
        let Some(fleet) = shared.stores.database().and_then(|stores| stores.fleet()) else {
            return Err(Report::new(Ended::Usage, "[fleet] needs a database")
                .hint("name it with `url` in [store]: nodes share the accounts of a database"));
        };
        let name = config.name.clone().unwrap_or_else(stores::machine);
        let rate = |rate: &mynah_reader::Rate| Rate::new(rate.count, rate.within);
        let info = NodeInfo {
            zone: config.zone.clone(),
            leave_zone_after: config.leave_zone_after,
            weight: config.weight,
            ttl: config.ttl,
            starts: rate(&config.starts),
            logins: rate(&config.logins),
            ..NodeInfo::new(&name, Vec::new())
        };
        let seen = LastSeen::default();
        seen.register_metrics(&shared.pages.metrics);
        let mut node = Self {
            fleet,
            supervisor: supervisor.clone(),
            plans: BTreeMap::new(),
            changes,
            stores: shared.stores.clone(),
            info,
            pages: shared.pages.clone(),
            seen,
        };
        node.add(plans);
        Ok(node)
    }

    fn add(&mut self, plans: Vec<Plan>) {
        for plan in plans {
            // So that its log is kept as its settings say.
            self.stores.of(&plan.name, &plan.data, &plan.store);
            self.plans.insert(plan.name.clone(), plan);
        }
    }

    /// The accounts of other nodes, for the pages of this node.
    pub(crate) fn others(&self) -> Option<OtherNodes> {
        let stores = self.stores.database()?;
        Some(OtherNodes::new(Arc::clone(&self.fleet), stores, self.seen.clone()))
    }

    /// Shares accounts until the process is stopped and all of them are given back.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Report> {
        self.join().await.map_err(|error| Report::of_store("join the fleet", error))?;
        let mut ends = self.supervisor.ends();
        let mut accounts = Accounts::default();
        // Ends with this. By itself, since it must not hold up a look.
        let mut showing = JoinSet::new();
        let published = Published::new(self.pages.clone(), self.supervisor.clone());
        showing.spawn(show(Arc::clone(&self.fleet), published, self.seen.clone()));
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.fleet.changed() => {}
                Some(change) = self.changes.recv() => self.change(change, &mut accounts),
                Some(end) = ends.recv() => {
                    self.ended(&end.account, &mut accounts);
                    continue;
                }
                Some(done) = accounts.next_done() => {
                    done.into_iter().for_each(|done| self.done(done, &mut accounts));
                }
            }
            if accounts.is_changed {
                self.announce(&mut accounts).await;
            }
            self.look(&mut accounts).await;
            for order in orders::taken(&*self.fleet).await {
                self.order(order, &mut accounts).await;
            }
        }
        self.leave(&mut ends, &mut accounts).await;
        Ok(())
    }

    async fn join(&self) -> Result<(), StoreError> {
        let accounts = self.plans.keys().cloned().collect();
        self.fleet.join(NodeInfo { accounts, ..self.info.clone() }).await
    }

    /// Takes over changed settings of accounts. Those that run are given back, and taken anew by the next look.
    fn change(&mut self, change: AccountsChange, accounts: &mut Accounts) {
        let AccountsChange { removed, changed, added } = change;
        self.plans.retain(|name, _| !removed.contains(name));
        let outdated: Vec<String> = changed.iter().map(|plan| plan.name.clone()).collect();
        self.add(changed);
        self.add(added);
        accounts.is_changed = true;
        for account in outdated {
            if accounts.busy.contains(&account) {
                accounts.outdated.insert(account);
            } else if accounts.held.contains(&account) {
                self.part_with(account, None, accounts);
            }
        }
    }

    /// Lets the other nodes know which accounts this node can run. A later look asks those back that it cannot run any more.
    async fn announce(&self, accounts: &mut Accounts) {
        let joined = self.join().await;
        accounts.is_changed = joined.is_err();
        warn("announce changed accounts", joined);
        if accounts.is_draining {
            // Joining has ended it.
            warn("drain this node", self.fleet.drain().await);
        }
    }

    /// Carries an order out, after a start of its account that is under way.
    async fn order(&self, order: Order, accounts: &mut Accounts) {
        if orders::is_restart(&order) {
            let Order { account, by, .. } = &order;
            tracing::info!(account, by, "an operator starts it again");
            orders::answer(&*self.fleet, &order, &Answer::done("it is started again")).await;
            // The next look takes it, here or elsewhere. One that is busy is being started already, or given back.
            self.part_with(order.account, None, accounts);
        } else if accounts.busy.contains(&order.account) {
            accounts.orders.entry(order.account.clone()).or_default().push(order);
        } else {
            orders::carry_out(&self.fleet, &self.supervisor, order);
        }
    }

    /// Takes and gives accounts.
    async fn look(&self, accounts: &mut Accounts) {
        let look = match self.fleet.look().await {
            Ok(look) => look,
            Err(error) => return warn("look for accounts", Err(error)),
        };
        let Assignment { take, give, is_draining } = look;
        accounts.is_draining = is_draining;
        for taken in take {
            self.take(taken, accounts);
        }
        for account in give {
            // The account has not begun to work with its store, which is closed by dropping it.
            accounts.taken.remove(&account);
            self.part_with(account, None, accounts);
        }
    }

    fn take(&self, taken: Taken, accounts: &mut Accounts) {
        let account = taken.account.clone();
        accounts.held.insert(account.clone());
        if !accounts.busy.insert(account.clone()) {
            accounts.taken.insert(account, taken);
            return;
        }
        tracing::info!(account, last_node = taken.last_node, "taken");
        let plan = self.plans.get(&account).cloned();
        let supervisor = self.supervisor.clone();
        accounts.spawn(&account.clone(), async move {
            let Some(plan) = plan else {
                let reason = "the settings of this node do not name it".to_owned();
                return Done::Started {
                    account,
                    failure: Some(Failure { reason, is_passing: false }),
                };
            };
            // One that lost its lease may still be ending.
            supervisor.stop(&account).await;
            let plan = Plan { first_ask_after: taken.wait, ..plan };
            let started = supervisor.start(plan, Some(taken.store)).await;
            let failure = started.err().map(|failure: NotStarted| {
                let is_passing = failure.is_passing();
                Failure { reason: failure.reason, is_passing }
            });
            Done::Started { account, failure }
        });
    }

    /// Stops an account and gives it back; with a reason, it has failed and is set aside for a while. Orders that waited for its
    /// start are refused.
    fn part_with(&self, account: String, reason: Option<String>, accounts: &mut Accounts) {
        if !accounts.busy.insert(account.clone()) {
            return;
        }
        accounts.running.remove(&account);
        let orders = accounts.orders.remove(&account).unwrap_or_default();
        let (supervisor, fleet) = (self.supervisor.clone(), Arc::clone(&self.fleet));
        accounts.spawn(&account.clone(), async move {
            supervisor.stop(&account).await;
            for order in orders {
                let reason = reason.as_deref().unwrap_or("see the log of its node");
                let refused = Answer::refused(format!("{account} could not start: {reason}"));
                orders::answer(&*fleet, &order, &refused).await;
            }
            match reason {
                Some(reason) => {
                    warn("set an account aside", fleet.poison(&account, &reason).await);
                }
                None => warn("give an account back", fleet.give(&account).await),
            }
            tracing::info!(account, "given back");
            Done::Stopped { account }
        });
    }

    /// After a start or a stop.
    fn done(&self, done: Done, accounts: &mut Accounts) {
        let (Done::Started { account, .. }
        | Done::Stopped { account }
        | Done::Failed { account, .. }) = &done;
        let account = account.clone();
        accounts.busy.remove(&account);
        match done {
            Done::Started { account, failure: None } => {
                accounts.running.insert(account.clone(), Instant::now());
                for order in accounts.orders.remove(&account).unwrap_or_default() {
                    orders::carry_out(&self.fleet, &self.supervisor, order);
                }
                // It may have ended before this.
                self.ended(&account, accounts);
            }
            Done::Started { account, failure: Some(Failure { reason, is_passing }) } => {
                tracing::error!(account, reason, "the account could not start here");
                self.part_with(account, (!is_passing).then_some(reason), accounts);
            }
            Done::Stopped { account } => {
                accounts.held.remove(&account);
                // Its next holder gets them.
                accounts.orders.remove(&account);
            }
            Done::Failed { account, error } => {
                tracing::error!(%error, account, "a start or a stop failed by a mistake of the program");
                self.part_with(account, Some(error.to_string()), accounts);
            }
        }
        let is_outdated = accounts.outdated.remove(&account) && accounts.held.contains(&account);
        if let Some(taken) = accounts.taken.remove(&account) {
            self.take(taken, accounts);
        } else if is_outdated {
            self.part_with(account, None, accounts);
        }
    }

    /// After the end of an account, whatever ended it. Does nothing if that was the end of an earlier run.
    fn ended(&self, account: &str, accounts: &mut Accounts) {
        let Some(RunEnd { ended, is_passing }) = self.supervisor.end_of(account) else { return };
        let Some(since) = accounts.running.remove(account) else { return };
        if matches!(ended, Ended::Fine | Ended::LoggedOut | Ended::Blocked | Ended::NobodyLoggedIn)
        {
            // It needs a person, and stays in sight.
            tracing::warn!(account, "has ended and stays with this node until it is restarted");
            return;
        }
        let is_its_fault = !is_passing && since.elapsed() < SHORT;
        let reason =
            is_its_fault.then(|| format!("ended soon after its start: {}", ended.meaning()));
        self.part_with(account.to_owned(), reason, accounts);
    }

    /// Gives each account back as soon as it has ended. The stop of the process has reached all of them already.
    async fn leave(&self, ends: &mut UnboundedReceiver<AccountEnd>, accounts: &mut Accounts) {
        warn("drain this node", self.fleet.drain().await);
        accounts.taken.clear();
        let mut giving = JoinSet::new();
        for account in self.supervisor.names() {
            let (supervisor, fleet) = (self.supervisor.clone(), Arc::clone(&self.fleet));
            giving.spawn(async move {
                supervisor.stop(&account).await;
                warn("give an account back", fleet.give(&account).await);
            });
        }
        giving.join_all().await;
        while accounts.next_done().await.is_some() {}
        ends.close();
        warn("leave the fleet", self.fleet.leave().await);
    }
}

/// Publishes the accounts of a node, and looks at the whole fleet for its pages.
async fn show(fleet: Arc<dyn Fleet>, mut published: Published, seen: LastSeen) {
    let mut tick = tokio::time::interval(PUBLISHED);
    let mut seen_at = None::<Instant>;
    loop {
        tick.tick().await;
        published.publish(&*fleet).await;
        if seen_at.is_none_or(|at| at.elapsed() >= SEEN) {
            seen_at = Some(Instant::now());
            seen.look(&*fleet).await;
        }
    }
}

/// Reports a failure that the next try may not have.
fn warn(what: &str, outcome: Result<(), StoreError>) {
    if let Err(error) = outcome {
        tracing::warn!(error = with_causes(&error), "failed to {what}");
    }
}
