//! A turn: one event through all handlers, then one commit.

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use mynah_core::{
    Action, Call, ChatId, Claim, Committed, Context, Decided, Effects, Event, EventBody, EventId,
    Failure, Flow, Frame, Lane, Outgoing, Planned, Question, Read, Rejection, Scope, Snapshot,
    StateView as _, Step, StoreError, Timestamp, Turn, TurnMemory,
};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;
use tokio::time::{Instant, timeout};

use crate::handlers::{Handlers, Registered};
use crate::outbox::{self, Attempt};
use crate::worker::Worker;
use crate::{Trouble, admission, kept_media, kick_limit, loop_breaker, say, split};

/// The largest number of handlers run by name in one turn; more means that they call each other without end.
const CALLS: usize = 32;

/// The result of a turn.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct TurnEnd {
    /// Whether the lane has more events.
    pub(crate) more: bool,
    /// The chats with actions to send.
    pub(crate) chats: Vec<ChatId>,
    /// The chats among them to which this turn sends only messages that give way to replies.
    pub(crate) yielding: BTreeSet<ChatId>,
    /// An action of this turn or before it that is claimed and to be sent.
    pub(crate) claimed: Option<Outgoing>,
    /// The due time of the earliest timer.
    pub(crate) next_timer: Option<Timestamp>,
}

/// How an event passed a handler.
struct Passed {
    /// `None` if the handler failed.
    flow: Option<Flow>,
    /// Whether a handler that waited for the message gave it back.
    is_declined: bool,
}

/// A failed handler: its name and its error.
struct Failed {
    handler: String,
    failure: Failure,
}

impl Worker {
    /// Handles the oldest event of a lane, and starts again if the values that it read have changed by its end.
    pub(crate) async fn turn(&self, lane: &Lane) -> Result<TurnEnd, StoreError> {
        let mut begun = self.begun.take(lane);
        let mut memory = TurnMemory::default();
        let mut remembers: Option<EventId> = None;
        loop {
            let now = self.now();
            let begun = match begun.take() {
                Some(begun) => Some(begun),
                None => self.store.begin(lane, now).await?,
            };
            let Some((event, snapshot)) = begun else { return Ok(TurnEnd::default()) };
            if remembers.take().is_some_and(|before| before != event.id) {
                memory = TurnMemory::default();
            }
            let started = Instant::now();
            let (reads, effects, mut decided) =
                self.decide(&event, snapshot, now, &mut memory).await;
            remembers = (!memory.is_empty()).then(|| event.id.clone());
            decided.micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            if let Some(end) = self.commit(event, reads, effects, decided).await? {
                return Ok(end);
            }
            tracing::debug!(%lane, "something that the turn read has changed; it runs again");
        }
    }

    /// Commits a turn. `None` if the values that it read have changed.
    pub(crate) async fn commit(
        &self,
        event: Event,
        reads: Vec<Read>,
        effects: Effects,
        decided: Decided,
    ) -> Result<Option<TurnEnd>, StoreError> {
        let reply_max_age = self.settings.reply_max_age;
        let actions = effects.steps.len();
        let now = self.now();
        let yielding = giving_way(&event, &effects.steps);
        let reserved = self.reserve(&effects, &yielding, now);
        let request = reserved.as_ref().map(|chat| self.claim_request(chat, now));
        let turn = Arc::new(Turn { event, reads, effects, decided, reply_max_age });
        let committed = self.store.commit_and_claim(Arc::clone(&turn), request, now).await?;
        let Turn { event, decided, .. } = &*turn;
        match committed {
            Committed::Conflict => {
                if let Some(chat) = reserved {
                    outbox::lock(&self.outbox).done(&chat, Attempt::Nothing, now);
                }
                Ok(None)
            }
            Committed::Done { more, mut chats, next_timer, claim } => {
                let claimed = reserved.and_then(|chat| {
                    chats.retain(|other| *other != chat);
                    self.claimed(&chat, claim.map_or(Claim::Empty, |claim| *claim))
                });
                let rule = decided.rule.as_deref();
                let passed_over = decided.passed_over.as_deref();
                tracing::debug!(event = %event.id, rule, passed_over, "turn committed");
                self.performing.committed(&event.id, actions);
                self.note_answer(&turn, now);
                self.observer.turn(event, decided);
                if decided.dropped > 0 {
                    let (event, dropped) = (event.id.clone(), decided.dropped);
                    self.observer.trouble(&Trouble::TooLong { event, dropped });
                }
                Ok(Some(TurnEnd { more, chats, yielding, claimed, next_timer }))
            }
        }
    }

