//! A whole bot in memory: rules, handlers, store and outbox, with a clock that moves on request.

use std::sync::Arc;

use bytes::Bytes;
use mynah_core::{
    Action, Batch, Chat, Clock, Event, EventBody, EventId, MediaRef, Outgoing, StoreError,
    Timestamp,
};
use mynah_rules::RuleBook;
use mynah_runtime::{ManualClock, Pacing, Settings, Stage};

use super::bot_action::BotAction;
use super::cast::{Cast, requester};
use super::service::RecordingService;
use super::watcher::{WatchLevel, WatchedTurn, Watcher};
use crate::fetcher::Fetcher;
use crate::{Bot, stores};

/// A bot that plays a conversation. Nothing happens between calls.
#[derive(Debug)]
pub(crate) struct Play {
    /// Makes the events.
    pub(crate) cast: Cast,
    stage: Stage,
    service: Arc<RecordingService>,
    watcher: Arc<Watcher>,
    clock: Arc<ManualClock>,
}

/// The result of a step of the play.
#[derive(Debug, Default)]
pub(crate) struct StepResult {
    /// The actions of the bot, in order, each with its event.
    pub(crate) actions: Vec<(EventId, BotAction)>,
    /// The turns, in order.
    pub(crate) turns: Vec<WatchedTurn>,
}

impl Play {
    /// A bot with these rules and the handlers of `bot`, at that moment. It has not started yet.
    pub(crate) fn new(
        book: &Arc<RuleBook>,
        bot: &Bot,
        start: Timestamp,
        seed: u64,
        level: WatchLevel,
        fetcher: Fetcher,
    ) -> Self {
        let watcher = Arc::new(Watcher::new(Arc::clone(book), fetcher, bot.played_names(), level));
        let service = Arc::new(RecordingService::new());
        let clock = Arc::new(ManualClock::at(start));
        let rules: Arc<dyn mynah_core::Handler> = Arc::clone(&watcher) as _;
        let store = stores::in_memory();
        let stage = Stage::new(
            Arc::clone(&store) as _,
            bot.played_handlers(rules, book, store),
            settings(seed),
            Arc::clone(&clock),
            Arc::clone(&service) as _,
        );
        let cast = Cast::around(book.names());
        Self { cast, stage, service, watcher, clock }
    }

    /// The clock of the play.
    pub(crate) fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.clock)
    }

    /// The present moment of the play.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes a chat known to the account, so that rules and schedules can send there.
    pub(crate) fn meet(&self, chat: &Chat) {
        self.service.meet(chat);
    }

    /// Takes in the bytes of a sent file, and returns the reference for its message.
    pub(crate) fn keep(&self, name: &str, bytes: Bytes) -> MediaRef {
        self.service.keep(name, bytes)
    }

    /// The bot starts: schedules are set.
    pub(crate) async fn start(&mut self) -> Result<StepResult, StoreError> {
        let id = EventId::new("started");
        let event = Event { id, time: self.now(), body: EventBody::Started };
        self.happen(event).await
    }

    /// Something happens, and everything that follows from it at this moment.
    pub(crate) async fn happen(&mut self, event: Event) -> Result<StepResult, StoreError> {
        if let Some(chat) = event.chat() {
            self.service.meet(chat);
            self.service.meet_people(&event);
        }
        self.stage.deliver(Batch { events: vec![event], ..Batch::default() }).await?;
        self.stage.settle_all().await?;
        Ok(self.scene())
    }

    /// An event happens at its own time, if that is not past; timers due before run before.
    pub(crate) async fn happen_at_its_time(
        &mut self,
        event: Event,
    ) -> Result<StepResult, StoreError> {
        if event.time > self.now() {
            self.advance_to(event.time).await?;
        }
        self.happen(event).await
    }

    /// From now on it is also said why.
    pub(crate) fn watch_closely(&self) {
        self.watcher.attend(WatchLevel::Reasons);
    }

    /// Time passes up to that moment, with everything that is due on the way.
    pub(crate) async fn advance_to(&mut self, moment: Timestamp) -> Result<StepResult, StoreError> {
        self.stage.advance_to(moment).await?;
        Ok(self.scene())
    }

    /// Time passes as [`Self::advance_to`], but no further than to where the bot said more than so much, or had more turns
    /// than that. Says whether the moment was reached.
    pub(crate) async fn advance_within(
        &mut self,
        moment: Timestamp,
        most_said: usize,
        most_turns: usize,
    ) -> Result<(StepResult, bool), StoreError> {
        let mut reached = false;
        while !reached && self.service.said() <= most_said && self.watcher.seen() <= most_turns {
            reached = self.stage.advance_towards(moment).await?;
        }
        Ok((self.scene(), reached))
    }

    /// Jumps to that moment: only timers due at it run.
    pub(crate) async fn jump_to(&mut self, moment: Timestamp) -> Result<StepResult, StoreError> {
        self.stage.jump_to(moment).await?;
        Ok(self.scene())
    }

    fn scene(&self) -> StepResult {
        let turns = self.watcher.take();
        let performed = self.service.take();
        let bot_action = |outgoing: Outgoing| {
            let chat = self.service.name_of(&outgoing.chat);
            let bot_action = match outgoing.action {
                Action::Send { content } => BotAction::Sent { chat, content },
                Action::AcceptFriend { ticket } => {
                    BotAction::Accepted { person: requester(&ticket).to_owned() }
                }
                Action::Save { file, row } => BotAction::Saved { file, row },
                Action::Recall { sender, .. } => {
                    BotAction::Recalled { person: sender.map(|sender| sender.name) }
                }
                Action::Kick { person } => BotAction::Kicked { person: person.name },
                Action::Invite { person } => {
                    BotAction::Invited { person: person.name, group: chat }
                }
            };
            (outgoing.id.event, bot_action)
        };
        let calls = turns.iter().flat_map(|turn| {
            turn.calls().map(|call| {
                let (handler, captures) = (call.handler.clone(), call.captures.clone());
                (turn.event.clone(), BotAction::Ran { handler, captures })
            })
        });
        let actions = performed.into_iter().map(bot_action).chain(calls).collect();
        StepResult { actions, turns }
    }
}

/// Everything that slows a bot down or makes it careful is off: a play is about its answers.
fn settings(seed: u64) -> Settings {
    Settings {
        pacing: Pacing::off(),
        max_age: None,
        reply_max_age: None,
        loop_breaker: None,
        seed,
        ..Settings::default()
    }
}
