//! The values of one owner, for readers.

use std::collections::BTreeMap;

use mynah_core::{ChatId, PersonId, StateOwner, StateValue, Timestamp};
use rusqlite::{Connection, Result};

use crate::export::number;

/// The values of an owner that have not expired and whose keys begin with `prefix`.
pub(crate) fn values(
    connection: &Connection,
    owner: &StateOwner,
    prefix: &str,
    now: Timestamp,
) -> Result<BTreeMap<String, StateValue>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, value, expires FROM state
         WHERE scope = ?1 AND chat = ?2 AND person = ?3 AND key >= ?4
         AND (expires IS NULL OR expires > ?5) ORDER BY key",
    )?;
    let chat = owner.chat().map_or("", ChatId::as_str);
    let person = owner.person().map_or("", PersonId::as_str);
    let mut rows =
        statement.query((number(owner.scope()), chat, person, prefix, now.as_millis()))?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        // Keys are sorted byte by byte, so those with the prefix follow each other.
        if !key.starts_with(prefix) {
            break;
        }
        let expires = row.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis);
        found.insert(key, StateValue { text: row.get(1)?, expires });
    }
    Ok(found)
}
