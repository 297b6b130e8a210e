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

use crate::answer::Answered;
use crate::assets;
use crate::console::{ConsoleCall, ConsolePage};
use crate::sandbox::{SandboxCall, SandboxPage};
use crate::view::{News, Page, Problem};

/// The largest body of a call: a picture of 20 MiB in base64.
const LARGEST_BODY: usize = 28 << 20;

/// The types that a browser shows as pictures. SVG is left out: an SVG file is a page that can run scripts.
const PICTURES: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];

/// The delay before a wrong token is answered.
const THOUGHT: Duration = Duration::from_millis(500);

/// The most wrong tokens delayed at once: guessers must not use up the owner's connections. Further wrong tokens are
/// refused at once. The length of the token makes guessing hopeless, not the wait.
const GUESSES: usize = 8;

/// The page that is served.
#[derive(Clone)]
enum Served {
    Console(Arc<dyn ConsolePage>),
    Sandbox(Arc<dyn SandboxPage>),
}

impl Served {
    fn page(&self) -> &dyn Page {
        match self {
            Self::Console(page) => &**page,
            Self::Sandbox(page) => &**page,
        }
    }

    /// Answers a call. Returns an error if this page does not have the call.
    async fn answer(&self, fields: Map<String, Value>) -> Result<Answered, String> {
        let unknown = |error: serde_json::Error| error.to_string();
        let fields = Value::Object(fields);
        Ok(match self {
            Self::Console(page) => {
                let call: ConsoleCall = serde_json::from_value(fields).map_err(unknown)?;
                call.answer(&**page).await
            }
            Self::Sandbox(page) => {
                let call: SandboxCall = serde_json::from_value(fields).map_err(unknown)?;
                call.answer(&**page).await
            }
        })
    }

    fn media(&self, message: &str) -> Option<(&'static str, Bytes)> {
        match self {
            Self::Console(_) => None,
            Self::Sandbox(page) => page.media(message),
        }
    }
}

/// The web application that serves a page.
#[derive(Clone)]
pub struct App {
    served: Served,
    /// The token that a visitor must know; `None` admits everyone on this machine.
    token: Option<Arc<str>>,
    /// The permits for wrong tokens whose answer is delayed.
    guesses: Arc<Semaphore>,
    /// The log line about wrong tokens.
    wrong: Arc<Repeated>,
    /// Cancelled when the server closes; event streams end then.
    closing: CancellationToken,
}

impl App {
    /// The sandbox, without a token: it listens on this machine only.
    #[must_use]
    pub fn sandbox(page: Arc<dyn SandboxPage>) -> Self {
        Self::with(Served::Sandbox(page), None)
    }

    /// The console, for visitors who know the token.
    #[must_use]
    pub fn console(page: Arc<dyn ConsolePage>, token: &str) -> Self {
        Self::with(Served::Console(page), Some(Arc::from(token)))
    }

    fn with(served: Served, token: Option<Arc<str>>) -> Self {
        let guesses = Arc::new(Semaphore::new(GUESSES));
        let closing = CancellationToken::new();
        Self { served, token, guesses, wrong: Arc::default(), closing }
    }

    /// The same application with a token that ends its event streams; otherwise they would keep the server open.
    #[must_use]
    pub fn until(mut self, closing: CancellationToken) -> Self {
        self.closing = closing;
        self
    }

    /// The routes. The files are public; calls and events need the token and must come from the page's own address.
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

/// Compares two texts in a time that does not depend on the place of the first difference.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes().zip(b.bytes()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

/// Admits only requests of the page itself: the page of another site has another origin, and a foreign host name that
/// resolves to this machine is not in the list of its names.
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
    let answer = match fields(&method, &name, query, &body) {
        Ok(fields) => app.served.answer(fields).await,
        Err(reason) => Err(reason),
    };
    match answer {
        Err(reason) => refuse(StatusCode::BAD_REQUEST, &reason),
        Ok(Ok(json)) => {
            (StatusCode::OK, [(CONTENT_TYPE, "application/json")], json).into_response()
        }
        Ok(Err(problem)) => {
            let status = match problem {
                Problem::NotFound(_) => StatusCode::NOT_FOUND,
                Problem::Refused(_) => StatusCode::CONFLICT,
                Problem::Changed => StatusCode::PRECONDITION_FAILED,
            };
            refuse(status, &problem.to_string())
        }
    }
}

/// Method, path, query and body as the fields of one call.
fn fields(
    method: &Method,
    name: &str,
    mut fields: Map<String, Value>,
    body: &[u8],
) -> Result<Map<String, Value>, String> {
    if !body.is_empty() {
        let body: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| format!("the body is no JSON object: {error}"))?;
        fields.extend(body);
    }
    fields.insert("call".to_owned(), json!(format!("{method} {name}")));
    Ok(fields)
}

fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], json!({"error": reason}).to_string())
        .into_response()
}

