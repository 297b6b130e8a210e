//! The tables and their versions.
//!
//! `event` is inbox and log, `action` outbox and history; the queues are in memory (see [`queues`](crate::queues)), and
//! the views `open_event` and `open_action` are all unhandled events and unsettled actions: those among the rows behind
//! the mark, and those before it, which `late_event` and `late_action` list. `event_id` finds the events before the mark.
//! `seen` holds the ids of events whose log entry is gone, so that a late repetition is still recognised. `hit` counts
//! the rules that fired, longer than the log is kept.
//!
//! Every index costs a page in the log of writes for each row that it gets, so there is none for rare questions. The
//! actions of a turn have consecutive numbers, and its event knows them: `first_action` and `actions`. Texts are the
//! last columns, since SQLite reads a row up to the column that is asked for. `message` of an event is empty where its
//! id gives the id of the message. `until` of an action is the time until which the request of its last claim may be
//! under way. `name` of a state is that of the person when the value last changed.

use std::path::Path;

use mynah_core::StoreError;
use rusqlite::Connection;

use crate::database::log_path;
use crate::error::{translate, translate_io};
use crate::events::EVENT_OR_MESSAGE;

/// The steps from each version to the next. The version of a file is the number of steps that it has taken.
const STEPS: [&str; 6] = ["
    CREATE TABLE event (
        seq      INTEGER PRIMARY KEY,
        id       TEXT NOT NULL UNIQUE,
        lane     TEXT NOT NULL,
        time     INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        body     TEXT,
        message  TEXT,
        person   TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        begun    INTEGER NOT NULL DEFAULT 0,
        handled  INTEGER,
        decided  TEXT
    ) STRICT;
    CREATE INDEX inbox ON event (lane, seq) WHERE handled IS NULL;
    CREATE INDEX event_of_message ON event (message) WHERE message IS NOT NULL;
    CREATE TABLE seen (
        seq      INTEGER PRIMARY KEY,
        id       TEXT NOT NULL UNIQUE,
        accepted INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE action (
        seq        INTEGER PRIMARY KEY,
        event      TEXT NOT NULL,
        n          INTEGER NOT NULL,
        chat       TEXT NOT NULL,
        body       TEXT,
        queued     INTEGER NOT NULL,
        turn_order INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        expires    INTEGER,
        attempts   INTEGER NOT NULL DEFAULT 0,
        doubts     INTEGER NOT NULL DEFAULT 0,
        claimed    INTEGER,
        last_claim INTEGER,
        settled    INTEGER,
        outcome    TEXT,
        reason     TEXT,
        message    TEXT,
        UNIQUE (event, n)
    ) STRICT;
    CREATE INDEX outbox ON action (chat, turn_order, seq) WHERE settled IS NULL;
    CREATE INDEX action_claims ON action (last_claim) WHERE last_claim IS NOT NULL;
    CREATE TABLE state (
        scope   INTEGER NOT NULL,
        chat    TEXT NOT NULL,
        person  TEXT NOT NULL,
        key     TEXT NOT NULL,
        value   TEXT NOT NULL,
        version INTEGER NOT NULL,
        expires INTEGER,
        PRIMARY KEY (scope, chat, person, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX state_expiry ON state (expires) WHERE expires IS NOT NULL;
    CREATE TABLE timer (
        chat TEXT NOT NULL,
        key  TEXT NOT NULL,
        at   INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (chat, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX timer_due ON timer (at);
    CREATE TABLE record (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
", "
    CREATE TABLE hit (
        rule  TEXT NOT NULL,
        day   INTEGER NOT NULL,
        times INTEGER NOT NULL,
        last  INTEGER NOT NULL,
        PRIMARY KEY (rule, day)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX hit_day ON hit (day);
    INSERT INTO hit SELECT '', handled / 86400000 AS day, count(*), max(handled) FROM event
        WHERE handled IS NOT NULL GROUP BY day;
    INSERT INTO hit SELECT decided ->> '$.rule' AS rule, handled / 86400000 AS day, count(*), max(handled) FROM event
        WHERE rule <> '' AND decided ->> '$.quiet' IS NULL GROUP BY rule, day;
", "
    ALTER TABLE action ADD COLUMN token INTEGER;
    CREATE UNIQUE INDEX action_token ON action (token) WHERE token IS NOT NULL;
    CREATE INDEX due_inbox ON event (lane) WHERE handled IS NULL AND id GLOB 'due:*';
", "
    CREATE TABLE leaner_event (
        seq          INTEGER PRIMARY KEY,
        id           TEXT NOT NULL UNIQUE,
        lane         TEXT NOT NULL,
        time         INTEGER NOT NULL,
        accepted     INTEGER NOT NULL,
        attempts     INTEGER NOT NULL DEFAULT 0,
        begun        INTEGER NOT NULL DEFAULT 0,
        handled      INTEGER,
        first_action INTEGER,
        actions      INTEGER NOT NULL DEFAULT 0,
        message      TEXT,
        person       TEXT,
        body         TEXT,
        decided      TEXT
    ) STRICT;
    INSERT INTO leaner_event
        SELECT seq, id, lane, time, accepted, attempts, begun, handled,
               (SELECT min(seq - n) FROM action WHERE action.event = event.id),
               (SELECT coalesce(max(n) + 1, 0) FROM action WHERE action.event = event.id),
               message, person, body, decided FROM event;
    DROP TABLE event;
    ALTER TABLE leaner_event RENAME TO event;
    CREATE INDEX inbox ON event (lane, seq) WHERE handled IS NULL;
    CREATE INDEX event_of_message ON event (message) WHERE message IS NOT NULL;
    CREATE INDEX due_inbox ON event (lane) WHERE handled IS NULL AND id GLOB 'due:*';
    CREATE TABLE leaner_action (
        seq        INTEGER PRIMARY KEY,
        event      TEXT NOT NULL,
        n          INTEGER NOT NULL,
        chat       TEXT NOT NULL,
        queued     INTEGER NOT NULL,
        turn_order INTEGER NOT NULL,
        not_before INTEGER NOT NULL,
        expires    INTEGER,
        attempts   INTEGER NOT NULL DEFAULT 0,
        doubts     INTEGER NOT NULL DEFAULT 0,
        claimed    INTEGER,
        last_claim INTEGER,
        until      INTEGER,
        settled    INTEGER,
        outcome    TEXT,
        reason     TEXT,
        message    TEXT,
        body       TEXT
    ) STRICT;
    INSERT INTO leaner_action
        SELECT seq, event, n, chat, queued, turn_order, not_before, expires, attempts, doubts, claimed, last_claim,
               NULL, settled, outcome, reason, message, body FROM action;
    DROP TABLE action;
    ALTER TABLE leaner_action RENAME TO action;
    CREATE INDEX outbox ON action (chat, turn_order, seq) WHERE settled IS NULL;
    DROP INDEX state_expiry;
    CREATE TABLE daily_hit (
        day   INTEGER NOT NULL,
        rule  TEXT NOT NULL,
        times INTEGER NOT NULL,
        last  INTEGER NOT NULL,
        PRIMARY KEY (day, rule)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO daily_hit SELECT day, rule, times, last FROM hit;
    DROP TABLE hit;
    ALTER TABLE daily_hit RENAME TO hit;
    CREATE TABLE wide_record (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT;
    INSERT INTO wide_record SELECT key, value FROM record;
    DROP TABLE record;
    ALTER TABLE wide_record RENAME TO record;
", "
    ALTER TABLE state ADD COLUMN name TEXT;
    CREATE INDEX event_of_person ON event (person, lane, seq);
    UPDATE state SET name = (
        SELECT substr(replace(replace(coalesce(body ->> '$.sender.name', body ->> '$.person.name'),
                                      char(10), ' '), char(13), ' '), 1, 30)
        FROM event WHERE event.person = state.person AND event.lane = state.chat AND body IS NOT NULL
        ORDER BY seq DESC LIMIT 1
    ) WHERE scope = 2;
    DROP INDEX event_of_person;
", "
    CREATE TABLE late_event (seq INTEGER PRIMARY KEY) STRICT;
    INSERT INTO late_event SELECT seq FROM event WHERE handled IS NULL ORDER BY seq;
    CREATE TABLE late_action (seq INTEGER PRIMARY KEY) STRICT;
    INSERT INTO late_action SELECT seq FROM action WHERE settled IS NULL ORDER BY seq;
    CREATE TABLE mark (event INTEGER NOT NULL, action INTEGER NOT NULL) STRICT;
    INSERT INTO mark SELECT (SELECT coalesce(max(seq), 0) FROM event), (SELECT coalesce(max(seq), 0) FROM action);
    DROP INDEX outbox;
    CREATE TABLE bare_event (
        seq          INTEGER PRIMARY KEY,
        id           TEXT NOT NULL,
        lane         TEXT NOT NULL,
        time         INTEGER NOT NULL,
        accepted     INTEGER NOT NULL,
        attempts     INTEGER NOT NULL DEFAULT 0,
        begun        INTEGER NOT NULL DEFAULT 0,
        handled      INTEGER,
        first_action INTEGER,
        actions      INTEGER NOT NULL DEFAULT 0,
        message      TEXT,
        person       TEXT,
        body         TEXT,
        decided      TEXT
    ) STRICT;
    INSERT INTO bare_event SELECT * FROM event ORDER BY seq;
    CREATE TABLE event_id (
        id  TEXT PRIMARY KEY,
        seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO event_id SELECT id, seq FROM event ORDER BY id;
    DROP TABLE event;
    ALTER TABLE bare_event RENAME TO event;
    CREATE INDEX event_of_message ON event (message) WHERE message IS NOT NULL;
    CREATE VIEW open_event AS
        SELECT event.* FROM late_event CROSS JOIN event USING (seq) WHERE handled IS NULL
        UNION ALL
        SELECT * FROM event WHERE seq > (SELECT event FROM mark) AND handled IS NULL;
    CREATE VIEW open_action AS
        SELECT action.* FROM late_action CROSS JOIN action USING (seq) WHERE settled IS NULL
        UNION ALL
        SELECT * FROM action WHERE seq > (SELECT action FROM mark) AND settled IS NULL;
"];

/// The newest version that this program knows.
pub(crate) const VERSION: u32 = STEPS.len() as u32;

/// Marks the file as a Mynah store: "Mnah" in ASCII.
const APPLICATION: u32 = 0x4d6e_6168;

/// Checks that the file is a Mynah store, undamaged and not newer than this program. Writes nothing. Reads all of it, also
/// after an orderly end: a copy without its log looks the same.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    check_version(connection, path)?;
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| translate(error, path))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged { place: path.display().to_string(), what: found })
    }
}

/// Checks that the path is a regular file and not empty, since SQLite would take an empty file for a new one and drop
/// its log.
pub(crate) fn check_file(path: &Path) -> Result<(), StoreError> {
    let metadata = std::fs::metadata(path).map_err(|error| translate_io(error, path))?;
    if !metadata.is_file() {
        return Err(StoreError::NotRegular { place: path.display().to_string() });
    }
    if metadata.len() == 0 { Err(emptied(path)) } else { Ok(()) }
}

/// Checks that no log of a removed database is left: SQLite would apply it to a new one.
pub(crate) fn check_log(path: &Path) -> Result<(), StoreError> {
    let has_log = std::fs::metadata(log_path(path)).is_ok_and(|log| log.len() > 0);
    if has_log { Err(emptied(path)) } else { Ok(()) }
}

fn emptied(path: &Path) -> StoreError {
    StoreError::Emptied { place: path.display().to_string() }
}

/// Checks that the file is a Mynah store and not newer than this program. Writes nothing.
pub(crate) fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let shown = || path.display().to_string();
    let number = |name: &str| {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u32>(0))
            .map_err(|error| translate(error, path))
    };
    let (version, application, pages) =
        (number("user_version")?, number("application_id")?, number("page_count")?);
    let is_ours = application == APPLICATION;
    let has_tables = pages > 0 && has_tables(connection, path)?;
    if !has_tables && (is_ours || application == 0) {
        return Err(emptied(path));
    }
    if !is_ours {
        return Err(StoreError::Damaged { place: shown(), what: "not a database of Mynah".into() });
    }
    if version > VERSION {
        return Err(StoreError::Newer { place: shown(), found: version, known: VERSION });
    }
    Ok(())
}

fn has_tables(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))
        .map_err(|error| translate(error, path))
}

/// All unhandled events, for readers: data of a former version is read without being changed.
pub(crate) fn open_events(connection: &Connection) -> rusqlite::Result<&'static str> {
    let is_former = version(connection)? < 6;
    Ok(if is_former { "(SELECT * FROM event WHERE handled IS NULL)" } else { "open_event" })
}

/// SQL condition for the event of the message ?1, or the event ?1, for readers.
pub(crate) fn event_or_message(connection: &Connection) -> rusqlite::Result<&'static str> {
    let is_former = version(connection)? < 6;
    Ok(if is_former { "(id IN (?1, 'm' || ?1) OR message = ?1)" } else { EVENT_OR_MESSAGE })
}

/// All unsettled actions, for readers.
pub(crate) fn open_actions(connection: &Connection) -> rusqlite::Result<&'static str> {
    let is_former = version(connection)? < 6;
    Ok(if is_former { "(SELECT * FROM action WHERE settled IS NULL)" } else { "open_action" })
}

/// The version of the tables.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))
}

/// Migrates the tables to the newest version, in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let found = version(connection)?;
    if found == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in steps(found, VERSION) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.commit()
}

/// The steps from one version to another.
fn steps(from: u32, to: u32) -> impl Iterator<Item = &'static str> {
    (0..to).zip(STEPS).skip(from as usize).map(|(_, step)| step)
}

/// The statements from one version to another, for tests.
#[cfg(test)]
pub(crate) fn statements(from: u32, to: u32) -> Vec<String> {
    let version =
        [format!("PRAGMA user_version = {to}"), format!("PRAGMA application_id = {APPLICATION}")];
    let steps = steps(from, to).flat_map(|step| step.split_inclusive(';').map(str::to_owned));
    steps.filter(|sql| !sql.trim().is_empty()).chain(version).collect()
}
