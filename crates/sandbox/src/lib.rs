#![doc = include_str!("../README.md")]
//!
//! # For readers of the code
//!
//! [`World`] is the data without HTTP; `wire` writes it in the format of the protocol; `api` has the endpoints,
//! `control` the API for people and tools, `fault` the middleware that corrupts answers. `hub` is the state shared by
//! all requests. The crate shares no type with the client of this workspace, so that a mistake in one is not repeated
//! in the other.

mod account;
mod accounts;
mod answer;
mod api;
mod control;
mod cookies;
mod event;
mod fault;
mod hosts;
mod hub;
mod latest;
mod login;
mod multipart;
mod net;
mod options;
mod request;
mod sandbox;
mod upload;
mod wire;
mod world;

pub use account::Account;
pub use accounts::{AccountNames, BadAccountName};
pub use control::view::{ChatView, LoginView, MemberView, MessageView, PersonView, StateView};
pub use event::{Call, SandboxEvent, Sent};
pub use fault::{Fault, FaultFileError, FaultKind};
pub use options::Options;
pub use sandbox::Sandbox;
pub use world::{
    QuoteForm, RawMessage, SandboxAction, SandboxActionError, SandboxActionKind, World,
    WorldFileError,
};
