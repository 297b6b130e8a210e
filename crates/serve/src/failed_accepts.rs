//! The pause and the log line after a failed accept.

use std::io::{self, ErrorKind};
use std::time::Duration;

use crate::Repeated;

/// Long enough that a full table of file descriptors costs no processor time, short enough that no client gives up.
const PAUSE: Duration = Duration::from_millis(200);

/// The failed accepts of one listener.
///
/// A process without a free file descriptor fails again at once, because the waiting connection stays in the queue. The
/// pause prevents a busy loop.
#[derive(Debug, Default)]
pub struct FailedAccepts(Repeated);

impl FailedAccepts {
    /// Logs the failure, unless it was logged a short time ago, and waits. A connection that its client gave up before
    /// it was accepted is neither logged nor waited for.
    pub async fn pause(&self, error: &io::Error) {
        use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return;
        }
        if let Some(times) = self.0.note() {
            tracing::warn!(%error, times, "failed to accept a connection");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_table_of_file_descriptors_is_waited_out_and_a_lost_client_is_not() {
        let (failed, begun) = (FailedAccepts::default(), Instant::now());
        failed.pause(&ErrorKind::ConnectionAborted.into()).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            failed.pause(&io::Error::other("too many open files")).await;
        }
        assert_eq!(begun.elapsed().as_millis() / 10, (PAUSE * 10).as_millis() / 10);
    }
}
