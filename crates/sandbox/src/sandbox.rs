//! The handle of a running sandbox.

use std::{io, net::SocketAddr, ops::Deref, sync::Arc, time::Duration};

use axum::{Router, middleware};
use mynah_serve::Limits;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Account, AccountNames, Options, World,
    accounts::{self, Accounts},
    api, control, fault,
    net::Connection,
};

/// The time for which an orderly stop waits for answers in progress before it breaks their connections.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connections of one account; a client needs about three. All clients are on this machine, and tests run many at once.
const CONNECTIONS: usize = 512;

/// The connections of each further account.
const CONNECTIONS_MORE: usize = 8;

/// The time for a request head.
const HEAD: Duration = Duration::from_secs(30);

/// A running sandbox. Dropping it ends it at once; [`Sandbox::stop`] ends it in an orderly way.
///
/// It is used like its [`Account`], the first one of several.
///
/// ```
/// use mynah_sandbox::{Fault, FaultKind, Options, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let sandbox = Sandbox::start(Options { auto_confirm: true, ..Options::default() }).await?;
/// // A client logs in at `sandbox.url()`; its next sync breaks off in the middle.
/// sandbox.fault(Fault::new("webwxsync", FaultKind::Cut));
/// sandbox.say("Ann", Some("Group"), "hello");
/// // … until the client has answered:
/// for sent in sandbox.sent() {
///     println!("{}: {}", sent.to_name, sent.text);
/// }
/// sandbox.stop().await;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    accounts: Arc<Accounts>,
    first: Account,
    stop: CancellationToken,
    kill: CancellationToken,
    served: JoinHandle<()>,
}

impl Sandbox {
    /// Listens and serves.
    ///
    /// # Errors
    ///
    /// Fails if the sandbox cannot listen on the address.
    pub async fn start(options: Options) -> io::Result<Self> {
        let tcp = TcpListener::bind(options.listen).await?;
        let address = tcp.local_addr()?;
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let accounts = Arc::new(Accounts::new(address, &options, &stop));
        let first = accounts.list()[0].clone();
        let routes = router(&accounts);
        let killed = kill.clone();
        let prepare = move |stream| Connection::new(stream, &killed);
        let limits = limits(accounts.list().len());
        let served =
            tokio::spawn(mynah_serve::serve_with(tcp, routes, limits, stop.clone(), prepare));
        Ok(Self { address, accounts, first, stop, kill, served })
    }

    /// The address of all accounts.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names of the accounts; none for a sandbox with one.
    pub fn account_names(&self) -> &AccountNames {
        self.accounts.names()
    }

    /// All accounts, in the order of their names in the options.
    pub fn accounts(&self) -> &[Account] {
        self.accounts.list()
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.find(name)
    }

    /// Stops in an orderly way: accepts no new connections, releases held polls, finishes answers in progress.
    /// Returns the world of the (first) account with its session, so that another sandbox can continue as if the service had only been away.
    pub async fn stop(mut self) -> World {
        self.stop.cancel();
        if tokio::time::timeout(PATIENCE, &mut self.served).await.is_err() {
            self.break_off().await;
        }
        self.first.hub().take_world()
    }

    /// Stops like a killed process: every connection is reset. Returns the world as [`Sandbox::stop`] does.
    pub async fn kill(mut self) -> World {
        self.kill.cancel();
        self.stop.cancel();
        self.break_off().await;
        self.first.hub().take_world()
    }

    async fn break_off(&mut self) {
        self.kill.cancel();
        // All connections are broken by now, so this ends.
        let _ = (&mut self.served).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.kill.cancel();
        self.stop.cancel();
        self.served.abort();
    }
}

impl Deref for Sandbox {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.first
    }
}

fn limits(accounts: usize) -> Limits {
    let connections = CONNECTIONS + CONNECTIONS_MORE * (accounts - 1);
    Limits { head: HEAD, per_address: connections, total: connections }
}

fn router(accounts: &Arc<Accounts>) -> Router {
    let inject = middleware::from_fn(fault::inject);
    let protocol = api::router().fallback(api::unknown).layer(inject);
    let of_one = Router::new().merge(control::router()).merge(protocol);
    // As a fallback it chooses its route after the path has become that of the account.
    let choose = middleware::from_fn_with_state(Arc::clone(accounts), accounts::choose);
    Router::new().fallback_service(of_one).layer(choose)
}
