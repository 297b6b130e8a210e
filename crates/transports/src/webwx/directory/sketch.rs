//! How much two lists of members have in common, from a few numbers that are cheap to keep.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The smallest hashes of a set of names: enough to estimate how much two sets of any size overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sketch(Vec<u32>);

impl Sketch {
    /// How many hashes are kept: the estimate is right to about a tenth.
    const KEPT: usize = 64;

    /// Sets smaller than this are only compared as a whole.
    const TELLING: usize = 3;

    /// The sketch of these names. Names that occur twice count once.
    pub(crate) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut hashes: Vec<u32> = names.filter(|name| !name.is_empty()).map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.truncate(Self::KEPT);
        Self(hashes)
    }

    /// Whether there are no names.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The share of all names that are in both sets, from 0 to 100; `None` where either is too small to say. Two names
    /// say something only if both are the same.
    pub(crate) fn percent_in_common(&self, other: &Self) -> Option<usize> {
        if self.0.len() == 2 && self == other {
            return Some(100);
        }
        if self.0.len() < Self::TELLING || other.0.len() < Self::TELLING {
            return None;
        }
        let mut union: Vec<u32> = self.0.iter().chain(&other.0).copied().collect();
        union.sort_unstable();
        union.dedup();
        union.truncate(Self::KEPT);
        let both =
            |hash: &&u32| self.0.binary_search(hash).is_ok() && other.0.binary_search(hash).is_ok();
        Some(union.iter().filter(both).count() * 100 / union.len())
    }
}

/// FNV-1a with a final mix: the same on every machine and in every version, as it is written down.
fn hash(name: &str) -> u32 {
    let mixed = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85eb_ca6b);
    mixed ^ (mixed >> 13)
}

impl Serialize for Sketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hex: String = self.0.iter().map(|hash| format!("{hash:08x}")).collect();
        serializer.serialize_str(&hex)
    }
}

impl<'de> Deserialize<'de> for Sketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        let word = |bytes: &[u8]| u32::from_str_radix(std::str::from_utf8(bytes).ok()?, 16).ok();
        let mut hashes: Vec<u32> = hex.as_bytes().chunks(8).filter_map(word).collect();
        hashes.sort_unstable();
        Ok(Self(hashes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(range: std::ops::Range<u32>) -> Sketch {
        let names: Vec<String> = range.map(|n| format!("成员{n}")).collect();
        Sketch::of(names.iter().map(String::as_str))
    }

    #[test]
    fn the_estimate_is_near_the_truth() {
        for (a, b, truth) in [
            (0..500, 0..500, 100),
            (0..500, 500..1000, 0),
            (0..500, 250..750, 33),
            (0..500, 50..500, 90),
            (0..5, 0..5, 100),
            (0..5, 1..6, 66),
        ] {
            let estimate = numbered(a).percent_in_common(&numbered(b)).unwrap();
            assert!(estimate.abs_diff(truth) <= 15, "{estimate} for {truth}");
        }
    }

    #[test]
    fn too_few_names_say_nothing() {
        assert_eq!(numbered(0..2).percent_in_common(&numbered(0..500)), None);
        assert_eq!(numbered(0..2).percent_in_common(&numbered(1..3)), None);
        assert_eq!(numbered(0..2).percent_in_common(&numbered(0..2)), Some(100));
        assert_eq!(numbered(0..1).percent_in_common(&numbered(0..1)), None);
    }

    #[test]
    fn it_survives_being_written_down() {
        let sketch = numbered(0..100);
        let json = serde_json::to_string(&sketch).unwrap();
        assert_eq!(serde_json::from_str::<Sketch>(&json).unwrap(), sketch);
        assert_eq!(serde_json::from_str::<Sketch>("\"zz\"").unwrap(), Sketch::default());
    }
}