    /// Reserves the chat of the first action of a turn, if that gives way to nothing and could leave at once. Returns the
    /// chat.
    fn reserve(
        &self,
        effects: &Effects,
        yielding: &BTreeSet<ChatId>,
        now: Timestamp,
    ) -> Option<ChatId> {
        let first = effects.steps.iter().find_map(|step| match step {
            Step::Act(planned) => Some(planned),
            Step::Run(_) => None,
        })?;
        let is_free = first.delay.is_zero()
            && !yielding.contains(&first.chat)
            && outbox::lock(&self.outbox).reserve(&first.chat, now);
        is_free.then(|| first.chat.clone())
    }

    /// The action that a turn claimed for a reserved chat. Without one the chat is free again.
    fn claimed(&self, chat: &ChatId, claim: Claim) -> Option<Outgoing> {
        let free = |attempt| outbox::lock(&self.outbox).done(chat, attempt, self.now());
        self.take(claim).map_err(free).ok()
    }

    /// Decides the effects of an event.
    async fn decide(
        &self,
        event: &Event,
        snapshot: Snapshot,
        now: Timestamp,
        memory: &mut TurnMemory,
    ) -> (Vec<Read>, Effects, Decided) {
        let max_age = self.settings.max_age;
        let passed_over = admission::passed_over(event, max_age, self.service_now())
            .or_else(|| self.recalls.passed_over(event));
        if let Some(why) = passed_over {
            return nothing(why);
        }
        let earlier = std::mem::take(memory);
        let mut ctx = Context::new(Frame { memory: earlier, ..self.frame(event, snapshot, now) });
        if let Some(planned) = say::planned(event) {
            ctx.plan(planned);
        } else if event.message().is_some() && loop_breaker::is_silent(&ctx) {
            ctx.decided().passed_over = Some("loop breaker".to_owned());
        } else {
            let handlers = self.handlers.load();
            self.run_all(&handlers, &mut ctx, event).await;
            self.break_loops(&mut ctx, event);
        }
        self.limit_kicks(&mut ctx, event);
        if let Some(data) = &self.settings.save_folder {
            kept_media::keep(&mut ctx, data).await;
        }
        *memory = std::mem::take(ctx.memory());
        self.finish(ctx)
    }

    fn frame(&self, event: &Event, snapshot: Snapshot, now: Timestamp) -> Frame {
        Frame {
            now,
            seed: self.settings.seed,
            snapshot,
            chats: self.service.chats(),
            service: Some(self.service.clone()),
            store: Some(self.store.clone()),
            waits: Some(self.waiting.clone()),
            lang: self.handlers.load().present_lang(),
            ..Frame::of(event, now)
        }
    }

    /// Runs the handlers before the rules, the rules, the handler of a follow-up, and the fallbacks, until one stops.
    ///
    /// The effects of a failed handler are dropped, together with those of the handlers that it called. After a failed
    /// handler before the rules the turn goes on; after a failed rule book or fallback it ends without another answer.
    async fn run_all(&self, handlers: &Handlers, ctx: &mut Context, event: &Event) {
        for registered in &handlers.before {
            if matches!(self.run_guarded(handlers, registered, ctx, event).await, Some(Flow::Stop))
            {
                ctx.decided().handler = Some(registered.name.clone());
                return;
            }
        }
        if let Some(rules) = &handlers.rules
            && self.run_rules(handlers, rules, ctx, event).await != Some(Flow::Continue)
        {
            return;
        }
        for registered in addressed(handlers, event).into_iter().chain(&handlers.fallback) {
            let flow = self.run_guarded(handlers, registered, ctx, event).await;
            if flow == Some(Flow::Stop) {
                ctx.decided().handler = Some(registered.name.clone());
            }
            if flow != Some(Flow::Continue) {
                return;
            }
        }
    }

