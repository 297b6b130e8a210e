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

/// A handler that sees every message and every line of the service before the rules, and answers none.
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

    /// A turn ended with this decision. Returns the id of the message it was about, if it was about one.
    pub(crate) fn decided(&self, event: &Event, decided: &Decided) -> Option<String> {
        let message = message_of(event)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(message).decided = Some(decided.clone());
        Some(message.to_owned())
    }

    fn look(&self, ctx: &Context, event: &Event) {
        let Some(message) = message_of(event) else { return };
        let looked = self.looked(ctx, event);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner).entry(message) = looked;
    }

    fn looked(&self, ctx: &Context, event: &Event) -> Looked {
        let at = Moment { now: ctx.now(), random: ctx.random(), chats: Arc::clone(ctx.chats()) };
        let mut trace = Vec::new();
        let book = self.shelf.load();
        book.explain(event, ctx, &at, &mut trace);
        let rules: BTreeMap<String, String> =
            book.rules().map(|rule| (rule.key, rule.id)).collect();
        let values =
            |scope| ctx.values(scope).map(|(key, value)| (named(&key, &rules), value)).collect();
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

/// The id under which the sandbox knows what an event is about. A notice is named after the line in the chat that told it.
fn message_of(event: &Event) -> Option<&str> {
    match &event.body {
        EventBody::Message(message) => Some(message.id.as_str()),
        EventBody::Notice(_) => event.id.as_str().strip_prefix('n'),
        EventBody::Due(_) | EventBody::Started => None,
    }
}

/// A name of state as people know it: with the rule's id in place of the key under which it is kept, and without the
/// period that a count belongs to.
fn named(name: &str, rules: &BTreeMap<String, String>) -> String {
    let Some((what, rest)) = name.split_once(':') else { return name.to_owned() };
    let key = rest.rsplit_once(':').map_or(rest, |(key, _)| key);
    let rule = rules.get(rest).or_else(|| rules.get(key));
    rule.map_or_else(|| name.to_owned(), |rule| format!("{what}:{rule}"))
}

fn step(rule: &RuleRef, verdict: &Verdict, at: Timestamp, lang: Lang) -> StepRow {
    let until = match verdict {
        Verdict::Quiet { left: Some(left), .. } => Some((at + *left).as_millis()),
        _ => None,
    };
    let why = Why::of(rule, verdict);
    StepRow {
        rule: rule.id.to_string(),
        file: rule.file.to_string(),
        line: rule.line,
        verdict: why.verdict(),
        why: why.reason(lang),
        until,
    }
}

#[async_trait]
impl Handler for Onlooker {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let body = EventBody::Message(message.clone());
        let event = Event { id: ctx.event_id().clone(), time: ctx.now(), body };
        self.look(ctx, &event);
        Ok(Flow::Continue)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        self.look(ctx, event);
        Ok(Flow::Continue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_a_rule_is_named_after_it() {
        let rules = BTreeMap::from([("#rule-0a".to_owned(), "bot.toml:7".to_owned())]);
        for (name, expected) in [
            ("cooldown:#rule-0a", "cooldown:bot.toml:7"),
            ("limit:#rule-0a:1795670011", "limit:bot.toml:7"),
            ("limit:#rule-0b:1795670011", "limit:#rule-0b:1795670011"),
            ("mute:until", "mute:until"),
            ("points", "points"),
        ] {
            assert_eq!(named(name, &rules), expected);
        }
    }
}
