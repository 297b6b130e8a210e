#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! [`World`] is who lives there, without HTTP; `wire` writes it as the protocol wants it; `api` has the endpoints, `control` the
//! API for people and tools, `fault` the layer that spoils answers. `hub` is what all requests share. The crate shares no
//! type with the client of this workspace, so that a mistake in one is not repeated in the other.

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
pub use world::{Act, ActError, Deed, QuoteForm, RawMessage, World, WorldFileError};
