//! Texts made comparable: for matching only, never for display.
//!
//! [`Folding::fold`] gives the folded text at once and the way back to the original characters only when asked
//! ([`Folded::original`]): most texts match nothing, and most matches capture nothing.

mod blanks;
mod case;
mod hant;
mod marks;
mod quick;
mod reused;
mod segment;
mod signs;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use blanks::Blanks;
use reused::{Reused, Written};

pub use case::{fold_case, is_caseless};
pub use segment::fold_width;

/// How texts are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Folding {
    form: Form,
    /// Traditional characters become simplified ones.
    hant: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    /// NFKC, case folded, plain quotation marks and dashes, white space as single spaces or nothing (see `blanks`).
    Full,
    /// The same, but upper and lower case stay different.
    KeepCase,
    /// Full and half width become one; case and white space stay. For regexes.
    Width,
}

impl Folding {
    /// The folding for regexes: width only.
    pub const WIDTH: Self = Self { form: Form::Width, hant: false };

    /// The folding for everything but regexes.
    pub fn new(case: bool, hant: bool) -> Self {
        Self { form: if case { Form::KeepCase } else { Form::Full }, hant }
    }

    /// Whether upper and lower case stay different.
    pub fn keeps_case(self) -> bool {
        self.form != Form::Full
    }

    /// Whether traditional characters become simplified ones.
    pub(crate) fn is_hant(self) -> bool {
        self.hant
    }

    /// Folds a text. Borrows it where nothing changes.
    pub fn fold(self, original: &str) -> Folded<'_> {
        quick::fold(self, original, None)
    }

    /// Folds a text without case; `with_case` gets the text folded with it, where that is hardly more work.
    pub(crate) fn fold_both<'t>(
        self,
        original: &'t str,
        with_case: &OnceCell<Folded<'t>>,
    ) -> Folded<'t> {
        quick::fold(self, original, Some(with_case))
    }

    fn fold_slowly(self, original: &str) -> Folded<'_> {
        let mut text = String::with_capacity(original.len() + 8);
        let mut same_until = None;
        self.walk(original, &mut |c, range: Range<usize>| {
            if text.len() != range.start || c.len_utf8() != range.len() {
                same_until = same_until.or(Some(text.len()));
            }
            text.push(c);
        });
        let same_until = same_until.unwrap_or(text.len());
        Folded {
            original,
            text: Written::Own(Reused(text)),
            how: self,
            same_until,
            idle_blanks: OnceCell::new(),
            others: None,
        }
    }

    /// Where in the folded text blanks stood that do not count, in order.
    fn idle_blanks(self, original: &str) -> Box<[usize]> {
        let (mut idle_blanks, mut end, mut length) = (Vec::new(), 0, 0);
        let mut ends_in_space = false;
        self.walk(original, &mut |c, range: Range<usize>| {
            let between = original.get(end..range.start).unwrap_or_default();
            if !ends_in_space && between.contains(char::is_whitespace) && self.form != Form::Width {
                idle_blanks.push(length);
            }
            end = range.end.max(end);
            length += c.len_utf8();
            ends_in_space = c == ' ';
        });
        idle_blanks.into()
    }

    /// The result for a text that this folding does not change.
    fn unchanged(self, original: &str) -> Folded<'_> {
        Folded {
            original,
            text: Written::Original(original),
            how: self,
            same_until: original.len(),
            idle_blanks: none(),
            others: None,
        }
    }

    /// Gives every folded character with the bytes of the original that it came from, in order.
    fn walk(self, original: &str, emit: &mut impl FnMut(char, Range<usize>)) {
        match self.form {
            Form::Width => segment::walk_width(original, emit),
            Form::Full | Form::KeepCase => {
                let mut blanks = Blanks::default();
                segment::walk_compatible(original, &mut |c, range| {
                    blanks.push(self.fold_character(c), range, emit);
                });
                blanks.finish(emit);
            }
        }
    }

    fn fold_character(self, c: char) -> char {
        let c = signs::plain(c).unwrap_or(c);
        let c = if self.form == Form::KeepCase { c } else { fold_case(c) };
        if self.hant { hant::simplify(c) } else { c }
    }
}

/// No blank.
fn none() -> OnceCell<Box<[usize]>> {
    Box::<[usize]>::default().into()
}

