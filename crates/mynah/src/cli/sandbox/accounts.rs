//! Several accounts in one sandbox, and their size.

use std::io;

use mynah_sandbox::{AccountNames, Sandbox, World};

use crate::{Ended, Report, descriptors};

/// More accounts do not fit the connections of one process.
const MOST: u64 = 5_000;

/// The accounts of the sandbox.
#[derive(Debug, clap::Args)]
pub(super) struct AccountArgs {
    /// Serve this number of accounts, named a1, a2 and so on, each with people and groups of its own: the server address of the
    /// account a1 is http://ADDRESS/a/a1. Not with a BOT, which talks in one account.
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "bot",
        value_parser = clap::value_parser!(u64).range(1..=MOST)
    )]
    accounts: Option<u64>,
    /// The same with these names, separated by commas.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with_all = ["bot", "accounts"]
    )]
    account_names: Vec<String>,
}

/// The connections of a client: one that waits for messages, and one for everything else; as much again while they change.
const CONNECTIONS: u64 = 4;

impl AccountArgs {
    /// Raises the limit of file descriptors, and refuses a start that it is too low for.
    pub(super) fn check_descriptors(&self) -> Result<(), Report> {
        let numbered = self.accounts.and_then(|count| usize::try_from(count).ok());
        let count = numbered.unwrap_or(self.account_names.len());
        descriptors::check(count, CONNECTIONS, descriptors::raise())
    }

    pub(super) fn names(&self) -> Result<AccountNames, Report> {
        match self.accounts {
            Some(count) => Ok(AccountNames::numbered(usize::try_from(count).unwrap_or(0))),
            None => AccountNames::new(self.account_names.iter().cloned()).map_err(|error| {
                Report::new(Ended::Usage, "--account-names cannot be used").because(error)
            }),
        }
    }
}

/// Generated people and groups beside those of the world, for accounts of real size.
#[derive(Debug, clap::Args)]
pub(super) struct Size {
    /// Add this number of friends to each account.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    contacts: u32,
    /// Add this number of groups to each account.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    groups: u32,
    /// The members of each added group.
    #[arg(long, value_name = "N", default_value_t = 100, requires = "groups")]
    members: u32,
}

impl Size {
    /// The world with these people and groups.
    pub(super) fn add_to(&self, world: World) -> World {
        if self.contacts == 0 && self.groups == 0 {
            return world;
        }
        let members = if self.groups == 0 { 0 } else { self.members };
        world.with_crowd(self.contacts, self.groups, members)
    }
}

/// Prints where the accounts are, if there are several.
pub(super) fn list(out: &mut dyn io::Write, sandbox: &Sandbox) -> io::Result<()> {
    let names = sandbox.account_names();
    if names.is_empty() {
        return Ok(());
    }
    writeln!(out, "accounts {names}, each at http://{}/a/NAME", sandbox.address())
}
