//! The forms of the answers to the web application, and the part that both pages share.
//!
//! The page knows no bot and no sandbox: the program that serves it implements [`ConsolePage`](crate::ConsolePage) or
//! [`SandboxPage`](crate::SandboxPage).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::Decided;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::broadcast;

use crate::RejectedRules;

/// The part that console and sandbox share.
#[async_trait]
pub trait Page: Send + Sync {
    /// What this page is about.
    ///
    /// # Errors
    ///
    /// [`Problem`] in words for the person at the page.
    async fn session(&self) -> Result<Session, Problem>;

    /// Subscribes to the news from now on.
    fn follow(&self) -> broadcast::Receiver<Arc<News>>;
}

/// Why a call was not answered.
#[derive(Debug, Error)]
pub enum Problem {
    /// There is no such thing (any more).
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done, for this reason.
    #[error("{0}")]
    Refused(String),
    /// What was to be replaced is not what the page saw.
    #[error("it was changed elsewhere meanwhile")]
    Changed,
}

/// What a page is about.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// `sandbox` or `console`.
    pub mode: &'static str,
    /// The bot.
    pub bot: BotRow,
    /// The name of the rule file, where it can be edited.
    pub file: Option<String>,
    /// The chat to open first.
    pub chat: Option<String>,
    /// The present moment in milliseconds since 1970.
    pub now: i64,
    /// Differs from start to start of the program: what a page knows of another run is gone.
    pub run: String,
    /// The rule file that could not be used, where the page is about one bot.
    pub rejected_rules: Option<RejectedRow>,
}

/// The bot of a page.
#[derive(Debug, Clone, Serialize)]
pub struct BotRow {
    /// Its name.
    pub name: String,
}

/// A chat of the sandbox.
#[derive(Debug, Clone, Serialize)]
pub struct ChatRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is a group.
    pub group: bool,
    /// The people who can speak in it.
    pub people: Vec<String>,
    /// What was said last.
    pub last: Option<LastRow>,
    /// Messages nobody looked at yet.
    pub unread: u32,
}

/// The last message of a chat.
#[derive(Debug, Clone, Serialize)]
pub struct LastRow {
    /// Who said it; empty for a line of the system.
    pub from: String,
    /// Whether the bot said it.
    pub mine: bool,
    /// Its text.
    pub text: String,
    /// Its kind, as `type` in rules.
    pub kind: &'static str,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// The chat that an action of a person made.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Made {
    /// Its id, if there is a new one.
    pub chat: Option<String>,
}

/// The text of the rule file.
#[derive(Debug, Clone, Serialize)]
pub struct FileText {
    /// The text.
    pub text: String,
}

/// How the bot of the sandbox is.
#[derive(Debug, Clone, Serialize)]
pub struct LoginRow {
    /// Whether it is logged in.
    pub online: bool,
    /// Whether it has left for good.
    pub left: bool,
    /// Until when it pauses since it spoke too often, in milliseconds since 1970.
    pub pause: Option<i64>,
    /// The state of the login: `waiting`, `scanned`, `confirmed`, `used`, `cancelled` or `expired`.
    pub state: Option<&'static str>,
    /// The code to scan as a data address.
    pub qr: Option<String>,
}

/// A failure that the server of the sandbox is going to have.
#[derive(Debug, Clone, Serialize)]
pub struct FaultRow {
    /// The endpoint.
    pub path: String,
    /// How often; none until it is ended.
    pub times: Option<u64>,
}

/// A part of a conversation.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MessagePage {
    /// Oldest first.
    pub messages: Vec<MessageRow>,
    /// Whether there are older ones.
    pub more: bool,
}

/// A message of the sandbox.
#[derive(Debug, Clone, Serialize)]
pub struct MessageRow {
    /// Its id: a number that rises with time, as text, since it is larger than a browser's numbers.
    pub id: String,
    /// The chat's id.
    pub chat: String,
    /// Who said it.
    pub from: String,
    /// Whether the bot said it.
    pub mine: bool,
    /// Its kind, as `type` in rules, or `system`.
    pub kind: &'static str,
    /// Its text.
    pub text: String,
    /// The address of its picture, voice or file.
    pub media: Option<String>,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Whether it was recalled.
    pub recalled: bool,
    /// What made the bot say it, if the bot did and the service has taken it.
    pub cause: Option<CauseRow>,
    /// Whether the page was told of it before: then it is a change.
    pub known: bool,
}

