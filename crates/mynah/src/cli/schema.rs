//! `mynah schema`: the JSON Schema of `bot.toml`, for editors.

use std::path::PathBuf;

use super::{common::Common, print};
use crate::{Bot, Ended, Report, config};

/// Print the JSON Schema of bot.toml or mynah.toml, for editors.
///
/// An editor with a TOML language server completes and checks a bot.toml whose first line is
/// `#:schema bot.schema.json`, where that is the file with the schema.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write it to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the reference (Markdown) instead.
    #[arg(long)]
    reference: bool,
    /// Of the settings, mynah.toml, instead of bot.toml.
    #[arg(long)]
    settings: bool,
}

pub(crate) fn execute(args: &Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let text = match (args.settings, args.reference) {
        (false, false) => schema(),
        (false, true) => mynah_rules::reference(common.lang()),
        (true, false) => config::json_schema(bot.services()),
        (true, true) => config::reference(bot.services(), common.lang()),
    };
    match &args.output {
        Some(file) => std::fs::write(file, text).map_err(|error| {
            Report::new(Ended::Storage, format!("failed to write {}", file.display()))
                .because(error)
        })?,
        None => print::to_stdout(|out| out.write_all(text.as_bytes()))?,
    }
    Ok(Ended::Fine)
}

/// The schema as a file: ends with a newline.
pub(crate) fn schema() -> String {
    format!("{}\n", mynah_rules::json_schema().trim_end())
}
