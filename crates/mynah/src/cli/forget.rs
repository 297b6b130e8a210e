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
    let mut tally = Tally::default();
    for account in all {
        let answer = match forget_in(account, person).await {
            Ok(answer) => answer,
            Err(error) => {
                report::print(&error);
                tally.failed.push(account.place().to_owned());
                continue;
            }
        };
        let data = account.place();
        tally.count(data, &answer);
        print::to_stdout(|out| match json {
            true => print::json(out, &Answered { data, answer: answer.clone() }),
            false => writeln!(out, "{data}: {}", print::on_one_line(&answer.text)),
        })?;
    }
    tally.end()
}

/// The answers of the accounts until now.
#[derive(Default)]
struct Tally {
    has_deleted: bool,
    /// The accounts whose data may still be there.
    failed: Vec<String>,
}

impl Tally {
    fn count(&mut self, account: &str, answer: &Answer) {
        self.has_deleted |= answer.ok;
        if !answer.ok && !answer.is_nothing {
            self.failed.push(account.to_owned());
        }
    }

    fn end(self) -> Result<Ended, Report> {
        if !self.failed.is_empty() {
            let what = format!("nothing was deleted from {}", self.failed.join(", "));
            return Err(
                Report::new(Ended::Storage, what).hint("repeat the command: it is harmless")
            );
        }
        Ok(if self.has_deleted { Ended::Fine } else { Ended::No })
    }
}

#[cfg(test)]
mod tests {
    use mynah_core::Forgotten;

    use super::*;
    use crate::operate::deleted;

    fn end(answers: &[Answer]) -> Result<Ended, String> {
        let mut tally = Tally::default();
        answers.iter().for_each(|answer| tally.count("an account", answer));
        tally.end().map_err(|report| format!("{report:?}"))
    }

    #[test]
    fn an_account_that_refuses_is_a_failure_and_one_without_data_is_none() {
        let none = deleted("ann", Forgotten::default());
        let some = deleted("ann", Forgotten { events: 1, ..Forgotten::default() });
        assert_eq!(end(&[some.clone(), none.clone()]), Ok(Ended::Fine));
        assert_eq!(end(std::slice::from_ref(&none)), Ok(Ended::No));
        let refused = Answer::refused("the disk is full");
        let failure = end(&[some, refused, none]).unwrap_err();
        assert!(failure.contains("nothing was deleted from an account"), "{failure}");
    }
}
