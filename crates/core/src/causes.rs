//! Error messages that include their causes.

use std::error::Error;

/// An error with all its causes on one line, the nearest first: `a: b: c`. A cause that an error already quotes is not
/// repeated.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| (*cause).source()) {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    fn said(words: &[&'static str]) -> Layer {
        let (first, rest) = words.split_first().unwrap();
        Layer(first, (!rest.is_empty()).then(|| Box::new(said(rest))))
    }

    #[test]
    fn causes_follow_what_they_caused_and_are_said_once() {
        for (words, line) in [
            (&["alone"][..], "alone"),
            (&["a", "b", "c"], "a: b: c"),
            (&["failed: broken pipe", "broken pipe", "os"], "failed: broken pipe: os"),
        ] {
            assert_eq!(with_causes(&said(words)), line);
        }
    }
}
