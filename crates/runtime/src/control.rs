//! A handle to control a running account.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mynah_core::{ChatId, Event, EventId, Lane, Outcome, Perform, PerformError, Planned};
use tokio::sync::{mpsc, oneshot, watch};

use crate::handlers::ActiveHandlers;
use crate::performing::Answer;
use crate::{Handlers, Pace};

/// The largest number of waiting orders; above it, callers wait.
const WAITING: usize = 64;

/// A handle to a running account. Cheap to clone; serves one [`run`](crate::run).
#[derive(Clone)]
pub struct Control {
    sender: mpsc::Sender<Order>,
    receiver: Arc<Mutex<Option<mpsc::Receiver<Order>>>>,
    idle: Arc<watch::Sender<bool>>,
    left_behind: Arc<AtomicBool>,
    handlers: ActiveHandlers,
}

/// An order to a running account.
#[derive(Debug)]
pub(crate) enum Order {
    /// Accept these events as if the service had sent them, and report when they are stored.
    Inject { events: Vec<Event>, stored: oneshot::Sender<()> },
    /// Perform this action and report its outcomes.
    Perform { id: EventId, planned: Box<Planned>, answer: Answer },
    /// Look at these queues again: another part of the program has changed the store.
    Release { lanes: Vec<Lane>, chats: Vec<ChatId> },
    /// Report the use of the limits and the waiting chats.
    Pace(oneshot::Sender<Pace>),
}

/// The account has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account is not running")]
pub struct NotRunning;

impl Control {
    /// A handle for an account that is about to run.
    #[must_use]
    pub fn new() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(Some(receiver))),
            idle: Arc::new(watch::Sender::new(false)),
            left_behind: Arc::default(),
            handlers: ActiveHandlers::default(),
        }
    }

    /// Gives the account events of the bot itself, e.g. [`EventBody::Started`](mynah_core::EventBody::Started) after a
    /// reload. They are stored and handled like those of the service.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] after the account has ended.
    pub async fn inject(&self, events: Vec<Event>) -> Result<(), NotRunning> {
        let (stored, _) = oneshot::channel();
        self.sender.send(Order::Inject { events, stored }).await.map_err(|_| NotRunning)
    }

    /// The same, and returns when they are stored: what the service sends from then on comes after them. An account that is
    /// still starting stores them once it runs.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] if the account ends before; they may be stored.
    pub async fn inject_and_store(&self, events: Vec<Event>) -> Result<(), NotRunning> {
        let (stored, done) = oneshot::channel();
        self.sender.send(Order::Inject { events, stored }).await.map_err(|_| NotRunning)?;
        done.await.map_err(|_| NotRunning)
    }

    /// Makes the account look at these queues again after a change of its store by another part of the program.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] after the account has ended.
    pub async fn release(&self, lanes: Vec<Lane>, chats: Vec<ChatId>) -> Result<(), NotRunning> {
        self.sender.send(Order::Release { lanes, chats }).await.map_err(|_| NotRunning)
    }

    /// The use of the account's limits, and the waiting chats with the times until which they wait. An account that is
    /// still starting answers once it runs.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] after the account has ended.
    pub async fn pace(&self) -> Result<Pace, NotRunning> {
        let (answer, told) = oneshot::channel();
        self.sender.send(Order::Pace(answer)).await.map_err(|_| NotRunning)?;
        told.await.map_err(|_| NotRunning)
    }

    /// Lets the next turns of the account begin with these handlers, in place of those of [`Account`](crate::Account). An
    /// attempt of a turn that has begun ends with the old ones, which are dropped after it.
    pub fn replace_handlers(&self, handlers: Handlers) {
        self.handlers.replace(handlers);
    }

    pub(crate) fn handlers(&self) -> &ActiveHandlers {
        &self.handlers
    }

    /// Returns when the account has no event to handle and no action to send; timers may be pending. Events that the
    /// service has not delivered yet do not count.
    pub async fn idle(&self) {
        // The sender lives in this handle, so waiting cannot fail.
        let _ = self.idle.subscribe().wait_for(|idle| *idle).await;
    }

    /// Whether handlers still blocked their threads when the account had ended. Their runtime cannot end before them;
    /// only the end of the process ends them.
    #[must_use]
    pub fn has_left_behind(&self) -> bool {
        self.left_behind.load(Ordering::Relaxed)
    }

    pub(crate) fn leave_behind(&self) {
        self.left_behind.store(true, Ordering::Relaxed);
    }

    pub(crate) fn set_idle(&self, idle: bool) {
        self.idle.send_if_modified(|before| std::mem::replace(before, idle) != idle);
    }

    /// The receiving end, for the one run of this handle.
    pub(crate) fn take(&self) -> Option<mpsc::Receiver<Order>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The action leaves once the account is online.
#[async_trait]
impl Perform for Control {
    async fn perform(&self, id: EventId, planned: Planned) -> Result<Vec<Outcome>, PerformError> {
        let (answer, outcomes) = oneshot::channel();
        let order = Order::Perform { id, planned: Box::new(planned), answer };
        self.sender.send(order).await.map_err(|_| PerformError::NotRunning)?;
        outcomes.await.unwrap_or(Err(PerformError::Interrupted))
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}
