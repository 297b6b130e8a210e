//! A store under test.

use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::{EventId, Store, StoreError, StoreReader};

use crate::ModelStore;

/// A store under test that can simulate the death of its process.
#[async_trait]
pub trait Ground: Send + Sync {
    /// The open store.
    fn store(&self) -> &dyn Store;

    /// Simulates that the process dies and another one opens the same data.
    async fn crash(&mut self);

    /// A reader of the same data, as another part of the process has it.
    async fn reader(&self) -> Result<Arc<dyn StoreReader>, StoreError>;

    /// Changes the stored form of an event into one that no version knows. Returns false if this kind of store gives a
    /// test no way to do so.
    async fn spoil(&self, event: &EventId) -> bool;
}

/// The model store under test.
#[derive(Debug)]
pub struct ModelGround(pub ModelStore);

#[async_trait]
impl Ground for ModelGround {
    fn store(&self) -> &dyn Store {
        &self.0
    }

    async fn crash(&mut self) {
        self.0.reopen();
    }

    async fn reader(&self) -> Result<Arc<dyn StoreReader>, StoreError> {
        Ok(Arc::new(self.0.clone()))
    }

    async fn spoil(&self, event: &EventId) -> bool {
        self.0.spoil(event);
        true
    }
}
