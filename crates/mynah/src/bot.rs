//! A bot in code: its handlers, and the command line around them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mynah_core::{
    Clock, Context, Failure, Fetch, Flow, Handler, HandlerError, Store, StoreReader, SystemClock,
};
use mynah_fetch::{FetchClient, FetchSettings};
use mynah_programs::{Programs, Spec};
use mynah_reader::{Lang, TableNode, Unfit};
use mynah_rules::{Files, RuleBook};
use mynah_runtime::{Handlers, OnError};
use mynah_transports::{Connector, Connectors};
use serde::de::DeserializeOwned;

use crate::config::{Config, Outside};
use crate::defaults::{Defaults, WithDefaults};
use crate::embed::Embedded;
use crate::fetcher::{Fetcher, LONGEST_RULES};
use crate::handlers::{AccountHandlers, Declared, HandlerAccount, Running};
use crate::own_handlers::{Make, OwnHandlers, Unconfigured, making};
use crate::rule_handler::ActiveRules;
use crate::{Ended, Report, Result, cli, report, tls};

/// A bot: the handlers written in Rust beside the rules of its `bot.toml`.
///
/// Rules decide when to act, code decides how. [`run_cli`](Self::run_cli) gives it the whole command line of the stock
/// runner: `run`, `sandbox`, `check`, `test` and the others.
///
/// Handlers run on the runtime that awaits `run_cli`. Use the multi-threaded one (`#[tokio::main]` as it is): a handler
/// that blocks its thread then holds up its own chat only, not the connection. It cannot be broken off, though: its time
/// limit counts only where it awaits something.
///
/// ```no_run
/// use mynah::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> mynah::Result<()> {
/// Bot::new()
///     .handler("hello", handler_fn(|ctx, message| {
///         ctx.reply(format!("hello, {}", message.sender.name));
///         Ok(Flow::Stop)
///     }))
///     .run_cli()
///     .await
/// # }
/// ```
#[derive(Clone)]
pub struct Bot {
    registered: Vec<Registered>,
    /// The handlers of the settings.
    declared: Declared,
    /// Those of them that run.
    running: Running,
    /// The client for requests of rules.
    fetch: FetchClient,
    /// The services that accounts can connect to.
    services: Connectors,
    /// The default rules, and their files.
    defaults: Defaults,
    /// The hook for failures.
    on_error: Option<Arc<OnError>>,
    /// Whether a file that is only tried is judged by the hosts of the settings as well.
    judges_hosts: bool,
    /// The client of the program for requests of rules, in place of that of the settings.
    own_fetch: Option<Arc<dyn Fetch>>,
    /// The clock of a running bot, where it is not that of the machine.
    clock: Option<Arc<dyn Clock>>,
    /// Whether handlers still blocked their threads when an account had ended.
    left_behind: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Registered {
    place: Place,
    name: String,
    /// The handler; `None` if it was not made yet.
    handler: Option<Arc<dyn Handler>>,
    /// Makes the handler from its settings, if it takes any.
    make: Option<Arc<Make>>,
    at_once: Option<usize>,
    timeout: Option<Duration>,
    is_prompt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Named,
    Fallback,
}

impl Bot {
    /// A bot without handlers.
    ///
    /// Installs ring as the TLS provider of this process, unless another one is installed: a `reqwest` client that is built
    /// after this call finds it.
    #[must_use]
    pub fn new() -> Self {
        tls::provide();
        Self {
            registered: Vec::new(),
            declared: Declared::default(),
            running: Running::default(),
            fetch: FetchClient::new(FetchSettings::default()),
            services: Connectors::default(),
            defaults: Defaults::default(),
            on_error: None,
            judges_hosts: false,
            own_fetch: None,
            clock: None,
            left_behind: Arc::default(),
        }
    }

    /// Adds a chat service: accounts name it by `transport = "…"`, `mynah run` by `--transport`. It takes the place of a
    /// service with the same name.
    ///
    /// `examples/own_service.rs` of this crate has a service of fifty lines.
    #[must_use]
    pub fn connector(mut self, connector: &'static dyn Connector) -> Self {
        self.services.add(connector);
        self
    }

    /// The client for the requests of rules (`fetch`), in place of that of the settings. Without one, and without hosts in
    /// the settings, a rule file that asks a web service is refused.
    #[must_use]
    pub fn fetch_by(mut self, client: impl Fetch + 'static) -> Self {
        self.own_fetch = Some(Arc::new(client));
        self
    }

