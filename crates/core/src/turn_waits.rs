//! Turns that wait for another service.

use std::fmt;
use std::sync::Arc;

/// The turns of an account that wait for another service. They do not count among the turns that work at the same time, so
/// that slow services delay their own chats only.
pub trait TurnWaits: Send + Sync {
    /// A turn begins to wait. Returns false if too many do; then it counts on.
    fn begin(&self) -> bool;

    /// A turn that did not count goes on.
    fn end(&self);
}

/// A wait of a turn, until it is dropped: see [`Context::wait_apart`](crate::Context::wait_apart).
#[must_use = "the wait ends when this is dropped"]
pub struct TurnWait(Option<Arc<dyn TurnWaits>>);

impl TurnWait {
    pub(crate) fn of(waits: Option<&Arc<dyn TurnWaits>>) -> Self {
        Self(waits.filter(|waits| waits.begin()).cloned())
    }
}

impl Drop for TurnWait {
    fn drop(&mut self) {
        if let Some(waits) = &self.0 {
            waits.end();
        }
    }
}

impl fmt::Debug for TurnWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TurnWait").field(&self.0.is_some()).finish()
    }
}
