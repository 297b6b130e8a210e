//! Rules anew while the bot runs: on save, on SIGHUP, by an admin's word.
//!
//! The file is parsed, checked, and its own tests are played; only then is the book swapped, at once and whole. A bad
//! file changes nothing: the old rules stay, and the reason goes to log, alert and the admin who asked.

mod of_account;
mod settings;
mod watch;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mynah_core::{CalledBy, Capabilities, Clock, Event, EventBody, EventId};
use mynah_page::{Condition, Pages};
use mynah_rules::{Files, Lang, RuleBook};
use mynah_runtime::Control;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub(crate) use self::of_account::RunningAccounts;
pub(crate) use self::settings::{Change, SettingsReloader, SettingsUser, SettingsUsers};
pub(crate) use self::watch::SaveWatch;
use crate::alert::{Alert, AlertKind, Alerts};
use crate::rule_file::Mistakes;
use crate::rule_handler::{ActiveRules, Operator};
use crate::view::console::Live;
use crate::{Bot, metrics, rule_file};

/// Files that a thread for blocking work reads.
pub(crate) type SharedFiles = dyn Files + Send + Sync;

/// Reloads the rules of one account.
pub(crate) struct Reloader {
    /// The account's name.
    pub(crate) account: String,
    /// The main rule file.
    pub(crate) main: PathBuf,
    /// Where it and the files beside it are.
    pub(crate) files: Arc<SharedFiles>,
    /// The handlers that rules may run.
    pub(crate) bot: Bot,
    /// The capabilities of the service.
    pub(crate) capabilities: Arc<Capabilities>,
    /// The rules that turns begin with.
    pub(crate) active_rules: Arc<ActiveRules>,
    /// The names by which the bot is called.
    pub(crate) called_by: CalledBy,
    /// The running account.
    pub(crate) control: Control,
    /// Receives the alert about a bad file.
    pub(crate) alerts: Alerts,
    /// Where reloads are counted, and the state is read from.
    pub(crate) pages: Pages,
    /// Where the console hears of it.
    pub(crate) live: Arc<Live>,
    /// The clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// The language of diagnostics.
    pub(crate) lang: Lang,
    /// The files that were read last; locked for the length of a reload, so that there is one at a time.
    pub(crate) read: Mutex<Vec<PathBuf>>,
    /// Notified when new rules answer.
    pub(crate) swapped: Arc<Notify>,
}

/// The result of a reload.
#[derive(Debug)]
enum Reloaded {
    /// The new rules answer from now on.
    Swapped(Difference),
    /// The old rules stay, and why.
    Kept(Mistakes),
}

/// The difference between two books.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    rules: usize,
    added: usize,
    gone: usize,
    /// Of the new book.
    rows: usize,
}

impl Difference {
    fn between(old: &RuleBook, new: &RuleBook) -> Self {
        let ids = |book: &RuleBook| book.rules().map(|rule| rule.id).collect::<BTreeSet<_>>();
        let rows = new.rows().count();
        let (old, new) = (ids(old), ids(new));
        Self {
            rules: new.len(),
            added: new.difference(&old).count(),
            gone: old.difference(&new).count(),
            rows,
        }
    }
}

/// A reload as far as it needs no running account, for a thread that may be busy with it.
struct Draft {
    main: PathBuf,
    files: Arc<SharedFiles>,
    bot: Bot,
    capabilities: Arc<Capabilities>,
    old: Arc<RuleBook>,
    lang: Lang,
}

/// The result of a draft.
struct Drafted {
    /// The files that were read.
    files: Vec<PathBuf>,
    /// The new rules and their difference, or the mistakes.
    made: Result<(Arc<RuleBook>, Difference), Mistakes>,
}

impl Draft {
    /// Reads, checks and compiles the rules and plays their tests.
    fn make(&self, runtime: &Handle) -> Drafted {
        let loaded = rule_file::load(&self.main, &*self.files, &self.bot, &self.capabilities);
        let files = loaded.sources.files().map(|(_, path)| path.to_owned()).collect();
        let emptied = Mistakes::of_emptied(&loaded, &self.old, self.lang);
        let mistakes = || runtime.block_on(rule_file::mistakes(&loaded, &self.bot, self.lang));
        let mistakes = emptied.or_else(mistakes);
        let made = match (loaded.book, mistakes) {
            (Some(book), None) => {
                let difference = Difference::between(&self.old, &book);
                Ok((book, difference))
            }
            (_, mistakes) => Err(mistakes.unwrap_or_else(|| self.unreadable(""))),
        };
        Drafted { files, made }
    }

    /// The mistakes of a file that cannot be read at all.
    fn unreadable(&self, why: &str) -> Mistakes {
        let file = self.main.file_name().map(|name| name.to_string_lossy().into_owned());
        let report = format!("failed to read the rules: {why}");
        Mistakes { file: file.unwrap_or_default(), line: 1, count: 1, report }
    }
}

/// Drops a book that turns may still hold for a moment, as its last holder: freeing a hundred thousand rules is work
/// that no message should wait for.
fn take_apart(old: Arc<RuleBook>) {
    /// How long is waited for those who hold it; after that they may do it themselves.
    const PATIENCE: Duration = Duration::from_secs(10);
    let began = Instant::now();
    while Arc::strong_count(&old) > 1 && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(old);
}

