//! A text with its folded forms.

use std::cell::OnceCell;

use crate::fold::{Again, Folded, Folding};
use crate::keyword::Traces;

/// A text is matched on its first characters only.
pub const MAX_CHARACTERS: usize = 20_000;

/// A text with its folded forms, each made once and only when a condition asks for it.
#[derive(Debug)]
pub struct Text<'t> {
    text: &'t str,
    hant: bool,
    full: OnceCell<Folded<'t>>,
    keep_case: OnceCell<Folded<'t>>,
    width: OnceCell<Folded<'t>>,
    /// Of the two foldings for everything but regexes.
    traces: [OnceCell<Traces>; 2],
}

impl<'t> Text<'t> {
    /// The first [`MAX_CHARACTERS`] of a text; with `hant`, traditional characters compare as simplified ones.
    #[must_use]
    #[inline]
    pub fn new(text: &'t str, hant: bool) -> Self {
        Self {
            text: first_characters(text),
            hant,
            full: OnceCell::new(),
            keep_case: OnceCell::new(),
            width: OnceCell::new(),
            traces: [OnceCell::new(), OnceCell::new()],
        }
    }

    /// The characters as written.
    #[must_use]
    pub fn as_str(&self) -> &'t str {
        self.text
    }

    /// Whether traditional characters compare as simplified ones.
    #[must_use]
    pub fn hant(&self) -> bool {
        self.hant
    }

    /// The text in a folding for everything but regexes.
    #[inline]
    pub fn folded(&self, folding: Folding) -> &Folded<'t> {
        if folding.keeps_case() {
            self.again(folding, &self.keep_case)
        } else {
            self.full.get_or_init(|| folding.fold_both(self.text, &self.keep_case))
        }
    }

    /// The text as regexes see it.
    pub fn width(&self) -> &Folded<'t> {
        self.again(Folding::WIDTH, &self.width)
    }

    /// The text in a second folding: most texts are the same in all foldings, and the index needs the one without case.
    fn again<'a>(&'a self, folding: Folding, cell: &'a OnceCell<Folded<'t>>) -> &'a Folded<'t> {
        if let Some(known) = cell.get() {
            return known;
        }
        match self.full.get().map(|full| full.again(folding)) {
            Some(Again::Same(full)) => full,
            Some(Again::Other(other)) => cell.get_or_init(|| other),
            None => cell.get_or_init(|| folding.fold(self.text)),
        }
    }

    /// The runs of bytes in a folded form; only asked for by conditions with many items.
    pub fn traces(&self, folding: Folding) -> &Traces {
        let cell = &self.traces[usize::from(folding.keeps_case())];
        cell.get_or_init(|| Traces::of(self.folded(folding).text()))
    }
}

#[inline]
fn first_characters(text: &str) -> &str {
    if text.len() <= MAX_CHARACTERS { text } else { cut(text) }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}
