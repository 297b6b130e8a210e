//! The client: one account's connection to the service.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::hosts::Hosts;
use crate::session::Session;
use crate::wire::{BaseRequest, Synced};
use crate::{BuildError, DesktopToken, http, ids};

/// How a client connects.
#[derive(Debug, Clone)]
pub struct Options {
    /// Another server in place of all hosts of the service, e.g. `http://127.0.0.1:8086`. The address of one of the
    /// service's own web hosts, e.g. `https://wx2.qq.com`, means that family. `None` is `https://wx.qq.com`.
    pub server: Option<String>,
    /// Log in as the desktop client does, with this token. Most accounts are refused without.
    pub desktop: Option<DesktopToken>,
    /// The language of the service's texts.
    pub language: String,
    /// The browser to pose as; the service demands one.
    pub user_agent: String,
    /// No call takes longer than this, however patient it would be by itself.
    pub at_most: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.110 Safari/537.36";
        Self {
            server: None,
            desktop: None,
            language: "zh_CN".to_owned(),
            user_agent: browser.to_owned(),
            at_most: Duration::from_secs(600),
        }
    }
}

/// A client of the WeChat Web protocol, for one account.
///
/// All methods take `&self`: one task may poll while another sends. Each makes one call (unless it says otherwise),
/// ends within the time that such a call may take, and is not repeated by itself: what to do about a failure is the
/// caller's, who can ask [`CallError`](crate::CallError) about it. The one exception: a call that only reads and meets a
/// kept connection just as the server closes it is made once more.
///
/// # Cancel safety
///
/// A call that is dropped may or may not have reached the service. Nothing in the client is half changed by it.
///
/// # Examples
///
/// ```no_run
/// use mynah_webwx::{Client, Options};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// // A server on this machine, e.g. a sandbox, in place of the service.
/// let server = Some("http://127.0.0.1:8086".to_owned());
/// let client = Client::new(Options { server, ..Options::default() })?;
/// let login = client.request_login().await?;
/// println!("scan this as a QR code: {}", client.qr_text(&login));
/// # Ok(())
/// # }
/// ```
///
/// The front page of the crate has the whole way from here to an answer.
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) options: Options,
    state: Mutex<State>,
}

/// What calls share. The lock is held for moments, never across a call.
struct State {
    hosts: Hosts,
    session: Session,
    /// Counts logins given up, so that answers can be told to be of an earlier one.
    login: u64,
    /// When the last answer came: a connection may be kept since.
    last_answer: Option<Instant>,
    /// Milliseconds by which the service's clock is ahead of this machine's, by the dates of its answers.
    clock_ahead: Option<i64>,
}

impl Client {
    /// A client that nobody is logged in with.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the options cannot be used.
    pub fn new(options: Options) -> Result<Self, BuildError> {
        Self::resume(options, Session::default())
    }

    /// A client that goes on with a session, unless that belongs to another server than the options name.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the options cannot be used.
    pub fn resume(options: Options, session: Session) -> Result<Self, BuildError> {
        let configured = Hosts::parse(options.server.as_deref())?;
        let (hosts, session) = match configured.resumed(&session.home) {
            Some(hosts) => (hosts, session),
            None => (configured, Session::default()),
        };
        let http = http::connector(&hosts, &options)?;
        let mut state = State { hosts, session, login: 0, last_answer: None, clock_ahead: None };
        state.session.home = state.hosts.home();
        Ok(Self { http, options, state: Mutex::new(state) })
    }

    /// The session as it is now, to be stored.
    #[must_use]
    pub fn session(&self) -> Session {
        self.state().session.clone()
    }

    /// The account's own id during this login; empty before webwxinit.
    #[must_use]
    pub fn user_name(&self) -> String {
        self.state().session.user_name.clone()
    }

    /// Acknowledges what [`sync`](Self::sync) gave: only now does the next one ask for what comes after it.
    ///
    /// So an answer that is lost on the way to its user is given again.
    pub fn advance(&self, synced: &Synced) {
        self.state().session.take_keys(&synced.sync_key, &synced.sync_check_key);
    }

    /// Gives the login up without telling the service, e.g. because that has ended it. What a push login needs stays.
    pub fn forget_login(&self) {
        let mut state = self.state();
        state.session.forget_login();
        state.login += 1;
    }

    /// Milliseconds by which the service's clock is ahead of this machine's, by the date of its last answer.
    #[must_use]
    pub fn clock_ahead(&self) -> Option<i64> {
        self.state().clock_ahead
    }

    /// Notes the date of an answer, in seconds since 1970.
    pub(crate) fn note_date(&self, date: Option<u64>) {
        let Some(date) = date.and_then(|date| i64::try_from(date).ok()) else { return };
        let now = i64::try_from(ids::now_millis()).unwrap_or(i64::MAX);
        self.state().clock_ahead = Some(date.saturating_mul(1000).saturating_sub(now));
    }

    /// Notes that an answer came.
    pub(crate) fn note_answer(&self) {
        self.state().last_answer = Some(Instant::now());
    }

    /// When the last answer came; until another comes nothing is known of kept connections.
    pub(crate) fn take_last_answer(&self) -> Option<Instant> {
        self.state().last_answer.take()
    }

    /// The number of the present login in this client.
    pub(crate) fn login(&self) -> u64 {
        self.state().login
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hosts(&self) -> Hosts {
        self.state().hosts.clone()
    }

    pub(crate) fn is_replaced(&self) -> bool {
        self.state().hosts.is_replaced()
    }

    /// Moves to the hosts that the account belongs to.
    pub(crate) fn move_to(&self, hosts: Hosts) {
        let mut state = self.state();
        state.session.home = hosts.home();
        state.hosts = hosts;
    }

    /// Looks at the session.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Session) -> T) -> T {
        at(&self.state().session)
    }

    /// Changes the session.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Session) -> T) -> T {
        change(&mut self.state().session)
    }

    pub(crate) fn base_request(&self) -> BaseRequest {
        self.look(|session| BaseRequest {
            uin: session.uin,
            sid: session.sid.clone(),
            skey: session.skey.clone(),
            device_id: ids::device_id(),
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http: _, options, state: _ } = self;
        f.debug_struct("Client")
            .field("options", options)
            .field("session", &self.session())
            .finish_non_exhaustive()
    }
}
