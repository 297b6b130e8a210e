//! The conformance suite, and random calls compared with the model.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use mynah_core::{EventId, Store, StoreError, StoreReader, Stores};
use mynah_store_postgres::{PostgresStore, PostgresStores};
use mynah_store_testing::{Call, Ground, ModelGround, ModelStore, calls, check, play};
use proptest::prelude::ProptestConfig;
use tokio::runtime::Runtime;

use crate::cluster::{Cluster, runtime, silence};

/// The connections of all accounts: a new connection has to plan all statements, which takes a tenth of a second.
struct Process {
    cluster: &'static Cluster,
    runtime: Runtime,
    stores: PostgresStores,
}

impl Process {
    fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Process>> = OnceLock::new();
        let new = || {
            let cluster = Cluster::shared()?;
            let stores = PostgresStores::new(cluster.settings(), "test");
            Some(Self { cluster, runtime: runtime(), stores })
        };
        SHARED.get_or_init(new).as_ref()
    }

    /// An account with a name of its own. Can be called from a task.
    fn new_account(&'static self) -> Account {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("account {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut account = Account { name, process: self, open: None };
        std::thread::scope(|scope| {
            scope.spawn(|| self.runtime.block_on(account.open()));
        });
        account
    }
}

/// An account of the shared server.
struct Account {
    name: String,
    process: &'static Process,
    open: Option<(PostgresStore, PostgresStores)>,
}

impl Account {
    /// Opens the account as a new process.
    async fn open(&mut self) {
        let stores = self.process.stores.next_incarnation();
        let store = stores.open_store(&self.name).await.unwrap();
        self.open = Some((store, stores));
    }

    fn stores(&self) -> &PostgresStores {
        &self.open.as_ref().unwrap().1
    }
}

#[async_trait]
impl Ground for Account {
    fn store(&self) -> &dyn Store {
        &self.open.as_ref().unwrap().0
    }

    /// The former process gives no sign any more; calls of it may still be under way.
    async fn crash(&mut self) {
        self.open = None;
        let admin = self.process.cluster.admin("bots").await;
        silence(&admin, &self.name).await;
        self.open().await;
    }

    async fn reader(&self) -> Result<Arc<dyn StoreReader>, StoreError> {
        Ok(self.stores().reader(&self.name).await?.unwrap())
    }

    async fn spoil(&self, event: &EventId) -> bool {
        let sql = r#"UPDATE mynah.event SET body = '{"event":"hologram"}' WHERE id = $1
            AND account = (SELECT account FROM mynah.account WHERE name = $2)"#;
        let admin = self.process.cluster.admin("bots").await;
        admin.execute(sql, &[&event.as_str(), &self.name]).await.unwrap() == 1
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _context = self.process.runtime.enter();
        self.open = None;
    }
}

#[test]
fn the_store_keeps_every_promise() {
    let Some(process) = Process::shared() else { return };
    let new = || -> Box<dyn Ground> { Box::new(process.new_account()) };
    assert_eq!(process.runtime.block_on(check(&new)), Ok(()));
}

proptest::proptest! {
    // A server takes longer than memory: fewer cases.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(32),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_store_answers_like_the_model(calls in calls()) {
        if let Some(process) = Process::shared() {
            compare(process, &calls);
        }
    }
}

fn compare(process: &'static Process, calls: &[(Call, bool)]) {
    let answers = |ground: &mut dyn Ground| process.runtime.block_on(play(ground, calls)).unwrap();
    let model = answers(&mut ModelGround(ModelStore::new()));
    assert_eq!(answers(&mut process.new_account()), model);
}
