//! The one error type of the command line: the failed operation, the reason, the remedy, and the exit status.

use std::error::Error;
use std::fmt;
use std::io::Write;

use mynah_core::{StoreError, is_unprintable};

use crate::Ended;

/// The failure of a command, for a person.
pub struct Report {
    ended: Ended,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Report {
    /// A command failed because of `what`: a full phrase that names the failed operation and its object.
    #[must_use]
    pub fn new(ended: Ended, what: impl Into<String>) -> Self {
        Self { ended, what: what.into(), hint: None, source: None }
    }

    /// A store failed to do `what`.
    pub(crate) fn of_store(what: &str, error: StoreError) -> Self {
        if let StoreError::Unsupported { instead } = error {
            return Self::new(Ended::No, format!("failed to {what}: {instead}"));
        }
        let hint = error.remedy();
        Self::new(Ended::Storage, format!("failed to {what}")).because(error).hint(hint)
    }

    /// The cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// How the command ended.
    #[must_use]
    pub fn ended(&self) -> Ended {
        self.ended
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of files are texts from outside.
        f.write_str(&printable(&self.what))?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {}", printable(&error.to_string()))?;
            cause = error.source();
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", printable(hint)),
            None => Ok(()),
        }
    }
}

// `main` prints this when it returns the error, so it is written for people.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Report {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// The text without a character that drives a terminal; line ends stay.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push(c),
            c if is_unprintable(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

/// Prints a failure where people look for it.
pub(crate) fn print(report: &Report) {
    say(&format!("error: {report}\n"));
}

/// Says something on standard error, in one piece.
pub(crate) fn say(text: &str) {
    // Without a standard error the message is lost.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_with_escapes_of_a_terminal_is_shown_and_not_obeyed() {
        let report = Report::new(Ended::Usage, "\x1b[2Ja\u{9b}2J\u{202e} does not exist")
            .because(std::io::Error::other("a\rb"))
            .hint("did you mean \x07?");
        let expected =
            "\\u{1b}[2Ja\\u{9b}2J\\u{202e} does not exist: a\\rb\n  hint: did you mean \\u{7}?";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn a_report_tells_the_chain_and_the_hint() {
        let report = Report::new(Ended::Storage, "failed to open data")
            .because(std::io::Error::other("no room"))
            .hint("free some room");
        assert_eq!(report.to_string(), "failed to open data: no room\n  hint: free some room");
    }
}
