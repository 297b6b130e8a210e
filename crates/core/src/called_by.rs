//! The configured names by which a bot is called, shared with the part that reloads the rule file.

use std::sync::{Arc, PoisonError, RwLock};

/// The extra names that count as a call of the bot, beside its nickname and its display names in groups.
///
/// Clones share one list: the runner keeps one and replaces the names when a rule file is reloaded.
#[derive(Debug, Clone, Default)]
pub struct CalledBy(Arc<RwLock<Arc<[String]>>>);

impl CalledBy {
    /// A list of these names.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let called_by = Self::default();
        called_by.replace(names);
        called_by
    }

    /// Puts other names in place of the present ones.
    pub fn replace(&self, names: impl IntoIterator<Item = String>) {
        let names: Arc<[String]> = names.into_iter().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// The present names.
    #[must_use]
    pub fn names(&self) -> Arc<[String]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_names_that_are_replaced() {
        let kept = CalledBy::new(["小助手".to_owned()]);
        let given = kept.clone();
        kept.replace(["八哥".to_owned(), "mynah".to_owned()]);
        assert_eq!(*given.names(), ["八哥".to_owned(), "mynah".to_owned()]);
    }
}
