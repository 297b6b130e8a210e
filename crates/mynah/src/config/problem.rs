//! Mistakes in `mynah.toml`, shown with place, line, caret and hint as those of rule files are.

use std::fmt::Write;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use mynah_core::is_unprintable;
use unicode_width::UnicodeWidthStr;

/// Everything that is wrong with a file.
#[derive(Debug)]
pub(crate) struct Problems {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) list: Vec<Problem>,
}

/// One mistake.
#[derive(Debug)]
pub(super) struct Problem {
    /// What kind of mistake, in one stable word.
    pub(super) code: &'static str,
    /// Where, in bytes.
    pub(super) span: Range<usize>,
    /// What was found.
    pub(super) message: String,
    /// What to write.
    pub(super) hint: String,
}

impl Problems {
    /// A file that cannot be read at all.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let hint = "name another file with --config".to_owned();
        let message = format!("this file cannot be read: {error}");
        let list = vec![Problem { code: "file", span: 0..0, message, hint }];
        Self { path: path.to_owned(), text: String::new(), list }
    }

    /// All of them for people, in the order of their places.
    pub(crate) fn render(&self, colours: bool) -> String {
        let mut list: Vec<&Problem> = self.list.iter().collect();
        list.sort_by_key(|problem| problem.span.start);
        list.into_iter().map(|problem| self.render_one(problem, colours)).collect()
    }

    fn render_one(&self, problem: &Problem, colours: bool) -> String {
        let (red, off) = if colours { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let Problem { code, message, hint, span } = problem;
        let spot = Spot::of(&self.text, span);
        let mut shown = format!(
            "{}:{}:{}: {red}error[{code}]{off}: {}\n",
            self.path.display(),
            spot.line,
            spot.column,
            printable(message)
        );
        let (before, under) = (" ".repeat(spot.before), "^".repeat(spot.width));
        let source = if spot.source.trim().is_empty() {
            writeln!(shown, "      | {hint}")
        } else {
            let number = spot.line;
            writeln!(
                shown,
                "{number:>5} | {}\n      | {before}{red}{under}{off} {hint}",
                spot.source
            )
        };
        source.expect("writing to a string cannot fail");
        shown
    }
}

/// A span as people see it.
struct Spot {
    /// The line, from 1.
    line: usize,
    /// The column in characters, from 1.
    column: usize,
    /// The text of the line, with tabs as spaces.
    source: String,
    /// Cells before the carets.
    before: usize,
    /// Cells to underline.
    width: usize,
}

impl Spot {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let start = floor(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[line_start..];
        let whole = rest.split(['\n', '\r']).next().unwrap_or_default();
        let end =
            floor(text, span.end).clamp(start, line_start + whole.len().max(start - line_start));
        let (before, marked) = (&text[line_start..start], &text[start..end]);
        Self {
            line: text[..start].matches('\n').count() + 1,
            column: before.chars().count() + 1,
            source: printable(&whole.replace('\t', " ")),
            before: before.replace('\t', " ").width(),
            width: marked.width().max(1),
        }
    }
}

/// A text on one line, with a sign in place of each character that drives a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { '\u{fffd}' } else { c }).collect()
}

/// The nearest border of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
