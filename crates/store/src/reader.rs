//! Asynchronous read access: to a file beside the process that works with it, and to an open store.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use mynah_core::{
    ChatId, Depths, ExportPage, ExportPlace, LogPage, LogQuery, Records, StateOwner, StateValue,
    StoreError, StoreReader, StoreStatus, Survey, Timestamp, Waiting,
};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::writer::Durability::Written;
use crate::{
    AccountFolder, Inspector, SqliteStore, export, inspect, log, records, survey, values, waiting,
};

/// The number of files that stay open for reading in a process. A process of hundreds of accounts has few file descriptors
/// for each; the longest unused file is closed, and opened again for its next use.
const MOST_OPEN: usize = 64;

/// Reads a file with a connection of its own, on threads for blocking work.
#[derive(Debug, Clone)]
pub(crate) struct FileReader(Arc<ReadFile>);

/// A file, and its connection while it is open.
#[derive(Debug)]
struct ReadFile {
    folder: AccountFolder,
    inspector: Mutex<Option<Inspector>>,
}

impl FileReader {
    /// Checks that the database of a folder can be read; `None` if there is none. Its first use opens it: an account that runs
    /// may never be looked at. Needs a Tokio runtime, as its other calls do.
    pub(crate) async fn open(folder: AccountFolder) -> Result<Option<Self>, StoreError> {
        aside(move || {
            if !folder.has_data() {
                return Ok(None);
            }
            Inspector::open(folder.path())?;
            Ok(Some(Self(Arc::new(ReadFile { folder, inspector: Mutex::default() }))))
        })
        .await
    }

    async fn inspect<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inspector) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.0);
        aside(move || {
            let result = file.inspect(work);
            file.note_use();
            result
        })
        .await
    }
}

impl ReadFile {
    fn inspect<T>(
        &self,
        work: impl FnOnce(&Inspector) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // A read that panicked leaves nothing behind.
        let mut inspector = self.inspector.lock().unwrap_or_else(PoisonError::into_inner);
        match &*inspector {
            Some(inspector) => work(inspector),
            None => work(inspector.insert(Inspector::open(self.folder.path())?)),
        }
    }

    /// Makes this the last used file, and closes the longest unused ones if too many are open.
    fn note_use(self: &Arc<Self>) {
        static OPEN: Mutex<VecDeque<Weak<ReadFile>>> = Mutex::new(VecDeque::new());
        let unused = {
            let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|file| {
                file.strong_count() > 0 && !std::ptr::eq(file.as_ptr(), &raw const **self)
            });
            open.push_front(Arc::downgrade(self));
            let kept = open.len().min(MOST_OPEN);
            open.split_off(kept)
        };
        for file in unused.iter().filter_map(Weak::upgrade) {
            // One that is in use comes back when that ends.
            if let Ok(mut inspector) = file.inspector.try_lock() {
                *inspector = None;
            }
        }
    }
}

/// Runs blocking work on another thread.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (sender, receiver) = oneshot::channel();
    // The caller may be gone. In a box, so that the task is compiled once for all kinds of work.
    let work: Box<dyn FnOnce() + Send> = Box::new(move || drop(sender.send(work())));
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Failed(error.into()))?;
    receiver.await.map_err(|_| StoreError::Closed)?
}

/// A query that keeps its result. It may run again.
type Query = Box<dyn FnMut(&Connection) -> rusqlite::Result<()> + Send>;

/// Runs queries on a connection, each so that it sees one state.
#[async_trait]
trait Queries: Send + Sync {
    async fn run(&self, query: Query) -> Result<(), StoreError>;

    async fn copy_to(&self, file: &Path) -> Result<(), StoreError>;
}

/// The result of a query.
async fn query<T: Send + 'static>(
    queries: &dyn Queries,
    query: impl Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let found = Arc::new(Mutex::new(None));
    let place = Arc::clone(&found);
    let keeping = move |connection: &Connection| {
        let result = query(connection)?;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        Ok(())
    };
    queries.run(Box::new(keeping)).await?;
    let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
    found.ok_or(StoreError::Closed)
}

