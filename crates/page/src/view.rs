//! The forms of the answers to the web application, and the trait that both pages share.
//!
//! The page does not depend on bots or sandboxes: the program that serves it implements
//! [`ConsolePage`](crate::ConsolePage) or [`SandboxPage`](crate::SandboxPage).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::Decided;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::broadcast;

use crate::RejectedFile;

/// The trait that console and sandbox share.
#[async_trait]
pub trait Page: Send + Sync {
    /// The subject of this page.
    ///
    /// # Errors
    ///
    /// [`Problem`] in words for the person at the page.
    async fn session(&self) -> Result<Session, Problem>;

    /// Subscribes to the events from now on.
    fn follow(&self) -> broadcast::Receiver<Arc<News>>;
}

/// Why a call failed.
#[derive(Debug, Error)]
pub enum Problem {
    /// The requested thing does not exist, or does not exist any more.
    #[error("{0}")]
    NotFound(String),
    /// The call cannot be done, for this reason.
    #[error("{0}")]
    Refused(String),
    /// The text to replace is not the one that the page read.
    #[error("it was changed elsewhere meanwhile")]
    Changed,
}

/// The subject of a page.
#[derive(Debug, Clone, Serialize)]
pub struct Session {
    /// `sandbox` or `console`.
    pub mode: &'static str,
    /// The bot.
    pub bot: BotRow,
    /// The name of the rule file, if it can be edited.
    pub file: Option<String>,
    /// The chat to open first.
    pub chat: Option<String>,
    /// The present moment in milliseconds since 1970.
    pub now: i64,
    /// Differs for each run of the program: the page discards its knowledge of an earlier run.
    pub run: String,
    /// The rejected rule file, if the page is about one bot.
    pub rejected_rules: Option<RejectedRow>,
    /// The same of the settings.
    pub rejected_settings: Option<RejectedRow>,
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
    /// The last message.
    pub last: Option<LastRow>,
    /// The number of messages of other people since the bot last read the chat or answered.
    pub unread: u32,
}

/// The last message of a chat.
#[derive(Debug, Clone, Serialize)]
pub struct LastRow {
    /// The sender; empty for a line of the system.
    pub from: String,
    /// Whether the bot sent it.
    pub mine: bool,
    /// Its text.
    pub text: String,
    /// Its kind, as `type` in rules.
    pub kind: &'static str,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

/// The chat that an action of a person created.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CreatedChat {
    /// Its id, if there is a new one.
    pub chat: Option<String>,
}

/// The text of the rule file.
#[derive(Debug, Clone, Serialize)]
pub struct FileText {
    /// The text.
    pub text: String,
}

/// The state of the bot of the sandbox.
#[derive(Debug, Clone, Serialize)]
pub struct LoginRow {
    /// Whether it is logged in.
    pub online: bool,
    /// Whether it has ended for good.
    pub left: bool,
    /// Until when it pauses because it sent too often, in milliseconds since 1970.
    pub pause: Option<i64>,
    /// The state of the login: `waiting`, `scanned`, `confirmed`, `used`, `cancelled` or `expired`.
    pub state: Option<&'static str>,
    /// The QR code as a data address.
    pub qr: Option<String>,
}

/// A pending fault of the sandbox's server.
#[derive(Debug, Clone, Serialize)]
pub struct FaultRow {
    /// The endpoint.
    pub path: String,
    /// The number of times; none: until it is ended.
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
    /// The sender.
    pub from: String,
    /// Whether the bot sent it.
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
    /// The cause, if the bot sent it and the service has accepted it.
    pub cause: Option<CauseRow>,
    /// Whether the page has the message already: then this is a change of it.
    pub known: bool,
}

/// The decision about a message and its effects.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Why {
    /// For a message of the bot itself: the message that it answers, or another cause.
    pub cause: Option<CauseRow>,
    /// The decision, if there is one yet.
    pub decided: Option<Decided>,
    /// The rules that matched: those that answered and those that a brake stopped.
    pub deciding: Vec<StepRow>,
    /// The rules that nearly matched, in order.
    pub near: Vec<StepRow>,
    /// All other rules that were checked, grouped by the failed condition; the most frequent one first.
    pub rest: Vec<FoldRow>,
    /// The actions, in order.
    pub actions: Vec<ActionRow>,
    /// The failed actions, in the requested language.
    pub problems: Vec<String>,
    /// The state before and after.
    pub state: StateRow,
}

impl Why {
    /// The rules that are listed one by one: those that matched, those that nearly did, then the others.
    #[must_use]
    pub fn steps(&self) -> Vec<&StepRow> {
        let rest = self.rest.iter().flat_map(|fold| &fold.first);
        self.deciding.iter().chain(&self.near).chain(rest).collect()
    }

    /// The number of rules that were checked, including those that are only counted.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        let rest: usize = self.rest.iter().map(|fold| fold.count).sum();
        self.deciding.len() + self.near.len() + rest
    }
}

/// Why the bot sent a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CauseRow {
    /// `message`, `schedule`, `timeout` of a dialog, `later` for a delayed message, or `other`.
    pub kind: &'static str,
    /// The message or other event that caused it, if there is one.
    pub message: Option<String>,
    /// The text of that event.
    pub text: String,
    /// The file of the rule, schedule or dialog.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
}

