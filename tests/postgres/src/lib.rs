//! Nodes answer people while their processes are killed and frozen, their connections to the database are cut and slow, and
//! the database restarts: every message is answered once and in order. A panic says what is not.
//!
//! The check is made on the record of the service, a sandbox with many accounts; see docs/testing.md.

#![cfg(unix)]

#[expect(dead_code, reason = "its own tests use the rest")]
#[expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#[path = "../../../crates/store-postgres/tests/postgres/cluster.rs"]
mod cluster;
mod story;

pub use story::faults::Counts;
pub use story::node::Programs;
pub use story::{Scale, tell};
