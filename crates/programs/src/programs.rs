//! All handlers of a bot in other processes, and how they come and go while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mynah_core::{Chat, Message};
use tokio::task::JoinHandle;

use crate::program::Current;
use crate::{Failure, Program, Spec, Waits};

/// How long a handler that was replaced or removed may finish its calls.
const LAST_CALLS: Duration = Duration::from_secs(120);

/// How often it is looked whether they are finished.
const LOOK: Duration = Duration::from_millis(10);

/// All handlers of a bot in other processes. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Programs(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// In the order of the settings.
    all: Mutex<Vec<Program>>,
    /// Those that were replaced or removed and are being stopped.
    leaving: Mutex<Vec<JoinHandle<()>>>,
}

/// The handlers whose settings are the same as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// They keep their processes.
    Keep,
    /// They are started anew: their code may have changed.
    StartAnew,
}

/// The difference that new settings made, by the names of handlers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Those that were not there before.
    pub added: Vec<String>,
    /// Those that were started anew.
    pub replaced: Vec<String>,
    /// Those that are not there any more.
    pub removed: Vec<String>,
}

impl Difference {
    /// Whether everything is as before.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.added.is_empty() && self.replaced.is_empty() && self.removed.is_empty()
    }
}

/// A handler that is ready for new settings.
enum Prepared {
    Kept(Program),
    Replaced(Program, Box<Current>),
    Added(Program),
}

impl Prepared {
    /// Stops it before any use.
    async fn give_up(self) {
        match self {
            Self::Kept(_) => {}
            Self::Replaced(_, prepared) => prepared.stop().await,
            Self::Added(program) => program.stop().await,
        }
    }
}

impl Programs {
    /// Starts all of them. Needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// The name of the first that cannot be started, with the reason.
    pub fn start(specs: Vec<Spec>, waits: Waits) -> Result<Self, (String, Failure)> {
        let programs = Self::default();
        programs.change(specs, waits, Unchanged::Keep)?;
        Ok(programs)
    }

    /// Changes the handlers to those of these settings, at once and whole. Calls that have begun end with the old processes,
    /// which are then stopped.
    ///
    /// # Errors
    ///
    /// The name of the first that cannot be started, with the reason. Nothing has changed then.
    pub fn change(
        &self,
        specs: Vec<Spec>,
        waits: Waits,
        unchanged: Unchanged,
    ) -> Result<Difference, (String, Failure)> {
        let mut all = self.all();
        let prepare = |spec: Spec| {
            let name = spec.name.clone();
            let old = all.iter().find(|program| program.current().spec.name == name);
            let prepared = match old {
                Some(old) if old.current().spec == spec && unchanged == Unchanged::Keep => {
                    Ok(Prepared::Kept(old.clone()))
                }
                Some(old) => old
                    .prepare(spec, waits)
                    .map(|new| Prepared::Replaced(old.clone(), Box::new(new))),
                None => Program::start(spec, waits).map(Prepared::Added),
            };
            prepared.map_err(|failure| (name, failure))
        };
        let mut prepared = Vec::new();
        for spec in specs {
            match prepare(spec) {
                Ok(one) => prepared.push(one),
                Err(failed) => {
                    prepared.into_iter().for_each(|one| self.leave(one.give_up()));
                    return Err(failed);
                }
            }
        }
        let mut difference = Difference::default();
        let mut new = Vec::new();
        for one in prepared {
            new.push(match one {
                Prepared::Kept(program) => program,
                Prepared::Replaced(program, prepared) => {
                    difference.replaced.push(prepared.spec.name.clone());
                    self.leave(stop_replaced(program.replace(*prepared)));
                    program
                }
                Prepared::Added(program) => {
                    difference.added.push(program.spec().name);
                    program
                }
            });
        }
        let old = std::mem::replace(&mut *all, new);
        let is_gone = |program: &Program| !all.iter().any(|new| new.is_same(program));
        for gone in old.into_iter().filter(is_gone) {
            difference.removed.push(gone.spec().name);
            self.leave(stop_removed(gone));
        }
        Ok(difference)
    }

    /// Removes handlers, which cannot fail. Calls that have begun end with their processes, which are then stopped. Returns
    /// the names.
    pub fn remove(&self, is_gone: impl Fn(&Spec) -> bool) -> Vec<String> {
        let gone: Vec<Program> =
            self.all().extract_if(.., |program| is_gone(&program.current().spec)).collect();
        let names = gone.iter().map(|program| program.spec().name).collect();
        gone.into_iter().for_each(|program| self.leave(stop_removed(program)));
        names
    }

    /// Each of them as they are now, in the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = Program> {
        self.all().clone().into_iter()
    }

    /// Notes that rules answered a message: language models that would have got it count it.
    pub fn note_answer_by_rules(&self, chat: &Chat, message: &Message) {
        for program in self.iter() {
            program.current().note_answer_by_rules(chat, message);
        }
    }

    /// Stops all of them at the same time, those too that were replaced.
    pub async fn stop(&self) {
        let stop = |program: Program| tokio::spawn(async move { program.stop().await });
        let mut stopping: Vec<_> = self.iter().map(stop).collect();
        stopping.append(&mut self.leaving());
        for one in stopping {
            let _ = one.await;
        }
    }

    fn leave(&self, stopping: impl Future<Output = ()> + Send + 'static) {
        let mut leaving = self.leaving();
        leaving.retain(|one| !one.is_finished());
        leaving.push(tokio::spawn(stopping));
    }

    fn all(&self) -> MutexGuard<'_, Vec<Program>> {
        self.0.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leaving(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the former process of a handler when its calls are finished: each of them holds it.
async fn stop_replaced(old: Arc<Current>) {
    until(|| Arc::strong_count(&old) == 1).await;
    old.stop().await;
}

/// Stops a removed handler when no turn has it any more.
async fn stop_removed(gone: Program) {
    until(|| gone.holders() == 1).await;
    gone.stop().await;
}

async fn until(is_finished: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_finished() && began.elapsed() < LAST_CALLS {
        tokio::time::sleep(LOOK).await;
    }
}
