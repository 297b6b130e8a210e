//! Calls a weather service: with a time-out for each attempt, and retries if they may help.

use std::error::Error;
use std::time::Duration;

use mynah::prelude::*;
use reqwest::{Client, Response, StatusCode, Url};
use thiserror::Error;

/// Time-outs and waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The time-out of one attempt.
    pub(crate) one_try: Duration,
    /// The waits before the second and the third attempt.
    pub(crate) waits: [Duration; 2],
}

impl Patience {
    /// A person in a chat waits for the answer: after this time it would be too late.
    pub(crate) const USUAL: Self = Self {
        one_try: Duration::from_secs(4),
        waits: [Duration::from_millis(300), Duration::from_millis(1_500)],
    };
}

/// The most bytes of an answer. A longer one is a page instead of a line of weather, and must not be sent to a group.
const LONGEST: usize = 1_000;

/// Answers with a line of weather for `{city}`.
pub(crate) struct Weather {
    client: Client,
    service: Url,
    waits: [Duration; 2],
}

#[derive(Debug, Error)]
enum AskError {
    #[error("the service does not know this place")]
    NoSuchPlace,
    #[error("the service answered {0}")]
    Status(StatusCode),
    #[error("the answer is not a line of text")]
    Unreadable,
    #[error("the service could not be reached")]
    Unreachable(#[source] reqwest::Error),
}

impl AskError {
    /// Whether a retry may help. Not if the service understood the question and refused it.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Status(status) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::NoSuchPlace | Self::Unreadable => false,
        }
    }
}

impl Weather {
    /// A handler for the service at this address.
    pub(crate) fn of(service: &str, patience: Patience) -> Result<Self, HandlerError> {
        let service = Url::parse(service)?;
        if service.cannot_be_a_base() {
            return Err("the address of the service is not valid".into());
        }
        let mut client = Client::builder().timeout(patience.one_try).user_agent("curl");
        if service.scheme() == "http" {
            // A service on this machine or in the local network needs neither certificates nor a proxy.
            client = client.tls_certs_only([]).no_proxy();
        }
        Ok(Self { client: client.build()?, service, waits: patience.waits })
    }

    /// A line of weather, after up to three attempts.
    async fn ask(&self, city: &str) -> Result<String, AskError> {
        for wait in self.waits {
            match self.ask_once(city).await {
                Err(error) if error.may_pass() => {
                    tracing::info!(
                        error = &error as &dyn Error,
                        "the request to the weather service failed; retrying"
                    );
                    tokio::time::sleep(wait).await;
                }
                answer => return answer,
            }
        }
        self.ask_once(city).await
    }

    async fn ask_once(&self, city: &str) -> Result<String, AskError> {
        let request = self.client.get(self.address(city));
        let response = request.send().await.map_err(AskError::Unreachable)?;
        match response.status() {
            status if status.is_success() => line(response).await,
            StatusCode::NOT_FOUND => Err(AskError::NoSuchPlace),
            status => Err(AskError::Status(status)),
        }
    }

    /// The input becomes one segment of the path, with any characters: `../admin?x=` is just another name of a city.
    fn address(&self, city: &str) -> Url {
        let mut address = self.service.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop_if_empty().push(city);
        }
        address.query_pairs_mut().append_pair("format", "3");
        address
    }
}

/// The body as one short line. Reads no more than the limit.
async fn line(mut response: Response) -> Result<String, AskError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(AskError::Unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err(AskError::Unreadable);
        }
    }
    let text = String::from_utf8(body).map_err(|_| AskError::Unreadable)?;
    let text = text.trim();
    if text.is_empty() || text.contains('\n') {
        return Err(AskError::Unreadable);
    }
    Ok(text.to_owned())
}

#[async_trait]
impl Handler for Weather {
    async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
        let city = ctx.capture("city").ok_or("the rule captures no {city}")?.to_owned();
        let said = match self.ask(&city).await {
            Ok(line) => line,
            Err(AskError::NoSuchPlace) => format!("没听说过“{city}”。"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "failed to get the weather");
                format!("现在查不到{city}的天气，请过一会儿再试。")
            }
        };
        ctx.reply(said);
        Ok(Flow::Stop)
    }
}
