//! The client: one account's connection to the service.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::cookies::Place;
use crate::hosts::{self, Bases, Hosts};
use crate::session::{Position, Session};
use crate::wire::{BaseRequest, Synced};
use crate::{BuildError, Call, DesktopToken, date, http, ids};

/// The options of a client.
#[derive(Debug, Clone)]
pub struct Options {
    /// Another server in place of all hosts of the service, e.g. `http://127.0.0.1:8086`. The address of one of the
    /// service's own web hosts, e.g. `https://wx2.qq.com`, selects that family of hosts. `None` means
    /// `https://wx.qq.com`.
    pub server: Option<String>,
    /// Log in as the desktop client, with this token. The service refuses most accounts without it.
    pub desktop: Option<DesktopToken>,
    /// The language of the texts that the service writes.
    pub language: String,
    /// The user agent of a browser. The service requires one.
    pub user_agent: String,
    /// The upper limit for the time-outs of all calls.
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
/// All methods take `&self`: one task may poll while another sends. Each method makes one call (unless its
/// documentation says otherwise), ends within the time-out of that call, and does not retry: retries are up to the
/// caller, who can ask [`CallError`](crate::CallError). There is one exception: a read-only call is repeated once if the
/// server closes a kept connection at that very moment.
///
/// # Cancel safety
///
/// A dropped call may or may not have reached the service. The state of the client stays consistent.
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
/// The front page of the crate shows all steps from here to a reply.
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) options: Options,
    state: Mutex<State>,
}

/// The state that all calls share. The lock is held briefly, never during a call.
struct State {
    hosts: Hosts,
    bases: Bases,
    /// The addresses of the calls so far, until the session changes.
    addresses: Vec<Address>,
    session: Session,
    /// The query fields of every call of the session, until it changes.
    fields: Option<String>,
    /// The cookies of the calls so far, until a cookie changes.
    cookies: Vec<(Call, Option<HeaderValue>)>,
    /// The number of logins that were given up, to recognise answers that belong to an earlier login.
    login: u64,
    /// The time of the last answer. Since then there may be a kept connection.
    last_answer: Option<Instant>,
    /// How many milliseconds the clock of the service is ahead of this machine's, by the `Date` header of its answers.
    clock_ahead: Option<i64>,
    /// The last `Date` header, and its seconds since 1970: answers of the same second have the same one.
    date: Option<(HeaderValue, Option<u64>)>,
}

/// The address of a call.
struct Address {
    call: Call,
    /// Without a query.
    bare: Url,
    host: Option<HeaderValue>,
    /// The last query of a call that posts, and the whole address: such queries change with the session only.
    last: Option<(String, Url)>,
}

impl State {
    /// The address of a call, written once. `None` if it is not valid.
    fn address(&mut self, call: Call) -> Option<&mut Address> {
        let known = self.addresses.iter().position(|address| address.call == call);
        if known.is_none() {
            let facts = call.facts();
            let bare =
                Url::parse(&format!("{}{}", self.bases.base(facts.role), facts.path)).ok()?;
            let host = hosts::header(&bare);
            self.addresses.push(Address { call, bare, host, last: None });
        }
        match known {
            Some(at) => self.addresses.get_mut(at),
            None => self.addresses.last_mut(),
        }
    }

    /// Drops what was written with values of the session.
    fn forget_written(&mut self) {
        self.addresses.clear();
        self.fields = None;
        self.cookies.clear();
    }
}

impl Client {
    /// A client that is not logged in.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if the options cannot be used.
    pub fn new(options: Options) -> Result<Self, BuildError> {
        Self::resume(options, Session::default())
    }

