//! A request of the protocol, parsed leniently like the service does.

use std::net::SocketAddr;

use axum::{
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde_json::Value;

use crate::{net::Line, wire::text::percent_decode};

/// Uploads come in chunks of half a megabyte, but some clients send a file in one piece.
const LARGEST: usize = 64 << 20;

/// One request of the protocol.
#[derive(Debug)]
pub(crate) struct ServiceRequest {
    pub(crate) headers: HeaderMap,
    pub(crate) host: String,
    /// The address of the client's end of the connection.
    pub(crate) client: Option<SocketAddr>,
    query: Vec<(String, String)>,
    cookies: Vec<(String, String)>,
    pub(crate) bytes: Bytes,
    /// The body as JSON, regardless of its content type; null if it is not JSON.
    pub(crate) body: Value,
}

impl<S: Send + Sync> FromRequest<S> for ServiceRequest {
    type Rejection = StatusCode;

    async fn from_request(request: Request, _: &S) -> Result<Self, StatusCode> {
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, LARGEST).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let query = parts.uri.query().unwrap_or("");
        Ok(Self {
            host: host(
                &parts.headers,
                parts.uri.authority().map(axum::http::uri::Authority::as_str),
            ),
            client: parts.extensions.get::<ConnectInfo<Line>>().and_then(|it| it.0.client()),
            query: pairs(query, '&', percent_decode),
            cookies: cookies(&parts.headers),
            body: read_body(&parts.headers, &bytes),
            headers: parts.headers,
            bytes,
        })
    }
}

/// Parses JSON regardless of the content type, else the fields of a form, which the logout sends.
fn read_body(headers: &HeaderMap, bytes: &Bytes) -> Value {
    let is_form = || {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("");
        kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
    };
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let text = if is_form() { String::from_utf8_lossy(bytes) } else { "".into() };
        let fields = pairs(&text, '&', |part| percent_decode(&part.replace('+', " ")));
        if fields.is_empty() {
            return Value::Null;
        }
        fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
    })
}

/// The host to which the client believes it is connected; a proxy request has it in the request target.
pub(crate) fn host(headers: &HeaderMap, authority: Option<&str>) -> String {
    let header = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    authority.or(header).unwrap_or("").to_ascii_lowercase()
}

fn pairs(text: &str, separator: char, decode: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = headers.get_all(header::COOKIE).iter();
    // One cookie with bytes beyond ASCII must not take the others with it.
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
    values.flat_map(|value| pairs(&value, ';', str::to_owned)).collect()
}

impl ServiceRequest {
    /// A parameter of the query; its name is matched without case.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim_matches('"'))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|it| it.to_str().ok())
    }

    /// A text field of the body; numbers are converted, because clients send ids as either type.
    pub(crate) fn text(&self, field: &str) -> String {
        text_of(&self.body[field])
    }

    /// All pairs of sid and uin in this request: from the cookies, `BaseRequest`, the query and the form.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = (String, String)> {
        let base = &self.body["BaseRequest"];
        let owned = |text: Option<&str>| text.unwrap_or("").to_owned();
        [
            (owned(self.cookie("wxsid")), owned(self.cookie("wxuin"))),
            (text_of(&base["Sid"]), text_of(&base["Uin"])),
            (owned(self.query("sid")), owned(self.query("uin"))),
            // The form of the logout.
            (text_of(&self.body["sid"]), text_of(&self.body["uin"])),
        ]
        .into_iter()
        .filter(|(sid, _)| !sid.is_empty())
    }
}

/// A string as it is, a number as its digits, any other value as the empty string.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => whole(number).unwrap_or_else(|| number.to_string()),
        _ => String::new(),
    }
}

/// A value as an integer; a string of digits is accepted.
pub(crate) fn number_of(value: &Value) -> Option<i64> {
    text_of(value).trim().parse().ok()
}

/// A float without a fraction: some languages write large integers this way.
fn whole(number: &serde_json::Number) -> Option<String> {
    let float = number
        .as_f64()
        .filter(|float| !number.is_i64() && !number.is_u64() && float.fract() == 0.0)?;
    Some(format!("{float:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_may_be_texts_or_numbers() {
        for (value, text) in [
            (json!("1"), "1"),
            (json!(15_139_251_046_900_833_u64), "15139251046900833"),
            (json!(1.6e16), "16000000000000000"),
            (json!(null), ""),
            (json!([1]), ""),
        ] {
            assert_eq!(text_of(&value), text);
        }
    }

    #[test]
    fn a_cookie_beyond_ascii_leaves_the_others() {
        use axum::http::HeaderValue;
        let value = HeaderValue::from_bytes(b"nick=\xe5\xb0\x8f\xe5; wxsid=a; wxuin=1").unwrap();
        let cookies = cookies(&HeaderMap::from_iter([(header::COOKIE, value)]));
        let sid = cookies.iter().find(|(name, _)| name == "wxsid");
        assert_eq!(sid.map(|(_, value)| value.as_str()), Some("a"));
    }

    #[test]
    fn queries_are_read_encoded_and_raw() {
        let read = pairs("sid=a%2Bb%3D&sid2=a+b=&x", '&', percent_decode);
        let expected = [("sid", "a+b="), ("sid2", "a+b="), ("x", "")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
