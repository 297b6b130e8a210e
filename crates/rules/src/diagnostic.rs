//! Something to say about a rule file, with its place; and how it is shown to people.

use std::fmt::Write as _;
use std::sync::Arc;

use mynah_core::is_unprintable;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use unicode_width::UnicodeWidthChar;

use crate::catalogue::Lang;
use crate::problem::Problem;
use crate::sources::{LineOf, Sources, Spot};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can be used but probably does not do what was meant.
    Warning,
    /// Good to know; shown on request.
    Note,
}

impl Severity {
    /// Its word, the same in every language: tools look for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Error => "\x1b[1;31m",
            Self::Warning => "\x1b[1;33m",
            Self::Note => "\x1b[1;36m",
        }
    }
}

/// One mistake, warning or note.
///
/// As JSON it has the fields `severity`, `code`, `file`, `line`, `column`, `message` and `hint` (null where there is
/// none), with the texts in English; [`Diagnostic::message`] and [`Diagnostic::hint`] give them in either language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of mistake, as listed in the reference: stable, for tools.
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
        let column = characters_before(line, spot.span.start) + 1;
        Self {
            severity: problem.severity(),
            code: problem.code(),
            file: sources.name(spot.file),
            line: line.number,
            column: u32::try_from(column).unwrap_or(u32::MAX),
            spot,
            problem,
        }
    }

    /// Whether it keeps the file from being used.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self, lang: Lang) -> String {
        self.problem.message(&self.file, lang)
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> Option<String> {
        self.problem.hint(lang)
    }

    /// The whole diagnostic for people: place, message, the line, and carets with the hint.
    ///
    /// Ends with a newline. `sources` are those of the same [`Loaded`](crate::Loaded).
    #[must_use]
    pub fn render(&self, sources: &Sources, lang: Lang, color: bool) -> String {
        let paint = Paint { on: color };
        let head = format!("{}[{}]", self.severity.word(), self.code);
        let mut shown = format!(
            "{}:{}:{}: {}: {}\n",
            printable(&self.file),
            self.line,
            self.column,
            paint.with(self.severity.colour(), &head),
            printable(&self.message(lang)),
        );
        let line = sources.line_at(self.spot.file, self.spot.span.start);
        let excerpt = Excerpt::of(line, &self.spot.span);
        let hint = self.hint(lang).map(|hint| format!(" {}", printable(&hint))).unwrap_or_default();
        let carets = paint.with(self.severity.colour(), &"^".repeat(excerpt.carets));
        let blank = " ".repeat(excerpt.before);
        // Writing to a string cannot fail.
        let _ = writeln!(shown, "{:>5} | {}", self.line, excerpt.text);
        let _ = writeln!(shown, "{:>5} | {blank}{carets}{hint}", "");
        shown
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

struct Paint {
    on: bool,
}

impl Paint {
    fn with(&self, colour: &str, text: &str) -> String {
        if self.on { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The most cells of a line that are shown; longer lines are cut around the place.
const WIDEST: usize = 120;

/// How many cells a tab is shown as: it keeps the carets in place whatever the terminal does.
const TAB: usize = 4;

/// A line as it is shown, with the carets below it.
#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    /// Blanks in front of the carets.
    before: usize,
    carets: usize,
}

impl Excerpt {
    fn of(line: LineOf<'_>, span: &std::ops::Range<usize>) -> Self {
        let from = span.start - line.start;
        let to = span.end.saturating_sub(line.start).min(line.text.len());
        let cells_to = |end: usize| -> usize {
            line.text.char_indices().take_while(|(at, _)| *at < end).map(|(_, c)| cells(c)).sum()
        };
        let before = cells_to(from);
        let carets = cells_to(to).saturating_sub(before).max(1);
        let text: String = line.text.chars().map(shown).collect();
        if cells_to(line.text.len()) <= WIDEST {
            return Self { text, before, carets };
        }
        Self::cut(&text, before, carets)
    }

    /// The part of a long line around the place, with `…` where something is left out.
    fn cut(text: &str, before: usize, carets: usize) -> Self {
        let first = before.saturating_sub(WIDEST / 3);
        let mut cut = String::new();
        let mut at = 0;
        let mut skipped = 0;
        for c in text.chars() {
            let width = c.width().unwrap_or(0);
            if at < first {
                skipped = at + width;
            } else if at < first + WIDEST {
                cut.push(c);
            }
            at += width;
        }
        let head = if skipped > 0 { "…" } else { "" };
        let tail = if at > first + WIDEST { "…" } else { "" };
        let before = before - skipped + usize::from(skipped > 0);
        Self { text: format!("{head}{cut}{tail}"), before, carets: carets.min(WIDEST - WIDEST / 3) }
    }
}

/// The cells that a character of a source line takes when shown.
fn cells(c: char) -> usize {
    match c {
        '\t' => TAB,
        c if is_unprintable(c) => 1,
        c => c.width().unwrap_or(0),
    }
}

/// A character of a source line as shown: tabs as blanks, nothing that moves a terminal's cursor.
fn shown(c: char) -> String {
    match c {
        '\t' => " ".repeat(TAB),
        c if is_unprintable(c) => "\u{fffd}".to_owned(),
        c => c.to_string(),
    }
}

/// So many characters of a message are shown: a text of the file in it may be of any length.
const MOST_WORDS: usize = 500;

/// A text on one line and without control characters: names in it come from the file.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MOST_WORDS));
    for (n, c) in text.chars().enumerate() {
        if n == MOST_WORDS {
            shown.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => shown.extend(c.escape_default()),
            c if is_unprintable(c) => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

fn characters_before(line: LineOf<'_>, at: usize) -> usize {
    line.text.char_indices().take_while(|(place, _)| line.start + place < at).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, part: &str) -> Excerpt {
        let at = text.find(part).expect("a part");
        Excerpt::of(LineOf { number: 1, text, start: 100 }, &(100 + at..100 + at + part.len()))
    }

    #[test]
    fn carets_stand_below_what_they_point_at() {
        for (text, part, before, carets) in [
            ("reply = x", "x", 8, 1),
            ("价格 = x", "x", 7, 1),
            ("a = \"价格\"", "价格", 5, 4),
            ("\tx", "x", 4, 1),
            ("a\u{1b}x", "x", 2, 1),
            ("e\u{301}x", "x", 1, 1),
        ] {
            let excerpt = excerpt(text, part);
            assert_eq!((excerpt.before, excerpt.carets), (before, carets), "{text:?}");
        }
        for hostile in ['\u{1b}', '\u{9b}', '\u{202e}', '\u{200f}', '\u{2067}'] {
            let line = format!("a{hostile}[31mx");
            let shown = excerpt(&line, "x");
            assert!(!shown.text.contains(hostile), "{:?}", shown.text);
            assert_eq!(shown.text.chars().count(), line.chars().count());
            assert!(!printable(&line).contains(hostile));
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}天气{}", "价".repeat(200), "a".repeat(300));
        let excerpt = excerpt(&text, "天气");
        let cells = |text: &str| -> usize { text.chars().map(cells).sum() };
        let before: String = excerpt.text.chars().take_while(|c| *c != '天').collect();
        assert_eq!(cells(&before), excerpt.before);
        assert_eq!(excerpt.carets, 4);
        assert!(excerpt.text.starts_with('…') && excerpt.text.ends_with('…'));
        assert!(cells(&excerpt.text) <= WIDEST + 3);
    }
}
