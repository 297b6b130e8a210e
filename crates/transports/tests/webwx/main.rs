//! The WeChat Web transport against a scripted service, told as stories.

mod bot;
mod server;

mod names;
mod sending;
mod session;
