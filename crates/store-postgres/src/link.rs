//! Connections. Requests of several callers are pipelined on one connection; a connection that broke is replaced at the
//! next call.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;

use mynah_core::{StoreError, with_causes};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Settings;
use crate::error::{Failure, Pooled, full, translate, unreachable};

/// A parameter of a statement.
pub(crate) type Parameter<'a> = &'a (dyn ToSql + Sync);

/// The parameters of a statement.
pub(crate) type Parameters<'a> = &'a [Parameter<'a>];

/// A call is repeated for this long. The fence protects the data meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// A try that takes longer counts as lost.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// The first connection may take this long without a word to the operator.
const WITHOUT_A_WORD: Duration = Duration::from_secs(2);

/// The pause after the first failed try; it doubles up to a second, and ends when another connection of the process is made.
const PAUSE: Duration = Duration::from_millis(20);

/// A full disk of the server is reported this often at most, however many calls wait for room.
const FULL_AGAIN: Duration = Duration::from_secs(60);

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause of the control connection, which therefore finds a server that is back before the others.
const LONGEST_OF_CONTROL: Duration = Duration::from_millis(100);

/// The settings of each session. A plan for given values costs more than it saves here. A plan that was made while a queue was
/// short would read the whole table, with all rows that were deleted since. Limits that were set for people do not apply: a
/// call that was cut off is only repeated.
const SESSION: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off; \
    SET statement_timeout = 0; SET lock_timeout = 0; \
    SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off; \
    SET client_min_messages = warning; SET idle_in_transaction_session_timeout = '2s'";

/// The reports of the connections of a link: the number of notifications, and of connections that ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct News {
    pub(crate) notified: u64,
    ended: u64,
}

/// One open connection.
pub(crate) struct Session {
    client: Client,
    statements: SyncMutex<HashMap<&'static str, Statement>>,
    /// The nodes whose locks it holds.
    marked: SyncMutex<HashSet<i32>>,
}

impl Session {
    /// Connects. Reports notifications and the end of the connection.
    pub(crate) async fn open(
        settings: &Settings,
        news: watch::Sender<News>,
    ) -> Result<Self, tokio_postgres::Error> {
        let client = match &settings.tls {
            None => {
                let (client, connection) = settings.config.connect(NoTls).await?;
                tokio::spawn(drive(connection, news));
                client
            }
            Some(tls) => {
                let tls = MakeRustlsConnect::new(tls.as_ref().clone());
                let (client, connection) = settings.config.connect(tls).await?;
                tokio::spawn(drive(connection, news));
                client
            }
        };
        client.batch_execute(SESSION).await?;
        Ok(Self { client, statements: SyncMutex::default(), marked: SyncMutex::default() })
    }

    /// Notes that it holds the lock of a node, and returns whether it did not before.
    pub(crate) fn mark(&self, number: i32) -> bool {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner).insert(number)
    }

    /// Runs statements that have no parameters.
    pub(crate) async fn execute(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(sql).await
    }

    pub(crate) async fn query(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let known = self.known().get(sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(sql).await?;
                self.known().insert(sql, statement.clone());
                statement
            }
        };
        self.client.query(&statement, parameters).await
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a connection to its end.
async fn drive<S, T>(mut connection: Connection<S, T>, news: watch::Sender<News>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            news.send_modify(|news| news.notified += 1);
        }
    }
    // Notifications may have been lost.
    news.send_modify(|news| {
        news.notified += 1;
        news.ended += 1;
    });
}

/// The contact of a process with its database.
#[derive(Debug, Default)]
struct Contact {
    /// The number of connections that were made.
    made: watch::Sender<u64>,
    is_announced: AtomicBool,
    /// Why the last try failed.
    cause: SyncMutex<String>,
    /// When a full disk was last reported.
    full: SyncMutex<Option<Instant>>,
}

impl Contact {
    fn is_made(&self) -> bool {
        *self.made.borrow() > 0
    }

