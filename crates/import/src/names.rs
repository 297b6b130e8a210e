//! Texts of other languages as texts and names of this one.

use std::collections::BTreeSet;

/// A literal text as a template: braces are doubled.
pub(crate) fn template(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// A literal text as a part of a pattern, if it has no sign that cannot be written there.
pub(crate) fn in_pattern(text: &str) -> Option<String> {
    let signs = ['[', ']', '(', ')', '|', '<', '>'];
    (!text.contains(signs)).then(|| template(text))
}

/// A literal text as a part of a regular expression.
pub(crate) fn in_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\'' | '’') {
            escaped.push_str("['’]");
            continue;
        }
        if r"\.+*?()|[]{}^$#&-~/".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The name of a variable, without the signs that it cannot have.
pub(crate) fn variable(name: &str) -> String {
    let is_good = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let clean: String =
        name.trim().chars().map(|c| if is_good(c) { c } else { '_' }).take(60).collect();
    if clean.is_empty() { "_".to_owned() } else { clean }
}

/// Names that are given once.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    taken: BTreeSet<String>,
}

impl Ids {
    /// An id made of the words of a sentence.
    pub(crate) fn of(&mut self, sentence: &str) -> String {
        let words: String = sentence
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { ' ' })
            .flat_map(char::to_lowercase)
            .collect();
        let mut stem = words.split_whitespace().take(6).collect::<Vec<_>>().join("-");
        stem = stem.chars().take(40).collect();
        let stem = if stem.is_empty() { "rule" } else { stem.trim_end_matches('-') };
        let mut id = stem.to_owned();
        let mut number = 2;
        while !self.taken.insert(id.clone()) {
            id = format!("{stem}-{number}");
            number += 1;
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_given_once() {
        let mut ids = Ids::default();
        assert_eq!(ids.of("HELLO *, you!"), "hello-you");
        assert_eq!(ids.of("hello you"), "hello-you-2");
        assert_eq!(ids.of("***"), "rule");
        assert_eq!(ids.of("你好 吗"), "你好-吗");
    }

    #[test]
    fn signs_of_the_language_are_texts() {
        assert_eq!(template("a{b}"), "a{{b}}");
        assert_eq!(in_pattern("a{b}").as_deref(), Some("a{{b}}"));
        assert_eq!(in_pattern("a (b)"), None);
        assert_eq!(in_regex("it's 1+1"), r"it['’]s 1\+1");
        assert_eq!(variable("fav color"), "fav_color");
    }
}
