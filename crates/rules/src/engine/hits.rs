//! Which literals stand in a text, and where.

use std::cell::RefCell;

use super::planted::{Mistake, planted};
use super::wanted::Anchor;
use crate::keyword::is_word;

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

/// A text that is searched, and where it begins and ends apart from spaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Searched<'t> {
    pub(super) text: &'t str,
    begin: usize,
    end: usize,
}

impl<'t> Searched<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let begin = text.len() - text.trim_start().len();
        Self { text, begin, end: text.trim_end().len() }
    }

    /// The anchors of an occurrence there.
    pub(super) fn anchors(&self, start: usize, end: usize) -> Anchors {
        let mut anchors = Anchors::default().with(Anchor::Anywhere);
        // Literals have no spaces around them, texts and items may.
        let begins = start == 0 || (start == self.begin && !planted(Mistake::SpacesForgotten));
        let ends = (end == self.end || end == self.text.len()) && !planted(Mistake::EndForgotten);
        if begins {
            anchors = anchors.with(Anchor::Begin);
        }
        if ends {
            anchors = anchors.with(Anchor::End);
        }
        if begins && ends {
            anchors = anchors.with(Anchor::Whole);
        }
        if !is_inside_word(self.text, start, end) {
            anchors = anchors.with(Anchor::Word);
        }
        anchors
    }
}

/// Whether what stands there is a part of a longer word, as `keyword` means it. Folding case or not tells the same.
fn is_inside_word(text: &str, start: usize, end: usize) -> bool {
    let goes_on = |at: usize| {
        let (before, after) = text.split_at(at);
        before.ends_with(is_word) && after.starts_with(is_word)
    };
    goes_on(start) || goes_on(end)
}

/// The literals found so far, each with what all its occurrences fulfil.
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