/// What the bot made of a message.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Why {
    /// For a message of the bot itself: what it answers, or what made the bot speak.
    pub cause: Option<CauseRow>,
    /// The decision, if there is one yet.
    pub decided: Option<Decided>,
    /// The rules that matched: those that answered and those that a brake kept quiet.
    pub deciding: Vec<StepRow>,
    /// The rules that nearly matched, in order.
    pub near: Vec<StepRow>,
    /// All other rules that were looked at, by what they lacked; the most frequent reason first.
    pub rest: Vec<FoldRow>,
    /// What was done, in order.
    pub actions: Vec<ActionRow>,
    /// What could not be done, in the language asked for.
    pub problems: Vec<String>,
    /// The state before and after.
    pub state: StateRow,
}

impl Why {
    /// The rules that are kept one by one: those that matched, those that nearly did, then the others.
    #[must_use]
    pub fn steps(&self) -> Vec<&StepRow> {
        let rest = self.rest.iter().flat_map(|fold| &fold.first);
        self.deciding.iter().chain(&self.near).chain(rest).collect()
    }

    /// How many rules were looked at, those that are only counted too.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        let rest: usize = self.rest.iter().map(|fold| fold.count).sum();
        self.deciding.len() + self.near.len() + rest
    }
}

/// What made the bot say something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CauseRow {
    /// `message`, `schedule`, `timeout` of a dialog, `later` for what waited, or `other`.
    pub kind: &'static str,
    /// The message or notice, where one led to it.
    pub message: Option<String>,
    /// What was said there.
    pub text: String,
    /// The file of the rule, schedule or dialog.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
}

/// One rule and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct StepRow {
    /// Its id, or `file:line`.
    pub rule: String,
    /// Its file.
    pub file: String,
    /// The line of its header.
    pub line: u32,
    /// `off`, `failed`, `quiet` or `acted`.
    pub verdict: &'static str,
    /// What it lacked, or that it matched.
    pub why: String,
    /// Until when a brake holds, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// Rules that lacked the same thing.
#[derive(Debug, Clone, Serialize)]
pub struct FoldRow {
    /// What they lacked.
    pub why: String,
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<StepRow>,
}

/// Something that was done, or is to be done.
#[derive(Debug, Clone, Serialize)]
pub struct ActionRow {
    /// `send`, `recall`, `accept_friend`, `save` or `run`.
    pub what: &'static str,
    /// The name of the chat, if it is another one than that of the message.
    pub chat: Option<String>,
    /// What: the text, the row, the handler.
    pub text: String,
    /// `waiting`, `done`, `again`, `refused`, `expired` or `unknown`.
    pub outcome: &'static str,
    /// Why it did not succeed, as a word that the page has a sentence for.
    pub cause: Option<&'static str>,
    /// The same, as the program or the service said it in English.
    pub detail: String,
}

/// Values of state.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StateRow {
    /// The speaker's in this chat.
    pub person: Vec<ValueRow>,
    /// The chat's.
    pub chat: Vec<ValueRow>,
    /// The bot's own.
    pub bot: Vec<ValueRow>,
}

/// One value, before the turn and after it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ValueRow {
    /// Its name; that of a brake with the id of its rule.
    pub name: String,
    /// What it was; none if there was none.
    pub before: Option<String>,
    /// What it is; none if there is none.
    pub after: Option<String>,
    /// The dialog in progress that this is.
    pub dialog: Option<DialogRow>,
}

/// A dialog in progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DialogRow {
    /// Its id.
    pub id: String,
    /// Which question was asked last, from 1.
    pub question: usize,
    /// How many there are.
    pub of: usize,
    /// When it runs out, in milliseconds since 1970.
    pub until: Option<i64>,
    /// The answers so far.
    pub answers: BTreeMap<String, String>,
}

