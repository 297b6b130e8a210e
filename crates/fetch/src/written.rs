//! The request of a rule as it is sent to its host, with the values of secrets.

use std::fmt::Write;

use mynah_core::{
    FetchBody, FetchFailure, FetchPiece, FetchRequest, FetchText, RESERVED_HEADERS, percent_encode,
};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::hops::{self, Hop, IDEMPOTENCY_KEY};
use crate::{BadAddress, FetchSettings, Target, body};

/// How the value of a secret is put into a text.
type Put = fn(&str, &mut String);

/// The request as it is sent to its host, if all of its secrets may go there.
pub(crate) fn hop(request: &FetchRequest, settings: &FetchSettings) -> Result<Hop, FetchFailure> {
    let target = first_target(&request.url)?;
    let writer = Writer { settings, target: &target };
    let url = writer.url(&request.url)?;
    let (mut headers, secret_headers) = writer.headers(&request.headers)?;
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(body::UNDERSTOOD));
    if let Some(key) = &request.idempotency_key {
        let key = HeaderValue::from_str(key);
        headers
            .insert(IDEMPOTENCY_KEY, key.map_err(|_| wrong("the idempotency key is not plain"))?);
    }
    let body = match &request.body {
        Some(FetchBody::Text(text)) => Some(writer.revealed(text, as_it_is)?.into()),
        Some(FetchBody::Form(text)) => Some(writer.revealed(text, percent_encode)?.into()),
        Some(FetchBody::Json(text)) => Some(writer.revealed(text, escape_json)?.into()),
        None => None,
    };
    let secret_in_body = request.body.as_ref().and_then(|body| body.text().secrets().next());
    let secret_in_body = secret_in_body.map(str::to_owned);
    Ok(Hop { method: method(&request.method)?, url, headers, secret_headers, body, secret_in_body })
}

struct Writer<'a> {
    settings: &'a FetchSettings,
    target: &'a Target,
}

impl Writer<'_> {
    fn url(&self, text: &FetchText) -> Result<Url, FetchFailure> {
        let url = Url::parse(&self.revealed(text, percent_encode)?);
        let url = url.map_err(|_| wrong("the address is not valid"))?;
        // No text moves the host, even a hostile one.
        if hops::target(&url)? != *self.target {
            return Err(wrong("a text moves the host of the address"));
        }
        Ok(url)
    }

    /// The headers, and the names of those with secrets.
    fn headers(
        &self,
        given: &[(String, FetchText)],
    ) -> Result<(HeaderMap, Vec<HeaderName>), FetchFailure> {
        let (mut headers, mut secret) = (HeaderMap::new(), Vec::new());
        for (name, text) in given {
            let name = header_name(name)?;
            let value = HeaderValue::from_bytes(self.revealed(text, as_it_is)?.as_bytes());
            let mut value =
                value.map_err(|_| wrong(format!("the header {name} has control characters")))?;
            if text.secrets().next().is_some() {
                value.set_sensitive(true);
                secret.push(name.clone());
            }
            headers.append(name, value);
        }
        Ok((headers, secret))
    }

    /// A text with the values of its secrets.
    fn revealed(&self, text: &FetchText, put: Put) -> Result<String, FetchFailure> {
        let mut whole = String::new();
        for piece in &text.0 {
            match piece {
                FetchPiece::Text(text) => whole.push_str(text),
                FetchPiece::Secret(name) => {
                    put(self.settings.secret(name, self.target)?, &mut whole);
                }
            }
        }
        Ok(whole)
    }
}

fn method(name: &str) -> Result<Method, FetchFailure> {
    Ok(match name {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => return Err(wrong("the method is not known")),
    })
}

/// The host of the first request, which is before the first secret.
pub(crate) fn first_target(url: &FetchText) -> Result<Target, FetchFailure> {
    let Some(FetchPiece::Text(first)) = url.0.first() else {
        return Err(wrong("the address does not begin with its host"));
    };
    let has_whole_host = url.0.len() == 1
        || first.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']));
    if !has_whole_host {
        return Err(wrong("a secret is in the host of the address"));
    }
    first.parse().map_err(|error: BadAddress| wrong(error.to_string()))
}

fn header_name(name: &str) -> Result<HeaderName, FetchFailure> {
    let parsed = HeaderName::from_bytes(name.as_bytes());
    let parsed = parsed.map_err(|_| wrong("a header has a name that is not valid"))?;
    if RESERVED_HEADERS.contains(&parsed.as_str()) {
        return Err(wrong(format!("the header {parsed} is not for rules")));
    }
    Ok(parsed)
}

fn wrong(text: impl Into<String>) -> FetchFailure {
    FetchFailure::Address(text.into())
}

fn as_it_is(text: &str, whole: &mut String) {
    whole.push_str(text);
}

