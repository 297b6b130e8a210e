//! `mynah data`: export stored data, also while the bot runs.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use mynah_core::StoreError;

use super::common::Common;
use super::print;
use crate::operate::Folder;
use crate::{Ended, Report, login};

/// Export stored data, also while the bot runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write everything that is kept about people as JSON Lines: the message log, variables, timers. No secrets.
    Export {
        /// A new file; standard output if absent.
        #[arg(value_name = "FILE")]
        to: Option<PathBuf>,
        #[command(flatten)]
        folder: Folder,
    },
    /// Copy the data into a new file.
    ///
    /// To put it back: stop the bot, remove DIR/mynah.db-wal and DIR/mynah.db-shm, and copy the file over DIR/mynah.db.
    ///
    /// The copy holds the session, which lets its reader act as the account: keep it as safe as the data itself.
    Backup {
        /// A new file.
        #[arg(value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        folder: Folder,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn execute(args: Args, _common: &Common) -> Result<Ended, Report> {
    match args.what {
        What::Export { to, folder } => export(&folder, to.as_deref()),
        What::Backup { to, folder, json } => backup(&folder, &to, json),
    }
}

fn export(folder: &Folder, to: Option<&Path>) -> Result<Ended, Report> {
    let inspector = folder.inspect()?;
    let Some(to) = to else {
        print::to_stdout(|out| inspector.export(out).map_err(into_io))?;
        return Ok(Ended::Fine);
    };
    let mut out = BufWriter::new(new_file(to)?);
    inspector.export(&mut out).map_err(|error| folder.failed("export", error))?;
    out.flush().map_err(|error| unwritten(to, error))?;
    Ok(Ended::Fine)
}

fn backup(folder: &Folder, to: &Path, json: bool) -> Result<Ended, Report> {
    if to.exists() {
        return Err(unwritten(to, std::io::ErrorKind::AlreadyExists.into()));
    }
    folder.inspect()?.backup(to).map_err(|error| folder.failed("back up", error))?;
    let bytes = std::fs::metadata(to).map(|metadata| metadata.len()).unwrap_or_default();
    print::to_stdout(|out| {
        if json {
            print::json(out, &serde_json::json!({ "file": to, "bytes": bytes }))
        } else {
            writeln!(out, "{} ({bytes} bytes)", to.display())
        }
    })?;
    Ok(Ended::Fine)
}

/// A file that is not there yet, for its owner only.
fn new_file(path: &Path) -> Result<File, Report> {
    login::new_for_owner(path).map_err(|error| unwritten(path, error))
}

fn unwritten(path: &Path, error: std::io::Error) -> Report {
    let hint = "name a new file in a folder that you may write to";
    Report::new(Ended::Storage, format!("failed to write {}", path.display()))
        .because(error)
        .hint(hint)
}

/// The input or output error inside, so that a closed pipe is still seen as one.
fn into_io(error: StoreError) -> std::io::Error {
    match error {
        StoreError::Failed(cause) => match cause.downcast::<std::io::Error>() {
            Ok(error) => *error,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    }
}
