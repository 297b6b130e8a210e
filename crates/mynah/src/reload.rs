//! Rules anew while the bot runs: on save, on SIGHUP, by an admin's word.
//!
//! The file is parsed, checked, and its own tests are played; only then is the book swapped, at once and whole. A bad
//! file changes nothing: the old rules stay, and the reason goes to log, alert and the admin who asked.

mod accounts;
mod of_account;
mod settings;
mod watch;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mynah_core::{CalledBy, Capabilities, Clock, Event, EventBody, EventId};
use mynah_page::{Condition, Pages};
use mynah_rules::{Files, Lang, RuleBook};
use mynah_runtime::Control;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub(crate) use self::accounts::{AccountTables, AccountsChange};
pub(crate) use self::of_account::RunningAccounts;
pub(crate) use self::settings::{Change, SettingsReloader, SettingsUser, SettingsUsers};
pub(crate) use self::watch::{FileWatcher, SaveWatch};
use crate::alert::{Alert, AlertKind, Alerts};
use crate::operate::Answer;
use crate::rule_books::{ReadRules, RuleBooks, RuleSource};
use crate::rule_file::{Mistakes, has_rules};
use crate::rule_handler::{ActiveRules, Operator};
use crate::view::console::Live;
use crate::{Bot, metrics};

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
    /// The compiled rules of the process.
    pub(crate) books: RuleBooks,
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
    pub(crate) read: tokio::sync::Mutex<Vec<PathBuf>>,
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

/// Drops a book that turns or other accounts may still hold for a moment, as its last holder: freeing a hundred thousand
/// rules is work that no message should wait for.
fn take_apart(old: Arc<RuleBook>) {
    /// The books that wait for this, each once, however many accounts had it.
    static WAITING: Mutex<Vec<(Instant, Arc<RuleBook>)>> = Mutex::new(Vec::new());
    /// How long is waited for those who hold it; after that they may do it themselves.
    const PATIENCE: Duration = Duration::from_secs(10);
    fn waiting() -> MutexGuard<'static, Vec<(Instant, Arc<RuleBook>)>> {
        WAITING.lock().unwrap_or_else(PoisonError::into_inner)
    }
    {
        let mut waiting = waiting();
        if waiting.iter().any(|(_, known)| Arc::ptr_eq(known, &old)) {
            return;
        }
        waiting.push((Instant::now(), old));
        if waiting.len() > 1 {
            return;
        }
    }
    let wait = || {
        loop {
            let is_due = |(since, book): &mut (Instant, Arc<RuleBook>)| {
                Arc::strong_count(book) == 1 || since.elapsed() > PATIENCE
            };
            let due: Vec<_> = waiting().extract_if(.., is_due).collect();
            drop(due);
            if waiting().is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    // Not a thread of the runtime, whose end would wait for it: at the end of the process nothing need be freed.
    if std::thread::Builder::new().name("old-rules".to_owned()).spawn(wait).is_err() {
        let books = std::mem::take(&mut *waiting());
        drop(books);
    }
}

impl Reloader {
    /// Reloads whenever a file is saved, until stopped.
    pub(crate) async fn follow(self: Arc<Self>, watcher: FileWatcher, stop: CancellationToken) {
        let mut saves = watcher.of_rules();
        loop {
            saves.look_at(&self.main, &self.read.lock().await);
            tokio::select! {
                () = stop.cancelled() => return,
                () = saves.next() => drop(self.reload().await),
            }
        }
    }

    /// Reloads, informs operator and console, and returns the result in words: a refusal if the old rules stay.
    pub(crate) async fn reload(&self) -> Answer {
        let mut read = self.read.lock().await;
        let (outcome, answer) = match self.try_reload(&mut read).await {
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
                ("swapped", Answer::done(self.swapped_words(&difference)))
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
                ("kept", Answer::refused(words))
            }
        };
        self.pages.metrics.add(&metrics::RELOADS, &[&self.account, outcome], 1.0);
        self.live.rules_changed();
        answer
    }

    /// Makes the rejected file visible until it is mended: in `/health`, at the console, in `mynah status`.
    fn reject(&self, mistakes: Mistakes) {
        let rejected = mistakes.rejected(self.clock.now());
        self.pages.health.set_rejected_rules(&self.account, Some(rejected));
    }

    async fn try_reload(&self, read: &mut Vec<PathBuf>) -> Reloaded {
        let ReadRules { book, emptied, files, .. } = match self.read(self.bot.clone()).await {
            Ok(rules) => rules,
            Err(mistakes) => return Reloaded::Kept(mistakes),
        };
        *read = files;
        let old = self.active_rules.load_full();
        match (emptied.filter(|_| has_rules(&old)), book) {
            (Some(mistakes), _) | (None, Err(mistakes)) => Reloaded::Kept(mistakes),
            (None, Ok(book)) => {
                let difference = Difference::between(&old, &book);
                self.called_by.replace(book.names().iter().cloned());
                drop(old);
                let is_other = !Arc::ptr_eq(&self.active_rules.load(), &book);
                let old = self.active_rules.swap(book);
                if is_other {
                    take_apart(old);
                }
                self.announce().await;
                Reloaded::Swapped(difference)
            }
        }
    }

    /// The rules as they are saved, with the handlers of this bot; or why they cannot be used.
    pub(crate) async fn would_take(&self, bot: Bot) -> Result<Arc<RuleBook>, Mistakes> {
        let rules = self.read(bot).await?;
        let emptied = rules.emptied.filter(|_| has_rules(&self.active_rules.load()));
        match (emptied, rules.book) {
            (Some(mistakes), _) | (None, Err(mistakes)) => Err(mistakes),
            (None, Ok(book)) => Ok(book),
        }
    }

    /// Reads, checks and compiles the rules and plays their tests, unless another account has done so. A large file takes
    /// seconds, and messages are answered meanwhile.
    async fn read(&self, bot: Bot) -> Result<ReadRules, Mistakes> {
        let lang = self.lang;
        let source = RuleSource {
            main: self.main.clone(),
            files: Arc::clone(&self.files),
            bot,
            capabilities: Arc::clone(&self.capabilities),
            lang: Box::new(move |_| lang),
        };
        let (books, runtime) = (self.books.clone(), Handle::current());
        let read = spawn_blocking(move || books.read_and_test(&source, &runtime)).await;
        read.map_err(|error| self.unreadable(&error.to_string()))
    }

    /// The mistakes of a file that cannot be read at all.
    fn unreadable(&self, why: &str) -> Mistakes {
        let file = self.main.file_name().map(|name| name.to_string_lossy().into_owned());
        let report = format!("failed to read the rules: {why}");
        Mistakes { file: file.unwrap_or_default(), line: 1, count: 1, report }
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
        Self::reload(self).await.text
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

#[cfg(test)]
mod tests {
    use mynah_rules::Disk;

    use super::*;

    #[test]
    fn the_end_of_a_process_does_not_wait_for_the_holders_of_old_rules() {
        let folder = tempfile::tempdir().unwrap();
        let main = folder.path().join("bot.toml");
        std::fs::write(&main, "[[rule]]\nkeyword = 'a'\nreply = 'b'\n").unwrap();
        let loaded = mynah_rules::load(&main, &Disk, &mynah_rules::LoadOptions::default());
        let held = loaded.book.unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { take_apart(Arc::clone(&held)) });
        drop(runtime);
        assert_eq!(Arc::strong_count(&held), 2, "it was waited until patience ended");
    }
}
