//! The sentences of a table that are like a message, found without comparing all of them.

use std::cell::RefCell;
use std::collections::HashMap;

use mynah_matching::fold::Folding;

use super::Sentence;
use crate::rows::place_of;

/// Many sentences, and an index over their parts.
#[derive(Debug)]
pub(crate) struct Nearest {
    /// The texts of all sentences, one after the other.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
    /// How many parts each of them has.
    counts: Box<[Count]>,
    /// The number of each part.
    parts: HashMap<Box<str>, u32>,
    /// The sentences that have each part, part by part, each list in order, with how often it has it.
    having: Box<[(u32, u32)]>,
    /// Where the list of each part ends.
    having_ends: Box<[u32]>,
    at_least: f64,
    folding: Folding,
}

/// As much of a sentence as its likeness needs beside its parts.
#[derive(Debug, Clone, Copy)]
struct Count {
    parts: u32,
    is_negative: bool,
}

thread_local! {
    /// How much each sentence shares with the message; all 0 between two searches.
    static SHARED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

impl Nearest {
    /// Takes sentences; gives the number of each as well. Equal ones have the same number.
    pub(crate) fn new(
        sentences: Vec<Box<str>>,
        at_least: f64,
        folding: Folding,
    ) -> (Self, Vec<u32>) {
        let (mut text, mut ends, mut counts) = (String::new(), Vec::new(), Vec::new());
        let mut parts: HashMap<Box<str>, u32> = HashMap::new();
        // Part, sentence, how often.
        let mut all: Vec<(u32, u32, u32)> = Vec::new();
        let mut known: HashMap<Box<str>, u32> = HashMap::new();
        let mut numbers = Vec::with_capacity(sentences.len());
        for written in sentences {
            if let Some(number) = known.get(&written) {
                numbers.push(*number);
                continue;
            }
            let number = place_of(ends.len());
            let sentence = Sentence::new(&written, folding);
            for (part, times) in &sentence.parts {
                let next = place_of(parts.len());
                let part = match parts.get(part) {
                    Some(part) => *part,
                    None => *parts.entry(part.clone()).or_insert(next),
                };
                all.push((part, number, *times));
            }
            text.push_str(&written);
            ends.push(place_of(text.len()));
            counts.push(Count { parts: sentence.count, is_negative: sentence.is_negative });
            known.insert(written, number);
            numbers.push(number);
        }
        all.sort_unstable();
        let mut having_ends = vec![0; parts.len()];
        for (part, _, _) in &all {
            having_ends[*part as usize] += 1;
        }
        let mut end = 0;
        for length in &mut having_ends {
            end += *length;
            *length = end;
        }
        let nearest = Self {
            text: text.into(),
            ends: ends.into(),
            counts: counts.into(),
            parts,
            having: all.into_iter().map(|(_, sentence, times)| (sentence, times)).collect(),
            having_ends: having_ends.into(),
            at_least,
            folding,
        };
        (nearest, numbers)
    }

    /// The sentences that are enough like this one, and at least so much, with their likeness, in any order.
    pub(crate) fn near(&self, said: &Sentence, at_least: f64) -> Vec<(u32, f64)> {
        self.all_near(said, at_least.max(self.at_least))
    }

    /// The same with a likeness of at least so much, be it enough for an answer or not.
    pub(crate) fn all_near(&self, said: &Sentence, at_least: f64) -> Vec<(u32, f64)> {
        let mut lists: Vec<(&[(u32, u32)], u32)> = said
            .parts
            .iter()
            .filter_map(|(part, times)| Some((self.having(*self.parts.get(part)?), *times)))
            .collect();
        // The rare ones first.
        lists.sort_unstable_by_key(|(list, _)| list.len());
        let rare = rare(&lists, said.count, at_least);
        // How much the lists from each on can add.
        let mut left: Vec<u32> = lists.iter().map(|(_, times)| *times).collect();
        for place in (1..left.len()).rev() {
            left[place - 1] += left[place];
        }
        left.push(0);
        SHARED.with_borrow_mut(|shared| {
            if shared.len() < self.counts.len() {
                shared.resize(self.counts.len(), 0);
            }
            let mut met = Vec::new();
            for (list, times) in &lists[..rare] {
                for (number, of_it) in *list {
                    let place = &mut shared[*number as usize];
                    if *place == 0 {
                        met.push(*number);
                    }
                    *place += times.min(of_it);
                }
            }
            let mut near = Vec::new();
            for number in met {
                let mut sum = std::mem::take(&mut shared[number as usize]);
                let may_do = |sum: u32| self.likeness(number, sum, said) >= at_least;
                for (place, (list, times)) in lists.iter().enumerate().skip(rare) {
                    if !may_do(sum + left[place]) {
                        break;
                    }
                    let found = list.binary_search_by_key(&number, |(number, _)| *number);
                    sum += found.map_or(0, |at| list[at].1.min(*times));
                }
                let like = self.likeness(number, sum, said);
                if like >= at_least {
                    near.push((number, like));
                }
            }
            near
        })
    }

    fn likeness(&self, number: u32, shared: u32, said: &Sentence) -> f64 {
        let Count { parts, is_negative } = self.counts[number as usize];
        super::likeness(shared, parts, said.count, is_negative == said.is_negative)
    }

    fn having(&self, part: u32) -> &[(u32, u32)] {
        let part = part as usize;
        let start = part.checked_sub(1).map_or(0, |before| self.having_ends[before] as usize);
        &self.having[start..self.having_ends[part] as usize]
    }

    /// The same by comparing one after the other: the definition of the answer.
    pub(crate) fn near_by_scan(&self, said: &Sentence) -> Vec<(u32, f64)> {
        let mut near = Vec::new();
        for number in 0..place_of(self.ends.len()) {
            let like = Sentence::new(self.text(number), self.folding).likeness(said);
            if like >= self.at_least {
                near.push((number, like));
            }
        }
        near
    }

    /// How many sentences there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The least likeness.
    pub(crate) fn at_least(&self) -> f64 {
        self.at_least
    }

    /// A sentence by its number.
    pub(crate) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[start..self.ends[number] as usize]
    }

    /// The three sentences that are most like this one, for people.
    pub(crate) fn best(&self, said: &Sentence) -> String {
        let all = (0..place_of(self.len())).map(|number| {
            let text = self.text(number);
            (Sentence::new(text, self.folding).likeness(said), text)
        });
        super::three_best(all.collect())
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let entry = size_of::<(Box<str>, u32)>() + 1;
        let parts: usize = self.parts.keys().map(|part| part.len()).sum();
        self.text.len()
            + size_of_val(&*self.ends)
            + size_of_val(&*self.counts)
            + size_of_val(&*self.having)
            + size_of_val(&*self.having_ends)
            + self.parts.capacity() * entry
            + parts
    }
}

