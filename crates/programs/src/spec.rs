//! The settings of a handler: its part of `mynah.toml`, as checked values.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mynah_core::{Chat, Message};

use crate::Reads;

/// The settings of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Its name: rules say `run = "NAME"`.
    pub name: String,
    /// The program or the service.
    pub source: Source,
    /// When it is called.
    pub role: Role,
    /// The variables that it gets.
    pub reads: Vec<Reads>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// The number of requests that wait for an answer at the same time.
    pub at_once: usize,
    /// Texts that every request carries.
    pub settings: BTreeMap<String, String>,
    /// Incoming files up to this size are put into a folder for the time of the call; `None` for no file.
    pub media: Option<u64>,
}

/// The program or the service behind a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A program that the bot starts.
    Command(Command),
    /// A service that runs elsewhere.
    Service(Service),
    /// A language model. `reads`, `settings` and `media` mean nothing for it.
    Model(Box<Model>),
}

/// A program that the bot starts.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments; never empty.
    pub line: Vec<String>,
    /// Its working folder; media by path are in it.
    pub dir: PathBuf,
    /// Further variables of its environment.
    pub env: BTreeMap<String, String>,
}

/// A service that runs elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    /// Its address.
    pub url: String,
    /// A secret that every request carries as a bearer token.
    pub key: Option<String>,
    /// The folder of media by path.
    pub dir: PathBuf,
}

/// A language model behind chat completions, as most servers offer them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Model {
    /// The base of the address: `/chat/completions` is added.
    pub url: String,
    /// The name of the model.
    pub name: String,
    /// A secret that every request carries as a bearer token. It goes over HTTPS or to a private address only.
    pub key: Option<String>,
    /// The instructions of the operator.
    pub system: String,
    /// The number of earlier messages of the person in the chat that a request carries.
    pub memory: usize,
    /// The ids of the tables whose nearest rows a request carries.
    pub ground: Vec<String>,
    /// How often it is asked.
    pub limit: Limit,
    /// The longest answer, in characters.
    pub max_reply: usize,
    /// The reply where the model gives no answer; `None` for silence.
    pub sorry: Option<String>,
}

impl Model {
    /// The host to which messages go, for people; `?` if the address has none.
    #[must_use]
    pub fn host(&self) -> String {
        let target = self.url.parse::<mynah_fetch::Target>();
        target.map_or_else(|_| "?".to_owned(), |target| target.host().to_string())
    }
}

/// How often a model is asked in a calendar unit; further messages get no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// For each person in each chat.
    pub user: Option<u32>,
    /// For all people of an account.
    pub all: Option<u32>,
    /// The unit.
    pub per: Per,
}

/// A calendar unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Per {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight.
    #[default]
    Day,
    /// From Monday to Monday.
    Week,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// When a handler is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Role {
    /// When a rule runs it.
    #[default]
    Run,
    /// Before the rules.
    Before(Who),
    /// When no rule answered.
    Fallback(Who),
}

/// The messages of which a handler before or after the rules is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// The groups, by name, with `*` and `?`; empty for all.
    pub groups: Vec<String>,
    /// Only groups (`true`) or only private chats (`false`).
    pub in_group: Option<bool>,
    /// Only messages that call the bot: in private, all of them do.
    pub called: bool,
}

impl Who {
    /// Whether the handler is called for events of this chat; `message` is the message if the event is one.
    #[must_use]
    pub fn includes(&self, chat: &Chat, message: Option<&Message>) -> bool {
        let is_called =
            !self.called || message.is_some_and(|message| message.called || !chat.is_group());
        let is_kind = self.in_group.is_none_or(|group| group == chat.is_group());
        let is_named = self.groups.is_empty()
            || chat.is_group() && self.groups.iter().any(|glob| fits(glob, &chat.name));
        is_called && is_kind && is_named
    }
}

fn fits(glob: &str, name: &str) -> bool {
    mynah_matching::glob::Glob::new(glob).fits(name)
}

/// The waits of a program; the defaults are those of the documentation, tests use shorter ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// More time for the requests before the first answer after a start.
    pub first: Duration,
    /// How long a program that is stopped may take before each stronger signal.
    pub grace: Duration,
    /// The wait before the second start in a row without an answer; it doubles with each further one.
    pub restart: Duration,
    /// The longest wait before a start.
    pub longest: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(10),
            grace: Duration::from_secs(5),
            restart: Duration::from_millis(500),
            longest: Duration::from_secs(60),
        }
    }
}

// Environment and key may be secrets.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, dir, env } = self;
        let names: Vec<&String> = env.keys().collect();
        let program = line.first();
        f.debug_struct("Command")
            .field("program", &program)
            .field("dir", dir)
            .field("env", &names)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (has_key, name) = (self.key.is_some(), &self.name);
        f.debug_struct("Model")
            .field("name", name)
            .field("has_key", &has_key)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("has_key", &self.key.is_some()).finish_non_exhaustive()
    }
}
