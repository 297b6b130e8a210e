//! A record of the latest entries.

use std::collections::VecDeque;

/// How many calls and how many sent messages of an account are kept.
pub(crate) const KEPT: usize = 10_000;

/// The latest entries of a record; the oldest are dropped, so that a sandbox can run for weeks.
#[derive(Debug)]
pub(crate) struct Latest<T> {
    entries: VecDeque<T>,
    most: usize,
    dropped: u64,
}

impl<T: Clone> Latest<T> {
    /// A record of at most this number of entries.
    pub(crate) fn new(most: usize) -> Self {
        Self { entries: VecDeque::new(), most, dropped: 0 }
    }

    pub(crate) fn push(&mut self, entry: T) {
        if self.entries.len() == self.most {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(entry);
    }

    /// The entries, oldest first.
    pub(crate) fn list(&self) -> Vec<T> {
        self.entries.iter().cloned().collect()
    }

    /// The latest entry that fits.
    pub(crate) fn find_mut(&mut self, fits: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.entries.iter_mut().rev().find(|entry| fits(entry))
    }

    /// The number of entries that are not kept any more.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_dropped_and_counted() {
        let mut latest = Latest::new(3);
        (1..=5).for_each(|n| latest.push(n));
        assert_eq!((latest.list(), latest.dropped()), (vec![3, 4, 5], 2));
        assert_eq!(latest.find_mut(|n| n % 2 == 1).copied(), Some(5));
        assert_eq!(latest.find_mut(|n| *n == 1), None);
    }
}
