//! A service that answers requests by HTTP.

use std::time::Duration;

use bytes::Bytes;
use mynah_core::with_causes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::process::Answered;
use crate::{Failure, LONGEST_LINE, Service};

/// A service that answers requests by HTTP.
#[derive(Debug)]
pub(crate) struct HttpService {
    client: Client,
    url: Url,
    key: Option<HeaderValue>,
    timeout: Duration,
    permits: Semaphore,
}

impl HttpService {
    /// Prepares to call a service.
    pub(crate) fn new(
        service: &Service,
        (timeout, at_once): (Duration, usize),
    ) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Service(error.to_string());
        let url = Url::parse(&service.url).map_err(|error| failed(&error))?;
        let client = Client::builder().redirect(Policy::none()).no_proxy().build();
        let client = client.map_err(|error| failed(&error))?;
        let bearer = |key: &String| {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))?;
            value.set_sensitive(true);
            Ok::<_, reqwest::header::InvalidHeaderValue>(value)
        };
        let key = service.key.as_ref().map(bearer).transpose().map_err(|_| {
            Failure::Service("the key has characters that no HTTP header can have".to_owned())
        })?;
        Ok(Self { client, url, key, timeout, permits: Semaphore::new(at_once) })
    }

    /// Asks the service.
    pub(crate) async fn ask(&self, id: &str, body: Bytes) -> Answered {
        let _permit = self.permits.acquire().await.map_err(|_| Failure::Stopped)?;
        match timeout(self.timeout, self.exchange(id, body)).await {
            Ok(answered) => answered,
            Err(_) => Err(Failure::TimedOut(self.timeout)),
        }
    }

    async fn exchange(&self, id: &str, body: Bytes) -> Answered {
        let response = match self.post(body.clone()).await {
            // Nothing was sent: a service that is being replaced answers a moment later.
            Err(error) if error.is_connect() => self.post(body).await,
            other => other,
        };
        let response = response.map_err(failed)?;
        if !response.status().is_success() {
            return Err(Failure::Service(format!("it answered with status {}", response.status())));
        }
        let text = read(response).await?;
        let answer: Map<String, Value> = serde_json::from_slice(&text).map_err(|error| {
            Failure::Service(format!("the answer is not a JSON object: {error}"))
        })?;
        match answer.get("id") {
            None => Ok(answer),
            Some(Value::String(answered)) if answered == id => Ok(answer),
            Some(_) => Err(Failure::Answer("id: not that of the request".to_owned())),
        }
    }

    async fn post(&self, body: Bytes) -> reqwest::Result<Response> {
        let mut request = self.client.post(self.url.clone()).body(body);
        request = request.header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        request.send().await
    }
}

/// The body, up to the limit.
async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if text.len() + chunk.len() > LONGEST_LINE {
            return Err(Failure::Service(format!("the answer has more than {LONGEST_LINE} bytes")));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

/// The address may contain a secret, and is not shown.
fn failed(error: reqwest::Error) -> Failure {
    Failure::Service(with_causes(&error.without_url()))
}
