//! The web application: its files, its calls, its stream of events, and who is let in.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use futures_util::{Stream, stream};
use mynah_serve::Repeated;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::assets;
use crate::view::{Call, News, Problem, View};

/// The largest body of a call: a picture of 20 MiB in base64.
const LARGEST_BODY: usize = 28 << 20;

/// What a browser shows as a picture. No SVG: that is a page of its own.
const PICTURES: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];

/// A wrong token is answered so late …
const THOUGHT: Duration = Duration::from_millis(500);

/// … but no more than so many at once: guessers must not use up the connections of the owner. Further wrong tokens are
/// refused at once. The length of the token makes guessing hopeless, not the wait.
const GUESSES: usize = 8;

/// The web application over a view.
#[derive(Clone)]
pub struct App {
    view: Arc<dyn View>,
    /// What a visitor must know; `None` lets everybody on this machine in.
    token: Option<Arc<str>>,
    /// The wrong tokens that are answered late at the moment.
    guesses: Arc<Semaphore>,
    /// The log line about wrong tokens.
    wrong: Arc<Repeated>,
    /// Cancelled when the server closes: streams of events end then.
    closing: CancellationToken,
}

impl App {
    /// The application without a token: for the sandbox, which listens on this machine only.
    #[must_use]
    pub fn open(view: Arc<dyn View>) -> Self {
        Self::with(view, None)
    }

    /// The application for visitors who know the token.
    #[must_use]
    pub fn guarded(view: Arc<dyn View>, token: &str) -> Self {
        Self::with(view, Some(Arc::from(token)))
    }

    fn with(view: Arc<dyn View>, token: Option<Arc<str>>) -> Self {
        let guesses = Arc::new(Semaphore::new(GUESSES));
        let closing = CancellationToken::new();
        Self { view, token, guesses, wrong: Arc::default(), closing }
    }

    /// The same, with streams of events that end when the server closes; they would keep it open for ever.
    #[must_use]
    pub fn until(mut self, closing: CancellationToken) -> Self {
        self.closing = closing;
        self
    }

    /// Its routes. The files are open to all; calls and events need the token and come from the page's own address only.
    pub fn routes(self) -> Router {
        let calls = Router::new()
            .route("/api/events", get(follow))
            .route("/api/media/{message}", get(media))
            .route("/api/{name}", any(call))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(from_fn_with_state(self.clone(), guard))
            .with_state(self);
        Router::new()
            .merge(assets::routes())
            .merge(calls)
            .layer(axum::middleware::map_response(seal))
    }

    /// Whether the visitor knows the token. The right one is accepted at once, however many wrong ones others try.
    async fn knows(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(given) = given.and_then(|value| value.strip_prefix("Bearer ")) else {
            return false;
        };
        if same(given, token) {
            return true;
        }
        if let Some(times) = self.wrong.note() {
            tracing::warn!(times, "a wrong token of the console was tried");
        }
        if let Ok(_guess) = self.guesses.try_acquire() {
            tokio::time::sleep(THOUGHT).await;
        }
        false
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("guarded", &self.token.is_some()).finish_non_exhaustive()
    }
}

/// Compares without telling by its duration where the difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes().zip(b.bytes()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

/// Lets in what comes from the page itself: another site's page has another origin, and a name that was pointed at this
/// machine is no name of it.
async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let origin = headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("?"));
    let own =
        origin.is_none_or(|origin| origin.split_once("://").is_some_and(|(_, rest)| rest == host));
    if !own || (app.token.is_none() && !is_this_machine(host)) {
        return refuse(StatusCode::FORBIDDEN, "only the page's own address is let in");
    }
    if !app.knows(headers).await {
        return refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
    }
    if request.method() != Method::GET && !headers.contains_key("x-mynah") {
        return refuse(StatusCode::FORBIDDEN, "the header x-mynah is missing");
    }
    next.run(request).await
}

/// Whether a Host header names the loopback of this machine.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The headers that keep foreign script, frames and hosts out.
async fn seal(mut response: Response) -> Response {
    const HEADERS: [(&str, &str); 5] = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-cache"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, axum::http::HeaderValue::from_static(value));
    }
    response
}

async fn call(
    State(app): State<App>,
    method: Method,
    Path(name): Path<String>,
    Query(query): Query<Map<String, Value>>,
    body: Bytes,
) -> Response {
    let call = match parse(&method, &name, query, &body) {
        Ok(call) => call,
        Err(reason) => return refuse(StatusCode::BAD_REQUEST, &reason),
    };
    match app.view.answer(call).await {
        Ok(value) => (StatusCode::OK, [(CONTENT_TYPE, "application/json")], value.to_string())
            .into_response(),
        Err(problem) => {
            let status = match problem {
                Problem::NotFound(_) => StatusCode::NOT_FOUND,
                Problem::Refused(_) => StatusCode::CONFLICT,
                Problem::Changed => StatusCode::PRECONDITION_FAILED,
            };
            refuse(status, &problem.to_string())
        }
    }
}

