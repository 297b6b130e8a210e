//! The table of payments, in a SQLite file.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, params};

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS payment (
        event  TEXT PRIMARY KEY,
        chat   TEXT NOT NULL,
        person TEXT NOT NULL,
        name   TEXT NOT NULL,
        what   TEXT NOT NULL,
        cents  INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS payment_of ON payment (chat, person);
";

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    /// The event that reported the payment: the key by which a repeated turn finds its row.
    pub(crate) event: String,
    pub(crate) chat: String,
    pub(crate) person: String,
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) cents: i64,
}

/// The total of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) name: String,
    pub(crate) cents: i64,
}

/// All payments. Its methods block on the disk; call them where blocking is allowed.
pub(crate) struct Ledger(Mutex<Connection>);

impl Ledger {
    /// Opens the ledger in a file, and creates the file if it does not exist.
    pub(crate) fn open(file: &Path) -> rusqlite::Result<Self> {
        Self::on(Connection::open(file)?)
    }

    /// A ledger in memory, which ends with the program.
    pub(crate) fn in_memory() -> rusqlite::Result<Self> {
        Self::on(Connection::open_in_memory()?)
    }

    fn on(connection: Connection) -> rusqlite::Result<Self> {
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Records a payment once, even if the turn is repeated. Returns the total of this person in this chat.
    pub(crate) fn record(&self, payment: &Payment) -> rusqlite::Result<i64> {
        let Payment { event, chat, person, name, what, cents } = payment;
        let connection = self.connection();
        connection.execute(
            "INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (event) DO NOTHING",
            params![event, chat, person, name, what, cents],
        )?;
        connection.query_row(
            "SELECT sum(cents) FROM payment WHERE chat = ? AND person = ?",
            params![chat, person],
            |row| row.get(0),
        )
    }

    /// The totals of all people in a chat, the largest first, each with the name seen last.
    pub(crate) fn totals(&self, chat: &str) -> rusqlite::Result<Vec<Total>> {
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT name, sum(cents), max(rowid) FROM payment WHERE chat = ?
             GROUP BY person ORDER BY 2 DESC, 1",
        )?;
        let totals = statement
            .query_map([chat], |row| Ok(Total { name: row.get(0)?, cents: row.get(1)? }))?;
        totals.collect()
    }

    /// Deletes the payments of a person in a chat, and returns their number.
    pub(crate) fn erase(&self, chat: &str, person: &str) -> rusqlite::Result<usize> {
        self.connection()
            .execute("DELETE FROM payment WHERE chat = ? AND person = ?", [chat, person])
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // Each call is one statement or harmless if incomplete: after a panic, the data is consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
