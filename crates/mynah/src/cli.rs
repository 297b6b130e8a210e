//! The command line: one command per file, each with its `Args` and an `execute` that says how it ended.

pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod common;
pub(crate) mod completions;
pub(crate) mod data;
mod data_move;
pub(crate) mod explain;
mod fetch_args;
pub(crate) mod fleet;
pub(crate) mod forget;
mod hangups;
#[cfg(feature = "import")]
pub(crate) mod import;
pub(crate) mod loading;
pub(crate) mod logout;
pub(crate) mod mute;
pub(crate) mod new;
pub(crate) mod print;
pub(crate) mod recorded;
pub(crate) mod reload;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod send;
mod shortened;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod test;
pub(crate) mod unbind;

use std::ffi::OsString;
use std::pin::Pin;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};

pub(crate) use self::common::Common;
pub(crate) use self::fetch_args::FetchArgs;
pub(crate) use self::hangups::Hangups;
use crate::telemetry::{self, LogLevel, Logs};
use crate::{Bot, Ended, Report};
use mynah_reader::closest;

/// A rule-driven chatbot: it answers by the rules of bot.toml.
///
/// BOT is always a folder with a bot.toml, or the file itself.
#[derive(Debug, Parser)]
#[command(name = "mynah", version, after_long_help = exit_statuses(), max_term_width = 100)]
struct Root {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

// In the order in which a new user needs them.
#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    #[cfg(feature = "import")]
    Import(import::Args),
    Check(check::Args),
    Test(test::Args),
    Sandbox(sandbox::Args),
    Explain(explain::Args),
    Run(run::Args),
    Status(status::Args),
    Send(send::Args),
    Mute(mute::Args),
    Unmute(mute::UnmuteArgs),
    Reload(reload::Args),
    Logout(logout::Args),
    Unbind(unbind::Args),
    Forget(forget::Args),
    Data(data::Args),
    Store(store::Args),
    Fleet(fleet::Args),
    Replay(replay::Args),
    Bench(bench::Args),
    Schema(schema::Args),
    Completions(completions::Args),
}

impl Command {
    /// Whether its logs are set up by itself, after its configuration was read.
    const fn keeps_running(&self) -> bool {
        matches!(self, Self::Run(_))
    }
}

/// Parses the arguments (the program's name first) and executes the command they name.
///
/// The future is boxed: otherwise each program that runs a command line compiles the code of every command again.
pub(crate) fn execute(
    bot: Bot,
    arguments: Vec<OsString>,
) -> Pin<Box<dyn Future<Output = Result<Ended, Report>>>> {
    Box::pin(parse_and_execute(bot, arguments))
}

async fn parse_and_execute(bot: Bot, arguments: Vec<OsString>) -> Result<Ended, Report> {
    let root = match Root::try_parse_from(arguments) {
        Ok(root) => root,
        Err(mut error) => {
            guess_once(&mut error);
            // Help and version come this way too, with status 0. A closed pipe is not an error.
            let _ = error.print();
            return Ok(if error.use_stderr() { Ended::Usage } else { Ended::Fine });
        }
    };
    let common = root.common;
    if !root.command.keeps_running() {
        telemetry::install(&common.log, logs(&common));
    }
    match root.command {
        Command::New(args) => new::execute(&args, &common),
        #[cfg(feature = "import")]
        Command::Import(args) => import::execute(&args, &common),
        Command::Check(args) => check::execute(&args, &bot, &common),
        Command::Test(args) => test::execute(args, bot, &common).await,
        Command::Sandbox(args) => Box::pin(sandbox::execute(args, bot, &common)).await,
        Command::Explain(args) => explain::execute(&args, &bot, &common).await,
        Command::Run(args) => Box::pin(run::execute(args, bot, &common)).await,
        Command::Status(args) => status::execute(args, &bot, &common).await,
        Command::Send(args) => send::execute(args, &bot, &common).await,
        Command::Mute(args) => mute::execute(args, &bot, &common).await,
        Command::Unmute(args) => mute::unmute(args, &bot, &common).await,
        Command::Reload(args) => reload::execute(args, &bot, &common).await,
        Command::Logout(args) => logout::execute(args, &bot, &common).await,
        Command::Unbind(args) => unbind::execute(args, &bot, &common).await,
        Command::Forget(args) => forget::execute(args, &bot, &common).await,
        Command::Data(args) => data::execute(args, &bot, &common).await,
        Command::Store(args) => store::execute(args, &bot, &common).await,
        Command::Fleet(args) => fleet::execute(args, &bot, &common).await,
        Command::Replay(args) => replay::execute(args, bot, &common).await,
        Command::Bench(args) => bench::execute(&args, &bot, &common),
        Command::Schema(args) => schema::execute(&args, &bot, &common),
        Command::Completions(args) => completions::execute(&args, &common),
    }
}

/// Of several commands that may have been meant, the nearest is named alone; they are given in the order of likeness.
fn guess_once(error: &mut clap::Error) {
    let Some(ContextValue::Strings(all)) = error.get(ContextKind::SuggestedSubcommand) else {
        return;
    };
    let typed = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(typed)) => typed.as_str(),
        _ => "",
    };
    let nearest = closest(typed, all.iter().map(String::as_str)).map(str::to_owned);
    if let Some(nearest) = nearest.or_else(|| all.last().cloned()) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::String(nearest));
    }
}

/// The logs of a command that answers and ends: warnings only, but with `-v` as much as any other command says with it.
fn logs(common: &Common) -> Logs {
    let level = if common.log.verbose > 0 { LogLevel::Info } else { LogLevel::Warn };
    Logs { level, ..Logs::default() }
}

/// The meaning of the exit statuses, for the end of the long help.
fn exit_statuses() -> String {
    let lines =
        Ended::ALL.iter().map(|ended| format!("  {:>3}  {}\n", ended.code(), ended.meaning()));
    format!("Exit status:\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Root::command().debug_assert();
    }
}