/// One rule and its outcome.
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
    /// The failed condition, or a note that the rule matched.
    pub why: String,
    /// Until when a brake holds, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// Rules with the same failed condition.
#[derive(Debug, Clone, Serialize)]
pub struct FoldRow {
    /// The failed condition.
    pub why: String,
    /// The number of rules.
    pub count: usize,
    /// The first of them.
    pub first: Vec<StepRow>,
}

/// A finished or pending action.
#[derive(Debug, Clone, Serialize)]
pub struct ActionRow {
    /// `send`, `recall`, `kick`, `invite`, `accept_friend`, `save` or `run`.
    pub what: &'static str,
    /// The name of the chat, if it is not the chat of the message.
    pub chat: Option<String>,
    /// The object of the action: the text, the row, the handler.
    pub text: String,
    /// `waiting`, `done`, `again`, `refused`, `expired` or `unknown`.
    pub outcome: &'static str,
    /// Why it did not succeed, as a key for which the page has a sentence.
    pub cause: Option<&'static str>,
    /// The same reason in the English words of the program or the service.
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
    /// Its name; for a brake, the name contains the id of its rule.
    pub name: String,
    /// The value before; none if there was none.
    pub before: Option<String>,
    /// The value after; none if there is none.
    pub after: Option<String>,
    /// The dialog in progress that the value represents.
    pub dialog: Option<DialogRow>,
}

/// A dialog in progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DialogRow {
    /// Its id.
    pub id: String,
    /// The number of the last question, from 1.
    pub question: usize,
    /// The number of questions.
    pub of: usize,
    /// The id of the last question, if it has one.
    pub step: Option<String>,
    /// When it times out, in milliseconds since 1970.
    pub until: Option<i64>,
    /// The answers so far.
    pub answers: BTreeMap<String, String>,
}

/// A conversation as a test.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestDraft {
    /// All lines of the conversation, oldest first.
    pub lines: Vec<TestLine>,
    /// The test of the selected lines; empty if none are selected.
    pub text: String,
}

/// A line of a conversation that a test can begin or end with.
#[derive(Debug, Clone, Serialize)]
pub struct TestLine {
    /// Its id.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// The text of the event.
    pub label: String,
}

/// The result of a test.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TestPlayed {
    /// Whether it passes.
    pub passes: bool,
    /// Whether it is in the rule file now.
    pub saved: bool,
    /// Why it does not pass.
    pub report: String,
}

/// An error or a warning about a rule file.
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

/// The result of checking a rule file.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checked {
    /// Errors and warnings.
    pub diagnostics: Vec<DiagnosticRow>,
    /// The number of errors that keep the bot from using the file; failed tests count.
    pub mistakes: usize,
    /// Whether the text was written to the file.
    pub saved: bool,
    /// Whether the bot uses it now.
    pub reloaded: bool,
    /// Why the bot does not use it, apart from the diagnostics.
    pub report: Option<String>,
}

/// An account of a running bot.
#[derive(Debug, Clone, Serialize)]
pub struct AccountRow {
    /// Its name in the configuration.
    pub name: String,
    /// Whether it is online.
    pub online: bool,
    /// `starting`, `waiting`, `online`, `offline` or `ended`.
    pub condition: &'static str,
    /// Since when, in milliseconds since 1970.
    pub since: Option<i64>,
    /// The reason, as a key for which the page has a sentence.
    pub cause: Option<&'static str>,
    /// More about its state, in English as the program writes it.
    pub detail: String,
    /// The step that a person has to do: `scan` or `confirm`.
    pub prompt: Option<&'static str>,
    /// The QR code as a data address.
    pub qr: Option<String>,
    /// The rejected rule file, until a good version is loaded.
    pub rejected_rules: Option<RejectedRow>,
    /// The rejected settings, until good ones are read.
    pub rejected_settings: Option<RejectedRow>,
    /// The names in its rule file and the people they mean.
    pub names: Vec<NameRow>,
    /// The node that holds it, if this process does not; empty if none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Whether it has ended and its node starts it again if asked to.
    pub restart: bool,
}

/// A handler in another process or a language model, and how often it was called since the start of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandlerRow {
    /// Its name.
    pub name: String,
    /// Whether it is a language model.
    pub model: bool,
    /// Whether it runs; always true for a service or a model.
    pub running: bool,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Those of them without an answer in time.
    pub timed_out: u64,
    /// Processes that were started; more than one means that it was replaced.
    pub starts: u64,
    /// The mean time of an answered call, in microseconds.
    pub mean: u64,
    /// The longest, in microseconds.
    pub longest: u64,
    /// The last failure.
    pub last_failure: Option<String>,
    /// Messages that a model did not get because its limit was used up.
    pub limited: u64,
    /// Messages that a model as a fallback would have got, but that rules answered.
    pub by_rules: u64,
}

