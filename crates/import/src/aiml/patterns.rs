//! The sentences of AIML: words and wildcards.

use std::fmt;

use super::tree::Node;
use crate::names;
use crate::remark::Reason;

/// A pattern, a `<that>` or the name of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// A word in small letters.
    Text(String),
    /// `$WORD`: before all wildcards.
    First(String),
    /// `_`: some words, before the word itself.
    Underline,
    /// `#`: any number of words, before the word itself.
    Hash,
    /// `^`: any number of words.
    Caret,
    /// `*`: some words.
    Star,
    /// An element that is not known before a message comes.
    Unknown,
}

impl Sentence {
    pub(crate) fn of_text(text: &str) -> Self {
        Self { words: words(text) }
    }

    pub(crate) fn of(nodes: &[Node]) -> Self {
        let mut all = Vec::new();
        for node in nodes {
            match node {
                Node::Text(text) => all.extend(words(text)),
                Node::Element { .. } => all.push(Word::Unknown),
            }
        }
        Self { words: all }
    }

    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }

    /// The sentence, if it has no wildcards.
    pub(super) fn plain(&self) -> Option<String> {
        let words: Option<Vec<&str>> = self
            .words
            .iter()
            .map(|word| match word {
                Word::Text(text) | Word::First(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        words.filter(|words| !words.is_empty()).map(|words| words.join(" "))
    }

    pub(super) fn is_latin(&self) -> bool {
        self.words.iter().any(|word| matches!(word, Word::Text(text) if text.is_ascii()))
    }

    pub(super) fn first_letter(&self) -> Option<char> {
        match self.words.first() {
            Some(Word::Text(text) | Word::First(text)) => text.chars().next(),
            _ => None,
        }
    }

    /// Whether it begins with a wildcard that is looked at before words.
    pub(super) fn begins_first(&self) -> bool {
        matches!(self.words.first(), Some(Word::Underline | Word::Hash))
    }

    /// The key of the condition, its value, and the names of the stars.
    pub(super) fn condition(&self) -> Result<(&'static str, String, Vec<String>), Reason> {
        if self.words.is_empty() {
            return Err(Reason::Empty);
        }
        if let Some(text) = self.plain() {
            return Ok(("exact", text, Vec::new()));
        }
        let mut stars: Vec<String> = Vec::new();
        let mut parts = Vec::new();
        for word in &self.words {
            let mut star = || {
                let number = stars.len() + 1;
                let name = if number == 1 { "star".to_owned() } else { format!("star{number}") };
                stars.push(name.clone());
                name
            };
            parts.push(match word {
                Word::Text(text) | Word::First(text) => {
                    names::in_pattern(text).ok_or(Reason::Form)?
                }
                Word::Underline | Word::Star => format!("{{{}}}", star()),
                Word::Hash | Word::Caret => format!("[{{{}}}]", star()),
                Word::Unknown => return Err(Reason::Form),
            });
        }
        Ok(("pattern", parts.join(" "), stars))
    }
}

/// The words of a sentence as messages are compared: contractions written out, without punctuation between words.
fn words(text: &str) -> Vec<Word> {
    let text = spelled_out(text);
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '!' | '?'));
    let words = words.map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty());
    words.map(word).collect()
}

fn word(text: &str) -> Word {
    match text {
        "*" => Word::Star,
        "_" => Word::Underline,
        "#" => Word::Hash,
        "^" => Word::Caret,
        text => match text.strip_prefix('$') {
            Some(text) if !text.is_empty() => Word::First(text.to_lowercase()),
            _ => Word::Text(text.to_lowercase()),
        },
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.words.iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            let text = match word {
                Word::Text(text) | Word::First(text) => text.to_uppercase(),
                Word::Underline => "_".into(),
                Word::Hash => "#".into(),
                Word::Caret => "^".into(),
                Word::Star => "*".into(),
                Word::Unknown => "<…>".into(),
            };
            write!(f, "{blank}{text}")?;
        }
        Ok(())
    }
}

/// A text with contractions written out, as interpreters compare it.
pub(super) fn spelled_out(text: &str) -> String {
    if !text.contains(['\'', '’']) {
        return text.to_owned();
    }
    let one = |word: &str| {
        let low = word.to_lowercase().replace('’', "'");
        let bare = low.trim_end_matches(|c: char| !c.is_alphanumeric());
        let tail = &low[bare.len()..];
        let ends =
            [("n't", " not"), ("'re", " are"), ("'m", " am"), ("'ve", " have"), ("'ll", " will")];
        let long = match bare {
            "can't" => "can not".to_owned(),
            "won't" => "will not".to_owned(),
            "what's" | "who's" | "where's" | "that's" | "there's" | "it's" | "he's" | "she's"
            | "how's" => bare.replace("'s", " is"),
            _ => match ends
                .iter()
                .find_map(|(end, long)| bare.strip_suffix(end).map(|stem| (stem, long)))
            {
                Some((stem, long)) => format!("{stem}{long}"),
                None => bare.to_owned(),
            },
        };
        long + tail
    };
    text.split(' ').map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_conditions() {
        for (pattern, key, expected) in [
            ("HELLO", "exact", "hello"),
            ("WHAT IS *", "pattern", "what is {star}"),
            ("_ SAID *", "pattern", "{star} said {star2}"),
            ("^ HELLO #", "pattern", "[{star}] hello [{star2}]"),
            ("$WHO ARE YOU", "exact", "who are you"),
            ("OK, FINE.", "exact", "ok fine"),
            ("DON'T GO *", "pattern", "do not go {star}"),
        ] {
            let (found, value, _) = Sentence::of_text(pattern).condition().expect(pattern);
            assert_eq!((found, value.as_str()), (key, expected));
        }
        assert_eq!(Sentence::of_text(" ").condition().unwrap_err(), Reason::Empty);
    }

    #[test]
    fn contractions_are_written_out() {
        assert_eq!(spelled_out("What's that? I don't."), "what is that? i do not.");
        assert_eq!(spelled_out("a {bot.name}."), "a {bot.name}.");
    }
}
