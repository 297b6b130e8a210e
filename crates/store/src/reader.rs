//! Asynchronous read access: to a file beside the process that works with it, and to an open store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mynah_core::{
    ChatId, Depths, ExportPage, ExportPlace, LogPage, LogQuery, Records, StateOwner, StateValue,
    StoreError, StoreReader, StoreStatus, Survey, Timestamp, Waiting,
};
use rusqlite::Connection;

use crate::writer::Durability::Written;
use crate::{
    AccountFolder, Inspector, SqliteStore, export, inspect, log, records, survey, values, waiting,
};

/// Reads a file with a connection of its own, on threads for blocking work.
#[derive(Debug, Clone)]
pub(crate) struct FileReader(Arc<Mutex<Inspector>>);

impl FileReader {
    /// Opens the database of a folder; `None` if there is none. Needs a Tokio runtime, as its other calls do.
    pub(crate) async fn open(folder: AccountFolder) -> Result<Option<Self>, StoreError> {
        aside(move || {
            if !folder.has_data() {
                return Ok(None);
            }
            let inspector = Inspector::open(folder.path())?;
            Ok(Some(Self(Arc::new(Mutex::new(inspector)))))
        })
        .await
    }

    async fn inspect<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inspector) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inspector = Arc::clone(&self.0);
        // A read that panicked leaves nothing behind.
        aside(move || work(&inspector.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

/// Runs blocking work on another thread.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Failed(error.into()))?
}

/// Runs a query on a connection.
#[async_trait]
trait Queries: Send + Sync {
    async fn query<T, Q>(&self, query: Q) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Q: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static;

    async fn copy_to(&self, file: &Path) -> Result<(), StoreError>;
}

#[async_trait]
impl Queries for FileReader {
    /// Runs a query in a transaction, so that it sees one state.
    async fn query<T, Q>(&self, query: Q) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Q: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let whole = move |connection: &Connection| {
            let transaction = connection.unchecked_transaction()?;
            let found = query(connection)?;
            transaction.finish()?;
            Ok(found)
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
    async fn query<T, Q>(&self, query: Q) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Q: Fn(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
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
                self.query(inspect::depths).await
            }

            async fn status(&self, now: Timestamp) -> Result<StoreStatus, StoreError> {
                self.query(move |db| inspect::status(db, now)).await
            }

            async fn settled(&self, since: Timestamp) -> Result<BTreeMap<String, u64>, StoreError> {
                self.query(move |db| inspect::settled(db, since.as_millis())).await
            }

            async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
                self.query(waiting::waiting).await
            }

            async fn survey(&self) -> Result<Survey, StoreError> {
                self.query(survey::survey).await
            }

            async fn records(&self) -> Result<Records, StoreError> {
                self.query(records::read).await
            }

            async fn state(
                &self,
                owner: &StateOwner,
                prefix: &str,
                now: Timestamp,
            ) -> Result<BTreeMap<String, StateValue>, StoreError> {
                let (owner, prefix) = (owner.clone(), prefix.to_owned());
                self.query(move |db| values::values(db, &owner, &prefix, now)).await
            }

            async fn chat_values(
                &self,
                key: &str,
                now: Timestamp,
            ) -> Result<BTreeMap<ChatId, String>, StoreError> {
                let key = key.to_owned();
                self.query(move |db| survey::chat_values(db, &key, now)).await
            }

            async fn log(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
                let query = query.clone();
                self.query(move |db| log::log(db, &query)).await
            }

            async fn export(&self, from: &ExportPlace) -> Result<ExportPage, StoreError> {
                let from = from.clone();
                self.query(move |db| export::export(db, &from)).await
            }

            async fn backup(&self, to: &Path) -> Result<(), StoreError> {
                self.copy_to(to).await
            }
        }
    };
}

implement_reader!(FileReader);
implement_reader!(SqliteStore);
