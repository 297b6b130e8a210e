//! Translates errors of the database into [`StoreError`].

use mynah_core::StoreError;
use thiserror::Error;
use tokio_postgres::error::SqlState;

/// The meaning of a failed try of a call.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The connection broke or the server is busy: it is unknown whether the call took effect, and it can be repeated.
    Again(tokio_postgres::Error),
    /// The disk of the server is full: the call had no effect, and can be repeated when there is room.
    Full(tokio_postgres::Error),
    /// The call had no effect, and would have none if it was repeated.
    Final(StoreError),
}

/// Between this process and the server is a pool in which statements of one connection reach several sessions.
#[derive(Debug, Error)]
#[error(
    "the address leads to a pool such as pgbouncer with pool_mode = transaction: name the server itself, or set pool_mode = session"
)]
pub(crate) struct Pooled(#[source] pub(crate) Option<tokio_postgres::Error>);

/// The error of a database without the tables.
pub(crate) fn no_tables(place: &str) -> StoreError {
    StoreError::Unprepared { place: place.to_owned(), what: "has no tables of Mynah".to_owned() }
}

/// Translates the error of a try.
pub(crate) fn translate(error: tokio_postgres::Error, place: &str) -> Failure {
    let place = place.to_owned();
    let Some(state) = error.code().cloned() else {
        return match error.is_closed() || std::error::Error::source(&error).is_some_and(is_io) {
            true => Failure::Again(error),
            false => Failure::Final(StoreError::Failed(error.into())),
        };
    };
    match state.code() {
        "MY001" => return Failure::Final(StoreError::LeaseLost),
        "MY002" => return Failure::Final(StoreError::Recovered),
        // Connection exceptions.
        code if code.starts_with("08") => return Failure::Again(error),
        _ => {}
    }
    let again = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        // Without effect: ended by an administrator, who may not know that a bot waits for it.
        SqlState::QUERY_CANCELED,
        SqlState::LOCK_NOT_AVAILABLE,
        // A standby that takes over refuses writes for a moment.
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    if again.contains(&state) {
        return Failure::Again(error);
    }
    if state == SqlState::DISK_FULL {
        return Failure::Full(error);
    }
    let refused = [
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_CATALOG_NAME,
    ];
    let missing =
        [SqlState::INVALID_SCHEMA_NAME, SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_FUNCTION];
    Failure::Final(match state {
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
            StoreError::Damaged { place, what: error.to_string() }
        }
        SqlState::INSUFFICIENT_PRIVILEGE => StoreError::NoRight { place, source: error.into() },
        SqlState::INVALID_SQL_STATEMENT_NAME | SqlState::DUPLICATE_PSTATEMENT => {
            unreachable(&place, Pooled(Some(error)))
        }
        state if missing.contains(&state) => no_tables(&place),
        state if refused.contains(&state) => unreachable(&place, error),
        _ => StoreError::Failed(error.into()),
    })
}

/// Whether the connection failed. A certificate that is refused is refused again.
fn is_io(source: &(dyn std::error::Error + 'static)) -> bool {
    let is_tls =
        |error: &std::io::Error| error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    source.downcast_ref::<std::io::Error>().is_some_and(|error| !is_tls(error))
}

/// The error of a call whose tries have all failed.
pub(crate) fn unreachable(
    place: &str,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unreachable { place: place.to_owned(), source: cause.into() }
}

/// The error of a call for which the server had no room in all tries.
pub(crate) fn full(place: &str) -> StoreError {
    StoreError::Full { place: place.to_owned() }
}

/// An answer that this version does not understand.
pub(crate) fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Failed(error.into())
}

/// The failure of a call that is not repeated.
pub(crate) fn failed(error: tokio_postgres::Error, place: &str) -> StoreError {
    match translate(error, place) {
        Failure::Again(error) => unreachable(place, error),
        Failure::Full(_) => full(place),
        Failure::Final(error) => error,
    }
}
