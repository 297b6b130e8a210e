//! `mynah run BOT…`: logs in and works until stopped.

mod plan;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::SystemClock;
use mynah_page::{App, Pages};
use mynah_transports::{CONNECTORS, STANDARD_STREAMS, SecretSource};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::{JoinHandle, JoinSet};

use super::common::Common;
use super::fetch_args::FetchArgs;
use super::hangups::Hangups;
use crate::account::{Plan, Shared};
use crate::alert::Alerts;
use crate::boxed::boxed;
use crate::config::{Config, Outside};
use crate::login::PromptOutput;
use crate::reload::{
    AccountTables, AccountsChange, FileWatcher, RunningAccounts, SettingsReloader,
};
use crate::rule_books::RuleBooks;
use crate::stop::Stop;
use crate::stores::ProcessStores;
use crate::supervisor::{LoginPace, Supervisor};
use crate::view::console::{ConsoleFeed, ConsoleView, OtherNodes};
use crate::view::run_id;
use crate::{Bot, Ended, Report, descriptors, fleet, handlers, page_token, report, telemetry};

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
#[derive(Debug, Clone, Default, clap::Args)]
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
    // Before anything else: without a listener the signal ends the process.
    let hangups = Hangups::listen();
    let data = plan::data(&args);
    // Accounts are not run beside bots that are named.
    let looked_at = args.bots.is_empty().then_some(data.as_path());
    let own = bot.to_configure();
    let outside = Outside::new(bot.services(), looked_at).with_own(&own).starting_each();
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
    let stores = ProcessStores::new(&config.store)?;
    descriptors::check(plans.len(), stores.descriptors(), descriptors::raise())?;
    run_all((&args, &config), (bot, stores), common, (plans, hangups)).await
}

async fn run_all(
    (args, config): (&Args, &Config),
    (bot, stores): (Bot, ProcessStores),
    common: &Common,
    (plans, hangups): (Vec<Plan>, Hangups),
) -> Result<Ended, Report> {
    let stop = Stop::default();
    // Another node goes on with the sessions of a fleet.
    let keep = args.keep_session || config.process.keep_session || config.fleet.is_some();
    stop.listen(keep).map_err(|error| {
        Report::new(Ended::Unusable, "failed to listen to signals").because(error)
    })?;
    let pages = Pages::default();
    let (alerts, delivery) = Alerts::start(&config.alert);
    let feed = ConsoleFeed::default();
    let bot = bot.start_handlers(false)?;
    let programs = bot.programs().clone();
    handlers::register_metrics(&pages, &programs);
    let prompts = prompts(plans.iter());
    let shared = Shared {
        bot,
        stores,
        books: RuleBooks::default(),
        watcher: FileWatcher::default(),
        lang: common.lang(),
        prompts,
        pages,
        alerts,
        feed,
        stop,
        swapped: Arc::default(),
    };
    let ended = work((plans, hangups), (&shared, common), (args, config)).await;
    shared.stop.token().cancel();
    programs.stop().await;
    drop(shared);
    if tokio::time::timeout(LAST_ALERTS, delivery.finish()).await.is_err() {
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

/// Runs the accounts and the pages.
async fn work(
    (plans, hangups): (Vec<Plan>, Hangups),
    (shared, common): (&Shared, &Common),
    (args, config): (&Args, &Config),
) -> Result<Ended, Report> {
    let listener = match args.listen.or(config.listen.address) {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    // A fleet paces the logins of its zones.
    let is_off = args.no_pacing || config.pacing.off == Some(true) || config.fleet.is_some();
    let pace = if is_off { LoginPace::off() } else { LoginPace::default() };
    let supervisor = Supervisor::new(shared.clone(), common.clone(), pace);
    let accounts = RunningAccounts { supervisor: supervisor.clone(), shared: shared.clone() };
    let settings = SettingsReloader::new(
        args.config.clone(),
        args.fetch.clone(),
        (shared.bot.clone(), shared.lang),
        Box::new(accounts),
        Arc::clone(&shared.swapped),
    );
    let (changes, of_settings) = mpsc::unbounded_channel();
    let changes = config.fleet.is_some().then_some(changes);
    let tables = account_tables((args, config), (shared, &supervisor), changes);
    let settings = settings.following(tables, shared.watcher.clone());
    let data: Vec<PathBuf> = plans.iter().map(|plan| plan.data.clone()).collect();
    let node = match &config.fleet {
        Some(config) => Some(fleet::Node::new(config, (plans, of_settings), &supervisor, shared)?),
        None => {
            if let Some(ended) = start_all(&supervisor, plans).await? {
                return Ok(ended);
            }
            None
        }
    };
    let serving = match listener {
        Some(listener) => {
            let elsewhere = node.as_ref().and_then(|node| node.others());
            let console = console(&data, supervisor.clone(), elsewhere, shared)?;
            Some(serve(listener, console, shared))
        }
        None => None,
    };
    let running = until_ended(&supervisor, node, (hangups, Arc::new(settings)), shared);
    let ended = running.await;
    if let Some(serving) = serving {
        serving.abort();
    }
    ended
}

/// The accounts of the settings, if they are run. Changes of them reach the node of a fleet through `node`.
fn account_tables(
    (args, config): (&Args, &Config),
    (shared, supervisor): (&Shared, &Supervisor),
    node: Option<UnboundedSender<AccountsChange>>,
) -> Option<AccountTables> {
    if !args.bots.is_empty() {
        return None;
    }
    let (args, bot) = (args.clone(), shared.bot.clone());
    let data = plan::data(&args);
    let planning = move |config: &Config| plan::plans(&args, config, &bot);
    let accounts = (shared.stores.clone(), supervisor.clone());
    Some(AccountTables::new((data, config), planning, accounts).of_node(node))
}

/// Starts the accounts side by side. Those that cannot start keep no other from starting; if none can, that is the end, for
/// the reason of the first. A stop meanwhile is an ordinary end.
async fn start_all(supervisor: &Supervisor, plans: Vec<Plan>) -> Result<Option<Ended>, Report> {
    let starting = plans.into_iter().map(|plan| {
        let supervisor = supervisor.clone();
        tokio::spawn(async move { (plan.name.clone(), supervisor.keep_running(plan).await) })
    });
    let (mut failures, mut has_started) = (Vec::new(), false);
    for start in starting.collect::<Vec<_>>() {
        match start.await {
            Ok((_, Ok(()))) => has_started = true,
            Ok((name, Err(failure))) => failures.push((name, failure)),
            Err(error) => {
                tracing::error!(%error, "an account was not started by a mistake of the program");
            }
        }
    }
    let is_stopped = failures.iter().any(|(_, failure)| failure.is_stop());
    if has_started || is_stopped {
        failures.iter().for_each(|(name, failure)| failure.log(name));
        return Ok((!has_started).then_some(Ended::Fine));
    }
    match failures.into_iter().next() {
        Some((_, failure)) if failure.is_printed => Ok(Some(failure.report.ended())),
        Some((_, failure)) => Err(*failure.report),
        None => Ok(Some(Ended::Unusable)),
    }
}

/// Runs the accounts to their ends, or shares them with other nodes until the process is stopped. An account that ends does
/// not disturb the others.
async fn until_ended(
    supervisor: &Supervisor,
    node: Option<fleet::Node>,
    (hangups, settings): (Hangups, Arc<SettingsReloader>),
    shared: &Shared,
) -> Result<Ended, Report> {
    let mut reloads = JoinSet::new();
    reloads.spawn(boxed(Arc::clone(&settings).reload_at_hangups(hangups)));
    reloads.spawn(boxed(settings.follow()));
    let ended = match node {
        Some(node) => node.run(shared.stop.token().clone()).await.map(|()| Ended::Fine),
        None => {
            supervisor.idle().await;
            Ok(supervisor.outcome())
        }
    };
    reloads.shutdown().await;
    ended
}

/// The console over all accounts, guarded by its token. `data` are the folders of the accounts: the token is kept in the first
/// that can keep it.
fn console(
    data: &[PathBuf],
    supervisor: Supervisor,
    fleet: Option<OtherNodes>,
    shared: &Shared,
) -> Result<App, Report> {
    let mut folders = data.iter();
    let first = folders.next().expect("there is an account to run");
    let token = folders.fold(page_token::find(first, shared.lang), |token, folder| {
        token.or_else(|_| page_token::find(folder, shared.lang))
    })?;
    let view = ConsoleView {
        run: run_id(),
        supervisor,
        fleet,
        pages: shared.pages.clone(),
        feed: shared.feed.clone(),
        clock: Arc::new(SystemClock),
        programs: shared.bot.programs().clone(),
    };
    Ok(App::console(Arc::new(view), &token).until(shared.stop.token().clone()))
}

/// Listens for visitors of the pages. They wait until the pages are served.
async fn listen(address: SocketAddr) -> Result<TcpListener, Report> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = "choose another address with --listen or [listen] in the configuration";
        Report::new(Ended::Usage, format!("failed to listen on {address}"))
            .because(error)
            .hint(hint)
    })
}

