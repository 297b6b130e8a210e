//! Lanes, turns, outbox, pacing, timers, recovery and shutdown: what makes a bot of a transport, a store and handlers.
//!
//! The tables of the store are the queues; here is only what is under way. Everything that decides takes `now` as a
//! value, and only this file starts tasks.

mod clock;
mod control;
mod ended;
mod handlers;
mod observer;
mod settings;
mod stage;

use std::sync::Arc;

use mynah_core::{Clock, Store, Transport};
use tokio_util::sync::CancellationToken;

pub use clock::ManualClock;
pub use control::{Control, NotRunning};
pub use ended::Ended;
pub use handlers::Handlers;
pub use observer::{Observer, Trouble, Unobserved};
pub use settings::{LoopBreaker, Pacing, Rate, Settings, UnknownPolicy};
pub use stage::Stage;

/// One account with everything it needs to run.
pub struct Account {
    /// Its name, for logs.
    pub name: String,
    /// What outlives the process.
    pub store: Arc<dyn Store>,
    /// The connection to the service.
    pub transport: Box<dyn Transport>,
    /// Who answers.
    pub handlers: Handlers,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How it is run.
    pub settings: Settings,
    /// Who wants to know.
    pub observer: Arc<dyn Observer>,
}

/// Runs an account until it is stopped or its session is over.
pub async fn run(account: Account, control: Control, stop: CancellationToken) -> Ended {
    todo!()
}
