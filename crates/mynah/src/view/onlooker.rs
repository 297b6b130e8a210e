//! Looks over the bot's shoulder: why each message was answered or not, with the state it was decided with.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mynah_core::{
    Context, Decided, Event, EventBody, Flow, Handler, HandlerError, Message, Scope, Timestamp,
};
use mynah_page::view::{StateRow, StepRow, Why as WhyRow};
use mynah_rules::{Lang, Moment, RuleRef, Verdict};

use crate::rule_handler::Shelf;
use crate::testing::why::Why;

/// Messages that are remembered; the oldest go first.
const KEPT: usize = 2000;

/// A handler that sees every message before the rules and answers none.
#[derive(Debug)]
pub(crate) struct Onlooker {
    shelf: Arc<Shelf>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    order: VecDeque<String>,
    by_message: BTreeMap<String, Looked>,
}

/// What was seen of a message.
#[derive(Debug, Default)]
struct Looked {
    at: Timestamp,
    trace: Vec<(RuleRef, Verdict)>,
    state: StateRow,
    decided: Option<Decided>,
}

impl Onlooker {
    /// Looks at the rules on this shelf.
    pub(crate) fn new(shelf: Arc<Shelf>) -> Self {
        Self { shelf, seen: Mutex::default() }
    }

    /// What is known about a message.
    pub(crate) fn why(&self, message: &str, lang: Lang) -> Option<WhyRow> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = seen.by_message.get(message)?;
        let steps = looked.trace.iter().map(|(rule, verdict)| step(rule, verdict, looked.at, lang));
        Some(WhyRow {
            decided: looked.decided.clone(),
            steps: steps.collect(),
            state: looked.state.clone(),
        })
    }

    /// A turn ended with this decision.
    pub(crate) fn decided(&self, message: &Message, decided: &Decided) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(message.id.as_str()).decided = Some(decided.clone());
    }

    fn look(&self, ctx: &Context, message: &Message) -> Looked {
        let body = EventBody::Message(message.clone());
        let event = Event { id: ctx.event_id().clone(), time: ctx.now(), body };
        let at = Moment { now: ctx.now(), random: ctx.random(), chats: Arc::clone(ctx.chats()) };
        let mut trace = Vec::new();
        self.shelf.load().explain(&event, ctx, &at, &mut trace);
        let values = |scope| {
            ctx.values(scope).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let state = StateRow { person: values(Scope::Person), chat: values(Scope::Chat) };
        Looked { at: ctx.now(), trace, state, decided: None }
    }
}

impl Seen {
    fn entry(&mut self, message: &str) -> &mut Looked {
        if !self.by_message.contains_key(message) {
            self.order.push_back(message.to_owned());
            if self.order.len() > KEPT
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_message.remove(&oldest);
            }
        }
        self.by_message.entry(message.to_owned()).or_default()
    }
}

fn step(rule: &RuleRef, verdict: &Verdict, at: Timestamp, lang: Lang) -> StepRow {
    let until = match verdict {
        Verdict::Quiet { left: Some(left), .. } => Some((at + *left).as_millis()),
        _ => None,
    };
    StepRow { rule: rule.id.clone(), why: Why::of(rule, verdict).reason(lang), until }
}

#[async_trait]
impl Handler for Onlooker {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let looked = self.look(ctx, message);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(message.id.as_str()) =
            looked;
        Ok(Flow::Continue)
    }
}
