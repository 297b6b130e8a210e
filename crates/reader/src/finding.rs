//! A mistake as people see it: place, message, the line, and carets with the hint.

use std::fmt::Write as _;
use std::ops::Range;

use mynah_core::is_unprintable;
use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use crate::Line;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can be used but probably does not do the intended thing.
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

/// Something to say about a place in a file, ready to be shown.
#[derive(Debug)]
pub struct Finding<'a> {
    /// How bad it is.
    pub severity: Severity,
    /// The code of the mistake: stable, for tools.
    pub code: &'a str,
    /// The name of the file.
    pub file: &'a str,
    /// The line on which the place begins.
    pub line: Line<'a>,
    /// The place, in bytes of the file.
    pub span: Range<usize>,
    /// The mistake.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
}

impl Finding<'_> {
    /// The whole finding for people. Ends with a newline.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let paint = Paint { on: color };
        let head = format!("{}[{}]", self.severity.word(), self.code);
        let mut shown = format!(
            "{}:{}:{}: {}: {}\n",
            printable(self.file),
            self.line.number,
            self.line.column(self.span.start),
            paint.with(self.severity.colour(), &head),
            printable(&self.message),
        );
        let excerpt = Excerpt::of(self.line, &self.span);
        let hint =
            self.hint.as_ref().map(|hint| format!(" {}", printable(hint))).unwrap_or_default();
        let carets = paint.with(self.severity.colour(), &"^".repeat(excerpt.carets));
        let blank = " ".repeat(excerpt.before);
        // Writing to a string cannot fail.
        let _ = writeln!(shown, "{:>5} | {}", self.line.number, excerpt.text);
        let _ = writeln!(shown, "{:>5} | {blank}{carets}{hint}", "");
        shown
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

/// The number of cells of a tab: it keeps the carets in place on every terminal.
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
    fn of(line: Line<'_>, span: &Range<usize>) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, part: &str) -> Excerpt {
        let at = text.find(part).expect("a part");
        Excerpt::of(Line { number: 1, text, start: 100 }, &(100 + at..100 + at + part.len()))
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
