//! `mynah sandbox [BOT]`: a chat service on this machine, with the bot logged in to it and people to play.

mod accounts;
mod chat;
mod editor;
mod follow;
mod input;
mod ledger;
mod line;
mod live;
mod page;
mod reason;
mod remark;
mod saves;
mod screen;
mod talk;

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_core::Clock as _;
use mynah_rules::{Lang, Loaded, RuleBook};
use mynah_sandbox::{Fault, Options, Sandbox, World};
use mynah_transports::Connector;
use tokio::task::JoinSet;

use self::accounts::{AccountArgs, Size};
use self::chat::Chat;
use self::follow::SandboxBot;
use self::live::Live;
use self::page::Page;
use self::saves::SaveFolder;
use self::talk::Talk;
use super::hangups::Hangups;
use super::{common::Common, fetch_args::FetchArgs, loading, print};
use crate::boxed::boxed;
use crate::reload::SettingsReloader;
use crate::rule_file::Mistakes;
use crate::stop::Stop;
use crate::testing::cast::Speaker;
use crate::view::run_id;
use crate::view::sandbox::SandboxView;
use crate::{Bot, Ended, Report, rule_file};

/// A free port of this machine.
const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// Chat with a bot, without a phone.
///
/// Starts a small chat service on this machine, logs the bot in, and puts you into a group with it. It warns, as `check` does, of
/// rules that the service of the bot has no events or actions for. Type to talk; /help
/// lists the commands. When standard input is not a terminal, every line is said, the answers are printed, and the
/// program ends when nothing is left to answer.
///
/// Without a BOT it only serves, for other clients and for `mynah run --server`. The first line of standard output is
/// always `listening on http://ADDRESS`.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n\n  mynah sandbox bots/community\n  printf '多少钱\\n' | mynah sandbox bots/faq\n  mynah sandbox --listen 127.0.0.1:8086 --auto-confirm --accounts 30"
)]
pub(crate) struct Args {
    /// A folder with a bot.toml, or the file.
    #[arg(value_name = "BOT")]
    bot: Option<PathBuf>,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Confirm every login by itself (always so with a BOT).
    #[arg(long)]
    auto_confirm: bool,
    /// People and groups from this file (TOML) instead of the built-in ones.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    #[command(flatten)]
    size: Size,
    #[command(flatten)]
    accounts: AccountArgs,
    /// Failures to commit from the start, from this file (TOML).
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Who speaks first.
    #[arg(long = "as", value_name = "NAME", requires = "bot")]
    speaker: Option<String>,
    /// The group to speak in first; by default one where the bot may answer.
    #[arg(long, value_name = "NAME", requires = "bot", conflicts_with = "private")]
    group: Option<String>,
    /// Speak in private first.
    #[arg(long, requires = "bot")]
    private: bool,
    /// The address of the web page, on this machine only; port 0 takes a free one. By default a page is served if you sit at a terminal.
    #[arg(long, value_name = "ADDR", requires = "bot")]
    page: Option<SocketAddr>,
    #[command(flatten)]
    judged_for: loading::JudgedFor,
    /// The settings with the handlers in other languages and the hosts for rules; by default config/mynah.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    fetch: FetchArgs,
    /// The folder for rows of `save_to`; by default a new one among the temporary files, named with each row.
    #[arg(long, value_name = "DIR", requires = "bot")]
    data: Option<PathBuf>,
}

pub(crate) async fn execute(args: Args, bot: Bot, common: &Common) -> Result<Ended, Report> {
    // Before the address is printed: its reader may stop the sandbox at once.
    let stop = listen()?;
    let mut options = Options {
        listen: args.listen,
        auto_confirm: args.auto_confirm || args.bot.is_some(),
        accounts: args.accounts.names()?,
        world: args.size.add_to(world(&args, common.lang())?),
        faults: faults(args.faults.as_deref())?,
        ..Options::default()
    };
    match &args.bot {
        None => {
            args.accounts.check_descriptors()?;
            let sandbox = start(options).await?;
            stop.token().cancelled().await;
            sandbox.stop().await;
            Ok(Ended::Fine)
        }
        Some(path) => {
            let settings = (args.config.as_deref(), &args.fetch);
            let Some(bot) = loading::with_settings(settings, bot, common)? else {
                return Ok(Ended::No);
            };
            let (loaded, book, mistakes) = load(path, &bot, &args, common)?;
            let bot = bot.start_handlers(false)?;
            let common = &common.for_file(loaded.lang);
            let room = options.world.make_room_for(book.names(), &book.summary().groups);
            let sandbox = Arc::new(start(options).await?);
            let rules = (&book, &loaded, mistakes);
            let ended = converse(&args, &sandbox, &bot, rules, room, (common, &stop)).await;
            bot.programs().stop().await;
            if let Some(sandbox) = Arc::into_inner(sandbox) {
                sandbox.stop().await;
            }
            ended.map(|()| Ended::Fine)
        }
    }
}

