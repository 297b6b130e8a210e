//! A read that stays open between transactions. While it is open, a transaction only takes and releases the lock of the
//! log for writing; without it, each one also takes, moves and releases a read mark: six calls of the system in place of
//! two. Other connections read and write as before; if one of them has written, the next transaction begins without this
//! read. A checkpoint cannot pass the read, so it ends before one.

use rusqlite::{Connection, Result};

/// It has more than one row, so it stays open after the first.
const HELD: &str = "SELECT name FROM sqlite_schema";

/// Begins the read.
pub(crate) fn take(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare_cached(HELD)?;
    let mut rows = statement.raw_query();
    rows.next()?;
    // Dropping the rows would end the read. The statement goes back to the cache as it is.
    std::mem::forget(rows);
    Ok(())
}

/// Ends the read.
pub(crate) fn release(connection: &Connection) -> Result<()> {
    drop(connection.prepare_cached(HELD)?.raw_query());
    Ok(())
}
