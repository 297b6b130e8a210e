//! One request and its answer: cookies, a time-out, a bounded body, a trace without secrets.

use std::sync::Once;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::Url;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderValue, RANGE,
    REFERER, SET_COOKIE,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::client::{Client, Options};
use crate::cookies::Place;
use crate::error::{BuildError, CallError, Cause, Failure};
use crate::hosts::{Hosts, Role};
use crate::percent::encode_into;
use crate::{Call, date, packed};

/// The time-out for a new connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The longest pause within an answer. Longer than the service holds a poll.
const SILENCE: Duration = Duration::from_secs(60);

/// Shorter than servers keep idle connections: a send should not use one that the server is just closing.
const IDLE: Duration = Duration::from_secs(15);

/// If a request on a kept connection fails sooner than this, the server had just closed the connection.
const STALE: Duration = Duration::from_secs(2);

/// The most memory that is reserved for a body before it arrives.
const RESERVED: usize = 16 * 1024 * 1024;

/// The HTTP client for these hosts.
pub(crate) fn connector(hosts: &Hosts, options: &Options) -> Result<reqwest::Client, BuildError> {
    static PROVIDER: Once = Once::new();
    // The application may have installed another provider. Any of them will do.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let agent = HeaderValue::from_str(&options.user_agent)
        .map_err(|_| BuildError::BadHeader { what: "the user agent" })?;
    if let Some(token) = &options.desktop {
        HeaderValue::from_str(token.as_str())
            .map_err(|_| BuildError::BadHeader { what: "the desktop token" })?;
    }
    let mut builder = reqwest::Client::builder()
        .user_agent(agent)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT.min(options.at_most))
        .read_timeout(SILENCE.min(options.at_most))
        .pool_idle_timeout(IDLE);
    if hosts.is_local() {
        builder = builder.no_proxy();
    }
    if !hosts.is_secure() {
        // No certificate is checked: a local server needs no certificates on the machine.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| BuildError::Tls(Box::new(error)))
}

/// Writes one log line for each call, also for a dropped one.
struct Trace {
    call: Call,
    begun: Instant,
    ended: bool,
}

impl Trace {
    fn begin(call: Call) -> Self {
        Self { call, begun: Instant::now(), ended: false }
    }

    fn end(mut self, result: &Result<Answer, CallError>) {
        self.ended = true;
        let (method, path, ms) =
            (self.call.method(), self.call.path(), self.begun.elapsed().as_millis());
        match result {
            Ok(answer) => tracing::debug!(
                method,
                path,
                status = answer.status,
                bytes = answer.body.len(),
                ms,
                "call"
            ),
            Err(error) => {
                tracing::debug!(method, path, failure = %error.failure, ms, "call failed");
            }
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if !self.ended {
            let (method, path, ms) =
                (self.call.method(), self.call.path(), self.begun.elapsed().as_millis());
            tracing::debug!(method, path, ms, "call cancelled");
        }
    }
}

/// A request under construction.
pub(crate) struct Request {
    call: Call,
    url: String,
    headers: HeaderMap,
    /// Cookies for this request only.
    cookies: Vec<String>,
    body: Bytes,
    limit: u64,
}

impl Request {
    /// Adds a query field, percent-encoded.
    pub(crate) fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        self.url.push(separator);
        self.url.push_str(name);
        self.url.push('=');
        encode_into(&mut self.url, value.as_ref());
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Adds a cookie to this request only.
    pub(crate) fn cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(format!("{name}={value}"));
        self
    }

    /// Sets a JSON body: raw UTF-8 with a minimum of escapes.
    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        let body =
            serde_json::to_vec(body).expect("requests have string keys and plain values only");
        self.body("application/json; charset=UTF-8", body)
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        if let Ok(value) = HeaderValue::from_str(content_type) {
            self.headers.insert(CONTENT_TYPE, value);
        }
        self
    }

    /// Replaces the limit of the call.
    pub(crate) fn limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }
}

impl Client {
    /// A request to the address of the call, without a query.
    pub(crate) fn request(&self, call: Call) -> Request {
        let facts = call.facts();
        let url = format!("{}{}", self.hosts().base(facts.role), facts.path);
        self.request_to(call, url)
    }

    /// A request to an address that the service gave.
    pub(crate) fn request_to(&self, call: Call, url: String) -> Request {
        let facts = call.facts();
        let request = Request {
            call,
            url,
            headers: HeaderMap::new(),
            cookies: Vec::new(),
            body: Bytes::new(),
            limit: facts.limit,
        };
        let referer = format!("{}/", self.hosts().base(Role::Web));
        request
            .header(REFERER.as_str(), &referer)
            .header("accept", "application/json, text/plain, */*")
    }

