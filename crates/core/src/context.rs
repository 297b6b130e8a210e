//! The context of a handler.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::{
    Action, Captures, Change, Chat, ChatKind, Content, Decided, Effects, Event, EventId, Lang,
    MediaError, MediaRef, MemberQuery, MemberValues, Person, Planned, Random, Read, Scope, Segment,
    Service, Snapshot, StateView, Step, Store, StoreError, Timer, TimerChange, Timestamp,
    TurnMemory, TurnWait, TurnWaits, Write,
};

/// The context of a handler: the clock, the seed, state, captures, and the effects it collects.
///
/// A context lives for one turn. `now` is the moment at which the turn began and does not move. All requested effects
/// take place when the turn commits, or none of them.
///
/// ```
/// use std::time::Duration;
///
/// use mynah_core::{Context, Flow, HandlerError, Message, Scope, StateView};
///
/// fn answer(ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
///     // `{city}` of the rule that runs this handler.
///     let city = ctx.capture("city").unwrap_or("nowhere").to_owned();
///     ctx.add(Scope::Chat, "asked", 1);
///     let times = ctx.get(Scope::Chat, "asked").unwrap_or_default();
///     ctx.reply_at(format!("{city}: asked for {times} times here"));
///     // A turn of its own, later, also after a restart.
///     ctx.follow_up(Duration::from_secs(60), "remind", message.text.clone());
///     Ok(Flow::Stop)
/// }
/// # let _ = mynah_core::handler_fn(answer);
/// ```
pub struct Context {
    frame: Frame,
    captures: Captures,
    effects: Effects,
    decided: Decided,
    calls: u32,
}

/// The input of a turn: everything that a decision depends on.
pub struct Frame {
    /// The event's id.
    pub event: EventId,
    /// The chat of the event.
    pub chat: Option<Chat>,
    /// The person who caused the event.
    pub person: Option<Person>,
    /// The moment at which the turn began.
    pub now: Timestamp,
    /// The seed of the bot; random numbers depend on it and the event's id.
    pub seed: u64,
    /// The state at that moment.
    pub snapshot: Snapshot,
    /// The chats that the account knows.
    pub chats: Arc<[Chat]>,
    /// The service, for fetching media; `None` if there is none, as in tests without a network.
    pub service: Option<Arc<dyn Service>>,
    /// The store, for values of other people in the chat; `None` if there is none: then no person has a value.
    pub store: Option<Arc<dyn Store>>,
    /// The values that earlier attempts of this turn have put there.
    pub memory: TurnMemory,
    /// The turns that wait for other services; `None` where no turns work at the same time.
    pub waits: Option<Arc<dyn TurnWaits>>,
    /// The language of the bot in its chats.
    pub lang: Lang,
}

impl Frame {
    /// The frame of an event with empty state, for tests and for decisions about a message alone.
    #[must_use]
    pub fn of(event: &Event, now: Timestamp) -> Self {
        Self {
            event: event.id.clone(),
            chat: event.chat().cloned(),
            person: event.person().cloned(),
            now,
            seed: 0,
            snapshot: Snapshot::default(),
            chats: Arc::from([]),
            service: None,
            store: None,
            memory: TurnMemory::default(),
            waits: None,
            lang: Lang::default(),
        }
    }
}

impl Context {
    /// A context for one turn. The runtime makes them; tests may.
    #[must_use]
    pub fn new(frame: Frame) -> Self {
        Self {
            frame,
            captures: Captures::new(),
            effects: Effects::default(),
            decided: Decided::default(),
            calls: 0,
        }
    }

    /// The id of the event. It stays the same if the turn runs again, so it can serve as the key for outside effects.
    #[must_use]
    pub fn event_id(&self) -> &EventId {
        &self.frame.event
    }

    /// The number of the next call to another program in this turn, from 0: the same in every run of the turn. With
    /// [`event_id`](Self::event_id) it names the call.
    #[doc(hidden)]
    pub fn number_call(&mut self) -> u32 {
        self.calls += 1;
        self.calls - 1
    }

    /// Values that all attempts of this turn share: for answers of other services, so that a turn that runs again asks
    /// nothing anew. It is dropped with the turn; after a restart of the program the turn begins with an empty one.
    pub fn memory(&mut self) -> &mut TurnMemory {
        &mut self.frame.memory
    }

