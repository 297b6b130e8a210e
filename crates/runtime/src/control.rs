//! A handle by which others act on a running account.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mynah_core::{ChatId, Event, Lane};
use tokio::sync::{mpsc, oneshot, watch};

use crate::Pace;

/// How many orders may wait; a giver waits when there are more.
const WAITING: usize = 64;

/// A handle to a running account. Cheap to clone; serves one [`run`](crate::run).
#[derive(Clone)]
pub struct Control {
    sender: mpsc::Sender<Order>,
    receiver: Arc<Mutex<Option<mpsc::Receiver<Order>>>>,
    idle: Arc<watch::Sender<bool>>,
    left_behind: Arc<AtomicBool>,
}

/// What others may want of a running account.
#[derive(Debug)]
pub(crate) enum Order {
    /// Take in these events as if the service had brought them.
    Inject(Vec<Event>),
    /// Look again at these queues: something was put into the store from outside.
    Release { lanes: Vec<Lane>, chats: Vec<ChatId> },
    /// Tell how the sending stands.
    Pace(oneshot::Sender<Pace>),
}

/// The account is not running any more.
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
        }
    }

    /// Gives the account events of our own, e.g. [`EventBody::Started`](mynah_core::EventBody::Started) after a reload.
    /// They are stored and handled like those of the service.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] after the account has ended.
    pub async fn inject(&self, events: Vec<Event>) -> Result<(), NotRunning> {
        self.sender.send(Order::Inject(events)).await.map_err(|_| NotRunning)
    }

    /// Makes the account look at these queues again, after something was put into its store from outside.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] after the account has ended.
    pub async fn release(&self, lanes: Vec<Lane>, chats: Vec<ChatId>) -> Result<(), NotRunning> {
        self.sender.send(Order::Release { lanes, chats }).await.map_err(|_| NotRunning)
    }

    /// How the sending of the account stands: what its limits leave, and what waits until when. An account that is only
    /// starting answers once it runs.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] after the account has ended.
    pub async fn pace(&self) -> Result<Pace, NotRunning> {
        let (answer, told) = oneshot::channel();
        self.sender.send(Order::Pace(answer)).await.map_err(|_| NotRunning)?;
        told.await.map_err(|_| NotRunning)
    }

    /// Returns when the account has nothing to handle and nothing to send; timers may be set. What the service has not
    /// handed over yet cannot count.
    pub async fn idle(&self) {
        // The sender lives in this handle, so waiting cannot fail.
        let _ = self.idle.subscribe().wait_for(|idle| *idle).await;
    }

    /// Whether handlers still blocked their threads when the account had ended. Their runtime cannot end before they do:
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

    /// The receiving end, for the one run that this handle serves.
    pub(crate) fn take(&self) -> Option<mpsc::Receiver<Order>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
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
