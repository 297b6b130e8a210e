//! Many texts, found wherever they are in another.

use std::ops::ControlFlow;

use crate::engine::{Finder, KeyLengths};

/// Many texts that are looked for in others, as they are: nothing is folded, and they may be parts of words.
///
/// ```
/// use mynah_matching::Literals;
///
/// let literals = Literals::new(&["退货", "货", "price"]);
/// assert_eq!(literals.find("怎么退货", 10), [0, 1]);
/// assert_eq!(literals.find("prices, prices", 10), [2]);
/// assert_eq!(literals.find("price: 退货", 1), [2]);
/// ```
#[derive(Debug, Default)]
pub struct Literals {
    finder: Finder,
    /// By the number of the finder, the place in the order in which they were given.
    places: Box<[usize]>,
}

impl Literals {
    /// Takes texts that differ. Empty ones are found nowhere.
    #[must_use]
    pub fn new(texts: &[impl AsRef<str>]) -> Self {
        let lengths = KeyLengths::of(texts.len());
        let texts = texts.iter().map(AsRef::as_ref).enumerate();
        let mut ordered: Vec<(usize, &str)> = texts.filter(|(_, text)| !text.is_empty()).collect();
        ordered
            .sort_unstable_by(|(_, one), (_, other)| lengths.order(one).cmp(&lengths.order(other)));
        let finder = Finder::new(lengths, ordered.iter().map(|(_, text)| (*text, true)));
        Self { finder, places: ordered.into_iter().map(|(place, _)| place).collect() }
    }

    /// The texts found, by their places in the order given, each once and in order. The search ends after so many places.
    #[must_use]
    pub fn find(&self, text: &str, most: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let _ = self.finder.find(text, |number, _| {
            if found.len() == most {
                return ControlFlow::Break(());
            }
            found.push(self.places[number as usize]);
            ControlFlow::Continue(())
        });
        found.sort_unstable();
        found.dedup();
        found
    }
}