    /// The language of the bot in its chats: `[bot] lang`, else Chinese.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.frame.lang
    }

    /// Begins a wait for another service: while the returned value lives, this turn does not keep turns of other chats from
    /// beginning, however many wait.
    pub fn wait_apart(&self) -> TurnWait {
        TurnWait::of(self.frame.waits.as_ref())
    }

    /// The moment at which the turn began.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.frame.now
    }

    /// The chat of the event; `None` for the account's own timers.
    #[must_use]
    pub fn chat(&self) -> Option<&Chat> {
        self.frame.chat.as_ref()
    }

    /// The person who caused the event, if known.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        self.frame.person.as_ref()
    }

    /// The chats that the account knows at present.
    #[must_use]
    pub fn chats(&self) -> &Arc<[Chat]> {
        &self.frame.chats
    }

    /// The groups that the account knows at present; to find one by name:
    /// `ctx.groups().find(|group| group.name == "Staff").cloned()`.
    pub fn groups(&self) -> impl Iterator<Item = &Chat> {
        self.frame.chats.iter().filter(|chat| chat.kind == ChatKind::Group)
    }

    /// Random numbers for this event: the same in every run of the turn.
    #[must_use]
    pub fn random(&self) -> Random {
        Random::of(self.frame.seed, &self.frame.event)
    }

    /// The seed of the bot.
    #[doc(hidden)]
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.frame.seed
    }

    /// The captures of the rule that runs this handler; empty for other handlers.
    #[must_use]
    pub fn captures(&self) -> &Captures {
        &self.captures
    }

    /// One capture, by name or number.
    #[must_use]
    pub fn capture(&self, name: &str) -> Option<&str> {
        self.captures.get(name).map(String::as_str)
    }

    /// Sends `text` to the chat of the event, as a reply. Does nothing without a chat.
    pub fn reply(&mut self, text: impl Into<String>) {
        self.reply_with(Content::text(text));
    }

    /// Sends `text` to the chat of the event with a mention of the person; private chats get no mention.
    pub fn reply_at(&mut self, text: impl Into<String>) {
        let mention = match (&self.frame.chat, &self.frame.person) {
            (Some(chat), Some(person)) if chat.kind == ChatKind::Group => {
                Some(Segment::Mention { who: Some(person.id.clone()), shown: person.name.clone() })
            }
            _ => None,
        };
        let content =
            Content(mention.into_iter().collect()).with(Segment::Text { text: text.into() });
        self.reply_with(content);
    }

    /// Sends any content to the chat of the event, as a reply. Does nothing without a chat.
    pub fn reply_with(&mut self, content: Content) {
        if let Some(chat) = &self.frame.chat {
            let chat = chat.id.clone();
            let action = Action::Send { content };
            self.plan(Planned { chat, action, delay: Duration::ZERO, is_reply: true });
        }
    }

    /// Sends content to another chat; see [`chats`](Self::chats).
    pub fn send(&mut self, chat: &Chat, content: Content) {
        let action = Action::Send { content };
        self.plan(Planned {
            chat: chat.id.clone(),
            action,
            delay: Duration::ZERO,
            is_reply: false,
        });
    }

    /// Removes a person from the group of the event. Does nothing in private.
    ///
    /// The handler decides whom to remove: only rules spare the admins by themselves. The limit of kicks in an hour
    /// holds for handlers as well.
    pub fn kick(&mut self, person: &Person) {
        if let Some(chat) = self.frame.chat.as_ref().filter(|chat| chat.is_group()) {
            let (chat, person) = (chat.id.clone(), person.without_names());
            let action = Action::Kick { person };
            self.plan(Planned { chat, action, delay: Duration::ZERO, is_reply: false });
        }
    }

    /// Invites a person into a group; see [`groups`](Self::groups). Does nothing for a private chat.
    pub fn invite(&mut self, person: &Person, group: &Chat) {
        if group.is_group() {
            let (chat, person) = (group.id.clone(), person.without_names());
            let action = Action::Invite { person };
            self.plan(Planned { chat, action, delay: Duration::ZERO, is_reply: false });
        }
    }

    /// Adds any action.
    pub fn plan(&mut self, planned: Planned) {
        self.effects.steps.push(Step::Act(planned));
    }

    /// Adds any step: an action, or a handler to run at this place.
    pub fn step(&mut self, step: Step) {
        self.effects.steps.push(step);
    }

    /// Sets a value of state without an expiry.
    pub fn set(&mut self, scope: Scope, key: impl Into<String>, value: impl Into<String>) {
        self.write(Write {
            scope,
            key: key.into(),
            change: Change::Set(value.into()),
            expires: None,
        });
    }

    /// Adds to a whole number of state; a missing value counts as 0. Additions never conflict with each other.
    pub fn add(&mut self, scope: Scope, key: impl Into<String>, by: i64) {
        self.write(Write { scope, key: key.into(), change: Change::Add(by), expires: None });
    }

    /// Removes a value of state.
    pub fn remove(&mut self, scope: Scope, key: impl Into<String>) {
        self.write(Write { scope, key: key.into(), change: Change::Remove, expires: None });
    }

    /// Makes any change of state.
    pub fn write(&mut self, write: Write) {
        self.effects.writes.push(write);
    }

    /// Schedules a later turn in this chat, for this person: `on_event` gets a [`Due`](crate::Due) with name and data.
    ///
    /// If the name is that of a handler that rules run, the follow-up goes to that handler; otherwise to the handlers
    /// before the rules and to the fallbacks. The store keeps it, so it survives a restart.
    pub fn follow_up(&mut self, after: Duration, name: impl Into<String>, data: impl Into<String>) {
        let name = name.into();
        let timer = Timer {
            key: format!("follow-up:{name}:{}:{}", self.frame.event, self.effects.timers.len()),
            at: self.frame.now + after,
            chat: self.frame.chat.clone(),
            person: self.frame.person.clone(),
            name,
            data: data.into(),
        };
        self.timer(TimerChange::Set(timer));
    }

    /// Sets or cancels any timer.
    pub fn timer(&mut self, change: TimerChange) {
        self.effects.timers.push(change);
    }

    /// Fetches media of a message, up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`MediaError`] distinguishes media that is gone, is too large, or may be available at a later try.
    pub async fn media(&self, media: &MediaRef, limit: u64) -> Result<Bytes, MediaError> {
        match &self.frame.service {
            Some(service) => service.media(media, limit).await,
            None => Err(MediaError::Unavailable),
        }
    }

    /// The values that all people in the chat of the event have under each of these keys, in the same order, with the
    /// changes of this turn. One request to the store; not a read that lets the turn run again.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn member_values(&self, keys: &[&str]) -> Result<Vec<MemberValues>, StoreError> {
        let mut found = match (&self.frame.store, &self.frame.chat) {
            (Some(store), Some(chat)) => {
                let keys = keys.iter().map(|key| (*key).to_owned()).collect();
                store
                    .member_values(&MemberQuery { chat: chat.id.clone(), keys }, self.frame.now)
                    .await?
            }
            _ => Vec::new(),
        };
        found.resize_with(keys.len(), MemberValues::default);
        for (key, values) in keys.iter().zip(&mut found) {
            for write in &self.effects.writes {
                values.apply(key, self.frame.person.as_ref(), write);
            }
        }
        Ok(found)
    }

    /// The names of the members of the group of the event, as far as the service knows them, without the own account.
    #[must_use]
    pub fn members(&self) -> Vec<String> {
        let service = self.frame.service.as_ref().zip(self.frame.chat.as_ref());
        service.map(|(service, chat)| service.members(&chat.id)).unwrap_or_default()
    }

    /// The record of this turn that is kept beside its effects.
    #[doc(hidden)]
    pub fn decided(&mut self) -> &mut Decided {
        &mut self.decided
    }

    /// Begins the run of a handler by name: its captures, and its own list of effects.
    #[doc(hidden)]
    #[must_use]
    pub fn begin_call(&mut self, captures: Captures) -> Suspended {
        let steps = std::mem::take(&mut self.effects.steps);
        let captures = std::mem::replace(&mut self.captures, captures);
        Suspended { steps, captures }
    }

    /// Ends the run begun by [`begin_call`](Self::begin_call) and returns the steps of the handler.
    #[doc(hidden)]
    pub fn end_call(&mut self, suspended: Suspended) -> Vec<Step> {
        self.captures = suspended.captures;
        std::mem::replace(&mut self.effects.steps, suspended.steps)
    }

    /// The effects requested so far, to inspect or to restore later.
    #[must_use]
    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// Restores earlier effects of the turn, so that those of a failed handler are dropped.
    #[doc(hidden)]
    pub fn restore(&mut self, effects: Effects) {
        self.effects = effects;
    }

    /// All values of a scope at the beginning of the turn, for people to read. Does not count as a read.
    pub fn values(&self, scope: Scope) -> impl Iterator<Item = (String, String)> {
        self.frame.snapshot.values(scope).into_iter().map(|(key, value)| (key, value.text))
    }

    /// Ends the turn and returns its reads, its effects and its decision.
    #[doc(hidden)]
    #[must_use]
    pub fn finish(self) -> (Vec<Read>, Effects, Decided) {
        (self.frame.snapshot.into_reads(), self.effects, self.decided)
    }
}

