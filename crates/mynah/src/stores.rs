//! The one place where the kind of store is chosen.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::{Store, StoreReader, Stores};
use mynah_store::{SqliteStore, SqliteStores};

use crate::Report;
use crate::config::StoreConfig;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
pub(crate) use postgres::migrate;

pub(crate) use mynah_store::{AccountFolder, Options};

/// The name of the account in [`of_folder`].
pub(crate) const ONLY: &str = "";

/// The data of the accounts of a process: name, folder and options of each. In the database of the settings, if they
/// have one.
///
/// # Errors
///
/// If the settings of the database cannot be used.
pub(crate) fn of_accounts(
    config: &StoreConfig,
    accounts: impl Iterator<Item = (String, PathBuf, Options)>,
) -> Result<Arc<dyn Stores>, Report> {
    if config.url.is_some() {
        return of_database(config, accounts);
    }
    let none = SqliteStores::default();
    let stores = accounts.fold(none, |stores, (name, folder, options)| {
        stores.with(&name, AccountFolder::new(folder), options)
    });
    Ok(Arc::new(stores))
}

#[cfg(feature = "postgres")]
use postgres::of_accounts as of_database;

#[cfg(not(feature = "postgres"))]
fn of_database(
    _: &StoreConfig,
    _: impl Iterator<Item = (String, PathBuf, Options)>,
) -> Result<Arc<dyn Stores>, Report> {
    Err(without_database())
}

/// Refuses a database in a program that cannot work with one.
#[cfg(not(feature = "postgres"))]
pub(crate) fn migrate(_: &StoreConfig) -> std::future::Ready<Result<String, Report>> {
    std::future::ready(Err(without_database()))
}

#[cfg(not(feature = "postgres"))]
fn without_database() -> Report {
    use crate::Ended;
    Report::new(Ended::Usage, "this program cannot keep data in a database")
        .hint("build it with the feature: cargo build --release -p mynah --features postgres")
}

/// The data of a folder with one account, whose name is [`ONLY`].
pub(crate) fn of_folder(folder: &Path) -> Arc<dyn Stores> {
    Arc::new(SqliteStores::default().with(ONLY, AccountFolder::new(folder), Options::default()))
}

/// A store that ends with the process.
pub(crate) fn in_memory() -> Arc<impl Store + StoreReader + Debug + 'static> {
    Arc::new(SqliteStore::in_memory())
}
