//! Whether what one rule asks for beside the text is asked for by another as well.

use mynah_core::{ChatKind, MessageKind};

use crate::model::{Conditions, Days};
use mynah_matching::glob::Glob;

/// Whether every condition of `first` that is not on the text holds whenever those of `second` do.
pub(super) fn beside_the_text(first: &Conditions, second: &Conditions) -> bool {
    let in_private = second.place == Some(ChatKind::Private);
    (first.place.is_none() || first.place == second.place)
        && groups(&first.groups, &second.groups)
        && (!first.at_me || second.at_me || (in_private && second.events.is_empty()))
        && (first.from.is_empty() || is_within(&second.from, &first.from))
        && first.not_from.iter().all(|who| second.not_from.contains(who))
        && subjects(first, second)
        && (first.time.is_empty() || is_within(&second.time, &first.time))
        && first.days.is_none_or(|days| covers(days, second.days.unwrap_or(Days::EVERY)))
        && first.text.none.iter().all(|item| second.text.none.contains(item))
}

/// Whether `inner` names something, and nothing that `outer` does not name.
fn is_within<T: PartialEq>(inner: &[T], outer: &[T]) -> bool {
    !inner.is_empty() && inner.iter().all(|item| outer.contains(item))
}

fn covers(days: Days, others: Days) -> bool {
    days.and(others) == days
}

/// Whether every group of the second is one of the first.
fn groups(first: &[Glob], second: &[Glob]) -> bool {
    let is_covered = |inner: &Glob| first.iter().any(|outer| is_wider(outer, inner));
    first.is_empty() || (!second.is_empty() && second.iter().all(is_covered))
}

/// Whether a glob fits every name that another fits.
fn is_wider(outer: &Glob, inner: &Glob) -> bool {
    let same = outer.as_str() == inner.as_str();
    // Without `?` in the outer one, a wildcard of the inner can only be taken by a `*`, which takes whatever it stands for.
    let has_question = outer.as_str().contains('?');
    same || (outer.fits(inner.as_str()) && (inner.is_plain() || !has_question))
}

/// Whether the first looks at everything that the second looks at.
fn subjects(first: &Conditions, second: &Conditions) -> bool {
    let kinds = |when: &Conditions| -> Vec<MessageKind> {
        let is_plain = when.kinds.is_empty() && when.events.is_empty();
        if is_plain { vec![MessageKind::Text] } else { when.kinds.clone() }
    };
    let (of_first, of_second) = (kinds(first), kinds(second));
    of_second.iter().all(|kind| of_first.contains(kind))
        && second.events.iter().all(|event| first.events.contains(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_is_wider_only_if_that_is_certain() {
        for (outer, inner, wider) in [
            ("*", "客户*", true),
            ("客户*", "客户一群", true),
            ("客户*", "客户一*", true),
            ("客户?", "客户*", false),
            ("客户?", "客户一", true),
            ("客户?", "客户?", true),
            ("客户一*", "客户*", false),
            ("*群", "客户*", false),
            ("*", "?", true),
        ] {
            assert_eq!(is_wider(&Glob::new(outer), &Glob::new(inner)), wider, "{outer} {inner}");
        }
    }
}