#[async_trait]
impl Queries for FileReader {
    /// Runs a query in a transaction.
    async fn run(&self, mut query: Query) -> Result<(), StoreError> {
        let whole = move |connection: &Connection| {
            let transaction = connection.unchecked_transaction()?;
            query(connection)?;
            transaction.finish()
        };
        self.inspect(move |inspector| inspector.query(whole)).await
    }

    async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let file = file.to_owned();
        self.inspect(move |inspector| inspector.backup(&file)).await
    }
}

#[async_trait]
impl Queries for SqliteStore {
    /// Runs a query as a job of the writer.
    async fn run(&self, mut query: Query) -> Result<(), StoreError> {
        self.executor.run(Written, move |db| query(&db.connection)).await
    }

    async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let Some(folder) = self.path().and_then(Path::parent) else {
            let instead = "keep the data in a file: a store in memory cannot be copied";
            return Err(StoreError::Unsupported { instead });
        };
        let (folder, file) = (folder.to_owned(), file.to_owned());
        aside(move || Inspector::open(&folder)?.backup(&file)).await
    }
}

/// Implements the trait with one query for each call.
macro_rules! implement_reader {
    ($type:ty) => {
        #[async_trait]
        impl StoreReader for $type {
            async fn depths(&self) -> Result<Depths, StoreError> {
                query(self, inspect::depths).await
            }

            async fn status(&self, now: Timestamp) -> Result<StoreStatus, StoreError> {
                query(self, move |db| inspect::status(db, now)).await
            }

            async fn settled(&self, since: Timestamp) -> Result<BTreeMap<String, u64>, StoreError> {
                query(self, move |db| inspect::settled(db, since.as_millis())).await
            }

            async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
                query(self, waiting::waiting).await
            }

            async fn survey(&self) -> Result<Survey, StoreError> {
                query(self, survey::survey).await
            }

            async fn records(&self) -> Result<Records, StoreError> {
                query(self, records::read).await
            }

            async fn state(
                &self,
                owner: &StateOwner,
                prefix: &str,
                now: Timestamp,
            ) -> Result<BTreeMap<String, StateValue>, StoreError> {
                let (owner, prefix) = (owner.clone(), prefix.to_owned());
                query(self, move |db| values::values(db, &owner, &prefix, now)).await
            }

            async fn chat_values(
                &self,
                key: &str,
                now: Timestamp,
            ) -> Result<BTreeMap<ChatId, String>, StoreError> {
                let key = key.to_owned();
                query(self, move |db| survey::chat_values(db, &key, now)).await
            }

            async fn log(&self, filter: &LogQuery) -> Result<LogPage, StoreError> {
                let filter = filter.clone();
                query(self, move |db| log::log(db, &filter)).await
            }

            async fn export(&self, from: &ExportPlace) -> Result<ExportPage, StoreError> {
                let from = from.clone();
                query(self, move |db| export::export(db, &from)).await
            }

            async fn backup(&self, to: &Path) -> Result<(), StoreError> {
                self.copy_to(to).await
            }
        }
    };
}

implement_reader!(FileReader);
implement_reader!(SqliteStore);

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::{Options, SqliteStores};
    use mynah_core::Stores;

    #[tokio::test]
    async fn few_files_stay_open_for_reading_and_all_can_be_read() {
        let folder = TempDir::new().unwrap();
        let stores = SqliteStores::new(folder.path(), Options::default());
        let mut readers = Vec::new();
        stores.open("a").await.unwrap().close().await.unwrap();
        let made = AccountFolder::new(folder.path().join("a")).database();
        for n in 0..MOST_OPEN + 10 {
            let account = AccountFolder::new(folder.path().join(n.to_string()));
            std::fs::create_dir(account.path()).unwrap();
            std::fs::copy(&made, account.database()).unwrap();
            readers.push(FileReader::open(account).await.unwrap().unwrap());
        }
        let is_open = |reader: &FileReader| reader.0.inspector.lock().unwrap().is_some();
        // Other tests of this process may have files open, too.
        assert!(readers.iter().filter(|reader| is_open(reader)).count() <= MOST_OPEN);
        assert!(!is_open(&readers[0]), "the longest unused one");
        for reader in &readers {
            assert_eq!(reader.depths().await.unwrap(), Depths::default());
        }
        assert!(readers.iter().filter(|reader| is_open(reader)).count() <= MOST_OPEN);
    }
}
