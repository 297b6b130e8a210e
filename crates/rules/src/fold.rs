//! Texts made comparable: for matching only, never for what people get to see.
//!
//! [`Folding::fold`] gives the folded text at once and the way back to the original characters only when asked
//! ([`Folded::original`]): most messages match nothing, and most matches capture nothing.

mod case;
mod hant;
mod segment;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use case::fold_case;
pub(crate) use segment::fold_width;

/// How texts are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Folding {
    form: Form,
    /// Traditional characters become simplified ones.
    hant: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    /// NFKC, case folded, white space as single spaces.
    Full,
    /// The same, but upper and lower case stay different.
    KeepCase,
    /// Full and half width become one; case and white space stay. For regexes.
    Width,
}

impl Folding {
    /// The folding for regexes: width only.
    pub(crate) const WIDTH: Self = Self { form: Form::Width, hant: false };

    /// The folding for everything but regexes.
    pub(crate) fn new(case: bool, hant: bool) -> Self {
        Self { form: if case { Form::KeepCase } else { Form::Full }, hant }
    }

    /// Whether upper and lower case stay different.
    pub(crate) fn keeps_case(self) -> bool {
        self.form != Form::Full
    }

    /// Folds a text. Borrows it where nothing changes.
    pub(crate) fn fold(self, original: &str) -> Folded<'_> {
        let unchanged = self.unchanged_length(original);
        if unchanged == original.len() {
            return Folded { original, text: Cow::Borrowed(original), how: self, same_bytes: true };
        }
        let mut text = String::with_capacity(original.len() + 8);
        text.push_str(&original[..unchanged]);
        let mut same_bytes = true;
        self.walk(original, unchanged, &mut |c, range: Range<usize>| {
            same_bytes &= text.len() == range.start && c.len_utf8() == range.len();
            text.push(c);
        });
        same_bytes &= text.len() == original.len();
        Folded { original, text: Cow::Owned(text), how: self, same_bytes }
    }

    /// How many bytes at the beginning certainly stay as they are. Ends at the border of a segment.
    fn unchanged_length(self, text: &str) -> usize {
        let mut previous = ' ';
        let mut last = 0;
        for (at, c) in text.char_indices() {
            if !self.keeps(previous, c) {
                // The last character may combine with a mark behind it.
                return last;
            }
            (previous, last) = (c, at);
        }
        text.len()
    }

    /// Whether `c` stays as it is, for characters of which that is known at a glance.
    fn keeps(self, previous: char, c: char) -> bool {
        match c {
            '\u{4e00}'..='\u{9fff}' => !self.hant,
            _ if self.form == Form::Width => c.is_ascii(),
            ' ' => previous != ' ',
            'A'..='Z' => self.form == Form::KeepCase,
            _ => c.is_ascii_graphic(),
        }
    }

    /// Gives every folded character with the bytes of the original that it came from, in order.
    fn walk(self, original: &str, from: usize, emit: &mut impl FnMut(char, Range<usize>)) {
        match self.form {
            Form::Width => segment::walk_width(original, from, emit),
            Form::Full | Form::KeepCase => {
                let keep_case = self.form == Form::KeepCase;
                let mut after_space = original[..from].ends_with(' ');
                segment::walk_compatible(original, from, &mut |c, range| {
                    let space = c.is_whitespace();
                    if !(space && after_space) {
                        let c = if space { ' ' } else { self.fold_character(c, keep_case) };
                        emit(c, range);
                    }
                    after_space = space;
                });
            }
        }
    }

    fn fold_character(self, c: char, keep_case: bool) -> char {
        let c = if keep_case { c } else { fold_case(c) };
        if self.hant { hant::simplify(c) } else { c }
    }
}

/// The text folded without case, each character by itself; `None` where that is what [`Folding::fold`] gives.
///
/// It differs where marks combine with letters: a regex sees them apart.
pub(crate) fn fold_each(text: &str, hant: bool) -> Option<String> {
    if text.is_ascii() || text.chars().all(segment::begins_segment) {
        return None;
    }
    let folding = Folding::new(false, hant);
    let mut each = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        for folded in folding.fold(c.encode_utf8(&mut buffer)).text().chars() {
            if !(folded == ' ' && each.ends_with(' ')) {
                each.push(folded);
            }
        }
    }
    Some(each)
}

/// A folded text that knows what it came from.
#[derive(Debug, Clone)]
pub(crate) struct Folded<'t> {
    original: &'t str,
    text: Cow<'t, str>,
    how: Folding,
    /// Every folded character lies at the same bytes as its original.
    same_bytes: bool,
}

impl<'t> Folded<'t> {
    /// The folded text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The folded text on its own.
    pub(crate) fn into_text(self) -> String {
        self.text.into_owned()
    }

    /// The smallest run of original characters whose folding covers these bytes of the folded text.
    pub(crate) fn original(&self, range: Range<usize>) -> &'t str {
        if self.same_bytes {
            return &self.original[range];
        }
        if range.is_empty() {
            return "";
        }
        let (mut start, mut end) = (None, 0);
        let mut at = 0;
        self.how.walk(self.original, 0, &mut |c, from: Range<usize>| {
            let here = at..at + c.len_utf8();
            at = here.end;
            if here.start < range.end && range.start < here.end {
                start = Some(start.unwrap_or(from.start).min(from.start));
                end = end.max(from.end);
            }
        });
        start.map_or("", |start| &self.original[start..end])
    }
}

#[cfg(test)]
mod tests;
