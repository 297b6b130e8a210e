//! Mynah: a rule-driven chatbot framework.
//!
//! A group admin writes `bot.toml`, a programmer adds a [`Handler`](prelude::Handler), and this crate runs both: it
//! logs in, receives, answers, and brings the whole command line along.
//!
//! ```no_run
//! use mynah::prelude::*;
//!
//! struct Echo;
//!
//! #[async_trait]
//! impl Handler for Echo {
//!     async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
//!         ctx.reply(message.text.clone());
//!         Ok(Flow::Stop)
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> mynah::Result<()> {
//!     mynah::Bot::new().handler("echo", Echo).run_cli().await
//! }
//! ```

mod account;
mod alert;
mod bot;
mod cli;
mod closest;
mod config;
mod conversation;
mod ended;
mod greeting;
mod login;
mod metrics;
mod observer;
mod operate;
mod page_token;
pub mod prelude;
mod qr;
mod reload;
mod report;
mod rule_file;
mod rule_handler;
mod stop;
mod telemetry;
pub mod testing;
mod view;

pub use bot::Bot;
pub use ended::Ended;
/// All types that handlers meet; the [`prelude`] has the usual ones.
pub use mynah_core as core;
pub use report::Report;

/// What the entry points return.
pub type Result<T, E = Report> = std::result::Result<T, E>;

/// The Rust of the documentation is compiled and run like any other example.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../../../README.md")]
    struct Readme;

    #[doc = include_str!("../../../README.zh-CN.md")]
    struct ReadmeZh;

    #[doc = include_str!("../../../docs/handlers.md")]
    struct Handlers;
}
