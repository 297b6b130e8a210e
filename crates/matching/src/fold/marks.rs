//! Looks at many bytes of a text at once for the characters that folding may change. Without short cuts, so that a
//! vector machine does it.

/// So many bytes are looked at in one step of a vector machine.
const STEP: usize = 16;

/// A block has at most so many bytes: one bit for each.
const BLOCK: usize = u64::BITS as usize;

/// So many bytes before a byte are looked at with it: as many as an ideograph has.
const BEFORE: usize = 3;

/// So many bytes are looked at for a step: those before it and one behind it belong to it.
const WINDOW: usize = BEFORE + STEP + 1;

/// Of a byte: folding may change something there.
const MARK: u8 = 1;

/// Of a byte: it is a capital letter of ASCII.
const CAPITAL: u8 = 2;

/// The characters that stay as they are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stays {
    /// Those of ASCII with single spaces.
    Signs,
    /// The same, and ideographs.
    SignsAndIdeographs,
    /// All of ASCII, and ideographs.
    AsciiAndIdeographs,
}

/// The marks of a text, block by block.
#[derive(Debug)]
pub(super) struct Blocks<'t> {
    bytes: &'t [u8],
    stays: Stays,
    /// Where the present block begins.
    start: usize,
    /// Where the next one begins.
    next: usize,
    /// A bit for each byte of the present block that has a mark.
    marks: u64,
    /// All that was found so far, one over the other.
    found: u64,
}

impl<'t> Blocks<'t> {
    /// Before the first block.
    pub(super) fn of(text: &'t str, stays: Stays) -> Self {
        Self { bytes: text.as_bytes(), stays, start: 0, next: 0, marks: 0, found: 0 }
    }

    /// Whether the blocks so far have a capital letter of ASCII.
    pub(super) fn have_capital(&self) -> bool {
        self.found & every(CAPITAL) != 0
    }

    /// Whether any byte of the present block has a mark.
    pub(super) fn has_marks(&self) -> bool {
        self.marks != 0
    }

    /// The places in the present block at which folding may change something, in order.
    #[inline]
    pub(super) fn marks(&self) -> impl Iterator<Item = usize> + use<> {
        let (start, mut marks) = (self.start, self.marks);
        std::iter::from_fn(move || {
            let at = start + marks.trailing_zeros() as usize;
            let has_more = marks != 0;
            marks &= marks.wrapping_sub(1);
            has_more.then_some(at)
        })
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
        match self.stays {
            Stays::Signs => self.look::<false, false>(),
            Stays::SignsAndIdeographs => self.look::<false, true>(),
            Stays::AsciiAndIdeographs => self.look::<true, true>(),
        }
    }

    fn look<const BLANKS: bool, const IDEOGRAPHS: bool>(&mut self) {
        let (bytes, start) = (self.bytes, self.start);
        let alone = |at: usize| Marks::alone::<BLANKS, IDEOGRAPHS>(bytes[at]).moved(at - start);
        let mut marks = Marks::default();
        let Some(last) = bytes.len().checked_sub(WINDOW).map(|_| bytes.len() - 1) else {
            (0..bytes.len()).for_each(|at| marks.add(alone(at)));
            return self.add(marks, bytes.len());
        };
        let step = |from: usize| Marks::of_step::<BLANKS, IDEOGRAPHS>(bytes, from);
        let mut from = start;
        if from == 0 {
            (0..BEFORE).for_each(|at| marks.add(alone(at)));
            from = BEFORE;
        }
        let end = bytes.len().min(start + BLOCK);
        while from + STEP <= end && from + STEP <= last {
            marks.add(step(from).moved(from - start));
            from += STEP;
        }
        if end == bytes.len() {
            if from < last {
                // The last step overlaps the one before it.
                let from = last - STEP;
                marks.add(match from.checked_sub(start) {
                    Some(by) => step(from).moved(by),
                    None => step(from).moved_back(start - from),
                });
            }
            marks.add(alone(last));
            from = end;
        }
        self.add(marks, from);
    }

    #[inline]
    fn add(&mut self, marks: Marks, next: usize) {
        self.marks = marks.bits;
        self.found |= marks.found;
        self.next = next;
    }
}

/// What was found at some bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    /// A bit for each that has a mark.
    bits: u64,
    /// All that was found, one over the other.
    found: u64,
}

impl Marks {
    /// What is found at a byte without looking at those around it: each space has a mark.
    #[inline]
    fn alone<const BLANKS: bool, const IDEOGRAPHS: bool>(byte: u8) -> Self {
        let found = u64::from(Alone::<BLANKS, IDEOGRAPHS>::FOUND[usize::from(byte)]);
        Self { bits: found & u64::from(MARK), found }
    }

