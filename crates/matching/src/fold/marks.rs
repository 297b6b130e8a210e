//! Looks at many bytes of a text at once for the characters that folding may change.

use crate::sixteen::{self, BLOCK, Moved, Sixteen};

/// The characters that stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    /// Those of ASCII with single spaces.
    Signs,
    /// The same, and ideographs.
    SignsAndIdeographs,
    /// All of ASCII, and ideographs.
    AsciiAndIdeographs,
}

/// The changes of a text, block by block.
#[derive(Debug)]
pub(super) struct Blocks<'t> {
    bytes: &'t [u8],
    stays: Stays,
    /// Where the present block begins.
    start: usize,
    /// Where the next one begins.
    next: usize,
    changes: Changes,
    /// The last bytes of the block before.
    before: Before,
    has_capital: bool,
}

/// The places at which a block changes: a bit for each of its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Changes {
    /// Spaces that are left out.
    pub(super) drops: u64,
    /// Those of them that do not count, so that no space is left of their run.
    pub(super) idle: u64,
    /// Characters and blanks that need a closer look.
    pub(super) looks: u64,
}

impl<'t> Blocks<'t> {
    /// Before the first block.
    pub(super) fn of(text: &'t str, stays: Stays) -> Self {
        Self {
            bytes: text.as_bytes(),
            stays,
            start: 0,
            next: 0,
            changes: Changes::default(),
            before: Before::default(),
            has_capital: false,
        }
    }

    /// Whether the blocks so far have a capital letter of ASCII.
    pub(super) fn have_capital(&self) -> bool {
        self.has_capital
    }

    /// Whether anything in the present block may change.
    pub(super) fn has_changes(&self) -> bool {
        self.changes.drops | self.changes.looks != 0
    }

    /// Where the present block begins, and its changes.
    #[inline]
    pub(super) fn changes(&self) -> (usize, Changes) {
        (self.start, self.changes)
    }

    /// Goes on to the next block; `false` if there is none.
    #[inline]
    pub(super) fn advance(&mut self) -> bool {
        let has_more = self.next < self.bytes.len();
        if has_more {
            self.look_at_next();
        }
        has_more
    }

    #[inline(never)]
    fn look_at_next(&mut self) {
        self.start = self.next;
        let is_width = self.stays == Stays::AsciiAndIdeographs;
        let block = Block::of(self.bytes, self.start, if is_width { -1 } else { SPACE });
        self.next = self.start + BLOCK;
        self.has_capital |= block.capitals.bits() != 0;
        self.changes = if is_width {
            Changes {
                looks: block.begins & !(block.ideographs | block.signs),
                ..Changes::default()
            }
        } else {
            let changes = block.changes(self.before, self.stays == Stays::SignsAndIdeographs);
            self.before = block.end();
            changes
        };
    }
}

/// An ideograph has so many bytes.
const IDEOGRAPH: usize = 3;

/// The space, as a number with a sign like the bytes of [`Sixteen`].
const SPACE: i8 = b' '.cast_signed();

/// The greatest byte that does not begin a character.
const LAST_INSIDE: i8 = -0x41;

/// What the bytes of a block are: a bit for each.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    /// Those that begin a character.
    begins: u64,
    /// Those that begin an ideograph, one of U+4000 to U+9FFF.
    ideographs: u64,
    spaces: u64,
    /// Characters of ASCII behind the space, or all of them.
    signs: u64,
    /// Where a step has capital letters of ASCII.
    capitals: Sixteen,
}

/// The last bytes of a block, at the bits that they have for the next one.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    sign: u64,
    ideograph: u64,
    space: u64,
}

impl Block {
    /// Looks at the block that begins there; its signs are the characters of ASCII above this one.
    #[inline(always)]
    fn of(bytes: &[u8], start: usize, above: i8) -> Self {
        let mut block = Self::default();
        sixteen::each_step(bytes, start, |step, moved| block.add(step, above, moved));
        block
    }

    /// Adds the bits of a step, moved to their place.
    #[inline]
    fn add(&mut self, step: Sixteen, above: i8, moved: Moved) {
        self.begins |= moved.of(step.above(LAST_INSIDE));
        self.ideographs |= moved.of(step.within(0xe4, 0xe9));
        self.spaces |= moved.of(step.equal(b' '));
        self.signs |= moved.of(step.above(above));
        self.capitals = self.capitals.or(step.within(b'A', b'Z'));
    }

    /// The spaces between signs and ideographs are decided at once, one or two of them in a row.
    #[inline]
    fn changes(&self, before: Before, ideographs_stay: bool) -> Changes {
        let &Self { spaces, signs, ideographs, .. } = self;
        let first = spaces & !(spaces << 1 | before.space);
        // Of the byte behind a space, or behind two.
        let behind = |kind: u64| (kind | (spaces & kind >> 1)) >> 1;
        let (sign_behind, ideograph_behind) = (behind(signs), behind(ideographs));
        let sign_before = signs << 1 | before.sign;
        let ideograph_before = ideographs << IDEOGRAPH | before.ideograph;
        let is_decided = (sign_behind | ideograph_behind) & (sign_before | ideograph_before);
        let decided = first & is_decided;
        let idle = decided & (sign_behind ^ sign_before);
        let second = (decided & spaces >> 1) << 1;
        let ideographs_that_stay = if ideographs_stay { ideographs } else { 0 };
        let stay = signs | decided | second | ideographs_that_stay;
        Changes { drops: idle | second, idle, looks: self.begins & !stay }
    }

    #[inline]
    fn end(&self) -> Before {
        Before {
            sign: self.signs >> (BLOCK - 1),
            ideograph: self.ideographs >> (BLOCK - IDEOGRAPH),
            space: self.spaces >> (BLOCK - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of the spaces left out, and of those that need a closer look.
    fn places(text: &str) -> (Vec<usize>, Vec<usize>) {
        let mut blocks = Blocks::of(text, Stays::SignsAndIdeographs);
        let (mut drops, mut looks) = (Vec::new(), Vec::new());
        let of = |bits: u64| (0..BLOCK).filter(move |bit| bits >> bit & 1 == 1);
        while blocks.advance() {
            let (start, changes) = blocks.changes();
            assert_eq!(blocks.has_changes(), changes.drops | changes.looks != 0);
            drops.extend(of(changes.drops).map(|bit| start + bit));
            looks.extend(of(changes.looks).map(|bit| start + bit));
        }
        assert!(blocks.have_capital());
        (drops, looks)
    }

    #[test]
    fn changes_are_at_the_bytes_that_may_change() {
        let text = "买 iPhone 15，好  的 a 书 是，上 a";
        for before in (0..150).step_by(3) {
            for after in (0..150).step_by(3) {
                let (drops, looks) =
                    places(&("字".repeat(before / 3) + text + &"字".repeat(after / 3)));
                // A run of spaces whose end is not in the block needs a closer look.
                let is_cut = |at: usize| (before + at..before + at + 2).any(|at| at % BLOCK == 63);
                for at in 0..text.len() {
                    let (drop, look) =
                        (drops.contains(&(before + at)), looks.contains(&(before + at)));
                    let is_space = text.as_bytes()[at] == b' ';
                    let expected = ([3, 20, 24, 26, 40].contains(&at), [13, 34].contains(&at));
                    let is_expected = (drop, look) == expected;
                    assert!(is_expected || is_space && is_cut(at - 1), "{at} of {before}, {after}");
                }
            }
        }
    }
}