    /// A handler that rules run by name: `run = "dice"`.
    #[must_use]
    pub fn handler(self, name: impl Into<String>, handler: impl Handler + 'static) -> Self {
        self.register(Place::Named, name.into(), Arc::new(handler))
    }

    /// A handler that sees every event before the rules.
    #[must_use]
    pub fn before(self, name: impl Into<String>, handler: impl Handler + 'static) -> Self {
        self.register(Place::Before, name.into(), Arc::new(handler))
    }

    /// A handler for messages that no rule answered.
    #[must_use]
    pub fn fallback(self, name: impl Into<String>, handler: impl Handler + 'static) -> Self {
        self.register(Place::Fallback, name.into(), Arc::new(handler))
    }

    /// A [`handler`](Self::handler) that is made from its settings, which are read into a type: the `settings` of the
    /// `[[handler]]` table of its name in `mynah.toml`, an empty table if there is none. Settings that are missing or wrong, and
    /// errors of `make`, are reported with their place before the bot runs.
    ///
    /// ```
    /// use mynah::prelude::*;
    /// use mynah::testing::Conversation;
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Settings {
    ///     city: String,
    ///     #[serde(default)]
    ///     days: u8,
    /// }
    ///
    /// fn bot() -> Bot {
    ///     Bot::new().handler_with("forecast", |settings: Settings| {
    ///         Ok(handler_fn(move |ctx, _| {
    ///             ctx.reply(format!("{}, {} days", settings.city, settings.days));
    ///             Ok(Flow::Stop)
    ///         }))
    ///     })
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> mynah::Result<()> {
    /// let bot = bot().settings("[[handler]]\nname = 'forecast'\nsettings = { city = 'Rome', days = 3 }\n")?;
    /// let rules = "[[rule]]\nexact = \"forecast\"\nrun = \"forecast\"\n";
    /// let mut talk = Conversation::with_rules(bot, rules).await?;
    /// assert_eq!(talk.say("Ann", "forecast").await?, ["Rome, 3 days"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn handler_with<S, H>(
        self,
        name: impl Into<String>,
        make: impl Fn(S) -> Result<H, HandlerError> + Send + Sync + 'static,
    ) -> Self
    where
        S: DeserializeOwned,
        H: Handler + 'static,
    {
        self.register_made(Place::Named, name.into(), making(make))
    }

    /// A handler [`before`](Self::before) the rules that is made from its settings, as by
    /// [`handler_with`](Self::handler_with).
    #[must_use]
    pub fn before_with<S, H>(
        self,
        name: impl Into<String>,
        make: impl Fn(S) -> Result<H, HandlerError> + Send + Sync + 'static,
    ) -> Self
    where
        S: DeserializeOwned,
        H: Handler + 'static,
    {
        self.register_made(Place::Before, name.into(), making(make))
    }

    /// A [`fallback`](Self::fallback) that is made from its settings, as by [`handler_with`](Self::handler_with).
    #[must_use]
    pub fn fallback_with<S, H>(
        self,
        name: impl Into<String>,
        make: impl Fn(S) -> Result<H, HandlerError> + Send + Sync + 'static,
    ) -> Self
    where
        S: DeserializeOwned,
        H: Handler + 'static,
    {
        self.register_made(Place::Fallback, name.into(), making(make))
    }

    /// The `[[handler]]` tables of this text of a `mynah.toml`: for tests, and for programs without such a file.
    ///
    /// # Errors
    ///
    /// If the tables have mistakes; the report holds them all.
    pub fn settings(self, text: &str) -> Result<Self, Report> {
        let own = self.to_configure();
        let specs = Config::handlers_of(text, &Outside::new(&self.services, None).with_own(&own));
        let specs = specs.map_err(|problems| {
            let told = problems.render(Lang::En, false);
            Report::new(Ended::No, format!("the settings cannot be used:\n{told}"))
        })?;
        self.declare(specs).map(|bot| bot.configured(&own))
    }

    /// At most so many turns at once in the handler registered last; others wait. Without it there is no limit.
    #[must_use]
    pub fn at_once(mut self, turns: usize) -> Self {
        if let Some(last) = self.registered.last_mut() {
            last.at_once = Some(turns.max(1));
        }
        self
    }

    /// How long a turn in the handler registered last may take, instead of `[handlers] timeout`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let Some(last) = self.registered.last_mut() {
            last.timeout = Some(timeout);
        }
        self
    }

