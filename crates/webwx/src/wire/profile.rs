//! Changes to the account's own profile (section 11.6 of the protocol reference).

use serde::{Deserialize, Serialize};

use super::lenient;

/// The account's profile; meaningful only if [`Profile::changed`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Profile {
    /// 0 no change, 190 change.
    #[serde(deserialize_with = "lenient::number")]
    pub bit_flag: i64,
    /// The id during this login.
    #[serde(deserialize_with = "lenient::object")]
    pub user_name: Buffer,
    /// The nickname.
    #[serde(deserialize_with = "lenient::object")]
    pub nick_name: Buffer,
    /// Relative address of the picture.
    #[serde(deserialize_with = "lenient::text")]
    pub head_img_url: String,
    /// The signature: a text about themselves.
    #[serde(deserialize_with = "lenient::text")]
    pub signature: String,
}

/// A text in an object of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Buffer {
    /// The text.
    #[serde(deserialize_with = "lenient::text")]
    pub buff: String,
}

impl Profile {
    /// Whether the service reports a change.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.bit_flag == 190
    }
}
