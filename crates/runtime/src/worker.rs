//! The shared parts of turns and sends.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use mynah_core::{
    Accepted, Batch, Chat, ClaimToken, Clock, Event, EventId, Lane, Outcome, Planned, Records,
    Recovered, Service, Store, StoreError, Timestamp,
};
use tokio::sync::Mutex;

use crate::begun::Begun;
use crate::dispatcher::{Done, Job};
use crate::handlers::ActiveHandlers;
use crate::loop_breaker::Answers;
use crate::outbox::Outbox;
use crate::performing::{Answer, Performing};
use crate::recalls::Recalls;
use crate::waiting::Waiting;
use crate::{Observer, Settings, Trouble, UnknownPolicy, kept_media, say};

/// The runtime's own record beside those of the transport: the lead of the service's clock, in milliseconds.
const CLOCK_OFFSET: &str = "runtime.clock_offset";

/// A smaller change of the lead is not worth a write.
const OFFSET_MATTERS: i64 = 1000;

/// Does the work of an account, one turn or one send per call.
pub(crate) struct Worker {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) handlers: ActiveHandlers,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) service: Arc<dyn Service>,
    /// The lead of the service's clock over the local clock, in milliseconds.
    pub(crate) offset: AtomicI64,
    /// The number of the next claim token.
    pub(crate) tokens: AtomicU64,
    /// The events that were begun with their acceptance and wait for their turn.
    pub(crate) begun: Begun,
    /// The texts that were answered, to notice loops.
    pub(crate) answers: Answers,
    /// The messages that were recalled lately.
    pub(crate) recalls: Recalls,
    /// The chats with actions to send, shared with the dispatcher.
    pub(crate) outbox: Arc<StdMutex<Outbox>>,
    /// The turns that wait for other services, shared with the dispatcher.
    pub(crate) waiting: Arc<Waiting>,
    /// Locked while a row is saved: several chats may save rows in one file.
    pub(crate) saving: Mutex<()>,
    /// The callers that wait for outcomes.
    pub(crate) performing: Performing,
}

impl Worker {
    /// The present time by the local clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The present time by the clock of the service, as far as it is known.
    pub(crate) fn service_now(&self) -> Timestamp {
        let millis = self.now().as_millis().saturating_add(self.offset.load(Ordering::Relaxed));
        Timestamp::from_millis(millis)
    }

    /// A new claim token.
    pub(crate) fn next_token(&self) -> ClaimToken {
        ClaimToken(self.tokens.fetch_add(1, Ordering::Relaxed))
    }

    /// Does a piece of work. The long ones are on the heap, as a task is copied several times until it begins.
    pub(crate) async fn work(&self, job: Job) -> Result<Done, StoreError> {
        Ok(match job {
            Job::Turn(lane) => {
                let end = Box::pin(self.turn(&lane)).await?;
                Done::Turn(lane, end)
            }
            Job::Send(chat) => {
                let end = Box::pin(self.send(&chat)).await?;
                Done::Send(chat, end)
            }
            Job::SendClaimed(outgoing) => {
                let end = Box::pin(self.send_claimed(&outgoing)).await?;
                Done::Send(outgoing.chat, end)
            }
            Job::Fire => {
                let (lanes, next) = self.store.fire(self.now()).await?;
                Done::Fire(lanes, next)
            }
            Job::Accept { events, stored } => {
                let lanes = self.accept(Batch { events, ..Batch::default() }).await?;
                // The caller may be gone.
                let _ = stored.send(());
                Done::Accept(lanes)
            }
            Job::Perform { id, planned, answer } => {
                Done::Accept(self.accept_to_perform(id, &planned, answer).await?)
            }
            Job::Tidy => Done::Tidy(self.tidy().await?),
        })
    }

    /// Does a piece of housekeeping. Returns whether more is due.
    async fn tidy(&self) -> Result<bool, StoreError> {
        if let Some(data) = &self.settings.save_folder {
            kept_media::remove_old(data).await;
        }
        self.store.tidy(self.now()).await
    }