    /// Adds rules in the form of a `bot.toml` without `[bot]`. They come behind those of the rule file, so its rules answer
    /// first, and `ignore`, `groups` and mutes of the file hold for them. `name` is their name in messages; a mistake in them is
    /// reported as one in a file of that name. Their `[[test]]` tables are not played.
    #[must_use]
    pub fn default_rules(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.defaults.add_rules(name.into(), text.into());
        self
    }

    /// Adds a table or a list for [`default_rules`](Self::default_rules): the file that they name by this path. A file of this
    /// path in the folder of the bot takes its place.
    #[must_use]
    pub fn default_file(mut self, path: impl Into<PathBuf>, content: impl Into<Vec<u8>>) -> Self {
        self.defaults.add_file(path.into(), content.into());
        self
    }

    /// A hook for failures of all handlers: an error, a panic, a time-out. It gets the name of the handler, the failure, and a
    /// context without the effects of that handler; it may reply. [`Flow::Stop`] ends the turn; with [`Flow::Continue`] it
    /// goes on as without the hook: after a handler before the rules it does, after all others it ends. The failure is
    /// logged either way. A [`Rejection`](mynah_core::Rejection) is an answer, not a failure. The last hook counts.
    #[must_use]
    pub fn on_error(
        mut self,
        hook: impl Fn(&str, &Failure, &mut Context) -> Flow + Send + Sync + 'static,
    ) -> Self {
        self.on_error = Some(Arc::new(hook));
        self
    }

    /// Lets `run` go by this clock instead of that of the machine: for tests that meet data of another day.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The bot as a part of another program, which has its own runtime, connection and store: one account of this name with
    /// its data in `store`. No command line, no settings file, no signal handlers; see [`Embedded`].
    ///
    /// # Errors
    ///
    /// If the [default rules](Self::default_rules) have mistakes, or a handler is made from [`settings`](Self::settings) that
    /// are missing; the report holds them all.
    pub fn embed(self, name: impl Into<String>, store: Arc<dyn Store>) -> Result<Embedded, Report> {
        Embedded::new(self, name.into(), store)
    }

    /// Runs the command line of this process, prints the error, and leaves the process with the exit status that
    /// [`Ended`] documents. Returns only on success.
    ///
    /// # Errors
    ///
    /// None in practice: a failure is printed and becomes the exit status. The type lets `main` end with this call.
    pub async fn run_cli(self) -> Result<()> {
        let left_behind = self.left_behind();
        let ended = self.run(std::env::args_os()).await.unwrap_or_else(|failure| {
            report::print(&failure);
            failure.ended()
        });
        match ended {
            // The runtime would wait for them, perhaps for ever.
            Ended::Fine if left_behind.load(Ordering::Relaxed) => std::process::exit(0),
            Ended::Fine => Ok(()),
            other => std::process::exit(i32::from(other.code())),
        }
    }

    /// Runs a command line given as arguments, the program's name first, and says how it ended. Never ends the process.
    ///
    /// # Errors
    ///
    /// [`Report`] names the failed operation and its exit status.
    pub async fn run<I, A>(self, arguments: I) -> Result<Ended, Report>
    where
        I: IntoIterator<Item = A>,
        A: Into<OsString> + Clone,
    {
        cli::execute(self, arguments.into_iter().map(Into::into).collect()).await
    }

    fn register_made(mut self, place: Place, name: String, make: Arc<Make>) -> Self {
        let make = Some(make);
        let (handler, at_once, timeout, is_prompt) = (None, None, None, false);
        self.registered.push(Registered {
            place,
            name,
            handler,
            make,
            at_once,
            timeout,
            is_prompt,
        });
        self
    }

    fn register(mut self, place: Place, name: String, handler: Arc<dyn Handler>) -> Self {
        self.registered.push(Registered::new(place, name, handler));
        self
    }

    /// These files with the default rules of the bot.
    pub(crate) fn files<'a>(&'a self, files: &'a dyn Files) -> WithDefaults<'a> {
        WithDefaults::new(files, &self.defaults)
    }

    /// The handlers that take settings.
    pub(crate) fn to_configure(&self) -> OwnHandlers {
        let with_make = |entry: &Registered| Some((entry.name.clone(), entry.make.clone()?));
        OwnHandlers::new(self.registered.iter().filter_map(with_make))
    }

