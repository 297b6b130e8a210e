//! How the requests of rules are answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Context, EventId, Fetch, FetchFailure, FetchRequest};
use mynah_rules::Fetched;
use tokio::time::timeout;

/// The longest time that rules may take: three requests of the longest time-out, and the rest.
pub(crate) const LONGEST_RULES: Duration = Duration::from_secs(120);

/// The method whose requests may be repeated.
const GET: &str = "GET";

/// How the requests of rules are answered.
#[derive(Debug, Clone)]
pub(crate) enum Fetcher {
    /// By a client.
    Client(Arc<dyn Fetch>),
    /// Not at all: nothing is sent, and the names of the taken values stay in the texts.
    Standing,
}

/// The outcomes of the requests of a turn. They stay in its memory, so that a turn that runs again asks nothing anew.
#[derive(Default)]
struct OfTurn(BTreeMap<FetchRequest, Fetched>);

impl Fetcher {
    /// The outcome of a request, the `number`th of the turn from 0.
    pub(crate) async fn outcome(
        &self,
        ctx: &mut Context,
        request: &FetchRequest,
        number: usize,
    ) -> Fetched {
        let Self::Client(client) = self else { return Fetched::Standing };
        if let Some(known) = of_turn(ctx).and_then(|known| known.0.get(request)) {
            return known.clone();
        }
        let is_safe = request.method == GET;
        let idempotency_key = (!is_safe).then(|| idempotency_key(ctx.event_id(), number));
        let request_with_key = FetchRequest { idempotency_key, ..request.clone() };
        let apart = ctx.wait_apart();
        let answer = timeout(request.timeout, client.fetch(&request_with_key)).await;
        drop(apart);
        let outcome = match answer {
            Ok(Ok(answer)) => Fetched::Answer(Arc::new(answer)),
            Ok(Err(failure)) => Fetched::Failed(failure),
            Err(_) => Fetched::Failed(FetchFailure::TimedOut),
        };
        if of_turn(ctx).is_none() {
            ctx.memory().put(OfTurn::KEY, OfTurn::default());
        }
        if let Some(known) = ctx.memory().get_mut::<OfTurn>(OfTurn::KEY) {
            known.0.insert(request.clone(), outcome.clone());
        }
        outcome
    }
}

impl OfTurn {
    const KEY: &str = "fetch";
}

fn of_turn(ctx: &mut Context) -> Option<&OfTurn> {
    ctx.memory().get(OfTurn::KEY)
}

/// The id of the event; for further requests with their number. Services compare it, so it is the same in every run.
fn idempotency_key(event: &EventId, number: usize) -> String {
    let mut key = String::new();
    for byte in event.as_str().bytes() {
        if byte.is_ascii_graphic() {
            key.push(char::from(byte));
        } else {
            key.push_str(&format!("%{byte:02X}"));
        }
    }
    if number > 0 {
        key.push_str(&format!("#{}", number + 1));
    }
    key
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use mynah_core::{
        Action, Chat, Content, Event, EventBody, FetchAnswer, Frame, Handler as _, Message, Origin,
        Person, Step, Timestamp,
    };
    use mynah_rules::LoadOptions;

    use super::*;
    use crate::rule_handler::{ActiveRules, RuleHandler};
    use crate::testing::files::OneFile;

    /// Keeps the requests and answers each with its number.
    #[derive(Debug, Clone, Default)]
    struct Counting(Arc<Mutex<Vec<FetchRequest>>>);

    #[async_trait]
    impl Fetch for Counting {
        async fn fetch(&self, request: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
            let mut asked = self.0.lock().unwrap();
            asked.push(request.clone());
            Ok(FetchAnswer { status: 200, body: asked.len().to_string() })
        }
    }

    /// Never answers.
    #[derive(Debug)]
    struct Hanging;

    #[async_trait]
    impl Fetch for Hanging {
        async fn fetch(&self, _: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
            std::future::pending().await
        }
    }

    const RULES: &str = r#"
[[rule]]
exact = "a"
fetch = { url = "https://a.example/", body = { x = "{text}" }, take = { n = "text" }, timeout = "1s" }
reply = "first {n}"
continue = true
[[rule]]
exact = "a"
fetch = { url = "https://a.example/{user.x}", take = { n = "text" }, timeout = "50ms" }
reply = "second {n}"
fetch_reply = "nothing"
"#;

    fn handler(client: impl Fetch + 'static) -> RuleHandler {
        let file = OneFile(RULES.to_owned());
        let loaded = mynah_rules::load(Path::new(OneFile::NAME), &file, &LoadOptions::default());
        let book = loaded.book.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
        let active = Arc::new(ActiveRules::new(book));
        RuleHandler::on(active, Fetcher::Client(Arc::new(client)))
    }

    fn message() -> Message {
        Message {
            id: "1".into(),
            chat: Chat::private("p", "Pat"),
            sender: Person::friend("p", "Pat"),
            origin: Origin::Person,
            content: Content::text("a"),
            text: "a".to_owned(),
            called: true,
            behind_name: None,
        }
    }

    fn context() -> Context {
        let body = EventBody::Message(message());
        let event = Event { id: "m1".into(), time: Timestamp::from_secs(0), body };
        Context::new(Frame::of(&event, Timestamp::from_secs(0)))
    }

    fn said(ctx: &Context) -> Vec<String> {
        let text = |step: &Step| match step {
            Step::Act(planned) => match &planned.action {
                Action::Send { content } => content.plain_text(),
                other => format!("{other:?}"),
            },
            Step::Run(call) => call.handler.clone(),
        };
        ctx.effects().steps.iter().map(text).collect()
    }

    #[tokio::test]
    async fn a_turn_that_runs_again_asks_nothing_anew_and_the_next_turn_does() {
        let client = Counting::default();
        let handler = handler(client.clone());
        let mut first = context();
        handler.on_message(&mut first, &message()).await.expect("it answers");
        assert_eq!(said(&first), ["first 1", "second 2"]);
        assert_eq!(first.decided().fetches.len(), 2);
        // The runtime hands the memory to the next attempt.
        let mut again = context();
        *again.memory() = std::mem::take(first.memory());
        handler.on_message(&mut again, &message()).await.expect("it answers");
        assert_eq!(said(&again), ["first 1", "second 2"]);
        {
            let asked = client.0.lock().unwrap();
            let keys: Vec<_> = asked.iter().map(|one| one.idempotency_key.as_deref()).collect();
            assert_eq!(keys, [Some("m1"), None], "a request that may arrive twice has a key");
        }
        let mut next = context();
        handler.on_message(&mut next, &message()).await.expect("it answers");
        assert_eq!(said(&next), ["first 3", "second 4"]);
    }

    #[tokio::test]
    async fn a_client_that_hangs_is_given_up() {
        let mut ctx = context();
        handler(Hanging).on_message(&mut ctx, &message()).await.expect("it ends");
        assert_eq!(said(&ctx), [""; 0]);
        let [note] = ctx.decided().fetches.as_slice() else { panic!("one request") };
        assert_eq!(note.failure, Some(FetchFailure::TimedOut.words()));
        assert_eq!(ctx.decided().warnings.len(), 1);
    }

    #[test]
    fn the_key_of_a_request_is_that_of_its_event() {
        assert_eq!(idempotency_key(&"m1".into(), 0), "m1");
        assert_eq!(idempotency_key(&"群 1".into(), 1), "%E7%BE%A4%201#2");
    }
}
