//! The decision of a turn, in the form that is kept with its event.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Binding, FetchNote, Words};

/// Captures of a rule: by name, or by number if a group has no name.
pub type Captures = BTreeMap<String, String>;

/// Why a rule matched but did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quiet {
    /// Its cooldown is running.
    Cooldown,
    /// Its limit is used up.
    Limit,
    /// The chat is muted.
    Mute,
    /// It is one of the quiet hours of the chat.
    Hours,
    /// Its request had no good answer.
    Fetch,
}

/// The decision about an event: kept with it in the log, shown by `status`, the console and `replay`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The id of the first rule that matched, or `file:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The file of that rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The captures of that rule.
    #[serde(default, skip_serializing_if = "Captures::is_empty")]
    pub captures: Captures,
    /// The texts sent in answer, by all rules that acted and the handlers they ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replies: Vec<String>,
    /// The number of messages cut from long replies because there were too many.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u32,
    /// Why the rule matched but did not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// The handler that ended the turn, unless the rules did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// Why the event was not handled as usual: too old, own message, failed handler, set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<String>,
    /// Names of the rule file that were bound to the person by this event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bound: Vec<Binding>,
    /// The parts of the decision that could not be carried out as written: a chat that is missing, an admin who was
    /// spared, too many kicks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Words>,
    /// The requests of the rules to web services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetches: Vec<FetchNote>,
    /// The duration of the turn, in microseconds.
    #[serde(default)]
    pub micros: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}
