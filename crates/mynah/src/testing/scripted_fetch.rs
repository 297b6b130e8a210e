//! Requests in a played conversation: each is answered by a line of it, and nothing is sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use mynah_core::{Clock, Fetch, FetchAnswer, FetchFailure, FetchRequest, Timestamp};
use mynah_rules::Lang;
use mynah_rules::script::{FetchLine, ScriptedAnswer};
use mynah_runtime::ManualClock;

/// Answers the requests of a conversation in order.
#[derive(Debug, Default)]
pub(crate) struct ScriptedFetch {
    state: Mutex<State>,
    /// The clock of the conversation, by which `cache` counts.
    clock: OnceLock<Arc<ManualClock>>,
}

#[derive(Debug, Default)]
struct State {
    /// The expected requests, with the numbers of their lines.
    expected: VecDeque<(u32, FetchLine)>,
    /// The first request that was not the expected one.
    missed: Option<MissedFetch>,
    /// Good answers to requests with `cache`, each until a moment.
    kept: BTreeMap<FetchRequest, (FetchAnswer, Timestamp)>,
}

/// A request that no line answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissedFetch {
    /// The request.
    pub(crate) request: String,
    /// The request of the next line, if there is one.
    pub(crate) expected: Option<String>,
}

impl ScriptedFetch {
    /// Counts `cache` by this clock.
    pub(crate) fn keep_by(&self, clock: Arc<ManualClock>) {
        // The first clock stays: a conversation has one.
        let _ = self.clock.set(clock);
    }

    /// The next request is this one.
    pub(crate) fn expect(&self, line: u32, fetch: FetchLine) {
        self.state().expected.push_back((line, fetch));
    }

    /// The first request since the last call that no line answered.
    pub(crate) fn take_missed(&self) -> Option<MissedFetch> {
        self.state().missed.take()
    }

    /// The number of the first line that answered no request.
    pub(crate) fn left(&self) -> Option<u32> {
        self.state().expected.front().map(|(line, _)| *line)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Option<Timestamp> {
        self.clock.get().map(|clock| clock.now())
    }

    /// The answer that an equal request had, if it still counts.
    fn kept(&self, request: &FetchRequest) -> Option<FetchAnswer> {
        request.cache?;
        let now = self.now()?;
        let state = self.state();
        let (answer, until) = state.kept.get(&without_key(request))?;
        (now < *until).then(|| answer.clone())
    }

    /// Keeps a good answer for as long as the request says.
    fn keep(&self, request: &FetchRequest, answer: &FetchAnswer) {
        if let (Some(cache), Some(now)) = (request.cache, self.now()) {
            let entry = (answer.clone(), now + cache);
            self.state().kept.insert(without_key(request), entry);
        }
    }

    /// The outcome by the next line, if that is the line of this request.
    fn next(&self, line: &str) -> Result<ScriptedAnswer, Option<String>> {
        let mut state = self.state();
        match state.expected.pop_front() {
            Some((_, fetch)) if fetch.request == line => Ok(fetch.outcome),
            Some(other) => {
                let expected = other.1.request.clone();
                state.expected.push_front(other);
                Err(Some(expected))
            }
            None => Err(None),
        }
    }
}

impl MissedFetch {
    /// The remedy: a line to add.
    pub(crate) fn hint(&self, lang: Lang) -> String {
        let Self { request, .. } = self;
        match lang {
            Lang::En => format!(
                "nothing is sent in a test; answer the request with a line before the reply: ~ {request} -> 200 {{…}}"
            ),
            Lang::Zh => {
                format!(
                    "测试里不会真的发出请求；请在回复之前写一行作为回答：~ {request} -> 200 {{…}}"
                )
            }
        }
    }
}

#[async_trait]
impl Fetch for ScriptedFetch {
    async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        let line = request.line();
        // A line of its own goes before a kept answer: older tests have one for each request.
        match self.next(&line) {
            Ok(ScriptedAnswer::Answer { status, body }) if request.accepts(status) => {
                let answer = FetchAnswer { status, body };
                self.keep(request, &answer);
                Ok(answer)
            }
            Ok(ScriptedAnswer::Answer { status, .. }) => Err(FetchFailure::Status(status)),
            Ok(ScriptedAnswer::Fails(failure)) => Err(failure),
            Err(expected) => self.kept(request).ok_or_else(|| {
                self.state().missed.get_or_insert(MissedFetch { request: line, expected });
                FetchFailure::Offline
            }),
        }
    }
}

/// The part of a request by which two of them are equal.
fn without_key(request: &FetchRequest) -> FetchRequest {
    FetchRequest { idempotency_key: None, ..request.clone() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mynah_core::FetchText;

    use super::*;

    fn request(cache: Option<u64>, key: &str) -> FetchRequest {
        FetchRequest {
            method: "GET".to_owned(),
            url: FetchText::plain("https://a.example/"),
            headers: Vec::new(),
            body: None,
            timeout: Duration::from_secs(5),
            cache: cache.map(Duration::from_secs),
            status: Vec::new(),
            idempotency_key: Some(key.to_owned()),
        }
    }

    #[tokio::test]
    async fn an_equal_request_within_cache_needs_no_second_line() {
        let (fetch, clock) = (ScriptedFetch::default(), Arc::new(ManualClock::default()));
        fetch.keep_by(Arc::clone(&clock));
        let line = |answer: &str| FetchLine::parse(&format!("GET https://a.example/ -> {answer}"));
        for answer in ["500", "200 one"] {
            fetch.expect(1, line(answer).unwrap());
        }
        let (cached, plain) = (request(Some(60), "m1"), request(None, "m1"));
        assert_eq!(fetch.fetch(&cached).await, Err(FetchFailure::Status(500)));
        let body = |answer: FetchAnswer| answer.body;
        assert_eq!(fetch.fetch(&cached).await.map(body).as_deref(), Ok("one"));
        let other_message = request(Some(60), "m2");
        assert_eq!(fetch.fetch(&other_message).await.map(body).as_deref(), Ok("one"));
        assert_eq!(fetch.take_missed(), None);
        assert_eq!(fetch.fetch(&plain).await, Err(FetchFailure::Offline), "it has no cache");
        assert!(fetch.take_missed().is_some());
        // A line of its own goes first.
        fetch.expect(2, line("200 two").unwrap());
        assert_eq!(fetch.fetch(&cached).await.map(body).as_deref(), Ok("two"));
        clock.set(Timestamp::from_secs(60));
        assert_eq!(fetch.fetch(&cached).await, Err(FetchFailure::Offline), "its time is over");
        assert!(fetch.take_missed().is_some());
    }
}
