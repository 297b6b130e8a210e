#![doc = include_str!("../README.md")]

mod account;
mod alert;
mod bot;
mod cli;
mod config;
mod conversation;
mod ended;
mod greeting;
mod login;
mod metrics;
mod names;
mod observer;
mod operate;
mod page_token;
pub mod prelude;
mod qr;
mod reload;
mod report;
mod rule_file;
mod rule_handler;
mod secrets;
mod stop;
mod telemetry;
pub mod testing;
mod tls;
mod unreadable;
mod view;

pub use bot::Bot;
pub use ended::Ended;
/// All types that handlers meet; the [`prelude`] has the usual ones.
pub use mynah_core as core;
/// The chat services, and the traits of a service of your own; see [`Bot::connector`].
pub use mynah_transports as transports;
pub use report::Report;

/// The result of the entry points.
pub type Result<T, E = Report> = std::result::Result<T, E>;
