//! Looks at many bytes of a text at once for the characters that folding may change. Without short cuts, so that a
//! vector machine does it.

/// So many bytes are looked at in one step of a vector machine.
const STEP: usize = 16;

/// So many bytes are looked at together.
const BLOCK: usize = 2 * STEP;

/// Of a byte: it needs a closer look.
const MARK: u8 = 1;

/// Of a byte: it is a capital letter of ASCII.
const CAPITAL: u8 = 2;

/// The characters that stay as they are, besides ASCII with single spaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stays {
    /// Blanks and control characters.
    pub(super) blanks: bool,
    pub(super) ideographs: bool,
}

/// Looks at the blocks of a text, one after the other.
#[derive(Debug)]
pub(super) struct Blocks<'t> {
    bytes: &'t [u8],
    stays: Stays,
    /// Where the next block begins.
    next: usize,
    /// What was found so far in the steps, one over the other.
    found: u128,
}

impl<'t> Blocks<'t> {
    pub(super) fn of(text: &'t str, stays: Stays) -> Self {
        Self { bytes: text.as_bytes(), stays, next: 0, found: 0 }
    }

    /// Whether the blocks so far have a capital letter of ASCII.
    pub(super) fn have_capital(&self) -> bool {
        self.found & u128::from_le_bytes([CAPITAL; STEP]) != 0
    }

    /// The place of the next block, and a bit for each of its bytes that needs a closer look.
    #[inline]
    pub(super) fn next(&mut self) -> Option<(usize, u32)> {
        let start = self.next;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let (first, second) = match rest.as_chunks::<STEP>().0 {
            [first, second, ..] => (u128::from_le_bytes(*first), u128::from_le_bytes(*second)),
            [first] => (u128::from_le_bytes(*first), last(self.bytes, rest.len() - STEP)),
            [] => (last(self.bytes, rest.len()), 0),
        };
        let before = if start == 0 { 0 } else { self.bytes[start - 1] };
        let after = rest.get(BLOCK).copied().unwrap_or_default();
        let one = look(u128::from(before), first, second << 120, self.stays);
        let two = look(first >> 120, second, u128::from(after) << 120, self.stays);
        self.found |= one | two;
        self.next = start + BLOCK;
        let in_text = u64::MAX >> (64 - rest.len().min(BLOCK));
        Some((start, (marks(one) | marks(two) << STEP) & in_text as u32))
    }
}

/// The last bytes of a text, fewer than a step. Zeros follow them.
#[inline]
fn last(bytes: &[u8], count: usize) -> u128 {
    match bytes.last_chunk() {
        Some(end) if count > 0 => u128::from_le_bytes(*end) >> (8 * (STEP - count)),
        _ => bytes.iter().rev().take(count).fold(0, |all, byte| all << 8 | u128::from(*byte)),
    }
}

/// Looks at each byte of a step; the bytes before and behind it are next to it.
#[inline]
fn look(before: u128, step: u128, after: u128, stays: Stays) -> u128 {
    let befores = (step << 8 | before).to_le_bytes();
    let afters = (step >> 8 | after).to_le_bytes();
    let bytes = step.to_le_bytes();
    // As numbers with a sign, the bytes of other characters than those of ASCII are below zero.
    let is_sign = |byte: u8| byte.cast_signed() > b' '.cast_signed();
    let mut found = [0; STEP];
    for (at, found) in found.iter_mut().enumerate() {
        let byte = bytes[at];
        let is_inside = byte.cast_signed() < -0x40;
        let begins_ideograph = byte.wrapping_sub(0xe4) < 6;
        let is_single = (byte == b' ') & is_sign(befores[at]) & is_sign(afters[at]);
        let stays = is_sign(byte)
            | is_inside
            | is_single
            | (begins_ideograph & stays.ideographs)
            | (byte.is_ascii() & stays.blanks);
        *found = if stays { 0 } else { MARK } | if byte.is_ascii_uppercase() { CAPITAL } else { 0 };
    }
    u128::from_le_bytes(found)
}

/// A bit for each byte of a step that has a mark.
#[inline]
fn marks(found: u128) -> u32 {
    // Each byte is moved to its bit of the highest byte.
    let of_eight = |eight: u64| {
        let marks = eight & u64::from_le_bytes([MARK; 8]);
        marks.wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    (of_eight(found as u64) | of_eight((found >> 64) as u64) << 8) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_a_bit() {
        for place in 0..STEP {
            let mut found = [CAPITAL; STEP];
            found[place] |= MARK;
            assert_eq!(marks(u128::from_le_bytes(found)), 1 << place);
        }
    }

    #[test]
    fn marks_are_at_the_bytes_that_may_change() {
        let text = "买 iPhone 15，好  的 a";
        for before in (0..40).step_by(3) {
            let text = "字".repeat(before / 3) + text;
            let mut blocks = Blocks::of(&text, Stays { blanks: false, ideographs: true });
            let mut found = Vec::new();
            while let Some((start, marks)) = blocks.next() {
                found
                    .extend((0..BLOCK).filter(|n| marks >> n & 1 == 1).map(|n| start + n - before));
            }
            assert_eq!(found, [3, 13, 19, 20, 24]);
            assert!(blocks.have_capital());
        }
    }
}