/// A conversation as a test.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestDraft {
    /// All lines of the conversation, oldest first.
    pub lines: Vec<TestLine>,
    /// The test of those that are wanted; empty if there are none.
    pub text: String,
}

/// A line of a conversation that a test can begin or end with.
#[derive(Debug, Clone, Serialize)]
pub struct TestLine {
    /// Its id.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// What happened.
    pub label: String,
}

/// What came of a test.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestPlayed {
    /// Whether it passes.
    pub passes: bool,
    /// Whether it stands in the rule file now.
    pub saved: bool,
    /// Why it does not pass.
    pub report: String,
}

/// A mistake or warning about a rule file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiagnosticRow {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The mistake.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

/// What the check of a rule file found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checked {
    /// Mistakes and warnings.
    pub diagnostics: Vec<DiagnosticRow>,
    /// How many mistakes keep the bot from working by it; failed tests count.
    pub mistakes: usize,
    /// Whether it was written to the file.
    pub saved: bool,
    /// Whether the bot works by it now.
    pub reloaded: bool,
    /// Why it does not, beyond the diagnostics.
    pub report: Option<String>,
}

/// An account of a running bot.
#[derive(Debug, Clone, Serialize)]
pub struct AccountRow {
    /// Its name in the configuration.
    pub name: String,
    /// Whether it is on line.
    pub online: bool,
    /// `starting`, `waiting`, `online`, `offline` or `ended`.
    pub condition: &'static str,
    /// Since when, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Why, as a word that the page has a sentence for.
    pub cause: Option<&'static str>,
    /// More about its state, as the program says it in English.
    pub detail: String,
    /// What a person has to do: `scan` or `confirm`.
    pub prompt: Option<&'static str>,
    /// The QR code as a data address.
    pub qr: Option<String>,
    /// The rule file that was saved and could not be used, until it is mended.
    pub rejected_rules: Option<RejectedRow>,
    /// Whom the names of its rule file mean.
    pub names: Vec<NameRow>,
}

/// A name in `admins`, `from`, `not_from` or `ignore`, and whom it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRow {
    /// The name.
    pub name: String,
    /// The keys under which it stands; none if it is only bound to a person by an earlier rule file.
    pub keys: Vec<String>,
    /// Why the person is meant.
    pub by: By,
    /// The id of the person who is meant.
    pub person: Option<String>,
    /// The id of the person to whom it is bound by nickname.
    pub bound: Option<String>,
    /// How many friends are called so.
    pub friends: usize,
}

/// Why a name means a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The owner of the account gave the name as a remark.
    Remark,
    /// The person chose the name.
    Nickname,
    /// It means nobody.
    Nobody,
}

/// A rule file that could not be used: the account works with the rules before it.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedRow {
    /// The file of the first mistake.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// How many mistakes there are.
    pub mistakes: usize,
    /// All of them, in the program's language.
    pub report: String,
    /// Since when no version of the file could be used, in milliseconds since 1970.
    pub since: i64,
}

impl From<RejectedRules> for RejectedRow {
    fn from(rejected: RejectedRules) -> Self {
        let RejectedRules { file, line, mistakes, report, since } = rejected;
        Self { file, line, mistakes, report, since: since * 1000 }
    }
}

/// A handled event.
#[derive(Debug, Clone, Serialize)]
pub struct LogRow {
    /// The account.
    pub account: String,
    /// The event's id, unique within its account.
    pub id: String,
    /// What it is: the kind of the message, as `type` in rules, or the kind of event.
    pub kind: &'static str,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// The chat's name.
    pub chat: String,
    /// The person's name.
    pub from: String,
    /// What was said, or the words that came with the event.
    pub text: String,
    /// What was decided.
    pub decided: Option<Decided>,
}

/// A rule and its use.
#[derive(Debug, Clone, Serialize)]
pub struct RuleRow {
    /// The account.
    pub account: String,
    /// Its id, or `file:line`.
    pub id: String,
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// Whether it is switched off.
    pub off: bool,
    /// How often it fired within the last 90 days.
    pub hits: u64,
    /// When it fired last, in milliseconds since 1970.
    pub last: Option<i64>,
    /// Whether it has not fired for 30 days although hits were counted for so long.
    pub stale: bool,
}

