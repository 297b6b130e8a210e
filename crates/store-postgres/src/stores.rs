//! The accounts of a database.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{Store, StoreError, StoreReader, Stores};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::arguments::text;
use crate::link::Links;
use crate::node::{Node, TTL};
use crate::reader::PostgresReader;
use crate::{PostgresStore, Settings, queries, schema};

/// How long the data of an account is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How long handled events and sent actions stay in the log. With zero, no text is kept.
    pub log: Duration,
    /// How long the ids of events stay known. Must be longer than messages are answered.
    pub seen: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        let days = |number: u64| Duration::from_secs(number * 24 * 60 * 60);
        Self { log: days(7), seen: days(30) }
    }
}

/// The pause between two looks at a lease that another process holds.
const LOOK: Duration = Duration::from_millis(200);

/// The accounts of a database. Connects when it is first used. Calls need a Tokio runtime.
#[derive(Debug)]
pub struct PostgresStores {
    links: Arc<Links>,
    settings: Settings,
    /// The name of this process in the table of nodes.
    name: String,
    keep: Mutex<BTreeMap<String, Keep>>,
    node: OnceCell<Arc<Node>>,
}

impl PostgresStores {
    /// The accounts of a database. `name` is the name of this process among others, for people to read.
    #[must_use]
    pub fn new(settings: Settings, name: &str) -> Self {
        Self {
            links: Arc::new(Links::new(&settings)),
            settings,
            name: text(name).into_owned(),
            keep: Mutex::default(),
            node: OnceCell::new(),
        }
    }

    /// Sets how long the data of an account is kept.
    #[must_use]
    pub fn with(self, account: &str, keep: Keep) -> Self {
        self.keep(account, keep);
        self
    }

    /// Sets how long the data of an account is kept, from its next opening on.
    pub fn keep(&self, account: &str, keep: Keep) {
        self.kept().insert(account.to_owned(), keep);
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Keep>> {
        self.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next process that works with these accounts, on the same connections: for simulating the death of a process.
    /// The leases of the former one stay until it expires or gives them back.
    #[must_use]
    pub fn next_incarnation(&self) -> Self {
        Self {
            links: Arc::clone(&self.links),
            settings: self.settings.clone(),
            name: self.name.clone(),
            keep: Mutex::new(self.kept().clone()),
            node: OnceCell::new(),
        }
    }

    /// The node of this process, which is registered at the first use.
    async fn node(&self) -> Result<&Arc<Node>, StoreError> {
        let start = async || {
            schema::check(&self.links.control).await?;
            Node::start(Arc::clone(&self.links), self.name.clone()).await.map(Arc::new)
        };
        self.node.get_or_try_init(start).await
    }

    /// Takes the lease of an account: its number and the epoch. Waits for the end of a holder that gives no sign.
    async fn take(&self, account: &str, node: &Node) -> Result<(i32, i64), StoreError> {
        let (since, mut first_sign) = (Instant::now(), None);
        let holder: &str = &node.id;
        loop {
            let link = self.links.durable(0, account);
            let rows = link.query(queries::TAKE, &[&text(account), &holder]).await?;
            let row = &rows[0];
            if let Some(epoch) = row.get::<_, Option<i64>>(1) {
                return Ok((row.get(0), epoch));
            }
            let sign: Option<String> = row.get(2);
            let is_alive = first_sign.get_or_insert_with(|| sign.clone()) != &sign;
            if is_alive || since.elapsed() > TTL * 2 {
                let place = format!("{account} of {}", self.settings.place());
                return Err(StoreError::InUse { place });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Opens the data of an account for work, as [`open`](Stores::open) does.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process works with it; [`StoreError::Newer`] if the tables need a newer program.
    pub async fn open_store(&self, account: &str) -> Result<PostgresStore, StoreError> {
        let node = self.node().await?;
        let lease = self.take(account, node).await?;
        let keep = self.kept().get(account).copied().unwrap_or_default();
        Ok(PostgresStore::new(Arc::clone(&self.links), Arc::clone(node), lease, keep))
    }
}

#[async_trait]
impl Stores for PostgresStores {
    async fn open(&self, account: &str) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(self.open_store(account).await?))
    }

    async fn reader(&self, account: &str) -> Result<Option<Arc<dyn StoreReader>>, StoreError> {
        schema::check(self.links.reading()).await?;
        let sql = "SELECT account FROM mynah.account WHERE name = $1";
        let rows = self.links.reading().query(sql, &[&text(account)]).await?;
        let reader = |row: &tokio_postgres::Row| {
            Arc::new(PostgresReader::new(Arc::clone(&self.links), row.get(0))) as _
        };
        Ok(rows.first().map(reader))
    }

    async fn accounts(&self) -> Result<Vec<String>, StoreError> {
        schema::check(self.links.reading()).await?;
        let sql = "SELECT name FROM mynah.account ORDER BY name";
        let rows = self.links.reading().query(sql, &[]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
