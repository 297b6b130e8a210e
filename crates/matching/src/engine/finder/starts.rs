//! The places of a text at which a literal may begin.

use crate::sixteen::{BLOCK, STEP, Sixteen};

/// The places, block by block.
#[derive(Debug)]
pub(super) struct Starts<'t> {
    bytes: &'t [u8],
    next: usize,
    inside: &'t Inside,
    /// Whether the block before ends in a letter or digit of ASCII, as its first bit.
    before: u64,
}

/// The letters and digits of ASCII with which literals may begin inside of a word.
#[derive(Debug, Default)]
pub(super) struct Inside {
    few: [u8; Self::FEW],
    count: usize,
}

impl Inside {
    /// So many are looked for; of more, every place inside of a word counts.
    const FEW: usize = 8;

    /// Adds the first byte of a literal.
    pub(super) fn add(&mut self, byte: u8) {
        if self.few[..self.count.min(Self::FEW)].contains(&byte) {
            return;
        }
        if let Some(free) = self.few.get_mut(self.count) {
            *free = byte;
        }
        self.count += 1;
    }
}

/// The places of one block: a bit for each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    /// Where the block begins.
    pub(super) at: usize,
    /// Characters of ASCII.
    pub(super) ascii: u64,
    /// Other characters.
    pub(super) others: u64,
}

/// The greatest byte that does not begin a character, as a number with a sign like the bytes of [`Sixteen`].
const LAST_INSIDE: i8 = -0x41;

impl<'t> Starts<'t> {
    pub(super) fn of(text: &'t str, inside: &'t Inside) -> Self {
        Self { bytes: text.as_bytes(), next: 0, inside, before: 0 }
    }

    /// The places of the next block.
    #[inline]
    pub(super) fn next_block(&mut self) -> Option<Places> {
        let at = self.next;
        if at >= self.bytes.len() {
            return None;
        }
        self.next += BLOCK;
        let rest = &self.bytes[at..];
        Some(match rest.first_chunk() {
            Some(block) => self.places(at, block, u64::MAX),
            None => {
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                self.places(at, &block, (1 << rest.len()) - 1)
            }
        })
    }

    #[inline(never)]
    fn places(&mut self, at: usize, block: &[u8; BLOCK], present: u64) -> Places {
        let (mut begins, mut beyond_ascii, mut spaces, mut words) = (0, 0, 0, 0);
        for (n, step) in block.as_chunks().0.iter().enumerate() {
            let (step, to) = (Sixteen::of(step), n * STEP);
            begins |= step.above(LAST_INSIDE).bits() << to;
            beyond_ascii |= step.bits() << to;
            spaces |= step.equal(b' ').bits() << to;
            let is_word = step.within(b'a', b'z').or(step.within(b'0', b'9'));
            words |= is_word.bits() << to;
        }
        let goes_on = words & (words << 1 | self.before);
        self.before = words >> (BLOCK - 1);
        let inside = if goes_on == 0 { 0 } else { goes_on & self.inside.places(block) };
        let ascii = begins & !(beyond_ascii | spaces | goes_on) | inside;
        Places { at, ascii: ascii & present, others: begins & beyond_ascii }
    }
}

impl Inside {
    /// The places of a block at which such a literal may begin.
    fn places(&self, block: &[u8; BLOCK]) -> u64 {
        let Some(few) = self.few.get(..self.count) else { return u64::MAX };
        let mut places = 0;
        for byte in few {
            for (n, step) in block.as_chunks().0.iter().enumerate() {
                places |= Sixteen::of(step).equal(*byte).bits() << (n * STEP);
            }
        }
        places
    }
}
