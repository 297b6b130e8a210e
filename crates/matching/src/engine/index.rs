//! All literals, and behind each the rules that wait for it.

use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;

use super::finder::{Finder, KeyLengths};
use super::hits::{Anchors, Hits, Searched};
use super::injected::{Mistake, injected};
use super::wanted::{Anchor, Literal};

/// The literals of all rules.
#[derive(Debug, Default)]
pub(super) struct IndexBuilder {
    /// Behind each literal: the rules that wait for it at each anchor.
    literals: HashMap<Box<str>, [Vec<u32>; Anchor::COUNT]>,
}

/// The literals and their lists.
pub(super) struct Index {
    literals: Finder,
    /// Of each literal a [`Waiting`].
    waiting: Box<[u32]>,
    /// For each literal that several wait for: where its lists begin, one for each anchor; the list after the last begins
    /// at the end.
    starts: Box<[u32]>,
    rules: Box<[u32]>,
}

/// Who waits for a literal, in 32 bits.
///
/// For most literals that is one rule, and a hit looks at no list: a large index is in slow memory.
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
        let lengths = KeyLengths::of(literals.len());
        literals
            .sort_unstable_by(|(one, _), (other, _)| lengths.order(one).cmp(&lengths.order(other)));
        let (mut starts, mut rules) = (Vec::new(), Vec::new());
        let length = |list: &Vec<u32>| u32::try_from(list.len()).unwrap_or(u32::MAX);
        let mut waiting = Vec::with_capacity(literals.len());
        for (_, lists) in &literals {
            let behind = Waiting::only(lists).unwrap_or_else(|| {
                let number = starts.len() / Anchor::COUNT;
                for list in lists {
                    starts.push(length(&rules));
                    rules.extend_from_slice(list);
                }
                Waiting::Many(u32::try_from(number).unwrap_or(u32::MAX))
            });
            waiting.push(behind.pack());
        }
        starts.push(length(&rules));
        let each = literals.iter().map(|(text, lists)| (&**text, may_be_inside(text, lists)));
        Index {
            literals: Finder::new(lengths, each),
            waiting: waiting.into(),
            starts: starts.into(),
            rules: rules.into(),
        }
    }
}

/// Whether a literal counts where it begins inside of a word of letters and digits of ASCII.
fn may_be_inside(literal: &str, lists: &[Vec<u32>; Anchor::COUNT]) -> bool {
    let anywhere = [Anchor::Anywhere, Anchor::End, Anchor::WordEnd];
    literal.starts_with(|first: char| first.is_ascii_alphanumeric())
        && anywhere.into_iter().any(|anchor| !lists[anchor as usize].is_empty())
        && !injected(Mistake::InsideForgotten)
}

impl Index {
    /// Adds the rules behind all literals in a text. A rule may come more than once.
    pub(super) fn search(&self, text: &str, found: &mut Vec<u32>) {
        let searched = Searched(text);
        Hits::with(|hits| {
            let _ = self.literals.find(text, |literal, place| {
                let (start, end) = (place.start, place.end);
                let waiting = self.waiting[literal as usize];
                let anchors = match Waiting::unpack(waiting) {
                    // Most chance hits end here.
                    Waiting::One { anchor, .. } if !searched.fulfils(anchor, start, end) => {
                        return ControlFlow::Continue(());
                    }
                    Waiting::One { anchor, .. } => Anchors::default().with(anchor),
                    Waiting::Many(_) => searched.anchors(start, end),
                };
                hits.add(waiting, anchors);
                ControlFlow::Continue(())
            });
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
        for (number, waiting) in (0..).zip(&self.waiting) {
            let literal = self.literals.literal(number);
            match Waiting::unpack(*waiting) {
                Waiting::One { anchor, place } => give(literal, anchor, &[place]),
                Waiting::Many(number) => {
                    for anchor in Anchor::ALL {
                        give(literal, anchor, self.list(number as usize, anchor));
                    }
                }
            }
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        self.literals.heap()
            + size_of_val(&*self.waiting)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.rules)
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
