//! `mynah data`: export stored data, also while the bot runs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use mynah_core::{ExportPlace, Exported, StoreReader};
use mynah_runtime::{CSV_MARK, csv_line};

use super::common::Common;
use super::{data_move, print};
use crate::operate::{AccountArgs, AccountData};
use crate::{Bot, Ended, Report, login};

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
        account: AccountArgs,
    },
    /// Write the rows that rules saved with `save_to` as CSV. Without FILE, list the files.
    ///
    /// An account whose data is a folder keeps these files in the folder itself.
    Rows {
        /// The name of the file in `save_to`.
        #[arg(value_name = "FILE")]
        file: Option<String>,
        /// A new file; standard output if absent.
        #[arg(long, value_name = "NEW", requires = "file")]
        to: Option<PathBuf>,
        #[command(flatten)]
        account: AccountArgs,
    },
    /// Move the data of an account from its folder into the database of the settings, or back.
    ///
    /// The account must not run. A move that was interrupted goes on if the command is repeated; until it is complete, no
    /// process can run the account. Other files of the folder stay where they are.
    Move(data_move::Args),
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
        account: AccountArgs,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    match args.what {
        What::Export { to, account } => {
            let account = account.find(bot.services(), common).await?;
            export(&account, to.as_deref()).await
        }
        What::Rows { file, to, account } => {
            let account = account.find(bot.services(), common).await?;
            rows(&account, file.as_deref(), to.as_deref()).await
        }
        What::Move(args) => data_move::execute(args, bot, common).await,
        What::Backup { to, account, json } => {
            let account = account.find(bot.services(), common).await?;
            backup(&account, &to, json).await
        }
    }
}

async fn export(account: &AccountData, to: Option<&Path>) -> Result<Ended, Report> {
    let reader = account.inspect().await?;
    let mut file = to.map(|to| new_file(to).map(BufWriter::new)).transpose()?;
    let mut place = Some(ExportPlace::Start);
    while let Some(from) = place {
        let page = reader.export(&from).await.map_err(|error| account.failed("export", error))?;
        let goes_on = match (&mut file, to) {
            (Some(file), Some(to)) => {
                write(file, &page.items).map_err(|error| unwritten(to, error))?;
                true
            }
            _ => print_items(&page.items)?,
        };
        place = page.next.filter(|_| goes_on);
    }
    if let (Some(mut file), Some(to)) = (file, to) {
        file.flush().map_err(|error| unwritten(to, error))?;
    }
    Ok(Ended::Fine)
}

/// Prints items, one a line. Returns false if the reader of the output has gone away.
fn print_items(items: &[Exported]) -> Result<bool, Report> {
    let mut goes_on = true;
    print::to_stdout(|out| {
        let written = write(out, items).and_then(|()| out.flush());
        goes_on = written.is_ok();
        written
    })?;
    Ok(goes_on)
}

fn write(out: &mut dyn Write, items: &[Exported]) -> io::Result<()> {
    items.iter().try_for_each(|item| {
        serde_json::to_writer(&mut *out, item)?;
        out.write_all(b"\n")
    })
}

/// Writes the saved rows of a file, or lists the files.
async fn rows(
    account: &AccountData,
    file: Option<&str>,
    to: Option<&Path>,
) -> Result<Ended, Report> {
    let reader = account.inspect().await?;
    let files = reader.saved_files().await.map_err(|error| account.failed("read", error))?;
    let Some(file) = file else {
        return print::to_stdout(|out| {
            files.iter().try_for_each(|(name, rows)| writeln!(out, "{name}: {rows}"))
        })
        .map(|()| Ended::Fine);
    };
    if !files.contains_key(file) {
        return Err(no_rows(account, file, files.into_keys()));
    }
    match to {
        Some(to) => {
            let mut out = BufWriter::new(new_file(to)?);
            let written = out.write_all(CSV_MARK.as_bytes());
            written.map_err(|error| unwritten(to, error))?;
            let mut write = |lines: &str| {
                let written = out.write_all(lines.as_bytes());
                written.map(|()| true).map_err(|error| unwritten(to, error))
            };
            each_page(account, &*reader, file, &mut write).await?;
            out.flush().map_err(|error| unwritten(to, error))?;
        }
        None => each_page(account, &*reader, file, &mut print_lines).await?,
    }
    Ok(Ended::Fine)
}

/// Hands over the rows of a file as lines of CSV, until `write` wants no more.
async fn each_page(
    account: &AccountData,
    reader: &dyn StoreReader,
    file: &str,
    write: &mut dyn FnMut(&str) -> Result<bool, Report>,
) -> Result<(), Report> {
    let mut after = i64::MIN;
    loop {
        let rows = reader.saved_rows(file, after).await;
        let rows = rows.map_err(|error| account.failed("read", error))?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.seq;
        let lines: String = rows.iter().map(|row| csv_line(&row.cells)).collect();
        if !write(&lines)? {
            return Ok(());
        }
    }
}

/// Prints lines. Returns false if the reader of the output has gone away.
fn print_lines(lines: &str) -> Result<bool, Report> {
    let mut goes_on = true;
    print::to_stdout(|out| {
        let written = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
        goes_on = written.is_ok();
        written
    })?;
    Ok(goes_on)
}

fn no_rows(account: &AccountData, file: &str, files: impl Iterator<Item = String>) -> Report {
    let known: Vec<String> = files.collect();
    let hint = match known.is_empty() {
        true => {
            "an account whose data is a folder keeps the files of save_to in that folder".to_owned()
        }
        false => format!("there are rows of {}", known.join(", ")),
    };
    Report::new(Ended::Usage, format!("{} has no saved rows of {file}", account.place())).hint(hint)
}

async fn backup(account: &AccountData, to: &Path, json: bool) -> Result<Ended, Report> {
    if to.exists() {
        return Err(unwritten(to, io::ErrorKind::AlreadyExists.into()));
    }
    let copied = account.inspect().await?.backup(to).await;
    copied.map_err(|error| account.failed("back up", error))?;
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

fn unwritten(path: &Path, error: io::Error) -> Report {
    let hint = "name a new file in a folder that you may write to";
    Report::new(Ended::Storage, format!("failed to write {}", path.display()))
        .because(error)
        .hint(hint)
}
