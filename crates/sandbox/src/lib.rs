//! A WeChat Web server with people to play, for trying and testing bots without a phone.
//!
//! It speaks the whole protocol over plain HTTP on one port, so that any client of WeChat Web logs in to it
//! unchanged but for the address, and plays a [`World`] of people, groups and official accounts. A test starts one in
//! its own process:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
//! use mynah_sandbox::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options { auto_confirm: true, ..Options::default() }).await?;
//! println!("point a client at {}", sandbox.url());
//! sandbox.say("小红", Some("水果店客户群"), "苹果多少钱");
//! assert!(sandbox.sent().is_empty(), "no client has answered");
//! sandbox.stop().await;
//! # Ok(()) }
//! ```
//!
//! It shares no type with the client of this workspace, so that a mistake in one is not repeated in the other.

mod answer;
mod api;
mod ask;
mod control;
mod cookies;
mod fault;
mod happening;
mod hosts;
mod hub;
mod login;
mod multipart;
mod net;
mod options;
mod sandbox;
mod upload;
mod wire;
mod world;

pub use fault::{Fault, FaultFileError, FaultKind};
pub use happening::{Call, Happening, Sent};
pub use options::Options;
pub use sandbox::Sandbox;
pub use world::{Act, ActError, Deed, World, WorldFileError};
