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

/// The place of the first secret inside of the braces of a name. The value of a secret is not known when names get theirs, so
/// a secret cannot be a part of one.
pub(crate) fn secret_in_braces(source: &str) -> Option<Range<usize>> {
    let mut secrets = secrets(source).into_iter().peekable();
    let bytes = source.as_bytes();
    let (mut at, mut depth, mut inner) = (0, 0_usize, None);
    while let Some(byte) = bytes.get(at) {
        if let Some(secret) = secrets.next_if(|secret| secret.start == at) {
            at = secret.end;
            if depth > 0 {
                inner.get_or_insert(secret);
            }
            continue;
        }
        let is_doubled = bytes.get(at + 1) == Some(byte);
        at += 1;
        match byte {
            b'{' if is_doubled => at += 1,
            b'}' if is_doubled && depth == 0 => at += 1,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && inner.is_some() {
                    return inner;
                }
            }
            _ => {}
        }
    }
    None
}

/// The place of the first `%` of the author that two hex digits do not follow. Percent-encoded text of a person behind it
/// would become another character: `%{k}` with the value `2fx`.
pub(crate) fn bare_percent(source: &str) -> Option<usize> {
    let plain = blanked(source);
    let mut bytes = plain.clone().into_bytes();
    if let Ok(template) = Template::parse(&plain) {
        // The items of a random choice are values, and percent-encoded.
        template.names().for_each(|name| bytes[name.span].fill(b' '));
    }
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_bare = |at: &usize| bytes[*at] == b'%' && !(is_hex(at + 1) && is_hex(at + 2));
    (0..bytes.len()).find(is_bare)
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

    #[test]
    fn a_secret_inside_of_a_name_is_found() {
        for (source, secret) in [
            ("Bearer {user.k|${SEC}}", "${SEC}"),
            ("{random:a|${HOME}}", "${HOME}"),
            ("{a}{${A}|b}", "${A}"),
            ("{upper:${A}}", "${A}"),
            ("{a|{${A}}}", "${A}"),
            ("{a|{{x ${A}}", "${A}"),
            ("{{ {a| ${A} ${B}}", "${A}"),
        ] {
            let found = secret_in_braces(source).map(|place| &source[place]);
            assert_eq!(found, Some(secret), "{source}");
            assert!(NamedText::parse(source).is_err(), "{source}");
        }
        for source in
            ["{a}${A}{b|c}", "{{${A}}}", "{a|{{x}${A}", "{{a| ${A}}}", "${A}${B}", "{a|{b}}${A}"]
        {
            assert_eq!(secret_in_braces(source), None, "{source}");
            assert!(NamedText::parse(source).is_ok(), "{source}");
        }
    }

    #[test]
    fn a_percent_sign_of_the_author_needs_two_hex_digits() {
        for (source, at) in [
            ("http://h/%{k}", Some(9)),
            ("/%zz", Some(1)),
            ("/%2", Some(1)),
            ("/%2{k}", Some(1)),
            ("/%25%", Some(4)),
            ("/%${AB}", Some(1)),
            ("/{k|5%}", Some(5)),
            ("/%2f{k}%C3", None),
            ("/{random:1%|2%}", None),
        ] {
            assert_eq!(bare_percent(source), at, "{source}");
        }
    }
}
