//! Chats and the people in them.

use serde::{Deserialize, Serialize};

use crate::{ChatId, PersonId};

/// A group or a private conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// Its id, the same across logins.
    pub id: ChatId,
    /// Group or private.
    pub kind: ChatKind,
    /// The title of a group; the name of the other person in private.
    pub name: String,
}

/// Whether a chat is a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Several people.
    Group,
    /// One other person.
    Private,
}

impl Chat {
    /// A group of that id and title.
    #[must_use]
    pub fn group(id: impl Into<ChatId>, name: impl Into<String>) -> Self {
        Self { id: id.into(), kind: ChatKind::Group, name: name.into() }
    }

    /// The private chat with a person of that name.
    #[must_use]
    pub fn private(id: impl Into<ChatId>, name: impl Into<String>) -> Self {
        Self { id: id.into(), kind: ChatKind::Private, name: name.into() }
    }

    /// Whether this is a group.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.kind == ChatKind::Group
    }
}

/// A person as seen in one chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The person's id, the same across chats and logins.
    pub id: PersonId,
    /// The name to show in this chat; never empty.
    pub name: String,
    /// The names that mean this person and nobody else: the remark of a friend, and the nickname where no other
    /// friend answers to it. Empty for people who are no friends: a name that anybody can take proves nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_as: Vec<String>,
}

impl Person {
    /// A person of that id and name who is no friend.
    #[must_use]
    pub fn stranger(id: impl Into<PersonId>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), known_as: Vec::new() }
    }

    /// A friend whom `name` means without doubt.
    #[must_use]
    pub fn friend(id: impl Into<PersonId>, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { id: id.into(), known_as: vec![name.clone()], name }
    }

    /// Whether `name` means this person and nobody else.
    #[must_use]
    pub fn is_known_as(&self, name: &str) -> bool {
        self.known_as.iter().any(|known| known == name)
    }
}
