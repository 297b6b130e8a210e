//! `mynah forget`: delete the stored data of a person.

use super::common::Common;
use super::send::tell;
use crate::operate::{AccountArgs, Request};
use crate::{Bot, Ended, Report};

/// Delete a person's data: messages, answers to them, variables and timers.
///
/// Files written by `save_to` are not touched: they are yours.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The person's name as in the log, or id.
    #[arg(value_name = "PERSON")]
    person: String,
    #[command(flatten)]
    account: AccountArgs,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let Args { person, account, json } = args;
    let account = account.find(bot.services(), common).await?;
    let person = account.person(&person).await?;
    let request = Request::Forget { person: person.to_string() };
    let answer = match account.ask(&request).await? {
        Some(answer) => answer,
        None => account.forget(person).await?,
    };
    tell(&answer, json)
}
