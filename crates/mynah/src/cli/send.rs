//! `mynah send`: say something in a chat.

use super::common::Common;
use super::print;
use crate::operate::{AccountArgs, Answer, Request};
use crate::{Bot, Ended, Report};

/// Say something in a chat, through a running bot or at its next start.
///
/// It goes the way of all replies: stored first, paced, sent once, and found in the log.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The name or id of a group or friend.
    #[arg(value_name = "CHAT")]
    chat: String,
    /// The text to send.
    #[arg(value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    account: AccountArgs,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let Args { chat, text, account, json } = args;
    let account = account.find(bot.services(), common).await?;
    let request = Request::Send { chat: chat.clone(), text: text.clone() };
    let answer = match account.ask(&request).await? {
        Some(answer) => answer,
        None => account.send(&chat, &text, bot.services()).await?,
    };
    tell(&answer, json)
}

/// Prints an answer; a refusal is an end with status 1.
pub(super) fn tell(answer: &Answer, json: bool) -> Result<Ended, Report> {
    if json {
        print::to_stdout(|out| print::json(out, answer))?;
    } else if answer.ok {
        print::to_stdout(|out| writeln!(out, "{}", print::on_one_line(&answer.text)))?;
    } else {
        return Err(Report::new(Ended::No, print::on_one_line(&answer.text)));
    }
    Ok(if answer.ok { Ended::Fine } else { Ended::No })
}