/// Logs the bot in, chats, and logs it out.
async fn converse(
    args: &Args,
    sandbox: &Arc<Sandbox>,
    bot: &Bot,
    (book, loaded, mistakes): (&Arc<RuleBook>, &Loaded, Option<Mistakes>),
    room: String,
    (common, stop): (&Common, &Stop),
) -> Result<(), Report> {
    let main = rule_file::main_file(args.bot.as_deref().unwrap_or(Path::new(".")));
    let saves = saves(args)?;
    let (mut live, remarks) =
        Live::start(bot, (book, &main), sandbox.url(), saves, common.lang()).await?;
    live.session().rules.rejected(mistakes, live.session().clock.now());
    tokio::select! {
        online = live.online() => online?,
        () = stop.token().cancelled() => return live.stop().await,
    }
    let at_terminal = std::io::stdin().is_terminal();
    let judged_for = args.judged_for.service(bot)?;
    let view = Arc::new(view(sandbox, (bot, judged_for), main, &live, &room, common));
    let page = match args.page.or(at_terminal.then_some(ANY_PORT)) {
        Some(address) => Some(Page::serve(address, Arc::clone(&view)).await?),
        None => None,
    };
    let mut beside = JoinSet::new();
    if page.is_some() {
        follow_rules(&view, loaded, &live, &mut beside);
        follow_settings(args, &view, &live, &mut beside);
    }
    let speaker = first_speaker(args, room, common.lang());
    let looks = (common.lang(), Common::colours_on_stdout());
    let chat = Chat::new(sandbox, (&mut live, remarks), speaker, looks);
    let talked = if at_terminal {
        Talk::at_terminal(chat, view)?.talk(stop.token()).await
    } else {
        tokio::select! {
            played = chat.play() => played,
            () = stop.token().cancelled() => Ok(()),
        }
    };
    beside.shutdown().await;
    if let Some(page) = page {
        page.close().await;
    }
    talked?;
    live.stop().await
}

