//! The use of an account's limits at a time: for the console, which shows why an action waits.

use mynah_core::{ChatId, Timestamp};

use crate::Rate;

/// The largest number of waiting chats; those that may send first come first.
pub(crate) const CHATS: usize = 200;

/// The use of an account's limits at a time, and the chats that wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// Whether any action may be sent: none is while the account is offline.
    pub is_open: bool,
    /// The limit of all chats together, and its used part.
    pub account: Option<Used>,
    /// The limit of 24 hours, and its used part.
    pub day: Option<Used>,
    /// The limit of each chat.
    pub per_chat: Option<Rate>,
    /// The end of the pause after the service reported that the account sends too often.
    pub pause: Option<Timestamp>,
    /// The chats with actions to send, each with the time before which none of its actions is sent.
    pub chats: Vec<(ChatId, Timestamp)>,
}

/// The used part of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The limit.
    pub rate: Rate,
    /// The number of actions sent within the limit's time.
    pub used: u32,
    /// The time of the next free action, if the limit is used up.
    pub free_at: Option<Timestamp>,
}
