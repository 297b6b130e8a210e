//! `mynah unbind`: free a name that is bound to a person by nickname.

use super::common::Common;
use super::send::tell;
use crate::operate::{self, Folder, Request};
use crate::{Ended, Report};

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
    folder: Folder,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn execute(args: Args, _common: &Common) -> Result<Ended, Report> {
    let Args { name, folder, json } = args;
    folder.must_exist().await?;
    let request = Request::Unbind { name: name.clone() };
    let answer = match operate::ask(&folder.path, &request).await? {
        Some(answer) => answer,
        None => folder.unbind(name).await?,
    };
    tell(&answer, json)
}