impl StateView for Context {
    fn get(&self, scope: Scope, key: &str) -> Option<String> {
        let mut value = self.frame.snapshot.get(scope, key);
        for write in
            self.effects.writes.iter().filter(|write| write.scope == scope && write.key == key)
        {
            value = match &write.change {
                Change::Set(text) => Some(text.clone()),
                Change::Remove | Change::RemoveOfAll => None,
                Change::Add(by) => Some(add(value.as_deref(), *by)),
            };
        }
        value
    }

    fn expires(&self, scope: Scope, key: &str) -> Option<Timestamp> {
        let own =
            self.effects.writes.iter().rev().find(|write| write.scope == scope && write.key == key);
        own.map_or_else(|| self.frame.snapshot.expires(scope, key), |write| write.expires)
    }
}

/// The sum of a stored number and an addition, as text. A value that is missing or not a whole number counts as 0.
#[must_use]
pub fn add(value: Option<&str>, by: i64) -> String {
    let before = value.and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(0);
    before.saturating_add(by).to_string()
}

/// The steps and captures that [`Context::begin_call`] suspended.
#[doc(hidden)]
#[derive(Debug)]
pub struct Suspended {
    steps: Vec<Step>,
    captures: Captures,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frame, captures, effects, decided, calls: _ } = self;
        f.debug_struct("Context")
            .field("event", &frame.event)
            .field("captures", captures)
            .field("effects", effects)
            .field("decided", decided)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("event", &self.event)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
