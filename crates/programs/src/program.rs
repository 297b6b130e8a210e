//! A handler in another process: a program or a service, with its counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::process::{Answered, Process};
use crate::service::HttpService;
use crate::{Failure, LONGEST_LINE, Source, Spec, Waits};

/// A handler in another process. All accounts of a bot share it.
#[derive(Debug, Clone)]
pub struct Program(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    spec: Spec,
    backend: Backend,
    tally: Arc<Tally>,
}

#[derive(Debug)]
enum Backend {
    Process(Process),
    Service(HttpService),
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
}

/// The counts as they grow.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    answered: AtomicU64,
    micros: AtomicU64,
    failed: Mutex<BTreeMap<&'static str, u64>>,
    starts: AtomicU64,
    running: AtomicBool,
}

impl Tally {
    pub(crate) fn started(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.running.store(true, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.running.store(false, Ordering::Relaxed);
    }

    fn failed(&self, failure: &Failure) {
        let mut failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *failed.entry(failure.word()).or_default() += 1;
    }

    fn counts(&self) -> Counts {
        let failed = self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Counts {
            answered: self.answered.load(Ordering::Relaxed),
            failed: failed.clone(),
            starts: self.starts.load(Ordering::Relaxed),
            running: self.running.load(Ordering::Relaxed),
            took: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
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
        let tally = Arc::<Tally>::default();
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
                tally.running.store(true, Ordering::Relaxed);
                Backend::Service(HttpService::new(service, limits)?)
            }
        };
        Ok(Self(Arc::new(Inner { spec, backend, tally })))
    }

    /// Its settings.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.0.spec
    }

    /// Its counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.tally.counts()
    }

    /// Stops the program with all its children. Returns when they have ended.
    pub async fn stop(&self) {
        if let Backend::Process(process) = &self.0.backend {
            process.stop().await;
        }
    }

    /// Sends a request and returns the answer. The line ends with a line break.
    pub(crate) async fn ask(&self, id: String, line: Vec<u8>) -> Answered {
        let began = Instant::now();
        let answered = if line.len() > LONGEST_LINE {
            Err(Failure::TooLong(line.len()))
        } else {
            match &self.0.backend {
                Backend::Process(process) => process.ask(id, Bytes::from(line)).await,
                Backend::Service(service) => service.ask(&id, Bytes::from(line)).await,
            }
        };
        if answered.is_ok() {
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.0.tally.answered.fetch_add(1, Ordering::Relaxed);
            self.0.tally.micros.fetch_add(micros, Ordering::Relaxed);
        }
        answered
    }

    /// Counts a failure.
    pub(crate) fn count(&self, failure: &Failure) {
        self.0.tally.failed(failure);
    }
}

/// All handlers of a bot in other processes.
#[derive(Debug, Clone, Default)]
pub struct Programs(Vec<Program>);

impl Programs {
    /// Starts all of them.
    ///
    /// # Errors
    ///
    /// The name of the first that cannot be started, with the reason.
    pub fn start(specs: Vec<Spec>, waits: Waits) -> Result<Self, (String, Failure)> {
        let start = |spec: Spec| {
            let name = spec.name.clone();
            Program::start(spec, waits).map_err(|failure| (name, failure))
        };
        specs.into_iter().map(start).collect::<Result<_, _>>().map(Self)
    }

    /// Each of them, in the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = &Program> {
        self.0.iter()
    }

    /// Stops all of them at the same time.
    pub async fn stop(&self) {
        let stopping: Vec<_> = self
            .0
            .iter()
            .cloned()
            .map(|program| tokio::spawn(async move { program.stop().await }))
            .collect();
        for one in stopping {
            let _ = one.await;
        }
    }
}
