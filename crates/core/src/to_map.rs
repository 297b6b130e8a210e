//! Maps with little code.

use std::collections::BTreeMap;

/// The map of these pairs; of equal keys the last one counts.
///
/// `collect` does the same and adds several kilobytes to a program for each place that calls it: it sorts the pairs first, by
/// code of its own for each iterator.
///
/// ```
/// let map = mynah_core::to_map([("b", 1), ("a", 2), ("b", 3)]);
/// assert_eq!(map.into_iter().collect::<Vec<_>>(), [("a", 2), ("b", 3)]);
/// ```
pub fn to_map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    pairs.into_iter().for_each(|(key, value)| drop(map.insert(key, value)));
    map
}
