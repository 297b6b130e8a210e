//! Deletes all data about a person.

use mynah_core::{ChatKind, EventBody, Forgotten, PersonId, Timer};
use rusqlite::{Connection, Result};

use crate::database::Database;
use crate::{bindings, events};

/// Deletes the events of a person, the answers to them, the person's state and timers, the private chat,
/// and the names that are bound to the person. The ids of the events stay known, so that the service cannot
/// deliver them again.
pub(crate) fn forget(database: &mut Database, person: &PersonId) -> Result<Forgotten> {
    // Deleting an event needs its id in the index; queues and timers change here.
    database.queues.write(&database.connection)?;
    database.queues.clear();
    database.hits.wanted = true;
    database.next_timer = None;
    let connection = &database.connection;
    let mut forgotten = Forgotten::default();
    for chat in private_chats(connection, person)? {
        forgotten.actions += connection.execute("DELETE FROM action WHERE chat = ?1", [&chat])?;
        forgotten.values += connection.execute("DELETE FROM state WHERE chat = ?1", [&chat])?;
        forgotten.timers += connection.execute("DELETE FROM timer WHERE chat = ?1", [&chat])?;
    }
    let person_id = person.as_str();
    forgotten.values += connection.execute("DELETE FROM state WHERE person = ?1", [person_id])?;
    forgotten.values += connection.execute(
        "DELETE FROM state WHERE scope = 0 AND substr(key, 1, 7) = 'person:'
         AND substr(key, -length(':' || ?1)) = ':' || ?1",
        [person_id],
    )?;
    forgotten.values += bindings::unbind_person(connection, person)?;
    forgotten.actions += connection.execute(
        "DELETE FROM action WHERE event IN (SELECT id FROM event WHERE person = ?1)",
        [person_id],
    )?;
    connection.execute(
        "INSERT INTO seen (id, accepted) SELECT id, accepted FROM event WHERE person = ?1
         ON CONFLICT (id) DO NOTHING",
        [person_id],
    )?;
    let events: Vec<i64> = connection
        .prepare("SELECT seq FROM event WHERE person = ?1")?
        .query_map([person_id], |row| row.get(0))?
        .collect::<Result<_>>()?;
    for seq in &events {
        events::delete(connection, *seq)?;
    }
    forgotten.events = events.len();
    forgotten.timers += forget_timers(connection, person)?;
    // A later job of the same transaction may use the numbers of deleted actions again.
    database.queues.write(&database.connection)?;
    Ok(forgotten)
}

/// The private chats in which the person was seen.
fn private_chats(connection: &Connection, person: &PersonId) -> Result<Vec<String>> {
    let mut statement =
        connection.prepare("SELECT body FROM event WHERE person = ?1 AND body IS NOT NULL")?;
    let mut rows = statement.query([person.as_str()])?;
    let mut chats = Vec::new();
    while let Some(row) = rows.next()? {
        let chat = match serde_json::from_str(&row.get::<_, String>(0)?) {
            Ok(EventBody::Message(message)) => Some(message.chat),
            Ok(EventBody::Notice(notice)) => Some(notice.chat),
            _ => None,
        };
        if let Some(chat) = chat.filter(|chat| chat.kind == ChatKind::Private) {
            let id = chat.id.as_str().to_owned();
            if !chats.contains(&id) {
                chats.push(id);
            }
        }
    }
    Ok(chats)
}

fn forget_timers(connection: &Connection, person: &PersonId) -> Result<usize> {
    let timers: Vec<(String, String, String)> = connection
        .prepare("SELECT chat, key, body FROM timer")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_>>()?;
    let mut dropped = 0;
    for (chat, key, body) in timers {
        let theirs = serde_json::from_str::<Timer>(&body)
            .is_ok_and(|timer| timer.person.is_some_and(|owner| owner.id == *person));
        if theirs {
            dropped += connection
                .execute("DELETE FROM timer WHERE chat = ?1 AND key = ?2", [chat, key])?;
        }
    }
    Ok(dropped)
}