    /// The same bot with the handlers that were made from settings.
    pub(crate) fn configured(mut self, own: &OwnHandlers) -> Self {
        for entry in &mut self.registered {
            if let Some(handler) = own.made(&entry.name) {
                entry.handler = Some(handler);
            }
        }
        self
    }

    /// The same bot with the handlers that no table configured, made from no settings.
    pub(crate) fn all_configured(mut self) -> Result<Self, Report> {
        for entry in &mut self.registered {
            entry.handler = Some(entry.made().map_err(|unfit| {
                let name = &entry.name;
                let hint = format!(
                    "add [[handler]] with name = \"{name}\" and settings = {{ … }} to mynah.toml"
                );
                Report::new(Ended::Usage, format!("the settings of {name}: {unfit}")).hint(hint)
            })?);
        }
        Ok(self)
    }

    /// The services that accounts can connect to.
    pub(crate) fn services(&self) -> &Connectors {
        &self.services
    }

    /// The same bot; a file that is only tried is judged by the hosts of the settings as well.
    pub(crate) fn judging_hosts(mut self, judges_hosts: bool) -> Self {
        self.judges_hosts = judges_hosts;
        self
    }

    /// The client by whose hosts a file is judged that is only tried.
    pub(crate) fn judging_fetch(&self) -> Option<Arc<dyn Fetch>> {
        self.judges_hosts.then(|| self.account_fetch())
    }

    /// Whether the program has a client of its own for requests.
    pub(crate) fn has_own_fetch(&self) -> bool {
        self.own_fetch.is_some()
    }

    /// The client for the requests of one account.
    pub(crate) fn account_fetch(&self) -> Arc<dyn Fetch> {
        self.own_fetch.clone().unwrap_or_else(|| Arc::new(self.fetch.fetcher()))
    }

    /// How the requests of an account are answered.
    pub(crate) fn new_fetcher(&self) -> Fetcher {
        Fetcher::Client(self.account_fetch())
    }

