//! `mynah logout`: end the session.

use super::common::Common;
use super::send::tell;
use crate::operate::{AccountArgs, Request};
use crate::{Bot, Ended, Report};

/// End the session of an account; a running bot stops in order first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    account: AccountArgs,
    /// The server's base address, if `mynah run` was given one.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let Args { account, server, json } = args;
    let account = account.find(bot.services(), common).await?;
    let answer = match account.ask(&Request::Logout).await? {
        Some(answer) => answer,
        None => account.log_out(server, bot.services()).await?,
    };
    tell(&answer, json)
}