    /// Looks at the bytes of a step with those around them.
    #[inline]
    fn of_step<const BLANKS: bool, const IDEOGRAPHS: bool>(bytes: &[u8], from: usize) -> Self {
        let Some(window) = bytes[from - BEFORE..].first_chunk() else { return Self::default() };
        let found = look::<BLANKS, IDEOGRAPHS>(window);
        let (one, two) = (found as u64, (found >> 64) as u64);
        if (one | two) & every(MARK) == 0 {
            return Self { bits: 0, found: one | two };
        }
        // Each byte is moved to its bit of the highest byte.
        let bits = |word: u64| (word & every(MARK)).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        Self { bits: bits(one) | bits(two) << 8, found: one | two }
    }

    /// The same, so many bytes on in the block.
    #[inline]
    fn moved(self, by: usize) -> Self {
        Self { bits: self.bits << by, ..self }
    }

    /// The same, so many bytes back in the block; those before it are left out.
    #[inline]
    fn moved_back(self, by: usize) -> Self {
        Self { bits: self.bits >> by, ..self }
    }

    #[inline]
    fn add(&mut self, others: Self) {
        self.bits |= others.bits;
        self.found |= others.found;
    }
}

/// What is found at a byte without looking at those around it.
struct Alone<const BLANKS: bool, const IDEOGRAPHS: bool>;

impl<const BLANKS: bool, const IDEOGRAPHS: bool> Alone<BLANKS, IDEOGRAPHS> {
    const FOUND: [u8; 256] = {
        let mut all = [0; 256];
        let mut byte = 0_u8;
        loop {
            all[byte as usize] = found(byte, stays::<BLANKS, IDEOGRAPHS>(byte));
            if byte == u8::MAX {
                break all;
            }
            byte += 1;
        }
    };
}

/// This in every byte of a word.
const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Looks at each byte of a step with the bytes around it.
#[inline]
fn look<const BLANKS: bool, const IDEOGRAPHS: bool>(window: &[u8; WINDOW]) -> u128 {
    let mut all = [0; STEP];
    for (at, all) in all.iter_mut().enumerate() {
        let byte = window[at + BEFORE];
        let (before, after) = (window[at + BEFORE - 1], window[at + BEFORE + 1]);
        let is_between_signs = is_sign(before) & is_sign(after);
        let is_between_ideographs = begins_ideograph(window[at]) & begins_ideograph(after);
        let is_single = (byte == b' ') & (is_between_signs | is_between_ideographs);
        *all = found(byte, stays::<BLANKS, IDEOGRAPHS>(byte) | is_single);
    }
    u128::from_le_bytes(all)
}

#[inline]
const fn found(byte: u8, stays: bool) -> u8 {
    (if stays { 0 } else { MARK }) | (if is_capital(byte) { CAPITAL } else { 0 })
}

/// Whether a byte stays whatever is around it.
#[inline]
const fn stays<const BLANKS: bool, const IDEOGRAPHS: bool>(byte: u8) -> bool {
    let is_inside = byte.cast_signed() < -0x40;
    is_sign(byte)
        | is_inside
        | (begins_ideograph(byte) & IDEOGRAPHS)
        | ((byte.cast_signed() >= 0) & BLANKS)
}

// As numbers with a sign, the bytes of other characters than those of ASCII are below zero; and a range that is moved
// to the greatest numbers takes one comparison.

/// Whether a byte is a character of ASCII behind the space.
#[inline]
const fn is_sign(byte: u8) -> bool {
    byte.cast_signed() > b' '.cast_signed()
}

/// Whether an ideograph begins with a byte: one of U+4000 to U+9FFF.
#[inline]
const fn begins_ideograph(byte: u8) -> bool {
    byte.wrapping_sub(0xe9 - 0x7f).cast_signed() > 0x7f - 6
}

#[inline]
const fn is_capital(byte: u8) -> bool {
    byte.wrapping_add(0x7f - b'Z').cast_signed() > 0x7f - 26
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_bytes_are_those_of_their_names() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_sign(byte), (b'!'..=0x7f).contains(&byte), "{byte}");
            assert_eq!(begins_ideograph(byte), (0xe4..=0xe9).contains(&byte), "{byte}");
            assert_eq!(is_capital(byte), byte.is_ascii_uppercase(), "{byte}");
        }
    }

    #[test]
    fn marks_are_at_the_bytes_that_may_change() {
        let text = "买 iPhone 15，好  的 a 书 是，上 a";
        for before in (0..150).step_by(3) {
            for after in (0..150).step_by(3) {
                let text = "字".repeat(before / 3) + text + &"字".repeat(after / 3);
                let mut blocks = Blocks::of(&text, Stays::SignsAndIdeographs);
                let mut found = Vec::new();
                while blocks.advance() {
                    assert_eq!(blocks.has_marks(), blocks.marks().next().is_some());
                    found.extend(blocks.marks().map(|at| at - before));
                }
                assert_eq!(found, [3, 13, 19, 20, 24, 26, 34, 40], "{text}");
                assert!(blocks.have_capital());
            }
        }
    }
}