/// A name in `admins`, `from`, `not_from` or `ignore`, and the person it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRow {
    /// The name.
    pub name: String,
    /// The keys whose lists contain it; none if only an earlier rule file bound it to a person.
    pub keys: Vec<String>,
    /// Why the person is meant.
    pub by: By,
    /// The id of the person whom the name means.
    pub person: Option<String>,
    /// The id of the person to whom it is bound by nickname.
    pub bound: Option<String>,
    /// The number of friends with this name.
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
    /// The name does not mean a person.
    Nobody,
}

/// A rejected file: the account keeps its previous rules or settings.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedRow {
    /// The file of the first mistake.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The number of mistakes.
    pub mistakes: usize,
    /// All of them, in the program's language.
    pub report: String,
    /// Since when every version of the file has had mistakes, in milliseconds since 1970.
    pub since: i64,
}

impl From<RejectedFile> for RejectedRow {
    fn from(rejected: RejectedFile) -> Self {
        let RejectedFile { file, line, mistakes, report, since } = rejected;
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
    /// Its kind: of a message, as `type` in rules, else the kind of event.
    pub kind: &'static str,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// The chat's name.
    pub chat: String,
    /// The person's name.
    pub from: String,
    /// The text of the message or of the event.
    pub text: String,
    /// The decision.
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
    /// Whether it has not fired for 30 days, although hits have been counted for that long.
    pub stale: bool,
}

/// The pending work of an account.
#[derive(Debug, Clone, Serialize)]
pub struct QueueRow {
    /// The account.
    pub account: String,
    /// The number of events to handle.
    pub events: u64,
    /// The number of actions to send.
    pub actions: u64,
    /// The number of actions sent since midnight.
    pub sent_today: u64,
    /// The number of actions that the service refused.
    pub refused: u64,
    /// The number of actions that expired before they could be sent.
    pub expired: u64,
    /// Its sending limits; none while it is not running.
    pub pace: Option<PaceRow>,
    /// The chats with actions to send, those with the longest wait first.
    pub waiting: Vec<WaitingRow>,
    /// The last errors, newest first.
    pub errors: Vec<ErrorRow>,
}

/// The sending limits of an account, and how much of them is used.
#[derive(Debug, Clone, Serialize)]
pub struct PaceRow {
    /// Whether sending is allowed at all.
    pub open: bool,
    /// The limit of all chats together.
    pub account: Option<UsedRow>,
    /// The limit of 24 hours.
    pub day: Option<UsedRow>,
    /// The limit of each chat; `used` has no meaning here.
    pub per_chat: Option<UsedRow>,
    /// Sending pauses until then because the service reported too frequent sending: milliseconds since 1970.
    pub pause: Option<i64>,
}

/// A limit and how much of it is used.
#[derive(Debug, Clone, Serialize)]
pub struct UsedRow {
    /// The number of actions sent.
    pub used: u32,
    /// The number of actions allowed.
    pub count: u32,
    /// The window in milliseconds.
    pub per: u64,
    /// When the next action may be sent if the limit is used up, in milliseconds since 1970.
    pub free_at: Option<i64>,
}

/// The actions of a chat that wait to be sent.
#[derive(Debug, Clone, Serialize)]
pub struct WaitingRow {
    /// The chat's id.
    pub chat: String,
    /// Its name.
    pub name: String,
    /// The number of actions.
    pub actions: u64,
    /// Since when the oldest has waited, in milliseconds since 1970.
    pub since: i64,
    /// The earliest moment at which the next is sent, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// The result of reloading the rules of an account.
#[derive(Debug, Clone, Serialize)]
pub struct ReloadReport {
    /// A sentence in the program's language.
    pub report: String,
}

/// Some of the chats of a running bot.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KnownChats {
    /// Muted chats first, then by name.
    pub chats: Vec<MuteRow>,
    /// The number of all chats that match the search.
    pub total: usize,
    /// The number of accounts of other nodes that the search did not look into in time.
    pub missed: usize,
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

/// A failure.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorRow {
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Its kind: the outcome of an action, or the kind of problem.
    pub kind: &'static str,
    /// The name of the chat concerned.
    pub chat: Option<String>,
    /// The name of the person concerned.
    pub person: Option<String>,
    /// Until when its consequences last, in milliseconds since 1970.
    pub until: Option<i64>,
    /// The reason, as a key for which the page has a sentence.
    pub cause: Option<&'static str>,
    /// The English words of the program or the service.
    pub detail: String,
}

/// An event of the stream that the page follows.
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
        /// The new time, in milliseconds since 1970.
        now: i64,
    },
    /// The bot decided about a message.
    Decided {
        /// The message's id.
        message: String,
    },
    /// The service has accepted a message of the bot; this event carries its cause.
    Caused {
        /// The message's id.
        message: String,
        /// The cause.
        cause: Option<CauseRow>,
    },
    /// A turn of a running bot ended.
    Turn {
        /// Its entry.
        entry: LogRow,
    },
    /// The state of an account, or of the login in the sandbox, changed.
    Status,
    /// Rules were reloaded.
    Reloaded,
    /// A notice to show at once: a failed action, a handler that this program lacks.
    Remark {
        /// The notice, in the program's language.
        text: String,
    },
}
