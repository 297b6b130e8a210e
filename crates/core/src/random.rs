//! Reproducible random numbers: they depend only on the seed and the event.

use crate::EventId;

/// A stream of random numbers, the same for the same seed and event.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream for an event under a seed.
    #[must_use]
    pub fn of(seed: u64, event: &EventId) -> Self {
        // FNV-1a over the id, mixed with the seed: stable across versions of Rust, unlike the standard hasher.
        let hash = event.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash ^ seed.rotate_left(32))
    }

    /// A stream that starts from this number.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (SplitMix64).
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.next_u64()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// A number from 0 (inclusive) to 1 (exclusive).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_draws_the_same_numbers() {
        let draw = |seed, id: &str| Random::of(seed, &EventId::from(id)).next_u64();
        assert_eq!(draw(7, "a"), draw(7, "a"));
        assert_ne!(draw(7, "a"), draw(8, "a"));
        assert_ne!(draw(7, "a"), draw(7, "b"));
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut random = Random::from_seed(1);
        assert!((0..1000).all(|_| random.below(3) < 3 && random.unit() < 1.0));
        assert_eq!(random.below(0), 0);
    }
}
