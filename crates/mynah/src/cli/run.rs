//! `mynah run BOT…`: logs in and works until stopped.

mod plan;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::SystemClock;
use mynah_page::{App, Pages};
use mynah_rules::{Disk, Loaded, RuleBook};
use mynah_transports::{CONNECTORS, STANDARD_STREAMS, SecretSource};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::common::Common;
use super::fetch_args::FetchArgs;
use crate::account::{Plan, Ready, Shared};
use crate::alert::Alerts;
use crate::config::{Config, Outside};
use crate::login::PromptOutput;
use crate::reload::SettingsReloader;
use crate::stop::Stop;
use crate::view::console::{ConsoleFeed, ConsoleView};
use crate::view::run_id;
use crate::{Bot, Ended, Report, handlers, page_token, report, rule_file, stores, telemetry};

/// How long the last alerts may take when everything else has ended.
const LAST_ALERTS: Duration = Duration::from_secs(10);

/// Log in and answer until stopped.
///
/// The first Ctrl-C stops in order and logs out; SIGTERM stops in order and keeps the session, so that the next start
/// needs no scan. A second signal leaves at once; accepted messages are kept either way. SIGHUP reloads the rules and
/// starts the handlers of the settings anew; saving the files reloads what has changed. Without BOT, the accounts of the configuration are run.
///
/// Secrets are read from the settings, from an environment variable or from a file in the data folder, never from an
/// argument, which other users of the machine could see.
#[derive(Debug, Default, clap::Args)]
#[command(after_long_help = services_help())]
pub(crate) struct Args {
    /// A folder with a `bot.toml`, or the file; several bots run side by side, each with its own account.
    #[arg(value_name = "BOT")]
    bots: Vec<PathBuf>,
    /// The chat service of BOT, by default the first of the list below; accounts of the configuration name their own.
    #[arg(long, value_name = "SERVICE", requires = "bots")]
    transport: Option<String>,
    /// The server's base address, e.g. that of a sandbox; every call goes there, also after a redirect by the server.
    #[arg(long, value_name = "URL", env = "MYNAH_SERVER")]
    server: Option<String>,
    /// The folder that keeps everything, by default ./data; several bots: DIR/NAME each.
    #[arg(long, value_name = "DIR", env = "MYNAH_DATA")]
    data: Option<PathBuf>,
    /// The operating settings; by default config/mynah.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    fetch: FetchArgs,
    /// Speak as fast as possible: for tests, never for a real account.
    #[arg(long)]
    no_pacing: bool,
    /// Decide everything and send nothing; replies are logged instead.
    #[arg(long)]
    dry_run: bool,
    /// Keep the session for the next start on Ctrl-C too.
    #[arg(long)]
    keep_session: bool,
    /// Serve the console, /health and /metrics there, e.g. 127.0.0.1:8087.
    #[arg(long, value_name = "ADDRESS", env = "MYNAH_LISTEN")]
    listen: Option<SocketAddr>,
}

/// The services and their secrets, for the end of the long help.
fn services_help() -> String {
    let mut help = "Chat services:\n".to_owned();
    for connector in CONNECTORS {
        let (name, title) = (connector.name(), connector.title());
        help += &format!("  {name:<8} {}\n", title.en);
        for SecretSource { key, variable, file } in connector.secrets() {
            help +=
                &format!("           {key}: {variable}, or the file {file} in the data folder\n");
        }
    }
    help
}

pub(crate) async fn execute(args: Args, bot: Bot, common: &Common) -> Result<Ended, Report> {
    let data = plan::data(&args);
    // Accounts are not run beside bots that are named.
    let looked_at = args.bots.is_empty().then_some(data.as_path());
    let own = bot.to_configure();
    let outside = Outside::new(bot.services(), looked_at).with_own(&own);
    let config = match Config::load(args.config.as_deref(), &outside) {
        Ok(config) => config,
        Err(problems) => {
            report::say(&problems.render(common.lang(), Common::colours_on_stderr()));
            return Ok(Ended::No);
        }
    };
    telemetry::install(&common.log, config.logs);
    let bot = bot.declare(config.handler.clone())?.fetching(args.fetch.over(&config.fetch));
    let bot = bot.configured(&own).all_configured()?;
    for remark in bot.declared().remarks(common.lang()) {
        report::say(&format!("{remark}\n"));
    }
    let plans = plan::plans(&args, &config, &bot)?;
    let Some(rules) = load_all(&plans, &bot, common) else { return Ok(Ended::No) };
    run_all(&args, &config, bot, common, plans.into_iter().zip(rules).collect()).await
}

/// Loads the rules of all accounts and reports all their diagnostics; `None` if one cannot be used.
fn load_all(plans: &[Plan], bot: &Bot, common: &Common) -> Option<Vec<(Loaded, Arc<RuleBook>)>> {
    let load =
        |plan: &Plan| rule_file::load(&plan.main, &Disk, bot, &plan.connector.capabilities());
    let loaded: Vec<Loaded> = plans.iter().map(load).collect();
    for one in &loaded {
        let colours = Common::colours_on_stderr();
        let lang = common.for_file(one.lang).lang();
        report::say(&rule_file::render(one, lang, colours, common.shows_notes()));
    }
    loaded.into_iter().map(|one| one.book.clone().map(|book| (one, book))).collect()
}

