//! A store in memory whose code is simple and not fast: plain lists and maps, searched from the start.

mod inbox;
mod outbox;
mod reader;
mod timers;
mod values;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use mynah_core::{
    Accepted, ActionId, Batch, Binding, ChatId, Claim, ClaimRequest, ClaimToken, Committed, Event,
    EventId, Forgotten, Lane, MemberQuery, MemberValues, Outcome, PersonId, Records, Recovered,
    Snapshot, Store, StoreError, Timestamp, Turn,
};

use crate::Mistake;
use inbox::{ATTEMPTS, Inbox};
use outbox::Outbox;
use timers::Timers;
use values::Values;

/// The pause in the middle of a mistaken call, at which its process may die.
pub type Gap = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A store in memory: the oracle for other stores, with optional fault injection. A clone has the same data.
#[derive(Clone)]
pub struct ModelStore {
    tables: Arc<Mutex<Tables>>,
    mistake: Option<Mistake>,
    gap: Gap,
}

/// The stored data.
#[derive(Debug, Default)]
struct Tables {
    records: Records,
    inbox: Inbox,
    outbox: Outbox,
    values: Values,
    timers: Timers,
    /// The turns: the rule that fired, and when.
    turns: Vec<(Option<String>, Timestamp)>,
    /// The events that were set aside after this opening, once that was done.
    set_aside: Option<Vec<EventId>>,
}

/// An event of the model store, for assertions in tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOutgoing {
    /// The event.
    pub event: EventId,
    /// Whether it is handled.
    pub is_handled: bool,
    /// Its unsettled actions.
    pub unsettled: Vec<ActionId>,
}

impl ModelStore {
    /// Makes an empty store that keeps every promise.
    #[must_use]
    pub fn new() -> Self {
        Self::build(None, Arc::new(|| Box::pin(yield_once())))
    }

    /// Makes an empty store with a mistake. Its calls yield once where the mistake splits them.
    #[must_use]
    pub fn with_mistake(mistake: Mistake) -> Self {
        Self { mistake: Some(mistake), ..Self::new() }
    }

    /// Replaces the pause in mistaken calls.
    #[must_use]
    pub fn with_gap(self, gap: Gap) -> Self {
        Self { gap, ..self }
    }

    fn build(mistake: Option<Mistake>, gap: Gap) -> Self {
        Self { tables: Arc::default(), mistake, gap }
    }

    /// Simulates that the process dies and another one opens the store.
    pub fn reopen(&self) {
        self.tables().set_aside = None;
    }

    /// All events, the oldest first.
    #[must_use]
    pub fn kept(&self) -> Vec<StoredOutgoing> {
        let tables = self.tables();
        let unsettled = |event: &EventId| tables.outbox.unsettled_of(event);
        let events = tables.inbox.events.iter();
        events
            .map(|kept| StoredOutgoing {
                event: kept.event.id.clone(),
                is_handled: kept.is_handled(),
                unsettled: unsettled(&kept.event.id),
            })
            .collect()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }
}

impl Default for ModelStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ModelStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelStore").field("mistake", &self.mistake).finish_non_exhaustive()
    }
}

async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|task| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        task.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[async_trait]
impl Store for ModelStore {
    async fn recover(&self, now: Timestamp) -> Result<Recovered, StoreError> {
        let mut tables = self.tables();
        let tables = &mut *tables;
        if tables.set_aside.is_none() || self.has(Mistake::AttemptsCountedTwice) {
            tables.outbox.reopen();
            tables.inbox.count_attempts(self.has(Mistake::AttemptsCountedTwice));
            let keeps_poison = self.has(Mistake::PoisonTriedForEver);
            let set_aside = if keeps_poison { Vec::new() } else { tables.inbox.set_aside(now) };
            tables.set_aside.get_or_insert_default().extend(set_aside);
        }
        if self.has(Mistake::DoubtForgotten) {
            tables.outbox.forget_claims();
        }
        Ok(Recovered {
            lanes: tables.inbox.open_lanes(),
            suspects: tables.inbox.suspects(1),
            last_chance: tables.inbox.suspects(ATTEMPTS - 1),
            chats: tables.outbox.open_chats(),
            replying: tables.outbox.replying_chats(),
            in_doubt: tables.outbox.in_doubt(),
            set_aside: tables.set_aside.clone().unwrap_or_default(),
        })
    }

