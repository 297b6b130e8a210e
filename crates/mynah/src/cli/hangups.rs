//! SIGHUP, which lets a running program read its files again.

/// The SIGHUPs of this process. Listened to before anything begins, since an unheard one ends the process.
pub(crate) struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangups {
    pub(crate) fn listen() -> Self {
        let hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        if let Err(error) = &hangups {
            tracing::warn!(%error, "SIGHUP does not reload");
        }
        Self(hangups.ok())
    }

    /// Waits for the next; false if none can come.
    pub(crate) async fn next(&mut self) -> bool {
        match &mut self.0 {
            Some(hangups) => hangups.recv().await.is_some(),
            None => false,
        }
    }
}

#[cfg(not(unix))]
impl Hangups {
    pub(crate) fn listen() -> Self {
        Self()
    }

    /// There is no such signal here.
    pub(crate) async fn next(&mut self) -> bool {
        false
    }
}