/// So many lists, the rarest first, contain every sentence that is enough like one of so many parts: with the other parts
/// alone no sentence shares enough.
fn rare(lists: &[(&[(u32, u32)], u32)], count: u32, at_least: f64) -> usize {
    // A sentence that is only just enough like this one, and as short as it can be, shares so many parts.
    let needed = at_least * f64::from(count) / (2.0 - at_least) - 1e-6;
    let mut left: u32 = lists.iter().map(|(_, times)| times).sum();
    let needs_list = |(_, times): &&(&[(u32, u32)], u32)| {
        let goes_on = f64::from(left) >= needed && left > 0;
        left -= times;
        goes_on
    };
    lists.iter().take_while(needs_list).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_index_finds_what_comparing_finds(
            texts in prop::collection::vec("[怎么退货款不能开 a-c]{1,10}", 1..40),
            said in "[怎么退货款不能开 a-c]{0,12}",
            at_least in 1..=100_u32,
        ) {
            let folding = Folding::new(false, false);
            let texts = texts.into_iter().map(Into::into).collect();
            let (nearest, _) = Nearest::new(texts, f64::from(at_least) / 100.0, folding);
            let said = Sentence::new(&said, folding);
            for floor in [0.0, 0.9] {
                let mut near = nearest.near(&said, floor);
                near.sort_unstable_by_key(|(number, _)| *number);
                let mut expected = nearest.near_by_scan(&said);
                expected.retain(|(_, like)| *like >= floor);
                prop_assert_eq!(near, expected);
            }
        }
    }
}
