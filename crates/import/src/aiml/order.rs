//! The order in which interpreters of AIML look at categories.

use super::Category;
use super::patterns::{Sentence, Word};

/// The path through the graph: at each word `$` and `_` come before the word itself, `*` and the like behind it; `<that>` and
/// `<topic>` follow the pattern.
pub(super) fn key(category: &Category) -> Vec<(u8, String)> {
    let mut key = path(&category.pattern);
    for part in [&category.that, &category.topic] {
        // Behind all words: a pattern that ends here is compared with one that goes on by the message alone.
        key.push((1, String::new()));
        match part {
            Some(sentence) => key.extend(path(sentence)),
            None => key.push((6, String::new())),
        }
    }
    key
}

fn path(sentence: &Sentence) -> Vec<(u8, String)> {
    let of_word = |word: &Word| match word {
        Word::First(text) => (0, text.clone()),
        Word::Hash => (2, String::new()),
        Word::Underline => (3, String::new()),
        Word::Text(text) => (4, text.clone()),
        Word::Caret => (5, String::new()),
        Word::Star => (6, String::new()),
        Word::Unknown => (7, String::new()),
    };
    sentence.words().iter().map(of_word).collect()
}
