#![doc = include_str!("../README.md")]
//!
//! # For those who read the code
//!
//! The tables of the store are the queues; this crate holds only the work in flight. All code that decides takes
//! `now` as a parameter, and only this file starts tasks:
//!
//! - one receives: it asks the service, has the store accept the batch, and reports the lanes with new events;
//! - one for each turn and each send in flight, as many as the settings allow;
//! - [`run`] itself, which decides the next piece of work.

mod admission;
mod backoff;
mod begun;
mod clock;
mod control;
mod dispatcher;
mod ended;
mod handlers;
mod kept_media;
mod kick_limit;
mod lanes;
mod loop_breaker;
mod observer;
mod outbox;
mod pace;
mod pacer;
mod performing;
mod recalls;
mod recent;
mod save;
mod say;
mod send;
mod settings;
mod split;
mod stage;
mod turn;
mod waiting;
mod worker;

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::task::Poll;
use std::time::Duration;

use mynah_core::{
    Batch, Clock, Incoming, Lane, PerformError, Records, Source, Status, Store, StoreError,
    Throttled, Transport,
};
use tokio::sync::{Mutex, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use begun::Begun;
use control::Order;
use dispatcher::{Dispatcher, Done, Job};
use loop_breaker::Answers;
use performing::Performing;
use recalls::Recalls;
use turn::TurnEnd;
use worker::Worker;

pub use clock::ManualClock;
pub use control::{Control, NotRunning};
pub use ended::Ended;
pub use handlers::{Handlers, OnError, ReadLang};
pub use mynah_core::{Pacing, Rate};
pub use observer::{Observer, Trouble, Unobserved};
pub use pace::{Pace, Used};
pub use save::{CSV_MARK, csv_line};
pub use say::{say, saying};
pub use settings::{LoopBreaker, Settings, UnknownPolicy};
pub use stage::Stage;

/// The number of batches that may be accepted before the loop looks at the first of them.
const NEWS: usize = 16;

/// The longest pause of the loop: it notices a changed clock within this time.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Housekeeping begins this long after the start, when there is less to do.
const FIRST_TIDY: Duration = Duration::from_secs(60);

/// Aborted work ends within this time, unless it blocks its thread.
const ABORT: Duration = Duration::from_secs(1);

/// The time that a service has to end the session.
const LOG_OUT: Duration = Duration::from_secs(10);

/// One account with everything it needs to run.
pub struct Account {
    /// Its name, for logs.
    pub name: String,
    /// The data that outlives the process.
    pub store: Arc<dyn Store>,
    /// The connection to the service.
    pub transport: Box<dyn Transport>,
    /// The handlers, including the rules.
    pub handlers: Handlers,
    /// The source of the present time.
    pub clock: Arc<dyn Clock>,
    /// Limits and policies.
    pub settings: Settings,
    /// Gets a report of all events and problems.
    pub observer: Arc<dyn Observer>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Runs an account until it is stopped or its session is over.
///
/// The account first finds interrupted work, then handles the waiting events, then receives news. It sends the waiting
/// actions once it is online. When `stop` is cancelled, no new work begins, and work in flight may go on until the
/// deadline of the settings; the rest waits in the store.
///
/// # Cancel safety
///
/// Dropping the future is like the death of the process: nothing is lost, but actions in flight are in doubt.
pub async fn run(account: Account, control: Control, stop: CancellationToken) -> Ended {
    let name = account.name.clone();
    let ended = match Running::start(account, control, &stop).await {
        Ok(mut running) => {
            let ended = running.work_until(&stop).await;
            running.stop(&ended).await;
            ended
        }
        Err(ended) => ended,
    };
    tracing::info!(account = name, %ended, "the account ended");
    ended
}

/// A running account. Dropping it ends all its tasks.
struct Running {
    worker: Arc<Worker>,
    dispatcher: Dispatcher,
    jobs: JoinSet<Result<Done, StoreError>>,
    receiver: JoinSet<Box<dyn Source>>,
    receiving: CancellationToken,
    news: mpsc::Receiver<News>,
    orders: mpsc::Receiver<Order>,
    control: Control,
    /// The source has ended: the run ends once no work is left.
    is_ending: bool,
}

/// The result of a piece of work, or its panic.
type JobResult = Result<Result<Done, StoreError>, JoinError>;

/// A report of the receiving task.
enum News {
    Batch { lanes: Vec<Lane>, throttled: Vec<Throttled> },
    Status(Status),
    End,
    Over(Ended),
}

impl Running {
    /// Recovers, and starts the receiving task.
    async fn start(
        account: Account,
        control: Control,
        stop: &CancellationToken,
    ) -> Result<Self, Ended> {
        let orders = control
            .take()
            .ok_or_else(|| Ended::Unusable("this control serves another run already".into()))?;
        let Account { name, store, transport, handlers, clock, settings, observer } = account;
        let mut records = store.records().await?;
        let offset = AtomicI64::new(worker::take_offset(&mut records));
        let (source, service) = transport.open(records);
        let saving = Mutex::new(());
        let tokens = AtomicU64::new(1);
        let performing = Performing::default();
        let dispatcher = Dispatcher::new(&settings);
        control.handlers().begin_with(handlers);
        let worker = Worker {
            store,
            handlers: control.handlers().clone(),
            clock,
            settings,
            observer,
            service,
            offset,
            tokens,
            outbox: dispatcher.shared_outbox(),
            waiting: dispatcher.shared_waiting(),
            saving,
            performing,
            begun: Begun::default(),
            answers: Answers::default(),
            recalls: Recalls::default(),
        };
        let worker = Arc::new(worker);
        let dispatcher = recover(&worker, dispatcher).await?;
        // Receiving acknowledges earlier batches. A process before this one may have accepted but not synced them.
        worker.store.sync().await?;
        let (sender, news) = mpsc::channel(NEWS);
        let receiving = stop.child_token();
        let mut receiver = JoinSet::new();
        // Transports do not know the name of their account. An error span is there at every level of the logs.
        let span = tracing::error_span!("source", account = name);
        let receiver_task = receive(source, Arc::clone(&worker), sender, receiving.clone());
        receiver.spawn(receiver_task.instrument(span));
        let jobs = JoinSet::new();
        let is_ending = false;
        Ok(Self { worker, dispatcher, jobs, receiver, receiving, news, orders, control, is_ending })
    }

    /// Starts the next pieces of work and takes their results, until something ends the account.
    async fn work_until(&mut self, stop: &CancellationToken) -> Ended {
        let store = Arc::clone(&self.worker.store);
        let mut lease_lost = pin!(store.lease_lost());
        let mut stopped = pin!(stop.cancelled());
        let mut alarm = pin!(sleep(HEARTBEAT));
        loop {
            while let Some(job) = self.dispatcher.next(self.worker.now()) {
                self.spawn(job);
            }
            self.worker.begun.set_free_lanes(self.dispatcher.free_lanes());
            self.control.set_idle(self.is_idle());
            if self.is_ending && self.is_idle() {
                return Ended::Finished;
            }
            let wake = Instant::now() + self.pause();
            // An alarm that is too early does no harm; a new one for each message costs more.
            if wake < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(wake);
            }
            let ended = tokio::select! {
                biased;
                () = &mut stopped => Some(Ended::Stopped),
                () = &mut lease_lost => Some(Ended::Storage(StoreError::LeaseLost)),
                Some(news) = self.news.recv() => self.on_news(news),
                Some(order) = self.orders.recv() => { self.on_order(order); None }
                Some(done) = self.jobs.join_next() => self.on_all_done(done),
                () = self.worker.waiting.begun() => None,
                () = alarm.as_mut() => None,
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn spawn(&mut self, job: Job) {
        let worker = Arc::clone(&self.worker);
        self.jobs.spawn(async move { worker.work(job).await });
    }

    fn is_idle(&self) -> bool {
        self.dispatcher.is_idle() && self.jobs.is_empty() && self.news.is_empty()
    }

    /// The time until the next piece of work is due, if nothing happens before.
    fn pause(&self) -> Duration {
        let until = self.dispatcher.wake().map(|at| at.since(self.worker.now()));
        until.map_or(HEARTBEAT, |pause| pause.clamp(Duration::from_millis(1), HEARTBEAT))
    }

    fn on_news(&mut self, news: News) -> Option<Ended> {
        match news {
            News::Batch { lanes, throttled } => {
                self.dispatcher.news(lanes);
                for request in &throttled {
                    let until = self.dispatcher.throttled(request, self.worker.now());
                    self.worker.silenced(until);
                }
            }
            News::End => self.is_ending = true,
            News::Status(status) => {
                tracing::debug!(status = word(&status), "the connection is in another state");
                self.worker.observer.status(&status);
                self.dispatcher.status(&status);
            }
            News::Over(ended) => return Some(ended),
        }
        None
    }

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Inject { events, stored } => self.spawn(Job::Accept { events, stored }),
            Order::Perform { id, planned, answer } => {
                self.spawn(Job::Perform { id, planned, answer });
            }
            // The caller may be gone.
            Order::Pace(answer) => drop(answer.send(self.dispatcher.pace(self.worker.now()))),
            Order::Release { lanes, chats } => {
                self.dispatcher.news(lanes);
                self.dispatcher.something_to_send(&chats, self.worker.now());
            }
        }
    }

    /// Takes this result and all others that are there.
    fn on_all_done(&mut self, first: JobResult) -> Option<Ended> {
        let mut next = Some(first);
        while let Some(done) = next {
            let ended = self.on_done(done);
            if ended.is_some() {
                return ended;
            }
            next = self.jobs.try_join_next();
        }
        None
    }

    fn on_done(&mut self, done: JobResult) -> Option<Ended> {
        match done {
            Ok(Ok(done)) => {
                if let Some(until) = self.dispatcher.done(done, self.worker.now()) {
                    self.worker.silenced(until);
                }
                None
            }
            Ok(Err(error)) => Some(Ended::Storage(error)),
            Err(error) => Some(Ended::Unusable(Box::new(error))),
        }
    }

    /// Ends in order: starts no new work, waits for work in flight, then ends the session if the settings ask for it. If
    /// the account is lost to another process, ends all work at once instead: that process does it again.
    async fn stop(mut self, ended: &Ended) {
        self.receiving.cancel();
        self.dispatcher.close();
        // The receiving task may be waiting for space in the channel.
        self.news.close();
        self.refuse_orders();
        if matches!(ended, Ended::Storage(StoreError::LeaseLost)) {
            return self.abort().await;
        }
        let store = Arc::clone(&self.worker.store);
        tokio::select! {
            () = store.lease_lost() => {}
            () = self.finish(ended) => return,
        }
        self.abort().await;
    }

    /// Lets the callers whose actions were not begun know it. The others learn that they were interrupted.
    fn refuse_orders(&mut self) {
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            if let Order::Perform { answer, .. } = order {
                // The caller may be gone.
                let _ = answer.send(Err(PerformError::NotRunning));
            }
        }
    }

    /// Waits for work in flight, then ends the session if the settings ask for it.
    async fn finish(&mut self, ended: &Ended) {
        let deadline = self.worker.settings.stop_deadline;
        let mut is_ours = true;
        let under_way = async {
            while let Some(done) = self.jobs.join_next().await {
                is_ours &= !matches!(done, Ok(Err(StoreError::LeaseLost)));
                // A claimed action that is not sent would be in doubt after the next start.
                if let Ok(Ok(Done::Turn(_, TurnEnd { claimed: Some(outgoing), .. }))) = done {
                    self.spawn(Job::SendClaimed(Box::new(outgoing)));
                }
            }
        };
        if timeout(deadline, under_way).await.is_err() {
            tracing::warn!(
                left = self.jobs.len(),
                "the deadline of the stop passed; the rest waits for the next start"
            );
            self.abort().await;
        }
        let received = timeout(deadline, self.receiver.join_next()).await;
        let log_out = self.worker.settings.log_out_at_stop && matches!(ended, Ended::Stopped);
        if let Ok(Some(Ok(mut source))) = received
            && log_out
            && is_ours
            && self.still_holds_the_data().await
        {
            match timeout(LOG_OUT, source.log_out()).await {
                Ok(records) => self.forget_session(records).await,
                Err(_) => tracing::warn!("the service did not end the session in time"),
            }
        }
    }

    /// Ends all work in flight, requests to the service included.
    async fn abort(&mut self) {
        self.jobs.abort_all();
        // A handler that blocks its thread does not notice the abort.
        let ended = async { while self.jobs.join_next().await.is_some() {} };
        if timeout(ABORT, ended).await.is_err() {
            tracing::error!(
                left = self.jobs.len(),
                "handlers that block their threads are left behind"
            );
            self.control.leave_behind();
            self.jobs.detach_all();
        }
    }

    /// Whether this process still has the lease. If another process has taken the account over, it owns the session.
    async fn still_holds_the_data(&self) -> bool {
        !matches!(self.worker.store.sync().await, Err(StoreError::LeaseLost))
    }

    /// Stores the records that a logout changed.
    async fn forget_session(&self, records: Records) {
        let batch = Batch { records, ..Batch::default() };
        let kept = self.worker.store.accept(batch, self.worker.now()).await;
        if let Err(error) = kept.and(self.worker.store.sync().await) {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the end of the session could not be kept; the next start finds it out"
            );
        }
    }
}

