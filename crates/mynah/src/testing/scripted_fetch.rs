//! Requests in a played conversation: each is answered by a line of it, and nothing is sent.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mynah_core::{Fetch, FetchAnswer, FetchFailure, FetchRequest};
use mynah_rules::Lang;
use mynah_rules::script::{FetchLine, ScriptedAnswer};

/// Answers the requests of a conversation in order.
#[derive(Debug, Default)]
pub(crate) struct ScriptedFetch(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The expected requests, with the numbers of their lines.
    expected: VecDeque<(u32, FetchLine)>,
    /// The first request that was not the expected one.
    missed: Option<MissedFetch>,
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut state = self.state();
        let expected = state.expected.front().map(|(_, fetch)| fetch.request.clone());
        if expected.as_ref() != Some(&line) {
            state.missed.get_or_insert(MissedFetch { request: line, expected });
            return Err(FetchFailure::Offline);
        }
        match state.expected.pop_front().map(|(_, fetch)| fetch.outcome) {
            Some(ScriptedAnswer::Answer { status, body }) if request.accepts(status) => {
                Ok(FetchAnswer { status, body })
            }
            Some(ScriptedAnswer::Answer { status, .. }) => Err(FetchFailure::Status(status)),
            Some(ScriptedAnswer::Fails(failure)) => Err(failure),
            None => Err(FetchFailure::Offline),
        }
    }
}