    /// Runs the rules; once more if a handler that waited for this message gives it back.
    async fn run_rules(
        &self,
        handlers: &Handlers,
        rules: &Registered,
        ctx: &mut Context,
        event: &Event,
    ) -> Option<Flow> {
        let Passed { flow, is_declined } = self.run_with_calls(handlers, rules, ctx, event).await;
        if !is_declined {
            return flow;
        }
        // The rules must not give it to the handler again, which may go on waiting.
        let asked_again = ctx.get(Scope::Person, Question::KEY);
        if asked_again.is_some() {
            ctx.remove(Scope::Person, Question::KEY);
        }
        let flow = self.run_guarded(handlers, rules, ctx, event).await;
        if let Some(question) = asked_again
            && ctx.get(Scope::Person, Question::KEY).is_none()
        {
            ctx.set(Scope::Person, Question::KEY, question);
        }
        flow
    }

    /// Runs a handler and the handlers that it calls. `None` if it failed; then its effects are dropped.
    async fn run_guarded(
        &self,
        handlers: &Handlers,
        registered: &Registered,
        ctx: &mut Context,
        event: &Event,
    ) -> Option<Flow> {
        self.run_with_calls(handlers, registered, ctx, event).await.flow
    }

    async fn run_with_calls(
        &self,
        handlers: &Handlers,
        registered: &Registered,
        ctx: &mut Context,
        event: &Event,
    ) -> Passed {
        let before = ctx.effects().clone();
        let result = match self.call(registered, ctx, event).await {
            Ok(flow) => self
                .run_calls(handlers, ctx, event)
                .await
                .map(|is_declined| Passed { flow: Some(flow), is_declined }),
            Err(failed) => Err(failed),
        };
        match result {
            Ok(passed) => passed,
            Err(failed) => {
                ctx.restore(before);
                let flow = self.after_failure(handlers, ctx, event, failed).await;
                Passed { flow, is_declined: false }
            }
        }
    }

    /// Answers or reports a failure whose effects are dropped. `Stop` if the turn ends; else it goes on as after a failure.
    async fn after_failure(
        &self,
        handlers: &Handlers,
        ctx: &mut Context,
        event: &Event,
        failed: Failed,
    ) -> Option<Flow> {
        if answered(ctx, &failed.failure) {
            return Some(Flow::Stop);
        }
        let Failed { handler, failure } = failed;
        ctx.decided().passed_over = Some(format!("handler {handler} failed"));
        let error = failure.to_string();
        let (name, id) = (handler.clone(), event.id.clone());
        self.trouble(event, &Trouble::HandlerFailed { handler, event: id, error });
        let hook = handlers.on_error.as_ref()?;
        let before = ctx.effects().clone();
        let hooked = AssertUnwindSafe(|| hook(&name, &failure, ctx));
        let hooked = std::panic::catch_unwind(hooked).map_err(|panic| Failed {
            handler: "on_error".to_owned(),
            failure: Failure::Panicked(words_of(&*panic).to_owned()),
        });
        // The hook may run handlers, too.
        let hooked = match hooked {
            Ok(flow) => self.run_calls(handlers, ctx, event).await.map(|_| flow),
            Err(failed) => Err(failed),
        };
        match hooked {
            Ok(flow) => (flow == Flow::Stop).then_some(flow),
            Err(Failed { handler, failure }) => {
                // Without the hook again: it may be the reason.
                ctx.restore(before);
                let (event_id, error) = (event.id.clone(), failure.to_string());
                self.trouble(event, &Trouble::HandlerFailed { handler, event: event_id, error });
                None
            }
        }
    }

