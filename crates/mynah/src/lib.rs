#![doc = include_str!("../README.md")]

mod account;
mod alert;
mod bot;
mod cli;
mod config;
mod conversation;
mod data_move;
mod defaults;
mod descriptors;
pub mod embed;
mod ended;
mod fetcher;
mod fleet;
mod greeting;
mod handlers;
mod lacking_inputs;
mod log_pages;
mod login;
mod metrics;
mod names;
mod observer;
mod operate;
mod own_handlers;
mod page_token;
pub mod prelude;
mod qr;
mod reload;
mod report;
mod rule_books;
mod rule_file;
mod rule_handler;
mod secrets;
mod stop;
mod stores;
mod supervisor;
mod telemetry;
pub mod testing;
mod tls;
mod unreadable;
mod url_media;
mod view;

pub use bot::Bot;
pub use ended::Ended;
/// All types that handlers meet; the [`prelude`] has the usual ones.
pub use mynah_core as core;
/// The store on SQLite, in a file or in memory, for [`Bot::embed`].
pub use mynah_store as store;
/// The chat services, and the traits of a service of your own; see [`Bot::connector`].
pub use mynah_transports as transports;
pub use report::Report;

/// The runtime of the program `mynah`: one worker thread. A message wakes several tasks one after the other, and to hand
/// them to another thread costs more than it saves. Handlers that block get a thread of their own. `TOKIO_WORKER_THREADS`
/// sets another number.
///
/// # Panics
///
/// If the system allows no thread or no event queue, as `#[tokio::main]` does.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if std::env::var_os("TOKIO_WORKER_THREADS").is_none() {
        builder.worker_threads(1);
    }
    builder.enable_all().build().expect("the system allows a thread and an event queue")
}

/// The result of the entry points.
pub type Result<T, E = Report> = std::result::Result<T, E>;
