//! The tables of `mynah.toml` that apply while the bot runs: read again on save and on SIGHUP.
//!
//! All of a change applies or nothing: with a mistake in the file, or with rules that run a handler which the file no longer
//! has, everything stays as it is, and the reason is shown until the file is mended.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use mynah_fetch::FetchSettings;
use mynah_programs::{Difference, Spec, Unchanged, Waits};
use mynah_reader::say;
use mynah_rules::{Lang, RuleBook};
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::task::JoinSet;

use super::accounts::AccountsChange;
use super::{AccountTables, FileWatcher, SaveWatch};
use crate::Bot;
use crate::boxed::boxed;
use crate::cli::{FetchArgs, Hangups};
use crate::config::{BotSettings, Config, Outside, Problems};
use crate::rule_file::Mistakes;

/// How many accounts reload their rules at the same time.
const AT_ONCE: usize = 8;

/// An account that changed settings reach while it runs.
#[async_trait]
pub(crate) trait SettingsUser: Send + Sync {
    /// Lets the next turns begin with the handlers as they are now.
    fn take_handlers(&self);

    /// Reads the rules again.
    async fn reload_rules(&self);

    /// The name of the account.
    fn name(&self) -> &str;

    /// Why the rules as they are saved cannot be used with the handlers and hosts of this bot; or the compiled rules, if they
    /// are shared: they are held until the settings apply.
    async fn judge(&self, bot: Bot) -> Result<Option<Arc<RuleBook>>, Mistakes>;

    /// The saved rules, if they were rejected: others answer.
    fn rejected_rules(&self) -> Option<Mistakes>;
}

/// The accounts that changed settings reach.
pub(crate) trait SettingsUsers: Send + Sync {
    /// Those that run now.
    fn users(&self) -> Vec<Arc<dyn SettingsUser>>;

    /// Tries again to start the accounts that could not start.
    fn retry(&self) {}

    /// Shows settings that were refused until others are accepted (`None`).
    fn mark(&self, refused: Option<&Mistakes>);

    /// Reports a change to people.
    fn changed(&self, change: &Change);

    /// Reports settings that were refused.
    fn refused(&self, mistakes: &Mistakes);
}

/// The change that new settings made.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The handlers that came, went and started anew.
    pub(crate) handlers: Difference,
    /// Whether rules can ask other hosts.
    pub(crate) has_other_hosts: bool,
}

/// Reads the settings again, for all accounts of a process.
pub(crate) struct SettingsReloader {
    config: Option<PathBuf>,
    /// The hosts that the command line opens beside those of the file.
    opened: FetchArgs,
    bot: Bot,
    lang: Lang,
    accounts: Box<dyn SettingsUsers>,
    /// The tables of accounts, where those of the file are run.
    tables: Option<AccountTables>,
    watcher: FileWatcher,
    /// Notified when an account has taken new rules.
    swapped: Arc<Notify>,
    /// Whether the last settings were refused: new rules may make them possible. Locked for the length of a reload, so that
    /// there is one at a time.
    is_refused: Mutex<bool>,
}

impl SettingsReloader {
    /// Reads this file again; without one, that at the usual place. `swapped` is notified when an account has taken new rules.
    pub(crate) fn new(
        config: Option<PathBuf>,
        opened: FetchArgs,
        (bot, lang): (Bot, Lang),
        accounts: Box<dyn SettingsUsers>,
        swapped: Arc<Notify>,
    ) -> Self {
        let (tables, watcher) = (None, FileWatcher::default());
        let is_refused = Mutex::default();
        Self { config, opened, bot, lang, accounts, tables, watcher, swapped, is_refused }
    }

    /// The same for these tables of accounts, with this watcher.
    pub(crate) fn following(self, tables: Option<AccountTables>, watcher: FileWatcher) -> Self {
        Self { tables, watcher, ..self }
    }

    /// Reloads whenever the file is saved from this call on, and when new rules may allow settings that were refused. The future
    /// never ends.
    pub(crate) fn follow(self: Arc<Self>) -> impl Future<Output = ()> {
        let saves = self.watch();
        async move {
            tokio::join!(self.follow_saves(saves), self.follow_rules());
        }
    }

    /// Starts the handlers anew and reloads settings and rules at each SIGHUP.
    pub(crate) async fn reload_at_hangups(self: Arc<Self>, mut hangups: Hangups) {
        while hangups.next().await {
            self.reload_all().await;
        }
    }

