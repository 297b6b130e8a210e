//! The events of an account.

use serde::{Deserialize, Serialize};

use crate::{
    Chat, ChatId, Content, EventId, EventKind, Lane, MessageId, MessageKind, Person, Timestamp,
};

/// An event: the unit that a turn handles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Unique within the account; the same however often the event is delivered.
    pub id: EventId,
    /// When it happened, by the clock of the service.
    pub time: Timestamp,
    /// The body of the event.
    pub body: EventBody,
}

/// The body of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventBody {
    /// A message.
    Message(Message),
    /// A notice: another event in a chat.
    Notice(Notice),
    /// A timer is due: a dialog timed out, a schedule, a follow-up.
    Due(Due),
    /// The bot started, or its rules were replaced: the moment to set schedules.
    Started,
}

/// A message, of any kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The id that the service gave it.
    pub id: MessageId,
    /// Its chat.
    pub chat: Chat,
    /// Its sender.
    pub sender: Person,
    /// The kind of its sender.
    pub origin: Origin,
    /// The whole content.
    pub content: Content,
    /// The text to match: plain, without mentions of the bot, trimmed. Empty for media.
    pub text: String,
    /// Whether the bot was addressed: always in private, by a mention in a group.
    pub called: bool,
    /// Where in [`text`](Self::text), in bytes, the words behind a name of the bot begin, if the text begins with such a
    /// name without `@`. Rules are asked with these words first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_name: Option<usize>,
}

impl Message {
    /// The main kind of the message.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.content.kind()
    }
}

/// The kinds of sender. Rules answer only messages of people.
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

/// An event in a chat that is not a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Its chat; for a friend request the private chat that will follow.
    pub chat: Chat,
    /// The person who caused it, if known.
    pub person: Option<Person>,
    /// Its kind.
    pub kind: NoticeKind,
}

/// The kinds of notice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum NoticeKind {
    /// People joined the group.
    Join {
        /// Those who joined, in the order named.
        people: Vec<Person>,
    },
    /// People left the group or were removed.
    Leave {
        /// Those who left.
        people: Vec<Person>,
    },
    /// The title of the group changed.
    Rename {
        /// The new title.
        name: String,
    },
    /// A message was recalled.
    Recall {
        /// The id of the message.
        message: MessageId,
        /// The message itself, if the bot received it; the store fills it in from its log when the turn begins.
        original: Option<Box<Message>>,
    },
    /// A person asks to be a friend.
    FriendRequest {
        /// The text of the request.
        greeting: String,
        /// The transport's token for accepting; a secret of the service.
        ticket: String,
    },
    /// A person patted another one.
    Pat {
        /// Whether the person patted the bot.
        me: bool,
        /// The line as shown.
        text: String,
    },
    /// A red packet was sent.
    RedPacket,
    /// A notice for which the transport has no type.
    Raw {
        /// The transport's word for it.
        kind: String,
        /// Its text for people, possibly empty.
        text: String,
    },
}

impl NoticeKind {
    /// The kind by which rules refer to the event; `None` if the transport has no type for it.
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

    /// The word for its kind, `raw` if it has none.
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
    /// When it was to fire. [`Event::time`] is the same moment; the turn may begin later.
    pub at: Timestamp,
    /// The chat it belongs to; `None` for the account's own timers.
    pub chat: Option<Chat>,
    /// The person it belongs to, if there is one.
    pub person: Option<Person>,
    /// Its purpose, e.g. the name of a follow-up.
    pub name: String,
    /// The data for that purpose.
    pub data: String,
}

impl Event {
    /// The chat of the event.
    #[must_use]
    pub fn chat(&self) -> Option<&Chat> {
        match &self.body {
            EventBody::Message(message) => Some(&message.chat),
            EventBody::Notice(notice) => Some(&notice.chat),
            EventBody::Due(due) => due.chat.as_ref(),
            EventBody::Started => None,
        }
    }

    /// The person who caused the event, if known.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        match &self.body {
            EventBody::Message(message) => Some(&message.sender),
            EventBody::Notice(notice) => notice.person.as_ref(),
            EventBody::Due(due) => due.person.as_ref(),
            EventBody::Started => None,
        }
    }

    /// The message, if the event is one.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match &self.body {
            EventBody::Message(message) => Some(message),
            EventBody::Notice(_) | EventBody::Due(_) | EventBody::Started => None,
        }
    }

    /// Whether this is the id of the event or of its message.
    #[must_use]
    pub fn is_called(&self, id: &str) -> bool {
        self.id.as_str() == id || self.message().is_some_and(|message| message.id.as_str() == id)
    }

    /// The text of the event, for people to read: that of the message, or the words that came with a notice.
    #[must_use]
    pub fn plain_text(&self) -> String {
        match &self.body {
            EventBody::Message(message) => message.content.plain_text(),
            EventBody::Notice(notice) => match &notice.kind {
                NoticeKind::Rename { name: text }
                | NoticeKind::FriendRequest { greeting: text, .. }
                | NoticeKind::Pat { text, .. }
                | NoticeKind::Raw { text, .. } => text.clone(),
                NoticeKind::Join { .. }
                | NoticeKind::Leave { .. }
                | NoticeKind::Recall { .. }
                | NoticeKind::RedPacket => String::new(),
            },
            EventBody::Due(due) => due.name.clone(),
            EventBody::Started => String::new(),
        }
    }

    /// The lane of the event: that of its chat, otherwise that of the account.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.chat().map_or_else(Lane::account, |chat| Lane::from(&chat.id))
    }

    /// The id of the event that a timer becomes: always the same for the same timer and moment.
    #[must_use]
    pub fn id_of_due(chat: Option<&ChatId>, key: &str, at: Timestamp) -> EventId {
        let chat = chat.map_or("-", ChatId::as_str);
        EventId::new(format!("due:{chat}:{key}:{}", at.as_millis()))
    }
}