/// Serves the console, and beside it the pages for machines.
fn serve(listener: TcpListener, console: App, shared: &Shared) -> JoinHandle<()> {
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "serving /health and /metrics");
        tracing::info!("page: http://{address}/");
    }
    let (routes, stop) =
        (console.routes().merge(shared.pages.routes()), shared.stop.token().clone());
    tokio::spawn(boxed(mynah_page::serve(routes, listener, stop)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(alerts: Alerts) -> Shared {
        Shared {
            bot: Bot::new(),
            stores: ProcessStores::Folders,
            books: RuleBooks::default(),
            watcher: FileWatcher::default(),
            lang: mynah_rules::Lang::En,
            prompts: PromptOutput::Standard,
            pages: Pages::default(),
            alerts,
            feed: ConsoleFeed::default(),
            stop: Stop::default(),
            swapped: Arc::default(),
        }
    }

    #[tokio::test]
    async fn a_stop_during_the_start_is_an_ordinary_end() {
        let folder = tempfile::tempdir().unwrap();
        let bots: Vec<PathBuf> = ["one", "two"].map(|name| folder.path().join(name)).into();
        for bot in &bots {
            std::fs::create_dir(bot).unwrap();
            std::fs::write(bot.join("bot.toml"), "[[rule]]\nkeyword = 'a'\nreply = 'b'\n").unwrap();
        }
        let args = Args { bots, data: Some(folder.path().join("data")), ..Args::default() };
        let shared = shared(Alerts::none());
        let plans = plan::plans(&args, &Config::default(), &shared.bot).unwrap();
        shared.stop.begin(false);
        let supervisor = Supervisor::new(shared, Common::default(), LoginPace::off());
        let ended = start_all(&supervisor, plans).await.map_err(|report| report.to_string());
        assert_eq!(ended, Ok(Some(Ended::Fine)));
        assert_eq!(supervisor.outcome(), Ended::Fine);
    }
}
