//! Knows whether the bot has anything left to do, by looking over the shoulder of its store.
//!
//! All open work of a bot is written into its store in one transaction with the turn that caused it, so counting there
//! is exact: no message is between two places, uncounted in both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mynah_core::{
    Accepted, ActionId, Batch, Binding, ChatId, Claim, ClaimRequest, ClaimToken, Committed, Event,
    EventBody, EventId, Forgotten, Lane, MemberQuery, MemberValues, MessageId, Outcome, Outgoing,
    PersonId, Records, Recovered, Snapshot, Step, Store, StoreError, TimerChange, Timestamp, Turn,
};
use tokio::sync::watch;

use super::remark::Remarks;
use crate::view::recorder::EventRecorder;

/// A store that counts open work.
#[derive(Debug)]
pub(super) struct Ledger<S> {
    store: Arc<S>,
    /// Receives the committed turns and settled actions.
    recorder: Arc<EventRecorder>,
    open: Arc<watch::Sender<Open>>,
    /// The actions being sent.
    claimed: Mutex<BTreeMap<ActionId, Outgoing>>,
    remarks: Remarks,
}

/// The open work at a moment.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Messages whose turn is done, and how many actions it promised.
    handled: BTreeMap<MessageId, usize>,
    /// How many unsettled actions each event has.
    actions: BTreeMap<EventId, usize>,
    /// Later turns that handlers asked for: chat and key.
    follow_ups: BTreeSet<(Option<ChatId>, String)>,
}

impl Open {
    /// Whether that message was handled and nothing is left to be done.
    pub(super) fn is_over(&self, message: &MessageId) -> bool {
        self.handled.contains_key(message) && self.is_idle()
    }

    /// Whether the turn about that message promised anything to be done.
    pub(super) fn promised_for(&self, message: &MessageId) -> bool {
        self.handled.get(message).is_some_and(|actions| *actions > 0)
    }

    /// Whether nothing is left to be done.
    pub(super) fn is_idle(&self) -> bool {
        self.actions.is_empty() && self.follow_ups.is_empty()
    }

    fn promised(&mut self, turn: &Promised) {
        self.handled.extend(turn.message.clone().map(|message| (message, turn.actions)));
        for done in &turn.timers_gone {
            self.follow_ups.remove(done);
        }
        self.follow_ups.extend(turn.follow_ups.iter().cloned());
    }

    fn settled(&mut self, event: &EventId) {
        if let Some(left) = self.actions.get_mut(event) {
            *left -= 1;
            if *left == 0 {
                self.actions.remove(event);
            }
        }
    }
}

/// The work that a turn causes, noted before the store takes the turn.
struct Promised {
    event: EventId,
    message: Option<MessageId>,
    actions: usize,
    follow_ups: Vec<(Option<ChatId>, String)>,
    timers_gone: Vec<(Option<ChatId>, String)>,
}

impl Promised {
    fn by(turn: &Turn) -> Self {
        let mut promised = Self {
            event: turn.event.id.clone(),
            message: turn.event.message().map(|message| message.id.clone()),
            actions: turn.effects.steps.iter().filter(|step| matches!(step, Step::Act(_))).count(),
            follow_ups: Vec::new(),
            timers_gone: Vec::new(),
        };
        if let EventBody::Due(due) = &turn.event.body {
            let chat = due.chat.as_ref().map(|chat| chat.id.clone());
            promised.timers_gone.push((chat, due.key.clone()));
        }
        for change in &turn.effects.timers {
            match change {
                // Dialogs and schedules have timers too, but the chat does not wait for those.
                TimerChange::Set(timer) if timer.key.starts_with("follow-up:") => {
                    let chat = timer.chat.as_ref().map(|chat| chat.id.clone());
                    promised.follow_ups.push((chat, timer.key.clone()));
                }
                TimerChange::Set(_) => {}
                TimerChange::Cancel { chat, key } => {
                    promised.timers_gone.push((chat.clone(), key.clone()));
                }
            }
        }
        promised
    }
}

impl<S> Ledger<S> {
    /// Counts in this store, reports its changes to the recorder, and remarks on the outcomes of actions.
    pub(super) fn new(store: Arc<S>, recorder: Arc<EventRecorder>, remarks: Remarks) -> Self {
        let open = Arc::new(watch::Sender::default());
        Self { store, recorder, open, claimed: Mutex::default(), remarks }
    }

