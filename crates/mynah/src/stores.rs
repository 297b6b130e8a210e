//! The one place where the kind of store is chosen.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(feature = "postgres")]
use mynah_core::Fleet;
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

/// The places of the data of the accounts of a process, which come and go.
#[derive(Debug, Clone)]
pub(crate) enum ProcessStores {
    /// Each account has a folder.
    Folders,
    /// All accounts are in one database.
    #[cfg(feature = "postgres")]
    Database(Arc<mynah_store_postgres::PostgresStores>),
}

impl ProcessStores {
    /// The database of the settings, if they have one; else folders.
    ///
    /// # Errors
    ///
    /// If the settings of the database cannot be used.
    pub(crate) fn new(config: &StoreConfig) -> Result<Self, Report> {
        if config.url.is_some() { database(config) } else { Ok(Self::Folders) }
    }

    /// The file descriptors that an account needs. With folders: the database, its log and their index, the lock, the same
    /// once more for reading, the socket of commands, and connections to the service; else only the last two.
    pub(crate) fn descriptors(&self) -> u64 {
        match self {
            Self::Folders => 9,
            #[cfg(feature = "postgres")]
            Self::Database(_) => 3,
        }
    }

    /// The place of the data of an account with this folder, for people.
    pub(crate) fn place(&self, folder: &Path) -> String {
        match self {
            Self::Folders => folder.display().to_string(),
            #[cfg(feature = "postgres")]
            Self::Database(stores) => format!("the database {}", stores.place()),
        }
    }

    /// The stores with all accounts of the database, if there is one.
    pub(crate) fn database(&self) -> Option<Arc<dyn Stores>> {
        match self {
            Self::Folders => None,
            #[cfg(feature = "postgres")]
            Self::Database(stores) => Some(Arc::clone(stores) as _),
        }
    }

    /// The stores with this account, which has this folder and these options.
    pub(crate) fn of(&self, account: &str, folder: &Path, options: &Options) -> Arc<dyn Stores> {
        match self {
            Self::Folders => {
                let folder = AccountFolder::new(folder);
                Arc::new(SqliteStores::default().with(account, folder, options.clone()))
            }
            #[cfg(feature = "postgres")]
            Self::Database(stores) => {
                stores.keep(account, postgres::keep(options));
                Arc::clone(stores) as _
            }
        }
    }
}

/// The nodes that share the accounts of the database of the settings.
///
/// # Errors
///
/// If the settings name no database, or it cannot be used.
#[cfg(feature = "postgres")]
pub(crate) fn fleet_of(config: &StoreConfig) -> Result<Arc<dyn Fleet>, Report> {
    of_database(config)?.fleet().ok_or_else(|| {
        Report::new(crate::Ended::Usage, "the accounts of this store cannot be shared")
    })
}

/// The name of this machine.
pub(crate) fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "mynah".to_owned() } else { name.to_owned() }
}

/// All accounts of the database of the settings.
///
/// # Errors
///
/// If the settings name no database, or it cannot be used.
#[cfg(feature = "postgres")]
pub(crate) fn of_database(config: &StoreConfig) -> Result<Arc<dyn Stores>, Report> {
    Ok(placed_database(config)?.0)
}

/// The same, with the place of the database.
#[cfg(feature = "postgres")]
pub(crate) fn placed_database(config: &StoreConfig) -> Result<(Arc<dyn Stores>, String), Report> {
    let stores = postgres::stores(config)?;
    let place = stores.place().to_owned();
    Ok((Arc::new(stores), place))
}

/// Refuses a database in a program that cannot work with one.
#[cfg(not(feature = "postgres"))]
pub(crate) fn of_database(_: &StoreConfig) -> Result<Arc<dyn Stores>, Report> {
    Err(without_database())
}

#[cfg(feature = "postgres")]
fn database(config: &StoreConfig) -> Result<ProcessStores, Report> {
    Ok(ProcessStores::Database(Arc::new(postgres::stores(config)?)))
}

#[cfg(not(feature = "postgres"))]
fn database(_: &StoreConfig) -> Result<ProcessStores, Report> {
    Err(without_database())
}

/// Refuses a database in a program that cannot work with one.
#[cfg(not(feature = "postgres"))]
pub(crate) fn migrate(_: &StoreConfig) -> std::future::Ready<Result<String, Report>> {
    std::future::ready(Err(without_database()))
}

/// Why a program without the feature cannot work with a database.
#[cfg(not(feature = "postgres"))]
pub(crate) fn without_database() -> Report {
    use crate::Ended;
    Report::new(Ended::Usage, "this program cannot keep data in a database")
        .hint("build it with the feature: cargo build --release -p mynah --features postgres")
}

/// The data of a folder with one account, whose name is [`ONLY`].
pub(crate) fn of_folder(folder: &Path) -> Arc<dyn Stores> {
    Arc::new(SqliteStores::default().with(ONLY, AccountFolder::new(folder), Options::default()))
}

/// The data of accounts in folders.
pub(crate) fn of_folders(accounts: impl Iterator<Item = (String, PathBuf)>) -> Arc<dyn Stores> {
    let none = SqliteStores::default();
    let stores = accounts.fold(none, |stores, (name, folder)| {
        stores.with(&name, AccountFolder::new(folder), Options::default())
    });
    Arc::new(stores)
}

/// A store that ends with the process.
pub(crate) fn in_memory() -> Arc<impl Store + StoreReader + Debug + 'static> {
    Arc::new(SqliteStore::in_memory())
}
