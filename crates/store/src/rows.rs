//! Rows as maps.

use std::collections::BTreeMap;

use rusqlite::Result;

/// The map of these rows; see [`mynah_core::to_map`] for why they are not collected.
pub(crate) fn to_map<K: Ord, V>(
    rows: impl Iterator<Item = Result<(K, V)>>,
) -> Result<BTreeMap<K, V>> {
    let mut map = BTreeMap::new();
    for row in rows {
        let (key, value) = row?;
        map.insert(key, value);
    }
    Ok(map)
}
