//! A language model behind the HTTP API that most servers speak: `POST /v1/chat/completions`.

use std::time::Duration;

use mynah::prelude::HandlerError;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How long an answer may take. It is asked for once: a model that is slow is not faster when it is asked twice.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A chat message should stay short, and a model that talks without end costs.
const LONGEST_ANSWER: u32 = 400;

/// A larger body is no answer of a model that was asked for so little.
const LARGEST_BODY: usize = 256 * 1024;

/// Who said something, in the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    System,
    User,
    Assistant,
}

/// Something said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) role: Role,
    pub(crate) content: String,
}

/// A model on a server.
pub(crate) struct Model {
    client: Client,
    address: Url,
    name: String,
    patience: Duration,
}

/// Why there is no answer. Holds neither the key nor what was asked.
#[derive(Debug, Error)]
pub(crate) enum ModelError {
    #[error("the model could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the model's server answered {0}")]
    Status(StatusCode),
    #[error("the answer is larger than {LARGEST_BODY} bytes")]
    TooLarge,
    #[error("the answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("the answer is empty")]
    Empty,
}

#[derive(Serialize)]
struct Question<'a> {
    model: &'a str,
    messages: &'a [Line],
    max_tokens: u32,
    stream: bool,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
}

/// The message of an answer: some servers leave the content out.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
}

impl Model {
    /// The model of that name on the server at this base address.
    pub(crate) fn new(
        server: &str,
        name: String,
        key: Option<String>,
        patience: Duration,
    ) -> Result<Self, HandlerError> {
        let address = Url::parse(&format!("{}/v1/chat/completions", server.trim_end_matches('/')))?;
        let mut client = Client::builder().timeout(patience).default_headers(headers(key)?);
        if address.scheme() == "http" {
            // A server on this machine or next to it: neither certificates nor a proxy belong there.
            client = client.tls_certs_only([]).no_proxy();
        }
        Ok(Self { client: client.build()?, address, name, patience })
    }

    /// How long an answer may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// What the model says next.
    pub(crate) async fn answer(&self, messages: &[Line]) -> Result<String, ModelError> {
        let question =
            Question { model: &self.name, messages, max_tokens: LONGEST_ANSWER, stream: false };
        let body = serde_json::to_vec(&question).map_err(ModelError::Unreadable)?;
        let request = self.client.post(self.address.clone()).body(body);
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(ModelError::Status(response.status()));
        }
        let answer: Answer =
            serde_json::from_slice(&body_of(response).await?).map_err(ModelError::Unreadable)?;
        let said = answer.choices.into_iter().find_map(|choice| choice.message.content);
        match said.as_deref().map(str::trim) {
            None | Some("") => Err(ModelError::Empty),
            Some(text) => Ok(text.to_owned()),
        }
    }
}

fn headers(key: Option<String>) -> Result<HeaderMap, HandlerError> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        let mut value = HeaderValue::try_from(format!("Bearer {key}"))?;
        // So that no log of the client shows it.
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// The body, read up to what a model may say.
async fn body_of(mut response: Response) -> Result<Vec<u8>, ModelError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_BODY {
            return Err(ModelError::TooLarge);
        }
    }
    Ok(body)
}

/// Without the address, which may hold a secret.
fn unreachable(error: reqwest::Error) -> ModelError {
    ModelError::Unreachable(error.without_url())
}
