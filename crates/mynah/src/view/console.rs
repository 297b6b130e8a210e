//! The console: all accounts of this process in the browser.

mod archive;
mod cause;
mod live;
mod names;
#[cfg(feature = "postgres")]
mod other_nodes;
#[cfg(not(feature = "postgres"))]
#[path = "console/no_nodes.rs"]
mod other_nodes;
mod rows;

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{Called, Clock, sort_by_key};
use mynah_page::view::{
    AccountRow, BotRow, HandlerRow, KnownChats, LogRow, MuteRow, NameRow, News, Problem, QueueRow,
    ReloadReport, RuleRow, Session,
};
use mynah_page::{Condition, ConsolePage, Page, Pages};
use mynah_programs::Programs;
use mynah_runtime::{Control, Pace};
use mynah_transports::Connector;
use tokio::sync::broadcast;

pub(crate) use self::archive::Archive;
pub(super) use self::cause::cause_of;
pub(crate) use self::live::{ConsoleFeed, Live, RecentError};
use self::names::Names;
pub(crate) use self::other_nodes::OtherNodes;
use self::rows::Queues;
use crate::handlers;
use crate::names::name_rows;
use crate::operate::{Answer, OperatorApi, Request};
use crate::rule_handler::ActiveRules;
use crate::stop::OpenService;
use crate::supervisor::{Entry, Supervisor};

/// Entries of the log that are shown.
const ENTRIES: u32 = 200;

/// Chats that are shown at once; the others are found by their names.
const CHATS: usize = 100;

/// How long an account may take to say how fast it may speak.
const PATIENCE: Duration = Duration::from_secs(1);

/// The chats of other nodes that a search found, and how many accounts it did not look into in time.
#[derive(Default)]
struct FoundChats {
    rows: Vec<MuteRow>,
    missed: usize,
}

/// The accounts of a process, as the page sees them.
pub(crate) struct ConsoleView {
    /// The accounts.
    pub(crate) supervisor: Supervisor,
    /// The accounts of other nodes.
    pub(crate) fleet: Option<OtherNodes>,
    /// How they are.
    pub(crate) pages: Pages,
    /// The channel of news.
    pub(crate) feed: ConsoleFeed,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// The handlers of the settings.
    pub(crate) programs: Programs,
    /// Which run of the program this is.
    pub(crate) run: String,
}

/// The view of an account, and the actions on it.
pub(crate) struct AccountView {
    /// Its name.
    pub(crate) name: String,
    /// Its recent events.
    pub(crate) live: Arc<Live>,
    /// Its stored data.
    pub(crate) archive: Archive,
    /// The rules in use.
    pub(crate) active_rules: Arc<ActiveRules>,
    /// The connection, once it is open.
    pub(crate) service: OpenService,
    /// The running account.
    pub(crate) control: Control,
    /// The chat service.
    pub(crate) connector: &'static dyn Connector,
    /// Answers operators while the account runs. It holds the store, which an account that has ended must not keep open.
    pub(crate) operator_api: Weak<OperatorApi>,
}

impl AccountView {
    /// All chats, with the names they have now.
    async fn chat_names(&self) -> Result<Names, Problem> {
        let survey = self.archive.survey().await?;
        let listed = self.service.get().map(|service| service.chats()).unwrap_or_default();
        Ok(Names::new(&survey.chats, &listed))
    }

    /// Whom the names of the rule file mean.
    async fn names(&self) -> Result<Vec<NameRow>, Problem> {
        let bindings = self.archive.bindings().await?;
        let called = |name: &str| {
            self.service.get().map_or(Called::Nobody, |service| service.person_called(name))
        };
        Ok(name_rows(Some(&self.active_rules.load()), &bindings, called))
    }
}

impl ConsoleView {
    async fn queue(&self, account: &AccountView) -> Result<QueueRow, Problem> {
        let now = self.clock.now();
        let midnight = rows::midnight(now, account.active_rules.load().zone());
        let present = account.archive.present(now, midnight).await?;
        let recent_errors = account.live.recent_errors();
        let ids =
            recent_errors.iter().filter_map(|recent_error| recent_error.event.clone()).collect();
        let queues = Queues {
            account: &account.name,
            connector: account.connector,
            present: &present,
            names: &account.chat_names().await?,
            pace: self.pace(account).await,
            recent_errors,
            events: account.archive.events(ids).await?,
        };
        Ok(queues.row())
    }

    /// How fast an account may speak; `None` if it does not run, or is too busy to say.
    async fn pace(&self, account: &AccountView) -> Option<Pace> {
        if matches!(self.pages.health.of(&account.name), Some(Condition::Ended { .. })) {
            return None;
        }
        tokio::time::timeout(PATIENCE, account.control.pace()).await.ok()?.ok()
    }

    /// The accounts that run or have run.
    fn views(&self) -> impl Iterator<Item = Arc<AccountView>> {
        self.supervisor.entries().into_iter().filter_map(|entry| entry.view)
    }

    /// Whether this process runs the account, or is to run it.
    fn is_here(&self, account: &str) -> bool {
        self.supervisor.names().iter().any(|name| name == account)
    }

    /// Has an account carry out a request, here or on its node. Returns the answer; a refusal is a problem.
    async fn ask(&self, account: &str, request: Request) -> Result<String, Problem> {
        if !self.is_here(account) {
            let Some(fleet) = &self.fleet else {
                return Err(Problem::NotFound("there is no such account".to_owned()));
            };
            return fleet.order(account, request).await;
        }
        let Some(api) = self.supervisor.operator_api(account) else {
            return Err(Problem::Refused("the account does not run".to_owned()));
        };
        match api.answer(request).await {
            Answer { ok: true, text, .. } => Ok(text),
            Answer { text, .. } => Err(Problem::Refused(text)),
        }
    }

