//! The items of a condition, few or many.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::OnceLock;

use crate::Text;
use crate::fold::Folding;
use crate::keyword::{Item, Traces};
use crate::lists::Among;
use crate::punctuation::is_final;

/// The items of a condition. Of many, those in a text are found without looking at each.
#[derive(Debug)]
pub(crate) enum Items {
    Few(Box<[Item]>),
    Many(Box<Many>),
}

/// Many items.
#[derive(Debug)]
pub(crate) struct Many {
    items: Box<[Item]>,
    /// Made when first needed: most conditions with many items are proved by the index alone.
    among: OnceLock<Among>,
}

impl Items {
    /// These items; of many, each once.
    pub(crate) fn new(items: impl Iterator<Item = Item>) -> Self {
        let mut items: Vec<Item> = items.collect();
        if items.len() < Traces::MANY {
            return Self::Few(items.into());
        }
        let mut seen = HashSet::with_capacity(items.len());
        let is_new: Vec<bool> = items.iter().map(|item| seen.insert(item)).collect();
        let mut is_new = is_new.into_iter();
        items.retain(|_| is_new.next() == Some(true));
        Self::Many(Box::new(Many { items: items.into(), among: OnceLock::new() }))
    }

    /// The items, in order.
    pub(crate) fn all(&self) -> &[Item] {
        match self {
            Self::Few(items) => items,
            Self::Many(many) => &many.items,
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let texts = self.all().iter().map(|item| item.text().len());
        size_of_val(self.all()) + texts.sum::<usize>()
    }

    fn among(&self) -> Option<&Among> {
        match self {
            Self::Few(_) => None,
            Self::Many(many) => {
                let texts = || Among::of(many.items.iter().map(Item::text));
                Some(many.among.get_or_init(texts))
            }
        }
    }

    /// Whether a text is one of them, as `exact` means it.
    pub(crate) fn has_whole(&self, text: &str) -> bool {
        let Some(among) = self.among() else { return self.all().iter().any(|item| item.is(text)) };
        let text = text.trim();
        among.place(text).or_else(|| among.place(text.trim_end_matches(is_final))).is_some()
    }

    /// The rest of a text behind the first of them with which it begins.
    pub(crate) fn rest_after(&self, text: &str) -> Option<Range<usize>> {
        let Some(among) = self.among() else {
            return self.all().iter().find_map(|item| item.rest_after(text));
        };
        let places = among.at_begin(text).map(|(place, _)| place);
        self.first(places, |item| item.rest_after(text))
    }

    /// The rest of a text before the first of them with which it ends.
    pub(crate) fn rest_before(&self, text: &str) -> Option<Range<usize>> {
        let Some(among) = self.among() else {
            return self.all().iter().find_map(|item| item.rest_before(text));
        };
        let (whole, shorter) = (text.trim_end(), text.trim_end_matches(is_final));
        let places = among.at_end(whole).chain(among.at_end(shorter)).map(|(place, _)| place);
        self.first(places, |item| item.rest_before(text))
    }

    /// The first result of some items.
    fn first<T>(
        &self,
        places: impl Iterator<Item = usize>,
        give: impl Fn(&Item) -> Option<T>,
    ) -> Option<T> {
        let given = places.filter_map(|place| Some((place, give(&self.all()[place])?)));
        given.min_by_key(|(place, _)| *place).map(|(_, given)| given)
    }

    /// Whether a text contains one of them, as `keyword` means it.
    pub(crate) fn has_any(&self, text: &Text<'_>, folding: Folding) -> bool {
        let folded = text.folded(folding).text();
        match self.among() {
            Some(among) if self.is_faster_by_place(among, folded) => {
                let mut starts = folded.char_indices().map(|(start, _)| start);
                starts.any(|start| {
                    let mut found = among.at_begin(&folded[start..]);
                    found.any(|(place, _)| self.all()[place].stands_alone(folded, start))
                })
            }
            _ => self.all().iter().any(self.is_in(text, folding)),
        }
    }

    /// Whether a text contains all of them.
    pub(crate) fn has_all(&self, text: &Text<'_>, folding: Folding) -> bool {
        self.all().iter().all(self.is_in(text, folding))
    }

    /// Whether looking up each place of a text is less work than looking for each item. Items that differ in their stars
    /// alone have one place together.
    fn is_faster_by_place(&self, among: &Among, text: &str) -> bool {
        among.len() == self.all().len()
            && text.len().saturating_mul(among.lengths()) < self.all().len()
    }

    /// Whether the text has an item. Of many, most are ruled out by the runs of bytes in the text.
    fn is_in<'a>(&self, text: &'a Text<'_>, folding: Folding) -> impl Fn(&Item) -> bool + use<'a> {
        let folded = text.folded(folding).text();
        let traces = matches!(self, Self::Many(_)).then(|| text.traces(folding));
        move |item| traces.is_none_or(|traces| traces.may_have(item)) && item.find(folded).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::cases(2_000)))]

        #[test]
        fn many_items_are_found_as_one_by_one(
            words in prop::collection::vec("[*]?[ab1价格！ ]{1,4}[*]?", 64..500),
            text in "[ab1价格！? ]{0,8}",
        ) {
            let folding = Folding::new(false, false);
            let words: Vec<&String> = words.iter().filter(|word| !word.trim().is_empty()).collect();
            let plain = || words.iter().map(|word| Item::new(word, folding));
            let starred = || words.iter().map(|word| Item::with_stars(word, folding));
            let (exact, keyword) = (Items::new(plain()), Items::new(starred()));
            let folded = folding.fold(&text).into_text();
            prop_assert_eq!(exact.has_whole(&folded), plain().any(|item| item.is(&folded)));
            let after = plain().find_map(|item| item.rest_after(&folded));
            prop_assert_eq!(exact.rest_after(&folded), after);
            let before = plain().find_map(|item| item.rest_before(&folded));
            prop_assert_eq!(exact.rest_before(&folded), before);
            let found = starred().any(|item| item.find(&folded).is_some());
            prop_assert_eq!(keyword.has_any(&Text::new(&text, false), folding), found);
        }
    }
}
