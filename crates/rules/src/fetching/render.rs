//! The request for the values of a moment.

use std::borrow::Cow;
use std::fmt::Write as _;

use mynah_core::{
    FetchBody, FetchFailure, FetchPiece, FetchRequest, FetchStatus, FetchText, is_unprintable,
    percent_encode,
};
use mynah_matching::template::{Template, Values};

use super::text::{NamedPiece, NamedText};
use super::{Body, Fetching, Json, LONGEST_URL};

/// The reason why an address is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// It has more than [`LONGEST_URL`] characters.
    TooLong,
    /// A part of its path is `.` or `..`.
    Dots,
}

impl From<Unsent> for FetchFailure {
    fn from(unsent: Unsent) -> Self {
        let reason = match unsent {
            Unsent::TooLong => "the address is too long",
            Unsent::Dots => "a part of the path is . or ..",
        };
        Self::Address(reason.to_owned())
    }
}

/// The place of a value, which decides how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Url,
    Header,
    Text,
    Json,
}

/// The values of names at a place.
struct Encoded<'v> {
    values: &'v dyn Values,
    place: Place,
}

impl Values for Encoded<'_> {
    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.values.value(name).map(|value| self.place.encoded(&value).into())
    }

    fn value_at(&self, name: &str, place: usize) -> Option<Cow<'_, str>> {
        self.values.value_at(name, place).map(|value| self.place.encoded(&value).into())
    }
}

impl Place {
    fn encoded(self, value: &str) -> String {
        match self {
            Self::Url => percent_encoded(value),
            Self::Header => value.chars().filter(|c| !is_unprintable(*c)).collect(),
            Self::Text => value.to_owned(),
            Self::Json => escaped(value),
        }
    }

    /// The text of the author at this place.
    fn fixed(self, text: String) -> String {
        match self {
            Self::Url => canonical(&text),
            Self::Header | Self::Text | Self::Json => text,
        }
    }
}

impl Fetching {
    /// Whether the address is sent with these values.
    ///
    /// # Errors
    ///
    /// The reason why it is not.
    pub(crate) fn fits(&self, values: &dyn Values) -> Result<(), Unsent> {
        fits(&rendered(&self.url, values, Place::Url))
    }

    /// The request.
    ///
    /// # Errors
    ///
    /// If the values make an address that is not sent.
    pub(crate) fn request(&self, values: &dyn Values) -> Result<FetchRequest, FetchFailure> {
        let url = rendered(&self.url, values, Place::Url);
        fits(&url)?;
        let mut headers: Vec<(String, FetchText)> = Vec::with_capacity(self.headers.len() + 1);
        for (name, text) in &self.headers {
            headers.push((name.clone(), rendered(text, values, Place::Header)));
        }
        let body = self.body.as_ref().map(|body| body.rendered(values));
        if let Some((content_type, _)) = &body
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("Content-Type".to_owned(), FetchText::plain(*content_type)));
        }
        Ok(FetchRequest {
            method: self.method.clone(),
            url,
            headers,
            body: body.map(|(_, body)| body),
            timeout: self.timeout,
            cache: self.cache,
            status: self
                .status
                .iter()
                .map(|(first, last)| FetchStatus { first: *first, last: *last })
                .collect(),
            idempotency_key: None,
        })
    }
}

impl Body {
    /// The kind of content, and the body.
    fn rendered(&self, values: &dyn Values) -> (&'static str, FetchBody) {
        match self {
            Self::Text(text) => {
                ("text/plain; charset=utf-8", FetchBody::Text(rendered(text, values, Place::Text)))
            }
            Self::Form(text) => (
                "application/x-www-form-urlencoded",
                FetchBody::Form(rendered(text, values, Place::Url)),
            ),
            Self::Json(json) => {
                let mut pieces = Vec::new();
                json.write(values, &mut pieces);
                ("application/json", FetchBody::Json(FetchText(pieces)))
            }
        }
    }
}