    /// An account and its needs.
    async fn row(&self, entry: Entry) -> Result<AccountRow, Problem> {
        let Entry { name, connector, view } = entry;
        let condition = self.pages.health.of(&name);
        let is_over = matches!(condition, Some(Condition::Ended { .. }));
        let prompt = view.as_ref().and_then(|view| view.live.prompt()).filter(|_| !is_over);
        let since = self.pages.health.since(&name);
        let row = rows::account_row((&name, connector), condition.as_ref(), since, prompt.as_ref());
        let rejected_rules = self.pages.health.rejected_rules(&name).map(Into::into);
        let names = match view {
            Some(view) => view.names().await?,
            None => Vec::new(),
        };
        let rejected_settings = self.pages.health.rejected_settings().map(Into::into);
        let restart = self.fleet.is_some() && is_over;
        Ok(AccountRow { names, rejected_rules, rejected_settings, restart, ..row })
    }
}

#[async_trait]
impl Page for ConsoleView {
    async fn session(&self) -> Result<Session, Problem> {
        let names = self.supervisor.names();
        let bot = BotRow { name: names.join(", ") };
        Ok(Session {
            mode: "console",
            bot,
            file: None,
            chat: None,
            now: self.clock.now().as_millis(),
            run: self.run.clone(),
            rejected_rules: None,
            rejected_settings: None,
        })
    }

    fn follow(&self) -> broadcast::Receiver<Arc<News>> {
        self.feed.follow()
    }
}

#[async_trait]
impl ConsolePage for ConsoleView {
    async fn accounts(&self) -> Result<Vec<AccountRow>, Problem> {
        let mut rows = Vec::new();
        for entry in self.supervisor.entries() {
            rows.push(self.row(entry).await?);
        }
        if let Some(fleet) = &self.fleet {
            let more = fleet.rows(|name| rows.iter().any(|row| row.name == name));
            rows.extend(more);
        }
        Ok(rows)
    }

    /// The last entries of all logs, newest first.
    async fn log(&self) -> Result<Vec<LogRow>, Problem> {
        let mut logged = Vec::new();
        for account in self.views() {
            let last = account.archive.last(ENTRIES).await?;
            logged.extend(last.into_iter().map(|entry| (account.name.clone(), entry)));
        }
        sort_by_key(&mut logged, |(_, entry)| std::cmp::Reverse((entry.accepted, entry.seq)));
        let handled = logged.iter().filter(|(_, entry)| entry.handled.is_some());
        let rows =
            handled.map(|(name, entry)| rows::log_row(name, &entry.event, entry.decided.as_ref()));
        Ok(rows.take(ENTRIES as usize).collect())
    }

    async fn rules(&self) -> Result<Vec<RuleRow>, Problem> {
        let mut all = Vec::new();
        for account in self.views() {
            let survey = account.archive.survey().await?;
            let book = account.active_rules.load_full();
            all.extend(rows::rule_rows(&account.name, book.rules(), &survey, self.clock.now()));
        }
        Ok(all)
    }

    async fn queues(&self) -> Result<Vec<QueueRow>, Problem> {
        let mut all = Vec::new();
        for account in self.views() {
            all.push(self.queue(&account).await?);
        }
        Ok(all)
    }

    async fn handlers(&self) -> Result<Vec<HandlerRow>, Problem> {
        Ok(handlers::rows(&self.programs))
    }

    /// The chats whose name has this text.
    async fn known_chats(&self, query: &str) -> Result<KnownChats, Problem> {
        let now = self.clock.now();
        let mut chats = Vec::new();
        for account in self.views() {
            let names = account.chat_names().await?;
            let mutes = account.archive.mutes(now).await?;
            chats.extend(rows::mute_rows(&account.name, &names, &mutes, query, now));
        }
        let mut missed = 0;
        // A look into the data of every account of a fleet takes time: only for a person who searches.
        if let Some(fleet) = self.fleet.as_ref().filter(|_| !query.trim().is_empty()) {
            let here = self.supervisor.names();
            let is_here = |name: &str| here.iter().any(|known| known == name);
            let found = fleet.chats(query, now, is_here).await?;
            (missed, chats) = (found.missed, [chats, found.rows].concat());
        }
        sort_by_key(&mut chats, |chat| !chat.muted);
        let total = chats.len();
        chats.truncate(CHATS);
        Ok(KnownChats { chats, total, missed })
    }

    async fn mute(&self, account: &str, chat: &str, minutes: u64) -> Result<(), Problem> {
        let (chat, seconds) = (chat.to_owned(), minutes.saturating_mul(60));
        self.ask(account, Request::Mute { chat, seconds }).await.map(drop)
    }

    async fn reload(&self, account: &str) -> Result<ReloadReport, Problem> {
        let report = match self.ask(account, Request::Reload).await {
            // The old rules stay: the report says why.
            Ok(report) | Err(Problem::Refused(report)) => report,
            Err(problem) => return Err(problem),
        };
        Ok(ReloadReport { report })
    }

    async fn restart(&self, account: &str) -> Result<(), Problem> {
        let Some(fleet) = &self.fleet else {
            return Err(Problem::Refused("only an account of a fleet is started again".to_owned()));
        };
        fleet.order(account, Request::Restart).await.map(drop)
    }
}

impl std::fmt::Debug for ConsoleView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.supervisor.names();
        f.debug_struct("ConsoleView").field("accounts", &names).finish_non_exhaustive()
    }
}
