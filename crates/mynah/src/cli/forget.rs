//! `mynah forget`: delete the stored data of a person.

use serde::Serialize;

use super::common::Common;
use super::print;
use super::send::tell;
use crate::operate::{AccountArgs, AccountData, Answer, Request};
use crate::{Bot, Ended, Report, report};

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
    /// In all accounts of the settings or of their database.
    #[arg(long, conflicts_with = "account")]
    all_accounts: bool,
    /// One JSON object; with --all-accounts one a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    if args.all_accounts {
        let all = args.account.find_all(bot.services(), common).await?;
        return everywhere(&all, &args.person, args.json).await;
    }
    let account = args.account.find(bot.services(), common).await?;
    tell(&forget_in(&account, &args.person).await?, args.json)
}

async fn forget_in(account: &AccountData, person: &str) -> Result<Answer, Report> {
    let person = account.person(person).await?;
    let request = Request::Forget { person: person.to_string() };
    match account.ask(&request).await? {
        Some(answer) => Ok(answer),
        None => account.forget(person).await,
    }
}

/// The answer of one of several accounts.
#[derive(Serialize)]
struct Answered<'a> {
    data: &'a str,
    #[serde(flatten)]
    answer: Answer,
}

/// Deletes the data in every account. One that fails keeps no other from it.
async fn everywhere(all: &[AccountData], person: &str, json: bool) -> Result<Ended, Report> {
    let (mut has_deleted, mut failed) = (false, Vec::new());
    for account in all {
        let answer = match forget_in(account, person).await {
            Ok(answer) => answer,
            Err(error) => {
                report::print(&error);
                failed.push(account.place());
                continue;
            }
        };
        has_deleted |= answer.ok;
        let data = account.place();
        print::to_stdout(|out| match json {
            true => print::json(out, &Answered { data, answer: answer.clone() }),
            false => writeln!(out, "{data}: {}", print::on_one_line(&answer.text)),
        })?;
    }
    if !failed.is_empty() {
        let what = format!("nothing was deleted from {}", failed.join(", "));
        return Err(Report::new(Ended::Storage, what).hint("repeat the command: it is harmless"));
    }
    Ok(if has_deleted { Ended::Fine } else { Ended::No })
}