/// Method, path, query and body as one call.
fn parse(
    method: &Method,
    name: &str,
    mut fields: Map<String, Value>,
    body: &[u8],
) -> Result<Call, String> {
    if !body.is_empty() {
        let body: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| format!("the body is no JSON object: {error}"))?;
        fields.extend(body);
    }
    fields.insert("call".to_owned(), json!(format!("{method} {name}")));
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], json!({"error": reason}).to_string())
        .into_response()
}

/// A picture is shown, anything else is a download: what somebody sent never runs in the page.
async fn media(State(app): State<App>, Path(message): Path<String>) -> Response {
    match app.view.media(&message) {
        Some((kind, bytes)) if PICTURES.contains(&kind) => {
            ([(CONTENT_TYPE, kind)], bytes).into_response()
        }
        Some((_, bytes)) => {
            let kind = (CONTENT_TYPE, "application/octet-stream");
            ([kind, (CONTENT_DISPOSITION, "attachment")], bytes).into_response()
        }
        None => refuse(StatusCode::NOT_FOUND, "there is no such picture or file"),
    }
}

async fn follow(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let news = stream::unfold((app.view.follow(), app.closing), |(mut news, closing)| async move {
        // The page reads everything again when it connects: a gap is mended by ending the stream.
        let one = closing.run_until_cancelled(news.recv()).await?.ok()?;
        Some((Ok(told(&one)), (news, closing)))
    });
    Sse::new(news).keep_alive(KeepAlive::default())
}

fn told(news: &News) -> Event {
    Event::default().data(serde_json::to_string(news).expect("text keys and plain values"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_method_path_query_and_body() {
        let query =
            Map::from_iter([("chat".to_owned(), json!("a")), ("before".to_owned(), json!("7"))]);
        let messages = Call::Messages { chat: "a".to_owned(), before: Some("7".to_owned()) };
        assert_eq!(parse(&Method::GET, "messages", query, b""), Ok(messages));
        let said = parse(
            &Method::POST,
            "say",
            Map::new(),
            r#"{"chat":"a","from":"b","text":"c"}"#.as_bytes(),
        );
        assert_eq!(
            said,
            Ok(Call::Say { chat: "a".to_owned(), from: "b".to_owned(), text: "c".to_owned() })
        );
        assert!(parse(&Method::POST, "say", Map::new(), b"{}").unwrap_err().contains("chat"));
        assert!(parse(&Method::GET, "nothing", Map::new(), b"").is_err());
        assert!(parse(&Method::POST, "say", Map::new(), b"[1]").is_err());
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for (host, expected) in [
            ("127.0.0.1:8087", true),
            ("localhost", true),
            ("[::1]:80", true),
            ("127.0.0.1.evil.example", false),
            ("evil.example:80", false),
            ("", false),
        ] {
            assert_eq!(is_this_machine(host), expected, "{host}");
        }
    }

    /// A view of nothing.
    struct Nothing;

    #[async_trait::async_trait]
    impl View for Nothing {
        async fn answer(&self, _: Call) -> Result<Value, Problem> {
            Ok(Value::Null)
        }

        fn follow(&self) -> tokio::sync::broadcast::Receiver<Arc<News>> {
            tokio::sync::broadcast::channel(1).1
        }
    }

    #[tokio::test(start_paused = true)]
    async fn guessers_of_the_token_never_delay_its_owner() {
        let app = App::guarded(Arc::new(Nothing), "right");
        let with = |token: &str| {
            let value = format!("Bearer {token}").parse().unwrap();
            HeaderMap::from_iter([(AUTHORIZATION, value)])
        };
        let begun = tokio::time::Instant::now();
        assert!(!app.knows(&HeaderMap::new()).await);
        let wrong = with("wrong");
        let guesses = futures_util::future::join_all((0..100).map(|_| app.knows(&wrong)));
        let (answers, ()) = tokio::join!(guesses, async {
            // All guesses have begun by now, and some of them wait.
            assert_eq!(app.guesses.available_permits(), 0);
            assert!(app.knows(&with("right")).await);
            assert_eq!(begun.elapsed(), Duration::ZERO);
        });
        assert!(answers.iter().all(|known| !known));
        assert_eq!(begun.elapsed().as_millis() / 10, THOUGHT.as_millis() / 10);
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "ab"));
    }
}
