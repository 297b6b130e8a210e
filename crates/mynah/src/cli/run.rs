//! `mynah run BOT…`: logs in and works until stopped.

use std::path::PathBuf;

use super::common::Common;
use crate::{Bot, Ended, Report};

/// Log in and answer until stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with a `bot.toml`, or the file; several bots run side by side.
    #[arg(value_name = "BOT")]
    bots: Vec<PathBuf>,
}

pub(crate) async fn execute(args: Args, bot: Bot, common: &Common) -> Result<Ended, Report> {
    let _ = (args, bot, common);
    tokio::task::yield_now().await;
    Err(Report::new(Ended::Unusable, "nothing to run yet"))
}
