//! Records why each message was answered or not, and the results.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mynah_core::{
    ActionId, ChatId, Context, Event, EventBody, EventId, Flow, Handler, HandlerError, Message,
    Outcome, Scope, Step, StoreError, TimerChange, Turn, sort_by_key, to_map,
};
use mynah_page::view::{CauseRow, Why};
use mynah_rules::{Lang, Moment, RuleBook, TimerKind};

use super::reasons::Reasons;
use super::transcript::Entry;
use super::turn_record::{RuleIds, Seen, TurnRecord, message_of};
use crate::fetcher::Fetcher;
use crate::lacking_inputs::{decided, moment};
use crate::rule_handler::ActiveRules;

/// Turns that are remembered; the oldest go first.
const KEPT: usize = 2000;

/// A handler that sees every event before the rules, and answers none; and the memory of the results.
#[derive(Debug)]
pub(crate) struct EventRecorder {
    active_rules: Arc<ActiveRules>,
    fetcher: Fetcher,
    memory: Mutex<Memory>,
    /// The ids of the rules of the book that was looked at last: all turns under one book share them.
    ids: Mutex<Option<(Arc<RuleBook>, Arc<RuleIds>)>>,
}

#[derive(Debug, Default)]
struct Memory {
    /// The data that the unfinished turns have recorded so far.
    begun: HashMap<EventId, Seen>,
    order: VecDeque<EventId>,
    turns: HashMap<EventId, TurnRecord>,
    /// The turns by the messages of the sandbox: those they are about, and those that the bot sent in them.
    by_message: HashMap<String, EventId>,
    /// The turns that set the timers, by chat and key.
    timers: HashMap<(Option<ChatId>, String), EventId>,
    /// The turns that led to those of timers.
    led_to: HashMap<EventId, EventId>,
}

impl EventRecorder {
    /// Looks at the rules on this shelf.
    pub(crate) fn new(active_rules: Arc<ActiveRules>, fetcher: Fetcher) -> Self {
        Self { active_rules, fetcher, memory: Mutex::default(), ids: Mutex::default() }
    }

    /// The record of a message: why it was answered or not; for one of the bot, about the turn that it was sent in.
    pub(crate) fn why(&self, message: &str, lang: Lang) -> Option<Why> {
        let memory = self.memory();
        let turn = memory.turn_of(message)?;
        Some(Why { cause: memory.cause_of(message), ..turn.why(lang) })
    }

    /// The reason why the bot sent a message.
    pub(crate) fn cause(&self, message: &str) -> Option<CauseRow> {
        self.memory().cause_of(message)
    }

    /// A turn is committed.
    pub(crate) fn committed(&self, turn: &Turn) {
        self.memory().committed(turn);
    }

    /// An action was settled. Returns the message that the bot sent by it, as the sandbox knows it.
    pub(crate) fn settled(&self, id: &ActionId, outcome: &Outcome) {
        let mut memory = self.memory();
        if let Some(turn) = memory.turns.get_mut(&id.event) {
            turn.settled(id, outcome);
        }
        if let Outcome::Delivered(message) = outcome {
            memory.by_message.insert(message.as_str().to_owned(), id.event.clone());
        }
    }

    /// A handler failed on an event, whose turn is committed in a moment.
    pub(crate) fn failed(&self, event: &EventId, handler: &str, error: &str) {
        let mut memory = self.memory();
        let seen = memory.begun.entry(event.clone()).or_default();
        seen.failures.push((handler.to_owned(), error.to_owned()));
    }

    /// The message that a turn is about, as the sandbox knows it.
    pub(crate) fn subject(&self, event: &EventId) -> Option<String> {
        message_of(&self.memory().turns.get(event)?.event).map(str::to_owned)
    }

    /// The conversation of the chat with these messages, as far as the bot took part in it, oldest first.
    pub(super) fn conversation(&self, messages: &[String]) -> Vec<Entry> {
        let memory = self.memory();
        // The sandbox has ids of its own for chats, but messages are called alike on both sides.
        let chat = messages.iter().rev().find_map(|message| memory.chat_of(message));
        let Some(chat) = chat else { return Vec::new() };
        let turns = memory.order.iter().filter_map(|id| memory.turns.get(id));
        let here = turns.filter(|turn| {
            turn.event.chat().is_some_and(|its| its.id == *chat)
                || turn.actions.iter().any(|action| action.chat == *chat)
        });
        let mut entries: Vec<Entry> = here.flat_map(|turn| Entry::of(turn, chat)).collect();
        sort_by_key(&mut entries, |entry| entry.time);
        entries
    }

    async fn look(&self, ctx: &mut Context, event: &Event) -> Result<(), StoreError> {
        let seen = self.seen(ctx, event).await?;
        self.memory().begun.insert(event.id.clone(), seen);
        Ok(())
    }

