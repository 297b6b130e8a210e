#![doc = include_str!("../README.md")]

mod body;
mod failed_accepts;
mod limits;
mod repeated;
mod server;
mod slots;
mod watched;

pub use failed_accepts::FailedAccepts;
pub use limits::Limits;
pub use repeated::Repeated;
pub use server::{serve, serve_with};
