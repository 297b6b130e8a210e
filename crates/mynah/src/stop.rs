//! How a running bot is asked to stop, and whether it leaves its session open.
//!
//! Ctrl-C (SIGINT) logs out: the person at the terminal is done. SIGTERM keeps the session: a service manager restarts
//! bots, which should not need a scan. A second signal of either kind leaves at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{Incoming, ReceiveError, Records, Service, Source, Transport};
use mynah_transports::Connector;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Ended;
use crate::boxed::boxed;
use crate::supervisor::LoginPace;

/// Stops a process in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    token: CancellationToken,
    log_out: Arc<AtomicBool>,
}

/// Stops one account in order: when the process is stopped, or by itself.
#[derive(Debug, Clone)]
pub(crate) struct AccountStop {
    process: Stop,
    own: Stop,
}

/// When an account first asks its service. Its queues are served before that.
pub(crate) struct FirstAsk {
    /// At the earliest after this time.
    pub(crate) after: Duration,
    pub(crate) connector: &'static dyn Connector,
    /// If the service has a login, in the order of these.
    pub(crate) pace: Arc<LoginPace>,
}

/// The service of an account, from the moment its transport is open.
pub(crate) type OpenService = Arc<OnceLock<Arc<dyn Service>>>;

impl Stop {
    /// The token that everything waits for.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Begins the ordered stop.
    pub(crate) fn begin(&self, log_out: bool) {
        self.log_out.store(log_out, Ordering::SeqCst);
        self.token.cancel();
    }

    /// The stop of one of the accounts.
    pub(crate) fn account(&self) -> AccountStop {
        let own = Self { token: self.token.child_token(), log_out: Arc::default() };
        AccountStop { process: self.clone(), own }
    }

    /// Listens to signals until the process ends. The second one ends it.
    pub(crate) fn listen(&self, keep_session: bool) -> std::io::Result<()> {
        let stop = self.clone();
        let mut signals = Signals::new()?;
        tokio::spawn(boxed(async move {
            let interrupted = signals.next().await;
            tracing::info!(
                log_out = interrupted && !keep_session,
                "stopping; once more leaves at once"
            );
            stop.begin(interrupted && !keep_session);
            signals.next().await;
            std::process::exit(i32::from(Ended::Interrupted.code()));
        }));
        Ok(())
    }
}

impl AccountStop {
    /// The token that everything of this account waits for.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.own.token
    }

    /// Stops this account alone and ends its session.
    pub(crate) fn log_out(&self) {
        self.own.begin(true);
    }

    /// Stops this account alone and keeps its session.
    pub(crate) fn keep_session(&self) {
        self.own.begin(false);
    }

    /// A transport that logs out at an ordered stop only if that stop is meant to, shows its service to others, and asks
    /// the service for the first time after a while.
    pub(crate) fn guard(
        &self,
        transport: Box<dyn Transport>,
        service: &OpenService,
        first_ask: FirstAsk,
    ) -> Box<dyn Transport> {
        let (stop, service) = (self.clone(), Arc::clone(service));
        let since = Instant::now();
        Box::new(Guarded { inner: transport, stop, service, first_ask, since })
    }

    fn logs_out(&self) -> bool {
        [&self.process, &self.own].into_iter().any(|stop| stop.log_out.load(Ordering::SeqCst))
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for a signal; whether it was Ctrl-C.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => false,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for Ctrl-C; there is nothing else.
    async fn next(&mut self) -> bool {
        // Without a handler there would be nothing to wait for, ever.
        let _ = tokio::signal::ctrl_c().await;
        true
    }
}

struct Guarded {
    inner: Box<dyn Transport>,
    stop: AccountStop,
    service: OpenService,
    first_ask: FirstAsk,
    since: Instant,
}

impl Transport for Guarded {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let Self { inner, stop, service: shown, first_ask, since } = *self;
        let FirstAsk { after, connector, pace } = first_ask;
        let turn = connector.has_login().then(|| (pace, connector.has_session(&records)));
        let (inner, service) = inner.open(records);
        // A transport is opened once.
        let _ = shown.set(Arc::clone(&service));
        (Box::new(GuardedSource { inner, stop, not_before: since + after, turn }), service)
    }
}

struct GuardedSource {
    inner: Box<dyn Source>,
    stop: AccountStop,
    not_before: Instant,
    /// Its turn to log in, which it has not waited for yet, and whether it has a session.
    turn: Option<(Arc<LoginPace>, bool)>,
}

#[async_trait]
impl Source for GuardedSource {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        tokio::time::sleep_until(self.not_before).await;
        if let Some((pace, has_session)) = self.turn.take() {
            pace.turn(has_session).await;
        }
        self.inner.receive().await
    }

    async fn log_out(&mut self) -> Records {
        if self.stop.logs_out() { self.inner.log_out().await } else { Records::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Idle(Arc<AtomicBool>);

    #[async_trait]
    impl Source for Idle {
        async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
            std::future::pending().await
        }

        async fn log_out(&mut self) -> Records {
            self.0.store(true, Ordering::SeqCst);
            Records::new()
        }
    }

    /// Whether a source is logged out when the account is stopped like this.
    async fn logs_out(stopped: impl FnOnce(&Stop, &AccountStop)) -> bool {
        let (stop, told) = (Stop::default(), Arc::new(AtomicBool::default()));
        let account = stop.account();
        let inner = Box::new(Idle(Arc::clone(&told)));
        let (stopped_by, not_before) = (account.clone(), Instant::now());
        let mut source = GuardedSource { inner, stop: stopped_by, not_before, turn: None };
        stopped(&stop, &account);
        assert!(account.token().is_cancelled());
        source.log_out().await;
        told.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn the_kind_of_stop_decides_about_the_session() {
        assert!(logs_out(|stop, _| stop.begin(true)).await, "Ctrl-C");
        assert!(!logs_out(|stop, _| stop.begin(false)).await, "SIGTERM");
        assert!(logs_out(|_, account| account.log_out()).await, "mynah logout");
        assert!(!logs_out(|_, account| account.keep_session()).await, "it moves or starts anew");
    }

    #[test]
    fn one_account_is_stopped_alone() {
        let stop = Stop::default();
        let (one, other) = (stop.account(), stop.account());
        one.log_out();
        assert!(!other.token().is_cancelled() && !stop.token().is_cancelled());
    }
}
