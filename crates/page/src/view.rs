//! What the web application asks for, and the forms in which it is told.
//!
//! The page knows no bot and no sandbox: whoever serves it implements [`View`].

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Bytes;
use mynah_core::Decided;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::broadcast;

/// Answers the calls of the page and tells it what happens.
#[async_trait]
pub trait View: Send + Sync {
    /// Answers one call. The answer is one of the forms below, as JSON.
    ///
    /// # Errors
    ///
    /// [`Problem`] in words for the person at the page.
    async fn answer(&self, call: Call) -> Result<Value, Problem>;

    /// Follows what happens from now on; see [`News`].
    fn follow(&self) -> broadcast::Receiver<Arc<News>>;

    /// The picture, voice or file of a message: its type and its bytes.
    fn media(&self, message: &str) -> Option<(&'static str, Bytes)> {
        let _ = message;
        None
    }
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

/// A call of the page: method and path are the tag, query and body together are the fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "call")]
pub enum Call {
    /// What this page is about → [`Session`].
    #[serde(rename = "GET session")]
    Session,
    /// All chats → list of [`ChatRow`].
    #[serde(rename = "GET chats")]
    Chats,
    /// Messages of a chat, the newest, or those before a number → [`MessagePage`].
    #[serde(rename = "GET messages")]
    Messages {
        /// The chat.
        chat: String,
        /// Only messages before the one with this id.
        #[serde(default)]
        before: Option<String>,
    },
    /// Somebody says something.
    #[serde(rename = "POST say")]
    Say {
        /// Where.
        chat: String,
        /// Who.
        from: String,
        /// What.
        text: String,
    },
    /// Somebody sends a picture.
    #[serde(rename = "POST picture")]
    Picture {
        /// Where.
        chat: String,
        /// Who.
        from: String,
        /// Its file name.
        name: String,
        /// Its bytes in base64.
        data: String,
    },
    /// Somebody sends a file.
    #[serde(rename = "POST attachment")]
    Attachment {
        /// Where.
        chat: String,
        /// Who.
        from: String,
        /// Its file name.
        name: String,
        /// Its bytes in base64.
        data: String,
    },
    /// Somebody does something else → `{"chat"?}`.
    #[serde(rename = "POST act")]
    Act(Deed),
    /// What the bot made of a message → [`Why`].
    #[serde(rename = "GET why")]
    Why {
        /// The message's id.
        message: String,
        /// The language of the reasons: `zh` or `en`.
        #[serde(default)]
        lang: String,
    },
    /// Moves the clock ahead.
    #[serde(rename = "POST clock")]
    Clock {
        /// By so many milliseconds.
        advance_ms: u64,
    },
    /// The rule file → `{"text"}`.
    #[serde(rename = "GET file")]
    File,
    /// Checks a text as if it were the rule file → [`Checked`].
    #[serde(rename = "POST check")]
    Check {
        /// The text.
        text: String,
        /// The language of the diagnostics: `zh` or `en`.
        #[serde(default)]
        lang: String,
    },
    /// Writes the rule file and lets the bot load it → [`Checked`].
    #[serde(rename = "PUT file")]
    Save {
        /// The text.
        text: String,
        /// The text that it replaces: with another one in the file, nothing is written. Absent: whatever is there.
        #[serde(default)]
        was: Option<String>,
        /// The language of the diagnostics: `zh` or `en`.
        #[serde(default)]
        lang: String,
    },
    /// Plays the conversation of a chat as a `[[test]]`, and appends it to the rule file if it passes
    /// → `{"text", "passes", "report"}`.
    #[serde(rename = "POST test")]
    Test {
        /// The chat.
        chat: String,
        /// The language of the report: `zh` or `en`.
        #[serde(default)]
        lang: String,
    },
    /// How the bot is → `{"online", "left", "pause"?, "state"?, "qr"?}`: whether it is logged in, whether it has left for
    /// good, until when it pauses since it spoke too often, the state of the login, and its code as a data address.
    #[serde(rename = "GET login")]
    Login,
    /// Plays the phone: `scan`, `confirm`, `cancel`, `logout`.
    #[serde(rename = "POST login")]
    Phone {
        /// What the phone does.
        r#do: String,
    },
    /// The failures that are still to come → list of them.
    #[serde(rename = "GET faults")]
    FaultsLeft,
    /// Makes the server fail, or stops that.
    #[serde(rename = "POST faults")]
    Faults(Value),
    /// The accounts of this process → list of [`AccountRow`].
    #[serde(rename = "GET accounts")]
    Accounts,
    /// The last handled events, newest first → list of [`LogRow`].
    #[serde(rename = "GET log")]
    Log,
    /// The rules with their use → list of [`RuleRow`].
    #[serde(rename = "GET rules")]
    Rules,
    /// What waits, per account → list of [`QueueRow`].
    #[serde(rename = "GET queues")]
    Queues,
    /// Mutes a chat, or ends that with 0 minutes.
    #[serde(rename = "POST mute")]
    Mute {
        /// The account.
        account: String,
        /// The chat's id.
        chat: String,
        /// For so long.
        minutes: u64,
    },
    /// Loads the rules of an account again → `{"report"}`.
    #[serde(rename = "POST reload")]
    Reload {
        /// The account.
        account: String,
    },
}

/// Something a person of the sandbox does beside talking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Deed {
    /// `person`, `group`, `join`, `leave`, `rename`, `pat`, `recall`, `red_packet` or `friend_request`.
    pub what: String,
    /// Where, if it happens in a chat.
    pub chat: String,
    /// Who does it.
    pub from: String,
    /// The name that is needed: of the new person, the group, its new title.
    pub name: String,
    /// The text that is needed: the greeting.
    pub text: String,
    /// The message it is about, if it is not the last one.
    pub message: String,
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
    pub kind: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
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
    pub kind: String,
    /// Its text.
    pub text: String,
    /// The address of its picture, voice or file.
    pub media: Option<String>,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Whether it was recalled.
    pub recalled: bool,
    /// Whether the page was told of it before: then it is a change.
    pub known: bool,
}

/// What the bot made of a message.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Why {
    /// The decision, if there is one yet.
    pub decided: Option<Decided>,
    /// The rules before the one that answered, in order, each with what it lacked.
    pub steps: Vec<StepRow>,
    /// The state it was decided with.
    pub state: StateRow,
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

/// Values of state.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StateRow {
    /// The speaker's in this chat.
    pub person: BTreeMap<String, String>,
    /// The chat's.
    pub chat: BTreeMap<String, String>,
}

/// What the check of a rule file found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Checked {
    /// Mistakes, warnings and notes; each with severity, line, column, message and hint.
    pub diagnostics: Vec<Value>,
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
    /// More about its state.
    pub detail: String,
    /// What a person has to do: `scan` or `confirm`.
    pub prompt: Option<&'static str>,
    /// The QR code as a data address.
    pub qr: Option<String>,
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
    /// The chats with something in the log, for muting.
    pub chats: Vec<MuteRow>,
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

/// A chat that can be muted.
#[derive(Debug, Clone, Serialize)]
pub struct MuteRow {
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
    /// What.
    pub text: String,
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
