//! Values as the database takes them.

use std::borrow::Cow;
use std::time::Duration;

use mynah_core::Timestamp;

/// A text without the character NUL, which PostgreSQL cannot store: it becomes the mark of a character that is unknown.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A moment as it is stored.
pub(crate) fn millis(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::as_millis)
}

/// A span of time in milliseconds.
pub(crate) fn whole_millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The JSON form of a value. It has no NUL, since JSON escapes it.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, mynah_core::StoreError> {
    serde_json::to_string(value).map_err(crate::error::unreadable)
}
