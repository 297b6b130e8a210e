//! The handlers in other processes, for an account or a played conversation.

use std::fmt;
use std::mem::discriminant;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Context, Handler, Person};
use mynah_page::{Kind, Metric, Pages};
use mynah_programs::{Account, Program, ProgramHandler, Programs, Role, Spec, Waits};
use mynah_rules::Lang;
use mynah_runtime::Handlers;

use crate::config::{Config, Outside};
use crate::rule_handler::ActiveRules;
use crate::{Bot, Ended, Report};

/// The folder for files of answers, in the data folder of an account.
const OUTGOING: &str = "outgoing";

/// A call bounds itself, by its time-out and those of the calls before it; this is for a mistake of the program.
const LONGEST_CALL: Duration = Duration::from_secs(3600);

const CALLS: Metric = Metric {
    name: "mynah_handler_calls_total",
    help: "Calls of handlers in other processes, by outcome (answered, error, answer, timeout, ended, not_running, too_long, service, stopped).",
    kind: Kind::Counter,
    labels: &["handler", "outcome"],
};
const SECONDS: Metric = Metric {
    name: "mynah_handler_seconds_total",
    help: "The time of all answered calls of a handler in another process.",
    kind: Kind::Counter,
    labels: &["handler"],
};
const STARTS: Metric = Metric {
    name: "mynah_handler_starts_total",
    help: "Processes that were started for a handler.",
    kind: Kind::Counter,
    labels: &["handler"],
};
const RUNNING: Metric = Metric {
    name: "mynah_handler_running",
    help: "1 while the process of a handler runs.",
    kind: Kind::Gauge,
    labels: &["handler"],
};

/// The account of handlers in other processes.
pub(crate) struct HandlerAccount {
    name: String,
    active_rules: Arc<ActiveRules>,
    outgoing: PathBuf,
}

impl HandlerAccount {
    /// The account of this name with its rules and its data folder.
    pub(crate) fn new(name: &str, active_rules: Arc<ActiveRules>, data: &Path) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), active_rules, outgoing: data.join(OUTGOING) })
    }
}

impl Account for HandlerAccount {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_admin(&self, ctx: &Context, person: &Person) -> bool {
        self.active_rules.load().is_admin(person, ctx)
    }

    fn outgoing(&self) -> &Path {
        &self.outgoing
    }
}

impl fmt::Debug for HandlerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandlerAccount").field(&self.name).finish()
    }
}

/// The handlers of the settings, not started yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared(Arc<[Spec]>);

impl Declared {
    /// These handlers beside those of the bot.
    pub(crate) fn new(specs: Vec<Spec>, bot: &Bot) -> Result<Self, Report> {
        if let Some(twice) = specs.iter().find(|spec| bot.names().contains(&spec.name)) {
            let what = format!("the program and [[handler]] both have a handler {}", twice.name);
            return Err(Report::new(Ended::Usage, what).hint("give each its own name"));
        }
        Ok(Self(specs.into()))
    }

    /// The names that rules can run.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let run = self.0.iter().filter(|spec| spec.role == Role::Run);
        run.map(|spec| spec.name.as_str())
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Starts all of them.
    pub(crate) fn start(&self) -> Result<Programs, Report> {
        Programs::start(self.0.to_vec(), Waits::default()).map_err(|(name, failure)| {
            Report::new(Ended::Usage, format!("failed to start the handler {name}"))
                .because(failure)
        })
    }
}

/// Adds the handlers of an account.
pub(crate) fn add(
    handlers: Handlers,
    programs: &Programs,
    account: &Arc<HandlerAccount>,
) -> Handlers {
    let active_rules = Arc::clone(&account.active_rules);
    let handlers = handlers.lang(Arc::new(move || active_rules.load().lang()));
    programs.iter().fold(handlers, |handlers, program| {
        let name = program.spec().name.clone();
        let account = Arc::clone(account) as Arc<dyn Account>;
        let handler: Arc<dyn Handler> = Arc::new(ProgramHandler::new(program.clone(), account));
        let handlers = match program.spec().role {
            Role::Run => handlers.named(name, handler),
            Role::Before(_) => handlers.before(name, handler),
            Role::Fallback(_) => handlers.fallback(name, handler),
        };
        handlers.timeout(LONGEST_CALL).prompt()
    })
}

/// Shows the counts of all handlers among the metrics.
pub(crate) fn register_metrics(pages: &Pages, programs: &Programs) {
    let programs = programs.clone();
    pages.metrics.collect(move |registry| {
        for program in programs.iter() {
            let spec = program.spec();
            let handler = spec.name.as_str();
            let counts = program.counts();
            let outcomes = counts.failed.iter().map(|(word, count)| (*word, *count));
            for (outcome, count) in outcomes.chain([("answered", counts.answered)]) {
                registry.set(&CALLS, &[handler, outcome], number(count));
            }
            registry.set(&SECONDS, &[handler], counts.took.as_secs_f64());
            registry.set(&STARTS, &[handler], number(counts.starts));
            registry.set(&RUNNING, &[handler], f64::from(u8::from(counts.running)));
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floats; counts stay far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

/// The running handlers of a bot.
#[derive(Clone, Default)]
pub(crate) struct Running {
    programs: Programs,
    /// Whether played conversations call them too.
    pub(crate) in_plays: bool,
}

impl Running {
    pub(crate) fn new(programs: Programs, in_plays: bool) -> Self {
        Self { programs, in_plays }
    }

    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The names that rules can run.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let run = self.programs.iter().map(Program::spec);
        run.filter(|spec| spec.role == Role::Run).map(|spec| spec.name)
    }
}

/// Starts the running handlers anew by the settings as they are now, while the bot runs.
pub(crate) struct Restart {
    pub(crate) config: Option<PathBuf>,
    pub(crate) bot: Bot,
    pub(crate) lang: Lang,
}

impl Restart {
    /// Starts all of them anew, also those whose table has not changed: their code may have. With a mistake in the settings
    /// the old ones go on.
    pub(crate) fn all(&self) {
        if self.bot.programs().iter().next().is_none() {
            return;
        }
        let outside = Outside::new(self.bot.services(), None);
        match Config::load_handlers(self.config.as_deref(), &outside) {
            Ok(specs) => self.by(&specs),
            Err(problems) => {
                for line in problems.render(self.lang, false).lines() {
                    tracing::error!("{line}");
                }
                tracing::error!("the settings of the handlers are wrong; the old handlers stay");
            }
        }
    }

    fn by(&self, specs: &[Spec]) {
        let running: Vec<Spec> = self.bot.programs().iter().map(Program::spec).collect();
        for (program, old) in self.bot.programs().iter().zip(&running) {
            let handler = old.name.as_str();
            match specs.iter().find(|new| new.name == old.name) {
                Some(new) if discriminant(&new.role) == discriminant(&old.role) => {
                    match program.replace(new.clone(), Waits::default()) {
                        Ok(()) => tracing::info!(handler, "the handler was started anew"),
                        Err(error) => tracing::error!(handler, %error, "the old handler stays"),
                    }
                }
                Some(_) => tracing::warn!(handler, "another `role` needs a restart of the bot"),
                None => tracing::warn!(handler, "the removed handler runs until the bot restarts"),
            }
        }
        for new in specs.iter().filter(|new| running.iter().all(|old| old.name != new.name)) {
            tracing::warn!(handler = new.name, "a new handler needs a restart of the bot");
        }
    }
}
