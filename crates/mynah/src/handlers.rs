//! The handlers in other processes, for an account or a played conversation.

use std::fmt;
use std::mem::discriminant;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Context, Event, Handler, Person, StoreReader, Timestamp};
use mynah_page::{Kind, Metric, Pages};
use mynah_programs::{
    Account, Model, Per, Program, ProgramHandler, Programs, Role, Row, Source, Spec, Waits,
};
use mynah_reader::say;
use mynah_rules::{Lang, Period};
use mynah_runtime::Handlers;

use crate::config::{Config, Outside};
use crate::lacking_inputs::moment;
use crate::rule_handler::ActiveRules;
use crate::{Bot, Ended, Report};

/// The folder for files of answers, in the data folder of an account.
const OUTGOING: &str = "outgoing";

/// A call bounds itself, by its time-out and those of the calls before it; this is for a mistake of the program.
const LONGEST_CALL: Duration = Duration::from_secs(3600);

const CALLS: Metric = Metric {
    name: "mynah_handler_calls_total",
    help: "Calls of handlers in other processes, by outcome (answered, error, answer, timeout, ended, not_running, too_long, service, empty, stopped).",
    kind: Kind::Counter,
    labels: &["handler", "outcome"],
};
const MODEL: Metric = Metric {
    name: "mynah_model_messages_total",
    help: "Messages for a language model, by outcome (rules: rules answered instead, answered, failed, limit: not asked, its limit is used up).",
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
    log: Option<Arc<dyn StoreReader>>,
}

impl HandlerAccount {
    /// The account of this name with its rules, its data folder and its log of messages.
    pub(crate) fn new(
        name: &str,
        active_rules: Arc<ActiveRules>,
        data: &Path,
        log: Option<Arc<dyn StoreReader>>,
    ) -> Arc<Self> {
        let (name, outgoing) = (name.to_owned(), data.join(OUTGOING));
        Arc::new(Self { name, active_rules, outgoing, log })
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

    fn nearest_rows(
        &self,
        ctx: &Context,
        event: &Event,
        tables: &[String],
        most: usize,
    ) -> Vec<Row> {
        let book = self.active_rules.load_full();
        let rows = book.nearest_rows(event, ctx, &moment(ctx), tables, most);
        rows.into_iter().map(|row| Row { question: row.question, answer: row.reply }).collect()
    }

    fn log(&self) -> Option<Arc<dyn StoreReader>> {
        self.log.clone()
    }

    fn period(&self, per: Per, now: Timestamp) -> (Timestamp, Timestamp) {
        let per = match per {
            Per::Hour => Period::Hour,
            Per::Day => Period::Day,
            Per::Week => Period::Week,
        };
        self.active_rules.load().period(per, now)
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

    /// The tables whose rows they get: the name of each handler with the id of a table.
    pub(crate) fn grounds(&self) -> Vec<(String, String)> {
        let of_model = |(spec, model): (&Spec, &Model)| {
            let ids = model.ground.iter();
            ids.map(|id| (spec.name.clone(), id.clone())).collect::<Vec<_>>()
        };
        self.models().flat_map(of_model).collect()
    }

    /// The language models.
    pub(crate) fn models(&self) -> impl Iterator<Item = (&Spec, &Model)> {
        self.0.iter().filter_map(|spec| match &spec.source {
            Source::Model(model) => Some((spec, &**model)),
            Source::Command(_) | Source::Service(_) => None,
        })
    }

    /// The hosts of the language models and what goes there, and settings that are probably not meant, for people.
    pub(crate) fn remarks(&self, lang: Lang) -> Vec<String> {
        let of_model = |(spec, model): (&Spec, &Model)| {
            let (name, host) = (spec.name.as_str(), model.host());
            let asks = asks(model, lang);
            let asks = say!(
                lang,
                "asks: {host} (language model {name}; gets {asks}, no names)",
                "会请求：{host}（语言模型 {name}；发出{asks}，不含名字）"
            );
            let is_open = matches!(&spec.role, Role::Fallback(who) if !who.called);
            let warning = (is_open && model.limit.all.is_none()).then(|| {
                say!(
                    lang,
                    "warning: the handler {name} answers every message in groups (called = false) without limit = {{ all = … }}",
                    "警告：处理器 {name} 会回答群里的每条消息（called = false），而没有写 limit = {{ all = … }}"
                )
            });
            std::iter::once(asks).chain(warning).collect::<Vec<_>>()
        };
        self.models().flat_map(of_model).collect()
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

/// The data that goes to a language model.
fn asks(model: &Model, lang: Lang) -> String {
    let (memory, ground) = (model.memory > 0, !model.ground.is_empty());
    let parts = [
        (true, say!(lang, "the message", "消息")),
        (memory, say!(lang, "earlier messages with their answers", "之前的消息和回答")),
        (ground, say!(lang, "rows of tables", "表格里的行")),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(is, _)| *is).map(|(_, part)| part).collect();
    parts.join(say!(lang, ", ", "、").as_str())
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
        let handlers = handlers.timeout(LONGEST_CALL);
        // The search for the nearest rows of a large table takes a while.
        let is_model = matches!(program.spec().source, Source::Model(_));
        if is_model { handlers } else { handlers.prompt() }
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
            if matches!(spec.source, Source::Model(_)) {
                let failed = counts.failed.values().sum();
                for (outcome, count) in [
                    ("rules", counts.by_rules),
                    ("answered", counts.answered),
                    ("failed", failed),
                    ("limit", counts.limited),
                ] {
                    registry.set(&MODEL, &[handler, outcome], number(count));
                }
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
        match Config::load_bot(self.config.as_deref(), &outside) {
            Ok(settings) => self.by(&settings.handlers),
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