    async fn seen(&self, ctx: &mut Context, event: &Event) -> Result<Seen, StoreError> {
        let mut at = moment(ctx);
        let mut reasons = Reasons::default();
        let book = self.active_rules.load_full();
        let explain = |ctx: &Context, at: &Moment| {
            reasons = Reasons::default();
            book.explain(event, ctx, at, &mut reasons)
        };
        let decision = decided(ctx, &self.fetcher, &mut at, explain).await?;
        let values = [Scope::Person, Scope::Chat, Scope::Bot]
            .into_iter()
            .flat_map(|scope| ctx.values(scope).map(move |(key, value)| ((scope, key), value)));
        let handlers = decision.steps.iter().filter_map(|step| match step {
            Step::Run(call) => Some(call.handler.clone()),
            Step::Act(_) => None,
        });
        Ok(Seen {
            at: ctx.now(),
            reasons,
            before: to_map(values),
            handlers: handlers.collect(),
            failures: Vec::new(),
            chats: at.chats,
            rules: self.ids_of(&book),
        })
    }

    fn ids_of(&self, book: &Arc<RuleBook>) -> Arc<RuleIds> {
        let mut last = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, ids)) = last.as_ref().filter(|(its, _)| Arc::ptr_eq(its, book)) {
            return Arc::clone(ids);
        }
        let ids: Arc<RuleIds> = Arc::new(to_map(book.rules().map(|rule| (rule.key, rule.id))));
        *last = Some((Arc::clone(book), Arc::clone(&ids)));
        ids
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn turn_of(&self, message: &str) -> Option<&TurnRecord> {
        self.turns.get(self.by_message.get(message)?)
    }

    /// The chat of a message, as the bot knows it.
    fn chat_of(&self, message: &str) -> Option<&ChatId> {
        let turn = self.turn_of(message)?;
        if message_of(&turn.event) == Some(message) {
            return turn.event.chat().map(|chat| &chat.id);
        }
        let sent = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Delivered(id)) if id.as_str() == message);
        turn.actions.iter().find(|action| sent(&action.outcome)).map(|action| &action.chat)
    }

    fn committed(&mut self, turn: &Turn) {
        let id = turn.event.id.clone();
        if let EventBody::Due(due) = &turn.event.body {
            let key = (due.chat.as_ref().map(|chat| chat.id.clone()), due.key.clone());
            if let Some(setter) = self.timers.remove(&key) {
                self.led_to.insert(id.clone(), setter);
            }
        }
        for change in &turn.effects.timers {
            match change {
                TimerChange::Set(timer) => {
                    let chat = timer.chat.as_ref().map(|chat| chat.id.clone());
                    self.timers.insert((chat, timer.key.clone()), id.clone());
                }
                TimerChange::Cancel { chat, key } => {
                    self.timers.remove(&(chat.clone(), key.clone()));
                }
            }
        }
        if let Some(message) = message_of(&turn.event) {
            self.by_message.insert(message.to_owned(), id.clone());
        }
        let seen = self.begun.remove(&id).unwrap_or_default();
        if self.turns.insert(id.clone(), TurnRecord::new(turn, seen)).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > KEPT {
            self.forget_the_oldest();
        }
    }

    fn forget_the_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        self.turns.remove(&oldest);
        self.led_to.remove(&oldest);
        self.by_message.retain(|_, turn| *turn != oldest);
        self.timers.retain(|_, turn| *turn != oldest);
    }

    /// The cause of a message of the bot: the message that it answers, or a timer.
    fn cause_of(&self, message: &str) -> Option<CauseRow> {
        let turn = self.turn_of(message)?;
        let about = message_of(&turn.event);
        if about == Some(message) {
            return None;
        }
        let (file, line) = (turn.decided.file.clone(), turn.decided.line);
        let cause = |kind, from: Option<&TurnRecord>| {
            let message = from.and_then(|turn| message_of(&turn.event));
            let text = from.map(|turn| words_of(&turn.event)).unwrap_or_default();
            CauseRow { kind, message: message.map(str::to_owned), text, file, line }
        };
        let EventBody::Due(due) = &turn.event.body else {
            let kind = if about.is_some() { "message" } else { "other" };
            return Some(cause(kind, Some(turn)));
        };
        let kind = match TimerKind::of(&due.name) {
            Some(TimerKind::Schedule) => "schedule",
            Some(TimerKind::DialogTimeOut) => "timeout",
            Some(TimerKind::WaitedSteps) | None => "later",
        };
        let setter = self.first_cause(&turn.event.id).filter(|_| kind != "schedule");
        Some(cause(kind, setter))
    }

    /// The turn that a row of timers began with.
    fn first_cause(&self, event: &EventId) -> Option<&TurnRecord> {
        let mut at = self.led_to.get(event)?;
        while let Some(earlier) = self.led_to.get(at) {
            at = earlier;
        }
        self.turns.get(at)
    }
}

/// The text of a message, or the kind of another event.
fn words_of(event: &Event) -> String {
    match &event.body {
        EventBody::Message(message) => message.content.plain_text(),
        EventBody::Notice(_) | EventBody::Due(_) | EventBody::Started => String::new(),
    }
}

#[async_trait]
impl Handler for EventRecorder {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let body = EventBody::Message(message.clone());
        let event = Event { id: ctx.event_id().clone(), time: ctx.now(), body };
        self.look(ctx, &event).await?;
        Ok(Flow::Continue)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        self.look(ctx, event).await?;
        Ok(Flow::Continue)
    }
}
