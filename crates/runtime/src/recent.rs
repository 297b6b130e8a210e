//! The lanes and chats that had their turn lately: in a flood, one that had none goes first.

use std::collections::{BTreeMap, VecDeque};

/// The number of last turns that count. More chats than this are rarely busy at once.
const LAST: usize = 1024;

/// So many newcomers go before one of the others, so that the others do not wait for ever.
const IN_A_ROW: usize = 3;

/// The last turns, and whose turn is next.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    last: VecDeque<T>,
    counts: BTreeMap<T, usize>,
    newcomers: usize,
}

impl<T: Clone + Ord> Recent<T> {
    pub(crate) fn new() -> Self {
        Self { last: VecDeque::new(), counts: BTreeMap::new(), newcomers: 0 }
    }

    /// Whether one had a turn lately.
    pub(crate) fn has(&self, one: &T) -> bool {
        self.counts.contains_key(one)
    }

    /// Whether a newcomer is next, if there is one.
    pub(crate) fn is_for_newcomers(&self) -> bool {
        self.newcomers < IN_A_ROW
    }

    /// Notes a turn, and whether it was that of a newcomer while others waited.
    pub(crate) fn note(&mut self, one: &T, overtakes: bool) {
        self.newcomers = if overtakes { self.newcomers + 1 } else { 0 };
        *self.counts.entry(one.clone()).or_default() += 1;
        self.last.push_back(one.clone());
        if self.last.len() > LAST
            && let Some(first) = self.last.pop_front()
            && let Some(count) = self.counts.get_mut(&first)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_turns_are_forgotten() {
        let mut recent = Recent::new();
        for n in 0..=LAST {
            recent.note(&n, true);
        }
        assert_eq!((recent.has(&0), recent.has(&1), recent.counts.len()), (false, true, LAST));
    }

    #[test]
    fn after_some_newcomers_one_of_the_others_is_next() {
        let mut recent = Recent::new();
        for _ in 0..IN_A_ROW {
            assert!(recent.is_for_newcomers());
            recent.note(&"new", true);
        }
        assert!(!recent.is_for_newcomers());
        recent.note(&"old", false);
        assert!(recent.is_for_newcomers());
    }
}
