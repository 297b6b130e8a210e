//! How the sending of an account stands at a moment: for the console, which shows why something waits.

use mynah_core::{ChatId, Timestamp};

use crate::Rate;

/// So many waiting chats at most; those that may speak first come first.
pub(crate) const CHATS: usize = 200;

/// How the sending of an account stands at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// Whether anything may leave at all: nothing does while the account is not on line.
    pub is_open: bool,
    /// The limit of all chats together, and how much of it is used.
    pub account: Option<Used>,
    /// The limit of 24 hours, and how much of it is used.
    pub day: Option<Used>,
    /// The limit of each chat.
    pub per_chat: Option<Rate>,
    /// Nothing leaves before, since the service found that the account speaks too often.
    pub pause: Option<Timestamp>,
    /// The chats with something to send, and the moment before which nothing of theirs leaves.
    pub chats: Vec<(ChatId, Timestamp)>,
}

/// How much of a limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Used {
    /// The limit.
    pub rate: Rate,
    /// So much left within its time.
    pub used: u32,
    /// When the next may leave, where it is used up.
    pub free_at: Option<Timestamp>,
}
