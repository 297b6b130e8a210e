//! The handlers in other processes, for an account or a played conversation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use mynah_core::{Context, Event, Handler, Person, Scope, StoreReader, Timestamp};
use mynah_page::view::HandlerRow;
use mynah_page::{Kind, Metric, Pages};
use mynah_programs::{
    Account, Model, Per, Program, ProgramHandler, Programs, Role, Row, Source, Spec, Waits,
};
use mynah_reader::say;
use mynah_rules::{Lang, Period};
use mynah_runtime::Handlers;

use crate::lacking_inputs::moment;
use crate::rule_handler::ActiveRules;
use crate::{Bot, Ended, Report};

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
        let (name, outgoing) = (name.to_owned(), data.join(mynah_files::OUTGOING));
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

    fn presets(&self, ctx: &Context, owner: Scope) -> BTreeMap<String, String> {
        let book = self.active_rules.load();
        book.presets(owner, ctx.chat()).cloned().unwrap_or_default()
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

/// The handlers of the settings, whether they run or not. Clones follow a change of the settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared(Arc<ArcSwap<Vec<Spec>>>);

impl Declared {
    /// These handlers beside those of the bot.
    pub(crate) fn new(specs: Vec<Spec>, bot: &Bot) -> Result<Self, Report> {
        let is_taken = |spec: &&Spec| bot.own_names().any(|name| name == spec.name);
        if let Some(twice) = specs.iter().find(is_taken) {
            let what = format!("the program and [[handler]] both have a handler {}", twice.name);
            return Err(Report::new(Ended::Usage, what).hint("give each its own name"));
        }
        Ok(Self(Arc::new(ArcSwap::from_pointee(specs))))
    }

    /// The names that rules can run.
    pub(crate) fn names(&self) -> Vec<String> {
        let specs = self.0.load();
        let run = specs.iter().filter(|spec| spec.role == Role::Run);
        run.map(|spec| spec.name.clone()).collect()
    }

    /// The names that rules cannot run, with their roles.
    pub(crate) fn unruled(&self) -> Vec<(String, &'static str)> {
        let specs = self.0.load();
        let of_spec = |spec: &Spec| match spec.role {
            Role::Run => None,
            Role::Before(_) => Some((spec.name.clone(), "before")),
            Role::Fallback(_) => Some((spec.name.clone(), "fallback")),
        };
        specs.iter().filter_map(of_spec).collect()
    }

    /// Takes the handlers of changed settings.
    pub(crate) fn replace(&self, specs: Vec<Spec>) {
        self.0.store(Arc::new(specs));
    }

    /// The tables whose rows they get: the name of each handler with the id of a table.
    pub(crate) fn grounds(&self) -> Vec<(String, String)> {
        let of_model = |(spec, model): (&Spec, &Model)| {
            let ids = model.ground.iter();
            ids.map(|id| (spec.name.clone(), id.clone())).collect::<Vec<_>>()
        };
        self.0.load().iter().filter_map(with_model).flat_map(of_model).collect()
    }

    /// The hosts of the language models and what goes there, and settings that are probably not meant, for people.
    pub(crate) fn remarks(&self, lang: Lang) -> Vec<String> {
        let of_model = |(spec, model): (&Spec, &Model)| {
            let (name, host) = (spec.name.as_str(), model.host());
            let asks = asks(model, lang);
            let asks = say!(
                lang,
                "asks: {host} (language model {name}; gets {asks}; mentions are hidden, a name inside of a sentence goes along)",
                "会请求：{host}（语言模型 {name}；发出{asks}；@ 提到的名字会隐去，写在句子里的名字会一起发出）"
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
        self.0.load().iter().filter_map(with_model).flat_map(of_model).collect()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load().is_empty()
    }

    /// Starts all of them.
    pub(crate) fn start(&self) -> Result<Programs, Report> {
        Programs::start(self.0.load().to_vec(), Waits::default()).map_err(|(name, failure)| {
            Report::new(Ended::Usage, format!("failed to start the handler {name}"))
                .because(failure)
        })
    }
}

/// A handler with its language model, if it is one.
fn with_model(spec: &Spec) -> Option<(&Spec, &Model)> {
    match &spec.source {
        Source::Model(model) => Some((spec, &**model)),
        Source::Command(_) | Source::Service(_) => None,
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

/// The handlers of an account: those of the bot, and those of the settings, which come and go.
#[derive(Clone)]
pub(crate) struct AccountHandlers {
    own: Handlers,
    programs: Programs,
    account: Arc<HandlerAccount>,
}

impl AccountHandlers {
    /// The handlers of the bot and these programs, which answer for this account.
    pub(crate) fn new(own: Handlers, programs: Programs, account: Arc<HandlerAccount>) -> Self {
        Self { own, programs, account }
    }

    /// All of them as they are now, in their order.
    pub(crate) fn all(&self) -> Handlers {
        let active_rules = Arc::clone(&self.account.active_rules);
        let own = self.own.clone().lang(Arc::new(move || active_rules.load().lang()));
        self.programs.iter().fold(own, |handlers, program| {
            let Spec { name, role, source, .. } = program.spec();
            let account = Arc::clone(&self.account) as Arc<dyn Account>;
            let handler: Arc<dyn Handler> = Arc::new(ProgramHandler::new(program, account));
            let handlers = match role {
                Role::Run => handlers.named(name, handler),
                Role::Before(_) => handlers.before(name, handler),
                Role::Fallback(_) => handlers.fallback(name, handler),
            };
            let handlers = handlers.timeout(LONGEST_CALL);
            // The search for the nearest rows of a large table takes a while.
            let is_model = matches!(source, Source::Model(_));
            if is_model { handlers } else { handlers.prompt() }
        })
    }
}

/// The state and the counts of all handlers, for people.
pub(crate) fn rows(programs: &Programs) -> Vec<HandlerRow> {
    programs.iter().map(|program| row(&program)).collect()
}

fn row(program: &Program) -> HandlerRow {
    let (spec, counts) = (program.spec(), program.counts());
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    HandlerRow {
        name: spec.name,
        model: matches!(spec.source, Source::Model(_)),
        running: counts.running,
        answered: counts.answered,
        failed: counts.failed.values().sum(),
        timed_out: counts.failed.get("timeout").copied().unwrap_or_default(),
        starts: counts.starts,
        mean: micros(counts.mean),
        longest: micros(counts.longest),
        last_failure: counts.last_failure,
        limited: counts.limited,
        by_rules: counts.by_rules,
    }
}

impl fmt::Debug for AccountHandlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountHandlers").field("account", &self.account).finish_non_exhaustive()
    }
}

/// Shows the counts of all handlers among the metrics.
pub(crate) fn register_metrics(pages: &Pages, programs: &Programs) {
    let programs = programs.clone();
    let known = Mutex::new(BTreeSet::new());
    pages.metrics.collect(move |registry| {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        // A removed handler keeps its counts and runs no more.
        known.iter().for_each(|name: &String| registry.set(&RUNNING, &[name], 0.0));
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
            known.insert(spec.name);
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
        let run = self.programs.iter().map(|program| program.spec());
        run.filter(|spec| spec.role == Role::Run).map(|spec| spec.name)
    }
}
