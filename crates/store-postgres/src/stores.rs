//! The accounts of a database.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{Fleet, MovingStore, Store, StoreError, StoreReader, Stores};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::arguments::text;
use crate::fleet::PostgresFleet;
use crate::link::Links;
use crate::node::{Life, Node, TTL};
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

/// How long the data of each account is kept.
#[derive(Debug, Default)]
pub(crate) struct Keeps(Mutex<BTreeMap<String, Keep>>);

impl Keeps {
    fn set(&self, account: &str, keep: Keep) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), keep);
    }

    pub(crate) fn of(&self, account: &str) -> Keep {
        self.all().get(account).copied().unwrap_or_default()
    }

    fn all(&self) -> BTreeMap<String, Keep> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
    keep: Arc<Keeps>,
    /// Whether this process looks alive to others although it gave no sign for a while.
    locks: bool,
    node: OnceCell<Arc<Node>>,
    fleet: OnceLock<Arc<PostgresFleet>>,
    /// The number of the next try to take a lease.
    next_try: AtomicI64,
}

impl PostgresStores {
    /// The accounts of a database. `name` is the name of this process among others, for people to read.
    #[must_use]
    pub fn new(settings: Settings, name: &str) -> Self {
        Self {
            links: Arc::new(Links::new(&settings)),
            settings,
            name: text(name).into_owned(),
            keep: Arc::default(),
            locks: true,
            node: OnceCell::new(),
            fleet: OnceLock::new(),
            next_try: AtomicI64::new(0),
        }
    }

    /// Database and host, for messages.
    #[must_use]
    pub fn place(&self) -> &str {
        self.settings.place()
    }

    /// Sets how long the data of an account is kept.
    #[must_use]
    pub fn with(self, account: &str, keep: Keep) -> Self {
        self.keep(account, keep);
        self
    }

    /// Sets how long the data of an account is kept, from its next opening on.
    pub fn keep(&self, account: &str, keep: Keep) {
        self.keep.set(account, keep);
    }

    /// The next process that works with these accounts, on the same connections: for simulating the death of a process.
    /// The leases of the former one stay until it expires or gives them back. The new one looks to others as if it had
    /// ended whenever it gives no sign for a moment.
    #[must_use]
    pub fn next_incarnation(&self) -> Self {
        Self {
            links: Arc::clone(&self.links),
            settings: self.settings.clone(),
            name: self.name.clone(),
            keep: Arc::new(Keeps(Mutex::new(self.keep.all()))),
            locks: false,
            node: OnceCell::new(),
            fleet: OnceLock::new(),
            next_try: AtomicI64::new(0),
        }
    }

    /// The node of this process, which is registered at the first use.
    async fn node(&self) -> Result<&Arc<Node>, StoreError> {
        let start = async || {
            schema::check(&self.links.control).await?;
            let life =
                Life { name: self.name.clone(), ttl: TTL, expires: false, locks: self.locks };
            Node::start(Arc::clone(&self.links), life).await.map(Arc::new)
        };
        self.node.get_or_try_init(start).await
    }

    /// Takes the lease of an account: its number and the epoch. Waits for the end of a holder that gives no sign.
    async fn take(&self, account: &str, node: &Node) -> Result<(i32, i64), StoreError> {
        let (since, mut first_sign) = (Instant::now(), None);
        let holder: &str = &node.id;
        loop {
            let link = self.links.durable(0, account);
            let this_try = self.next_try.fetch_add(1, Ordering::Relaxed);
            let rows = link.query(queries::TAKE, &[&text(account), &holder, &this_try]).await?;
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
    /// [`StoreError::InUse`] if another process works with it; [`StoreError::Moved`] or [`StoreError::Moving`] if its data is or
    /// goes elsewhere; [`StoreError::Newer`] if the tables need a newer program.
    pub async fn open_store(&self, account: &str) -> Result<PostgresStore, StoreError> {
        let store = self.open_marked(account).await?;
        match MovingStore::mark(&store).await? {
            None => Ok(store),
            Some(mark) => {
                Store::close(&store).await?;
                Err(mark.refusal(&format!("{account} of {}", self.settings.place())))
            }
        }
    }

    /// Opens the data of an account also if a move has marked it.
    async fn open_marked(&self, account: &str) -> Result<PostgresStore, StoreError> {
        let node = self.node().await?;
        let lease = self.take(account, node).await?;
        let keep = self.keep.of(account);
        Ok(PostgresStore::new(Arc::clone(&self.links), Arc::clone(node), lease, keep))
    }
}

#[async_trait]
impl Stores for PostgresStores {
    async fn open(&self, account: &str) -> Result<Arc<dyn Store>, StoreError> {
        Ok(Arc::new(self.open_store(account).await?))
    }

    async fn open_to_move(&self, account: &str) -> Result<Arc<dyn MovingStore>, StoreError> {
        Ok(Arc::new(self.open_marked(account).await?))
    }

    async fn reader(&self, account: &str) -> Result<Option<Arc<dyn StoreReader>>, StoreError> {
        schema::check(self.links.reading()).await?;
        let sql = "SELECT mynah.find_account_1($1)";
        let rows = self.links.reading().query(sql, &[&text(account)]).await?;
        let reader = |row: &tokio_postgres::Row| {
            Arc::new(PostgresReader::new(Arc::clone(&self.links), row.get(0))) as _
        };
        Ok(rows.first().map(reader))
    }

    async fn accounts(&self) -> Result<Vec<String>, StoreError> {
        schema::check(self.links.reading()).await?;
        let sql = "SELECT mynah.accounts_1()";
        let rows = self.links.reading().query(sql, &[]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
    fn fleet(&self) -> Option<Arc<dyn Fleet>> {
        let new = || Arc::new(PostgresFleet::new(Arc::clone(&self.links), Arc::clone(&self.keep)));
        Some(Arc::clone(self.fleet.get_or_init(new)) as _)
    }
}
