//! `mynah mute` and `mynah unmute`: keep a bot quiet in a chat.

use std::time::Duration;

use mynah_reader::Lang;

use super::common::Common;
use super::send::tell;
use crate::operate::{AccountArgs, Request};
use crate::{Bot, Ended, Report};

/// Keep a bot quiet in a chat for a time.
///
/// Messages are stored and counted, and the actions of rules are left out, as with `mute` in a rule file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: OfChat,
    /// How long, e.g. 30m, 2h, 1d.
    #[arg(long = "for", value_name = "TIME", default_value = "30m", value_parser = duration)]
    lasts: Duration,
}

/// Let a bot speak in a muted chat again.
#[derive(Debug, clap::Args)]
pub(crate) struct UnmuteArgs {
    #[command(flatten)]
    of: OfChat,
}

#[derive(Debug, clap::Args)]
struct OfChat {
    /// The name or id of a group or friend.
    #[arg(value_name = "CHAT")]
    chat: String,
    #[command(flatten)]
    account: AccountArgs,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let (second, year) = (Duration::from_secs(1), Duration::from_secs(365 * 24 * 60 * 60));
    mynah_reader::duration(text, second..=year).map_err(|error| error.message(Lang::En))
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    mute(args.of, args.lasts.as_secs(), bot, common).await
}

pub(crate) async fn unmute(args: UnmuteArgs, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    mute(args.of, 0, bot, common).await
}

async fn mute(of: OfChat, seconds: u64, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let OfChat { chat, account, json } = of;
    let account = account.find(bot.services(), common).await?;
    let request = Request::Mute { chat: chat.clone(), seconds };
    let answer = match account.ask(&request).await? {
        Some(answer) => answer,
        None => account.mute(&chat, seconds, bot.services()).await?,
    };
    tell(&answer, json)
}
