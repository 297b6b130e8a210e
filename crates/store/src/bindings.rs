//! Names of the rule file that are bound to people: values of the bot's own state.

use mynah_core::{Binding, PersonId};
use rusqlite::{Connection, OptionalExtension, Result};

/// All bindings.
pub(crate) fn bindings(connection: &Connection) -> Result<Vec<Binding>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, value FROM state WHERE scope = 0 AND chat = '' AND person = '' AND key GLOB ?1 ORDER BY key",
    )?;
    let mut rows = statement.query([format!("{}*", Binding::PREFIX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
        found.extend(Binding::read(&key, &value));
    }
    Ok(found)
}

/// Ends the binding of a name and returns it.
pub(crate) fn unbind(connection: &Connection, name: &str) -> Result<Option<Binding>> {
    let key = Binding::key(name);
    let person: Option<String> = connection
        .query_row(
            "DELETE FROM state WHERE scope = 0 AND chat = '' AND person = '' AND key = ?1 RETURNING value",
            [&key],
            |row| row.get(0),
        )
        .optional()?;
    Ok(person.and_then(|person| Binding::read(&key, &person)))
}

/// Ends all bindings to a person and returns how many there were.
pub(crate) fn unbind_person(connection: &Connection, person: &PersonId) -> Result<usize> {
    let theirs = bindings(connection)?.into_iter().filter(|bound| bound.person == *person);
    let mut ended = 0;
    for bound in theirs {
        ended += usize::from(unbind(connection, &bound.name)?.is_some());
    }
    Ok(ended)
}