impl Reloader {
    /// Reloads whenever a file is saved, until stopped.
    pub(crate) async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut saves = match SaveWatch::new() {
            Ok(saves) => saves,
            Err(error) => {
                tracing::warn!(%error, account = self.account, "changes of the rules go unseen; SIGHUP reloads them");
                return;
            }
        };
        loop {
            saves.look_at(&self.main, &self.read.lock().await);
            tokio::select! {
                () = stop.cancelled() => return,
                () = saves.next() => drop(self.reload().await),
            }
        }
    }

    /// Reloads, informs operator and console, and returns the result in words.
    pub(crate) async fn reload(&self) -> String {
        let mut read = self.read.lock().await;
        let (outcome, words) = match self.try_reload(&mut read).await {
            Reloaded::Swapped(difference) => {
                let Difference { rules, added, gone, .. } = difference;
                tracing::info!(
                    account = self.account,
                    rules,
                    added,
                    gone,
                    "the rules were reloaded"
                );
                self.pages.health.set_rejected_rules(&self.account, None);
                self.swapped.notify_one();
                ("swapped", self.swapped_words(&difference))
            }
            Reloaded::Kept(mistakes) => {
                for line in mistakes.report.lines() {
                    tracing::error!(account = self.account, "{line}");
                }
                tracing::error!(
                    account = self.account,
                    "the new rules are wrong; the old ones stay"
                );
                let now = self.clock.now();
                let words = self.kept_words(&mistakes.report);
                self.reject(mistakes);
                self.alerts.send(Alert::new(AlertKind::Reload, &self.account, &words, now), now);
                ("kept", words)
            }
        };
        self.pages.metrics.add(&metrics::RELOADS, &[&self.account, outcome], 1.0);
        self.live.rules_changed();
        words
    }

    /// Makes the rejected file visible until it is mended: in `/health`, at the console, in `mynah status`.
    fn reject(&self, mistakes: Mistakes) {
        let rejected = mistakes.rejected(self.clock.now());
        self.pages.health.set_rejected_rules(&self.account, Some(rejected));
    }

    async fn try_reload(&self, read: &mut Vec<PathBuf>) -> Reloaded {
        // A large file takes seconds to check, and messages are answered meanwhile.
        let draft = self.draft();
        let runtime = Handle::current();
        let drafted = spawn_blocking(move || draft.make(&runtime)).await;
        let Drafted { files, made } = match drafted {
            Ok(drafted) => drafted,
            Err(error) => return Reloaded::Kept(self.draft().unreadable(&error.to_string())),
        };
        *read = files;
        match made {
            Err(mistakes) => Reloaded::Kept(mistakes),
            Ok((book, difference)) => {
                self.called_by.replace(book.names().iter().cloned());
                let old = self.active_rules.swap(book);
                spawn_blocking(move || take_apart(old));
                self.announce().await;
                Reloaded::Swapped(difference)
            }
        }
    }

    /// Why the rules as they are saved cannot be used with the handlers of this bot; `None` if they can.
    pub(crate) async fn refuses(&self, bot: Bot) -> Option<Mistakes> {
        let draft = Draft { bot, ..self.draft() };
        let runtime = Handle::current();
        match spawn_blocking(move || draft.make(&runtime).made).await {
            Ok(made) => made.err(),
            Err(error) => Some(self.draft().unreadable(&error.to_string())),
        }
    }

    fn draft(&self) -> Draft {
        Draft {
            main: self.main.clone(),
            files: Arc::clone(&self.files),
            bot: self.bot.clone(),
            capabilities: Arc::clone(&self.capabilities),
            old: self.active_rules.load_full(),
            lang: self.lang,
        }
    }

    /// Lets the rules set their schedules: at the start, and anew after a reload.
    pub(crate) async fn announce(&self) {
        let now = self.clock.now();
        let id = EventId::new(format!("started:{}", now.as_millis()));
        let event = Event { id, time: now, body: EventBody::Started };
        if self.control.inject(vec![event]).await.is_err() {
            tracing::debug!(account = self.account, "it is ending; no schedule is set");
        }
    }

    fn swapped_words(&self, difference: &Difference) -> String {
        let Difference { rules, added, gone, rows } = difference;
        let tables = match (rows, self.lang) {
            (0, _) => String::new(),
            (_, Lang::En) => format!("; {rows} rows of tables"),
            (_, Lang::Zh) => format!("；{rows} 行问答"),
        };
        match self.lang {
            Lang::En => format!("reloaded: {rules} rules, {added} new, {gone} gone{tables}"),
            Lang::Zh => format!("已重新加载：{rules} 条规则，新增 {added}，移除 {gone}{tables}"),
        }
    }

    fn kept_words(&self, why: &str) -> String {
        let why = why.trim_end();
        match self.lang {
            Lang::En => format!("the old rules stay, the file is wrong:\n{why}"),
            Lang::Zh => format!("文件有误，仍使用旧规则：\n{why}"),
        }
    }
}

#[async_trait]
impl Operator for Reloader {
    async fn reload(&self) -> String {
        Self::reload(self).await
    }

    async fn status(&self) -> String {
        let rules = self.active_rules.load().rules().count();
        // An admin who asks from within a chat sees that the bot is online, so this reports other faults.
        let on_line = matches!(self.pages.health.of(&self.account), Some(Condition::Online));
        match (self.lang, on_line) {
            (Lang::En, true) => format!("{}: online, {rules} rules", self.account),
            (Lang::En, false) => format!("{}: coming online, {rules} rules", self.account),
            (Lang::Zh, true) => format!("{}：在线，{rules} 条规则", self.account),
            (Lang::Zh, false) => format!("{}：正在上线，{rules} 条规则", self.account),
        }
    }
}
