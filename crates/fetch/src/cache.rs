//! Answers that count for equal requests, and requests in progress that equal ones join.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use mynah_core::{FetchAnswer, FetchFailure, FetchRequest};
use tokio::time::Instant;

/// The most answers.
const MOST_ENTRIES: usize = 1_000;

/// The most bytes of all requests and answers.
const MOST_BYTES: usize = 16 << 20;

/// The result of a request, for all that share it.
pub(crate) type Outcome = Result<Arc<FetchAnswer>, FetchFailure>;

/// A request in progress. It goes on while any of its clones is awaited, and ends when all are dropped.
pub(crate) type Running = Shared<Boxed>;

/// The future inside.
pub(crate) type Boxed = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The answers of one account.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    answers: HashMap<Arc<FetchRequest>, CachedAnswer>,
    bytes: usize,
    running: HashMap<Arc<FetchRequest>, WeakShared<Boxed>>,
}

#[derive(Debug)]
struct CachedAnswer {
    answer: Arc<FetchAnswer>,
    until: Instant,
    bytes: usize,
}

impl Cache {
    /// The answer to an equal request that still counts.
    pub(crate) fn answer(&self, request: &FetchRequest) -> Option<Arc<FetchAnswer>> {
        let cached = self.answers.get(request).filter(|cached| cached.until > Instant::now())?;
        Some(Arc::clone(&cached.answer))
    }

    /// The equal request in progress, else the given one.
    pub(crate) fn join(
        &mut self,
        request: &Arc<FetchRequest>,
        begin: impl FnOnce() -> Boxed,
    ) -> Running {
        if let Some(running) = self.running.get(request).and_then(WeakShared::upgrade) {
            return running;
        }
        // Requests whose callers were all cancelled leave their place behind.
        self.running.retain(|_, running| running.upgrade().is_some());
        let running = begin().shared();
        if let Some(weak) = running.downgrade() {
            self.running.insert(Arc::clone(request), weak);
        }
        running
    }

    /// Notes the result of a request: a failure counts for the present requests only.
    pub(crate) fn ended(&mut self, request: &Arc<FetchRequest>, outcome: &Outcome, keep: Duration) {
        self.running.remove(request);
        let Ok(answer) = outcome else { return };
        let bytes = size(request) + answer.body.len();
        let Some(until) = Instant::now().checked_add(keep) else { return };
        self.remove(request);
        self.make_room(bytes);
        self.bytes += bytes;
        let cached = CachedAnswer { answer: Arc::clone(answer), until, bytes };
        self.answers.insert(Arc::clone(request), cached);
    }

    /// Removes the answers that count least long until one more fits.
    fn make_room(&mut self, bytes: usize) {
        while self.answers.len() >= MOST_ENTRIES || self.bytes + bytes > MOST_BYTES {
            let first = self.answers.iter().min_by_key(|(_, cached)| cached.until);
            let Some(request) = first.map(|(request, _)| Arc::clone(request)) else { return };
            self.remove(&request);
        }
    }

    fn remove(&mut self, request: &FetchRequest) {
        if let Some(cached) = self.answers.remove(request) {
            self.bytes -= cached.bytes;
        }
    }
}

/// About the memory of a request.
fn size(request: &FetchRequest) -> usize {
    let text = |text: &mynah_core::FetchText| text.to_string().len() + 64;
    let headers = request.headers.iter().map(|(name, value)| name.len() + text(value));
    let body = request.body.as_ref().map_or(0, |body| text(body.text()));
    text(&request.url) + headers.sum::<usize>() + body + 256
}

#[cfg(test)]
mod tests {
    use mynah_core::FetchText;

    use super::*;

    fn request(n: usize) -> Arc<FetchRequest> {
        Arc::new(FetchRequest {
            method: "GET".to_owned(),
            url: FetchText::plain(format!("https://api.example.com/{n}")),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(5),
            cache: None,
            status: Vec::new(),
            idempotency_key: None,
        })
    }

    fn answer(length: usize) -> Outcome {
        Ok(Arc::new(FetchAnswer { status: 200, body: "x".repeat(length) }))
    }

    #[tokio::test(start_paused = true)]
    async fn it_holds_a_thousand_answers_and_16_mib() {
        let mut cache = Cache::default();
        let minute = Duration::from_secs(60);
        for n in 0..MOST_ENTRIES + 5 {
            cache.ended(&request(n), &answer(10), minute + Duration::from_secs(n as u64));
        }
        assert_eq!(cache.answers.len(), MOST_ENTRIES);
        assert!(cache.answer(&request(4)).is_none());
        assert!(cache.answer(&request(5)).is_some());
        for n in 0..40 {
            cache.ended(&request(n), &answer(1 << 20), 100 * minute);
        }
        assert!(cache.bytes <= MOST_BYTES);
        let sizes = cache.answers.values().map(|cached| cached.bytes);
        assert_eq!(cache.bytes, sizes.sum::<usize>());
        assert_eq!(cache.answers.len(), 15);
        tokio::time::advance(100 * minute).await;
        assert!(cache.answers.keys().all(|request| cache.answer(request).is_none()));
        cache.ended(&request(0), &answer(10), minute);
        assert!(cache.answer(&request(0)).is_some());
        cache.ended(&request(0), &Err(FetchFailure::TimedOut), minute);
        assert!(cache.answer(&request(0)).is_some(), "a failure replaces no answer");
    }
}
