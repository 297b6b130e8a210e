//! The running accounts of a process, which start and stop one by one.
//!
//! Each account has a task of its own for its whole life: it starts, runs and ends. A fault of one account keeps no other
//! from starting. An account that is meant to run stays in the set while it cannot start, and is tried again.

mod failure;
mod member;
mod pace;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mynah_core::{Clock, Prompt, Store, SystemClock, to_map};
use mynah_page::Condition;
use mynah_rules::{Loaded, RuleBook};
use mynah_transports::Connector;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::spawn_blocking;

pub(crate) use self::failure::NotStarted;
use self::member::{Member, State};
pub(crate) use self::pace::LoginPace;
use crate::account::{Opening, Plan, Ready, Shared};
use crate::boxed::boxed;
use crate::cli::Common;
use crate::handlers::AccountHandlers;
use crate::operate::OperatorApi;
use crate::reload::Reloader;
use crate::rule_books::ReadRules;
use crate::rule_file::Mistakes;
use crate::view::console::AccountView;
use crate::{Bot, Ended, report, rule_file};

/// How many accounts load their rules and open their data at the same time.
const AT_ONCE: usize = 8;

/// The end of a run of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunEnd {
    /// How it ended.
    pub(crate) ended: Ended,
    /// Whether the database or the lease caused it, so that nothing is wrong with the account.
    pub(crate) is_passing: bool,
}

/// Ends an account whose life a mistake of the program has cut off, so that its end is not waited for in vain.
struct EndOfLife {
    supervisor: Supervisor,
    member: Arc<Member>,
}

impl Drop for EndOfLife {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.supervisor.end(&self.member, Ended::Unusable.into());
            if !self.member.is_kept {
                self.supervisor.remove(&self.member);
            }
        }
    }
}

impl From<Ended> for RunEnd {
    fn from(ended: Ended) -> Self {
        Self { ended, is_passing: false }
    }
}

/// The end of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountEnd {
    /// The account's name.
    pub(crate) account: String,
    /// How it ended.
    pub(crate) end: RunEnd,
}

/// An account of the set, for the console.
pub(crate) struct Entry {
    /// Its name.
    pub(crate) name: String,
    /// The chat service.
    pub(crate) connector: &'static dyn Connector,
    /// The view of it, if it has run.
    pub(crate) view: Option<Arc<AccountView>>,
}

/// The accounts of a process. Clones share them.
#[derive(Clone)]
pub(crate) struct Supervisor(Arc<Inner>);

struct Inner {
    shared: Shared,
    common: Common,
    opening: Semaphore,
    members: Mutex<BTreeMap<String, Arc<Member>>>,
    /// The number of accounts that start or run, and of changes of the set under way.
    busy: watch::Sender<usize>,
    followers: Mutex<Vec<mpsc::UnboundedSender<AccountEnd>>>,
    pace: Arc<LoginPace>,
    /// The diagnostics that were printed, as hashes: many accounts can have the same rule file.
    printed: Mutex<BTreeSet<u64>>,
}

/// While it lives, the process is not [idle](Supervisor::idle).
pub(crate) struct Busy(watch::Sender<usize>);

impl Busy {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|busy| *busy += 1);
        Self(count.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|busy| *busy -= 1);
    }
}

impl Supervisor {
    /// A process without accounts.
    pub(crate) fn new(shared: Shared, common: Common, pace: LoginPace) -> Self {
        Self(Arc::new(Inner {
            shared,
            common,
            opening: Semaphore::new(AT_ONCE),
            members: Mutex::default(),
            busy: watch::Sender::new(0),
            followers: Mutex::default(),
            pace: Arc::new(pace),
            printed: Mutex::default(),
        }))
    }

    /// Starts an account, with its store if that is open already, and returns when it runs. One that could not start is not
    /// in the set.
    ///
    /// # Errors
    ///
    /// If the account could not start, or one of that name is in the set.
    pub(crate) async fn start(
        &self,
        plan: Plan,
        store: Option<Arc<dyn Store>>,
    ) -> Result<(), NotStarted> {
        self.add(plan, store, false).await
    }

    /// Starts an account, and returns when it runs or could not start. It stays in the set then, and is tried again until it
    /// is stopped: when its rules or the settings are saved, and from time to time if its data could not be opened.
    ///
    /// # Errors
    ///
    /// If the account could not start yet, or one of that name is in the set.
    pub(crate) async fn keep_running(&self, plan: Plan) -> Result<(), NotStarted> {
        self.add(plan, None, true).await
    }

    /// Stops an account, which keeps its session, waits for its end and removes it from the set.
    pub(crate) async fn stop(&self, account: &str) {
        let Some(member) = self.members().get(account).cloned() else { return };
        member.stop.keep_session();
        member.until_ended().await;
        self.remove(&member);
    }