    fn claimed(&self) -> std::sync::MutexGuard<'_, BTreeMap<ActionId, Outgoing>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_claim(&self, claim: &Claim) {
        match claim {
            Claim::Send(outgoing) => {
                self.claimed().insert(outgoing.id.clone(), outgoing.clone());
            }
            Claim::Expired(outgoing) => {
                self.remarks.settled(outgoing, &Outcome::Expired);
                self.recorder.settled(&outgoing.id, &Outcome::Expired);
                self.open.send_modify(|open| open.settled(&outgoing.id.event));
            }
            Claim::Wait(_) | Claim::Empty => {}
        }
    }

    /// A watch of the open work.
    pub(super) fn open(&self) -> watch::Receiver<Open> {
        self.open.subscribe()
    }
}

#[async_trait]
impl<S: Store> Store for Ledger<S> {
    async fn recover(&self, now: Timestamp) -> Result<Recovered, StoreError> {
        self.store.recover(now).await
    }

    async fn records(&self) -> Result<Records, StoreError> {
        self.store.records().await
    }

    async fn accept_and_begin(
        &self,
        batch: Batch,
        begin: usize,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        self.store.accept_and_begin(batch, begin, now).await
    }

    async fn sync(&self) -> Result<(), StoreError> {
        self.store.sync().await
    }

    async fn begin(
        &self,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Option<(Event, Snapshot)>, StoreError> {
        self.store.begin(lane, now).await
    }

    async fn member_values(
        &self,
        query: &MemberQuery,
        now: Timestamp,
    ) -> Result<Vec<MemberValues>, StoreError> {
        self.store.member_values(query, now).await
    }

    async fn commit_and_claim(
        &self,
        turn: Arc<Turn>,
        claim: Option<ClaimRequest>,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        let promised = Promised::by(&turn);
        // Before the store has it: its actions may be settled before this call returns. A turn that runs again takes its
        // place.
        self.recorder.committed(&turn);
        // Counted first: an action may be settled before this call returns.
        self.open.send_modify(|open| {
            if promised.actions > 0 {
                *open.actions.entry(promised.event.clone()).or_default() += promised.actions;
            }
        });
        let committed = self.store.commit_and_claim(turn, claim, now).await;
        let holds = matches!(committed, Ok(Committed::Done { .. }));
        self.open.send_modify(|open| {
            if holds {
                open.promised(&promised);
            } else {
                (0..promised.actions).for_each(|_| open.settled(&promised.event));
            }
        });
        if let Ok(Committed::Done { claim: Some(claim), .. }) = &committed {
            self.note_claim(claim);
        }
        committed
    }

    async fn fire(&self, now: Timestamp) -> Result<(Vec<Lane>, Option<Timestamp>), StoreError> {
        self.store.fire(now).await
    }

    async fn claim(
        &self,
        chat: &ChatId,
        token: ClaimToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let claim = self.store.claim(chat, token, until, now).await;
        if let Ok(claim) = &claim {
            self.note_claim(claim);
        }
        claim
    }

    async fn settle(
        &self,
        id: &ActionId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Before it counts as settled: its output belongs before the end of the answer.
        if let Some(outgoing) = self.claimed().remove(id) {
            self.remarks.settled(&outgoing, &outcome);
        }
        let again =
            matches!(outcome, Outcome::NotSent { .. } | Outcome::Unknown { again_at: Some(_), .. });
        self.recorder.settled(id, &outcome);
        let settled = self.store.settle(id, outcome, now).await;
        if settled.is_ok() && !again {
            self.open.send_modify(|open| open.settled(&id.event));
        }
        settled
    }

    async fn recent_claims(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ChatId, Timestamp)>, StoreError> {
        self.store.recent_claims(since, limit).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.store.tidy(now).await
    }

    async fn forget(&self, person: &PersonId) -> Result<Forgotten, StoreError> {
        self.store.forget(person).await
    }

    async fn unbind(&self, name: &str) -> Result<Option<Binding>, StoreError> {
        self.store.unbind(name).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}
