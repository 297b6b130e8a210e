//! `mynah logout`: end the session.

use super::common::Common;
use super::send::tell;
use crate::operate::{self, Folder, Request};
use crate::{Bot, Ended, Report};

/// End the session of an account; a running bot stops in order first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    folder: Folder,
    /// The server's base address, if `mynah run` was given one.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: &Bot, _common: &Common) -> Result<Ended, Report> {
    let Args { folder, server, json } = args;
    let answer = match operate::ask(&folder.path, &Request::Logout).await? {
        Some(answer) => answer,
        None => folder.log_out(server, bot.services()).await?,
    };
    tell(&answer, json)
}
