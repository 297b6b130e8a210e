//! Values under keys in three scopes: table `state`.

use std::collections::BTreeMap;

use mynah_core::{Change, Event, Read, Scope, Timestamp, Value, Write, add, kept_name};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::database::Database;
use crate::members;

/// The owner of a state, as it is stored: the number of the scope, the chat and the person.
struct Owner<'a> {
    scope: i64,
    chat: &'a str,
    person: &'a str,
}

/// The scopes by their numbers.
const SCOPES: [Scope; 3] = [Scope::Bot, Scope::Chat, Scope::Person];

/// The scopes of an event: the scope of a chat only if there is a chat, that of a person only if there is a person.
fn owner(event: &Event, scope: Scope) -> Option<Owner<'_>> {
    let chat = event.chat().map(|chat| chat.id.as_str());
    let person = event.person().map(|person| person.id.as_str());
    match scope {
        Scope::Bot => Some(Owner { scope: 0, chat: "", person: "" }),
        Scope::Chat => Some(Owner { scope: 1, chat: chat?, person: "" }),
        Scope::Person => Some(Owner { scope: 2, chat: chat?, person: person? }),
    }
}

/// A turn copies at most this many values of a scope, and this many bytes. It reads the others in the store.
const MOST_VALUES: usize = 128;
const MOST_BYTES: usize = 64 * 1024;

/// The state of an event's scopes, without expired values.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) values: BTreeMap<(Scope, String), Value>,
    /// Whether the store has more values than these.
    pub(crate) is_part: bool,
}

/// The values of all scopes of an event, each scope up to a number of values: one statement costs less than three.
const OF_EVENT: &str = "
    SELECT * FROM (SELECT key, value, version, expires, scope FROM state
        WHERE scope = 0 AND chat = '' AND person = '' AND (expires IS NULL OR expires > ?3) LIMIT ?4)
    UNION ALL
    SELECT * FROM (SELECT key, value, version, expires, scope FROM state
        WHERE scope = 1 AND chat = ?1 AND person = '' AND (expires IS NULL OR expires > ?3) LIMIT ?4)
    UNION ALL
    SELECT * FROM (SELECT key, value, version, expires, scope FROM state
        WHERE scope = 2 AND chat = ?1 AND person = ?2 AND (expires IS NULL OR expires > ?3) LIMIT ?4)";

/// The state of an event's scopes, up to the part that is copied for every turn.
pub(crate) fn load(connection: &Connection, event: &Event, now: Timestamp) -> Result<Loaded> {
    let chat = event.chat().map(|chat| chat.id.as_str());
    let person = event.person().map(|person| person.id.as_str());
    let mut loaded = Loaded::default();
    let mut sizes = [(0, 0); 3];
    let mut statement = connection.prepare_cached(OF_EVENT)?;
    // One more than fits shows that there are more.
    let mut rows = statement.query(params![chat, person, now.as_millis(), MOST_VALUES + 1])?;
    while let Some(row) = rows.next()? {
        let number: usize = row.get(4)?;
        let (Some((count, bytes)), Some(scope)) = (sizes.get_mut(number), SCOPES.get(number))
        else {
            continue;
        };
        let (key, value) = entry(row)?;
        *count += 1;
        *bytes += key.len() + value.text.len();
        if *count <= MOST_VALUES && *bytes <= MOST_BYTES {
            loaded.values.insert((*scope, key), value);
        } else {
            loaded.is_part = true;
        }
    }
    Ok(loaded)
}

/// A row that begins with key, value, version and expiry.
fn entry(row: &Row<'_>) -> Result<(String, Value)> {
    let value = Value {
        text: row.get(1)?,
        version: row.get::<_, i64>(2)?.cast_unsigned(),
        expires: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
    };
    Ok((row.get(0)?, value))
}