    /// A request with the fields that the genuine client adds to every call of a session (section 4.5).
    pub(crate) fn session_request(&self, call: Call) -> Request {
        let ticket = self.look(|session| session.pass_ticket.clone());
        self.request(call).query("lang", &self.options.language).query("pass_ticket", ticket)
    }

    /// Sends a request and reads a JSON answer whose `Ret` is 0.
    pub(crate) async fn granted<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<T, CallError> {
        self.send(request).await?.granted()
    }

    /// Sends a request and reads the whole answer, with any status.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, CallError> {
        let trace = Trace::begin(request.call);
        let result = self.exchange(request).await;
        trace.end(&result);
        result
    }

    async fn exchange(&self, request: Request) -> Result<Answer, CallError> {
        let call = request.call;
        let failed = |failure| CallError::new(call, failure);
        let url = Url::parse(&request.url)
            .map_err(|_| failed(Failure::Impossible("the address is not valid")))?;
        let mut headers = request.headers;
        let place = self.place(&url);
        let mut cookies = request.cookies;
        cookies.extend(self.look(|session| session.cookies.header(place)));
        if let Some(cookies) =
            HeaderValue::from_str(&cookies.join("; ")).ok().filter(|cookies| !cookies.is_empty())
        {
            headers.insert(COOKIE, cookies);
        }
        // A part of a compressed file cannot be unpacked.
        if !headers.contains_key(RANGE) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(packed::UNDERSTOOD));
        }
        let login = self.login();
        let mut response = self
            .delivered(call, &url, &headers, &request.body)
            .await
            .map_err(|error| failed(failure(error)))?;
        // Late cookies of an earlier login must not overwrite those of this one.
        if self.login() == login {
            self.take_cookies(&url, response.headers());
        }
        let body = read(&mut response, request.limit).await.map_err(failed)?;
        let packing: Vec<&str> = (response.headers().get_all(CONTENT_ENCODING).iter())
            .filter_map(|value| value.to_str().ok())
            .collect();
        let body = packed::unpacked(&packing.join(","), body, request.limit).map_err(failed)?;
        Ok(Answer {
            call,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        })
    }

    /// Sends a request and returns the head of its answer. The server may close a kept connection at the very moment of
    /// the next request; a read-only call is then repeated once, on a new connection.
    async fn delivered(
        &self,
        call: Call,
        url: &Url,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> reqwest::Result<reqwest::Response> {
        let facts = call.facts();
        let ask = || {
            let method = if facts.post { reqwest::Method::POST } else { reqwest::Method::GET };
            let mut builder = self.http.request(method, url.clone()).headers(headers.clone());
            if facts.post {
                builder = builder.body(body.clone());
            }
            builder.timeout(facts.timeout.min(self.options.at_most)).send()
        };
        let used_before = self.take_last_answer().is_some_and(|last| last.elapsed() <= IDLE);
        let begun = Instant::now();
        let mut result = ask().await;
        if let Err(error) = &result
            && used_before
            && call.only_reads()
            && !(error.is_connect() || error.is_timeout())
            && begun.elapsed() < STALE
        {
            tracing::trace!(
                path = facts.path,
                "the server closed a kept connection; repeating the request"
            );
            result = ask().await;
        }
        if result.is_ok() {
            self.note_answer();
        }
        result
    }

    fn take_cookies(&self, url: &Url, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date::of_http(date.to_str().ok()?));
        self.note_date(date);
        let mut place = self.place(url);
        place.sent = date;
        self.change(|session| {
            for header in headers.get_all(SET_COOKIE) {
                session.cookies.take(&String::from_utf8_lossy(header.as_bytes()), place);
            }
        });
    }

    fn place<'a>(&self, url: &'a Url) -> Place<'a> {
        Place {
            host: url.host_str().unwrap_or_default(),
            path: url.path(),
            secure: url.scheme() == "https",
            only_server: self.is_replaced(),
            sent: None,
        }
    }
}

/// Reads a body up to its limit.
async fn read(response: &mut reqwest::Response, limit: u64) -> Result<Bytes, Failure> {
    let too_large =
        |length: u64| if length > limit { Err(Failure::TooLarge { limit }) } else { Ok(()) };
    let announced = response.content_length().unwrap_or(0);
    too_large(announced)?;
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0).min(RESERVED));
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        too_large((body.len() + chunk.len()) as u64)?;
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn failure(error: reqwest::Error) -> Failure {
    // The address contains secrets, and the error would contain the address.
    let error = error.without_url();
    let (connecting, timed_out) = (error.is_connect(), error.is_timeout());
    let cause: Cause = Box::new(error);
    match (connecting, timed_out) {
        (true, _) => Failure::Unreachable(cause),
        (false, true) => Failure::TimedOut,
        (false, false) => Failure::Interrupted(cause),
    }
}