    /// Reports that the service asks for a pause.
    pub(crate) fn silenced(&self, until: Timestamp) {
        self.observer.trouble(&Trouble::TooFrequent { until });
    }

    /// Accepts a batch: events and records in one transaction. Returns the lanes with new events.
    pub(crate) async fn accept(&self, mut batch: Batch) -> Result<Vec<Lane>, StoreError> {
        let now = self.now();
        self.learn_offset(&mut batch, now);
        self.recalls.note(&batch.events);
        let events = batch.events.len();
        let room = self.begun.room();
        let Accepted { lanes, begun } = self.store.accept_and_begin(batch, room, now).await?;
        self.begun.add(begun);
        tracing::debug!(events, lanes = lanes.len(), "batch accepted");
        self.observer.accepted(events);
        Ok(lanes)
    }

    /// Accepts an action of the program. The event names the chat as the service does now, for the log.
    async fn accept_to_perform(
        &self,
        id: EventId,
        planned: &Planned,
        answer: Answer,
    ) -> Result<Vec<Lane>, StoreError> {
        let chats = self.service.chats();
        let known = chats.iter().find(|chat| chat.id == planned.chat).cloned();
        let chat =
            known.unwrap_or_else(|| Chat::private(planned.chat.clone(), planned.chat.as_str()));
        let joins = self.performing.expect(&id, answer);
        let events = vec![say::performed(id.clone(), chat, planned, self.now())];
        let lanes = self.accept(Batch { events, ..Batch::default() }).await?;
        // The store names the lane of an event that is not handled yet; it drops one whose id it has seen.
        if lanes.is_empty() && !joins {
            self.performing.repeated(&id);
        }
        Ok(lanes)
    }

    fn learn_offset(&self, batch: &mut Batch, now: Timestamp) {
        let Some(service_time) = batch.service_time else { return };
        let offset = service_time.as_millis().saturating_sub(now.as_millis());
        let before = self.offset.load(Ordering::Relaxed);
        if offset.abs_diff(before) > OFFSET_MATTERS.unsigned_abs() {
            self.offset.store(offset, Ordering::Relaxed);
            batch.records.insert(CLOCK_OFFSET.to_owned(), offset.to_string());
        }
    }

    /// Recovers after a start: finds interrupted work, and applies the policy to actions with an unknown outcome.
    pub(crate) async fn recover(&self) -> Result<Recovered, StoreError> {
        let now = self.now();
        let recovered = self.store.recover(now).await?;
        for event in &recovered.set_aside {
            self.observer.trouble(&Trouble::SetAside { event: event.clone() });
        }
        for id in &recovered.in_doubt {
            self.observer.trouble(&Trouble::InDoubt { action: id.to_string() });
            let reason = "the program ended while it was on its way".to_owned();
            let outcome = Outcome::Unknown { reason, again_at: self.again_at(Duration::ZERO) };
            self.store.settle(id, outcome, now).await?;
        }
        Ok(recovered)
    }

    /// The time at which an action with an unknown outcome may be sent again, if the policy allows it.
    pub(crate) fn again_at(&self, pause: Duration) -> Option<Timestamp> {
        match self.settings.unknown {
            UnknownPolicy::Resend => Some(self.now() + pause),
            UnknownPolicy::Never => None,
        }
    }

    /// Reports a problem to the observer, which logs it. So it is logged only once.
    pub(crate) fn trouble(&self, event: &Event, trouble: &Trouble) {
        tracing::debug!(event = %event.id, "the event was not handled as usual");
        self.observer.trouble(trouble);
    }
}

/// Removes the runtime's own record from those of the transport.
pub(crate) fn take_offset(records: &mut Records) -> i64 {
    records.remove(CLOCK_OFFSET).and_then(|text| text.parse().ok()).unwrap_or(0)
}
