//! Read access to a store, also to that of a running bot.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use mynah_core::{
    ChatId, Depths, LogPage, LogQuery, StoreError, StoreStatus, Survey, Timestamp, TroubledAction,
};
use rusqlite::{Connection, OpenFlags, Result};

use crate::error::{translate, translate_io};
use crate::rows::to_map;
use crate::{AccountFolder, log, schema, survey};

/// Synchronous read access to the store of a data folder. Takes no lease and never writes.
#[derive(Debug)]
pub struct Inspector {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

impl Inspector {
    /// Opens the store of a data folder for reading.
    ///
    /// # Errors
    ///
    /// As for [`SqliteStore::open`](crate::SqliteStore::open); `ReadOnly` if there is no store. Does not check all of
    /// the file, so that opening is quick at any size; damage is reported by the call that reads it.
    pub fn open(folder: &Path) -> std::result::Result<Self, StoreError> {
        let path = AccountFolder::new(folder).database();
        schema::check_file(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&path, flags).map_err(|error| translate(error, &path))?;
        schema::check_version(&connection, &path)?;
        Ok(Self { connection, path })
    }

    /// Runs a query.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub(crate) fn query<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T>,
    ) -> std::result::Result<T, StoreError> {
        query(&self.connection).map_err(|error| translate(error, &self.path))
    }

    /// The state of the queues and the last failures.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn status(&self, now: Timestamp) -> std::result::Result<StoreStatus, StoreError> {
        self.query(|connection| status(connection, now))
    }

    /// A page of the log.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn log(&self, query: &LogQuery) -> std::result::Result<LogPage, StoreError> {
        self.query(|connection| log::log(connection, query))
    }

    /// The account in numbers.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub fn survey(&self) -> std::result::Result<Survey, StoreError> {
        self.query(survey::survey)
    }

    /// Copies the store into a new file while the bot runs.
    ///
    /// # Errors
    ///
    /// If the file exists already, or the copying fails.
    pub fn backup(&self, to: &Path) -> std::result::Result<(), StoreError> {
        create_private(to).map_err(|error| translate_io(error, to))?;
        let name = to.to_string_lossy();
        self.connection.execute("VACUUM INTO ?1", [name.as_ref()]).map(|_| ()).map_err(|error| {
            // A partial copy must not pass for a backup. If removing it fails too, the first error is still reported.
            let _ = std::fs::remove_file(to);
            translate(error, to)
        })
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(|_| ())
}

/// The number of events to handle and of actions to send.
pub(crate) fn depths(connection: &Connection) -> Result<Depths> {
    let count = |rows: &str| {
        let sql = format!("SELECT count(*) FROM {rows}");
        connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
    };
    Ok(Depths {
        events: count(schema::open_events(connection)?)?,
        actions: count(schema::open_actions(connection)?)?,
    })
}

pub(crate) fn status(connection: &Connection, now: Timestamp) -> Result<StoreStatus> {
    let day_ago = (now - std::time::Duration::from_secs(24 * 60 * 60)).as_millis();
    let pair = |sql: &str| -> Result<(u64, Option<Timestamp>)> {
        connection.query_row(sql, [], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.map(Timestamp::from_millis)))
        })
    };
    let open = schema::open_events(connection)?;
    let (open_events, oldest_event) = pair(&format!("SELECT count(*), min(accepted) FROM {open}"))?;
    let open = schema::open_actions(connection)?;
    let (open_actions, oldest_action) = pair(&format!("SELECT count(*), min(queued) FROM {open}"))?;
    let (timers, next_timer) = pair("SELECT count(*), min(at) FROM timer")?;
    let handled_today = connection.query_row(
        "SELECT count(*) FROM event WHERE handled >= ?1 AND seq > (
             SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM event
             WHERE handled < ?1 ORDER BY seq DESC LIMIT 1))",
        [day_ago],
        |row| row.get(0),
    )?;
    let settled_today = settled(connection, day_ago)?;
    let troubled = troubled(connection)?;
    Ok(StoreStatus {
        open_events,
        oldest_event,
        open_actions,
        oldest_action,
        timers,
        next_timer,
        handled_today,
        settled_today,
        troubled,
    })
}

pub(crate) fn settled(connection: &Connection, since: i64) -> Result<BTreeMap<String, u64>> {
    let sql = "SELECT outcome, count(*) FROM action WHERE settled >= ?1 GROUP BY outcome";
    let mut statement = connection.prepare_cached(sql)?;
    to_map(statement.query_map([since], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn troubled(connection: &Connection) -> Result<Vec<TroubledAction>> {
    connection
        .prepare(
            "SELECT event, n, chat, settled, outcome, reason FROM action
             WHERE outcome IN ('refused', 'expired', 'unknown') ORDER BY settled DESC, seq DESC LIMIT 10",
        )?
        .query_map([], |row| {
            Ok(TroubledAction {
                id: format!("{}#{}", row.get::<_, String>(0)?, row.get::<_, u32>(1)?),
                chat: ChatId::new(row.get::<_, String>(2)?),
                time: Timestamp::from_millis(row.get(3)?),
                outcome: row.get(4)?,
                reason: row.get(5)?,
            })
        })?
        .collect()
}
