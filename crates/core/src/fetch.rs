//! Requests of rules to web services, and their answers.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Lang, Words};

/// A text with the names of secrets in it. The rules never see the value of a secret: only the fetcher puts it in, and
/// only for the host to which the operator gave it. [`Display`](fmt::Display) shows `${NAME}` in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchText(pub Vec<FetchPiece>);

/// A piece of a [`FetchText`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FetchPiece {
    /// A text as it is sent. `${…}` in it is text, so that a message cannot ask for a secret.
    Text(String),
    /// The name of a secret of `[fetch] secrets`.
    Secret(String),
}

/// A request of a rule. Equal requests may share an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchRequest {
    /// The method, in upper case.
    pub method: String,
    /// The address. Scheme, host and port hold neither secrets nor texts of people. Secrets are percent-encoded.
    pub url: FetchText,
    /// Names and values of headers, without line breaks.
    pub headers: Vec<(String, FetchText)>,
    /// The body. Its `Content-Type` is among the headers.
    pub body: Option<FetchBody>,
    /// The longest time until the whole answer is here, all redirects included.
    pub timeout: Duration,
    /// How long the answer counts for equal requests.
    pub cache: Option<Duration>,
    /// The statuses of a good answer. Empty means 200 to 299.
    pub status: Vec<FetchStatus>,
    /// Sent as `Idempotency-Key`, so that the service can recognise a repeated request. No part of the identity for the cache.
    pub idempotency_key: Option<String>,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FetchBody {
    /// Sent as it is; secrets, too.
    Text(FetchText),
    /// `application/x-www-form-urlencoded`. Its texts are percent-encoded already; secrets are percent-encoded as in an address.
    Form(FetchText),
    /// JSON. Its texts are escaped already; secrets are within strings, and escaped for them.
    Json(FetchText),
}

/// A request of a turn and its outcome, for people: kept with the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchNote {
    /// Method and address, with the names of secrets. Its path and its query may hold texts of people.
    pub request: String,
    /// Method and address for logs: the path up to its first name, then `…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// The reason why there is no good answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Words>,
}

/// A range of statuses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchStatus {
    /// The first status of the range.
    pub first: u16,
    /// The last status of the range.
    pub last: u16,
}

/// A good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchAnswer {
    /// The status.
    pub status: u16,
    /// The body, decompressed, at most 1 MiB.
    pub body: String,
}

/// The reason why a request has no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// The whole answer did not arrive in time.
    #[error("no answer within the time-out")]
    TimedOut,
    /// The operator did not open this host.
    #[error("the host {0} is not in [fetch] hosts of mynah.toml")]
    HostNotAllowed(String),
    /// The operator did not open this host and port, which are not public.
    #[error("{0} is not public, and not in [fetch] private of mynah.toml")]
    PrivateNotAllowed(String),
    /// The host is at an address that is not globally reachable, or a redirect leads there.
    #[error("{host} is at the address {address}, which is not public")]
    AddressRefused {
        /// The host, with its port.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// The request holds a secret that the operator did not give to this host, or the connection is not safe for it.
    #[error("the secret {name} does not go to {host}")]
    SecretRefused {
        /// The name of the secret.
        name: String,
        /// The host, with its port.
        host: String,
    },
    /// The status is not one of those that the rule expects.
    #[error("the answer has the status {0}")]
    Status(u16),
    /// The body is larger than 1 MiB.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// The answer is damaged, or broke off.
    #[error("the answer cannot be read: {0}")]
    Damaged(String),
    /// The body is not text.
    #[error("the answer is not text")]
    NotText,
    /// The body is not JSON, but the rule takes values out of it.
    #[error("the answer is not JSON")]
    NotJson,
    /// The address or another part of the request is not valid, a redirect leads to an address that is not, or there are more
    /// than three redirects.
    #[error("{0}")]
    Address(String),
    /// The connection failed.
    #[error("no connection: {0}")]
    Connection(String),
    /// The message already has as many requests as it may.
    #[error("more than three requests for one message")]
    TooMany,
    /// Nothing is fetched here, as in a test or in `explain`.
    #[error("nothing is fetched here")]
    Offline,
}

