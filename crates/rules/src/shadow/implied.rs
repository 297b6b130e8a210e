//! Whether the conditions of one rule, other than those on the text, imply those of another.

use mynah_core::{ChatKind, MessageKind};

use crate::model::{Conditions, Days};
use mynah_matching::glob::Glob;

/// Whether every condition of `first` that is not on the text holds whenever those of `second` do.
pub(super) fn beside_the_text(first: &Conditions, second: &Conditions) -> bool {
    // Each condition by name: a new one does not compile until it is compared here.
    let Conditions {
        text:
            mynah_matching::Conditions {
                none,
                // These are compared by the wordings.
                keyword: _,
                all: _,
                all_of: _,
                exact: _,
                prefix: _,
                suffix: _,
                pattern: _,
                regex: _,
                case: _,
            },
        place,
        groups,
        at_me,
        from,
        not_from,
        kinds: _,
        events: _,
        time,
        days,
        // A rule with a chance shadows no other.
        chance,
        // A rule with comparisons shadows no other.
        comparisons,
        after,
        similar,
        // Compared by `quoted_words`.
        quoted: _,
    } = first;
    let in_private = second.place == Some(ChatKind::Private);
    chance.is_none()
        && comparisons.is_empty()
        && after.is_none()
        && similar.is_none()
        && (place.is_none() || *place == second.place)
        && are_covered(groups, &second.groups)
        && (!at_me || second.at_me || (in_private && second.events.is_empty()))
        && (from.is_empty() || is_within(&second.from, from))
        && not_from.iter().all(|who| second.not_from.contains(who))
        && subjects(first, second)
        && (time.is_empty() || is_within(&second.time, time))
        && days.is_none_or(|days| covers(days, second.days.unwrap_or(Days::EVERY)))
        && none.iter().all(|item| second.text.none.contains(item))
        && quoted_words(first, second)
}

/// Whether the text that the first looks at contains the text that the second looks at.
fn quoted_words(first: &Conditions, second: &Conditions) -> bool {
    let text = &first.text;
    let is_anywhere = text.exact.is_empty()
        && text.prefix.is_empty()
        && text.suffix.is_empty()
        && text.pattern.is_empty()
        && text.regex.is_empty()
        && text.none.is_empty();
    let looks_at_no_text =
        is_anywhere && text.keyword.is_empty() && text.all.is_empty() && text.all_of.is_empty();
    // The sender's own words are a part of the whole message, but not the other way round.
    first.quoted == second.quoted || looks_at_no_text || (first.quoted && is_anywhere)
}

/// Whether `inner` names something, and nothing that `outer` does not name.
fn is_within<T: PartialEq>(inner: &[T], outer: &[T]) -> bool {
    !inner.is_empty() && inner.iter().all(|item| outer.contains(item))
}

fn covers(days: Days, others: Days) -> bool {
    days.and(others) == days
}

/// Whether every group of the second is one of the first.
fn are_covered(first: &[Glob], second: &[Glob]) -> bool {
    let is_covered = |inner: &Glob| first.iter().any(|outer| is_wider(outer, inner));
    first.is_empty() || (!second.is_empty() && second.iter().all(is_covered))
}

/// Whether a glob fits every name that another fits.
fn is_wider(outer: &Glob, inner: &Glob) -> bool {
    let same = outer.as_str() == inner.as_str();
    // Without `?` in the outer one, only a `*` can take a wildcard of the inner one, and it takes any text.
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
    fn only_words_anywhere_are_in_the_whole_message_if_they_are_in_the_own_words() {
        let mut keyword = Conditions::default();
        keyword.text.keyword = vec!["a".to_owned()];
        let mut exact = Conditions::default();
        exact.text.exact = vec!["a".to_owned()];
        let mut none = keyword.clone();
        none.text.none = vec!["b".to_owned()];
        let quoted = |when: &Conditions| Conditions { quoted: true, ..when.clone() };
        for (first, second, implied) in [
            (&keyword, &keyword, true),
            (&quoted(&keyword), &quoted(&keyword), true),
            (&quoted(&keyword), &keyword, true),
            (&keyword, &quoted(&keyword), false),
            (&quoted(&exact), &exact, false),
            (&quoted(&none), &none, false),
            (&Conditions::default(), &quoted(&keyword), true),
        ] {
            assert_eq!(quoted_words(first, second), implied, "{first:?} {second:?}");
        }
    }

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
