//! The WeChat Web transport against a scripted service, tested as stories.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bot;
mod played;
mod server;

mod names;
mod sending;
mod session;
