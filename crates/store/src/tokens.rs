//! The claims of this opening by their tokens, so that a repeated call claims nothing else.

use std::collections::BTreeMap;

use mynah_core::ClaimToken;

/// The number of tokens that are remembered: more than calls can be under way.
const MOST: usize = 1024;

/// The claim that a token made. The row of the action has the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// The try with this number of the action with this `seq`.
    Claim { seq: i64, attempt: u32 },
    /// The action had expired.
    Expired { seq: i64 },
}

/// The last tokens. They are not stored: a token is valid until the store is opened again.
#[derive(Debug, Default)]
pub(crate) struct Tokens(BTreeMap<ClaimToken, Made>);

impl Tokens {
    pub(crate) fn get(&self, token: ClaimToken) -> Option<Made> {
        self.0.get(&token).copied()
    }

    /// Remembers a claim, and drops the oldest one if there are too many: tokens rise.
    pub(crate) fn note(&mut self, token: ClaimToken, made: Made) {
        self.0.insert(token, made);
        if self.0.len() > MOST {
            self.0.pop_first();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
