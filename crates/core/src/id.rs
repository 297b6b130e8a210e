//! Ids as types of their own.
//!
//! Every id is opaque text made by a transport or the runtime. Ids of chats and people stay the same across logins
//! and restarts (the transport ensures this); ids can only be compared for equality.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text of an id.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The id as text, as it is stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), &self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

id!(
    /// A group or a private conversation.
    ChatId
);
id!(
    /// A person, the same in every chat.
    PersonId
);
id!(
    /// A message of the service, unique within an account.
    MessageId
);
id!(
    /// An event, unique within an account: if it is delivered twice, it has the same id both times.
    EventId
);
id!(
    /// The order of one chat's events: one at a time, oldest first.
    Lane
);

impl Lane {
    /// The lane of all events that do not belong to a chat.
    #[must_use]
    pub fn account() -> Self {
        Self::new("-")
    }
}

impl From<&ChatId> for Lane {
    fn from(chat: &ChatId) -> Self {
        Self(Arc::clone(&chat.0))
    }
}

/// An action: the n-th that the turn of an event requested. The key by which a retry is recognised.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActionId {
    /// The event whose turn requested the action.
    pub event: EventId,
    /// Its place among the actions of that turn, from 0.
    pub n: u32,
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.event, self.n)
    }
}
