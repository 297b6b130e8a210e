//! Lists of texts that conditions share, and the search for an item among many.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::fold::Folding;

/// Lists by their names.
pub type Lists = BTreeMap<String, Arc<List>>;

/// A list of texts. Patterns share it: it is folded once for each way of folding.
pub struct List {
    items: Box<[Box<str>]>,
    folded: [OnceLock<Among>; 4],
}

impl List {
    /// A list of these texts; blank ones are left out.
    #[must_use]
    pub fn new(items: impl IntoIterator<Item = String>) -> Self {
        let items = items.into_iter().filter(|item| !item.trim().is_empty());
        Self {
            items: items.map(|item| item.trim().into()).collect(),
            folded: std::array::from_fn(|_| OnceLock::new()),
        }
    }

    /// Its texts, in the order written.
    #[must_use]
    pub fn items(&self) -> &[Box<str>] {
        &self.items
    }

    /// Its texts, folded.
    pub(crate) fn folded(&self, folding: Folding) -> &Among {
        let number = 2 * usize::from(folding.keeps_case()) + usize::from(folding.is_hant());
        self.folded[number].get_or_init(|| {
            Among::of(self.items.iter().map(|item| folding.fold(item).text().trim().to_owned()))
        })
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl Eq for List {}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.items.iter().take(5)).finish_non_exhaustive()
    }
}

/// Many folded texts, found by their own text.
#[derive(Debug, Default)]
pub(crate) struct Among {
    /// The place of each in the order given; of equal ones the first.
    places: HashMap<Box<str>, usize>,
    /// Their lengths in bytes, the longest first.
    lengths: Box<[usize]>,
}

impl Among {
    pub(crate) fn of(texts: impl Iterator<Item = impl Into<Box<str>>>) -> Self {
        let mut places = HashMap::new();
        for (place, text) in texts.map(Into::into).enumerate() {
            if !text.is_empty() {
                places.entry(text).or_insert(place);
            }
        }
        let mut lengths: Vec<usize> = places.keys().map(|text| text.len()).collect();
        lengths.sort_unstable_by(|one, other| other.cmp(one));
        lengths.dedup();
        Self { places, lengths: lengths.into() }
    }

    /// The place of a text, if it is one of them.
    pub(crate) fn place(&self, text: &str) -> Option<usize> {
        self.places.get(text).copied()
    }

    /// Those with which a text begins, the longest first: the place and length of each.
    pub(crate) fn at_begin<'a>(
        &'a self,
        text: &'a str,
    ) -> impl DoubleEndedIterator<Item = (usize, usize)> + 'a {
        let lengths = self.lengths.iter();
        lengths.filter_map(|length| Some((self.place(text.get(..*length)?)?, *length)))
    }

    /// Those with which a text ends, the longest first: the place and length of each.
    pub(crate) fn at_end<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
        let lengths = self.lengths.iter();
        lengths.filter_map(|length| {
            let start = text.len().checked_sub(*length)?;
            Some((self.place(text.get(start..)?)?, *length))
        })
    }

    /// How many different texts they are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many lengths they have.
    pub(crate) fn lengths(&self) -> usize {
        self.lengths.len()
    }

    /// The texts, in any order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(|text| &**text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_among_many() {
        let list = List::new(["北京", " 北京西 ", "Ａb", "", "b"].map(str::to_owned));
        assert_eq!(list.items().len(), 4);
        let among = list.folded(Folding::new(false, false));
        let begins = |text: &str| -> Vec<&str> {
            among.at_begin(text).map(|(_, length)| &"北京西ab"[..length.min(9)]).collect()
        };
        assert_eq!(begins("北京西站").len(), 2);
        assert_eq!(among.at_begin("北京西站").next(), Some((1, 9)));
        assert_eq!(among.at_begin("abc").next(), Some((2, 2)));
        assert_eq!(among.at_end("去北京").collect::<Vec<_>>(), [(0, 6)]);
        assert_eq!(among.at_end("xab").collect::<Vec<_>>(), [(2, 2), (3, 1)]);
        assert_eq!(among.place("上海"), None);
    }
}