impl FetchFailure {
    /// The reason in both languages.
    #[must_use]
    pub fn words(&self) -> Words {
        Words::new(self.to_string(), self.zh())
    }

    fn zh(&self) -> String {
        match self {
            Self::TimedOut => "没有在时限内得到回答".to_owned(),
            Self::HostNotAllowed(host) => {
                format!("主机 {host} 不在 mynah.toml 的 [fetch] hosts 里")
            }
            Self::PrivateNotAllowed(host) => {
                format!("{host} 不是公网地址，也不在 mynah.toml 的 [fetch] private 里")
            }
            Self::AddressRefused { host, address } => {
                format!("{host} 的地址 {address} 不是公网地址")
            }
            Self::SecretRefused { name, host } => format!("密钥 {name} 不能发给 {host}"),
            Self::Status(status) => format!("对方返回了状态码 {status}"),
            Self::TooLarge => "回答超过 1 MiB".to_owned(),
            Self::Damaged(reason) => format!("无法读取回答：{reason}"),
            Self::NotText => "回答不是文本".to_owned(),
            Self::NotJson => "回答不是 JSON".to_owned(),
            Self::Address(reason) => format!("地址不能用：{reason}"),
            Self::Connection(reason) => format!("连接失败：{reason}"),
            Self::TooMany => "一条消息最多三次请求".to_owned(),
            Self::Offline => "这里不发出请求".to_owned(),
        }
    }
}

impl FetchNote {
    /// A request and its outcome. `fixed` is the beginning of its line that holds neither texts of people nor secrets.
    #[must_use]
    pub fn new(request: String, fixed: &str, failure: Option<&FetchFailure>) -> Self {
        let shown = match fixed.split_once('?') {
            Some((path, _)) => format!("{path}?…"),
            None if fixed == request => request.clone(),
            None => format!("{fixed}…"),
        };
        Self { request, shown: Some(shown), failure: failure.map(FetchFailure::words) }
    }

    /// Method and address for logs: without texts of people, which may be in the path and in the query.
    #[must_use]
    pub fn for_logs(&self) -> String {
        self.shown.clone().unwrap_or_else(|| origin(&self.request))
    }

    /// The outcome in words.
    #[must_use]
    pub fn outcome(&self, lang: Lang) -> &str {
        match (&self.failure, lang) {
            (Some(words), Lang::En) => &words.en,
            (Some(words), Lang::Zh) => &words.zh,
            (None, Lang::En) => "answered",
            (None, Lang::Zh) => "已得到回答",
        }
    }
}

/// Method, scheme, host and port of a line, for notes of versions that did not keep more.
fn origin(line: &str) -> String {
    let host = line.find("://").map_or(0, |at| at + 3);
    match line[host..].find(['/', '?']) {
        Some(length) => format!("{}/…", &line[..host + length]),
        None => line.to_owned(),
    }
}

/// Fetches for rules.
#[async_trait]
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Whether the operator opened the host of this request, and gave its secrets to it: known without a connection, for
    /// checks before the start.
    ///
    /// # Errors
    ///
    /// [`FetchFailure::HostNotAllowed`], [`FetchFailure::PrivateNotAllowed`], [`FetchFailure::SecretRefused`] or [`FetchFailure::Address`].
    fn check(&self, request: &FetchRequest) -> Result<(), FetchFailure> {
        let _ = request;
        Ok(())
    }

    /// Sends the request, within the bounds that the operator set, and returns an answer with one of its statuses. Dropping
    /// the future cancels the request; the service may have received it.
    ///
    /// # Errors
    ///
    /// The reason why there is no such answer. Its text holds no secret and no query of an address.
    async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure>;
}

