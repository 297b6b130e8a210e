//! The sandbox over real HTTP, as a client meets it.

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

/// Every story ends within this time or has failed.
const LIMIT: Duration = Duration::from_secs(60);

/// Plays a story against a sandbox that confirms logins by itself and holds polls for a moment only.
async fn story<F: Future<Output = ()>>(options: Options, play: impl FnOnce(Sandbox) -> F) {
    let sandbox = Sandbox::start(options).await.expect("a free port");
    tokio::time::timeout(LIMIT, play(sandbox)).await.expect("the story ends in time");
}

fn quick() -> Options {
    Options { hold: Duration::from_millis(200), auto_confirm: true, ..Options::default() }
}
