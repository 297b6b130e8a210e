//! The store on PostgreSQL, against a server of its own in a temporary folder.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "postgres/cluster.rs"]
mod cluster;
#[path = "postgres/conformance.rs"]
mod conformance;
#[path = "postgres/encryption.rs"]
mod encryption;
#[path = "postgres/fence.rs"]
mod fence;
#[path = "postgres/fleet.rs"]
mod fleet;
#[path = "postgres/leases.rs"]
mod leases;
#[path = "postgres/looks.rs"]
mod looks;
#[path = "postgres/lost_answers.rs"]
mod lost_answers;
#[path = "postgres/plans.rs"]
mod plans;
#[path = "postgres/pools.rs"]
mod pools;
#[path = "postgres/restarts.rs"]
mod restarts;
#[path = "postgres/retention.rs"]
mod retention;
#[path = "postgres/rights.rs"]
mod rights;
#[path = "postgres/takeover.rs"]
mod takeover;
