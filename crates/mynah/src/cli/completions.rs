//! `mynah completions SHELL`: completions for a shell.

use clap_complete::Shell;

use super::{Root, common::Common, print};
use crate::{Ended, Report};

/// Print shell completions.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example, for bash:\n\n  mynah completions bash > ~/.local/share/bash-completion/completions/mynah"
)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn execute(args: &Args, _common: &Common) -> Result<Ended, Report> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut <Root as clap::CommandFactory>::command(),
        "mynah",
        &mut script,
    );
    print::to_stdout(|out| out.write_all(&script))?;
    Ok(Ended::Fine)
}
