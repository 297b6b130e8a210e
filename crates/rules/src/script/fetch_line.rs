//! The line of a test that answers a request: `~ GET https://api.example.com/w?q=1 -> 200 {"temp": 3}`.

use mynah_core::FetchFailure;

use crate::fetching::canonical_url;

/// A request that a test expects, and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchLine {
    /// Method and address, as [`FetchRequest::line`](mynah_core::FetchRequest::line) writes them: percent-encoded, secrets as
    /// `${NAME}`.
    pub request: String,
    /// The outcome.
    pub outcome: ScriptedAnswer,
}

/// The outcome of a request in a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptedAnswer {
    /// An answer with this status.
    Answer {
        /// The status.
        status: u16,
        /// The body; empty if the line has none.
        body: String,
    },
    /// None: the service is too slow, cannot be reached, or the client refuses the request.
    Fails(FetchFailure),
}

impl FetchLine {
    /// The words for requests without an answer.
    pub const FAILURES: [&str; 3] = ["time-out", "fail", "too-large"];

    /// Reads a line, with or without the `~` before it.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.strip_prefix('~').unwrap_or(line).trim();
        let (request, outcome) = line.split_once(" -> ")?;
        let (method, url) = request.trim().split_once(char::is_whitespace)?;
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method || !url.contains("://") {
            return None;
        }
        let request = format!("{method} {}", canonical_url(url.trim()));
        Some(Self { request, outcome: ScriptedAnswer::parse(outcome.trim())? })
    }
}

impl ScriptedAnswer {
    fn parse(text: &str) -> Option<Self> {
        let failure = match text {
            "time-out" => FetchFailure::TimedOut,
            "fail" => FetchFailure::Connection("as the test says".to_owned()),
            "too-large" => FetchFailure::TooLarge,
            _ => {
                let (status, body) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
                let status =
                    status.parse::<u16>().ok().filter(|status| (100..=599).contains(status))?;
                return Some(Self::Answer { status, body: body_of(body.trim()) });
            }
        };
        Some(Self::Fails(failure))
    }
}

/// The body as it is received. `\n` is a line break in a text; in JSON it is an escape, which the reader of the JSON resolves.
fn body_of(written: &str) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(written) {
        Ok(_) => written.to_owned(),
        Err(_) => written.replace("\\n", "\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_request_and_its_outcome() {
        let outcome = |line: &str| FetchLine::parse(line).map(|line| (line.request, line.outcome));
        let answer = |status, body: &str| ScriptedAnswer::Answer { status, body: body.to_owned() };
        assert_eq!(
            outcome("~ GET https://a.example/w?q=北京&k=${KEY} -> 200 {\"a\": \"b -> c\"}"),
            Some((
                "GET https://a.example/w?q=%E5%8C%97%E4%BA%AC&k=${KEY}".to_owned(),
                answer(200, "{\"a\": \"b -> c\"}")
            ))
        );
        for (written, body) in
            [(r#"{"t":"a\nb"}"#, r#"{"t":"a\nb"}"#), (r#""a\nb""#, r#""a\nb""#), (r"a\nb", "a\nb")]
        {
            let outcome = outcome(&format!("GET https://a.example/ -> 200 {written}"));
            assert_eq!(outcome.map(|(_, outcome)| outcome), Some(answer(200, body)), "{written}");
        }
        let url = "POST https://a.example/";
        assert_eq!(outcome(&format!("{url} -> 204")), Some((url.to_owned(), answer(204, ""))));
        let timed_out = ScriptedAnswer::Fails(FetchFailure::TimedOut);
        assert_eq!(outcome(&format!("~ {url} -> time-out")), Some((url.to_owned(), timed_out)));
        for word in FetchLine::FAILURES {
            assert!(outcome(&format!("{url} -> {word}")).is_some(), "{word}");
        }
        for bad in [
            "~ GET",
            "~ GET https://a.example/",
            "~ get https://a.example/ -> 200",
            "~ GET a -> 200",
            "~ GET https://a.example/ -> ok",
            "~ GET https://a.example/ -> 99",
        ] {
            assert_eq!(outcome(bad), None, "{bad}");
        }
    }
}
