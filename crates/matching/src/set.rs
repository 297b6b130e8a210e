//! Many conditions at once.

use crate::conditions::{Compiled, Conditions, Taken};
use crate::engine::{Engine, EngineBuilder};
use crate::text::Text;

/// Many conditions in order, and the index that finds those that hold.
///
/// See the [front page](crate) for an example.
#[derive(Debug)]
pub struct Set {
    compiled: Vec<Compiled>,
    /// Of each: whether being a certain candidate proves it.
    proven: Vec<bool>,
    engine: Engine,
    hant: bool,
}

/// Conditions that hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Their place in the order in which they were given, from 0.
    pub place: usize,
    /// The texts that they take out of the text.
    pub taken: Taken,
}

impl Set {
    /// Builds the index over conditions; with `hant`, traditional characters compare as simplified ones.
    #[must_use]
    pub fn new(conditions: &[Conditions], hant: bool) -> Self {
        let mut engine = EngineBuilder::default();
        let proven = conditions.iter().map(|one| engine.add(one, hant)).collect();
        let compiled = conditions.iter().map(|one| Compiled::new(one, hant)).collect();
        Self { compiled, proven, engine: engine.build(), hant }
    }

    /// The first conditions that hold for a text.
    #[must_use]
    pub fn first(&self, text: &str) -> Option<Found> {
        self.each(&Text::new(text, self.hant), Some)
    }

    /// All conditions that hold for a text, in order.
    #[must_use]
    pub fn all(&self, text: &str) -> Vec<Found> {
        let mut all = Vec::new();
        let _: Option<()> = self.each(&Text::new(text, self.hant), |found| {
            all.push(found);
            None
        });
        all
    }

    /// The same as [`all`](Self::all) by asking one after the other, without the index: the definition of the answer.
    #[must_use]
    pub fn all_by_scan(&self, text: &str) -> Vec<Found> {
        let text = Text::new(text, self.hant);
        let places = 0..self.compiled.len();
        places
            .filter_map(|place| {
                Some(Found { place, taken: self.compiled[place].check(&text).ok()? })
            })
            .collect()
    }

    /// How many conditions the index proposes for a text.
    #[cfg(test)]
    pub(crate) fn candidates(&self, text: &str) -> usize {
        let candidates = self.engine.candidates(&Text::new(text, self.hant));
        candidates.within(0..self.compiled.len()).count()
    }

    /// Gives those that hold, in order, until `stop` returns something.
    fn each<T>(&self, text: &Text<'_>, mut stop: impl FnMut(Found) -> Option<T>) -> Option<T> {
        let candidates = self.engine.candidates(text);
        let mut places = candidates.within(0..self.compiled.len());
        places.find_map(|place| {
            let holds = candidates.are_certain() && self.proven[place];
            let taken =
                if holds { Taken::default() } else { self.compiled[place].check(text).ok()? };
            stop(Found { place, taken })
        })
    }
}
