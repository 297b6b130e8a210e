//! A language model behind the HTTP API that most servers offer: `POST /v1/chat/completions`.

use std::time::Duration;

use mynah::prelude::HandlerError;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The time-out of an answer. There is no retry: it would not make a slow model faster.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// Chat messages should be short, and long answers cost money.
const LONGEST_ANSWER: u32 = 400;

/// The most bytes of an answer: more than a model needs for so few tokens.
const LARGEST_BODY: usize = 256 * 1024;

/// The author of a line, in the terms of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    System,
    User,
    Assistant,
}

/// A line of the conversation.
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

/// The reason for a missing answer. Contains neither the key nor the question.
#[derive(Debug, Error)]
pub(crate) enum ModelError {
    #[error("the model could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the server of the model answered {0}")]
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
    message: AnswerMessage,
}

/// The message in an answer. Some servers omit the content.
#[derive(Deserialize)]
struct AnswerMessage {
    #[serde(default)]
    content: Option<String>,
}

impl Model {
    /// The model `name` on the server at this base address.
    pub(crate) fn new(
        server: &str,
        name: String,
        key: Option<String>,
        patience: Duration,
    ) -> Result<Self, HandlerError> {
        let address = Url::parse(&format!("{}/v1/chat/completions", server.trim_end_matches('/')))?;
        let mut client = Client::builder().timeout(patience).default_headers(headers(key)?);
        if address.scheme() == "http" {
            // A server on this machine or in the local network needs neither certificates nor a proxy.
            client = client.tls_certs_only([]).no_proxy();
        }
        Ok(Self { client: client.build()?, address, name, patience })
    }

    /// The time-out of an answer.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// The answer of the model to the conversation.
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
        // Keeps the key out of the logs of the client.
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

/// Reads the body, up to the limit.
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

/// Removes the address, which may contain a secret.
fn unreachable(error: reqwest::Error) -> ModelError {
    ModelError::Unreachable(error.without_url())
}
