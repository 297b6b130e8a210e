//! The same turns and the same outbox, driven step by step without a task: for `[[test]]`, replay and tests.

use std::sync::Arc;

use mynah_core::{Batch, Service, Store, StoreError, Timestamp};

use crate::{Handlers, ManualClock, Observer, Settings};

/// A bot on a stage: the whole way of an event from [`deliver`](Self::deliver) to the service's `perform`, in memory,
/// with a clock that moves when told. Nothing runs between calls.
#[derive(Debug)]
pub struct Stage {}

impl Stage {
    /// A bot on a stage. The service records or performs what is sent. Set pacing off unless pacing is the matter.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        handlers: Handlers,
        settings: Settings,
        clock: Arc<ManualClock>,
        service: Arc<dyn Service>,
    ) -> Self {
        todo!()
    }

    /// The same, told of everything that happens.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        todo!()
    }

    /// Takes in events as the service would bring them. Nothing is handled before [`settle_all`](Self::settle_all).
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn deliver(&mut self, batch: Batch) -> Result<(), StoreError> {
        todo!()
    }

    /// Runs turns and sends until nothing more happens at this moment.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn settle_all(&mut self) -> Result<(), StoreError> {
        todo!()
    }

    /// Moves the clock forward to this moment and lets everything happen that is due on the way, in order.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn advance_to(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Jumps to this moment: what would have been due on the way is skipped, the bot is started again (so that its
    /// schedules are set anew), and what is due at the moment itself happens.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn jump_to(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        todo!()
    }
}
