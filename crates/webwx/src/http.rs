//! One request and its answer: cookies, a time-out, a bounded body, a trace without secrets.

use std::sync::{Once, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::Url;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, DATE, HOST, HeaderMap,
    HeaderValue, RANGE, REFERER, SET_COOKIE,
};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls_platform_verifier::BuilderVerifierExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::answer::Answer;
use crate::client::{Client, Options};
use crate::cookies::Place;
use crate::error::{BuildError, CallError, Cause, Failure};
use crate::hosts::Hosts;
use crate::percent::encode_into;
use crate::session::Session;
use crate::{Call, packed};

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

/// The most servers whose TLS sessions a client resumes.
const RESUMED: usize = 32;

/// The TLS of a client. The certificates of the machine are read once for all clients of a process. The sessions to resume are
/// those of this client: they would show the service which accounts share a process.
fn tls() -> Result<ClientConfig, BuildError> {
    static COMMON: OnceLock<ClientConfig> = OnceLock::new();
    let common = match COMMON.get() {
        Some(common) => common,
        None => {
            let builder = ClientConfig::builder()
                .with_platform_verifier()
                .map_err(|error| BuildError::Tls(Box::new(error)))?;
            let mut config = builder.with_no_client_auth();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            COMMON.get_or_init(|| config)
        }
    };
    let mut own = common.clone();
    own.resumption = Resumption::in_memory_sessions(RESUMED);
    Ok(own)
}

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
        // Only HTTP/2 knows requests that are safe to repeat; for a repetition each request would be copied.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .connect_timeout(CONNECT.min(options.at_most))
        .pool_idle_timeout(IDLE);
    if hosts.is_local() {
        builder = builder.no_proxy();
    }
    builder = match hosts.is_secure() {
        true => builder.tls_backend_preconfigured(tls()?),
        // No certificate is checked: a local server needs no certificates on the machine.
        false => builder.tls_certs_only([]),
    };
    builder.build().map_err(|error| BuildError::Tls(Box::new(error)))
}

/// Room for the query of a call with the tickets of its session.
const QUERY: usize = 512;

/// Room for the body of a short request.
const BODY: usize = 512;

/// Room for the headers of a request.
const HEADERS: usize = 8;

/// The time limits of a call. Those of the HTTP library would be copied on the heap with each request.
struct Limits {
    /// The end of the whole call.
    until: Instant,
    /// The longest pause within it.
    silence: Duration,
}

impl Limits {
    fn begin(call: Call, at_most: Duration) -> Self {
        let until = Instant::now() + call.facts().timeout.min(at_most);
        Self { until, silence: SILENCE.min(at_most) }
    }

    /// Waits for the next part of the answer.
    async fn wait<T>(&self, part: impl Future<Output = reqwest::Result<T>>) -> Result<T, Failure> {
        let until = self.until.min(Instant::now() + self.silence);
        match timeout_at(until, part).await {
            Ok(part) => part.map_err(failure),
            Err(_) => Err(Failure::TimedOut),
        }
    }
}

/// The longest pause within a call until it fails.
pub(crate) fn longest_silence(call: Call, at_most: Duration) -> Duration {
    SILENCE.min(call.facts().timeout).min(at_most)
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
    address: Address,
    headers: HeaderMap,
    /// Cookies for this request only.
    cookies: Vec<String>,
    body: Bytes,
    limit: u64,
}

/// The target of a request.
enum Address {
    /// That of the call, with this query.
    Own(String),
    /// An address that the service gave.
    Given(String),
}

impl Address {
    /// Adds a query field, percent-encoded.
    fn add(&mut self, name: &str, value: &str) {
        write_field(self.end_of_query(), name, value);
    }

    /// Where the next query field is written.
    fn end_of_query(&mut self) -> &mut String {
        match self {
            Self::Own(query) => {
                if !query.is_empty() {
                    query.push('&');
                }
                query
            }
            Self::Given(url) => {
                url.push(if url.contains('?') { '&' } else { '?' });
                url
            }
        }
    }
}

/// Writes a query field, percent-encoded.
fn write_field(query: &mut String, name: &str, value: &str) {
    query.push_str(name);
    query.push('=');
    encode_into(query, value);
}

