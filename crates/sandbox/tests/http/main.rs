//! The sandbox over real HTTP, as a client sees it.

mod accounts;
mod client;
mod control;
mod events;
mod faults;
mod groups;
mod login;
mod media;
mod raw;
mod send;
mod shapes;
mod stop;
mod sync;

use std::{future::Future, time::Duration};

use mynah_sandbox::{Options, Sandbox};

/// Every test ends within this time or fails.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a test against a sandbox that confirms logins automatically and holds polls only briefly.
async fn story<F: Future<Output = ()>>(options: Options, play: impl FnOnce(Sandbox) -> F) {
    let sandbox = Sandbox::start(options).await.expect("a free port");
    tokio::time::timeout(LIMIT, play(sandbox)).await.expect("the story ends in time");
}

fn quick() -> Options {
    Options { hold: Duration::from_millis(200), auto_confirm: true, ..Options::default() }
}