    fn watch(&self) -> Option<SaveWatch> {
        let watched = self.watcher.of_file(Config::file(self.config.as_deref()));
        if let Err(error) = &watched
            && self.config.is_some()
        {
            tracing::warn!(%error, "changes of the settings go unseen; SIGHUP reloads them");
        }
        watched.ok()
    }

    async fn follow_saves(&self, saves: Option<SaveWatch>) {
        let Some(mut saves) = saves else { return std::future::pending().await };
        loop {
            saves.next().await;
            if self.reload(Unchanged::Keep).await {
                self.reload_rules().await;
            }
        }
    }

    async fn follow_rules(&self) {
        loop {
            self.swapped.notified().await;
            if self.retry().await {
                self.reload_rules().await;
            }
        }
    }

    /// Tries refused settings with new rules. Returns true if rules can run other handlers or ask other hosts than before.
    async fn retry(&self) -> bool {
        let mut is_refused = self.is_refused.lock().await;
        if !*is_refused {
            return false;
        }
        // The reason was reported when the settings were saved.
        let Ok(has_more) = self.try_reload(Unchanged::Keep).await else { return false };
        *is_refused = false;
        self.accounts.mark(None);
        has_more
    }

    /// Reads settings and rules again, and starts all handlers anew, as their code may have changed.
    async fn reload_all(&self) {
        self.reload(Unchanged::StartAnew).await;
        self.reload_rules().await;
    }

    /// Reloads the rules of all accounts, some at once: those with the same files are read once.
    async fn reload_rules(&self) {
        self.accounts.retry();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut reloading = JoinSet::new();
        for account in self.accounts.users() {
            let places = Arc::clone(&places);
            reloading.spawn(boxed(async move {
                // It is never closed.
                let _place = places.acquire().await;
                account.reload_rules().await;
            }));
        }
        reloading.join_all().await;
    }

    /// Reads the settings again. Returns true if rules can run other handlers or ask other hosts than before.
    async fn reload(&self, unchanged: Unchanged) -> bool {
        let mut is_refused = self.is_refused.lock().await;
        let changed = self.try_reload(unchanged).await;
        *is_refused = changed.is_err();
        self.accounts.mark(changed.as_ref().err());
        changed.unwrap_or_else(|mistakes| {
            self.accounts.refused(&mistakes);
            false
        })
    }

    /// Applies the settings whole, or returns the mistakes.
    async fn try_reload(&self, unchanged: Unchanged) -> Result<bool, Mistakes> {
        let (BotSettings { handlers: handler, fetch }, config) = self.read()?;
        let accounts = self.change_of_accounts(config.as_ref())?;
        let fetch = self.opened.over(&fetch);
        let has_other_hosts = fetch != *self.bot.fetch_client().settings();
        let before = self.bot.declared_names();
        let opened = has_other_hosts.then_some(&fetch);
        let books = self.check(&handler, (&before, opened), &accounts).await?;
        let is_gone = |spec: &Spec| handler.iter().all(|new| new.name != spec.name);
        let running = self.bot.programs().iter().map(|program| program.spec());
        let leaving: Vec<Spec> = running.filter(is_gone).collect();
        let with_leaving = [handler.clone(), leaving.clone()].concat();
        let mut difference = self.change(with_leaving, unchanged)?;
        // Nothing can fail from here on: accounts that were stopped are started again.
        self.bot.redeclare(handler);
        if has_other_hosts {
            // Before rules are loaded by them.
            self.bot.fetch_client().reopen(fetch);
        }
        // An account that is replaced must not look like the end of the process.
        let _busy = self.tables.as_ref().map(AccountTables::busy);
        if let Some(tables) = &self.tables {
            tables.stop(&accounts).await;
        }
        if !leaving.is_empty() {
            // The old rules may run them, so the new rules come first.
            self.reload_rules().await;
            difference.removed = self.remove(&leaving);
        }
        let change = Change { handlers: difference, has_other_hosts };
        self.accounts.changed(&change);
        if let (Some(tables), Some(config)) = (&self.tables, &config) {
            tables.start(accounts, config).await;
        }
        drop(books);
        Ok(has_other_hosts || self.bot.declared_names() != before)
    }

    /// Removes handlers, and lets the next turns of all accounts begin without them.
    fn remove(&self, leaving: &[Spec]) -> Vec<String> {
        let is_leaving = |spec: &Spec| leaving.iter().any(|gone| gone.name == spec.name);
        let removed = self.bot.programs().remove(is_leaving);
        self.accounts.users().iter().for_each(|account| account.take_handlers());
        removed
    }

