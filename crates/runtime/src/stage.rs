//! The same turns and outbox as `run`, driven step by step without a task: for `[[test]]`, replay and tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use mynah_core::{
    Batch, Clock, Decided, Effects, Event, EventBody, EventId, Lane, Service, Status, Store,
    StoreError, Timestamp,
};
use tokio::sync::Mutex;

use crate::begun::Begun;
use crate::dispatcher::Dispatcher;
use crate::handlers::ActiveHandlers;
use crate::loop_breaker::Answers;
use crate::performing::Performing;
use crate::recalls::Recalls;
use crate::worker::Worker;
use crate::{Handlers, ManualClock, Observer, Settings, Unobserved};

/// A bot on a stage: the whole path of an event from [`deliver`](Self::deliver) to the service's `perform`, in memory,
/// with a clock that the caller moves. Nothing runs between calls.
pub struct Stage {
    worker: Worker,
    dispatcher: Dispatcher,
    clock: Arc<ManualClock>,
    is_started: bool,
}

impl Stage {
    /// A bot on a stage. The service records or performs the actions. Turn pacing off unless you test pacing.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        handlers: Handlers,
        settings: Settings,
        clock: Arc<ManualClock>,
        service: Arc<dyn Service>,
    ) -> Self {
        let mut dispatcher = Dispatcher::new(&settings);
        dispatcher.status(&Status::Online { name: String::new() });
        let active = ActiveHandlers::default();
        active.begin_with(handlers);
        let worker = Worker {
            store,
            handlers: active,
            clock: clock.clone(),
            settings,
            observer: Arc::new(Unobserved),
            service,
            offset: AtomicI64::new(0),
            tokens: AtomicU64::new(1),
            outbox: dispatcher.shared_outbox(),
            waiting: dispatcher.shared_waiting(),
            saving: Mutex::new(()),
            performing: Performing::default(),
            begun: Begun::default(),
            answers: Answers::default(),
            recalls: Recalls::default(),
        };
        Self { worker, dispatcher, clock, is_started: false }
    }

    /// Sets the observer.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.worker.observer = observer;
        self
    }

    /// Accepts events as if the service had sent them. They are handled by [`settle_all`](Self::settle_all).
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn deliver(&mut self, batch: Batch) -> Result<(), StoreError> {
        let throttled = batch.throttled.clone();
        let lanes = self.worker.accept(batch).await?;
        self.dispatcher.news(lanes);
        for request in &throttled {
            let until = self.dispatcher.throttled(request, self.clock.now());
            self.worker.silenced(until);
        }
        Ok(())
    }

    /// Runs turns and sends until nothing more is due at this time.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn settle_all(&mut self) -> Result<(), StoreError> {
        if !std::mem::replace(&mut self.is_started, true) {
            let recovered = self.worker.recover().await?;
            self.dispatcher.recovered(recovered, self.clock.now());
        }
        while let Some(job) = self.dispatcher.next(self.clock.now()) {
            let done = self.worker.work(job).await?;
            if let Some(until) = self.dispatcher.done(done, self.clock.now()) {
                self.worker.silenced(until);
            }
        }
        Ok(())
    }

    /// Moves the clock forward to this time and runs everything that is due on the way, in order.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn advance_to(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        while !self.advance_towards(moment).await? {}
        Ok(())
    }

    /// Moves the clock forward to the next due time, but not beyond `moment`, and runs the work of that time. Returns
    /// whether the clock has reached `moment`.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn advance_towards(&mut self, moment: Timestamp) -> Result<bool, StoreError> {
        self.settle_all().await?;
        let next = self.dispatcher.next_due().filter(|at| *at > self.clock.now() && *at < moment);
        self.clock.set(next.unwrap_or(moment));
        self.settle_all().await?;
        Ok(next.is_none())
    }

    /// Jumps to this time: skips all work that was due on the way, starts the bot again (which sets its schedules
    /// anew), and runs the work of the time itself.
    ///
    /// # Errors
    ///
    /// If the store fails.
    pub async fn jump_to(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        self.settle_all().await?;
        let just_before = moment - Duration::from_millis(1);
        self.clock.set(just_before);
        loop {
            let (lanes, _) = self.worker.store.fire(just_before).await?;
            if lanes.is_empty() {
                break;
            }
            for lane in lanes {
                self.skip(&lane).await?;
            }
        }
        let id = EventId::new(format!("started:{}", moment.as_millis()));
        let started = Event { id, time: just_before, body: EventBody::Started };
        self.deliver(Batch { events: vec![started], ..Batch::default() }).await?;
        self.advance_to(moment).await
    }

    /// Marks all events of a lane as handled without handling them.
    async fn skip(&self, lane: &Lane) -> Result<(), StoreError> {
        while let Some((event, _)) = self.worker.store.begin(lane, self.clock.now()).await? {
            let passed_over = Some("skipped by a jump of the clock".to_owned());
            let decided = Decided { passed_over, ..Decided::default() };
            self.worker.commit(event, Vec::new(), Effects::default(), decided).await?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("dispatcher", &self.dispatcher).finish_non_exhaustive()
    }
}
