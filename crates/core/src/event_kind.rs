//! The kinds of event that rules can refer to: the one list from which all others are derived.

use serde::{Deserialize, Serialize};

/// Makes the type, the list of its values, and their words in `bot.toml` from one table.
macro_rules! event_kinds {
    ($($(#[$doc:meta])* $kind:ident = $word:literal,)*) => {
        /// A kind of event that is not a message: a word of `event` in `bot.toml`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventKind {
            $($(#[$doc])* $kind,)*
        }

        impl EventKind {
            /// All kinds, in the order in which documents list them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The words of all kinds, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word,)*];

            /// The word in `bot.toml`, in recorded messages and on the pages.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

event_kinds! {
    /// People came into the group.
    Join = "join",
    /// People left the group or were removed.
    Leave = "leave",
    /// The group has another title.
    Rename = "rename",
    /// A person wants to be a friend.
    FriendRequest = "friend_request",
    /// A person patted another.
    Pat = "pat",
    /// A red packet was sent.
    RedPacket = "red_packet",
    /// A message was recalled.
    Recall = "recall",
}

impl EventKind {
    /// The kind for a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Whether it occurs in groups only.
    #[must_use]
    pub fn needs_group(self) -> bool {
        match self {
            Self::Join | Self::Leave | Self::Rename => true,
            Self::FriendRequest | Self::Pat | Self::RedPacket | Self::Recall => false,
        }
    }

    /// Whether it carries a text that conditions can match.
    #[must_use]
    pub fn has_text(self) -> bool {
        match self {
            Self::Rename | Self::FriendRequest | Self::Pat | Self::Recall => true,
            Self::Join | Self::Leave | Self::RedPacket => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_that_of_the_stored_form() {
        for kind in EventKind::ALL {
            let stored = serde_json::to_value(kind).expect("a word");
            assert_eq!(stored, kind.word());
            assert_eq!(EventKind::from_word(kind.word()), Some(*kind));
        }
        assert_eq!(EventKind::from_word("raw"), None);
    }
}