    /// The names of the accounts, in their order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.members().keys().cloned().collect()
    }

    /// The accounts, in the order of their names.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let members = self.members();
        members.values().map(|member| member.entry()).collect()
    }

    /// What answers operators of an account that runs.
    pub(crate) fn operator_api(&self, account: &str) -> Option<Arc<OperatorApi>> {
        let member = self.members().get(account).cloned()?;
        member.entry().view?.operator_api.upgrade()
    }

    /// The address that a person has to scan for a login of an account.
    pub(crate) fn prompt(&self, account: &str) -> Option<String> {
        let member = self.members().get(account).cloned()?;
        let prompt = member.is_running().then(|| member.entry().view)??.live.prompt()?;
        match prompt {
            Prompt::Scan { url } => Some(url),
            Prompt::Confirm { .. } => None,
        }
    }

    /// What changed settings reach in the accounts that run.
    pub(crate) fn reloads(&self) -> Vec<(Arc<Reloader>, AccountHandlers)> {
        let members = self.members();
        members.values().filter_map(|member| member.reloads()).collect()
    }

    /// How an account of the set ended, if it has ended.
    pub(crate) fn end_of(&self, account: &str) -> Option<RunEnd> {
        self.members().get(account)?.run_end()
    }

    /// All ends of accounts from now on.
    pub(crate) fn ends(&self) -> mpsc::UnboundedReceiver<AccountEnd> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.followers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        receiver
    }

    /// Tries again at once to start the accounts that could not start.
    pub(crate) fn retry(&self) {
        self.members().values().for_each(|member| member.retry.notify_one());
    }

    /// Keeps the process from being idle, while accounts are replaced.
    pub(crate) fn busy(&self) -> Busy {
        Busy::new(&self.0.busy)
    }

    /// Waits until no account starts or runs.
    pub(crate) async fn idle(&self) {
        // The sender lives as long as this.
        let _ = self.0.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }

    /// How the accounts of the set ended together: the first end that was not fine.
    pub(crate) fn outcome(&self) -> Ended {
        let members = self.members();
        let ends = to_map(members.values().filter_map(|one| one.end()));
        ends.into_values().fold(Ended::Fine, Ended::and)
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Member>>> {
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn add(
        &self,
        plan: Plan,
        store: Option<Arc<dyn Store>>,
        is_kept: bool,
    ) -> Result<(), NotStarted> {
        let busy = self.busy();
        let name = plan.name.clone();
        let member = Arc::new(Member::new(plan, self.0.shared.stop.account(), is_kept));
        let (outcome, first_outcome) = oneshot::channel();
        {
            let mut members = self.members();
            if members.contains_key(member.name()) {
                return Err(NotStarted::twice(member.name()));
            }
            members.insert(member.name().to_owned(), Arc::clone(&member));
        }
        let Shared { pages, alerts, feed, .. } = &self.0.shared;
        pages.health.set(member.name(), Condition::Starting, SystemClock.now());
        alerts.add(member.name(), &member.plan.data);
        feed.accounts_changed();
        tokio::spawn(boxed(self.clone().live(member, store, (busy, outcome))));
        first_outcome.await.unwrap_or_else(|_| Err(NotStarted::failed(&name)))
    }

    /// The life of an account.
    async fn live(
        self,
        member: Arc<Member>,
        mut store: Option<Arc<dyn Store>>,
        (busy, first_outcome): (Busy, oneshot::Sender<Result<(), NotStarted>>),
    ) {
        let (mut busy, mut first_outcome) = (Some(busy), Some(first_outcome));
        let _guard = EndOfLife { supervisor: self.clone(), member: Arc::clone(&member) };
        // The caller may be gone.
        let mut report = |outcome| drop(first_outcome.take().map(|first| first.send(outcome)));
        let mut tries = 0;
        let stop = member.stop.token().clone();
        loop {
            let begun = stop.run_until_cancelled(self.begin(&member, store.take())).await;
            let failure = match begun {
                None => {
                    report(Err(NotStarted::stopped()));
                    break self.end(&member, Ended::Fine.into());
                }
                Some(Ok(ready)) => {
                    let reloads = Box::new(ready.reloads());
                    member.set(State::Running { view: ready.view(), reloads });
                    self.0.shared.feed.accounts_changed();
                    report(Ok(()));
                    break self.end(&member, run(ready).await);
                }
                Some(Err(failure)) => failure,
            };
            tries += 1;
            self.fail(&member, &failure, tries);
            // A folder that is not there cannot be watched.
            let by_itself = failure.is_storage() || !member.plan.main.exists();
            let files = failure.files.clone();
            let ended = failure.report.ended();
            report(Err(failure));
            drop(busy.take());
            if !member.is_kept {
                self.end(&member, ended.into());
                break self.remove(&member);
            }
            let watcher = &self.0.shared.watcher;
            if !member.until_retry(watcher, &files, by_itself, tries).await {
                break self.end(&member, Ended::Fine.into());
            }
            busy = Some(self.busy());
        }
    }

    /// Loads the rules, opens the data and puts the account together. Nothing is sent by this.
    async fn begin(
        &self,
        member: &Member,
        store: Option<Arc<dyn Store>>,
    ) -> Result<Ready, NotStarted> {
        // It is never closed.
        let _place = self.0.opening.acquire().await;
        let plan = &member.plan;
        if !plan.main.exists() {
            return Err(NotStarted::missing(plan));
        }
        let ReadRules { book, files, lang, .. } = self.read_rules(plan).await?;
        let lang = self.0.common.for_file(lang).lang();
        let book = book.map_err(|mistakes| NotStarted::rules(mistakes, &files))?;
        let shared = Shared { lang, ..self.0.shared.clone() };
        let stop = member.stop.clone();
        let pace = Arc::clone(&self.0.pace);
        let opening = Opening { book, files: &files, store, stop, pace };
        plan.open(opening, &shared).await.map_err(|report| NotStarted::new(report, &files))
    }

    /// The rules of an account that may be started, with the handlers of this bot; or why they cannot be used.
    pub(crate) async fn check_rules(
        &self,
        plan: &Plan,
        bot: &Bot,
    ) -> Result<Arc<RuleBook>, Mistakes> {
        let (books, source) = (self.0.shared.books.clone(), plan.rules(bot, &self.0.common));
        match spawn_blocking(move || books.read(&source)).await {
            Ok((rules, _)) => rules.book,
            Err(error) => Err(Mistakes::of_file(&plan.main, error.to_string())),
        }
    }

    async fn read_rules(&self, plan: &Plan) -> Result<ReadRules, NotStarted> {
        let Shared { bot, books, .. } = &self.0.shared;
        let (books, source) = (books.clone(), plan.rules(bot, &self.0.common));
        let read = spawn_blocking(move || books.read(&source)).await;
        let (rules, loaded) = read.map_err(|error| NotStarted::unreadable(plan, error))?;
        if let Some(loaded) = loaded {
            self.print(&loaded);
        }
        Ok(rules)
    }

    /// Prints the diagnostics of a rule file, once for all accounts that have it.
    fn print(&self, loaded: &Loaded) {
        let common = &self.0.common;
        let (lang, colours) = (common.for_file(loaded.lang).lang(), Common::colours_on_stderr());
        let text = rule_file::render(loaded, lang, colours, common.shows_notes());
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let mut printed = self.0.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if printed.insert(hasher.finish()) {
            report::say(&text);
        }
    }

    /// Shows that an account could not start.
    fn fail(&self, member: &Member, failure: &NotStarted, tries: u32) {
        let Shared { pages, alerts, feed, .. } = &self.0.shared;
        let now = SystemClock.now();
        // A failure during a stop needs no repair, e.g. of a database that is stopped too.
        let is_wanted = !member.stop.token().is_cancelled();
        if is_wanted && (member.is_kept || failure.is_storage()) {
            alerts.send(failure.alert(member.name(), now), now);
        }
        // The first failure is reported by the caller, which may end the process.
        if tries > 1 {
            failure.log(member.name());
        }
        let reason = failure.reason.clone();
        pages.health.set(member.name(), Condition::NotStarted { reason }, now);
        member.set(State::Failed { ended: failure.report.ended(), number: member::next_number() });
        feed.accounts_changed();
    }

    fn end(&self, member: &Member, end: RunEnd) {
        member.end_with(end);
        let end = AccountEnd { account: member.name().to_owned(), end };
        let mut followers = self.0.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|follower| follower.send(end.clone()).is_ok());
    }

    /// Removes an account that has ended, with everything that is shown of it.
    fn remove(&self, member: &Arc<Member>) {
        {
            let mut members = self.members();
            if members.get(member.name()).is_none_or(|found| !Arc::ptr_eq(found, member)) {
                return;
            }
            members.remove(member.name());
        }
        let Shared { pages, alerts, feed, .. } = &self.0.shared;
        pages.health.remove(member.name());
        pages.metrics.forget(member.name());
        alerts.remove(member.name());
        feed.accounts_changed();
    }
}

/// Runs an account to its end. A mistake of the program ends it alone.
async fn run(ready: Ready) -> RunEnd {
    tokio::spawn(ready.run()).await.unwrap_or_else(|error| {
        tracing::error!(%error, "an account ended by a mistake of the program");
        Ended::Unusable.into()
    })
}
