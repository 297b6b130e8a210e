//! Nodes answer people while their processes are killed and frozen, their connections to the database are cut and slow, and
//! the database restarts: every message is answered once and in order. A panic says what is not.
//!
//! The check is made on the record of the service, a sandbox with many accounts. `MYNAH_SEED` repeats the choices of a run;
//! see docs/testing.md.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the story")]
#![expect(clippy::print_stdout, reason = "the seed and the figures are for people")]

#[expect(dead_code, reason = "its own tests use the rest")]
#[path = "../../../../crates/store-postgres/tests/postgres/cluster.rs"]
mod cluster;
mod faults;
mod line;
mod node;
mod record;
mod story;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cluster::Cluster;
use faults::Counts;
use story::{Scale, Story};

/// One node and its database, without sharing: each failure is one of the process or of the database.
const ALONE: Counts =
    Counts { kill: 8, freeze: 1, cut: 1, slow: 2, terminate: 3, fast: 2, immediate: 2, drain: 2 };

/// Nodes that share accounts: fifty faults with the joins.
const FLEET: Counts =
    Counts { kill: 12, freeze: 5, cut: 6, slow: 4, terminate: 4, fast: 3, immediate: 4, drain: 6 };

/// The same for most of an hour.
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

fn tell(name: &str, scale: Scale) {
    let Some(cluster) = Cluster::start() else { return };
    let seed = std::env::var("MYNAH_SEED").ok().map_or_else(seed_from_clock, |text| {
        text.parse().unwrap_or_else(|_| panic!("MYNAH_SEED is not a number: {text}"))
    });
    println!("{name}: {scale:?}; MYNAH_SEED={seed}");
    let longest = Duration::from_secs(180 + 15 * scale.counts.all());
    cluster::runtime().block_on(async {
        let mut story = Story::start(cluster, scale, seed).await;
        tokio::time::timeout(longest, story.play()).await.expect("the story took too long");
    });
}

fn seed_from_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() ^ u64::from(now.subsec_nanos())
}

fn main() {
    let nodes = std::env::args().nth(1).map_or(3, |nodes| nodes.parse().unwrap());
    let is_long = std::env::var_os("MYNAH_FLEET_LONG").is_some();
    let counts = match nodes {
        1 => ALONE,
        _ if is_long => LONG,
        _ => FLEET,
    };
    tell("nodes and faults", Scale { nodes, accounts: 10 * nodes, counts });
}