/// Serves a picture inline and anything else as a download: a file that a person sent never runs in the page.
async fn media(State(app): State<App>, Path(message): Path<String>) -> Response {
    match app.served.media(&message) {
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
    let news = stream::unfold(
        (app.served.page().follow(), app.closing),
        |(mut news, closing)| async move {
            // A gap ends the stream: the page reads everything again when it reconnects.
            let one = closing.run_until_cancelled(news.recv()).await?.ok()?;
            Some((Ok(told(&one)), (news, closing)))
        },
    );
    Sse::new(news).keep_alive(KeepAlive::default())
}

fn told(news: &News) -> Event {
    Event::default().data(serde_json::to_string(news).expect("text keys and plain values"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Say;
    use crate::view::{
        AccountRow, HandlerRow, KnownChats, LogRow, QueueRow, ReloadReport, RuleRow,
    };

    fn parse<T: serde::de::DeserializeOwned>(
        method: &Method,
        name: &str,
        query: Map<String, Value>,
        body: &str,
    ) -> Result<T, String> {
        let fields = fields(method, name, query, body.as_bytes())?;
        serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_call_is_method_path_query_and_body() {
        let query =
            Map::from_iter([("chat".to_owned(), json!("a")), ("before".to_owned(), json!("7"))]);
        let messages = SandboxCall::Messages { chat: "a".to_owned(), before: Some("7".to_owned()) };
        assert_eq!(parse(&Method::GET, "messages", query, ""), Ok(messages));
        let say = |body| parse::<SandboxCall>(&Method::POST, "say", Map::new(), body);
        let expected = Say { chat: "a".to_owned(), from: "b".to_owned(), text: "c".to_owned() };
        assert_eq!(say(r#"{"chat":"a","from":"b","text":"c"}"#), Ok(SandboxCall::Say(expected)));
        assert!(say("{}").unwrap_err().contains("chat"));
        assert!(say("[1]").is_err());
        assert!(parse::<SandboxCall>(&Method::GET, "nothing", Map::new(), "").is_err());
    }

    #[test]
    fn neither_page_has_the_calls_of_the_other() {
        let chat = r#"{"chat":"a","from":"b","text":"c"}"#;
        assert!(parse::<ConsoleCall>(&Method::POST, "say", Map::new(), chat).is_err());
        assert!(parse::<SandboxCall>(&Method::GET, "accounts", Map::new(), "").is_err());
        assert_eq!(parse(&Method::GET, "accounts", Map::new(), ""), Ok(ConsoleCall::Accounts));
    }

    #[test]
    fn a_fault_comes_with_its_parameters_or_all_are_ended() {
        let order = |body| match parse(&Method::POST, "faults", Map::new(), body) {
            Ok(SandboxCall::Inject(order)) => order,
            other => panic!("{other:?}"),
        };
        assert!(order(r#"{"clear": true}"#).clear);
        let fault = order(r#"{"path": "webwxsync", "fault": "status", "value": 502}"#);
        assert!(!fault.clear);
        assert_eq!(fault.fault.get("value"), Some(&json!(502)));
        assert!(!fault.fault.contains_key("call"), "{fault:?}");
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

    /// A console without accounts.
    struct Nothing;

    #[async_trait::async_trait]
    impl Page for Nothing {
        async fn session(&self) -> Result<crate::view::Session, Problem> {
            Err(nothing())
        }

        fn follow(&self) -> tokio::sync::broadcast::Receiver<Arc<News>> {
            tokio::sync::broadcast::channel(1).1
        }
    }

    #[async_trait::async_trait]
    impl ConsolePage for Nothing {
        async fn accounts(&self) -> Result<Vec<AccountRow>, Problem> {
            Ok(Vec::new())
        }

        async fn log(&self) -> Result<Vec<LogRow>, Problem> {
            Ok(Vec::new())
        }

        async fn rules(&self) -> Result<Vec<RuleRow>, Problem> {
            Ok(Vec::new())
        }

        async fn handlers(&self) -> Result<Vec<HandlerRow>, Problem> {
            Ok(Vec::new())
        }

        async fn queues(&self) -> Result<Vec<QueueRow>, Problem> {
            Ok(Vec::new())
        }

        async fn known_chats(&self, _query: &str) -> Result<KnownChats, Problem> {
            Ok(KnownChats::default())
        }

        async fn mute(&self, _: &str, _: &str, _minutes: u64) -> Result<(), Problem> {
            Err(nothing())
        }

        async fn reload(&self, _account: &str) -> Result<ReloadReport, Problem> {
            Err(nothing())
        }

        async fn restart(&self, _account: &str) -> Result<(), Problem> {
            Err(nothing())
        }
    }

    fn nothing() -> Problem {
        Problem::NotFound("there is no such account".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn guessers_of_the_token_never_delay_its_owner() {
        let app = App::console(Arc::new(Nothing), "right");
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
