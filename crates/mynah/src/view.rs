//! What the web pages show: the sandbox with its bot.

pub(crate) mod clock;
mod draft;
pub(crate) mod onlooker;
pub(crate) mod sandbox;
mod transcript;
