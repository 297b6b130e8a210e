//! Sync keys (section 11.7 of the protocol reference): opaque cursors, returned unchanged.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::lenient::{self, ListItem};

/// The read position in the log of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SyncKey {
    /// The number of entries; the service keeps it equal to the length of the list.
    #[serde(deserialize_with = "lenient::number")]
    pub count: i64,
    /// The cursors.
    #[serde(deserialize_with = "lenient::list")]
    pub list: Vec<SyncKeyEntry>,
}

/// One cursor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SyncKeyEntry {
    /// The number of the cursor.
    #[serde(deserialize_with = "lenient::number")]
    pub key: i64,
    /// Its position.
    #[serde(deserialize_with = "lenient::number")]
    pub val: i64,
}

/// The service has about ten cursors.
impl ListItem for SyncKeyEntry {
    const NAME: &'static str = "cursors";
    const MOST: usize = 100;
}

impl SyncKey {
    /// Whether the key is empty: answers to failed calls contain an empty key, which must never be stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes the place of another key, with the correct length of its list as the count. Returns whether it moves.
    pub(crate) fn follow(&mut self, next: &Self) -> bool {
        let count = i64::try_from(next.list.len()).unwrap_or(i64::MAX);
        let moves = self.count != count || self.list != next.list;
        self.count = count;
        self.list.clone_from(&next.list);
        moves
    }

    /// Makes the key empty, and keeps its memory for the next one.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.list.clear();
    }
}

/// The format in the query of synccheck: `1_651991553|2_651996455`.
impl SyncKey {
    /// The key as a parameter of an address.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.list.len() * ENTRY);
        write!(text, "{self}").expect("a string takes any text");
        text
    }
}

/// Room for a number, a time and two separators.
const ENTRY: usize = 4 + 10 + 2;

impl fmt::Display for SyncKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, entry) in self.list.iter().enumerate() {
            let separator = if n == 0 { "" } else { "|" };
            write!(f, "{separator}{}_{}", entry.key, entry.val)?;
        }
        Ok(())
    }
}
