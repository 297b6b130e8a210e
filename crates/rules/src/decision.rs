//! The decision of the rules about an event.

use std::fmt;
use std::sync::Arc;

use mynah_core::{Captures, Chat, FetchNote, Quiet, Random, Step, TimerChange, Timestamp, Write};

use crate::catalogue::Lang;
use crate::inputs::{Inputs, Lack};

/// Everything a decision depends on besides the event and the state.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The present moment.
    pub now: Timestamp,
    /// Random numbers of this event.
    pub random: Random,
    /// The chats that the account knows: where `forward_to` and schedules find their targets.
    pub chats: Arc<[Chat]>,
    /// Inputs that earlier decisions about this event lacked.
    pub inputs: Inputs,
}

impl Moment {
    /// A moment of an account that knows no chats and has no data, with randomness from 0: for deciding about a message
    /// alone.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let random = Random::from_seed(0);
        Self { now, random, chats: Arc::from([]), inputs: Inputs::empty() }
    }
}

/// Which rule it was. Dialogs and schedules are named the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRef {
    /// Its id, or `file:line`.
    pub id: Arc<str>,
    /// Its file.
    pub file: Arc<str>,
    /// The line of its header.
    pub line: u32,
}

/// The decision about an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// The inputs that it lacks, each once. If there are any, the rest is empty: add them to the moment and decide again.
    pub lacks: Vec<Lack>,
    /// The first rule that matched.
    pub rule: Option<RuleRef>,
    /// The captures of the rule.
    pub captures: Captures,
    /// Why the rule that ended the search said nothing.
    pub quiet: Option<Quiet>,
    /// Why no rule was asked at all, in words for the log.
    pub passed_over: Option<&'static str>,
    /// Changes of state.
    pub writes: Vec<Write>,
    /// Actions, and handlers to run between them.
    pub steps: Vec<Step>,
    /// Timers to set or cancel.
    pub timers: Vec<TimerChange>,
    /// Whether a rule, dialog or schedule acted.
    pub acted: bool,
    /// Warnings for the owner of the bot, for the log.
    pub warnings: Vec<Warning>,
    /// An operation of the runner itself.
    pub builtin: Option<Builtin>,
    /// The requests to web services, if there are any.
    pub fetches: Option<Box<Fetches>>,
}

/// The requests of a decision, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetches(Vec<FetchNote>);

impl Fetches {
    /// The requests with their outcomes.
    #[must_use]
    pub fn all(&self) -> &[FetchNote] {
        &self.0
    }
}

impl Decision {
    /// The requests to web services with their outcomes, in order.
    #[must_use]
    pub fn fetch_notes(&self) -> &[FetchNote] {
        self.fetches.as_deref().map(Fetches::all).unwrap_or_default()
    }

    /// The number of requests so far.
    pub(crate) fn fetched(&self) -> usize {
        self.fetch_notes().len()
    }

    /// Notes a request.
    pub(crate) fn note_fetch(&mut self, note: FetchNote) {
        self.fetches.get_or_insert_default().0.push(note);
    }
}

/// Something about a decision that the owner of the bot should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Warning {
    /// In that language.
    #[must_use]
    pub fn words(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// An operation that a rule asks of the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin {
    /// Read the rule file again and report the result.
    Reload,
    /// Say how the bot is.
    Status,
}