    /// Where it is noted that handlers still blocked their threads when an account had ended.
    pub(crate) fn left_behind(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.left_behind)
    }

    /// The clock that a running account goes by.
    pub(crate) fn running_clock(&self) -> Arc<dyn Clock> {
        self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock))
    }

    /// The same bot with a handler of the runner's own before all others.
    pub(crate) fn first(mut self, name: &str, handler: impl Handler + 'static) -> Self {
        let (name, handler) = (name.to_owned(), Arc::new(handler));
        let registered = Registered::new(Place::Before, name, handler);
        let timeout = Some(LONGEST_RULES);
        self.registered.insert(0, Registered { is_prompt: true, timeout, ..registered });
        self
    }

    /// The same bot with the handlers of the settings.
    pub(crate) fn declare(self, specs: Vec<Spec>) -> Result<Self, Report> {
        let declared = Declared::new(specs, &self)?;
        Ok(Self { declared, ..self })
    }

    /// The same bot with the hosts that the operator opened to its rules.
    pub(crate) fn fetching(self, settings: FetchSettings) -> Self {
        Self { fetch: FetchClient::new(settings), ..self }
    }

    /// The client for requests of rules: one for all accounts, each of which has a fetcher of its own.
    pub(crate) fn fetch_client(&self) -> &FetchClient {
        &self.fetch
    }

    /// Lets this bot and all its clones know the handlers of changed settings.
    pub(crate) fn redeclare(&self, specs: Vec<Spec>) {
        self.declared.replace(specs);
    }

    /// The names among the handlers of the settings that rules can run.
    pub(crate) fn declared_names(&self) -> Vec<String> {
        self.declared.names()
    }

    /// Starts the handlers of the settings. With `in_plays`, played conversations call them too; else they only record the
    /// calls, as a test must not reach other people's services.
    pub(crate) fn start_handlers(self, in_plays: bool) -> Result<Self, Report> {
        let running = Running::new(self.declared.start()?, in_plays);
        Ok(Self { running, ..self })
    }

    /// The handlers of the settings that run.
    pub(crate) fn programs(&self) -> &Programs {
        self.running.programs()
    }

    /// All handlers of an account in their order, with `rules` as the rule book.
    pub(crate) fn handlers(
        &self,
        rules: Arc<dyn Handler>,
        account: &Arc<HandlerAccount>,
    ) -> Handlers {
        self.account_handlers(rules, account).all()
    }

    /// The handlers of an account, which are put together again when those of the settings change.
    pub(crate) fn account_handlers(
        &self,
        rules: Arc<dyn Handler>,
        account: &Arc<HandlerAccount>,
    ) -> AccountHandlers {
        let (programs, account) = (self.programs().clone(), Arc::clone(account));
        AccountHandlers::new(self.own_handlers(rules), programs, account)
    }

    /// All handlers of a played conversation in their order, with `rules` as the rule book.
    pub(crate) fn played_handlers(
        &self,
        rules: Arc<dyn Handler>,
        book: &Arc<RuleBook>,
        log: Arc<dyn StoreReader>,
    ) -> Handlers {
        if !self.running.in_plays {
            let lang = book.lang();
            return self.own_handlers(rules).lang(Arc::new(move || lang));
        }
        let active_rules = Arc::new(ActiveRules::new(Arc::clone(book)));
        let folder = std::env::temp_dir().join(format!("mynah-test-{}", std::process::id()));
        let account = HandlerAccount::new("test", active_rules, &folder, Some(log));
        self.handlers(rules, &account)
    }

    fn own_handlers(&self, rules: Arc<dyn Handler>) -> Handlers {
        let handlers = self.on_error.iter().cloned().fold(Handlers::new(), Handlers::on_error);
        // Rules never block; what takes long are the requests, each of which has its time-out.
        let handlers = handlers.rules(rules).timeout(LONGEST_RULES);
        self.registered.iter().fold(handlers, |handlers, entry| {
            let name = entry.name.clone();
            let handler = entry.made().unwrap_or_else(|unfit| Arc::new(Unconfigured(unfit)));
            let handlers = match entry.place {
                Place::Before => handlers.before(name, handler),
                Place::Named => handlers.named(name, handler),
                Place::Fallback => handlers.fallback(name, handler),
            };
            let handlers = if entry.is_prompt { handlers.prompt() } else { handlers };
            let handlers = entry.at_once.into_iter().fold(handlers, Handlers::at_once);
            entry.timeout.into_iter().fold(handlers, Handlers::timeout)
        })
    }

    /// The names that `run` may use.
    pub(crate) fn names(&self) -> Vec<String> {
        self.own_names().chain(self.declared.names()).collect()
    }

    /// The names of the handlers that a played conversation calls.
    pub(crate) fn played_names(&self) -> Vec<String> {
        let running = self.running.names().filter(|_| self.running.in_plays);
        self.own_names().chain(running).collect()
    }

    /// The names of the handlers in code that rules can run.
    pub(crate) fn own_names(&self) -> impl Iterator<Item = String> {
        let named = self.registered.iter().filter(|entry| entry.place == Place::Named);
        named.map(|entry| entry.name.clone())
    }

    /// The tables whose rows handlers of the settings get: the name of each handler with the id of a table.
    pub(crate) fn grounds(&self) -> Vec<(String, String)> {
        self.declared.grounds()
    }

    /// The handlers of the settings.
    pub(crate) fn declared(&self) -> &Declared {
        &self.declared
    }

    /// Whether this is the stock runner without handlers, which cannot know those that a rule file is meant for.
    pub(crate) fn is_stock(&self) -> bool {
        self.registered.is_empty() && self.declared.is_empty()
    }
}

impl Default for Bot {
    fn default() -> Self {
        Self::new()
    }
}

impl Registered {
    fn new(place: Place, name: String, handler: Arc<dyn Handler>) -> Self {
        let handler = Some(handler);
        Self { place, name, handler, make: None, at_once: None, timeout: None, is_prompt: false }
    }
}

impl Registered {
    /// The handler: made from its settings, else from none.
    fn made(&self) -> Result<Arc<dyn Handler>, Unfit> {
        match (&self.handler, &self.make) {
            (None, Some(make)) => make(&TableNode::default()),
            (Some(handler), _) => Ok(Arc::clone(handler)),
            (None, None) => Err(Unfit { span: None, message: "it was not made".to_owned() }),
        }
    }
}

impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> =
            self.registered.iter().map(|entry| (entry.place, entry.name.as_str())).collect();
        f.debug_struct("Bot").field("handlers", &names).finish()
    }
}
