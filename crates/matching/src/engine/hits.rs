//! Which literals stand in a text, and where.

use std::cell::RefCell;

use super::injected::{Mistake, injected};
use super::wanted::Anchor;
use crate::keyword::is_word;
use crate::punctuation::is_final;

/// The anchors that an occurrence fulfils, or several of the same literal together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Anchors(u8);

impl Anchors {
    /// Adds one.
    pub(super) fn with(self, anchor: Anchor) -> Self {
        Self(self.0 | 1 << anchor as u8)
    }

    /// Whether that one is fulfilled.
    pub(super) fn have(self, anchor: Anchor) -> bool {
        self.0 & 1 << anchor as u8 != 0
    }

    fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// A folded text that is searched: it has no two spaces in a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Searched<'t>(pub(super) &'t str);

impl Searched<'_> {
    /// All anchors of an occurrence there.
    pub(super) fn anchors(&self, start: usize, end: usize) -> Anchors {
        let fulfilled = Anchor::ALL.into_iter().filter(|anchor| self.fulfils(*anchor, start, end));
        fulfilled.fold(Anchors::default(), Anchors::with)
    }

    /// Whether an occurrence there fulfils an anchor.
    pub(super) fn fulfils(&self, anchor: Anchor, start: usize, end: usize) -> bool {
        match anchor {
            Anchor::Anywhere => true,
            Anchor::Begin => self.begins(start),
            Anchor::End => self.ends(end),
            Anchor::Whole => self.begins(start) && self.ends(end),
            Anchor::Word => !goes_on(self.0, start) && !goes_on(self.0, end),
            Anchor::WordBegin => !goes_on(self.0, start),
            Anchor::WordEnd => !goes_on(self.0, end),
        }
    }

    /// Literals have no spaces around them, texts and items may.
    fn begins(&self, start: usize) -> bool {
        let skips_space = self.0.starts_with(' ') && !injected(Mistake::SpacesForgotten);
        start == 0 || (start == 1 && skips_space)
    }

    fn ends(&self, end: usize) -> bool {
        let (literal, rest) = self.0.split_at(end);
        // Final punctuation is ignored unless the item ends in some.
        let is_ignored = || {
            rest.chars().all(is_final)
                && !literal.ends_with(is_final)
                && !injected(Mistake::PunctuationForgotten)
        };
        (rest.is_empty() || rest == " " || is_ignored()) && !injected(Mistake::EndForgotten)
    }
}

/// Whether a word goes on at a place, as `keyword` means it. Folding case does not change the answer.
fn goes_on(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at(at);
    before.ends_with(is_word) && after.starts_with(is_word)
}

/// The literals found so far, each with the anchors that all its occurrences fulfil.
#[derive(Debug, Default)]
pub(super) struct Hits {
    list: Vec<(u32, Anchors)>,
    /// At this length the list is made shorter: a text of one character can hit ten literals at each place.
    full: usize,
}

/// Lists no longer than this are never made shorter while they grow, and longer ones are not kept.
const FEW: usize = 1 << 10;

thread_local! {
    static HITS: RefCell<Hits> = RefCell::default();
}

impl Hits {
    /// Collects the hits of one search in a list that is kept for the next.
    pub(super) fn with<T>(search: impl FnOnce(&mut Self) -> T) -> T {
        HITS.with_borrow_mut(|hits| {
            hits.list.clear();
            hits.list.shrink_to(FEW);
            hits.full = FEW;
            search(hits)
        })
    }

    /// Adds an occurrence.
    pub(super) fn add(&mut self, literal: u32, anchors: Anchors) {
        if self.list.len() == self.full {
            self.merge();
            self.full = FEW.max(2 * self.list.len());
        }
        self.list.push((literal, anchors));
    }

    /// The literals found, each once.
    pub(super) fn merged(&mut self) -> impl Iterator<Item = (u32, Anchors)> {
        if self.list.len() > 1 {
            self.merge();
        }
        self.list.iter().copied()
    }

    fn merge(&mut self) {
        self.list.sort_unstable_by_key(|(literal, _)| *literal);
        self.list.dedup_by(|(literal, anchors), (kept, all)| {
            let same = literal == kept;
            if same {
                *all = all.and(*anchors);
            }
            same
        });
    }
}
