//! Requests of rules.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mynah_core::{Fetch, FetchAnswer, FetchFailure, FetchRequest};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::cache::{Cache, Outcome};
use crate::hops::{self, Hop};
use crate::{FetchClient, Target, body, written};

/// The largest answer, before and after decompression and as UTF-8.
pub const LARGEST_ANSWER: usize = 1 << 20;

/// The most requests of an account at once. Further ones wait, and the wait counts for their time-out.
pub const MOST_AT_ONCE: usize = 8;

/// The longest time-out.
const LONGEST: Duration = Duration::from_secs(60);

/// Fetches for the rules of one account: its requests at once are bounded, its answers are kept.
#[derive(Debug, Clone)]
pub struct Fetcher(Arc<OfAccount>);

#[derive(Debug)]
struct OfAccount {
    client: FetchClient,
    permits: Semaphore,
    cache: Mutex<Cache>,
}

impl FetchClient {
    /// The fetcher of one account.
    #[must_use]
    pub fn fetcher(&self) -> Fetcher {
        let (client, permits) = (self.clone(), Semaphore::new(MOST_AT_ONCE));
        Fetcher(Arc::new(OfAccount { client, permits, cache: Mutex::default() }))
    }
}

#[async_trait]
impl Fetch for Fetcher {
    fn check(&self, request: &FetchRequest) -> Result<(), FetchFailure> {
        self.0.is_allowed(&written::first_target(&request.url)?)?;
        written::hop(request, &self.0.client.settings()).map(drop)
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        let Some(keep) = request.cache else {
            return self.0.exchange(request).await;
        };
        let key = FetchRequest { idempotency_key: None, ..request.clone() };
        if let Some(answer) = self.0.cache().answer(&key) {
            return Ok((*answer).clone());
        }
        let (key, account, request) = (Arc::new(key), Arc::clone(&self.0), request.clone());
        let running = self.0.cache().join(&Arc::clone(&key), || {
            Box::pin(async move {
                let outcome: Outcome = account.exchange(&request).await.map(Arc::new);
                account.cache().ended(&key, &outcome, keep);
                outcome
            })
        });
        running.await.map(|answer| (*answer).clone())
    }
}

impl OfAccount {
    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and reads its answer within the time-out.
    async fn exchange(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        let begun = Instant::now();
        let hop = written::hop(request, &self.client.settings())?;
        let host = hops::target(&hop.url)?;
        let exchanged = timeout(request.timeout.min(LONGEST), self.answer(request, hop)).await;
        let result = exchanged.unwrap_or(Err(FetchFailure::TimedOut));
        let ms = begun.elapsed().as_millis();
        // No path either: some services have their keys there.
        match &result {
            Ok(answer) => {
                let bytes = answer.body.len();
                tracing::debug!(%host, status = answer.status, bytes, ms, "fetched");
            }
            Err(failure) => tracing::debug!(%host, %failure, ms, "not fetched"),
        }
        result
    }

    fn is_allowed(&self, target: &Target) -> Result<(), FetchFailure> {
        match self.client.settings().allows(target) {
            true => Ok(()),
            false if target.may_be_public() => Err(FetchFailure::HostNotAllowed(target.named())),
            false => Err(FetchFailure::PrivateNotAllowed(target.to_string())),
        }
    }

    async fn answer(&self, request: &FetchRequest, hop: Hop) -> Result<FetchAnswer, FetchFailure> {
        let closed = |_| FetchFailure::Connection("the fetcher was stopped".to_owned());
        let _permit = self.permits.acquire().await.map_err(closed)?;
        let allows = |target: &Target| self.is_allowed(target);
        let arrived =
            hops::follow(&self.client, hop, allows, |status| request.accepts(status)).await?;
        let status = arrived.response.status().as_u16();
        if !request.accepts(status) {
            return Err(FetchFailure::Status(status));
        }
        let body = body::text(arrived, LARGEST_ANSWER).await?;
        Ok(FetchAnswer { status, body })
    }
}
