//! Comparisons of sixteen bytes at once, with one bit of the result for each byte; and the blocks of a text for which these
//! bits are one number.

use operations::Bytes;

/// So many bytes are compared at once.
pub(crate) const STEP: usize = 16;

/// A block has at most so many bytes: one bit for each.
pub(crate) const BLOCK: usize = u64::BITS as usize;

/// Sixteen bytes of a text as numbers with a sign: those of characters beyond ASCII are below zero.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sixteen(Bytes);

impl Sixteen {
    #[inline]
    pub(crate) fn of(bytes: &[u8; STEP]) -> Self {
        Self(operations::of(bytes.map(u8::cast_signed)))
    }

    /// -1 for the bytes that equal one, 0 for the others.
    #[inline]
    pub(crate) fn equal(self, byte: u8) -> Self {
        Self(operations::equal(self.0, operations::all(byte.cast_signed())))
    }

    /// The same for the bytes above a number.
    #[inline]
    pub(crate) fn above(self, number: i8) -> Self {
        Self(operations::above(self.0, operations::all(number)))
    }

    /// The same for the bytes from one to another. The range is moved to the greatest numbers: it takes one comparison.
    #[inline]
    pub(crate) fn within(self, first: u8, last: u8) -> Self {
        let to_end = i8::MAX.wrapping_sub(last.cast_signed());
        let below = i8::MAX.wrapping_sub_unsigned(last - first + 1);
        Self(operations::sum(self.0, operations::all(to_end))).above(below)
    }

    #[inline]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(operations::or(self.0, other.0))
    }

    /// A bit for each byte below zero.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        u64::from(operations::bits(self.0))
    }
}

/// The way of the bits of a step to their places in a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    left: usize,
    right: usize,
}

impl Moved {
    /// The bits of a step at their places.
    #[inline]
    pub(crate) fn of(self, step: Sixteen) -> u64 {
        step.bits() << self.left >> self.right
    }
}

/// Gives the steps of the block of a text that begins there, at most [`BLOCK`] bytes. Bits that no byte of the block has are 0
/// after they are moved.
#[inline(always)]
pub(crate) fn each_step(bytes: &[u8], start: usize, mut give: impl FnMut(Sixteen, Moved)) {
    let rest = &bytes[start..];
    let (steps, tail) = rest.as_chunks();
    for (n, step) in steps.iter().take(BLOCK / STEP).enumerate() {
        give(Sixteen::of(step), Moved { left: n * STEP, right: 0 });
    }
    if rest.len() < BLOCK && !tail.is_empty() {
        if let Some(last) = rest.last_chunk() {
            // It overlaps the step before it.
            give(Sixteen::of(last), Moved { left: rest.len() - STEP, right: 0 });
        } else if let Some(last) = bytes.last_chunk() {
            give(Sixteen::of(last), Moved { left: 0, right: STEP - rest.len() });
        } else {
            let mut padded = [0; STEP];
            padded[..rest.len()].copy_from_slice(rest);
            let unused = BLOCK - rest.len();
            give(Sixteen::of(&padded), Moved { left: unused, right: unused });
        }
    }
}

/// The instructions themselves: `wide` calls the same, and takes six seconds longer to build.
#[cfg(target_arch = "x86_64")]
mod operations {
    pub(super) use safe_arch::add_i8_m128i as sum;
    pub(super) use safe_arch::bitor_m128i as or;
    pub(super) use safe_arch::cmp_eq_mask_i8_m128i as equal;
    pub(super) use safe_arch::cmp_gt_mask_i8_m128i as above;
    pub(super) use safe_arch::m128i as Bytes;
    pub(super) use safe_arch::set_splat_i8_m128i as all;

    use super::STEP;

    #[inline]
    pub(super) fn of(bytes: [i8; STEP]) -> Bytes {
        Bytes::from(bytes)
    }

    #[inline]
    pub(super) fn bits(bytes: Bytes) -> u16 {
        safe_arch::move_mask_i8_m128i(bytes).cast_unsigned() as u16
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod operations {
    pub(super) use wide::i8x16 as Bytes;

    use super::STEP;

    #[inline]
    pub(super) fn of(bytes: [i8; STEP]) -> Bytes {
        Bytes::new(bytes)
    }

    #[inline]
    pub(super) fn all(byte: i8) -> Bytes {
        Bytes::splat(byte)
    }

    #[inline]
    pub(super) fn equal(one: Bytes, other: Bytes) -> Bytes {
        one.simd_eq(other)
    }

    #[inline]
    pub(super) fn above(one: Bytes, other: Bytes) -> Bytes {
        one.simd_gt(other)
    }

    #[inline]
    pub(super) fn sum(one: Bytes, other: Bytes) -> Bytes {
        one + other
    }

    #[inline]
    pub(super) fn or(one: Bytes, other: Bytes) -> Bytes {
        one | other
    }

    #[inline]
    pub(super) fn bits(bytes: Bytes) -> u32 {
        bytes.to_bitmask()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each byte at a place of its own.
    fn all_bytes() -> impl Iterator<Item = [u8; STEP]> {
        (0..=u8::MAX).step_by(STEP).map(|first| std::array::from_fn(|at| first + at as u8))
    }

    fn bits(bytes: &[u8; STEP], holds: impl Fn(u8) -> bool) -> u64 {
        (0..STEP).map(|at| u64::from(holds(bytes[at])) << at).sum()
    }

    #[test]
    fn bits_are_those_of_the_bytes_for_which_it_holds() {
        for bytes in all_bytes() {
            let sixteen = Sixteen::of(&bytes);
            assert_eq!(sixteen.bits(), bits(&bytes, |byte| byte >= 0x80));
            assert_eq!(sixteen.equal(b' ').bits(), bits(&bytes, |byte| byte == b' '));
            assert_eq!(sixteen.above(-65).bits(), bits(&bytes, |byte| byte.cast_signed() > -65));
            for (first, last) in [(b'A', b'Z'), (0xe4, 0xe9), (0x80, 0xbf)] {
                let expected = bits(&bytes, |byte| (first..=last).contains(&byte));
                assert_eq!(sixteen.within(first, last).bits(), expected, "{first} to {last}");
            }
        }
    }
}
