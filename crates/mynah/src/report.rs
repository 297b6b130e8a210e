//! The one error type of the command line: what failed, why, what to do, and the exit status.

use std::error::Error;
use std::fmt;
use std::io::Write;

use crate::Ended;

/// Why a command failed, told to a person.
pub struct Report {
    ended: Ended,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Report {
    /// A command ended like this because of `what`: a full phrase that says what failed, on what.
    #[must_use]
    pub fn new(ended: Ended, what: impl Into<String>) -> Self {
        Self { ended, what: what.into(), hint: None, source: None }
    }

    /// The cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What to do about it.
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
        f.write_str(&self.what)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

// What `main` prints when it returns this, so it is written for people.
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

/// Prints a failure where people look for it.
pub(crate) fn print(report: &Report) {
    say(&format!("error: {report}\n"));
}

/// Says something on standard error, in one piece.
pub(crate) fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_the_chain_and_the_hint() {
        let report = Report::new(Ended::Storage, "failed to open data")
            .because(std::io::Error::other("no room"))
            .hint("free some room");
        assert_eq!(report.to_string(), "failed to open data: no room\n  hint: free some room");
    }
}
