//! The rules that one message has to be held against.

use std::cell::Cell;
use std::ops::Range;

use super::planted::{Mistake, planted};

/// The places of the rules that can match, in order and each once.
#[derive(Debug)]
pub(crate) struct Candidates(Vec<u32>);

thread_local! {
    /// The list of the last search, so that the next one need not make its own.
    static SPARE: Cell<Vec<u32>> = const { Cell::new(Vec::new()) };
}

/// A list longer than this is not kept.
const MOST_SPARE: usize = 1 << 14;

impl Candidates {
    /// Puts into order what `find` finds, in any order and any number of times.
    pub(super) fn collect(find: impl FnOnce(&mut Vec<u32>)) -> Self {
        let mut places = SPARE.take();
        places.clear();
        find(&mut places);
        if !planted(Mistake::Unsorted) {
            places.sort_unstable();
        }
        if !planted(Mistake::Doubled) {
            places.dedup();
        }
        Self(places)
    }

    /// Those in a range of places.
    pub(crate) fn within(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let before = |end: usize| self.0.partition_point(|place| (*place as usize) < end);
        self.0[before(range.start)..before(range.end)].iter().map(|place| *place as usize)
    }
}

impl Drop for Candidates {
    fn drop(&mut self) {
        if self.0.capacity() <= MOST_SPARE {
            SPARE.set(std::mem::take(&mut self.0));
        }
    }
}