    async fn records(&self) -> Result<Records, StoreError> {
        Ok(self.tables().records.clone())
    }

    async fn accept_and_begin(
        &self,
        batch: Batch,
        begin: usize,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        if self.has(Mistake::RecordsBeforeEvents) {
            self.tables().write_records(&batch.records);
            (self.gap)().await;
        }
        let mut tables = self.tables();
        let (mut lanes, mut begun) = (Vec::new(), Vec::new());
        for event in &batch.events {
            if self.has(Mistake::SeenIdsForgotten) {
                tables.inbox.forget_handled(&event.id);
            }
            let was_empty = !tables.inbox.has_more(&event.lane());
            let is_new = tables.inbox.insert(event, now);
            let is_first = was_empty || self.has(Mistake::BegunOutOfOrder);
            if is_new && is_first && begun.len() < begin {
                begun.push(event.clone());
            }
            let waits = tables.inbox.is_open(&event.id) && !self.has(Mistake::AcceptAnswersOnce);
            if (is_new || waits) && !lanes.contains(&event.lane()) {
                lanes.push(event.lane());
            }
        }
        tables.write_records(&batch.records);
        let keeps_no_mark = self.has(Mistake::BegunWithoutMark);
        let begun = begun.into_iter().map(|event| {
            let event = tables.inbox.begin_new(event, !keeps_no_mark);
            let snapshot = tables.values.snapshot(&event, now);
            (event, snapshot)
        });
        let begun = begun.collect();
        Ok(Accepted { lanes, begun })
    }

    async fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn begin(
        &self,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Option<(Event, Snapshot)>, StoreError> {
        let mut tables = self.tables();
        let newest_first = self.has(Mistake::NewestEventFirst);
        let Some(event) = tables.inbox.begin(lane, newest_first) else { return Ok(None) };
        let snapshot = tables.values.snapshot(&event, now);
        Ok(Some((event, snapshot)))
    }

    async fn member_values(
        &self,
        query: &MemberQuery,
        now: Timestamp,
    ) -> Result<Vec<MemberValues>, StoreError> {
        let tables = self.tables();
        let of = |key: &String| tables.values.of_members(&query.chat, key, now, self.mistake);
        Ok(query.keys.iter().map(of).collect())
    }

    async fn commit_and_claim(
        &self,
        turn: Arc<Turn>,
        claim: Option<ClaimRequest>,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        let mut turn = Turn::clone(&turn);
        if self.has(Mistake::StateWithoutReply) && self.tables().inbox.is_open(&turn.event.id) {
            let writes = std::mem::take(&mut turn.effects.writes);
            self.tables().values.apply(&turn.event, &writes, now, self.mistake);
            turn.reads.clear();
            (self.gap)().await;
        }
        let late = claim.clone().filter(|_| self.has(Mistake::ClaimAfterCommit));
        let claim = claim.filter(|_| late.is_none());
        let mut committed = self.tables().commit(&turn, claim, now, self.mistake);
        if let (Committed::Done { claim, .. }, Some(request)) = (&mut committed, late) {
            (self.gap)().await;
            *claim = Some(Box::new(self.tables().outbox.claim(&request, now, self.mistake)));
        }
        Ok(committed)
    }

    async fn fire(&self, now: Timestamp) -> Result<(Vec<Lane>, Option<Timestamp>), StoreError> {
        let due = self.tables().timers.take_due(now);
        if self.has(Mistake::TimersLost) {
            (self.gap)().await;
        }
        let mut tables = self.tables();
        let fired: Vec<Lane> =
            due.iter().filter(|event| tables.inbox.insert(event, now)).map(Event::lane).collect();
        let lanes = match self.has(Mistake::FireAnswersOnce) {
            true => fired,
            false => tables.inbox.due_lanes(),
        };
        Ok((lanes, tables.timers.next()))
    }

    async fn claim(
        &self,
        chat: &ChatId,
        token: ClaimToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let request = ClaimRequest { chat: chat.clone(), token, until };
        Ok(self.tables().outbox.claim(&request, now, self.mistake))
    }

    async fn settle(
        &self,
        id: &ActionId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.tables().outbox.settle(id, &outcome, now, self.mistake))
    }

