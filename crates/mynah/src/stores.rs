//! The one place where the kind of store is chosen.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::{Store, StoreReader, Stores};
use mynah_store::{SqliteStore, SqliteStores};

pub(crate) use mynah_store::{AccountFolder, Options};

/// The name of the account in [`of_folder`].
pub(crate) const ONLY: &str = "";

/// The data of the accounts of a process: name, folder and options of each.
pub(crate) fn of_accounts(
    accounts: impl Iterator<Item = (String, PathBuf, Options)>,
) -> Arc<dyn Stores> {
    let none = SqliteStores::default();
    let stores = accounts.fold(none, |stores, (name, folder, options)| {
        stores.with(&name, AccountFolder::new(folder), options)
    });
    Arc::new(stores)
}

/// The data of a folder with one account, whose name is [`ONLY`].
pub(crate) fn of_folder(folder: &Path) -> Arc<dyn Stores> {
    Arc::new(SqliteStores::default().with(ONLY, AccountFolder::new(folder), Options::default()))
}

/// A store that ends with the process.
pub(crate) fn in_memory() -> Arc<impl Store + StoreReader + Debug + 'static> {
    Arc::new(SqliteStore::in_memory())
}