impl Json {
    fn write(&self, values: &dyn Values, pieces: &mut Vec<FetchPiece>) {
        match self {
            Self::Text(text) => {
                push(pieces, "\"");
                write(text, values, Place::Json, pieces);
                push(pieces, "\"");
            }
            Self::Fixed(value) => push(pieces, &value.to_string()),
            Self::List(items) => {
                push(pieces, "[");
                for (n, item) in items.iter().enumerate() {
                    push(pieces, if n == 0 { "" } else { "," });
                    item.write(values, pieces);
                }
                push(pieces, "]");
            }
            Self::Table(entries) => {
                push(pieces, "{");
                for (n, (key, value)) in entries.iter().enumerate() {
                    let comma = if n == 0 { "" } else { "," };
                    push(pieces, &format!("{comma}\"{}\":", escaped(key)));
                    value.write(values, pieces);
                }
                push(pieces, "}");
            }
        }
    }
}

fn rendered(text: &NamedText, values: &dyn Values, place: Place) -> FetchText {
    let mut pieces = Vec::new();
    write(text, values, place, &mut pieces);
    FetchText(pieces)
}

fn write(text: &NamedText, values: &dyn Values, place: Place, pieces: &mut Vec<FetchPiece>) {
    for piece in &text.0 {
        match piece {
            NamedPiece::Text(template) => {
                let text = template_at(template, values, place);
                push(pieces, &place.fixed(text));
            }
            NamedPiece::Secret(name) => pieces.push(FetchPiece::Secret(name.clone())),
        }
    }
}

/// The text of a template. In JSON the text of the author is escaped as the values are.
fn template_at(template: &Template, values: &dyn Values, place: Place) -> String {
    if place == Place::Json {
        return escaped(&template.render_text(values));
    }
    template.render_text(&Encoded { values, place })
}

fn push(pieces: &mut Vec<FetchPiece>, text: &str) {
    match pieces.last_mut() {
        Some(FetchPiece::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(FetchPiece::Text(text.to_owned())),
    }
}

/// A value inside of an address: only letters, digits and `-._~` stay.
pub(crate) fn percent_encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    percent_encode(value, &mut encoded);
    encoded
}