async fn run_all(
    args: &Args,
    config: &Config,
    bot: Bot,
    common: &Common,
    accounts: Vec<(Plan, (Loaded, Arc<RuleBook>))>,
) -> Result<Ended, Report> {
    let stop = Stop::default();
    let keep = args.keep_session || config.process.keep_session;
    stop.listen(keep).map_err(|error| {
        Report::new(Ended::Unusable, "failed to listen to signals").because(error)
    })?;
    let pages = Pages::default();
    let folders = accounts.iter().map(|(plan, _)| (plan.name.as_str(), plan.data.as_path()));
    let (alerts, delivery) = Alerts::start(&config.alert, folders);
    let feed = ConsoleFeed::default();
    let bot = bot.start_handlers(false)?;
    let programs = bot.programs().clone();
    handlers::register_metrics(&pages, &programs);
    let prompts = prompts(accounts.iter().map(|(plan, _)| plan));
    let plans = accounts.iter().map(|(plan, _)| plan);
    let stores = stores::of_accounts(
        &config.store,
        plans.map(|plan| (plan.name.clone(), plan.data.clone(), plan.store.clone())),
    )?;
    let (lang, swapped) = (common.lang(), Arc::default());
    let shared = Shared { bot, stores, lang, prompts, pages, alerts, feed, stop, swapped };
    let hangups = Hangups::listen();
    let settings = SettingsReloader::new(args.config.clone(), args.fetch.clone(), &shared);
    let address = args.listen.or(config.listen.address);
    let ended = work(address, accounts, (&shared, common), (hangups, settings)).await;
    shared.stop.token().cancel();
    programs.stop().await;
    drop(shared);
    if tokio::time::timeout(LAST_ALERTS, delivery).await.is_err() {
        tracing::error!("the last alerts could not be delivered in time");
    }
    ended
}

/// Where login prompts are printed: not where an account reads and writes.
fn prompts<'p>(plans: impl Iterator<Item = &'p Plan>) -> PromptOutput {
    let mut resources = plans.flat_map(|plan| plan.connector.exclusive(&plan.values));
    match resources.any(|resource| resource == STANDARD_STREAMS) {
        true => PromptOutput::Error,
        false => PromptOutput::Standard,
    }
}

/// Opens all accounts, and runs them and the pages.
async fn work(
    address: Option<SocketAddr>,
    accounts: Vec<(Plan, (Loaded, Arc<RuleBook>))>,
    (shared, common): (&Shared, &Common),
    (hangups, settings): (Hangups, SettingsReloader),
) -> Result<Ended, Report> {
    let mut ready = Vec::new();
    for (plan, (loaded, book)) in accounts {
        let shared = Shared { lang: common.for_file(loaded.lang).lang(), ..shared.clone() };
        ready.push(plan.open(&loaded, book, &shared).await?);
    }
    let serving = match address {
        Some(address) => Some(serve(address, console(&ready, shared).await?, shared).await?),
        None => None,
    };
    let ended = until_ended(ready, hangups, settings).await;
    if let Some(serving) = serving {
        serving.abort();
    }
    Ok(ended)
}

/// Runs the accounts side by side. One that ends does not disturb the others.
async fn until_ended(ready: Vec<Ready>, hangups: Hangups, settings: SettingsReloader) -> Ended {
    let settings = Arc::new(settings.of(ready.iter().map(Ready::reloads)));
    let mut reloads = JoinSet::new();
    reloads.spawn(reload_on(hangups, Arc::clone(&settings)));
    reloads.spawn(settings.follow());
    let mut running: JoinSet<Ended> = ready.into_iter().map(Ready::run).collect();
    let mut all = Ended::Fine;
    while let Some(ended) = running.join_next().await {
        all = all.and(ended.unwrap_or_else(|error| {
            tracing::error!(%error, "an account ended by a mistake of the program");
            Ended::Unusable
        }));
    }
    reloads.shutdown().await;
    all
}

/// Starts the handlers anew and reloads every bot at each SIGHUP.
async fn reload_on(mut hangups: Hangups, settings: Arc<SettingsReloader>) {
    while hangups.next().await {
        settings.reload_all().await;
    }
}

/// The SIGHUPs of this process. Listened to before anything begins, since an unheard one ends the process.
struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    fn listen() -> Self {
        let hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        if let Err(error) = &hangups {
            tracing::warn!(%error, "SIGHUP does not reload");
        }
        Self(hangups.ok())
    }

    /// Waits for the next; false if none can come.
    async fn next(&mut self) -> bool {
        match &mut self.0 {
            Some(hangups) => hangups.recv().await.is_some(),
            None => false,
        }
    }
}

#[cfg(not(unix))]
impl Hangups {
    fn listen() -> Self {
        Self()
    }

    /// There is no such signal here.
    async fn next(&mut self) -> bool {
        false
    }
}

/// The console over all accounts, guarded by its token.
async fn console(ready: &[Ready], shared: &Shared) -> Result<App, Report> {
    let mut accounts = Vec::new();
    for one in ready {
        accounts.push(one.account_view().await?);
    }
    let first = ready.first().expect("there is an account to run");
    let token = page_token::find(first.data(), shared.lang)?;
    let view = ConsoleView {
        run: run_id(),
        accounts,
        pages: shared.pages.clone(),
        feed: shared.feed.clone(),
        clock: Arc::new(SystemClock),
        programs: shared.bot.programs().clone(),
    };
    Ok(App::console(Arc::new(view), &token).until(shared.stop.token().clone()))
}

/// Serves the console, and beside it the pages for machines.
async fn serve(
    address: SocketAddr,
    console: App,
    shared: &Shared,
) -> Result<JoinHandle<()>, Report> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let hint = "choose another address with --listen or [listen] in the configuration";
        Report::new(Ended::Usage, format!("failed to listen on {address}"))
            .because(error)
            .hint(hint)
    })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "serving /health and /metrics");
        tracing::info!("page: http://{address}/");
    }
    let (routes, stop) =
        (console.routes().merge(shared.pages.routes()), shared.stop.token().clone());
    Ok(tokio::spawn(mynah_page::serve(routes, listener, stop)))
}
