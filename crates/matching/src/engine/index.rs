//! One automaton over all literals, and behind each literal the rules that wait for it.

use std::collections::HashMap;
use std::fmt;

use daachorse::CharwiseDoubleArrayAhoCorasick as Automaton;

use super::hits::{Anchors, Hits, Searched};
use super::wanted::{Anchor, Literal};

/// The literals of all rules.
#[derive(Debug, Default)]
pub(super) struct IndexBuilder {
    /// Behind each literal: the rules that wait for it at each anchor.
    literals: HashMap<Box<str>, [Vec<u32>; Anchor::COUNT]>,
}

/// The automaton and its lists.
pub(super) struct Index {
    /// Its value for each literal is a [`Waiting`].
    automaton: Option<Automaton<u32>>,
    /// For each literal that several wait for: where its lists begin, one for each anchor; the list after the last begins
    /// at the end.
    starts: Box<[u32]>,
    rules: Box<[u32]>,
}

/// Who waits for a literal, in 32 bits.
///
/// For most literals that is one rule: the automaton itself holds it, and a hit looks at nothing else. A large
/// automaton is in slow memory, and so would the lists be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// The rule at this place.
    One { anchor: Anchor, place: u32 },
    /// Those in the lists of this number.
    Many(u32),
}

impl Waiting {
    const IS_ONE: u32 = 1 << 31;
    const PLACE_BITS: u32 = 28;
    /// A rule at this place or behind is always in a list.
    const MOST_PLACES: u32 = 1 << Self::PLACE_BITS;

    fn pack(self) -> u32 {
        match self {
            Self::One { anchor, place } => {
                Self::IS_ONE | (anchor as u32) << Self::PLACE_BITS | place
            }
            Self::Many(lists) => lists,
        }
    }

    fn unpack(packed: u32) -> Self {
        if packed & Self::IS_ONE == 0 {
            return Self::Many(packed);
        }
        let anchor = (packed & !Self::IS_ONE) >> Self::PLACE_BITS;
        Self::One {
            anchor: Anchor::ALL[anchor as usize % Anchor::COUNT],
            place: packed % Self::MOST_PLACES,
        }
    }

    /// The only rule in the lists of a literal, if it is one only.
    fn only(lists: &[Vec<u32>; Anchor::COUNT]) -> Option<Self> {
        let mut filled = Anchor::ALL.iter().zip(lists).filter(|(_, list)| !list.is_empty());
        let (anchor, list) = filled.next()?;
        match (list.as_slice(), filled.next()) {
            ([place], None) if *place < Self::MOST_PLACES => {
                Some(Self::One { anchor: *anchor, place: *place })
            }
            _ => None,
        }
    }
}

impl IndexBuilder {
    pub(super) fn add(&mut self, literal: &Literal, place: u32) {
        let lists = match self.literals.get_mut(&literal.text) {
            Some(lists) => lists,
            None => self.literals.entry(literal.text.clone()).or_default(),
        };
        let list = &mut lists[literal.anchor as usize];
        // The same rule may wait for the same literal twice.
        if list.last() != Some(&place) {
            list.push(place);
        }
    }

    pub(super) fn build(self) -> Index {
        let mut literals: Vec<_> = self.literals.into_iter().collect();
        literals.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let (mut starts, mut rules) = (Vec::new(), Vec::new());
        let length = |list: &Vec<u32>| u32::try_from(list.len()).unwrap_or(u32::MAX);
        let mut values = Vec::with_capacity(literals.len());
        for (_, lists) in &literals {
            let waiting = Waiting::only(lists).unwrap_or_else(|| {
                let number = starts.len() / Anchor::COUNT;
                for list in lists {
                    starts.push(length(&rules));
                    rules.extend_from_slice(list);
                }
                Waiting::Many(u32::try_from(number).unwrap_or(u32::MAX))
            });
            values.push(waiting.pack());
        }
        starts.push(length(&rules));
        let patterns = literals.iter().map(|(text, _)| text).zip(values);
        let automaton = (!literals.is_empty()).then(|| {
            Automaton::with_values(patterns).expect("literals are neither empty nor twice there")
        });
        Index { automaton, starts: starts.into(), rules: rules.into() }
    }
}

impl Index {
    /// Adds the rules behind all literals in a text. A rule may come more than once.
    pub(super) fn search(&self, text: &str, found: &mut Vec<u32>) {
        let Some(automaton) = &self.automaton else { return };
        let searched = Searched(text);
        Hits::with(|hits| {
            for hit in automaton.find_overlapping_iter(text) {
                let (start, end) = (hit.start(), hit.end());
                let anchors = match Waiting::unpack(hit.value()) {
                    // Most chance hits end here.
                    Waiting::One { anchor, .. } if !searched.fulfils(anchor, start, end) => {
                        continue;
                    }
                    Waiting::One { anchor, .. } => Anchors::default().with(anchor),
                    Waiting::Many(_) => searched.anchors(start, end),
                };
                hits.add(hit.value(), anchors);
            }
            for (waiting, anchors) in hits.merged() {
                self.add_waiting(Waiting::unpack(waiting), anchors, found);
            }
        });
    }

    fn add_waiting(&self, waiting: Waiting, anchors: Anchors, found: &mut Vec<u32>) {
        match waiting {
            Waiting::One { anchor, place } => {
                if anchors.have(anchor) {
                    found.push(place);
                }
            }
            Waiting::Many(number) => {
                for anchor in Anchor::ALL.into_iter().filter(|anchor| anchors.have(*anchor)) {
                    found.extend_from_slice(self.list(number as usize, anchor));
                }
            }
        }
    }

    fn list(&self, number: usize, anchor: Anchor) -> &[u32] {
        let list = Anchor::COUNT * number + anchor as usize;
        &self.rules[self.starts[list] as usize..self.starts[list + 1] as usize]
    }

    /// Gives every literal with the rules that wait for it at an anchor, anchor by anchor.
    pub(super) fn for_each_list(&self, mut give: impl FnMut(&str, Anchor, &[u32])) {
        for (literal, waiting) in self.automaton.iter().flat_map(Automaton::iter) {
            match Waiting::unpack(waiting) {
                Waiting::One { anchor, place } => give(&literal, anchor, &[place]),
                Waiting::Many(number) => {
                    for anchor in Anchor::ALL {
                        give(&literal, anchor, self.list(number as usize, anchor));
                    }
                }
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        let automaton = self.automaton.as_ref().map_or(0, Automaton::heap_bytes);
        automaton + size_of_val(&*self.starts) + size_of_val(&*self.rules)
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_read_as_it_was_written() {
        for anchor in Anchor::ALL {
            for place in [0, 1, Waiting::MOST_PLACES - 1] {
                let one = Waiting::One { anchor, place };
                assert_eq!(Waiting::unpack(one.pack()), one);
            }
        }
        for waiting in [Waiting::Many(0), Waiting::Many(Waiting::IS_ONE - 1)] {
            assert_eq!(Waiting::unpack(waiting.pack()), waiting);
        }
    }
}