    /// Changes the handlers, and lets the next turns of all accounts begin with them.
    fn change(&self, specs: Vec<Spec>, unchanged: Unchanged) -> Result<Difference, Mistakes> {
        let changed = self.bot.programs().change(specs, Waits::default(), unchanged);
        let difference =
            changed.map_err(|(name, failure)| self.unusable(format!("{name}: {failure}")))?;
        if !difference.is_none() {
            self.accounts.users().iter().for_each(|account| account.take_handlers());
        }
        Ok(difference)
    }

    /// The settings of the bot, and all of the file if its accounts are run.
    fn read(&self) -> Result<(BotSettings, Option<Config>), Mistakes> {
        if self.was_emptied() {
            return Err(self.unusable(self.emptied()));
        }
        let (file, services) = (self.config.as_deref(), self.bot.services());
        let told = |problems: Problems| self.mistakes(&problems);
        let Some(AccountTables { data, .. }) = &self.tables else {
            let read = Config::load_bot(file, &Outside::new(services, None));
            return Ok((read.map_err(told)?, None));
        };
        let config = Config::load(file, &Outside::new(services, Some(data)).starting_each())
            .map_err(told)?;
        let (handlers, fetch) = (config.handler.clone(), config.fetch.clone());
        Ok((BotSettings { handlers, fetch }, Some(config)))
    }

    /// The accounts that these settings add, remove or change.
    fn change_of_accounts(&self, config: Option<&Config>) -> Result<AccountsChange, Mistakes> {
        let (Some(tables), Some(config)) = (&self.tables, config) else {
            return Ok(AccountsChange::default());
        };
        tables.change(config).map_err(|report| self.unusable(report.to_string()))
    }

    fn mistakes(&self, problems: &Problems) -> Mistakes {
        let lines: Vec<u32> = problems.findings(self.lang).map(|one| one.line.number).collect();
        let report = problems.render(self.lang, false);
        let first = self.unusable(report);
        Mistakes { line: lines.first().copied().unwrap_or(1), count: lines.len(), ..first }
    }

    /// The mistake of the file as a whole.
    fn unusable(&self, report: String) -> Mistakes {
        Mistakes::of_file(Config::file(self.config.as_deref()), report)
    }

    /// Whether the file is gone or has no text, while there are accounts, handlers or open hosts. Editors empty a file before
    /// they write it.
    fn was_emptied(&self) -> bool {
        let found = Config::file(self.config.as_deref()).metadata();
        let has_handlers = self.bot.programs().iter().next().is_some();
        let has_hosts =
            *self.bot.fetch_client().settings() != self.opened.over(&FetchSettings::default());
        (self.tables.is_some() || has_handlers || has_hosts)
            && found.map_or(true, |found| found.is_file() && found.len() == 0)
    }

    fn emptied(&self) -> String {
        let file = Config::file(self.config.as_deref()).display();
        say!(
            self.lang,
            "{file}: the file is empty or gone; to remove all settings, leave a comment in it",
            "{file}: 文件是空的或不见了；要移除全部设置，请在里面留一行注释"
        )
    }

    /// Refuses settings without a handler that the rules of an account run, or without a host that they ask, and new accounts
    /// whose rules cannot be used. Returns the rules that were compiled: as long as they are held, no account compiles them.
    async fn check(
        &self,
        specs: &[Spec],
        (before, fetch): (&[String], Option<&FetchSettings>),
        accounts: &AccountsChange,
    ) -> Result<Vec<Arc<RuleBook>>, Mistakes> {
        let declared = self.bot.clone().declare(specs.to_vec());
        let mut bot = declared.map_err(|why| self.unusable(why.to_string()))?;
        let names = bot.declared_names();
        let has_all_names = before.iter().all(|name| names.contains(name));
        if let Some(fetch) = fetch {
            bot = bot.fetching(fetch.clone());
        }
        let mut books = match &self.tables {
            Some(tables) => tables.check(accounts, &bot).await?,
            None => Vec::new(),
        };
        if fetch.is_none() && has_all_names {
            return Ok(books);
        }
        let users = self.accounts.users().into_iter();
        for account in users.filter(|account| !accounts.touches(account.name())) {
            // The rules that answer now are not those of the file then, and may run a handler that the file does not.
            if let Some(rejected) = account.rejected_rules().filter(|_| !has_all_names) {
                return Err(rejected);
            }
            books.extend(account.judge(bot.clone()).await?);
        }
        Ok(books)
    }
}
