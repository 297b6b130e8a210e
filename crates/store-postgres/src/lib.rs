#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! Each call of the store is one statement: a function of the database in `schema/functions.sql`, which begins with the
//! fence. A transaction never waits for its client, so a client that hangs holds no lock. A call whose connection broke is
//! repeated here; the contract of [`Store`](mynah_core::Store) makes that harmless.

mod arguments;
mod boot_time;
mod error;
mod fleet;
mod link;
mod log;
mod moving;
mod node;
mod queries;
mod reader;
mod schema;
mod settings;
mod store;
mod stores;
mod turns;

pub use schema::{Migrated, VERSION, migrate};
pub use settings::{Settings, SettingsError};
pub use store::PostgresStore;
pub use stores::{Keep, PostgresStores};