/// All values of a scope that have not expired.
pub(crate) fn all(
    connection: &Connection,
    event: &Event,
    scope: Scope,
    now: Timestamp,
) -> Result<Vec<(String, Value)>> {
    let Some(owner) = owner(event, scope) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT key, value, version, expires FROM state
         WHERE scope = ?1 AND chat = ?2 AND person = ?3 AND (expires IS NULL OR expires > ?4)",
    )?;
    let rows = params![owner.scope, owner.chat, owner.person, now.as_millis()];
    statement.query_map(rows, entry)?.collect()
}

/// One value, if it has not expired.
pub(crate) fn one(
    connection: &Connection,
    event: &Event,
    scope: Scope,
    key: &str,
    now: Timestamp,
) -> Result<Option<Value>> {
    let Some(owner) = owner(event, scope) else { return Ok(None) };
    let found = find(connection, &owner, key)?.filter(|value| !value.is_expired(now));
    Ok(found.map(|Stored { text, version, expires }| Value {
        text,
        version,
        expires: expires.map(Timestamp::from_millis),
    }))
}

/// Whether all values that a turn read are unchanged. A value that has expired since then counts as unchanged.
pub(crate) fn still_holds(
    connection: &Connection,
    event: &Event,
    reads: &[Read],
    now: Timestamp,
) -> Result<bool> {
    for read in reads {
        let Some(owner) = owner(event, read.scope) else { continue };
        let found = find(connection, &owner, &read.key)?;
        let holds = match (read.version, &found) {
            (None, None) => true,
            (None, Some(value)) => value.is_expired(now),
            (Some(version), Some(value)) => value.version == version,
            (Some(_), None) => false,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Stored {
    text: String,
    version: u64,
    expires: Option<i64>,
}

impl Stored {
    fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now.as_millis())
    }
}

fn find(connection: &Connection, owner: &Owner<'_>, key: &str) -> Result<Option<Stored>> {
    connection
        .prepare_cached(
            "SELECT value, version, expires FROM state
             WHERE scope = ?1 AND chat = ?2 AND person = ?3 AND key = ?4",
        )?
        .query_row(params![owner.scope, owner.chat, owner.person, key], |row| {
            Ok(Stored {
                text: row.get(0)?,
                version: row.get::<_, i64>(1)?.cast_unsigned(),
                expires: row.get(2)?,
            })
        })
        .optional()
}

/// Applies a change. Drops a change to a scope that the event does not have, and logs a warning.
pub(crate) fn apply(
    database: &mut Database,
    event: &Event,
    write: &Write,
    now: Timestamp,
) -> Result<()> {
    if write.change == Change::RemoveOfAll && write.scope == Scope::Person {
        return members::remove(&database.connection, event, &write.key);
    }
    let Some(owner) = owner(event, write.scope) else {
        tracing::warn!(event = %event.id, key = write.key, "state of a scope that this event does not have");
        return Ok(());
    };
    let text = match &write.change {
        Change::Set(text) => text.clone(),
        Change::Add(by) => {
            let found = find(&database.connection, &owner, &write.key)?;
            let live = found.filter(|value| !value.is_expired(now));
            add(live.as_ref().map(|value| value.text.as_str()), *by)
        }
        Change::Remove | Change::RemoveOfAll => {
            return remove(&database.connection, &owner, &write.key);
        }
    };
    let version = database.fresh_version().cast_signed();
    let person = event.person().filter(|_| write.scope == Scope::Person);
    let name = person.map(|person| kept_name(&person.name));
    database
        .connection
        .prepare_cached(
            "INSERT INTO state (scope, chat, person, key, value, version, expires, name)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (scope, chat, person, key) DO UPDATE
             SET value = excluded.value, version = excluded.version, expires = excluded.expires,
                 name = excluded.name",
        )?
        .execute(params![
            owner.scope,
            owner.chat,
            owner.person,
            write.key,
            text,
            version,
            write.expires.map(Timestamp::as_millis),
            name,
        ])?;
    Ok(())
}

fn remove(connection: &Connection, owner: &Owner<'_>, key: &str) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM state WHERE scope = ?1 AND chat = ?2 AND person = ?3 AND key = ?4",
        )?
        .execute(params![owner.scope, owner.chat, owner.person, key])?;
    Ok(())
}
