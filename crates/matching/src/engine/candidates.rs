//! The rules that one text has to be held against.

use std::cell::Cell;
use std::ops::Range;

use super::injected::{Mistake, injected};

/// The rules that can match.
#[derive(Debug)]
pub struct Candidates {
    /// Their places, in order and each once.
    places: Vec<u32>,
    are_certain: bool,
}

thread_local! {
    /// The list of the last search, so that the next one need not make its own.
    static SPARE: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// A list longer than this is not kept.
const MOST_SPARE: usize = 1 << 14;

impl Candidates {
    /// Puts the places that `find` finds into order; they come in any order and any number of times. `find` returns whether
    /// they are certain.
    pub(super) fn collect(find: impl FnOnce(&mut Vec<u32>) -> bool) -> Self {
        let mut places = SPARE.take();
        places.clear();
        let are_certain = find(&mut places);
        if !injected(Mistake::Unsorted) {
            places.sort_unstable();
        }
        if !injected(Mistake::Doubled) {
            places.dedup();
        }
        Self { places, are_certain }
    }

    /// Adds the candidates of another text. No candidate is certain then: it may be one for the wrong text.
    pub fn add(&mut self, others: &Self) {
        self.places.extend_from_slice(&others.places);
        self.places.sort_unstable();
        self.places.dedup();
        self.are_certain = false;
    }

    /// Whether the literals were found in the very text that rules without case look at.
    pub fn are_certain(&self) -> bool {
        self.are_certain
    }

    /// Those in a range of places.
    pub fn within(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let before = |end: usize| self.places.partition_point(|place| (*place as usize) < end);
        self.places[before(range.start)..before(range.end)].iter().map(|place| *place as usize)
    }
}

impl Drop for Candidates {
    fn drop(&mut self) {
        if self.places.capacity() <= MOST_SPARE {
            SPARE.set(std::mem::take(&mut self.places));
        }
    }
}
