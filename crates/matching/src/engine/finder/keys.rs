//! Keys of literals, and the literals behind each.

use std::ops::{ControlFlow, Range};

use super::starts::Places;

/// A key has at most so many bytes: all that are looked at together.
const WORD: usize = size_of::<u64>();

/// How many lengths the keys of a kind can have.
const RANKS: usize = 4;

/// The lengths that keys can have, longest first: for literals that begin with ASCII, and for others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyLengths([[usize; RANKS]; 2]);

impl KeyLengths {
    /// A text has few keys of many literals only if keys are long, but each length takes time.
    pub(super) const FEW: Self = Self([[4, 2, 1, 0], [6, 3, 2, 0]]);
    pub(super) const MANY: Self = Self([[6, 4, 2, 1], [WORD, 6, 3, 2]]);

    /// So many literals are many.
    const MOST_FEW: usize = 1 << 12;

    /// Those for so many literals.
    pub(crate) fn of(literals: usize) -> Self {
        if literals > Self::MOST_FEW { Self::MANY } else { Self::FEW }
    }

    /// By which literals are ordered: those of one key are together.
    pub(crate) fn order(self, literal: &str) -> (usize, &str) {
        (self.rank(literal.as_bytes()), literal)
    }

    /// Which of the lengths the key of a literal has: the longest that fits.
    fn rank(self, literal: &[u8]) -> usize {
        let lengths = self.0[kind(literal)];
        lengths.into_iter().take_while(|length| *length > literal.len()).count()
    }
}

/// 0 if a text begins with ASCII.
fn kind(text: &[u8]) -> usize {
    usize::from(text.first().is_some_and(|byte| !byte.is_ascii()))
}

/// Keys, and the literals of each.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// First the longest keys.
    ranks: Box<[Rank]>,
    /// A bit for each hash of a key.
    bits: Box<[u64]>,
    /// The slot of a key is at its hash or behind it.
    slots: Box<[Slot]>,
}

/// Keys of one length for literals that begin with ASCII, and of one for others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rank {
    /// The bytes of a key among those of a word; none if there are no such keys.
    masks: [u64; 2],
}

/// A key, as the number that its bytes are, and its literals.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    start: u32,
    /// No key is here if this is 0.
    end: u32,
}

/// The upper bits of the hash of a number.
#[inline]
fn hash(number: u64) -> usize {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

/// The bytes of a text from a place on, as a number; behind its end are zeros.
#[inline]
fn word(text: &[u8], at: usize) -> u64 {
    match text.get(at..at + WORD).and_then(|word| word.first_chunk()) {
        Some(word) => u64::from_le_bytes(*word),
        None => last_word(text, at),
    }
}

#[inline(never)]
fn last_word(text: &[u8], at: usize) -> u64 {
    let missing = at + WORD - text.len();
    if let Some(last) = text.last_chunk() {
        return u64::from_le_bytes(*last) >> (8 * missing);
    }
    let mut word = [0; WORD];
    word[..WORD - missing].copy_from_slice(&text[at..]);
    u64::from_le_bytes(word)
}

impl Keys {
    /// The lengths of its keys.
    pub(super) fn ranks(&self) -> &[Rank] {
        &self.ranks
    }

    /// Those of some places at which a key of these lengths may be. The text begins with their block.
    #[inline(never)]
    pub(super) fn passed(&self, rank: &Rank, text: &[u8], places: Places) -> u64 {
        let (bits, last) = (&*self.bits, self.bits.len().wrapping_sub(1));
        let all = |mask| if mask == 0 { 0 } else { u64::MAX };
        let masks = rank.masks;
        let mut left = (places.ascii & all(masks[0])) | (places.others & all(masks[1]));
        let mut passed = 0;
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            let word = word(text, place);
            // The highest bit of its first byte says whether that is beyond ASCII.
            let hash = hash(word & masks[(word >> 7 & 1) as usize]);
            passed |= (bits[(hash / 64) & last] >> (hash % 64) & 1) << place;
        }
        passed
    }

    /// Gives the literals of the key of these lengths with which a text begins.
    #[inline]
    pub(super) fn each_of(
        &self,
        rank: &Rank,
        text: &[u8],
        mut give: impl FnMut(Range<u32>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let key = word(text, 0) & rank.masks[kind(text)];
        let last = self.slots.len().wrapping_sub(1);
        let mut at = hash(key);
        loop {
            let slot = self.slots[at & last];
            if slot.end == 0 {
                return ControlFlow::Continue(());
            }
            // Keys of different lengths are the same number if one of them ends in NUL.
            if slot.key == key {
                give(slot.start..slot.end)?;
            }
            at += 1;
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap(&self) -> usize {
        size_of_val(&*self.ranks) + size_of_val(&*self.bits) + size_of_val(&*self.slots)
    }
}

/// Collects the keys of literals.
#[derive(Debug)]
pub(super) struct KeysBuilder {
    lengths: KeyLengths,
    ranks: [Rank; RANKS],
    slots: Vec<Slot>,
    /// The rank of the last literal.
    rank: usize,
}

impl KeysBuilder {
    /// Bits for each key, at least: of many keys a few, so that the table stays in the cache.
    const BITS_OF_FEW: usize = 64;
    const BITS_OF_MANY: usize = 32;

    pub(super) fn new(lengths: KeyLengths) -> Self {
        Self { lengths, ranks: Default::default(), slots: Vec::new(), rank: 0 }
    }

    /// Adds the next literal; gives whether it is the first of its key.
    pub(super) fn add(&mut self, literal: &[u8], number: u32) -> bool {
        let (kind, rank) = (kind(literal), self.lengths.rank(literal));
        let mask = u64::MAX >> (8 * (WORD - self.lengths.0[kind][rank]));
        self.ranks[rank].masks[kind] = mask;
        let key = word(literal, 0) & mask;
        let is_of_rank = std::mem::replace(&mut self.rank, rank) == rank;
        match self.slots.last_mut().filter(|slot| is_of_rank && slot.key == key) {
            Some(slot) => slot.end = number + 1,
            None => self.slots.push(Slot { key, start: number, end: number + 1 }),
        }
        self.slots.last().is_some_and(|slot| slot.start == number)
    }

    pub(super) fn build(self) -> Keys {
        let count = self.slots.len();
        let is_few = count <= KeyLengths::MOST_FEW;
        let each = if is_few { Self::BITS_OF_FEW } else { Self::BITS_OF_MANY };
        let words = (count * each / 64).next_power_of_two().max(16);
        let size = (count + count / 2 + 1).next_power_of_two();
        let (mut bits, mut slots) = (vec![0; words], vec![Slot::default(); size]);
        for slot in self.slots {
            let hash = hash(slot.key);
            bits[hash / 64 % words] |= 1 << (hash % 64);
            let mut at = hash % size;
            while slots[at].end > 0 {
                at = (at + 1) % size;
            }
            slots[at] = slot;
        }
        let ranks = self.ranks.into_iter().filter(|rank| *rank != Rank::default()).collect();
        Keys { ranks, bits: bits.into(), slots: slots.into() }
    }
}
