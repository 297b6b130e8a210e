//! A node that holds accounts and does nothing else: for measuring how fast others take them over.
//!
//! ```sh
//! cargo run -p mynah-store-postgres --example fleet_node -- 'postgres://mynah@/bots?host=/run/postgresql' one 100
//! ```
//!
//! Prints the time in milliseconds and the number of its accounts whenever that changes. Each account is served when it is
//! counted: its store has recovered. Kill, stop or cut off one of several nodes, and compare the times.

#![expect(clippy::print_stdout, reason = "the times are its output")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use mynah_core::{Clock, Fleet, NodeInfo, Store, Stores, SystemClock};
use mynah_store_postgres::{PostgresStores, Settings, migrate};
use tokio::task::JoinSet;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, name, accounts] = arguments.as_slice() else {
        return Err("give an address, a name and a number of accounts".into());
    };
    let settings = Settings::new(address, None, None)?;
    migrate(&settings).await?;
    let accounts = (0..accounts.parse::<usize>()?).map(|number| format!("account {number}"));
    let stores = PostgresStores::new(settings, name);
    let fleet = stores.fleet().ok_or("no fleet")?;
    fleet.join(NodeInfo::new(name, accounts.collect())).await?;
    let mut runs = BTreeMap::new();
    loop {
        let before = runs.len();
        // A database that is away comes back.
        if let Err(error) = look(&*fleet, &mut runs).await {
            println!("{} {name}: {error}", SystemClock.now().as_millis());
        }
        if runs.len() != before {
            println!("{} {name} holds {}", SystemClock.now().as_millis(), runs.len());
        }
        fleet.changed().await;
    }
}

async fn look(fleet: &dyn Fleet, runs: &mut BTreeMap<String, Arc<dyn Store>>) -> Result<()> {
    let look = fleet.look().await?;
    let mut starts = JoinSet::new();
    for taken in look.take {
        starts.spawn(async move { taken.store.recover(SystemClock.now()).await.map(|_| taken) });
    }
    for taken in starts.join_all().await {
        let taken = taken?;
        runs.insert(taken.account, taken.store);
    }
    for account in look.give {
        if let Some(store) = runs.remove(&account) {
            store.close().await?;
        }
        fleet.give(&account).await?;
    }
    Ok(())
}
