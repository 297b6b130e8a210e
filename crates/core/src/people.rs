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
    /// The names that mean this person and that only the owner of the account or the service gives: the remark of a
    /// friend where no other friend has the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certain_names: Vec<String>,
    /// The names that this person chose and that no other friend answers to, by remark or nickname. They prove nothing: another
    /// person may have taken the name first. Empty for people who are not friends.
    ///
    /// Events stored by version 1 did not tell remarks from nicknames: all their names are read as chosen ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty", alias = "known_as")]
    pub chosen_names: Vec<String>,
}

impl Person {
    /// A person of that id and name who is not a friend.
    #[must_use]
    pub fn stranger(id: impl Into<PersonId>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            certain_names: Vec::new(),
            chosen_names: Vec::new(),
        }
    }

    /// A friend with `name` as remark, whom it means without doubt.
    #[must_use]
    pub fn friend(id: impl Into<PersonId>, name: impl Into<String>) -> Self {
        let person = Self::stranger(id, name);
        Self { certain_names: vec![person.name.clone()], ..person }
    }

    /// A friend without a remark who calls himself `name`, as no other friend does.
    #[must_use]
    pub fn self_named(id: impl Into<PersonId>, name: impl Into<String>) -> Self {
        let person = Self::stranger(id, name);
        Self { chosen_names: vec![person.name.clone()], ..person }
    }

    /// The same person without the names of friends, for an action: only the id counts there.
    #[must_use]
    pub fn without_names(&self) -> Self {
        Self::stranger(self.id.clone(), self.name.clone())
    }

    /// Whether `name` means this person without doubt.
    #[must_use]
    pub fn is_certainly(&self, name: &str) -> bool {
        self.certain_names.iter().any(|known| known == name)
    }

    /// Whether this person chose `name`, and no other friend answers to it.
    #[must_use]
    pub fn chose(&self, name: &str) -> bool {
        self.chosen_names.iter().any(|known| known == name)
    }
}

/// The friend whom a name of a rule file means at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// No friend is called so.
    Nobody,
    /// This friend, by a name that only the owner of the account or the service gives: a remark, an id.
    Certain(PersonId),
    /// This friend, by a name that people choose themselves.
    Chosen(PersonId),
    /// So many friends, therefore none of them.
    Several(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_version_1_prove_no_more_than_a_nickname() {
        let stored = r#"{"id":"p1","name":"小明","known_as":["老王","小明"]}"#;
        let person: Person = serde_json::from_str(stored).unwrap();
        assert!(person.chose("老王") && person.chose("小明"));
        assert!(!person.is_certainly("老王"));
        let again: Person = serde_json::from_str(&serde_json::to_string(&person).unwrap()).unwrap();
        assert_eq!(again, person);
    }
}
