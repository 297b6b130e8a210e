//! All occurrences of many literals in a text.
//!
//! A literal begins with its key, a few bytes. All places of a text at which a literal may begin are asked for keys in a table
//! of bits, which is small enough to stay in the cache, and without a branch; few places pass. Behind a key are its literals in
//! order, each with the longest other one with which it begins.

mod keys;
mod starts;

use std::ops::{ControlFlow, Range};

use super::injected::{Mistake, injected};
use keys::{Keys, KeysBuilder};
use starts::{Inside, Starts};

pub(crate) use keys::KeyLengths;

/// No literal.
const NONE: u32 = u32::MAX;

/// Many literals, each with a number.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    /// All literals, one after the other, those of a key together and in the order of their bytes.
    text: Box<str>,
    /// Where each of them ends.
    ends: Box<[u32]>,
    /// The longest other literal of its key with which each begins.
    shorter: Box<[u32]>,
    keys: Keys,
    inside: Inside,
}

impl Finder {
    /// Takes literals that differ and are not empty, in the order of these lengths of keys: they are numbered in this order. With
    /// each comes whether it may begin inside of a word of letters and digits of ASCII.
    pub(crate) fn new<'l>(
        lengths: KeyLengths,
        literals: impl Iterator<Item = (&'l str, bool)>,
    ) -> Self {
        let mut text = String::new();
        let (mut ends, mut shorter) = (Vec::new(), Vec::new());
        let (mut keys, mut inside) = (KeysBuilder::new(lengths), Inside::default());
        let mut open: Vec<(u32, &str)> = Vec::new();
        for (number, (literal, may_be_inside)) in (0..).zip(literals) {
            let is_first = keys.add(literal.as_bytes(), number);
            if may_be_inside {
                inside.add(literal.as_bytes()[0]);
            }
            while open.last().is_some_and(|(_, other)| is_first || !literal.starts_with(other)) {
                open.pop();
            }
            text.push_str(literal);
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            shorter.push(open.last().map_or(NONE, |(other, _)| *other));
            open.push((number, literal));
        }
        let keys = keys.build();
        Self { text: text.into(), ends: ends.into(), shorter: shorter.into(), keys, inside }
    }

    /// Gives each place of a text at which a literal is, except where it begins inside of a word and may not, until `give` breaks.
    /// A place may come twice.
    #[inline]
    pub(crate) fn find(
        &self,
        text: &str,
        mut give: impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut starts = Starts::of(text, &self.inside);
        while let Some(places) = starts.next_block() {
            for rank in self.keys.ranks() {
                let mut passed = self.keys.passed(rank, &text.as_bytes()[places.at..], places);
                while passed != 0 {
                    let start = places.at + passed.trailing_zeros() as usize;
                    passed &= passed - 1;
                    let rest = &text.as_bytes()[start..];
                    self.keys.each_of(rank, rest, |literals| {
                        self.find_at(start, rest, literals, &mut give)
                    })?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Gives those literals of a key with which the text behind a place begins.
    #[inline]
    fn find_at(
        &self,
        start: usize,
        text: &[u8],
        literals: Range<u32>,
        give: &mut impl FnMut(u32, Range<usize>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut number = self.last_before(text, literals);
        while number != NONE {
            let literal = self.literal(number).as_bytes();
            if text.starts_with(literal) {
                give(number, start..start + literal.len())?;
                if injected(Mistake::ShorterForgotten) {
                    break;
                }
            }
            number = self.shorter[number as usize];
        }
        ControlFlow::Continue(())
    }

    /// The last literal of a key that is not behind a text: all of the key with which the text begins are this one, or
    /// beginnings of it.
    fn last_before(&self, text: &[u8], literals: Range<u32>) -> u32 {
        let (mut low, mut high) = (literals.start, literals.end);
        // Whether the last one is behind the text does not matter.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.literal(middle).as_bytes() <= text {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// A literal by its number.
    pub(crate) fn literal(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[start..self.ends[number] as usize]
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        let lists = size_of_val(&*self.ends) + size_of_val(&*self.shorter);
        self.text.len() + lists + self.keys.heap()
    }
}

#[cfg(test)]
mod tests;
