//! The bounds of a server.

use std::time::Duration;

/// The bounds of a server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The time for a request head, and the time that a connection may stay open without a request.
    ///
    /// Longer than clients keep idle connections (`mynah-webwx`: 15 s), so that a request does not meet a connection
    /// that is just being closed.
    pub head: Duration,
    /// The number of connections from one address.
    pub per_address: usize,
    /// The number of connections in all.
    pub total: usize,
}

impl Default for Limits {
    /// Room for some browsers and monitors: each browser opens six connections.
    fn default() -> Self {
        Self { head: Duration::from_secs(30), per_address: 64, total: 256 }
    }
}
