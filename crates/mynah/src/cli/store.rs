//! `mynah store`: the database of all accounts.

use std::path::PathBuf;

use clap::Subcommand;

use super::common::Common;
use super::print::to_stdout;
use crate::config::{Config, Outside};
use crate::{Bot, Ended, Report, report, stores};

/// Prepare the database of `[store]`, which keeps the data of all accounts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Make the tables, or bring them to the format of this program. Repeating it is harmless.
    Migrate {
        /// The operating settings; by default config/mynah.toml, if it is there.
        #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG")]
        config: Option<PathBuf>,
    },
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let StoreCommand::Migrate { config } = args.command;
    let outside = Outside::new(bot.services(), None);
    let config = match Config::load(config.as_deref(), &outside) {
        Ok(config) => config,
        Err(problems) => {
            report::say(&problems.render(common.lang(), Common::colours_on_stderr()));
            return Ok(Ended::No);
        }
    };
    let done = stores::migrate(&config.store).await?;
    to_stdout(|out| writeln!(out, "{done}"))?;
    Ok(Ended::Fine)
}
