//! The order in which interpreters of AIML look at categories.

use std::cmp::Reverse;

use super::Category;
use super::patterns::{Sentence, Word};

/// A step of the path: the class of the word, the words behind it where a wildcard is before it, and the word.
type Step = (u8, Reverse<usize>, String);

/// The path through the graph: at each word `$` and `_` come before the word itself, `*` and the like behind it; `<that>` and
/// `<topic>` follow the pattern.
pub(super) fn key(category: &Category) -> Vec<Step> {
    let mut key = path(&category.pattern);
    for part in [&category.that, &category.topic] {
        // Behind all words: a pattern that ends here is compared with one that goes on by the message alone.
        key.push((1, Reverse(0), String::new()));
        match part {
            Some(sentence) => key.extend(path(sentence)),
            None => key.push((6, Reverse(0), String::new())),
        }
    }
    key
}

/// A wildcard takes as few words as it can, so the longer end of a sentence behind it comes first.
fn path(sentence: &Sentence) -> Vec<Step> {
    let words = sentence.words();
    let mut behind_wildcard = false;
    let step = |(at, word): (usize, &Word)| {
        let (class, text) = class(word);
        let left = if behind_wildcard { words.len() - at } else { 0 };
        behind_wildcard |= text.is_empty();
        (class, Reverse(left), text)
    };
    words.iter().enumerate().map(step).collect()
}

fn class(word: &Word) -> (u8, String) {
    match word {
        Word::First(text) => (0, text.clone()),
        Word::Hash => (2, String::new()),
        Word::Underline => (3, String::new()),
        Word::Text(text) => (4, text.clone()),
        Word::Caret => (5, String::new()),
        Word::Star => (6, String::new()),
        Word::Unknown => (7, String::new()),
    }
}
