//! `mynah forget`: delete the stored data of a person.

use super::common::Common;
use super::send::tell;
use crate::operate::{self, Folder, Request};
use crate::{Ended, Report};

/// Delete a person's data: messages, answers to them, variables and timers.
///
/// Files written by `save_to` are not touched: they are yours.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The person's name as in the log, or id.
    #[arg(value_name = "PERSON")]
    person: String,
    #[command(flatten)]
    folder: Folder,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, _common: &Common) -> Result<Ended, Report> {
    let Args { person, folder, json } = args;
    let person = folder.person(&person).await?;
    let request = Request::Forget { person: person.to_string() };
    let answer = match operate::ask(&folder.path, &request).await? {
        Some(answer) => answer,
        None => folder.forget(person).await?,
    };
    tell(&answer, json)
}
