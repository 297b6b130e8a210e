//! Names with `*` (any run of characters) and `?` (any one character).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A name, or a shape that names have: `客户*`, `?群`. Characters are compared as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Glob {
    text: String,
}

impl Glob {
    /// The glob of that text. Every text is one.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The text it was made of.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it fits one name only, having neither `*` nor `?`.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.text.contains(['*', '?'])
    }

    /// Whether it fits `name`.
    ///
    /// Takes time in proportion to both lengths multiplied, at worst.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        // The most frequent glob.
        if self.text == "*" {
            return true;
        }
        if self.is_plain() {
            return self.text == name;
        }
        fits(&self.text, name, |wanted, found| wanted == '?' || wanted == found)
    }

    /// Whether it fits every name that `other` fits. Not every such case is seen, but none is seen that is not one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // A run of any characters is taken by a star only, any one character by either sign.
        fits(&self.text, &other.text, |wanted, found| {
            wanted == found || (wanted == '?' && found != '*')
        })
    }
}

/// Whether a glob fits a text, where `is_one` says whether a character or `?` of it fits a character.
fn fits(glob: &str, text: &str, is_one: impl Fn(char, char) -> bool) -> bool {
    // Greedy with one place to come back to: after a later `*` an earlier one never has to be tried again.
    let (mut glob, mut rest) = (glob, text);
    let mut retry: Option<(&str, &str)> = None;
    loop {
        let (wanted, found) = (glob.chars().next(), rest.chars().next());
        match (wanted, found) {
            (Some('*'), _) => {
                glob = after_first(glob);
                retry = Some((glob, rest));
            }
            (Some(wanted), Some(found)) if is_one(wanted, found) => {
                (glob, rest) = (after_first(glob), after_first(rest));
            }
            (None, None) => return true,
            _ => {
                let Some((after_star, from)) = retry.filter(|(_, from)| !from.is_empty()) else {
                    return false;
                };
                (glob, rest) = (after_star, after_first(from));
                retry = Some((glob, rest));
            }
        }
    }
}

/// The text without its first character.
fn after_first(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (glob, name, fits) in [
            ("客户一群", "客户一群", true),
            ("客户一群", "客户一群 ", false),
            ("客户*", "客户一群", true),
            ("客户*", "客户", true),
            ("客户*", "老客户", false),
            ("*群", "客户一群", true),
            ("*群", "群里", false),
            ("*", "", true),
            ("?群", "一群", true),
            ("?群", "群", false),
            ("?群", "十一群", false),
            ("*户*群*", "客户一群二", true),
            ("a*b*c", "abcbd", false),
            ("a*b*c", "aXbYbZc", true),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(Glob::new(glob).fits(name), fits, "{glob} on {name}");
        }
    }

    #[test]
    fn a_glob_covers_what_fits_nothing_else() {
        for (earlier, later, covers) in [
            ("*", "客户*", true),
            ("*", "*", true),
            ("客户*", "客户一群", true),
            ("客户*", "客户??", true),
            ("客户*", "客*", false),
            ("客户*", "*", false),
            ("?群", "一群", true),
            ("?群", "*群", false),
            ("?*", "a*", true),
            ("?", "?", true),
            ("a", "?", false),
            ("a*", "a", true),
            ("a", "a*", false),
            ("*a*", "*ba?", true),
        ] {
            assert_eq!(Glob::new(earlier).covers(&Glob::new(later)), covers, "{earlier} {later}");
        }
    }

    proptest! {
        #[test]
        fn what_a_covered_glob_fits_the_other_fits(
            earlier in "[ab?*]{0,5}",
            later in "[ab?*]{0,5}",
            name in "[abc]{0,7}",
        ) {
            let (earlier, later) = (Glob::new(earlier), Glob::new(later));
            if earlier.covers(&later) && later.fits(&name) {
                prop_assert!(earlier.fits(&name));
            }
        }
    }

    #[test]
    fn many_stars_do_not_take_long() {
        let glob = Glob::new("*a".repeat(50) + "b");
        assert!(!glob.fits(&"a".repeat(2000)));
    }
}
