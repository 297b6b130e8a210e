//! A bot with a table of its own: see `ledger.rs` for the table, `handlers.rs` for the replies.
//!
//! When is a table worth it? One value under a name, like a counter or a nickname, belongs in the state of the bot
//! (`ctx.set`, `ctx.add`, `{user.x}` in rules): it changes together with the reply or not at all, and `mynah forget`
//! deletes it. Rows that are listed, summed or searched belong in a table. Then the bot itself is responsible for three
//! things: a turn may run twice, a person may want to be forgotten, and a backup must contain the file.

mod handlers;
mod ledger;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use handlers::{Bill, Erase, Record};
use ledger::Ledger;
use mynah::prelude::*;
use mynah::{Ended, Report};

fn bot(ledger: Ledger) -> Bot {
    let ledger = Arc::new(ledger);
    Bot::new()
        .handler("record", Record(Arc::clone(&ledger)))
        .handler("bill", Bill(Arc::clone(&ledger)))
        .handler("erase", Erase(ledger))
}

/// The ledger for a command line. `run` keeps its table in a file; other commands use one in memory, so that test
/// conversations never appear in the accounts of real people.
fn ledger(mut arguments: impl Iterator<Item = OsString>, file: &Path) -> rusqlite::Result<Ledger> {
    let command = arguments.find(|argument| !argument.to_string_lossy().starts_with('-'));
    if command.is_some_and(|command| command == "run") {
        Ledger::open(file)
    } else {
        Ledger::in_memory()
    }
}

#[tokio::main]
async fn main() -> mynah::Result<()> {
    let file = std::env::var_os("LEDGER_DB").unwrap_or_else(|| "ledger.db".into());
    let file = Path::new(&file);
    let ledger = ledger(std::env::args_os().skip(1), file).map_err(|error| {
        let what = format!("the ledger {} cannot be opened", file.display());
        Report::new(Ended::Storage, what).because(error)
    })?;
    bot(ledger).run_cli().await
}