/// Escapes a text for the inside of a JSON string.
fn escape_json(text: &str, whole: &mut String) {
    for c in text.chars() {
        match c {
            '"' | '\\' => whole.extend(['\\', c]),
            c if c.is_control() => {
                // Writing into a string does not fail.
                let _ = write!(whole, "\\u{:04x}", u32::from(c));
            }
            c => whole.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{HostSecret, SecretText};

    fn text(text: &str) -> FetchPiece {
        FetchPiece::Text(text.to_owned())
    }

    fn secret(name: &str) -> FetchPiece {
        FetchPiece::Secret(name.to_owned())
    }

    fn request(url: Vec<FetchPiece>) -> FetchRequest {
        FetchRequest {
            method: "POST".to_owned(),
            url: FetchText(url),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(5),
            cache: None,
            status: Vec::new(),
            idempotency_key: None,
        }
    }

    fn written(request: &FetchRequest) -> Result<Hop, FetchFailure> {
        let host = "api.example.com".parse().unwrap();
        let value = SecretText::new("a/b\"?\u{7f}&é");
        let secrets = [("KEY".to_owned(), HostSecret { host, value })].into();
        hop(request, &FetchSettings { secrets, ..FetchSettings::default() })
    }

    #[test]
    fn a_secret_is_encoded_for_its_place() {
        let url = vec![text("https://api.example.com/"), secret("KEY"), text("?k="), secret("KEY")];
        let mut request = request(url);
        let hop = written(&request).unwrap();
        let encoded = "a%2Fb%22%3F%7F%26%C3%A9";
        assert_eq!(hop.url.as_str(), format!("https://api.example.com/{encoded}?k={encoded}"));
        let body = FetchText(vec![text("{\"k\":\""), secret("KEY"), text("\"}")]);
        request.body = Some(FetchBody::Json(body.clone()));
        let hop = written(&request).unwrap();
        assert_eq!(hop.body.unwrap(), "{\"k\":\"a/b\\\"?\\u007f&é\"}".as_bytes());
        assert_eq!(hop.secret_in_body.as_deref(), Some("KEY"));
        request.body = Some(FetchBody::Text(body));
        let hop = written(&request).unwrap();
        assert_eq!(hop.body.unwrap(), "{\"k\":\"a/b\"?\u{7f}&é\"}".as_bytes());
        let form = FetchText(vec![text("k="), secret("KEY"), text("&admin=0")]);
        request.body = Some(FetchBody::Form(form));
        let hop = written(&request).unwrap();
        assert_eq!(hop.body.unwrap(), format!("k={encoded}&admin=0").as_bytes());
        // This value has a control character, which no header can have; the error does not show it.
        request.headers = vec![("x-key".to_owned(), FetchText(vec![secret("KEY")]))];
        let error = written(&request).unwrap_err().to_string();
        assert_eq!(error, "the header x-key has control characters");
    }

    #[test]
    fn a_secret_in_the_host_is_refused() {
        for url in [
            vec![secret("KEY")],
            vec![text("https://"), secret("KEY"), text(".example.com/")],
            vec![text("https://api.example.com"), secret("KEY")],
            vec![text("https://api.example.com:"), secret("KEY"), text("/")],
            vec![text("https://api.example.com@"), secret("KEY"), text("/")],
            vec![text("https://evil.test/"), secret("KEY")],
            vec![text("http://api.example.com/"), secret("KEY")],
            vec![text("https://api.example.com/"), secret("PATH")],
            vec![text("https://api.example.com\\@evil.test/"), secret("PATH")],
        ] {
            let failure = written(&request(url.clone())).unwrap_err();
            assert!(!failure.to_string().contains("a/b"), "{failure}");
        }
    }

    #[test]
    fn headers_cannot_be_smuggled() {
        for (name, value) in [
            ("x", "a\r\nHost: evil.test"),
            ("x", "a\nb"),
            ("x", "a\0b"),
            ("x\r\ny", "a"),
            ("x y", "a"),
            ("x:", "a"),
            ("", "a"),
            ("Host", "evil.test"),
            ("Content-Length", "3"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "upgrade"),
            ("Accept-Encoding", "br"),
            ("Proxy-Authorization", "Basic eA=="),
            ("Idempotency-Key", "1"),
        ] {
            let mut request = request(vec![text("https://api.example.com/")]);
            request.headers = vec![(name.to_owned(), FetchText::plain(value))];
            assert!(written(&request).is_err(), "{name:?}: {value:?}");
        }
        let mut request = request(vec![text("https://api.example.com/")]);
        request.headers = vec![("X-Text".to_owned(), FetchText::plain("天气\tx"))];
        assert!(written(&request).is_ok());
        request.method = "CONNECT".to_owned();
        assert!(written(&request).is_err());
    }
}
