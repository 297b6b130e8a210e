//! `mynah sandbox [BOT]`: a chat service on this machine, with the bot logged in to it and people to play.

mod chat;
mod input;
mod ledger;
mod line;
mod live;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mynah_rules::{Lang, RuleBook};
use mynah_sandbox::{Fault, Options, Sandbox, World};
use mynah_transports::webwx::WebWx;

use self::chat::Chat;
use self::live::Live;
use super::{common::Common, loading, print};
use crate::stop::Stop;
use crate::telemetry::{self, LogLevel, Logs};
use crate::testing::cast::Speaker;
use crate::{Bot, Ended, Report};

/// Chat with a bot, without a phone.
///
/// Starts a small chat service on this machine, logs the bot in, and puts you into a group with it. Type to talk; /help
/// lists the commands. When standard input is not a terminal, every line is said, the answers are printed, and the
/// program ends when nothing is left to answer:
///
///     printf '多少钱\n' | mynah sandbox bots/faq
///
/// Without a BOT it only serves, for other clients and for `mynah run --server`. The first line of standard output is
/// always `listening on http://ADDRESS`.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
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
}

pub(crate) async fn execute(args: Args, bot: Bot, common: &Common) -> Result<Ended, Report> {
    telemetry::install(&common.log, Logs { level: LogLevel::Warn, ..Logs::default() });
    let mut options = Options {
        listen: args.listen,
        auto_confirm: args.auto_confirm || args.bot.is_some(),
        world: world(args.world.as_deref())?,
        faults: faults(args.faults.as_deref())?,
        ..Options::default()
    };
    match &args.bot {
        None => {
            let sandbox = start(options).await?;
            let stop = listen()?;
            stop.token().cancelled().await;
            sandbox.stop().await;
            Ok(Ended::Fine)
        }
        Some(path) => {
            let book = load(path, &bot, common)?;
            let group = options.world.make_room_for(book.names(), &book.reach().groups);
            let speaker = first_speaker(&args, group, common.lang());
            let sandbox = start(options).await?;
            let ended = converse(&sandbox, &bot, &book, speaker, common).await;
            sandbox.stop().await;
            ended.map(|()| Ended::Fine)
        }
    }
}

/// Logs the bot in, chats, and logs it out.
async fn converse(
    sandbox: &Sandbox,
    bot: &Bot,
    book: &Arc<RuleBook>,
    speaker: Speaker,
    common: &Common,
) -> Result<(), Report> {
    let mut live = Live::start(bot, book, sandbox.url());
    live.online().await?;
    let chat = Chat::new(sandbox, &mut live, speaker, common.lang(), Common::colours_on_stdout());
    if std::io::stdin().is_terminal() {
        let stop = listen()?;
        chat.talk(stop.token()).await?;
    } else {
        chat.play().await?;
    }
    live.stop().await
}

/// Reads the rules for a transport that is really there: a handler that nobody registered is an error here.
fn load(path: &Path, bot: &Bot, common: &Common) -> Result<Arc<RuleBook>, Report> {
    loading::load_to_run(path, &bot.names(), &WebWx::capabilities(), common)
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
    print::to_stdout(|out| writeln!(out, "listening on {}", sandbox.url()))?;
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

fn world(file: Option<&Path>) -> Result<World, Report> {
    let Some(file) = file else { return Ok(World::default()) };
    World::from_toml(&read(file)?).map_err(|error| bad(file, error))
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
