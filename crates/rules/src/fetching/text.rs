//! A text with names in braces, and with the names of secrets: `${NAME}`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::render::canonical;

use mynah_matching::template::{Template, TemplateError};

/// A text with names and secrets. Which is which is decided here, when the file is read: `${…}` in a value is text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedText(pub(super) Vec<NamedPiece>);

/// A piece of such a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum NamedPiece {
    /// A text with names.
    Text(Template),
    /// The name of a secret.
    Secret(String),
}

impl NamedText {
    /// Reads a text.
    pub(crate) fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut at = 0;
        for secret in secrets(source) {
            if at < secret.start {
                pieces.push(NamedPiece::Text(Template::parse(&source[at..secret.start])?));
            }
            pieces.push(NamedPiece::Secret(source[secret.start + 2..secret.end - 1].to_owned()));
            at = secret.end;
        }
        if at < source.len() {
            pieces.push(NamedPiece::Text(Template::parse(&source[at..])?));
        }
        Ok(Self(pieces))
    }

    /// The fixed text before its first name or secret.
    pub(crate) fn begin(&self) -> &str {
        match self.0.first() {
            Some(NamedPiece::Text(template)) => template.begin(),
            Some(NamedPiece::Secret(_)) | None => "",
        }
    }

    /// The names of its secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            NamedPiece::Secret(name) => Some(name.as_str()),
            NamedPiece::Text(_) => None,
        })
    }
}

/// The same text with a placeholder of the same length for each secret, so that names keep their places.
pub(crate) fn blanked(source: &str) -> String {
    let mut text = source.to_owned();
    for secret in secrets(source) {
        text.replace_range(secret.clone(), &"x".repeat(secret.len()));
    }
    text
}

/// An address in the form in which it is sent; secrets keep their names.
pub(crate) fn canonical_url(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    let mut at = 0;
    for secret in secrets(url) {
        text.push_str(&canonical(&url[at..secret.start]));
        text.push_str(&url[secret.clone()]);
        at = secret.end;
    }
    text + &canonical(&url[at..])
}

/// The places of `${NAME}`.
fn secrets(source: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = source[from..].find("${").map(|at| from + at) {
        from = start + 2;
        let Some(length) = source[from..].find('}') else { break };
        let name = &source[from..from + length];
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
        if name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit()) {
            from += length + 1;
            found.push(start..from);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_from_names_when_the_text_is_read() {
        let text = NamedText::parse("https://a.example/{city}?k=${KEY}&n={n}").unwrap();
        assert_eq!(text.begin(), "https://a.example/");
        assert_eq!(text.secrets().collect::<Vec<_>>(), ["KEY"]);
        let text = NamedText::parse("${A}${B_2}").unwrap();
        assert_eq!(text.secrets().collect::<Vec<_>>(), ["A", "B_2"]);
        assert_eq!(text.begin(), "");
        assert_eq!(blanked("a${KEY}{b}"), "axxxxxx{b}");
        // None of these is the name of a secret.
        for source in ["${", "$ {A}", "${1A}", "${a b", "${城市}"] {
            assert_eq!(blanked(source), source);
        }
    }
}