/// The text folded without case, each character by itself; `None` where it equals the result of [`Folding::fold`].
///
/// It differs where marks combine with letters: a regex sees them apart.
pub fn fold_each(text: &str, hant: bool) -> Option<String> {
    if text.is_ascii() || text.chars().all(segment::begins_segment) {
        return None;
    }
    let folding = Folding::new(false, hant);
    let mut each = String::with_capacity(text.len());
    let mut blanks = Blanks::default();
    let mut buffer = [0; 4];
    let mut push = |c, _| each.push(c);
    for c in text.chars() {
        if blanks::is_line_break(c) {
            blanks.push(c, 0..0, &mut push);
            continue;
        }
        for folded in folding.fold(c.encode_utf8(&mut buffer)).text().chars() {
            blanks.push(folded, 0..0, &mut push);
        }
    }
    blanks.finish(&mut push);
    Some(each)
}

/// A folded text with the way back to its original.
#[derive(Debug, Clone)]
pub struct Folded<'t> {
    original: &'t str,
    text: Written<'t>,
    how: Folding,
    /// Every folded character before this byte is at the same bytes as its original.
    same_until: usize,
    /// Where in the folded text blanks stood that do not count, in order; found when first asked for.
    idle_blanks: OnceCell<Box<[usize]>>,
    /// What the other foldings give; only known of a text whose characters do not combine with one another.
    others: Option<Others>,
}

/// What the other foldings make of a text that was folded without case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Others {
    keep_case: Other,
    width: Other,
}

/// The result of another folding of the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Other {
    /// Whether it is the same folded text.
    is_same: bool,
    /// Whether it is the original.
    is_original: bool,
}

impl Other {
    /// Takes another change into account: whether this folding makes the same of it, and whether it leaves the original.
    fn note(&mut self, is_same: bool, is_original: bool) {
        self.is_same &= is_same;
        self.is_original &= is_original;
    }
}

/// A second folding of a text, without doing it where the first one has the result.
#[derive(Debug)]
pub enum Again<'f, 't> {
    /// The result of the first folding is also that of the second.
    Same(&'f Folded<'t>),
    /// The result of the second.
    Other(Folded<'t>),
}

impl<'t> Folded<'t> {
    /// The folded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a blank stood at a place of the folded text that does not count there: nothing was put in its place.
    pub fn has_idle_blank(&self, at: usize) -> bool {
        let places = self.idle_blanks.get_or_init(|| self.how.idle_blanks(self.original));
        places.binary_search(&at).is_ok()
    }

    /// Whether it is certain that no character combines with another.
    pub fn is_plain(&self) -> bool {
        self.others.is_some()
    }

    /// The same text in another folding: this must be the folding without case, with the same `hant`.
    pub fn again(&self, how: Folding) -> Again<'_, 't> {
        debug_assert_eq!(
            self.how.form,
            Form::Full,
            "other foldings do not know what the first one gives"
        );
        let others = self.others.map(|others| match how.form {
            Form::Full => Other { is_same: true, is_original: false },
            Form::KeepCase => others.keep_case,
            Form::Width => others.width,
        });
        match others {
            Some(Other { is_same: true, .. }) => Again::Same(self),
            Some(Other { is_original: true, .. }) => Again::Other(how.unchanged(self.original)),
            _ => Again::Other(how.fold(self.original)),
        }
    }

    /// The folded text on its own.
    pub fn into_text(self) -> String {
        self.text.into_cow().into_owned()
    }

    /// The folded text on its own, borrowed where nothing changed.
    pub fn into_cow(self) -> Cow<'t, str> {
        self.text.into_cow()
    }

    /// The smallest run of original characters whose folding covers these bytes of the folded text.
    pub fn original(&self, range: Range<usize>) -> &'t str {
        if range.end <= self.same_until {
            return &self.original[range];
        }
        if range.is_empty() {
            return "";
        }
        let (mut start, mut end) = (None, 0);
        let mut at = 0;
        // The way through the width alone is the quickest.
        let is_width = self.others.is_some_and(|others| others.width.is_same);
        let how = if is_width { Folding::WIDTH } else { self.how };
        how.walk(self.original, &mut |c, from: Range<usize>| {
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
