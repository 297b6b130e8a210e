//! `mynah data move`: from folders into the database of the settings, and back.

#[cfg(feature = "postgres")]
mod moves;

use std::path::PathBuf;

use clap::ValueEnum;

use super::common::Common;
use crate::{Bot, Ended, Report};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to.
    #[arg(value_name = "TO")]
    to: To,
    /// The account, by its name.
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    account: Option<String>,
    /// All accounts of the settings and of the database.
    #[arg(long, conflicts_with_all = ["account", "data"])]
    all: bool,
    /// The folder of the account, if it is not the one of the settings and not ./data/NAME.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The operating settings; by default config/mynah.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG")]
    config: Option<PathBuf>,
    /// Delete the data from the old place once it is in the new one. Otherwise a copy stays there, which cannot be run.
    #[arg(long)]
    delete_source: bool,
    /// Give an unfinished move up: delete what has arrived in the new place, and let the account run in the old one.
    #[arg(long, conflicts_with_all = ["delete_source", "all"])]
    give_up: bool,
    /// One JSON object a line for each account.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// Into the database of [store] in the settings.
    Database,
    /// Into the folder of the account.
    Folder,
}

#[cfg(feature = "postgres")]
pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    moves::execute(args, bot, common).await
}

#[cfg(not(feature = "postgres"))]
pub(crate) async fn execute(_: Args, _: &Bot, _: &Common) -> Result<Ended, Report> {
    Err(crate::stores::without_database())
}
