//! The persistent records of the transport: table `record`.

use mynah_core::Records;
use rusqlite::{Connection, Result};

use crate::rows::to_map;

/// Writes the changed records. An empty value removes its record.
pub(crate) fn write(connection: &Connection, records: &Records) -> Result<()> {
    for (key, value) in records {
        if value.is_empty() {
            connection.prepare_cached("DELETE FROM record WHERE key = ?1")?.execute([key])?;
        } else {
            connection
                .prepare_cached(
                    "INSERT INTO record (key, value) VALUES (?1, ?2)
                     ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                )?
                .execute([key, value])?;
        }
    }
    Ok(())
}

/// All records.
pub(crate) fn read(connection: &Connection) -> Result<Records> {
    let mut statement = connection.prepare_cached("SELECT key, value FROM record")?;
    to_map(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}
