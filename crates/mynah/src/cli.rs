//! The command line: one command per file, each with its `Args` and an `execute` that says how it ended.

pub(crate) mod common;
pub(crate) mod run;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use self::common::Common;
use crate::{Bot, Ended, Report};

/// A rule-driven chatbot.
#[derive(Debug, Parser)]
#[command(name = "mynah", version)]
struct Root {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
}

/// Parses the arguments (the program's name first) and executes the command they name.
pub(crate) async fn execute(bot: Bot, arguments: Vec<OsString>) -> Result<Ended, Report> {
    let root = match Root::try_parse_from(arguments) {
        Ok(root) => root,
        Err(error) => {
            // Help and version come this way too, with status 0. A closed pipe is nobody's fault.
            let _ = error.print();
            return Ok(if error.use_stderr() { Ended::Usage } else { Ended::Fine });
        }
    };
    match root.command {
        Command::Run(args) => run::execute(args, bot, &root.common).await,
    }
}
