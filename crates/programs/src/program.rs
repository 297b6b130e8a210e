//! A handler in another process: a program or a service, with its counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use mynah_core::{Chat, Message};

use crate::log_lines::shown;
use crate::model::{ModelClient, SentRequests};
use crate::process::{Answered, Process};
use crate::service::HttpService;
use crate::{Failure, LONGEST_LINE, Role, Source, Spec, Waits};

/// A handler in another process. All accounts of a bot share it, and it can be replaced while they use it.
#[derive(Debug, Clone)]
pub struct Program(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Current>,
}

/// A handler as it runs now. A call keeps the one that it began with.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) spec: Spec,
    backend: Backend,
    tally: Arc<Tally>,
}

#[derive(Debug)]
enum Backend {
    Process(Process),
    Service(HttpService),
    Model(ModelClient),
}

/// The counts of a handler since the start of the bot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that failed, by the word of their failure.
    pub failed: BTreeMap<&'static str, u64>,
    /// Processes that were started.
    pub starts: u64,
    /// Whether a process is running; always true for a service.
    pub running: bool,
    /// The time of all answered calls together.
    pub took: Duration,
    /// The mean time of these calls.
    pub mean: Duration,
    /// The time of the longest of them.
    pub longest: Duration,
    /// The last failure, for people.
    pub last_failure: Option<String>,
    /// Messages that a language model did not get because its limit was used up.
    pub limited: u64,
    /// Messages that a language model as a fallback would have got, but that rules answered.
    pub by_rules: u64,
}

/// The counts as they grow.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    answered: AtomicU64,
    micros: AtomicU64,
    longest_micros: AtomicU64,
    /// The number of calls whose time counts: an answer of a model may still be of no use.
    timed: AtomicU64,
    failed: Mutex<BTreeMap<&'static str, u64>>,
    last_failure: Mutex<Option<String>>,
    starts: AtomicU64,
    running: AtomicU64,
    limited: AtomicU64,
    by_rules: AtomicU64,
    sent: SentRequests,
}

impl Tally {
    /// The requests to a language model in the present period.
    pub(crate) fn sent(&self) -> &SentRequests {
        &self.sent
    }

    pub(crate) fn started(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }

    fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        self.longest_micros.fetch_max(micros, Ordering::Relaxed);
        self.timed.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self, failure: &Failure) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed.entry(failure.word()).or_default() += 1;
        drop(failed);
        let words = shown(failure.to_string().as_bytes());
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    fn counts(&self) -> Counts {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let micros = self.micros.load(Ordering::Relaxed);
        Counts {
            answered: self.answered.load(Ordering::Relaxed),
            failed: failed.clone(),
            starts: self.starts.load(Ordering::Relaxed),
            running: self.running.load(Ordering::Relaxed) > 0,
            took: Duration::from_micros(micros),
            mean: Duration::from_micros(micros / self.timed.load(Ordering::Relaxed).max(1)),
            longest: Duration::from_micros(self.longest_micros.load(Ordering::Relaxed)),
            last_failure: self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            limited: self.limited.load(Ordering::Relaxed),
            by_rules: self.by_rules.load(Ordering::Relaxed),
        }
    }
}

impl Program {
    /// Starts a program in the background, or prepares to call a service. Needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the address of a service cannot be used.
    pub fn start(spec: Spec, waits: Waits) -> Result<Self, Failure> {
        let current = ArcSwap::from_pointee(Current::start(spec, waits, Arc::default())?);
        Ok(Self(Arc::new(Shared { current })))
    }

    /// Its settings.
    #[must_use]
    pub fn spec(&self) -> Spec {
        self.0.current.load().spec.clone()
    }

    /// Its counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.current.load().tally.counts()
    }

    /// Stops the program with all its children. Returns when they have ended.
    pub async fn stop(&self) {
        self.current().stop().await;
    }

    /// The handler as it runs now.
    pub(crate) fn current(&self) -> Arc<Current> {
        self.0.current.load_full()
    }

    /// The same handler with other settings, not in use yet. Its counts go on.
    pub(crate) fn prepare(&self, spec: Spec, waits: Waits) -> Result<Current, Failure> {
        Current::start(spec, waits, Arc::clone(&self.current().tally))
    }

    /// Lets the next calls go to a prepared one. Returns the old one, which the calls that have begun hold.
    pub(crate) fn replace(&self, prepared: Current) -> Arc<Current> {
        self.0.current.swap(Arc::new(prepared))
    }

    /// Whether both are the same handler.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The number of holders of this handler.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl Current {
    fn start(spec: Spec, waits: Waits, tally: Arc<Tally>) -> Result<Self, Failure> {
        let limits = (spec.timeout, spec.at_once.max(1));
        let backend = match &spec.source {
            Source::Command(command) => Backend::Process(Process::start(
                &spec.name,
                command.clone(),
                limits,
                waits,
                Arc::clone(&tally),
            )),
            Source::Service(service) => {
                let service = HttpService::new(service, limits)?;
                tally.running.fetch_add(1, Ordering::Relaxed);
                Backend::Service(service)
            }
            Source::Model(model) => {
                let client = ModelClient::new(model, limits)?;
                tally.running.fetch_add(1, Ordering::Relaxed);
                Backend::Model(client)
            }
        };
        Ok(Self { spec, backend, tally })
    }

    pub(crate) async fn stop(&self) {
        match &self.backend {
            Backend::Process(process) => process.stop().await,
            Backend::Service(_) | Backend::Model(_) => self.tally.ended(),
        }
    }

    /// Sends a request and returns the answer. The line ends with a line break.
    pub(crate) async fn ask(&self, id: String, line: Vec<u8>) -> Answered {
        if line.len() > LONGEST_LINE {
            return Err(Failure::TooLong(line.len()));
        }
        let asked = async {
            match &self.backend {
                Backend::Process(process) => process.ask(id, Bytes::from(line)).await,
                Backend::Service(service) => service.ask(&id, Bytes::from(line)).await,
                // It is asked in its own way.
                Backend::Model(_) => Err(Failure::Stopped),
            }
        };
        self.timed(asked).await
    }

    /// The client, if this is a language model.
    pub(crate) fn model(&self) -> Option<&ModelClient> {
        match &self.backend {
            Backend::Model(client) => Some(client),
            Backend::Process(_) | Backend::Service(_) => None,
        }
    }

    /// Adds the time until an answer.
    pub(crate) async fn timed<T>(
        &self,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let answered = call.await;
        if answered.is_ok() {
            self.tally.took(began.elapsed());
        }
        answered
    }

    /// The counts as they grow.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Notes that rules answered this message: a language model that would have got it counts it.
    pub(crate) fn note_answer_by_rules(&self, chat: &Chat, message: &Message) {
        let Role::Fallback(who) = &self.spec.role else { return };
        if self.model().is_some() && who.includes(chat, Some(message)) {
            self.tally.by_rules.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a failure.
    pub(crate) fn count(&self, failure: &Failure) {
        self.tally.failed(failure);
    }
}