    async fn recent_claims(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ChatId, Timestamp)>, StoreError> {
        Ok(self.tables().outbox.recent_claims(since, limit))
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.tables().values.drop_expired(now);
        Ok(false)
    }

    async fn forget(&self, person: &PersonId) -> Result<Forgotten, StoreError> {
        Ok(self.tables().forget(person, self.mistake))
    }

    async fn unbind(&self, name: &str) -> Result<Option<Binding>, StoreError> {
        Ok(self.tables().values.unbind(name, self.mistake))
    }
}

impl Tables {
    /// Applies a turn if its reads are current, and claims an action.
    fn commit(
        &mut self,
        turn: &Turn,
        claim: Option<ClaimRequest>,
        now: Timestamp,
        mistake: Option<Mistake>,
    ) -> Committed {
        let has = |one| mistake == Some(one);
        let is_open = self.inbox.is_open(&turn.event.id);
        if is_open {
            let holds = self.values.still_hold(&turn.event, &turn.reads, now);
            if !holds && !has(Mistake::LostUpdate) {
                if let Some(request) = claim.filter(|_| has(Mistake::ConflictClaims)) {
                    self.outbox.claim(&request, now, mistake);
                }
                return Committed::Conflict;
            }
            self.values.apply(&turn.event, &turn.effects.writes, now, mistake);
            self.outbox.queue(turn, now, mistake);
            self.timers.apply(&turn.effects.timers);
            let fired = turn.decided.rule.clone().filter(|_| turn.decided.quiet.is_none());
            self.turns.push((fired, now));
            self.inbox.close(&turn.event.id, &turn.decided, now);
        }
        let is_silent = !is_open && has(Mistake::CommitAnswersOnce);
        let chats = if is_silent { Vec::new() } else { self.outbox.open_chats_of(&turn.event.id) };
        let claim = claim.filter(|_| is_open || !has(Mistake::CommitClaimsOnce));
        let overtaking = Some(&turn.event.id).filter(|_| is_open && has(Mistake::TurnOvertakes));
        let claim = claim.map(|request| {
            let own = overtaking.and_then(|event| self.outbox.claim_of(event, &request, now));
            Box::new(own.unwrap_or_else(|| self.outbox.claim(&request, now, mistake)))
        });
        Committed::Done {
            more: self.inbox.has_more(&turn.event.lane()),
            chats,
            next_timer: self.timers.next(),
            claim,
        }
    }

    /// Deletes the data about a person.
    fn forget(&mut self, person: &PersonId, mistake: Option<Mistake>) -> Forgotten {
        let chats = self.inbox.private_chats_of(person);
        let events = self.inbox.events_of(person);
        let mut forgotten = Forgotten::default();
        forgotten.actions += self.outbox.forget(|outgoing| {
            chats.contains(&outgoing.chat) || events.contains(&outgoing.id.event)
        });
        forgotten.values += self.values.forget(person, &chats);
        if mistake != Some(Mistake::TimersOutliveTheirPerson) {
            forgotten.timers += self.timers.forget(person, &chats);
        }
        forgotten.events += self.inbox.forget(&events, mistake);
        forgotten
    }

    fn write_records(&mut self, records: &Records) {
        for (key, value) in records {
            if value.is_empty() {
                self.records.remove(key);
            } else {
                self.records.insert(key.clone(), value.clone());
            }
        }
    }
}
