//! Something to say about a rule file, with its place; and how it is shown to people.

use std::sync::Arc;

use mynah_reader::{Finding, Lang, Severity};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::problem::Problem;
use crate::sources::{Sources, Spot};

/// One mistake, warning or note.
///
/// As JSON it has the fields `severity`, `code`, `file`, `line`, `column`, `message` and `hint` (null where there is
/// none), with the texts in English; [`Diagnostic::message`] and [`Diagnostic::hint`] give them in either language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The code of the mistake, as listed in the reference: stable, for tools.
    pub code: &'static str,
    /// The file, relative to the folder of the main file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    spot: Spot,
    problem: Problem,
}

impl Diagnostic {
    pub(crate) fn new(problem: Problem, spot: Spot, sources: &Sources) -> Self {
        let line = sources.line_at(spot.file, spot.span.start);
        Self {
            severity: problem.severity(),
            code: problem.code(),
            file: sources.name(spot.file),
            line: line.number,
            column: line.column(spot.span.start),
            spot,
            problem,
        }
    }

    /// Whether it keeps the file from being used.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The mistake, without its place.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        self.problem.message(&self.file, lang)
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> Option<String> {
        self.problem.hint(lang)
    }

    /// The whole diagnostic for people: place, message, the line, and carets with the hint.
    ///
    /// Ends with a newline. `sources` are those of the same [`Loaded`](crate::Loaded).
    #[must_use]
    pub fn render(&self, sources: &Sources, lang: Lang, color: bool) -> String {
        let finding = Finding {
            severity: self.severity,
            code: self.code,
            file: &self.file,
            line: sources.line_at(self.spot.file, self.spot.span.start),
            span: self.spot.span.clone(),
            message: self.message(lang),
            hint: self.hint(lang),
        };
        finding.render(color)
    }
}

impl Serialize for Diagnostic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Diagnostic", 7)?;
        fields.serialize_field("severity", &self.severity)?;
        fields.serialize_field("code", self.code)?;
        fields.serialize_field("file", &*self.file)?;
        fields.serialize_field("line", &self.line)?;
        fields.serialize_field("column", &self.column)?;
        fields.serialize_field("message", &self.message(Lang::En))?;
        fields.serialize_field("hint", &self.hint(Lang::En))?;
        fields.end()
    }
}
