//! The accounts of a folder, each in a folder of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::{MovingStore, Store, StoreError, StoreReader, Stores};

use crate::error::translate_io;
use crate::reader::{FileReader, aside};
use crate::{AccountFolder, Options, SqliteStore};

/// The accounts of a folder, each in a folder of its own with the name of the account, and accounts in other places.
/// Calls need a Tokio runtime.
#[derive(Debug, Clone, Default)]
pub struct SqliteStores {
    /// The folder of all accounts that are not placed.
    folder: Option<PathBuf>,
    options: Options,
    /// The accounts that are in other places or have other options.
    placed: BTreeMap<String, (AccountFolder, Options)>,
}

impl SqliteStores {
    /// The accounts of a folder, which need not exist.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, options: Options) -> Self {
        Self { folder: Some(folder.into()), options, placed: BTreeMap::new() }
    }

    /// Adds an account in another place or with other options.
    #[must_use]
    pub fn with(mut self, account: &str, folder: AccountFolder, options: Options) -> Self {
        self.placed.insert(account.to_owned(), (folder, options));
        self
    }

    /// The place of an account; `None` if it has none.
    fn place(&self, account: &str) -> Option<(AccountFolder, Options)> {
        if let Some(placed) = self.placed.get(account) {
            return Some(placed.clone());
        }
        let folder = self.folder.as_ref().filter(|_| is_name(account))?;
        Some((AccountFolder::new(folder.join(account)), self.options.clone()))
    }

    fn with_data(&self) -> io::Result<BTreeSet<String>> {
        let placed = self.placed.iter().filter(|(_, (folder, _))| folder.has_data());
        let mut found: BTreeSet<String> = placed.map(|(name, _)| name.clone()).collect();
        let Some(folder) = &self.folder else { return Ok(found) };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(OsStr::to_str);
            if let Some(name) = name.filter(|_| AccountFolder::new(&path).has_data()) {
                found.insert(name.to_owned());
            }
        }
        Ok(found)
    }
}

fn no_place(account: &str) -> StoreError {
    let error = format!("there is no place for the data of an account named {account:?}");
    StoreError::Failed(error.into())
}

/// Whether the text is the name of a folder, and not a path.
fn is_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

#[async_trait]
impl Stores for SqliteStores {
    async fn open(&self, account: &str) -> Result<Arc<dyn Store>, StoreError> {
        let place = self.place(account);
        let (folder, options) = place.ok_or_else(|| no_place(account))?;
        aside(move || Ok(Arc::new(SqliteStore::open(folder.path(), options)?) as _)).await
    }

    async fn open_to_move(&self, account: &str) -> Result<Arc<dyn MovingStore>, StoreError> {
        let place = self.place(account);
        let (folder, options) = place.ok_or_else(|| no_place(account))?;
        aside(move || Ok(Arc::new(SqliteStore::open_marked(folder.path(), options)?) as _)).await
    }

    async fn reader(&self, account: &str) -> Result<Option<Arc<dyn StoreReader>>, StoreError> {
        let Some((folder, _)) = self.place(account) else { return Ok(None) };
        let reader = FileReader::open(folder).await?;
        Ok(reader.map(|reader| Arc::new(reader) as _))
    }

    async fn accounts(&self) -> Result<Vec<String>, StoreError> {
        let stores = self.clone();
        let look = move || {
            let folder = stores.folder.clone().unwrap_or_default();
            stores.with_data().map_err(|error| translate_io(error, &folder))
        };
        Ok(aside(look).await?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn an_account_is_in_the_folder_of_its_name_or_where_it_was_placed() {
        let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let place = AccountFolder::new(other.path().join("elsewhere"));
        let stores = SqliteStores::new(folder.path(), Options::default());
        let stores = stores.with("placed", place.clone(), Options::default());
        assert!(stores.reader("main").await.unwrap().is_none(), "a reader makes nothing");
        assert!(stores.accounts().await.unwrap().is_empty());
        for account in ["main", "placed"] {
            drop(stores.open(account).await.unwrap());
            assert!(stores.reader(account).await.unwrap().is_some());
        }
        assert!(folder.path().join("main/mynah.db").exists() && place.has_data());
        assert_eq!(stores.accounts().await.unwrap(), ["main", "placed"]);
        let alone = SqliteStores::default().with("", place, Options::default());
        assert_eq!(alone.accounts().await.unwrap(), [""]);
        assert!(alone.open("main").await.is_err(), "it has no place");
    }

    #[tokio::test]
    async fn the_name_of_an_account_is_not_a_path() {
        let folder = TempDir::new().unwrap();
        let stores = SqliteStores::new(folder.path().join("in"), Options::default());
        for account in ["", "..", "../x", "/x", "a/b", "."] {
            assert!(stores.open(account).await.is_err(), "{account}");
            assert!(stores.reader(account).await.unwrap().is_none(), "{account}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_that_may_not_be_looked_into_is_not_one_without_data() {
        let folder = tempfile::tempdir().unwrap();
        let stores = SqliteStores::new(folder.path(), Options::default());
        std::fs::create_dir(folder.path().join("main")).unwrap();
        assert!(stores.reader("main").await.unwrap().is_none());
        // A link to itself is refused to every user, even to root.
        std::os::unix::fs::symlink("mynah.db", folder.path().join("main/mynah.db")).unwrap();
        assert!(stores.reader("main").await.is_err());
        assert_eq!(stores.accounts().await.unwrap(), ["main"]);
    }
}
