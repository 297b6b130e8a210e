//! A store under test.

use async_trait::async_trait;
use mynah_core::Store;

use crate::ModelStore;

/// A store under test that can simulate the death of its process.
#[async_trait]
pub trait Ground: Send + Sync {
    /// The open store.
    fn store(&self) -> &dyn Store;

    /// Simulates that the process dies and another one opens the same data.
    async fn crash(&mut self);
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
}
