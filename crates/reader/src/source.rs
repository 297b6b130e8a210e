//! The text of a file, line by line.

use std::sync::Arc;

/// The text of a file that knows where its lines begin.
#[derive(Debug, Clone)]
pub struct SourceText {
    text: Arc<str>,
    /// Where lines begin, in bytes.
    lines: Vec<usize>,
}

/// A line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'s> {
    /// Its number, from 1.
    pub number: u32,
    /// Its text without the line end.
    pub text: &'s str,
    /// Where it begins, in bytes of the file.
    pub start: usize,
}

impl SourceText {
    /// Finds the lines of a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self { text: text.into(), lines }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// A line by its number, from 1.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<Line<'_>> {
        self.line_of(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The line that contains a byte.
    #[must_use]
    pub fn line_at(&self, at: usize) -> Line<'_> {
        let index = self.lines.partition_point(|start| *start <= at).saturating_sub(1);
        self.line_of(index).unwrap_or(Line { number: 1, text: "", start: 0 })
    }

    /// A line, counted from 0.
    fn line_of(&self, index: usize) -> Option<Line<'_>> {
        let start = *self.lines.get(index)?;
        let end = self.lines.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        Some(Line { number, text: self.text[start..end].trim_end_matches('\r'), start })
    }
}

impl Line<'_> {
    /// The column in characters, from 1, of a byte of the file.
    #[must_use]
    pub fn column(&self, at: usize) -> u32 {
        let before = self.text.ceil_char_boundary(at.saturating_sub(self.start));
        u32::try_from(self.text[..before].chars().count() + 1).unwrap_or(u32::MAX)
    }
}

/// The nearest place at or before `at` where a character begins.
#[must_use]
pub fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}