    /// Runs the handlers among the steps; the steps of each handler take its place. Returns whether one of them waited for
    /// the message and gives it back.
    async fn run_calls(
        &self,
        handlers: &Handlers,
        ctx: &mut Context,
        event: &Event,
    ) -> Result<bool, Failed> {
        if !ctx.effects().steps.iter().any(|step| matches!(step, Step::Run(_))) {
            return Ok(false);
        }
        let mut effects = ctx.effects().clone();
        let mut open: VecDeque<Step> = std::mem::take(&mut effects.steps).into();
        ctx.restore(effects);
        let mut done = Vec::new();
        let mut calls = 0;
        let mut is_declined = false;
        while let Some(step) = open.pop_front() {
            let Step::Run(call) = step else {
                done.push(step);
                continue;
            };
            calls += 1;
            if calls > CALLS {
                return Err(Failed { handler: call.handler, failure: Failure::Endless });
            }
            let waited = event.message().is_some() && Question::is_asked_by(&call);
            let (flow, steps) = self.run_call(handlers, ctx, event, call).await?;
            is_declined |= waited && flow == Flow::Continue;
            steps.into_iter().rev().for_each(|step| open.push_front(step));
        }
        let mut effects = ctx.effects().clone();
        effects.steps = done;
        ctx.restore(effects);
        Ok(is_declined)
    }

    /// Runs a handler by name. Returns its steps.
    async fn run_call(
        &self,
        handlers: &Handlers,
        ctx: &mut Context,
        event: &Event,
        call: Call,
    ) -> Result<(Flow, Vec<Step>), Failed> {
        let Call { handler, captures } = call;
        let Some(registered) = handlers.named.get(&handler) else {
            self.trouble(event, &Trouble::NoSuchHandler { handler, event: event.id.clone() });
            return Ok((Flow::Stop, Vec::new()));
        };
        let suspended = ctx.begin_call(captures);
        let before = ctx.effects().clone();
        let mut result = self.call(registered, ctx, event).await;
        if let Err(failed) = &result
            && failed.failure.rejection().is_some()
        {
            // The effects of the rule stay: its cooldown holds for wrong calls, too.
            ctx.restore(before);
            answered(ctx, &failed.failure);
            result = Ok(Flow::Stop);
        }
        let steps = ctx.end_call(suspended);
        result.map(|flow| (flow, steps))
    }

    /// Calls a handler within its limits of concurrency and time.
    async fn call(
        &self,
        registered: &Registered,
        ctx: &mut Context,
        event: &Event,
    ) -> Result<Flow, Failed> {
        let failed = |failure| Failed { handler: registered.name.clone(), failure };
        // The semaphore is never closed; if it were, the handler would run without a limit.
        let _permit = match &registered.permits {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        let limit = registered.timeout.unwrap_or(self.settings.handler_timeout);
        let work = registered.handler.handle(ctx, event);
        let work = AssertUnwindSafe(apart(work, registered.is_prompt)).catch_unwind();
        match timeout(limit, work).await {
            Ok(Ok(Ok(flow))) => Ok(flow),
            Ok(Ok(Err(error))) => Err(failed(Failure::Error(error))),
            Ok(Err(panic)) => Err(failed(Failure::Panicked(words_of(&*panic).to_owned()))),
            Err(_) => Err(failed(Failure::TimedOut(limit))),
        }
    }

    fn break_loops(&self, ctx: &mut Context, event: &Event) {
        let (Some(breaker), Some(message)) = (&self.settings.loop_breaker, event.message()) else {
            return;
        };
        if !ctx.effects().steps.iter().any(sends) {
            return;
        }
        if self.answers.is_loop(message, breaker, ctx.now()) {
            let until = loop_breaker::silence(ctx, breaker);
            let (chat, person) = (message.chat.clone(), message.sender.clone());
            self.trouble(event, &Trouble::Loop { chat, person, until });
        }
    }

    fn note_answer(&self, turn: &Turn, now: Timestamp) {
        if let (Some(breaker), Some(message)) = (&self.settings.loop_breaker, turn.event.message())
            && turn.effects.steps.iter().any(sends)
        {
            self.answers.note(message, breaker, now);
        }
    }

    fn limit_kicks(&self, ctx: &mut Context, event: &Event) {
        if let Some(excess) = kick_limit::hold(ctx, self.settings.kicks) {
            let kick_limit::Excess { dropped, until } = excess;
            let trouble = Trouble::TooManyKicks { event: event.id.clone(), dropped, until };
            self.trouble(event, &trouble);
        }
    }

    fn finish(&self, ctx: Context) -> (Vec<Read>, Effects, Decided) {
        let (reads, mut effects, mut decided) = ctx.finish();
        if decided.replies.is_empty() {
            decided.replies = effects.steps.iter().filter_map(reply_text).collect();
        }
        let limit = split::Limit::of(&self.service.capabilities());
        let split = split::split_steps(effects.steps, limit);
        effects.steps = split.steps;
        decided.dropped = u32::try_from(split.dropped).unwrap_or(u32::MAX);
        (reads, effects, decided)
    }
}
/// The handler of a timer: a follow-up names it.
fn addressed<'h>(handlers: &'h Handlers, event: &Event) -> Option<&'h Registered> {
    match &event.body {
        EventBody::Due(due) => handlers.named.get(&due.name),
        EventBody::Message(_) | EventBody::Notice(_) | EventBody::Started => None,
    }
}

