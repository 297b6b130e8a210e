//! Emoji in the private-use area, as old phones sent them.

use std::borrow::Cow;

/// The same text with private-use emoji replaced.
pub(super) fn replaced(text: Cow<'_, str>) -> Cow<'_, str> {
    text
}
