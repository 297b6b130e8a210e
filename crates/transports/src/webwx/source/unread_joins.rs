//! Lines about joining that have no form known here: each form is warned of once.

use std::collections::BTreeSet;

/// The forms that were warned of.
#[derive(Debug, Default)]
pub(super) struct UnreadJoins(BTreeSet<String>);

impl UnreadJoins {
    /// Forms can include names that cannot be separated from the words around them, so there may be any number of them.
    const MOST: usize = 30;

    pub(super) fn warn_of(&mut self, forms: &[String]) {
        for form in forms {
            if self.is_new(form) {
                tracing::warn!(
                    form,
                    "this line seems to report that a person joined a group; its form is unknown and fires no join event"
                );
            }
        }
    }

    fn is_new(&mut self, form: &str) -> bool {
        self.0.len() < Self::MOST && self.0.insert(form.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_warned_of_once_and_not_too_many_are() {
        let mut unread = UnreadJoins::default();
        assert!(unread.is_new("“…”跳进了群聊"));
        assert!(!unread.is_new("“…”跳进了群聊"));
        let warned = (0..100).filter(|n| unread.is_new(&format!("form {n}"))).count();
        assert_eq!(warned, UnreadJoins::MOST - 1);
    }
}
