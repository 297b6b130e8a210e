//! What the web pages show: the sandbox with its bot, and the console of a running one.

pub(crate) mod clock;
pub(crate) mod console;
mod draft;
pub(crate) mod onlooker;
pub(crate) mod sandbox;
mod transcript;
