//! One automaton over all literals, and behind each literal the rules that wait for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use daachorse::CharwiseDoubleArrayAhoCorasick as Automaton;

use super::planted::{Mistake, planted};
use super::wanted::{Anchor, Literal};

/// The literals of all rules.
#[derive(Debug, Default)]
pub(super) struct IndexBuilder {
    /// Behind each literal: the rules that wait for it at each anchor.
    literals: HashMap<Box<str>, [Vec<u32>; Anchor::COUNT]>,
}

/// The automaton and its lists.
pub(super) struct Index {
    automaton: Option<Automaton<u32>>,
    /// Where the lists of each literal begin, one for each anchor; the list after the last begins at the end.
    starts: Box<[u32]>,
    rules: Box<[u32]>,
}

thread_local! {
    /// Which literals were met in the search under way.
    static MET: RefCell<Met> = RefCell::default();
}

/// Marks, two for each literal, that need not be cleared between searches.
#[derive(Default)]
struct Met {
    search: u32,
    marks: Vec<u32>,
}

impl IndexBuilder {
    pub(super) fn add(&mut self, literal: &Literal, place: u32) {
        let lists = self.literals.entry(literal.text.clone()).or_default();
        let list = &mut lists[literal.anchor as usize];
        // The same rule may wait for the same literal twice.
        if list.last() != Some(&place) {
            list.push(place);
        }
    }

    pub(super) fn build(self) -> Index {
        let mut literals: Vec<_> = self.literals.into_iter().collect();
        literals.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let (mut starts, mut rules) =
            (Vec::with_capacity(Anchor::COUNT * literals.len() + 1), Vec::new());
        let length = |rules: &Vec<u32>| u32::try_from(rules.len()).unwrap_or(u32::MAX);
        for list in literals.iter().flat_map(|(_, lists)| lists) {
            starts.push(length(&rules));
            rules.extend_from_slice(list);
        }
        starts.push(length(&rules));
        let patterns = literals.iter().map(|(text, _)| text).zip(0_u32..);
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
        let begin = text.len() - text.trim_start().len();
        let end = text.trim_end().len();
        MET.with_borrow_mut(|met| {
            met.begin(2 * self.literals());
            for hit in automaton.find_overlapping_iter(text) {
                let literal = hit.value() as usize;
                if met.first_time(2 * literal) {
                    found.extend_from_slice(self.list(literal, Anchor::Anywhere));
                }
                if !is_inside_word(text, hit.start(), hit.end()) && met.first_time(2 * literal + 1)
                {
                    found.extend_from_slice(self.list(literal, Anchor::Word));
                }
                // Literals have no spaces around them, texts and items may.
                if (hit.start() == begin && !planted(Mistake::SpacesForgotten)) || hit.start() == 0
                {
                    found.extend_from_slice(self.list(literal, Anchor::Begin));
                }
                if (hit.end() == end || hit.end() == text.len()) && !planted(Mistake::EndForgotten)
                {
                    found.extend_from_slice(self.list(literal, Anchor::End));
                }
            }
        });
    }

    fn list(&self, literal: usize, anchor: Anchor) -> &[u32] {
        let list = Anchor::COUNT * literal + anchor as usize;
        &self.rules[self.starts[list] as usize..self.starts[list + 1] as usize]
    }

    fn literals(&self) -> usize {
        self.starts.len() / Anchor::COUNT
    }

    /// The rules behind each literal.
    pub(super) fn lists(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.literals()).map(|literal| {
            let first = Anchor::COUNT * literal;
            let (from, to) = (self.starts[first], self.starts[first + Anchor::COUNT]);
            &self.rules[from as usize..to as usize]
        })
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        let automaton = self.automaton.as_ref().map_or(0, Automaton::heap_bytes);
        automaton + size_of_val(&*self.starts) + size_of_val(&*self.rules)
    }
}

/// Whether what stands there is surely a part of a longer word. Only ASCII tells surely: with case or without, an ASCII
/// letter or digit is one.
fn is_inside_word(text: &str, start: usize, end: usize) -> bool {
    let text = text.as_bytes();
    let is_word = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let goes_on = |at: Option<usize>| at.is_some_and(|at| is_word(at) && is_word(at + 1));
    goes_on(start.checked_sub(1)) || goes_on(end.checked_sub(1))
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("literals", &self.literals()).finish_non_exhaustive()
    }
}

impl Met {
    fn begin(&mut self, literals: usize) {
        self.search = self.search.wrapping_add(1);
        if self.search == 0 {
            self.marks.fill(0);
            self.search = 1;
        }
        if self.marks.len() < literals {
            self.marks.resize(literals, 0);
        }
    }

    fn first_time(&mut self, literal: usize) -> bool {
        std::mem::replace(&mut self.marks[literal], self.search) != self.search
    }
}
