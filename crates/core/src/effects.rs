//! What a turn wants: state writes, actions, timers. Nothing of it happens before the turn commits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Captures, Chat, ChatId, Content, MessageId, Person, Scope, Timestamp};

/// Everything a turn asked for, in the order asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    /// Changes of state.
    pub writes: Vec<Write>,
    /// Actions, and handlers to run between them.
    pub steps: Vec<Step>,
    /// Timers to set or cancel.
    pub timers: Vec<TimerChange>,
}

/// A change of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Whose state.
    pub scope: Scope,
    /// Under which key.
    pub key: String,
    /// What becomes of it.
    pub change: Change,
    /// From when on the value is as good as absent.
    pub expires: Option<Timestamp>,
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is this from now on.
    Set(String),
    /// This much more than it is; a missing value counts as 0. Never conflicts with other additions.
    Add(i64),
    /// It is gone.
    Remove,
}

/// An action, or a handler that runs between actions.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Something to be done on the service.
    Act(Planned),
    /// A handler to run at this place; its own steps take the place of this one.
    Run(Call),
}

/// A handler to run by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name under which it is registered.
    pub handler: String,
    /// What the rule captured.
    pub captures: Captures,
}

/// An action with its conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The chat whose outbox it joins: actions of one chat are done in order.
    pub chat: ChatId,
    /// What to do.
    pub action: Action,
    /// Not before so long after the commit.
    #[serde(default)]
    pub delay: Duration,
    /// Whether it answers something said: a reply expires after `reply_max_age`, an announcement does not.
    #[serde(default)]
    pub is_reply: bool,
}

/// Something to be done on the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Say something in the chat.
    Send {
        /// What.
        content: Content,
    },
    /// Recall a message that the bot sent.
    Recall {
        /// Which, by the id of its receipt.
        message: MessageId,
    },
    /// Accept a friend request.
    AcceptFriend {
        /// The ticket of the request.
        ticket: String,
    },
    /// Write a line into a file of the data folder. Done by the runner, not by the service; kept in the same order.
    Save {
        /// The file name, without any folder.
        file: String,
        /// The cells of the row, as people wrote them.
        row: Vec<String>,
    },
}

/// The kinds of action: what a service can or cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Sending text.
    Text,
    /// Sending a picture.
    Image,
    /// Sending a video.
    Video,
    /// Sending a file.
    File,
    /// Sending a voice message.
    Voice,
    /// Sending a sticker.
    Sticker,
    /// Sending a link.
    Link,
    /// Recalling an own message.
    Recall,
    /// Accepting a friend request.
    AcceptFriend,
    /// Writing a row into a file; every transport has it.
    Save,
}

impl ActionKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Image,
        Self::Video,
        Self::File,
        Self::Voice,
        Self::Sticker,
        Self::Link,
        Self::Recall,
        Self::AcceptFriend,
        Self::Save,
    ];
}

impl Action {
    /// What a service must be able to do for it.
    #[must_use]
    pub fn kind(&self) -> ActionKind {
        use crate::MessageKind;
        match self {
            Self::Send { content } => match content.kind() {
                MessageKind::Image => ActionKind::Image,
                MessageKind::Video => ActionKind::Video,
                MessageKind::File => ActionKind::File,
                MessageKind::Voice => ActionKind::Voice,
                MessageKind::Emoji => ActionKind::Sticker,
                MessageKind::Link => ActionKind::Link,
                MessageKind::Text
                | MessageKind::Card
                | MessageKind::Location
                | MessageKind::Other => ActionKind::Text,
            },
            Self::Recall { .. } => ActionKind::Recall,
            Self::AcceptFriend { .. } => ActionKind::AcceptFriend,
            Self::Save { .. } => ActionKind::Save,
        }
    }
}

/// A timer to set or to cancel. A timer is known by its chat and key; setting it again moves it.
#[derive(Debug, Clone, PartialEq)]
pub enum TimerChange {
    /// Set or move it.
    Set(Timer),
    /// Forget it, if it is set.
    Cancel {
        /// The chat it belongs to.
        chat: Option<ChatId>,
        /// Its key.
        key: String,
    },
}

/// A timer: becomes an [`EventBody::Due`](crate::EventBody::Due) in the lane of its chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    /// Its key, unique in its chat.
    pub key: String,
    /// When it is due.
    pub at: Timestamp,
    /// The chat it belongs to; `None` for the account's own.
    pub chat: Option<Chat>,
    /// The person it belongs to.
    pub person: Option<Person>,
    /// What it is for.
    pub name: String,
    /// Whatever is needed then.
    pub data: String,
}