impl Request {
    /// Adds a query field, percent-encoded.
    pub(crate) fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.address.add(name, value.as_ref());
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
        let mut json = Vec::with_capacity(BODY);
        serde_json::to_writer(&mut json, body)
            .expect("requests have string keys and plain values only");
        self.with_body(HeaderValue::from_static("application/json; charset=UTF-8"), json.into())
    }

    pub(crate) fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        match HeaderValue::from_str(content_type) {
            Ok(kind) => self.with_body(kind, body.into()),
            Err(_) => Self { body: body.into(), ..self },
        }
    }

    fn with_body(mut self, kind: HeaderValue, body: Bytes) -> Self {
        self.body = body;
        self.headers.insert(CONTENT_TYPE, kind);
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
        self.begin(call, Address::Own(String::with_capacity(QUERY)), self.host_of(call))
    }

    /// A request to an address that the service gave.
    pub(crate) fn request_to(&self, call: Call, url: String) -> Request {
        self.begin(call, Address::Given(url), None)
    }

    fn begin(&self, call: Call, address: Address, host: Option<HeaderValue>) -> Request {
        let mut headers = HeaderMap::with_capacity(HEADERS);
        headers.extend(host.map(|value| (HOST, value)));
        headers.extend(self.bases(|bases| bases.referer.clone()).map(|value| (REFERER, value)));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain, */*"));
        Request {
            call,
            address,
            headers,
            cookies: Vec::new(),
            body: Bytes::new(),
            limit: call.facts().limit,
        }
    }

    /// A request with the fields that the genuine client adds to every call of a session (section 4.5).
    pub(crate) fn session_request(&self, call: Call) -> Request {
        let mut request = self.request(call);
        let written = |session: &Session| {
            let mut fields = String::new();
            write_field(&mut fields, "lang", &self.options.language);
            fields.push('&');
            write_field(&mut fields, "pass_ticket", &session.pass_ticket);
            fields
        };
        self.session_fields(written, |fields| request.address.end_of_query().push_str(fields));
        request
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
        let Request { address, mut headers, cookies, body, limit, .. } = request;
        let is_own = matches!(address, Address::Own(..));
        let url = match address {
            Address::Own(query) => self.address_of(call, &query),
            Address::Given(url) => Url::parse(&url).ok(),
        };
        let url = url.ok_or_else(|| failed(Failure::Impossible("the address is not valid")))?;
        if let Some(cookies) = self.cookie_header(call, &url, cookies, is_own) {
            headers.insert(COOKIE, cookies);
        }
        // A part of a compressed file cannot be unpacked.
        if !headers.contains_key(RANGE) {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(packed::UNDERSTOOD));
        }
        let login = self.login();
        let limits = Limits::begin(call, self.options.at_most);
        let mut response =
            self.delivered(call, url, headers, body, &limits).await.map_err(failed)?;
        // Late cookies of an earlier login must not overwrite those of this one.
        if self.login() == login {
            self.take_cookies(&response);
        }
        let body = read(&mut response, limit, &limits).await.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = unpacked(&headers, body, limit).map_err(failed)?;
        Ok(Answer { call, status, headers, body })
    }

    /// The cookies of a request: its own and those of the session.
    fn cookie_header(
        &self,
        call: Call,
        url: &Url,
        mut cookies: Vec<String>,
        is_own: bool,
    ) -> Option<HeaderValue> {
        let place = self.place(url);
        if is_own && cookies.is_empty() {
            return self.cookies_of(call, place);
        }
        cookies.extend(self.look(|session| session.cookies.header(place)));
        HeaderValue::from_str(&cookies.join("; ")).ok().filter(|header| !header.is_empty())
    }

    /// Sends a request and returns the head of its answer. The server may close a kept connection at the very moment of
    /// the next request; a read-only call is then repeated once, on a new connection.
    async fn delivered(
        &self,
        call: Call,
        url: Url,
        headers: HeaderMap,
        body: Bytes,
        limits: &Limits,
    ) -> Result<reqwest::Response, Failure> {
        let facts = call.facts();
        let method = if facts.post { reqwest::Method::POST } else { reqwest::Method::GET };
        let written = |url, headers, body: Bytes| {
            let mut request = reqwest::Request::new(method.clone(), url);
            *request.headers_mut() = headers;
            *request.body_mut() = facts.post.then(|| body.into());
            request
        };
        let used_before = self.take_last_answer().is_some_and(|last| last.elapsed() <= IDLE);
        let again = (used_before && call.only_reads())
            .then(|| written(url.clone(), headers.clone(), body.clone()));
        let request = written(url, headers, body);
        let begun = Instant::now();
        let mut result = limits.wait(self.http.execute(request)).await;
        if let (Err(Failure::Interrupted(_)), Some(again)) = (&result, again)
            && begun.elapsed() < STALE
        {
            tracing::trace!(
                path = facts.path,
                "the server closed a kept connection; repeating the request"
            );
            result = limits.wait(self.http.execute(again)).await;
        }
        if result.is_ok() {
            self.note_answer();
        }
        result
    }

    fn take_cookies(&self, response: &reqwest::Response) {
        let headers = response.headers();
        let date = headers.get(DATE).and_then(|date| self.date_of(date));
        self.note_date(date);
        let mut place = self.place(response.url());
        place.sent = date;
        for header in headers.get_all(SET_COOKIE) {
            self.take_cookie(&String::from_utf8_lossy(header.as_bytes()), place);
        }
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
async fn read(
    response: &mut reqwest::Response,
    limit: u64,
    limits: &Limits,
) -> Result<Bytes, Failure> {
    let too_large =
        |length: u64| if length > limit { Err(Failure::TooLarge { limit }) } else { Ok(()) };
    let announced = response.content_length().unwrap_or(0);
    too_large(announced)?;
    let Some(first) = limits.wait(response.chunk()).await? else { return Ok(Bytes::new()) };
    too_large(first.len() as u64)?;
    let Some(second) = limits.wait(response.chunk()).await? else { return Ok(first) };
    let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0).min(RESERVED));
    body.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        too_large((body.len() + chunk.len()) as u64)?;
        body.extend_from_slice(&chunk);
        next = limits.wait(response.chunk()).await?;
    }
    Ok(body.freeze())
}

/// The decompressed body.
fn unpacked(headers: &HeaderMap, body: Bytes, limit: u64) -> Result<Bytes, Failure> {
    if !headers.contains_key(CONTENT_ENCODING) {
        return Ok(body);
    }
    let packing = headers.get_all(CONTENT_ENCODING).iter();
    let packing: Vec<&str> = packing.filter_map(|value| value.to_str().ok()).collect();
    packed::unpacked(&packing.join(","), body, limit)
}

fn failure(error: reqwest::Error) -> Failure {
    // The address contains secrets, and the error would contain the address.
    let error = error.without_url();
    let (connecting, timed_out) = (error.is_connect(), error.is_timeout());
    if error.is_builder() {
        return Failure::Impossible("the address is not valid or too long");
    }
    let has_no_descriptor = lacks_descriptors(&error);
    let cause: Cause = Box::new(error);
    match (connecting, timed_out) {
        (true, _) if has_no_descriptor => Failure::NoDescriptors(cause),
        (true, _) => Failure::Unreachable(cause),
        (false, true) => Failure::TimedOut,
        (false, false) => Failure::Interrupted(cause),
    }
}

/// Whether the process, or the machine, has as many files open as it may.
fn lacks_descriptors(error: &(dyn std::error::Error + 'static)) -> bool {
    // EMFILE and ENFILE.
    const CODES: [i32; 2] = [24, 23];
    let is_one = |error: &(dyn std::error::Error + 'static)| {
        let of_system = error.downcast_ref::<std::io::Error>();
        let code = of_system.and_then(std::io::Error::raw_os_error);
        cfg!(unix) && code.is_some_and(|code| CODES.contains(&code))
    };
    std::iter::successors(Some(error), |error| error.source()).any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_a_call_follows_the_session() {
        let server = Some("http://127.0.0.1:1".to_owned());
        let client = Client::new(Options { server, ..Options::default() }).unwrap();
        for (ticket, sid) in [("a/1", "1"), ("a/1", "2"), ("b", "2"), ("b", "2")] {
            client.change(|session| session.pass_ticket = ticket.to_owned());
            for _ in 0..2 {
                let request = client.session_request(Call::Sync).query("sid", sid);
                let Address::Own(query) = request.address else { panic!("an address of its own") };
                let url = client.address_of(Call::Sync, &query).unwrap();
                let expected = [("lang", "zh_CN"), ("pass_ticket", ticket), ("sid", sid)];
                let found: Vec<(String, String)> = url.query_pairs().into_owned().collect();
                assert_eq!(
                    found,
                    expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
                );
            }
        }
    }
}
