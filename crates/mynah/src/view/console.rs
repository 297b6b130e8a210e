//! The console: all accounts of this process in the browser.

mod archive;
mod live;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{Called, Clock, Prompt};
use mynah_page::view::{
    AccountRow, BotRow, Call, LogRow, NameRow, News, Problem, QueueRow, RuleRow, Session, View,
};
use mynah_page::{Condition, Pages};
use mynah_runtime::{Control, Pace};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;

pub(crate) use self::archive::Archive;
pub(crate) use self::live::{Bulletin, Live};
use self::rows::Queues;
use crate::names::name_rows;
use crate::operate::muting;
use crate::reload::Reloader;
use crate::rule_handler::Shelf;
use crate::stop::OpenService;

/// Entries of the log that are shown.
const ENTRIES: u32 = 200;

/// How long an account may take to say how fast it may speak.
const PATIENCE: Duration = Duration::from_secs(1);

/// Longer than this is for ever.
const LONGEST_MUTE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// The accounts of a process, as the page sees them.
pub(crate) struct ConsoleView {
    /// The accounts.
    pub(crate) accounts: Vec<Glass>,
    /// How they are.
    pub(crate) pages: Pages,
    /// Where news are told.
    pub(crate) bulletin: Bulletin,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What can be seen of an account, and done to it.
pub(crate) struct Glass {
    /// Its name.
    pub(crate) name: String,
    /// What happens in it.
    pub(crate) live: Arc<Live>,
    /// What is kept of it.
    pub(crate) archive: Arc<Archive>,
    /// The rules in use.
    pub(crate) shelf: Arc<Shelf>,
    /// The connection, once it is open.
    pub(crate) service: OpenService,
    /// What reloads them.
    pub(crate) reloader: Arc<Reloader>,
    /// Takes mutes.
    pub(crate) control: Control,
}

impl Glass {
    /// Whom the names of the rule file mean.
    async fn names(&self) -> Result<Vec<NameRow>, Problem> {
        let bindings = self.archive.bindings().await?;
        let called = |name: &str| {
            self.service.get().map_or(Called::Nobody, |service| service.person_called(name))
        };
        Ok(name_rows(Some(&self.shelf.load()), &bindings, called))
    }
}

impl ConsoleView {
    fn session(&self) -> Session {
        let names: Vec<_> = self.accounts.iter().map(|account| account.name.as_str()).collect();
        let bot = BotRow { name: names.join(", ") };
        Session { mode: "console", bot, file: None, chat: None, now: self.clock.now().as_millis() }
    }

    async fn rows(&self) -> Result<Vec<AccountRow>, Problem> {
        let mut rows = Vec::new();
        for account in &self.accounts {
            let condition = self.pages.health.of(&account.name);
            let is_over = matches!(condition, Some(Condition::Ended { .. }));
            let prompt: Option<Prompt> = account.live.prompt().filter(|_| !is_over);
            let since = self.pages.health.since(&account.name);
            let row = rows::account_row(&account.name, condition.as_ref(), since, prompt.as_ref());
            rows.push(AccountRow { names: account.names().await?, ..row });
        }
        Ok(rows)
    }

    /// The last entries of all logs, newest first.
    async fn log(&self) -> Result<Vec<LogRow>, Problem> {
        let mut logged = Vec::new();
        for account in &self.accounts {
            let last = account.archive.last(ENTRIES).await?;
            logged.extend(last.into_iter().map(|entry| (account.name.as_str(), entry)));
        }
        logged.sort_by_key(|(_, entry)| std::cmp::Reverse((entry.accepted, entry.seq)));
        let handled = logged.iter().filter(|(_, entry)| entry.handled.is_some());
        let rows =
            handled.map(|(name, entry)| rows::log_row(name, &entry.event, entry.decided.as_ref()));
        Ok(rows.take(ENTRIES as usize).collect())
    }

    async fn rules(&self) -> Result<Vec<RuleRow>, Problem> {
        let mut all = Vec::new();
        for account in &self.accounts {
            let survey = account.archive.survey().await?;
            let book = account.shelf.load_full();
            all.extend(rows::rule_rows(&account.name, book.rules(), &survey, self.clock.now()));
        }
        Ok(all)
    }

    async fn queues(&self) -> Result<Vec<QueueRow>, Problem> {
        let mut all = Vec::new();
        for account in &self.accounts {
            all.push(self.queue(account).await?);
        }
        Ok(all)
    }

    async fn queue(&self, account: &Glass) -> Result<QueueRow, Problem> {
        let now = self.clock.now();
        let survey = account.archive.survey().await?;
        let midnight = rows::midnight(now, account.shelf.load().zone());
        let present = account.archive.present(now, midnight).await?;
        let queues = Queues {
            account: &account.name,
            present: &present,
            survey: &survey,
            pace: self.pace(account).await,
            troubles: account.live.troubles(),
            now,
        };
        Ok(queues.row())
    }

    /// How fast an account may speak; `None` if it does not run, or is too busy to say.
    async fn pace(&self, account: &Glass) -> Option<Pace> {
        if matches!(self.pages.health.of(&account.name), Some(Condition::Ended { .. })) {
            return None;
        }
        tokio::time::timeout(PATIENCE, account.control.pace()).await.ok()?.ok()
    }

    /// Mutes a chat by way of an event, so that it is stored and comes in order with everything else in that chat.
    async fn mute(&self, account: &str, chat: &str, minutes: u64) -> Result<Value, Problem> {
        let account = self.account(account)?;
        let survey = account.archive.survey().await?;
        let known = survey.chats.iter().find(|known| known.id.as_str() == chat);
        let chat = known.ok_or_else(|| Problem::NotFound("there is no such chat".to_owned()))?;
        let now = self.clock.now();
        let lasts = Duration::from_secs(minutes.saturating_mul(60)).min(LONGEST_MUTE);
        let event = muting(chat, (minutes > 0).then_some(now + lasts), now);
        let injected = account.control.inject(vec![event]).await;
        injected.map_err(|error| Problem::Refused(error.to_string()))?;
        Ok(Value::Null)
    }

    async fn reload(&self, account: &str) -> Result<Value, Problem> {
        Ok(json!({ "report": self.account(account)?.reloader.reload().await }))
    }

    fn account(&self, name: &str) -> Result<&Glass, Problem> {
        let found = self.accounts.iter().find(|account| account.name == name);
        found.ok_or_else(|| Problem::NotFound("there is no such account".to_owned()))
    }
}

#[async_trait]
impl View for ConsoleView {
    async fn answer(&self, call: Call) -> Result<Value, Problem> {
        match call {
            Call::Session => as_json(self.session()),
            Call::Accounts => as_json(self.rows().await?),
            Call::Log => as_json(self.log().await?),
            Call::Rules => as_json(self.rules().await?),
            Call::Queues => as_json(self.queues().await?),
            Call::Mute { account, chat, minutes } => self.mute(&account, &chat, minutes).await,
            Call::Reload { account } => self.reload(&account).await,
            _ => Err(Problem::NotFound(
                "this is the console of a running bot, no sandbox".to_owned(),
            )),
        }
    }

    fn follow(&self) -> broadcast::Receiver<Arc<News>> {
        self.bulletin.follow()
    }
}

fn as_json(value: impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(|error| Problem::Refused(error.to_string()))
}

impl std::fmt::Debug for ConsoleView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.accounts.iter().map(|account| account.name.as_str()).collect();
        f.debug_struct("ConsoleView").field("accounts", &names).finish_non_exhaustive()
    }
}