/// An address as it is sent: characters that it cannot have are percent-encoded.
pub(crate) fn canonical(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_other =
            matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
        if byte.is_ascii_graphic() && !is_other {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A value must not lead out of its place in the path: `..` goes up, in every notation.
fn fits(url: &FetchText) -> Result<(), Unsent> {
    let text = url.to_string();
    if text.chars().count() > LONGEST_URL {
        return Err(Unsent::TooLong);
    }
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let is_dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    if path.split('/').skip(3).any(is_dots) {
        return Err(Unsent::Dots);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fetching::Take;

    /// Every name has this value.
    struct Always(&'static str);

    impl Values for Always {
        fn value(&self, _: &str) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }
    }

    fn named(text: &str) -> NamedText {
        NamedText::parse(text).expect("a text")
    }

    fn fetching(url: &str) -> Fetching {
        Fetching {
            method: "GET".to_owned(),
            url: named(url),
            headers: Vec::new(),
            body: None,
            take: vec![("x".to_owned(), Take::Text)],
            timeout: Duration::from_secs(5),
            cache: None,
            status: Vec::new(),
            reply: None,
        }
    }

    fn url(url: &str, value: &'static str) -> Result<String, FetchFailure> {
        fetching(url).request(&Always(value)).map(|request| request.url.to_string())
    }

    #[test]
    fn a_value_stays_in_its_place_of_the_address() {
        for (value, encoded) in [
            ("北京", "%E5%8C%97%E4%BA%AC"),
            ("a b&c=d#e/f?g", "a%20b%26c%3Dd%23e%2Ff%3Fg"),
            ("@evil.example", "%40evil.example"),
            ("%2e%2e", "%252e%252e"),
            ("\r\nHost: evil", "%0D%0AHost%3A%20evil"),
            // The name of a secret that a person writes is text.
            ("${KEY}", "%24%7BKEY%7D"),
        ] {
            let expected = format!("https://a.example/w?q={encoded}&k=${{KEY}}");
            assert_eq!(url("https://a.example/w?q={q}&k=${KEY}", value), Ok(expected));
            assert_eq!(
                url("https://a.example/u/{q}/x", value),
                Ok(format!("https://a.example/u/{encoded}/x"))
            );
        }
        let request = fetching("https://a.example/?q={q}").request(&Always("${KEY}")).unwrap();
        assert_eq!(request.url.secrets().count(), 0);
    }

    #[test]
    fn a_value_does_not_go_up_in_the_path() {
        for value in [".", ".."] {
            let failure = url("https://a.example/u/{q}/public", value).unwrap_err();
            assert!(matches!(failure, FetchFailure::Address(_)), "{failure}");
            assert!(url("https://a.example/u?q={q}", value).is_ok(), "a query has no path");
        }
        assert!(url("https://a.example/u/v{q}", "..").is_ok(), "not the whole part");
        assert!(url("https://a.example/u/%2e{q}", ".").is_err());
    }

    #[test]
    fn an_address_has_a_bound_and_one_form() {
        let long: &'static str = "好".repeat(1_000).leak();
        assert!(url("https://a.example/?q={q}", long).is_err());
        let form = "https://a.example/%E5%A4%A9?a%20b=%22".to_owned();
        assert_eq!(url("https://a.example/天?a b=\"", ""), Ok(form.clone()));
        assert_eq!(canonical(&form), form);
    }

    #[test]
    fn a_value_in_json_is_a_value() {
        let body = Json::Table(vec![
            ("q\"".to_owned(), Json::Text(named("<{q}>"))),
            ("k".to_owned(), Json::Text(named("Bearer ${KEY}\""))),
            ("n".to_owned(), Json::List(vec![Json::Fixed(1.into()), Json::Fixed(true.into())])),
        ]);
        let fetching = Fetching { body: Some(Body::Json(body)), ..fetching("https://a.example/") };
        let request = fetching.request(&Always("a\",\"x\":\"b\n\\")).unwrap();
        let Some(FetchBody::Json(text)) = &request.body else { panic!("{:?}", request.body) };
        let json: serde_json::Value = serde_json::from_str(&text.to_string()).expect("JSON");
        assert_eq!(json["q\""], "<a\",\"x\":\"b\n\\>");
        assert_eq!(json["k"], "Bearer ${KEY}\"");
        assert_eq!(json["n"], serde_json::json!([1, true]));
        assert_eq!(text.secrets().collect::<Vec<_>>(), ["KEY"]);
        assert_eq!(
            request.headers,
            [("Content-Type".to_owned(), FetchText::plain("application/json"))]
        );
    }

    #[test]
    fn a_value_in_a_header_breaks_no_line() {
        let headers = vec![("X-Who".to_owned(), named("{q}"))];
        let fetching = Fetching { headers, ..fetching("https://a.example/") };
        let request = fetching.request(&Always("a\r\nX-Admin: yes\u{2028}\0")).unwrap();
        assert_eq!(request.headers[0].1.to_string(), "aX-Admin: yes");
    }

    #[test]
    fn a_value_in_a_form_is_encoded() {
        let body = Some(Body::Form(named("q={q}&a=1&k=${KEY}")));
        let fetching = Fetching { body, ..fetching("https://a.example/") };
        let request = fetching.request(&Always("x&admin=1")).unwrap();
        let Some(FetchBody::Form(body)) = request.body else { panic!("{:?}", request.body) };
        assert_eq!(body.to_string(), "q=x%26admin%3D1&a=1&k=${KEY}");
        assert_eq!(body.secrets().collect::<Vec<_>>(), ["KEY"]);
    }
}
