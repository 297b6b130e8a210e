//! A text with its folded forms.

use std::cell::OnceCell;

use crate::fold::{Folded, Folding};
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
        let cell = if folding.keeps_case() { &self.keep_case } else { &self.full };
        cell.get_or_init(|| folding.fold(self.text))
    }

    /// The text as regexes see it.
    pub fn width(&self) -> &Folded<'t> {
        self.width.get_or_init(|| {
            let known = self.full.get().and_then(Folded::as_width);
            known.unwrap_or_else(|| Folding::WIDTH.fold(self.text))
        })
    }

    /// The runs of bytes in a folded form; only asked for by conditions with many items.
    pub fn traces(&self, folding: Folding) -> &Traces {
        let cell = &self.traces[usize::from(folding.keeps_case())];
        cell.get_or_init(|| Traces::of(self.folded(folding).text()))
    }
}

fn first_characters(text: &str) -> &str {
    if text.len() <= MAX_CHARACTERS {
        return text;
    }
    text.char_indices().nth(MAX_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}
