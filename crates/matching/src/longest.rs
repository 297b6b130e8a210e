//! Many items, and the search for those in a text, the longest first.

use std::collections::HashMap;
use std::ops::Range;

use crate::keyword::{is_word, without_final_signs};

/// No other item is the beginning of an item.
const NONE: u32 = u32::MAX;

/// Many folded items. Each has a number; equal ones have the same.
///
/// ```
/// use mynah_matching::Longest;
///
/// let (items, numbers) = Longest::new(&["退货", "怎么退货", "退货"].map(Into::into));
/// assert_eq!(numbers[0], numbers[2]);
/// let found: Vec<&str> = items.within("请问怎么退货").into_iter().map(|number| items.text(number)).collect();
/// assert_eq!(found, ["怎么退货", "退货"]);
/// assert_eq!(items.exact("退货？").collect::<Vec<_>>(), [numbers[0]]);
/// ```
#[derive(Debug, Default)]
pub struct Longest {
    /// All items in the order of their bytes, one after the other.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
    /// The longest other item with which each begins.
    shorter: Box<[u32]>,
    /// The items by their first two characters; those of one character are under it and NUL.
    by_begin: HashMap<[char; 2], Range<u32>>,
}

impl Longest {
    /// Takes items that are folded and not blank; gives the number of each as well.
    #[must_use]
    pub fn new(items: &[Box<str>]) -> (Self, Vec<u32>) {
        let mut sorted: Vec<&str> = items.iter().map(|item| &**item).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let number = |item: &str| sorted.binary_search(&item).map_or(NONE, length);
        let numbers = items.iter().map(|item| number(item)).collect();
        let mut text = String::with_capacity(sorted.iter().map(|item| item.len()).sum());
        let mut ends = Vec::with_capacity(sorted.len());
        let mut shorter = Vec::with_capacity(sorted.len());
        let mut by_begin: HashMap<[char; 2], Range<u32>> = HashMap::new();
        let mut open: Vec<(u32, &str)> = Vec::new();
        for (number, item) in (0..).zip(&sorted) {
            text.push_str(item);
            ends.push(length(text.len()));
            while open.last().is_some_and(|(_, other)| !item.starts_with(other)) {
                open.pop();
            }
            shorter.push(open.last().map_or(NONE, |(other, _)| *other));
            open.push((number, item));
            let range = by_begin.entry(begin(item)).or_insert(number..number);
            range.end = number + 1;
        }
        let items =
            Self { text: text.into(), ends: ends.into(), shorter: shorter.into(), by_begin };
        (items, numbers)
    }

    /// How many different items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// An item by its number.
    ///
    /// # Panics
    ///
    /// If there is no such number.
    #[must_use]
    pub fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[start..self.ends[number] as usize]
    }

    /// The items that a folded text is, as `exact` means it: the longest first.
    pub fn exact(&self, text: &str) -> impl Iterator<Item = u32> + use<> {
        let whole = self.number_of(text.trim());
        let shorter = self.number_of(without_final_signs(text));
        whole.into_iter().chain(shorter.filter(|shorter| Some(*shorter) != whole))
    }

    /// The items that are in a folded text, as `keyword` means it: each once, the longest first.
    #[must_use]
    pub fn within(&self, text: &str) -> Vec<u32> {
        let mut found = Vec::new();
        for (start, first) in text.char_indices() {
            let rest = &text[start..];
            if let Some(second) = rest.chars().nth(1)
                && let Some(range) = self.by_begin.get(&[first, second])
            {
                self.at(text, start, range.clone(), &mut found);
            }
            if let Some(range) = self.by_begin.get(&[first, '\0']) {
                self.at(text, start, range.clone(), &mut found);
            }
        }
        found.sort_unstable_by_key(|number| {
            (std::cmp::Reverse(self.text(*number).chars().count()), *number)
        });
        found.dedup();
        found
    }

    /// Adds the items of a range that begin at a place and stand alone there.
    fn at(&self, text: &str, start: usize, range: Range<u32>, found: &mut Vec<u32>) {
        let rest = &text[start..];
        // All items with which the rest begins are the last one that is not behind it, or beginnings of that one.
        let mut number = self.not_behind(rest, &range);
        while range.contains(&number) {
            let item = self.text(number);
            if rest.starts_with(item) && stands_alone(text, start, item) {
                found.push(number);
            }
            number = self.shorter[number as usize];
        }
    }

    /// The last item of a range that is not behind a text.
    fn not_behind(&self, text: &str, range: &Range<u32>) -> u32 {
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.text(middle) <= text {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1).unwrap_or(NONE)
    }

    fn number_of(&self, text: &str) -> Option<u32> {
        let number = self.not_behind(text, self.by_begin.get(&begin(text))?);
        (number != NONE && self.text(number) == text).then_some(number)
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap(&self) -> usize {
        let entry = size_of::<([char; 2], Range<u32>)>() + 1;
        self.text.len()
            + size_of_val(&*self.ends)
            + size_of_val(&*self.shorter)
            + self.by_begin.capacity() * entry
    }
}

fn begin(item: &str) -> [char; 2] {
    let mut characters = item.chars();
    [characters.next().unwrap_or('\0'), characters.next().unwrap_or('\0')]
}

/// Whether an occurrence is not a part of a longer word.
fn stands_alone(text: &str, start: usize, item: &str) -> bool {
    let (before, after) = (&text[..start], &text[start + item.len()..]);
    let begins_inside = item.starts_with(is_word) && before.ends_with(is_word);
    let ends_inside = item.ends_with(is_word) && after.starts_with(is_word);
    !begins_inside && !ends_inside
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NONE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fold::Folding;
    use crate::keyword::Item;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::cases(5_000)))]

        #[test]
        fn items_are_found_as_one_by_one(
            items in prop::collection::vec("[ab1价格！？ *]{1,5}", 1..60),
            text in "[ab1价格！？ *]{0,12}",
        ) {
            let folding = Folding::new(false, false);
            let items: Vec<Item> = items.iter().map(|item| Item::new(item, folding)).filter(|item| !item.text().is_empty()).collect();
            let (longest, numbers) = Longest::new(&items.iter().map(|item| item.text().into()).collect::<Vec<_>>());
            let text = folding.fold(&text).into_text();
            let expected = |holds: &dyn Fn(&Item) -> bool| {
                let mut found: Vec<u32> = items.iter().zip(&numbers).filter(|(item, _)| holds(item)).map(|(_, number)| *number).collect();
                found.sort_unstable_by_key(|number| (std::cmp::Reverse(longest.text(*number).chars().count()), *number));
                found.dedup();
                found
            };
            prop_assert_eq!(longest.within(&text), expected(&|item| item.find(&text).is_some()));
            prop_assert_eq!(longest.exact(&text).collect::<Vec<_>>(), expected(&|item| item.is(&text)));
        }
    }
}
