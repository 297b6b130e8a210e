//! The effects of a turn: state writes, actions, timers. None of them takes place before the turn commits.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Captures, Chat, ChatId, Content, MessageId, Person, Scope, Timestamp};

/// All effects that a turn requested, in the order of the requests.
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
    /// The scope of the value.
    pub scope: Scope,
    /// The key of the value.
    pub key: String,
    /// The change.
    pub change: Change,
    /// When the value expires.
    pub expires: Option<Timestamp>,
}

/// A change of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Sets the value.
    Set(String),
    /// Adds to the value; a missing value counts as 0. Never conflicts with other additions.
    Add(i64),
    /// Removes the value.
    Remove,
    /// Removes the values of all people in the chat, in the scope of a person; in other scopes the value.
    RemoveOfAll,
}

/// An action, or a handler that runs between actions.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// An action of the service.
    Act(Planned),
    /// A handler to run at this place; its own steps replace this one.
    Run(Call),
}

/// A handler to run by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The name under which it is registered.
    pub handler: String,
    /// The captures of the rule.
    pub captures: Captures,
}

/// An action with its conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The chat whose outbox the action joins: the actions of one chat are done in order.
    pub chat: ChatId,
    /// The action.
    pub action: Action,
    /// The least delay after the commit.
    #[serde(default)]
    pub delay: Duration,
    /// Whether it answers a message: a reply expires after `reply_max_age`, an announcement does not.
    #[serde(default)]
    pub is_reply: bool,
}

/// An action of the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Send content to the chat.
    Send {
        /// The content.
        content: Content,
    },
    /// Recall a message.
    Recall {
        /// The message: its own id, or that of the receipt.
        message: MessageId,
        /// Its sender; `None` for a message of the bot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sender: Option<Person>,
    },
    /// Remove a person from the group.
    Kick {
        /// The person.
        person: Person,
    },
    /// Invite a person into the group.
    Invite {
        /// The person.
        person: Person,
    },
    /// Accept a friend request.
    AcceptFriend {
        /// The ticket of the request.
        ticket: String,
    },
    /// Write a line into a file of the data folder. The runner does it, not the service, in the order of the chat.
    Save {
        /// The file name, without any folder.
        file: String,
        /// The cells of the row, as people wrote them.
        row: Vec<String>,
    },
}

/// The kinds of action, to declare which of them a service supports.
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
    /// Recalling a message of the bot.
    Recall,
    /// Recalling a message of another person.
    RecallOfOthers,
    /// Removing a person from a group.
    Kick,
    /// Inviting a person into a group.
    Invite,
    /// Accepting a friend request.
    AcceptFriend,
    /// Writing a row into a file; every transport supports it.
    Save,
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "send a text",
            Self::Image => "send a picture",
            Self::Video => "send a video",
            Self::File => "send a file",
            Self::Voice => "send a voice message",
            Self::Sticker => "send a sticker",
            Self::Link => "send a link",
            Self::Recall => "recall a message",
            Self::RecallOfOthers => "recall a message of another person",
            Self::Kick => "remove a person from a group",
            Self::Invite => "invite a person into a group",
            Self::AcceptFriend => "accept a friend request",
            Self::Save => "write a row into a file",
        })
    }
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
        Self::RecallOfOthers,
        Self::Kick,
        Self::Invite,
        Self::AcceptFriend,
        Self::Save,
    ];
}

impl Action {
    /// The kind that a service must support to do the action.
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
            Self::Recall { sender: None, .. } => ActionKind::Recall,
            Self::Recall { sender: Some(_), .. } => ActionKind::RecallOfOthers,
            Self::Kick { .. } => ActionKind::Kick,
            Self::Invite { .. } => ActionKind::Invite,
            Self::AcceptFriend { .. } => ActionKind::AcceptFriend,
            Self::Save { .. } => ActionKind::Save,
        }
    }
}

/// A timer to set or to cancel. Chat and key identify a timer; setting it again moves it.
#[derive(Debug, Clone, PartialEq)]
pub enum TimerChange {
    /// Set or move a timer.
    Set(Timer),
    /// Cancel a timer, if it is set.
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
    /// Its purpose.
    pub name: String,
    /// The data for that purpose.
    pub data: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_actions_of_every_version_can_be_read() {
        let ann = Person::stranger("p1", "Ann");
        for (stored, action) in [
            // Version 0.1 knew no sender.
            (
                r#"{"do":"recall","message":"m1"}"#,
                Action::Recall { message: "m1".into(), sender: None },
            ),
            (
                r#"{"do":"recall","message":"m1","sender":{"id":"p1","name":"Ann"}}"#,
                Action::Recall { message: "m1".into(), sender: Some(ann.clone()) },
            ),
            (
                r#"{"do":"kick","person":{"id":"p1","name":"Ann"}}"#,
                Action::Kick { person: ann.clone() },
            ),
            (
                r#"{"do":"invite","person":{"id":"p1","name":"Ann"}}"#,
                Action::Invite { person: ann },
            ),
        ] {
            assert_eq!(serde_json::from_str::<Action>(stored).unwrap(), action, "{stored}");
            assert_eq!(serde_json::to_string(&action).unwrap(), stored);
        }
    }
}
