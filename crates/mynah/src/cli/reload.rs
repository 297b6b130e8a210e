//! `mynah reload`: let a running bot read its rules again.

use super::common::Common;
use super::send::tell;
use crate::operate::{AccountArgs, Request};
use crate::{Bot, Ended, Report};

/// Let a running bot read its rules again, e.g. where saving a file goes unseen.
///
/// With mistakes in them, the old rules stay, and the mistakes are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    account: AccountArgs,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let account = args.account.find(bot.services(), common).await?;
    match account.ask(&Request::Reload).await? {
        // The mistakes are lines of text.
        Some(answer) if !answer.ok && !args.json => Err(Report::new(Ended::No, answer.text)),
        Some(answer) => tell(&answer, args.json),
        None => {
            let what = format!("no process runs the account in {}", account.place());
            Err(Report::new(Ended::No, what).hint("its next start reads the rules"))
        }
    }
}
