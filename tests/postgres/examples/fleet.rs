//! The story of nodes and faults, whole or for most of an hour. `MYNAH_SEED` repeats the choices of a run,
//! `MYNAH_FLEET_OTHER` names a program of another version, `MYNAH_FLEET_KEEP` keeps record and logs; see docs/testing.md.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the story")]

use std::time::Duration;

use mynah_postgres_tests::{Counts, Programs, Scale, tell};

/// One node and its database, without sharing: each failure is one of the process or of the database.
const ALONE: Counts =
    Counts { kill: 8, freeze: 1, cut: 1, slow: 2, terminate: 3, fast: 2, immediate: 2, drain: 2 };

/// The counts of [`Counts::FIFTY`] for most of an hour.
const LONG: Counts = Counts {
    kill: 200,
    freeze: 100,
    cut: 100,
    slow: 20,
    terminate: 20,
    fast: 10,
    immediate: 10,
    drain: 20,
};

fn main() {
    let nodes = std::env::args().nth(1).map_or(3, |nodes| nodes.parse().unwrap());
    let is_long = std::env::var_os("MYNAH_FLEET_LONG").is_some();
    let scale = match nodes {
        1 => Scale { nodes, accounts: 10, counts: ALONE, lasts: Duration::from_secs(8) },
        _ => {
            let counts = if is_long { LONG } else { Counts::FIFTY };
            Scale { nodes, accounts: 10 * nodes, counts, lasts: Duration::from_secs(4) }
        }
    };
    let other = std::env::var_os("MYNAH_FLEET_OTHER").map(Into::into);
    tell(&Programs::with_other(other), scale);
}
