//! Pages of an export: the log, then the values of state, then the timers.

use mynah_core::{
    ChatId, ExportPage, ExportPlace, Exported, ExportedValue, LogPage, LogPlace, LogQuery,
    PersonId, Scope, StateOwner, Timestamp,
};
use rusqlite::{Connection, Result, Row};

use crate::{log, schema};

/// The most values or timers in a page.
const ITEMS: usize = 500;

pub(crate) fn export(connection: &Connection, from: &ExportPlace) -> Result<ExportPage> {
    match from {
        ExportPlace::Start => entries(connection, i64::MIN),
        ExportPlace::Entry(seq) => entries(connection, *seq),
        ExportPlace::Values => values(connection, (-1, "", "", "")),
        ExportPlace::Value(owner, key) => {
            let chat = owner.chat().map_or("", ChatId::as_str);
            let person = owner.person().map_or("", PersonId::as_str);
            values(connection, (number(owner.scope()), chat, person, key))
        }
        // No timer has an empty key.
        ExportPlace::Timers => timers(connection, ("", "")),
        ExportPlace::Timer(chat, key) => {
            timers(connection, (chat.as_ref().map_or("", ChatId::as_str), key))
        }
    }
}

fn entries(connection: &Connection, after: i64) -> Result<ExportPage> {
    let query = LogQuery { from: LogPlace::After(after), ..LogQuery::default() };
    let LogPage { entries, unreadable, next, more } = log::log(connection, &query)?;
    let entries = entries.into_iter().map(|entry| Exported::Event(Box::new(entry)));
    let next = match next {
        LogPlace::After(seq) if more => ExportPlace::Entry(seq),
        _ => ExportPlace::Values,
    };
    let items = entries.chain(unreadable.into_iter().map(Exported::Unreadable)).collect();
    Ok(ExportPage { items, next: Some(next) })
}

fn values(
    connection: &Connection,
    (scope, chat, person, key): (i64, &str, &str, &str),
) -> Result<ExportPage> {
    // Data of a former version is read without being changed; before format 5 values had no names.
    let name = if schema::version(connection)? < 5 { "NULL" } else { "name" };
    let found: Vec<ExportedValue> = connection
        .prepare_cached(&format!(
            "SELECT scope, chat, person, key, value, expires, {name} FROM state
             WHERE (scope, chat, person, key) > (?1, ?2, ?3, ?4)
             ORDER BY scope, chat, person, key LIMIT ?5",
        ))?
        .query_map((scope, chat, person, key, ITEMS), value)?
        .collect::<Result<_>>()?;
    let next = match found.last().filter(|_| found.len() == ITEMS) {
        Some(last) => ExportPlace::Value(owner(last), last.key.clone()),
        None => ExportPlace::Timers,
    };
    Ok(ExportPage { items: found.into_iter().map(Exported::State).collect(), next: Some(next) })
}

fn value(row: &Row<'_>) -> Result<ExportedValue> {
    let scope = match row.get::<_, i64>(0)? {
        0 => Scope::Bot,
        1 => Scope::Chat,
        _ => Scope::Person,
    };
    Ok(ExportedValue {
        scope,
        chat: row.get(1)?,
        person: row.get(2)?,
        key: row.get(3)?,
        value: row.get(4)?,
        expires: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
        name: row.get(6)?,
    })
}

fn owner(value: &ExportedValue) -> StateOwner {
    let (chat, person) = (value.chat.as_str(), value.person.as_str());
    match value.scope {
        Scope::Bot => StateOwner::Bot,
        Scope::Chat => StateOwner::Chat(chat.into()),
        Scope::Person => StateOwner::Person(chat.into(), person.into()),
    }
}

/// The number of a scope in the table.
pub(crate) const fn number(scope: Scope) -> i64 {
    match scope {
        Scope::Bot => 0,
        Scope::Chat => 1,
        Scope::Person => 2,
    }
}

fn timers(connection: &Connection, after: (&str, &str)) -> Result<ExportPage> {
    let found: Vec<(String, String, String)> = connection
        .prepare_cached(
            "SELECT chat, key, body FROM timer WHERE (chat, key) > (?1, ?2)
             ORDER BY chat, key LIMIT ?3",
        )?
        .query_map((after.0, after.1, ITEMS), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_>>()?;
    let last = found.last().filter(|_| found.len() == ITEMS);
    let next = last.map(|(chat, key, _)| {
        let chat = (!chat.is_empty()).then(|| ChatId::from(chat.as_str()));
        ExportPlace::Timer(chat, key.clone())
    });
    // A timer of an unknown form is exported as text.
    let timer =
        |body: String| serde_json::from_str(&body).unwrap_or(serde_json::Value::String(body));
    let items = found.into_iter().map(|(_, _, body)| Exported::Timer(timer(body))).collect();
    Ok(ExportPage { items, next })
}
