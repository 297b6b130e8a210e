//! Nodes that share accounts lose nothing and answer nothing twice, whatever fails.

#![cfg(unix)]

use std::time::Duration;

use mynah_postgres_tests::{Counts, Programs, Scale, tell};

#[test]
fn fifty_faults_lose_nothing_and_double_nothing() {
    let counts = Counts::FIFTY;
    let scale = Scale { nodes: 3, accounts: 30, counts, lasts: Duration::from_secs(4) };
    tell(&Programs::with_other(None), scale);
}