    fn failed(&self, cause: &(dyn std::error::Error + 'static)) {
        let mut kept = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = with_causes(cause);
    }

    /// Reports that the disk of the server is full, once in a while.
    fn is_full(&self, place: &str) {
        let mut last = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= FULL_AGAIN) {
            *last = Some(Instant::now());
            tracing::error!(
                "the disk of the server with the database {place} is full: calls are repeated until there is room"
            );
        }
    }

    /// Reports once that the first connection can take a while, and why.
    fn announce(&self, place: &str) {
        if !self.is_made() && !self.is_announced.swap(true, Ordering::Relaxed) {
            let cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let patience = PATIENCE.as_secs();
            tracing::warn!(cause, "waiting for the database {place} for up to {patience} s");
        }
    }
}

/// A connection that is made when it is needed, and made again after it broke.
pub(crate) struct Link {
    settings: Settings,
    contact: Arc<Contact>,
    longest_pause: Duration,
    session: Mutex<Option<Arc<Session>>>,
    news: watch::Sender<News>,
}

impl Link {
    fn new(settings: Settings, contact: Arc<Contact>, longest_pause: Duration) -> Self {
        let news = watch::Sender::new(News::default());
        Self { settings, contact, longest_pause, session: Mutex::new(None), news }
    }

    /// The reports of its connections.
    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// The number of its connections that have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.news.borrow().ended
    }

    /// Returns when the connection that is open now ends, or if it has ended.
    pub(crate) async fn closed(&self) {
        let mut news = self.news.subscribe();
        let ended = news.borrow().ended;
        let is_open = |session: &Arc<Session>| !session.client.is_closed();
        if self.session.lock().await.as_ref().is_some_and(is_open) {
            // The sender lives as long as this.
            drop(news.wait_for(|news| news.ended != ended).await);
        }
    }

    /// Database and host, for messages.
    pub(crate) fn place(&self) -> &str {
        self.settings.place()
    }

    /// The open connection, or a new one.
    pub(crate) async fn session(&self) -> Result<Arc<Session>, tokio_postgres::Error> {
        let mut session = self.session.lock().await;
        if let Some(open) = session.as_ref().filter(|open| !open.client.is_closed()) {
            return Ok(Arc::clone(open));
        }
        *session = None;
        let new = Arc::new(Session::open(&self.settings, self.news.clone()).await?);
        self.contact.made.send_modify(|made| *made += 1);
        *session = Some(Arc::clone(&new));
        Ok(new)
    }

    /// Drops the connection: its answers are not to be trusted to come.
    pub(crate) async fn drop_session(&self) {
        *self.session.lock().await = None;
    }

    /// Runs a statement, and repeats it while the server cannot be reached. The statement must be harmless if repeated.
    pub(crate) async fn query(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        if self.contact.is_made() {
            return self.repeat(sql, parameters).await;
        }
        let mut call = std::pin::pin!(self.repeat(sql, parameters));
        if let Ok(done) = timeout(WITHOUT_A_WORD, &mut call).await {
            return done;
        }
        self.contact.announce(self.place());
        call.await
    }

    async fn repeat(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let (since, mut pause) = (Instant::now(), PAUSE);
        let mut made = self.contact.made.subscribe();
        loop {
            let mut is_full = false;
            let cause = match timeout(LONGEST, self.attempt(sql, parameters)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(Failure::Final(error))) => return Err(error),
                Ok(Err(Failure::Full(error))) => {
                    self.contact.is_full(self.place());
                    is_full = true;
                    error.into()
                }
                Ok(Err(Failure::Again(error))) if self.leads_nowhere() => {
                    return Err(unreachable(self.place(), error));
                }
                Ok(Err(Failure::Again(error))) => error.into(),
                Err(elapsed) => {
                    self.drop_session().await;
                    Box::<dyn std::error::Error + Send + Sync>::from(elapsed)
                }
            };
            if since.elapsed() + pause > PATIENCE {
                return Err(if is_full {
                    full(self.place())
                } else {
                    unreachable(self.place(), cause)
                });
            }
            tracing::debug!(place = self.place(), cause, "the database cannot be reached");
            self.contact.failed(&*cause);
            // The connection of this try may have been made before it failed.
            made.mark_unchanged();
            if timeout(pause, made.changed()).await.is_ok() {
                sleep(PAUSE).await;
            }
            pause = (pause * 2).min(self.longest_pause);
        }
    }

    /// Whether waiting cannot help, since the folder of the socket is missing. Where it once was, it can come back, e.g.
    /// with a restart of the server. A name of a host that is unknown now may be that of a container that starts later.
    fn leads_nowhere(&self) -> bool {
        !self.contact.is_made() && self.settings.lacks_folder()
    }

    async fn attempt(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Failure> {
        let failed = |error| translate(error, self.place());
        let session = self.session().await.map_err(failed)?;
        session.query(sql, parameters).await.map_err(failed)
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// The connections of a process. Claims wait for the disk of the server and must not hold up other calls, which they
/// would on a common connection.
#[derive(Debug)]
pub(crate) struct Links {
    fast: [Link; 2],
    durable: [Link; 4],
    reading: Link,
    pub(crate) control: Link,
}

impl Links {
    pub(crate) fn new(settings: &Settings) -> Self {
        let contact = Arc::<Contact>::default();
        let link = |pause| Link::new(settings.clone(), Arc::clone(&contact), pause);
        Self {
            fast: std::array::from_fn(|_| link(LONGEST_PAUSE)),
            durable: std::array::from_fn(|_| link(LONGEST_PAUSE)),
            reading: link(LONGEST_PAUSE),
            control: link(LONGEST_OF_CONTROL),
        }
    }

    /// The connection for an account's calls that do not wait for the disk.
    pub(crate) fn fast(&self, account: i32) -> &Link {
        &self.fast[pick(account.unsigned_abs().into(), self.fast.len())]
    }

    /// A connection for calls that wait for the disk; the same one for the same chat.
    pub(crate) fn durable(&self, account: i32, chat: &str) -> &Link {
        let number = chat.bytes().fold(u64::from(account.unsigned_abs()), |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        &self.durable[pick(number, self.durable.len())]
    }

    /// The connection of readers.
    pub(crate) fn reading(&self) -> &Link {
        &self.reading
    }

    /// Checks that each connection is a session of the server, as statements, notifications and locks need it. A pool that
    /// lends its connections for one transaction lends an idle one to both.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unreachable`] if there is such a pool.
    pub(crate) async fn are_sessions(&self) -> Result<(), StoreError> {
        let backend = async |link: &Link| -> Result<i32, StoreError> {
            Ok(link.query("SELECT pg_backend_pid()", &[]).await?[0].get(0))
        };
        match backend(&self.control).await? == backend(&self.reading).await? {
            true => Err(unreachable(self.control.place(), Pooled(None))),
            false => Ok(()),
        }
    }
}

fn pick(number: u64, of: usize) -> usize {
    usize::try_from(number % of as u64).unwrap_or_default()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// The virtual time until the call of a first connection fails.
    async fn fails_after(folder: &std::path::Path) -> Duration {
        let address = format!("postgres://user@/mynah?host={}", folder.display());
        let links = Links::new(&Settings::new(&address, None, None).unwrap());
        let since = Instant::now();
        let error = links.reading().query("SELECT 1", &[]).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        since.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_folder_for_the_socket_is_not_waited_for_and_a_missing_server_is() {
        let folder = std::env::temp_dir();
        assert_eq!(fails_after(&folder.join("mynah/no/such/folder")).await, Duration::ZERO);
        assert!(fails_after(&folder).await > WITHOUT_A_WORD);
    }
}
