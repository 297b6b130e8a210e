//! A request on its way through redirects.

use bytes::Bytes;
use mynah_core::FetchFailure;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, LOCATION,
    PROXY_AUTHORIZATION,
};
use reqwest::{Method, Request, Response, StatusCode, Url};

use crate::{FetchClient, Target};

/// The most redirects of a request.
const MOST_REDIRECTS: usize = 3;

/// The name of the header by which a service recognises a repeated request.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request to one address.
#[derive(Debug)]
pub(crate) struct Hop {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// The headers that are for the first host only.
    pub(crate) secret_headers: Vec<HeaderName>,
    pub(crate) body: Option<Bytes>,
    /// A secret in the body, which is for the first host only.
    pub(crate) secret_in_body: Option<String>,
}

/// The end of the redirects.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) response: Response,
    pub(crate) target: Target,
}

/// Sends a request and follows redirects. `allows` decides of each host, `accepts` which statuses are an answer although
/// they are redirects. The client checks the address at each.
pub(crate) async fn follow(
    client: &FetchClient,
    mut hop: Hop,
    allows: impl Fn(&Target) -> Result<(), FetchFailure>,
    accepts: impl Fn(u16) -> bool,
) -> Result<Arrived, FetchFailure> {
    for _ in 0..=MOST_REDIRECTS {
        let target = target(&hop.url)?;
        allows(&target)?;
        let response = client.send(&target, hop.request()).await?;
        let status = response.status();
        if !is_redirect(status) || accepts(status.as_u16()) {
            return Ok(Arrived { response, target });
        }
        let Some(next) = location(&response, &hop.url)? else {
            return Ok(Arrived { response, target });
        };
        hop.turn_to(next, &target, status)?;
    }
    Err(FetchFailure::Address(format!("more than {MOST_REDIRECTS} redirects")))
}

/// The host of an address.
pub(crate) fn target(url: &Url) -> Result<Target, FetchFailure> {
    Target::try_from(url).map_err(|error| FetchFailure::Address(error.to_string()))
}

impl Hop {
    fn request(&self) -> Request {
        let mut request = Request::new(self.method.clone(), self.url.clone());
        request.headers_mut().clone_from(&self.headers);
        *request.body_mut() = self.body.clone().map(Into::into);
        request
    }

    /// Changes the request for the next address, as browsers do.
    fn turn_to(&mut self, url: Url, from: &Target, status: StatusCode) -> Result<(), FetchFailure> {
        let becomes_get = match status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = None;
            self.secret_in_body = None;
            for name in [CONTENT_TYPE, CONTENT_ENCODING, IDEMPOTENCY_KEY] {
                self.headers.remove(name);
            }
        }
        let to = target(&url)?;
        if to != *from {
            if let Some(name) = self.secret_in_body.clone() {
                return Err(FetchFailure::SecretRefused { name, host: to.to_string() });
            }
            let secret = self.secret_headers.drain(..);
            for name in secret.chain([AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION]) {
                self.headers.remove(name);
            }
        }
        self.url = url;
        Ok(())
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The address to which a redirect leads; `None` if it names none.
fn location(response: &Response, from: &Url) -> Result<Option<Url>, FetchFailure> {
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let text = std::str::from_utf8(location.as_bytes()).ok();
    let url = text.and_then(|text| from.join(text).ok());
    url.map(Some).ok_or_else(|| {
        FetchFailure::Address("a redirect leads to an address that is not valid".to_owned())
    })
}
