//! One request, one answer: cookies both ways, a time-out, a bounded body, a trace without secrets.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Once;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::Url;
use reqwest::header::{
    CONTENT_TYPE, COOKIE, DATE, HeaderMap, HeaderValue, LOCATION, REFERER, SET_COOKIE,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{Client, Options};
use crate::cookies::Place;
use crate::error::{BuildError, CallError, Cause, Failure};
use crate::hosts::{Hosts, Role};
use crate::wire::{Envelope, decode};
use crate::{Call, date, ids};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may fall silent; longer than the service holds a poll.
const SILENCE: Duration = Duration::from_secs(60);

/// Shorter than servers keep idle connections: a send should not meet one that is just being closed.
const IDLE: Duration = Duration::from_secs(15);

/// The most memory that is set aside for a body before any of it is there.
const RESERVED: usize = 16 * 1024 * 1024;

/// The connector for these hosts.
pub(crate) fn connector(hosts: &Hosts, options: &Options) -> Result<reqwest::Client, BuildError> {
    static PROVIDER: Once = Once::new();
    // Whoever installed another one before knows why; any will do.
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
        // No certificate will be looked at: a machine without any can run a local server.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| BuildError::Tls(Box::new(error)))
}

/// Writes one line for every call, also for one that its caller gives up.
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
            tracing::debug!(method, path, ms, "call given up");
        }
    }
}

/// A request in the making.
#[derive(Debug)]
pub(crate) struct Request {
    call: Call,
    url: String,
    headers: HeaderMap,
    /// Cookies for this request only.
    cookies: Vec<String>,
    body: Bytes,
    limit: u64,
}

/// An answer of the service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) call: Call,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// A query field, percent-encoded.
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

    /// A cookie that goes with this request only.
    pub(crate) fn cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push(format!("{name}={value}"));
        self
    }

    /// A body of JSON: raw UTF-8, nothing escaped that need not be.
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

    /// Another limit than the call's own.
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

    /// The same with what the genuine client adds to every call of a session (section 4.5).
    pub(crate) fn session_request(&self, call: Call) -> Request {
        let ticket = self.look(|session| session.pass_ticket.clone());
        self.request(call).query("lang", &self.options.language).query("pass_ticket", ticket)
    }

    /// Sends a request and reads a JSON answer that grants it.
    pub(crate) async fn granted<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<T, CallError> {
        self.send(request).await?.granted()
    }

    /// Sends a request and reads the whole answer, whatever its status.
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
            .map_err(|_| failed(Failure::Impossible("the address is not one")))?;
        let mut headers = request.headers;
        let place = self.place(&url);
        let mut cookies = request.cookies;
        cookies.extend(self.look(|session| session.cookies.header(place)));
        if let Some(cookies) =
            HeaderValue::from_str(&cookies.join("; ")).ok().filter(|cookies| !cookies.is_empty())
        {
            headers.insert(COOKIE, cookies);
        }
        let facts = call.facts();
        let method = if facts.post { reqwest::Method::POST } else { reqwest::Method::GET };
        let mut builder = self.http.request(method, url.clone()).headers(headers);
        if facts.post {
            builder = builder.body(request.body);
        }
        let builder = builder.timeout(facts.timeout.min(self.options.at_most));
        let mut response = builder.send().await.map_err(|error| failed(failure(error)))?;
        self.take_cookies(&url, response.headers());
        let body = read(&mut response, request.limit).await.map_err(failed)?;
        Ok(Answer {
            call,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        })
    }

    fn take_cookies(&self, url: &Url, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date::of_http(date.to_str().ok()?));
        let mut place = self.place(url);
        place.sent = date.unwrap_or(place.now);
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
            now: ids::now_millis() / 1000,
            sent: ids::now_millis() / 1000,
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
    // The address holds secrets and stands in the error otherwise.
    let error = error.without_url();
    let (connecting, timed_out) = (error.is_connect(), error.is_timeout());
    let cause: Cause = Box::new(error);
    match (connecting, timed_out) {
        (true, _) => Failure::Unreachable(cause),
        (false, true) => Failure::TimedOut,
        (false, false) => Failure::Interrupted(cause),
    }
}

impl Answer {
    /// The text of the body, wrong bytes replaced.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        decode::text(&self.body)
    }

    /// Fails unless the HTTP status is one of success.
    pub(crate) fn ok(self) -> Result<Self, CallError> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.bad_status()) }
    }

    pub(crate) fn bad_status(&self) -> CallError {
        let body = crate::redact::excerpt(&self.text());
        CallError::new(self.call, Failure::Status { status: self.status, body })
    }

    pub(crate) fn unreadable(&self, what: &'static str) -> CallError {
        CallError::unreadable(self.call, what, &self.text())
    }

    /// The target of a redirect, if it is one.
    pub(crate) fn location(&self) -> Option<&str> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?.trim();
        ((300..400).contains(&self.status) && !location.is_empty()).then_some(location)
    }

    /// Reads JSON, whatever the content type says.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        decode::json(&self.body).map_err(|error| {
            let body = crate::redact::excerpt(&self.text());
            let failure = Failure::Unreadable {
                what: "the answer is no JSON",
                body,
                cause: Some(Box::new(error)),
            };
            CallError::new(self.call, failure)
        })
    }

    /// Reads JSON that says `Ret` 0.
    pub(crate) fn granted<T: DeserializeOwned>(self) -> Result<T, CallError> {
        let answer = self.ok()?;
        let envelope: Envelope = answer.json()?;
        let base = envelope
            .base_response
            .ok_or_else(|| answer.unreadable("the answer has no BaseResponse"))?;
        match base.ret {
            Some(0) => answer.json(),
            Some(ret) => Err(CallError::refused(answer.call, ret, &base.err_msg)),
            None => Err(answer.unreadable("the answer has no Ret")),
        }
    }
}

/// Percent-encodes as `encodeURIComponent` does.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_into(&mut out, text);
    out
}

fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
}

/// Undoes one percent-encoding; what is none stays.
pub(crate) fn decode_percent(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((&first, rest)) = bytes.split_first() {
        let digits =
            rest.get(..2).filter(|_| first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let decoded = digits
            .filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(decoded.unwrap_or(first));
        bytes = if decoded.is_some() { &rest[2..] } else { rest };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn queries_are_encoded_as_browsers_do() {
        assert_eq!(encode("@crypt_1+/= |你"), "%40crypt_1%2B%2F%3D%20%7C%E4%BD%A0");
        assert_eq!(encode("a%2Fb"), "a%252Fb");
        assert_eq!(decode_percent("a%2Fb%zz%+%2"), "a/b%zz%+%2");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn encoding_goes_there_and_back(text in ".{0,60}") {
            prop_assert_eq!(decode_percent(&encode(&text)), text);
        }

        #[test]
        fn any_text_is_decoded_without_panic(text in "[%0-9a-f\u{4f60}]{0,40}") {
            drop(decode_percent(&text));
        }
    }
}
