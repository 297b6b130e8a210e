//! The data of the web pages: the sandbox with its bot, and the console of a running one.

pub(crate) mod clock;
pub(crate) mod console;
pub(crate) mod draft;
mod reasons;
pub(crate) mod recorder;
pub(crate) mod sandbox;
mod transcript;
mod turn_record;

use std::time::{SystemTime, UNIX_EPOCH};

/// A word for this run of the program: the page drops its data of another one.
pub(crate) fn run_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", std::process::id(), since.as_nanos())
}