/// Headers that no request of a rule may have: the fetcher sets them, or they would give the request another host or end.
pub const RESERVED_HEADERS: [&str; 14] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "accept-encoding",
    "idempotency-key",
    "proxy-authorization",
    "proxy-connection",
    "http2-settings",
];

/// Adds a text for a part of an address or a form: of it only letters, digits and `-._~` stay. Values of rules and secrets are
/// encoded alike.
pub fn percent_encode(text: &str, whole: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            whole.push('%');
            whole.push(char::from(HEX[usize::from(byte >> 4)]));
            whole.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

impl FetchText {
    /// A text without secrets.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self(vec![FetchPiece::Text(text.into())])
    }

    /// The names of the secrets in it.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            FetchPiece::Secret(name) => Some(name.as_str()),
            FetchPiece::Text(_) => None,
        })
    }
}

impl FetchBody {
    /// The text of the body, with the names of secrets in it.
    #[must_use]
    pub fn text(&self) -> &FetchText {
        match self {
            Self::Text(text) | Self::Form(text) | Self::Json(text) => text,
        }
    }
}

impl fmt::Display for FetchText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            FetchPiece::Text(text) => f.write_str(text),
            FetchPiece::Secret(name) => write!(f, "${{{name}}}"),
        })
    }
}

impl FetchRequest {
    /// Method and address, with the names of secrets. Not for logs: path and query may hold texts of people, which
    /// [`FetchNote::for_logs`] leaves out.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    /// Whether an answer with this status is a good one.
    #[must_use]
    pub fn accepts(&self, status: u16) -> bool {
        if self.status.is_empty() {
            return (200..=299).contains(&status);
        }
        self.status
            .iter()
            .any(|range| RangeInclusive::new(range.first, range.last).contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_shown_with_the_names_of_its_secrets_and_in_logs_without_texts_of_people() {
        let request = FetchRequest {
            method: "GET".to_owned(),
            url: FetchText(vec![
                FetchPiece::Text("https://a.example/w?q=%E5%8C%97&k=".to_owned()),
                FetchPiece::Secret("KEY".to_owned()),
            ]),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(5),
            cache: None,
            status: Vec::new(),
            idempotency_key: None,
        };
        assert_eq!(request.line(), "GET https://a.example/w?q=%E5%8C%97&k=${KEY}");
        for (line, fixed, shown) in [
            (request.line(), "GET https://a.example/w?q=", "GET https://a.example/w?…"),
            (
                "GET https://a.example/u/x/y?z".to_owned(),
                "GET https://a.example/u/",
                "GET https://a.example/u/…",
            ),
            (
                "GET https://a.example/u".to_owned(),
                "GET https://a.example/u",
                "GET https://a.example/u",
            ),
            (
                "GET https://a.example/u?k=1".to_owned(),
                "GET https://a.example/u?k=1",
                "GET https://a.example/u?…",
            ),
        ] {
            assert_eq!(FetchNote::new(line, fixed, None).for_logs(), shown);
        }
        // A note of an earlier version.
        let note = r#"{"request": "GET https://a.example:8443/my%20secret?q=1"}"#;
        let note: FetchNote = serde_json::from_str(note).unwrap();
        assert_eq!(note.for_logs(), "GET https://a.example:8443/…");
        assert_eq!(request.url.secrets().collect::<Vec<_>>(), ["KEY"]);
    }

    #[test]
    fn every_failure_has_words_in_both_languages() {
        let failure = FetchFailure::Status(500);
        assert_eq!(
            failure.words(),
            Words::new("the answer has the status 500", "对方返回了状态码 500")
        );
        let note = FetchNote::new(
            "GET https://a.example/".to_owned(),
            "GET https://a.example/",
            Some(&failure),
        );
        assert_eq!(note.outcome(Lang::Zh), "对方返回了状态码 500");
    }
}
