//! Whatever happens to a chat.

use serde::{Deserialize, Serialize};

use crate::{
    Chat, ChatId, Content, EventId, EventKind, Lane, MessageId, MessageKind, Person, Timestamp,
};

/// Something that happened: the unit that a turn handles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique within the account; the same however often the event is delivered.
    pub id: EventId,
    /// When it happened, by the clock of the service.
    pub time: Timestamp,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventBody {
    /// Somebody said something.
    Message(Message),
    /// Something else happened in a chat.
    Notice(Notice),
    /// A timer is due: a dialog timed out, a schedule, a follow-up.
    Due(Due),
    /// The bot came up, or its rules were replaced: the moment to set schedules.
    Started,
}

/// Something that somebody said, in any form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The id by which the service knows it.
    pub id: MessageId,
    /// Where it was said.
    pub chat: Chat,
    /// Who said it.
    pub sender: Person,
    /// What kind of sender that is.
    pub origin: Origin,
    /// The whole content.
    pub content: Content,
    /// The text to match: plain, a mention of the bot taken out, trimmed. Empty for media.
    pub text: String,
    /// Whether the bot was called: always in private, by a mention in a group.
    pub called: bool,
}

impl Message {
    /// What the message mainly is.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.content.kind()
    }
}

/// What kind of sender a message has. Only messages of people are answered by rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Another person.
    Person,
    /// The account itself, from another device.
    Oneself,
    /// An official account.
    Official,
    /// The service.
    System,
}

/// An event in a chat that is no message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Where it happened; for a friend request the private chat to come.
    pub chat: Chat,
    /// Who did it, where that is known.
    pub person: Option<Person>,
    /// What it is.
    pub kind: NoticeKind,
}

/// The kinds of notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum NoticeKind {
    /// People came into the group.
    Join {
        /// Who came, in the order named.
        people: Vec<Person>,
    },
    /// People left the group or were removed.
    Leave {
        /// Who went.
        people: Vec<Person>,
    },
    /// The group has another title.
    Rename {
        /// The new title.
        name: String,
    },
    /// A message was recalled.
    Recall {
        /// Which.
        message: MessageId,
        /// The message itself, if it was seen; filled in by the store from its log when the turn begins.
        original: Option<Box<Message>>,
    },
    /// Somebody wants to be a friend.
    FriendRequest {
        /// What they wrote.
        greeting: String,
        /// The transport's token for accepting; a secret of the service.
        ticket: String,
    },
    /// Somebody patted somebody.
    Pat {
        /// Whether it was the bot that was patted.
        me: bool,
        /// The line as shown.
        text: String,
    },
    /// A red packet was sent.
    RedPacket,
    /// Something the transport has no type for.
    Raw {
        /// The transport's word for it.
        kind: String,
        /// Its text for people, possibly empty.
        text: String,
    },
}

impl NoticeKind {
    /// The kind of event by which rules ask for it; `None` for what the transport has no type for.
    #[must_use]
    pub fn event_kind(&self) -> Option<EventKind> {
        Some(match self {
            Self::Join { .. } => EventKind::Join,
            Self::Leave { .. } => EventKind::Leave,
            Self::Rename { .. } => EventKind::Rename,
            Self::Recall { .. } => EventKind::Recall,
            Self::FriendRequest { .. } => EventKind::FriendRequest,
            Self::Pat { .. } => EventKind::Pat,
            Self::RedPacket => EventKind::RedPacket,
            Self::Raw { .. } => return None,
        })
    }

    /// The word of its kind, `raw` for one without.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.event_kind().map_or("raw", EventKind::word)
    }
}

/// A timer that is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Due {
    /// The key under which it was set.
    pub key: String,
    /// When it was to fire; [`Event::time`] is the same moment, the turn may be later.
    pub at: Timestamp,
    /// The chat it belongs to; `None` for the account's own timers.
    pub chat: Option<Chat>,
    /// The person it belongs to, where there is one.
    pub person: Option<Person>,
    /// What it is for, e.g. the name of a follow-up.
    pub name: String,
    /// Whatever was given along.
    pub data: String,
}

impl Event {
    /// The chat it happened in.
    #[must_use]
    pub fn chat(&self) -> Option<&Chat> {
        match &self.body {
            EventBody::Message(message) => Some(&message.chat),
            EventBody::Notice(notice) => Some(&notice.chat),
            EventBody::Due(due) => due.chat.as_ref(),
            EventBody::Started => None,
        }
    }

    /// Who did it, where that is known.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        match &self.body {
            EventBody::Message(message) => Some(&message.sender),
            EventBody::Notice(notice) => notice.person.as_ref(),
            EventBody::Due(due) => due.person.as_ref(),
            EventBody::Started => None,
        }
    }

    /// The message, if it is one.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match &self.body {
            EventBody::Message(message) => Some(message),
            EventBody::Notice(_) | EventBody::Due(_) | EventBody::Started => None,
        }
    }

    /// The lane it belongs to: that of its chat, else the account's.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.chat().map_or_else(Lane::account, |chat| Lane::from(&chat.id))
    }

    /// The id of the event that a timer becomes: the same for the same timer and moment.
    #[must_use]
    pub fn id_of_due(chat: Option<&ChatId>, key: &str, at: Timestamp) -> EventId {
        let chat = chat.map_or("-", ChatId::as_str);
        EventId::new(format!("due:{chat}:{key}:{}", at.as_millis()))
    }
}
