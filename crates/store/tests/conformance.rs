//! The store on SQLite, in memory and in a file, against the conformance suite and the model store.

use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::{EventId, Store, StoreError, StoreReader, Stores};
use mynah_store::{AccountFolder, Options, SqliteStore, SqliteStores};
use mynah_store_testing::{Call, Ground, ModelGround, ModelStore, calls, check, play};
use proptest::prelude::ProptestConfig;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A store in memory. Its data survives the simulated death of the process.
struct Memory(Arc<SqliteStore>);

impl Memory {
    fn new() -> Self {
        Self(Arc::new(SqliteStore::in_memory()))
    }
}

#[async_trait]
impl Ground for Memory {
    fn store(&self) -> &dyn Store {
        &*self.0
    }

    async fn crash(&mut self) {
        self.0.reopen().await.expect("memory does not fail");
    }

    async fn reader(&self) -> Result<Arc<dyn StoreReader>, StoreError> {
        Ok(Arc::clone(&self.0) as _)
    }

    async fn spoil(&self, _event: &EventId) -> bool {
        false
    }
}

/// A store in a file, which is closed and opened again.
struct File {
    // The order matters: the store is closed before its folder is removed.
    store: Option<SqliteStore>,
    folder: TempDir,
}

impl File {
    fn new() -> Self {
        let mut file = Self { store: None, folder: TempDir::new().expect("a temporary folder") };
        file.open();
        file
    }

    fn open(&mut self) {
        let store = SqliteStore::open(self.folder.path(), Options::default());
        self.store = Some(store.expect("a store in order"));
    }
}

#[async_trait]
impl Ground for File {
    fn store(&self) -> &dyn Store {
        self.store.as_ref().expect("it is open")
    }

    async fn crash(&mut self) {
        self.store = None;
        self.open();
    }

    async fn reader(&self) -> Result<Arc<dyn StoreReader>, StoreError> {
        let folder = AccountFolder::new(self.folder.path());
        let stores = SqliteStores::default().with("main", folder, Options::default());
        Ok(stores.reader("main").await?.expect("there is data"))
    }

    async fn spoil(&self, event: &EventId) -> bool {
        let file = AccountFolder::new(self.folder.path()).database();
        let connection = Connection::open(file).expect("a database");
        let sql = r#"UPDATE event SET body = '{"event":"hologram"}' WHERE id = ?1"#;
        connection.execute(sql, [event.as_str()]).expect("a row") == 1
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("no driver needed")
}

#[test]
fn the_store_in_memory_keeps_every_promise() {
    let new = || -> Box<dyn Ground> { Box::new(Memory::new()) };
    assert_eq!(runtime().block_on(check(&new)), Ok(()));
}

#[test]
fn the_store_in_a_file_keeps_every_promise() {
    let new = || -> Box<dyn Ground> { Box::new(File::new()) };
    assert_eq!(runtime().block_on(check(&new)), Ok(()));
}

fn answers(ground: &mut dyn Ground, calls: &[(Call, bool)]) -> Vec<String> {
    runtime().block_on(play(ground, calls)).expect("the store works")
}

proptest::proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(4),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_store_in_memory_answers_like_the_model(calls in calls()) {
        let model = answers(&mut ModelGround(ModelStore::new()), &calls);
        proptest::prop_assert_eq!(answers(&mut Memory::new(), &calls), model);
    }
}

proptest::proptest! {
    // A file takes longer than memory: fewer cases.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.div_ceil(32),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_store_in_a_file_answers_like_the_model(calls in calls()) {
        let model = answers(&mut ModelGround(ModelStore::new()), &calls);
        proptest::prop_assert_eq!(answers(&mut File::new(), &calls), model);
    }
}
