//! The tables and functions, and their versions.

use mynah_core::StoreError;
use tokio::sync::watch;

use crate::Settings;
use crate::error::{failed, no_tables};
use crate::link::{Link, Session};

/// The newest format that this program knows.
pub const VERSION: u32 = STEPS.len() as u32;

/// The statements from each format to the next. The last one makes all functions anew; those of an empty one changed only them.
const STEPS: [&str; 4] = [
    include_str!("schema/1.sql"),
    "",
    "",
    concat!(
        include_str!("schema/drop_functions.sql"),
        include_str!("schema/fleet.sql"),
        include_str!("schema/functions.sql"),
        include_str!("schema/reading.sql"),
        include_str!("schema/moving.sql"),
    ),
];

/// The rights on the functions, for those roles that there are.
const RIGHTS: &str = include_str!("schema/rights.sql");

/// The tables belong to this role, if it is there before them: roles are those of the whole server, and tables that were
/// made without it keep their owner.
const OWNER: &str = "DO $do$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = 'mynah_owner'
        AND NOT EXISTS (SELECT 1 FROM pg_namespace n WHERE n.nspname = 'mynah' AND n.nspowner <> r.oid))
    THEN SET LOCAL ROLE mynah_owner; END IF; END $do$";

/// The oldest program that works with each format, by the newest format that it knows.
const COMPATIBLE_FROM: [i32; 4] = [1, 1, 1, 1];

/// Two migrations at once wait for each other.
const ALONE: &str = "SELECT pg_advisory_xact_lock(1298030852, 0)";

/// The result of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The format before; zero for a database without tables.
    pub from: u32,
    /// The format now.
    pub to: u32,
}

/// Makes the tables, or brings them to the format of this program, all or nothing. Needs the right to make a schema. If the
/// server has a role `mynah_owner` when they are made, the tables belong to it, and the user must be a member. Of the roles `mynah_node`,
/// `mynah_operator` and `mynah_reader`, those that there are get the right to call the functions that they need, and no right
/// on a table.
///
/// # Errors
///
/// [`StoreError::Newer`] if the tables need a newer program; nothing is changed then.
pub async fn migrate(settings: &Settings) -> Result<Migrated, StoreError> {
    let place = settings.place();
    let session = Session::open(settings, watch::Sender::default())
        .await
        .map_err(|error| failed(error, place))?;
    session.execute("BEGIN").await.map_err(|error| failed(error, place))?;
    // Without a commit the end of the connection undoes everything.
    session.execute(OWNER).await.map_err(|error| failed(error, place))?;
    let migrated = in_transaction(&session, place).await?;
    session.execute(RIGHTS).await.map_err(|error| failed(error, place))?;
    session.execute("COMMIT").await.map_err(|error| failed(error, place))?;
    Ok(migrated)
}

async fn in_transaction(session: &Session, place: &str) -> Result<Migrated, StoreError> {
    let failed = |error| failed(error, place);
    session.execute(ALONE).await.map_err(failed)?;
    let encoding = session.query("SHOW server_encoding", &[]).await.map_err(failed)?;
    let encoding: String = encoding[0].get(0);
    if encoding != "UTF8" {
        let what = format!("the database has the encoding {encoding}; it must be UTF8");
        return Err(StoreError::Failed(what.into()));
    }
    let sql = "SELECT to_regclass('mynah.schema_version') IS NOT NULL";
    let has_tables = session.query(sql, &[]).await.map_err(failed)?[0].get(0);
    let from =
        if has_tables { compatible(&found(session).await.map_err(failed)?, place)? } else { 0 };
    let steps = STEPS.iter().zip(COMPATIBLE_FROM).zip(1_u32..);
    for ((step, compatible), version) in steps.filter(|(_, version)| *version > from) {
        session.execute(step).await.map_err(failed)?;
        let note = format!(
            "INSERT INTO mynah.schema_version (version, compatible_from) VALUES ({version}, {compatible})"
        );
        session.execute(&note).await.map_err(failed)?;
    }
    Ok(Migrated { from, to: VERSION.max(from) })
}

/// The format of the tables, and the oldest program that works with it.
const FORMAT: &str = "SELECT * FROM mynah.format_1()";

async fn found(session: &Session) -> Result<Vec<tokio_postgres::Row>, tokio_postgres::Error> {
    session.query(FORMAT, &[]).await
}

/// Checks that this program can work with the tables.
///
/// # Errors
///
/// [`StoreError::Newer`] if they need a newer program.
pub(crate) async fn check(link: &Link) -> Result<(), StoreError> {
    let rows = link.query(FORMAT, &[]).await?;
    let version = compatible(&rows, link.place())?;
    if version < VERSION {
        let what = format!("has tables of format {version}, this program needs {VERSION}");
        return Err(StoreError::Unprepared { place: link.place().to_owned(), what });
    }
    Ok(())
}

/// The format of the tables, unless it needs a newer program.
fn compatible(rows: &[tokio_postgres::Row], place: &str) -> Result<u32, StoreError> {
    let row = rows.first().ok_or_else(|| no_tables(place))?;
    let number = |column| u32::try_from(row.get::<_, i32>(column)).unwrap_or_default();
    let (found, compatible_from) = (number(0), number(1));
    if compatible_from > VERSION {
        return Err(StoreError::Newer { place: place.to_owned(), found, known: VERSION });
    }
    Ok(found)
}
