//! A client of chat completions, as most servers of language models offer them.

use std::time::Duration;

use bytes::Bytes;
use mynah_core::with_causes;
use mynah_fetch::{AddressPolicy, GuardedResolver, Target};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::answer;
use crate::{Failure, Model};

/// The longest answer of a server, in bytes.
const LONGEST_ANSWER: usize = 1 << 20;

/// The longest words of a server about a wrong request, in characters.
const LONGEST_REASON: usize = 200;

/// So many characters of the key in a text are not a coincidence.
const PART_OF_KEY: usize = 6;

/// A client of the server of a model.
#[derive(Debug)]
pub(crate) struct ModelClient {
    client: Client,
    url: Url,
    key: Option<HeaderValue>,
    timeout: Duration,
    permits: Semaphore,
}

impl ModelClient {
    /// Prepares to ask a model.
    pub(crate) fn new(
        model: &Model,
        (timeout, at_once): (Duration, usize),
    ) -> Result<Self, Failure> {
        let failed =
            |error: &(dyn std::error::Error + 'static)| Failure::Service(with_causes(error));
        let url = endpoint(&model.url).map_err(|error| failed(&error))?;
        let target = Target::try_from(&url).map_err(|error| failed(&error))?;
        let policy = match model.key {
            Some(_) => AddressPolicy::for_secrets(&target),
            None => AddressPolicy::Any,
        };
        policy.check_literal(&target).map_err(|error| failed(&error))?;
        let resolver = GuardedResolver::of_system(policy);
        let client = Client::builder().redirect(Policy::none()).no_proxy().dns_resolver(resolver);
        let client = client.build().map_err(|error| failed(&error))?;
        let bearer = |key: &String| {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))?;
            value.set_sensitive(true);
            Ok::<_, reqwest::header::InvalidHeaderValue>(value)
        };
        let key = model.key.as_ref().map(bearer).transpose().map_err(|_| {
            Failure::Service("the key has characters that no HTTP header can have".to_owned())
        })?;
        Ok(Self { client, url, key, timeout, permits: Semaphore::new(at_once) })
    }

    /// Sends a request and returns the text of the answer, which may be empty. The wait for other requests counts for the
    /// time-out.
    pub(crate) async fn ask(&self, body: String) -> Result<String, Failure> {
        let until = Instant::now() + self.timeout;
        let asked = async {
            let _permit = self.permits.acquire().await.map_err(|_| Failure::Stopped)?;
            self.exchange(Bytes::from(body), until).await
        };
        timeout_at(until, asked).await.unwrap_or(Err(Failure::TimedOut(self.timeout)))
    }

    async fn exchange(&self, body: Bytes, until: Instant) -> Result<String, Failure> {
        let mut response = self.post(body.clone()).await?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS
            && let Some(again) = retry_at(&response).filter(|again| *again < until)
        {
            drop(response);
            sleep_until(again).await;
            response = self.post(body).await?;
        }
        let status = response.status();
        if !status.is_success() {
            let reason = self.reason(response).await;
            return Err(Failure::Service(format!("it answered with status {status}{reason}")));
        }
        answer::text(&read(response).await?)
    }

    async fn post(&self, body: Bytes) -> Result<Response, Failure> {
        match self.post_once(body.clone()).await {
            // Nothing was sent: a server that is being replaced answers a moment later.
            Err(error) if error.is_connect() => self.post_once(body).await,
            other => other,
        }
        .map_err(failed)
    }

    async fn post_once(&self, body: Bytes) -> reqwest::Result<Response> {
        let mut request = self.client.post(self.url.clone()).body(body);
        request = request.header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        request.send().await
    }

    /// The words of the server about a wrong request, as that the model does not exist. Servers repeat keys, and parts of
    /// them, in such words: then they are not shown.
    async fn reason(&self, response: Response) -> String {
        if !matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) {
            return String::new();
        }
        let Ok(body) = read(response).await else { return String::new() };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = body.pointer("/error/message").or(body.get("error")).and_then(Value::as_str);
        let message = message.unwrap_or_default();
        let is_shown = |c: &char| !mynah_core::is_unprintable(*c);
        let shown: String = message.chars().filter(is_shown).take(LONGEST_REASON).collect();
        if shown.is_empty() || self.has_part_of_key(&shown) {
            return String::new();
        }
        format!(": {shown}")
    }

    fn has_part_of_key(&self, text: &str) -> bool {
        let Some(key) = self.key.as_ref().and_then(|key| key.to_str().ok()) else { return false };
        let key = key.trim_start_matches("Bearer ").as_bytes();
        key.windows(PART_OF_KEY.min(key.len()).max(1))
            .any(|part| text.as_bytes().windows(part.len()).any(|at| at == part))
    }
}

/// The address for chat completions below a base address, with its query.
fn endpoint(base: &str) -> Result<Url, url::ParseError> {
    let mut url = Url::parse(base)?;
    let path = format!("{}/chat/completions", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// When a limited request may be sent again, if the server says so in seconds.
fn retry_at(response: &Response) -> Option<Instant> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Instant::now().checked_add(wait)
}

/// The body, up to the limit.
async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if text.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Failure::Service("the answer is larger than 1 MiB".to_owned()));
        }
        text.extend_from_slice(&chunk);
        if answer::is_over(&text) {
            break;
        }
    }
    Ok(text)
}

/// The address may contain a secret, and is not shown.
fn failed(error: reqwest::Error) -> Failure {
    Failure::Service(with_causes(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_is_below_the_base() {
        for (base, expected) in [
            ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/chat/completions"),
            ("https://x.example/v1/", "https://x.example/v1/chat/completions"),
            ("https://x.example", "https://x.example/chat/completions"),
            ("https://x.example/m?v=2", "https://x.example/m/chat/completions?v=2"),
        ] {
            assert_eq!(endpoint(base).unwrap().as_str(), expected);
        }
    }
}
