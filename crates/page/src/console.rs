//! The console in the browser: its calls, and the trait of the program that answers them.

use async_trait::async_trait;
use serde::Deserialize;

use crate::answer::{Answered, answered};
use crate::view::{
    AccountRow, HandlerRow, KnownChats, LogRow, Page, Problem, QueueRow, ReloadReport, RuleRow,
};

/// The accounts of a running process, for the console.
#[async_trait]
pub trait ConsolePage: Page {
    /// The accounts of this process.
    async fn accounts(&self) -> Result<Vec<AccountRow>, Problem>;

    /// The last handled events, newest first.
    async fn log(&self) -> Result<Vec<LogRow>, Problem>;

    /// The rules and their use.
    async fn rules(&self) -> Result<Vec<RuleRow>, Problem>;

    /// The waiting events and actions of each account.
    async fn queues(&self) -> Result<Vec<QueueRow>, Problem>;

    /// The handlers in other processes, and the language models.
    async fn handlers(&self) -> Result<Vec<HandlerRow>, Problem>;

    /// The first hundred chats of all accounts whose names contain this text.
    async fn known_chats(&self, query: &str) -> Result<KnownChats, Problem>;

    /// Mutes a chat of an account; 0 minutes ends the mute.
    async fn mute(&self, account: &str, chat: &str, minutes: u64) -> Result<(), Problem>;

    /// Loads the rules of an account again.
    async fn reload(&self, account: &str) -> Result<ReloadReport, Problem>;

    /// Starts an account of a fleet again that has ended, e.g. since its session is over.
    async fn restart(&self, account: &str) -> Result<(), Problem>;
}

/// A call of the console. Method and path are the tag; query and body together are the fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "call")]
pub(crate) enum ConsoleCall {
    #[serde(rename = "GET session")]
    Session,
    #[serde(rename = "GET accounts")]
    Accounts,
    #[serde(rename = "GET log")]
    Log,
    #[serde(rename = "GET rules")]
    Rules,
    #[serde(rename = "GET queues")]
    Queues,
    #[serde(rename = "GET handlers")]
    Handlers,
    #[serde(rename = "GET known-chats")]
    KnownChats {
        /// A part of the name; empty for all.
        #[serde(default)]
        query: String,
    },
    #[serde(rename = "POST mute")]
    Mute { account: String, chat: String, minutes: u64 },
    #[serde(rename = "POST reload")]
    Reload { account: String },
    #[serde(rename = "POST restart")]
    Restart { account: String },
}

impl ConsoleCall {
    pub(crate) async fn answer(self, page: &dyn ConsolePage) -> Answered {
        match self {
            Self::Session => answered(page.session().await),
            Self::Accounts => answered(page.accounts().await),
            Self::Log => answered(page.log().await),
            Self::Rules => answered(page.rules().await),
            Self::Queues => answered(page.queues().await),
            Self::Handlers => answered(page.handlers().await),
            Self::KnownChats { query } => answered(page.known_chats(&query).await),
            Self::Mute { account, chat, minutes } => {
                answered(page.mute(&account, &chat, minutes).await)
            }
            Self::Reload { account } => answered(page.reload(&account).await),
            Self::Restart { account } => answered(page.restart(&account).await),
        }
    }
}
