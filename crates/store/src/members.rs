//! The values of all people in a chat: table `state`, found by its primary key.

use mynah_core::{Event, MemberQuery, MemberValue, MemberValues, PersonId, Timestamp};
use rusqlite::{Connection, Result, params};

/// The values of all people in a chat under one key: the rows of the chat lie together in the primary key. An index of
/// its own would not be faster where people have a few values, and cost a page of the log of writes for each new value
/// of every bot.
const VALUES: &str = "
    SELECT person, name, value, version FROM state
    WHERE scope = 2 AND chat = ?1 AND key = ?2 AND (expires IS NULL OR expires > ?3)
    ORDER BY person LIMIT ?4";

/// The live values of all people in a chat under each key of a query.
pub(crate) fn values(
    connection: &Connection,
    query: &MemberQuery,
    now: Timestamp,
) -> Result<Vec<MemberValues>> {
    query.keys.iter().map(|key| under(connection, query.chat.as_str(), key, now)).collect()
}

fn under(connection: &Connection, chat: &str, key: &str, now: Timestamp) -> Result<MemberValues> {
    let mut statement = connection.prepare_cached(VALUES)?;
    let value = |row: &rusqlite::Row<'_>| {
        let person = PersonId::from(row.get::<_, String>(0)?);
        let name = row.get::<_, Option<String>>(1)?.unwrap_or_default();
        let value = MemberValue { person, name, text: row.get(2)? };
        Ok((row.get::<_, i64>(3)?, value))
    };
    let most = MemberValues::MOST + 1;
    let found = statement.query_map(params![chat, key, now.as_millis(), most], value)?;
    let mut found: Vec<_> = found.collect::<Result<_>>()?;
    let is_cut = found.len() == most;
    found.truncate(MemberValues::MOST);
    // The version rises with every change.
    found.sort_by_key(|(version, _)| *version);
    Ok(MemberValues { values: found.into_iter().map(|(_, value)| value).collect(), is_cut })
}

/// Removes the values of all people in the chat of an event under a key.
pub(crate) fn remove(connection: &Connection, event: &Event, key: &str) -> Result<()> {
    let Some(chat) = event.chat() else { return Ok(()) };
    connection
        .prepare_cached("DELETE FROM state WHERE scope = 2 AND chat = ?1 AND key = ?2")?
        .execute([chat.id.as_str(), key])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::database::Database;

    fn database(people: usize) -> Connection {
        let database = Database::in_memory(Options::default()).unwrap();
        let connection = database.connection;
        connection
            .execute(
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
                 INSERT INTO state (scope, chat, person, key, value, version, name)
                 SELECT 2, 'g', printf('p%05d', n), 'x', n, 100000 - n, 'Person ' || n FROM n",
                [people],
            )
            .unwrap();
        connection
    }

    fn found(connection: &Connection) -> MemberValues {
        let query = MemberQuery { chat: "g".into(), keys: vec!["x".to_owned()] };
        values(connection, &query, Timestamp::default()).unwrap().remove(0)
    }

    #[test]
    fn ten_thousand_values_are_whole_and_one_more_is_cut() {
        let whole = found(&database(MemberValues::MOST));
        assert_eq!((whole.values.len(), whole.is_cut), (MemberValues::MOST, false));
        let cut = found(&database(MemberValues::MOST + 1));
        assert_eq!((cut.values.len(), cut.is_cut), (MemberValues::MOST, true));
        // The first people in the order of their ids; those who changed last at the end.
        let ends = [&cut.values[0], &cut.values[MemberValues::MOST - 1]];
        assert_eq!(ends.map(|value| value.name.as_str()), ["Person 10000", "Person 1"]);
    }

    #[test]
    fn the_values_are_found_by_the_primary_key() {
        let connection = database(3);
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {VALUES}")).unwrap();
        let steps = plan.query_map(params!["g", "x", 0, 9], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert_eq!(steps, ["SEARCH state USING PRIMARY KEY (scope=? AND chat=?)"]);
    }
}
