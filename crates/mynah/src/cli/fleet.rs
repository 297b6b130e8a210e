//! `mynah fleet`: the nodes that share the accounts of a database.

#[cfg(feature = "postgres")]
mod direct;

use std::path::PathBuf;

use clap::Subcommand;

use super::common::Common;
use crate::{Bot, Ended, Report};

/// Look at the nodes that share the accounts of a database, and direct them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: FleetCommand,
    /// The operating settings; by default config/mynah.toml, if it is there.
    #[arg(long, value_name = "FILE", env = "MYNAH_CONFIG", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum FleetCommand {
    /// Show all nodes and accounts. Ends with status 1 unless a node is alive and every account in the settings of one is held.
    Status {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Let a node give its accounts back, each as soon as it is idle, and take none until it is started again.
    Drain {
        /// The name of the node.
        #[arg(value_name = "NODE", required_unless_present = "here")]
        node: Option<String>,
        /// The node of this machine and these settings.
        #[arg(long, conflicts_with = "node")]
        here: bool,
    },
    /// Move an account to a node, also into another zone.
    Move {
        /// The account.
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// The name of the node.
        #[arg(value_name = "NODE")]
        node: String,
    },
    /// Start an account again that has ended, e.g. since its session is over: it asks for a login.
    Restart {
        /// The account.
        #[arg(value_name = "ACCOUNT")]
        account: String,
    },
    /// After a backup of the database was put back: free all accounts, so that no process goes on as before.
    Restored,
}

#[cfg(feature = "postgres")]
pub(crate) async fn execute(args: Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    direct::execute(args, bot, common).await
}

#[cfg(not(feature = "postgres"))]
pub(crate) async fn execute(_: Args, _: &Bot, _: &Common) -> Result<Ended, Report> {
    Err(crate::stores::without_database())
}