    /// A client that resumes a session. A session of a different server than the one in the options is ignored.
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
        let mut state = State {
            bases: Bases::of(&hosts),
            hosts,
            addresses: Vec::new(),
            session,
            fields: None,
            cookies: Vec::new(),
            login: 0,
            last_answer: None,
            clock_ahead: None,
            date: None,
        };
        state.session.home = state.hosts.home();
        Ok(Self { http, options, state: Mutex::new(state) })
    }

    /// The present session, for storing.
    #[must_use]
    pub fn session(&self) -> Session {
        self.state().session.clone()
    }

    /// Whether the present session is this one, apart from the read position.
    #[must_use]
    pub fn is_session(&self, stored: &Session) -> bool {
        self.state().session.is_same_login(stored)
    }

    /// The present read position, for storing.
    #[must_use]
    pub fn position(&self) -> Position {
        let Session { sync_key, sync_check_key, .. } = &self.state().session;
        Position { sync_key: sync_key.clone(), sync_check_key: sync_check_key.clone() }
    }

    /// The id of the account during this login. Empty before webwxinit.
    #[must_use]
    pub fn user_name(&self) -> String {
        self.state().session.user_name.clone()
    }

    /// Acknowledges the result of [`sync`](Self::sync): the next call asks for the messages after it.
    ///
    /// Until then the service repeats the same answer, so that a lost one does no harm. Returns whether the position of
    /// the next call is another one.
    pub fn advance(&self, synced: &Synced) -> bool {
        self.state().session.take_keys(&synced.sync_key, &synced.sync_check_key)
    }

    /// Gives up the login without a request to the service, e.g. because the service has ended it. A push login stays
    /// possible.
    pub fn forget_login(&self) {
        let mut state = self.state();
        state.session.forget_login();
        state.forget_written();
        state.login += 1;
    }

    /// How long the server may be silent during this call, before or within its answer, until the call fails.
    #[must_use]
    pub fn longest_silence(&self, call: Call) -> Duration {
        http::longest_silence(call, self.options.at_most)
    }

    /// How many milliseconds the clock of the service is ahead of this machine's, by the date of its last answer.
    #[must_use]
    pub fn clock_ahead(&self) -> Option<i64> {
        self.state().clock_ahead
    }

    /// Records the date of an answer, in seconds since 1970.
    pub(crate) fn note_date(&self, date: Option<u64>) {
        let Some(date) = date.and_then(|date| i64::try_from(date).ok()) else { return };
        let now = i64::try_from(ids::now_millis()).unwrap_or(i64::MAX);
        self.state().clock_ahead = Some(date.saturating_mul(1000).saturating_sub(now));
    }

    /// Records the time of an answer.
    pub(crate) fn note_answer(&self) {
        self.state().last_answer = Some(Instant::now());
    }

    /// The time of the last answer. Clears it: without a further answer, a kept connection may not exist.
    pub(crate) fn take_last_answer(&self) -> Option<Instant> {
        self.state().last_answer.take()
    }

    /// The number of the present login of this client.
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

    /// Switches to the hosts of the account.
    pub(crate) fn move_to(&self, hosts: Hosts) {
        let mut state = self.state();
        state.session.home = hosts.home();
        state.bases = Bases::of(&hosts);
        state.forget_written();
        state.hosts = hosts;
    }

    /// Reads the session.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&Session) -> T) -> T {
        at(&self.state().session)
    }

    /// Changes the session.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Session) -> T) -> T {
        let mut state = self.state();
        state.forget_written();
        change(&mut state.session)
    }

    /// Reads the addresses of the hosts.
    pub(crate) fn bases<T>(&self, at: impl FnOnce(&Bases) -> T) -> T {
        at(&self.state().bases)
    }

    /// The `Host` header of a call.
    pub(crate) fn host_of(&self, call: Call) -> Option<HeaderValue> {
        self.state().address(call)?.host.clone()
    }

    /// The address of a call with a query. `None` if it is not valid.
    pub(crate) fn address_of(&self, call: Call, query: &str) -> Option<Url> {
        let mut state = self.state();
        let address = state.address(call)?;
        if let Some((_, url)) = address.last.as_ref().filter(|(last, _)| last == query) {
            return Some(url.clone());
        }
        let mut url = address.bare.clone();
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        if call.facts().post {
            address.last = Some((query.to_owned(), url.clone()));
        }
        Some(url)
    }

    /// Reads the query fields of every call of the session.
    pub(crate) fn session_fields<T>(
        &self,
        write: impl FnOnce(&Session) -> String,
        at: impl FnOnce(&str) -> T,
    ) -> T {
        let State { fields, session, .. } = &mut *self.state();
        at(fields.get_or_insert_with(|| write(session)))
    }

    /// The seconds since 1970 in a `Date` header.
    pub(crate) fn date_of(&self, header: &HeaderValue) -> Option<u64> {
        let mut state = self.state();
        if let Some((_, date)) = state.date.as_ref().filter(|(last, _)| last == header) {
            return *date;
        }
        let date = header.to_str().ok().and_then(date::of_http);
        state.date = Some((header.clone(), date));
        date
    }

    /// The cookies for the address of a call, written once until a cookie changes.
    pub(crate) fn cookies_of(&self, call: Call, to: Place<'_>) -> Option<HeaderValue> {
        let mut state = self.state();
        if let Some((_, header)) = state.cookies.iter().find(|(kept, _)| *kept == call) {
            return header.clone();
        }
        let header = state.session.cookies.header(to);
        let header = header.and_then(|header| HeaderValue::from_str(&header).ok());
        state.cookies.push((call, header.clone()));
        header
    }

    /// Stores a cookie of an answer.
    pub(crate) fn take_cookie(&self, header: &str, from: Place<'_>) {
        let mut state = self.state();
        if state.session.cookies.take(header, from) {
            state.cookies.clear();
        }
    }

    /// Stores a newer skey unless it is empty.
    pub(crate) fn take_skey(&self, skey: &str) {
        self.state().session.take_skey(skey);
    }

    pub(crate) fn base_request(&self) -> BaseRequest {
        self.look(|session| {
            let BaseRequest { uin, sid, skey, device_id } = session.base_request();
            BaseRequest { uin, sid: sid.to_owned(), skey: skey.to_owned(), device_id }
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