/// Answers the person if the failure is an answer. Returns whether it is.
fn answered(ctx: &mut Context, failure: &Failure) -> bool {
    let Some(Rejection(words)) = failure.rejection() else { return false };
    let words = words.of(ctx.lang()).to_owned();
    ctx.reply_at(words);
    true
}

fn nothing(why: &str) -> (Vec<Read>, Effects, Decided) {
    let decided = Decided { passed_over: Some(why.to_owned()), ..Decided::default() };
    (Vec::new(), Effects::default(), decided)
}

/// Runs a handler so that it does not block other tasks if it blocks its thread: the runtime moves the other tasks to
/// another thread. A runtime with one thread cannot do this, and the built-in rules do not need it.
async fn apart<T>(work: impl Future<Output = T>, is_prompt: bool) -> T {
    let can = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if is_prompt || !can {
        return work.await;
    }
    let mut work = pin!(work);
    poll_fn(|task| block_in_place(|| work.as_mut().poll(task))).await
}

/// The chats to which a turn sends only messages that give way to replies: those that it sends to several chats, and
/// announcements, each of which is a turn of its own.
fn giving_way(event: &Event, steps: &[Step]) -> BTreeSet<ChatId> {
    let planned = || {
        steps.iter().filter_map(|step| match step {
            Step::Act(planned) => Some(planned),
            Step::Run(_) => None,
        })
    };
    let is_sent = |one: &&Planned| !one.is_reply && matches!(one.action, Action::Send { .. });
    let mut chats: BTreeSet<ChatId> =
        planned().filter(is_sent).map(|one| one.chat.clone()).collect();
    let is_announcement = matches!(&event.body, EventBody::Due(due) if due.person.is_none())
        && say::planned(event).is_none();
    if chats.len() < 2 && !is_announcement {
        return BTreeSet::new();
    }
    for other in planned().filter(|one| !is_sent(one)) {
        chats.remove(&other.chat);
    }
    chats
}

/// Whether a step answers, here or in another chat.
fn sends(step: &Step) -> bool {
    let Step::Act(planned) = step else { return false };
    planned.is_reply || matches!(planned.action, Action::Send { .. })
}

fn reply_text(step: &Step) -> Option<String> {
    let Step::Act(planned) = step else { return None };
    let Action::Send { content } = &planned.action else { return None };
    let text = content.plain_text();
    (planned.is_reply && !text.is_empty()).then_some(text)
}

/// The message of a panic.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}