/// Finds interrupted and waiting work, and handles the events that ended the process twice.
async fn recover(worker: &Worker, mut dispatcher: Dispatcher) -> Result<Dispatcher, StoreError> {
    let now = worker.now();
    dispatcher.tidy_from(now + FIRST_TIDY);
    if let Some((back, most)) = Dispatcher::memory(&worker.settings.pacing) {
        dispatcher.remember(&worker.store.recent_claims(now - back, most).await?);
    }
    let recovered = worker.recover().await?;
    for lane in &recovered.last_chance {
        tracing::warn!(%lane, "the process ended on its next event twice; it is handled before anything else");
        // It claims nothing, since nothing may leave before the account is online.
        let end = worker.turn(lane).await?;
        dispatcher.something_to_send(&end.chats, now);
    }
    dispatcher.recovered(recovered, now);
    Ok(dispatcher)
}

/// Receives from the service until it ends or the account stops. Returns the source, so that it can log out.
async fn receive(
    mut source: Box<dyn Source>,
    worker: Arc<Worker>,
    news: mpsc::Sender<News>,
    stop: CancellationToken,
) -> Box<dyn Source> {
    loop {
        let incoming = tokio::select! {
            biased;
            () = stop.cancelled() => return source,
            incoming = source.receive() => incoming,
        };
        // The next receive acknowledges the batch, so it is accepted and synced first, also if a stop comes in between.
        let is_batch = matches!(incoming, Ok(Incoming::Batch(_)));
        let message = match incoming {
            Ok(Incoming::Batch(mut batch)) => {
                let throttled = std::mem::take(&mut batch.throttled);
                match worker.accept(batch).await {
                    Ok(lanes) => News::Batch { lanes, throttled },
                    Err(error) => News::Over(Ended::Storage(error)),
                }
            }
            Ok(Incoming::Status(status)) => News::Status(status),
            Ok(Incoming::End) => News::End,
            Err(error) => News::Over(error.into()),
        };
        let is_over = matches!(message, News::Over(_));
        if news.send(message).await.is_err() || is_over {
            return source;
        }
        if is_batch {
            // The turns of the batch begin first: the sync of their first claim is then this one, and the store is woken once.
            behind_ready_tasks().await;
            if let Err(error) = worker.store.sync().await {
                // The receiver is gone if the account has ended.
                let _ = news.send(News::Over(Ended::Storage(error))).await;
                return source;
            }
        }
    }
}

/// Lets the tasks that can go on run first. Unlike `yield_now` of tokio, it does not ask the system for news meanwhile.
async fn behind_ready_tasks() {
    let mut is_behind = false;
    poll_fn(|context| {
        if std::mem::replace(&mut is_behind, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The name of a connection state: the text of a prompt and the account's name must not get into this log.
const fn word(status: &Status) -> &'static str {
    match status {
        Status::Prompt(_) => "prompt",
        Status::Online { .. } => "online",
        Status::Offline { .. } => "offline",
    }
}
