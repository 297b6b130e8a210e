//! The rules of a played conversation, watched: the decision of every turn, its reasons, and the handlers it called.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mynah_core::{
    Action, Call, Context, Event, EventBody, EventId, Flow, Handler, HandlerError, Message, Random,
    Step, StoreError,
};
use mynah_rules::{Decision, Moment, RuleBook, RuleRef, Verdict};

use super::bot_action::shown;
use crate::fetcher::Fetcher;
use crate::lacking_inputs::{decided, moment};
use crate::rule_handler::RuleHandler;

/// How often the dice are thrown again to see the other possible random replies.
const THROWS: u64 = 64;

/// How closely the rules are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WatchLevel {
    /// The decisions.
    Decisions,
    /// Also their reasons, and the other possible replies.
    Reasons,
}

/// Runs the rules, and remembers.
pub(crate) struct Watcher {
    book: Arc<RuleBook>,
    fetcher: Fetcher,
    rules: RuleHandler,
    registered: BTreeSet<String>,
    level: Mutex<WatchLevel>,
    /// Turns in the order in which they first ran. One that runs again takes the place of its first run.
    turns: Mutex<Vec<WatchedTurn>>,
}

/// A turn as it was seen.
#[derive(Debug)]
pub(crate) struct WatchedTurn {
    /// Of which event.
    pub(crate) event: EventId,
    /// The decision.
    pub(crate) decision: Decision,
    /// Each rule that was looked at, with its outcome.
    pub(crate) verdicts: Vec<(RuleRef, Verdict)>,
    /// Each text that was said, with all texts that could have stood in its place under other dice.
    could_say: Vec<(String, BTreeSet<String>)>,
}

impl WatchedTurn {
    /// Whether under other dice `text` could have been said in the place of `said`.
    pub(crate) fn could_have_said(&self, text: &str, said: &str) -> bool {
        self.could_say.iter().any(|(now, other)| now == said && other.contains(text))
    }

    /// The handlers that were called, in order.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &Call> {
        self.decision.steps.iter().filter_map(|step| match step {
            Step::Run(call) => Some(call),
            Step::Act(_) => None,
        })
    }
}

impl Watcher {
    /// Watches the rules of this book, in a bot with handlers of these names.
    pub(crate) fn new(
        book: Arc<RuleBook>,
        fetcher: Fetcher,
        registered: Vec<String>,
        level: WatchLevel,
    ) -> Self {
        Self {
            rules: RuleHandler::alone(Arc::clone(&book), fetcher.clone()),
            fetcher,
            book,
            registered: registered.into_iter().collect(),
            level: Mutex::new(level),
            turns: Mutex::default(),
        }
    }

    /// From now on the rules are watched like this.
    pub(crate) fn attend(&self, level: WatchLevel) {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = level;
    }

    /// The turns since the last call, in order.
    pub(crate) fn take(&self) -> Vec<WatchedTurn> {
        std::mem::take(&mut *self.turns())
    }

    /// How many turns there were since then.
    pub(crate) fn seen(&self) -> usize {
        self.turns().len()
    }

    fn turns(&self) -> MutexGuard<'_, Vec<WatchedTurn>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides as the rules will in a moment, and keeps it.
    async fn watch(&self, ctx: &mut Context, event: &Event) -> Result<(), StoreError> {
        let mut at = moment(ctx);
        let level = *self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let watched = match level {
            WatchLevel::Decisions => WatchedTurn {
                event: event.id.clone(),
                decision: {
                    let decide = |ctx: &Context, at: &Moment| self.book.decide(event, ctx, at);
                    decided(ctx, &self.fetcher, &mut at, decide).await?
                },
                verdicts: Vec::new(),
                could_say: Vec::new(),
            },
            WatchLevel::Reasons => self.watch_closely(ctx, event, at).await?,
        };
        let mut turns = self.turns();
        match turns.iter_mut().find(|turn| turn.event == watched.event) {
            Some(turn) => *turn = watched,
            None => turns.push(watched),
        }
        Ok(())
    }

    async fn watch_closely(
        &self,
        ctx: &mut Context,
        event: &Event,
        mut at: Moment,
    ) -> Result<WatchedTurn, StoreError> {
        let mut verdicts = Vec::new();
        let explain = |ctx: &Context, at: &Moment| {
            verdicts.clear();
            self.book.explain(event, ctx, at, &mut verdicts)
        };
        let decision = decided(ctx, &self.fetcher, &mut at, explain).await?;
        let mut could_say: Vec<_> =
            texts(&decision).map(|text| (text.clone(), BTreeSet::from([text]))).collect();
        let throws = if could_say.is_empty() { 0 } else { THROWS };
        for throw in 0..throws {
            let other = Moment { random: Random::from_seed(throw), ..at.clone() };
            // Under other dice another rule may answer, whose inputs are not at hand.
            let other = self.book.decide(event, ctx, &other);
            if other.rule == decision.rule && other.steps.len() == decision.steps.len() {
                could_say.iter_mut().zip(texts(&other)).for_each(|((_, all), text)| {
                    all.insert(text);
                });
            }
        }
        Ok(WatchedTurn { event: event.id.clone(), decision, verdicts, could_say })
    }

    /// Takes out the calls of unregistered handlers: they are looked at, not run.
    fn drop_unknown_calls(&self, ctx: &mut Context) {
        let mut effects = ctx.effects().clone();
        let known = |step: &Step| match step {
            Step::Run(call) => self.registered.contains(&call.handler),
            Step::Act(_) => true,
        };
        if !effects.steps.iter().all(known) {
            effects.steps.retain(known);
            ctx.restore(effects);
        }
    }
}

/// The texts that a decision says.
fn texts(decision: &Decision) -> impl Iterator<Item = String> {
    decision.steps.iter().filter_map(|step| match step {
        Step::Act(planned) => match &planned.action {
            Action::Send { content } => Some(shown(content)),
            Action::Recall { .. }
            | Action::Kick { .. }
            | Action::Invite { .. }
            | Action::AcceptFriend { .. }
            | Action::Save { .. } => None,
        },
        Step::Run(_) => None,
    })
}

#[async_trait]
impl Handler for Watcher {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let body = EventBody::Message(message.clone());
        self.watch(ctx, &Event { id: ctx.event_id().clone(), time: ctx.now(), body }).await?;
        let flow = self.rules.on_message(ctx, message).await?;
        self.drop_unknown_calls(ctx);
        Ok(flow)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        self.watch(ctx, event).await?;
        let flow = self.rules.on_event(ctx, event).await?;
        self.drop_unknown_calls(ctx);
        Ok(flow)
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("registered", &self.registered).finish_non_exhaustive()
    }
}
