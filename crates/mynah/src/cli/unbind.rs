//! `mynah unbind`: free a name that is bound to a person by nickname.

use super::common::Common;
use super::send::tell;
use crate::operate::{AccountArgs, Request};
use crate::{Bot, Ended, Report};

/// Free a name of `admins`, `from`, `not_from` or `ignore` that is bound to a person by nickname.
///
/// A name that no friend has as remark is bound to the first friend who carries it as nickname. `mynah status` shows such
/// names. Give the right friend the remark first: else the next friend with that nickname is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name as in bot.toml.
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    account: AccountArgs,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let Args { name, account, json } = args;
    let account = account.find(bot.services(), common).await?;
    account.must_exist().await?;
    let request = Request::Unbind { name: name.clone() };
    let answer = match account.ask(&request).await? {
        Some(answer) => answer,
        None => account.unbind(name).await?,
    };
    tell(&answer, json)
}
