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
    use super::*;

    #[test]
    fn the_key_of_a_request_is_that_of_its_event() {
        assert_eq!(idempotency_key(&"m1".into(), 0), "m1");
        assert_eq!(idempotency_key(&"群 1".into(), 1), "%E7%BE%A4%201#2");
    }
}