/// The view of all this for the web page.
fn view(
    sandbox: &Arc<Sandbox>,
    (bot, judged_for): (&Bot, Option<&'static dyn Connector>),
    main: PathBuf,
    live: &Live,
    room: &str,
    common: &Common,
) -> SandboxView {
    let session = live.session().clone();
    SandboxView {
        sandbox: Arc::clone(sandbox),
        bot: bot.clone(),
        judged_for,
        main,
        active_rules: session.active_rules,
        called_by: session.called_by,
        control: session.control,
        clock: session.clock,
        rules: session.rules,
        settings: Arc::default(),
        swapped: Arc::default(),
        run: run_id(),
        recorder: session.recorder,
        room: room.to_owned(),
        lang: common.lang(),
        news: session.news,
    }
}

/// From now on each save of the rule files reloads the bot.
fn follow_rules(
    view: &Arc<SandboxView>,
    loaded: &Loaded,
    live: &Live,
    following: &mut JoinSet<()>,
) {
    let read: Vec<PathBuf> = loaded.sources.files().map(|(_, path)| path.to_owned()).collect();
    if let Some(saves) = follow::watch(view, &read, &live.remarks()) {
        following.spawn(boxed(follow::follow(saves, Arc::clone(view), live.remarks())));
    }
}

/// From now on each save of the settings reloads handlers and hosts. So does SIGHUP, which starts the handlers anew; at a
/// terminal it means that the window was closed, and ends the program.
fn follow_settings(args: &Args, view: &Arc<SandboxView>, live: &Live, following: &mut JoinSet<()>) {
    let (bot, swapped) = ((view.bot.clone(), view.lang), Arc::clone(&view.swapped));
    let (view, handlers, remarks) = (Arc::clone(view), live.handlers(), live.remarks());
    let user = Box::new(SandboxBot { view, handlers, remarks });
    let (config, opened) = (args.config.clone(), args.fetch.clone());
    let settings = Arc::new(SettingsReloader::new(config, opened, bot, user, swapped));
    if !std::io::stdin().is_terminal() {
        following.spawn(boxed(Arc::clone(&settings).reload_at_hangups(Hangups::listen())));
    }
    following.spawn(boxed(settings.follow()));
}

fn saves(args: &Args) -> Result<SaveFolder, Report> {
    SaveFolder::open(args.data.as_deref()).map_err(|error| {
        Report::new(Ended::Storage, "failed to make a folder for rows of `save_to`")
            .because(error)
            .hint("give a folder with --data")
    })
}

/// Reads the rules for the service that the bot is meant for. The stock program cannot have the handlers of a bot: it shows where
/// they would run.
///
/// Mistakes end it where they cannot be corrected: without a terminal and without a page.
fn load(
    path: &Path,
    bot: &Bot,
    args: &Args,
    common: &Common,
) -> Result<(Loaded, Arc<RuleBook>, Option<Mistakes>), Report> {
    let loaded = loading::load(path, bot, &args.judged_for)?;
    let common = &common.for_file(loaded.lang);
    let can_mend = args.page.is_some() || std::io::stdin().is_terminal();
    if loaded.book.is_some() || !can_mend {
        let book = loading::book(&loaded, common)?;
        return Ok((loaded, book, None));
    }
    let (book, mistakes) = loading::without_rules(path, &loaded, bot, common)?;
    // There is nowhere left to say that standard error is closed.
    let _ = writeln!(std::io::stderr(), "{}", without_rules(&mistakes, common.lang()));
    Ok((loaded, book, Some(mistakes)))
}

/// The effect of a broken rule file on the sandbox.
fn without_rules(mistakes: &Mistakes, lang: Lang) -> String {
    let Mistakes { file, count, .. } = mistakes;
    let s = if *count == 1 { "" } else { "s" };
    match lang {
        Lang::En => format!(
            "{file} has {count} mistake{s}: the bot answers nothing until the file is mended (the page has an editor)"
        ),
        Lang::Zh => format!("{file} 有 {count} 处错误：改好之前机器人不会回答（页面里可以编辑）"),
    }
}

fn first_speaker(args: &Args, room: String, lang: Lang) -> Speaker {
    let somebody = match lang {
        Lang::En => "Alice",
        Lang::Zh => "张三",
    };
    let name = args.speaker.clone().unwrap_or_else(|| somebody.to_owned());
    let group = (!args.private).then(|| args.group.clone().unwrap_or(room));
    Speaker { group, name }
}

async fn start(options: Options) -> Result<Sandbox, Report> {
    let address = options.listen;
    let sandbox = Sandbox::start(options).await.map_err(|error| {
        Report::new(Ended::Usage, format!("failed to listen on {address}"))
            .because(error)
            .hint("give another address with --listen; port 0 takes a free one")
    })?;
    print::to_stdout(|out| {
        writeln!(out, "listening on http://{}", sandbox.address())?;
        accounts::list(out, &sandbox)
    })?;
    Ok(sandbox)
}

/// Stops at Ctrl-C and SIGTERM.
fn listen() -> Result<Stop, Report> {
    let stop = Stop::default();
    let listening = stop.listen(true);
    listening.map_err(|error| {
        Report::new(Ended::Unusable, "failed to listen for Ctrl-C").because(error)
    })?;
    Ok(stop)
}

/// The world of the file, else the built-in one in the language of the user. Clients that log in from elsewhere find
/// the same one in every locale.
fn world(args: &Args, lang: Lang) -> Result<World, Report> {
    match (&args.world, lang) {
        (Some(file), _) => World::from_toml(&read(file)?).map_err(|error| bad(file, error)),
        (None, Lang::En) if args.bot.is_some() => Ok(World::english()),
        (None, _) => Ok(World::default()),
    }
}

fn faults(file: Option<&Path>) -> Result<Vec<Fault>, Report> {
    let Some(file) = file else { return Ok(Vec::new()) };
    Fault::from_toml(&read(file)?).map_err(|error| bad(file, error))
}

fn read(file: &Path) -> Result<String, Report> {
    std::fs::read_to_string(file).map_err(|error| {
        Report::new(Ended::Usage, format!("failed to read {}", file.display())).because(error)
    })
}

fn bad(file: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Report {
    Report::new(Ended::Usage, format!("{} cannot be used", file.display())).because(error)
}