/// What waits in an account.
#[derive(Debug, Clone, Serialize)]
pub struct QueueRow {
    /// The account.
    pub account: String,
    /// Events to be handled.
    pub events: u64,
    /// Actions to be sent.
    pub actions: u64,
    /// Actions sent since midnight.
    pub sent_today: u64,
    /// Actions refused by the service.
    pub refused: u64,
    /// Actions that could not leave in time.
    pub expired: u64,
    /// How fast it may speak; none while it does not run.
    pub pace: Option<PaceRow>,
    /// The chats with something to send, those that wait the longest first.
    pub waiting: Vec<WaitingRow>,
    /// The last errors, newest first.
    pub errors: Vec<ErrorRow>,
}

/// How fast an account may speak, and how much of that is used.
#[derive(Debug, Clone, Serialize)]
pub struct PaceRow {
    /// Whether anything may leave at all.
    pub open: bool,
    /// The limit of all chats together.
    pub account: Option<UsedRow>,
    /// The limit of 24 hours.
    pub day: Option<UsedRow>,
    /// The limit of each chat; `used` says nothing here.
    pub per_chat: Option<UsedRow>,
    /// Nothing leaves before, since the service found that the account speaks too often: milliseconds since 1970.
    pub pause: Option<i64>,
}

/// How much of a limit is used.
#[derive(Debug, Clone, Serialize)]
pub struct UsedRow {
    /// So much.
    pub used: u32,
    /// Of so much.
    pub count: u32,
    /// Within so many milliseconds.
    pub per: u64,
    /// When the next may leave, where it is used up, in milliseconds since 1970.
    pub free_at: Option<i64>,
}

/// What waits to be sent in a chat.
#[derive(Debug, Clone, Serialize)]
pub struct WaitingRow {
    /// The chat's id.
    pub chat: String,
    /// Its name.
    pub name: String,
    /// So many actions.
    pub actions: u64,
    /// Since when the oldest waits, in milliseconds since 1970.
    pub since: i64,
    /// The moment before which nothing of it leaves, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// What came of loading the rules of an account again.
#[derive(Debug, Clone, Serialize)]
pub struct ReloadReport {
    /// In words, in the program's language.
    pub report: String,
}

/// Some of the chats of a running bot.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KnownChats {
    /// Muted ones first, then by name.
    pub chats: Vec<MuteRow>,
    /// How many there are in all that fit what was searched for.
    pub total: usize,
}

/// A chat that can be muted.
#[derive(Debug, Clone, Serialize)]
pub struct MuteRow {
    /// The account.
    pub account: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is muted.
    pub muted: bool,
    /// Until when, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// Something that went wrong.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorRow {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// What kind: the outcome of an action, or the kind of trouble.
    pub kind: &'static str,
    /// The name of the chat it is about.
    pub chat: Option<String>,
    /// The name of the person it is about.
    pub person: Option<String>,
    /// Until when it has consequences, in milliseconds since 1970.
    pub until: Option<i64>,
    /// Why, as a word that the page has a sentence for.
    pub cause: Option<&'static str>,
    /// What the program or the service said, in English.
    pub detail: String,
}

/// Something that happened, as the stream of events tells it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    /// A message is new or changed.
    Message {
        /// The message.
        message: MessageRow,
    },
    /// Chats or their people changed.
    Chats,
    /// The clock was moved.
    Clock {
        /// To this moment, in milliseconds since 1970.
        now: i64,
    },
    /// The bot decided about a message.
    Decided {
        /// The message's id.
        message: String,
    },
    /// The service has taken a message of the bot, and this made the bot say it.
    Caused {
        /// The message's id.
        message: String,
        /// What made the bot say it.
        cause: Option<CauseRow>,
    },
    /// A turn of a running bot ended.
    Turn {
        /// Its entry.
        entry: LogRow,
    },
    /// The state of an account, or of the login in the sandbox, changed.
    Status,
    /// Rules were loaded anew.
    Reloaded,
    /// Something to show at once: a failed action, a handler that this program lacks.
    Remark {
        /// What, in the program's language.
        text: String,
    },
}
