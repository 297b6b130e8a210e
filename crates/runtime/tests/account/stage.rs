//! An account with a service that the test plays.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Accepted, Action, ActionId, Batch, Binding, Capabilities, Chat, ChatId, Claim, ClaimRequest,
    ClaimToken, Clock, Committed, Content, Event, EventBody, Forgotten, Incoming, Lane, MediaError,
    MediaRef, MemberQuery, MemberValues, Message, Notice, NoticeKind, Origin, Outcome, Outgoing,
    Person, PersonId, Receipt, ReceiveError, Records, Recovered, SendError, Service, Snapshot,
    Source, Status, Store, StoreError, Timestamp, Transport, Turn,
};
use mynah_runtime::{Account, Control, Ended, Handlers, Observer, Pacing, Settings, Trouble, run};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The time at which every test begins.
pub(crate) fn begin() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

/// Settings without limits of sending.
pub(crate) fn settings() -> Settings {
    Settings { pacing: Pacing::off(), loop_breaker: None, max_age: None, ..Settings::default() }
}

pub(crate) fn group(n: usize) -> Chat {
    Chat::group(format!("group {n}"), format!("Group {n}"))
}

/// A message of the bot, and its time since the beginning.
#[derive(Debug, Clone)]
pub(crate) struct SentText {
    pub(crate) chat: ChatId,
    pub(crate) text: String,
    pub(crate) at: Duration,
}

type Answer = Arc<dyn Fn() -> Result<Receipt, SendError> + Send + Sync>;

/// A running account.
pub(crate) struct Played {
    incoming: mpsc::Sender<Incoming>,
    pub(crate) seen: Arc<Seen>,
    control: Control,
    stop: CancellationToken,
    ended: Option<JoinHandle<Ended>>,
    started: Instant,
    next: usize,
}

/// The calls that the service and the observer got.
pub(crate) struct Seen {
    started: Instant,
    said: Mutex<Vec<SentText>>,
    answer: Mutex<Option<Answer>>,
    tried: AtomicUsize,
    expired: AtomicUsize,
    accepted: AtomicUsize,
    troubles: Mutex<Vec<Trouble>>,
    /// The number of times that the session was ended.
    pub(crate) logged_out: AtomicUsize,
    /// Rises with every call.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        begin() + self.0.elapsed()
    }
}

impl Played {
    pub(crate) fn start(store: Arc<dyn Store>, handlers: Handlers, settings: Settings) -> Self {
        let started = Instant::now();
        let seen = Arc::new(Seen {
            started,
            said: Mutex::default(),
            answer: Mutex::default(),
            tried: AtomicUsize::new(0),
            expired: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            troubles: Mutex::default(),
            logged_out: AtomicUsize::new(0),
            changes: watch::Sender::new(0),
        });
        let (incoming, receiver) = mpsc::channel(8);
        let _ = incoming.try_send(Incoming::Status(Status::Online { name: "Bot".to_owned() }));
        let account = Account {
            name: "test".to_owned(),
            store,
            transport: Box::new(TestTransport { receiver, seen: seen.clone() }),
            handlers,
            clock: Arc::new(TestClock(started)),
            settings,
            observer: seen.clone(),
        };
        let (control, stop) = (Control::new(), CancellationToken::new());
        let ended = Some(tokio::spawn(run(account, control.clone(), stop.clone())));
        // Ids go on across accounts, so that a second account on one store gets new messages.
        static FIRST: AtomicUsize = AtomicUsize::new(0);
        let next = FIRST.fetch_add(1_000_000, Ordering::SeqCst);
        Self { incoming, seen, control, stop, ended, started, next }
    }

    /// The handle of the account.
    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }

    pub(crate) async fn say(&mut self, chat: Chat, text: &str) {
        let events = vec![self.message(&chat, text)];
        let batch = Batch { events, ..Batch::default() };
        self.incoming.send(Incoming::Batch(batch)).await.expect("the account listens");
    }

    pub(crate) fn message(&mut self, chat: &Chat, text: &str) -> Event {
        self.next += 1;
        let id = format!("message {}", self.next);
        let body = EventBody::Message(Message {
            id: id.as_str().into(),
            chat: chat.clone(),
            sender: Person::stranger("ann", "Ann"),
            origin: Origin::Person,
            content: Content::text(text),
            text: text.to_owned(),
            called: true,
            behind_name: None,
        });
        Event { id: id.as_str().into(), time: begin() + self.started.elapsed(), body }
    }

    /// The notice in that chat that a message was recalled.
    pub(crate) fn recall(&mut self, message: &Event, chat: &Chat) -> Event {
        self.next += 1;
        let id = format!("recall {}", self.next);
        let kind = NoticeKind::Recall { message: message.id.as_str().into(), original: None };
        let notice = Notice { chat: chat.clone(), person: None, kind };
        let time = begin() + self.started.elapsed();
        Event { id: id.as_str().into(), time, body: EventBody::Notice(notice) }
    }

    pub(crate) async fn status(&self, status: Status) {
        self.news(Incoming::Status(status)).await;
    }

    /// The source brings this.
    pub(crate) async fn news(&self, incoming: Incoming) {
        self.incoming.send(incoming).await.expect("the account listens");
    }

    pub(crate) fn answer_with(
        &self,
        answer: impl Fn() -> Result<Receipt, SendError> + Send + Sync + 'static,
    ) {
        *lock(&self.seen.answer) = Some(Arc::new(answer));
    }

    pub(crate) fn answer_as_usual(&self) {
        *lock(&self.seen.answer) = None;
    }

    pub(crate) fn said(&self) -> Vec<SentText> {
        lock(&self.seen.said).clone()
    }

    pub(crate) fn tried(&self) -> usize {
        self.seen.tried.load(Ordering::SeqCst)
    }

    pub(crate) fn expired(&self) -> usize {
        self.seen.expired.load(Ordering::SeqCst)
    }

    /// The number of troubles of this kind.
    pub(crate) fn troubles(&self, kind: &str) -> usize {
        let troubles = lock(&self.seen.troubles);
        troubles.iter().filter(|trouble| format!("{trouble:?}").starts_with(kind)).count()
    }

    /// The time since the beginning.
    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    pub(crate) async fn accepted(&self, messages: usize) {
        self.until(|seen| seen.accepted.load(Ordering::SeqCst) >= messages).await;
    }

    pub(crate) async fn until_said(&self, count: usize) {
        self.until(|seen| lock(&seen.said).len() >= count).await;
    }

    pub(crate) async fn until_tried(&self, count: usize) {
        self.until(|seen| seen.tried.load(Ordering::SeqCst) >= count).await;
    }

    async fn until(&self, holds: impl Fn(&Seen) -> bool) {
        let mut changes = self.seen.changes.subscribe();
        let seen = &self.seen;
        let wait = changes.wait_for(|_| holds(seen));
        // Virtual hours, or real minutes: in both cases a longer wait is a failure.
        let waited = tokio::time::timeout(Duration::from_secs(12 * 3600), wait).await;
        assert!(matches!(waited, Ok(Ok(_))), "it never happened; said so far: {:?}", self.said());
    }

    /// Returns when the account has received all messages and has nothing left to do.
    pub(crate) async fn idle(&self) {
        let said = self.incoming.max_capacity();
        let everything = self.incoming.reserve_many(said).await;
        drop(everything);
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.control.idle().await;
    }

    pub(crate) async fn stop(mut self) -> Ended {
        self.stop.cancel();
        self.ended().await
    }

    pub(crate) async fn ended(&mut self) -> Ended {
        let ended = self.ended.take().expect("it ends once");
        ended.await.expect("it does not panic")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }
}

impl Observer for Seen {
    fn accepted(&self, events: usize) {
        self.accepted.fetch_add(events, Ordering::SeqCst);
        self.changed();
    }

    fn trouble(&self, trouble: &Trouble) {
        lock(&self.troubles).push(trouble.clone());
        self.changed();
    }

    fn sent(&self, _outgoing: &Outgoing, outcome: &Outcome, _took: Duration) {
        if *outcome == Outcome::Expired {
            self.expired.fetch_add(1, Ordering::SeqCst);
        }
        self.changed();
    }
}

struct TestTransport {
    receiver: mpsc::Receiver<Incoming>,
    seen: Arc<Seen>,
}

struct TestSource(mpsc::Receiver<Incoming>, Arc<Seen>);

struct TestService(Arc<Seen>);

impl Transport for TestTransport {
    fn open(self: Box<Self>, _records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        (Box::new(TestSource(self.receiver, self.seen.clone())), Arc::new(TestService(self.seen)))
    }
}

#[async_trait]
impl Source for TestSource {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        match self.0.recv().await {
            Some(incoming) => Ok(incoming),
            None => std::future::pending().await,
        }
    }

    async fn log_out(&mut self) -> Records {
        self.1.logged_out.fetch_add(1, Ordering::SeqCst);
        Records::new()
    }
}

#[async_trait]
impl Service for TestService {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities { max_text: 100_000, ..Capabilities::everything("test") })
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::from([])
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        let answer = lock(&self.0.answer).clone();
        let answer = answer.map_or_else(|| Ok(Receipt::default()), |answer| answer());
        if let (Action::Send { content }, Ok(_)) = (&outgoing.action, &answer) {
            let text: String = content.plain_text().chars().take(40).collect();
            let (chat, at) = (outgoing.chat.clone(), self.0.started.elapsed());
            lock(&self.0.said).push(SentText { chat, text, at });
        }
        self.0.tried.fetch_add(1, Ordering::SeqCst);
        self.0.changed();
        answer
    }

    async fn media(&self, _media: &MediaRef, _limit: u64) -> Result<Bytes, MediaError> {
        Err(MediaError::Gone)
    }
}

/// A store without data. Its writes fail after a call of `fail`.
pub(crate) struct FailingStore {
    error: fn() -> StoreError,
    fails: AtomicBool,
    lost: Notify,
}

impl FailingStore {
    pub(crate) fn new(error: fn() -> StoreError) -> Self {
        Self { error, fails: AtomicBool::new(false), lost: Notify::new() }
    }

    /// The lease of the account expires.
    pub(crate) fn lose(&self) {
        self.lost.notify_one();
    }

    /// Makes all writes fail from now on.
    pub(crate) fn fail(&self) {
        self.fails.store(true, Ordering::SeqCst);
    }

    fn answer<T>(&self, fine: T) -> Result<T, StoreError> {
        if self.fails.load(Ordering::SeqCst) { Err((self.error)()) } else { Ok(fine) }
    }
}

#[async_trait]
impl Store for FailingStore {
    async fn lease_lost(&self) {
        self.lost.notified().await;
    }

    async fn recover(&self, _now: Timestamp) -> Result<Recovered, StoreError> {
        Ok(Recovered::default())
    }

    async fn records(&self) -> Result<Records, StoreError> {
        Ok(Records::new())
    }

    async fn accept_and_begin(
        &self,
        _batch: Batch,
        _begin: usize,
        _now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        self.answer(Accepted::default())
    }

    async fn sync(&self) -> Result<(), StoreError> {
        self.answer(())
    }

    async fn begin(
        &self,
        _lane: &Lane,
        _now: Timestamp,
    ) -> Result<Option<(Event, Snapshot)>, StoreError> {
        Ok(None)
    }

    async fn member_values(
        &self,
        query: &MemberQuery,
        _now: Timestamp,
    ) -> Result<Vec<MemberValues>, StoreError> {
        self.answer(vec![MemberValues::default(); query.keys.len()])
    }

    async fn commit_and_claim(
        &self,
        _turn: Arc<Turn>,
        _claim: Option<ClaimRequest>,
        _now: Timestamp,
    ) -> Result<Committed, StoreError> {
        self.answer(Committed::Conflict)
    }

    async fn fire(&self, _now: Timestamp) -> Result<(Vec<Lane>, Option<Timestamp>), StoreError> {
        Ok((Vec::new(), None))
    }

    async fn claim(
        &self,
        _chat: &ChatId,
        _token: ClaimToken,
        _until: Timestamp,
        _now: Timestamp,
    ) -> Result<Claim, StoreError> {
        Ok(Claim::Empty)
    }

    async fn settle(
        &self,
        _id: &ActionId,
        _outcome: Outcome,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.answer(false)
    }

    async fn recent_claims(
        &self,
        _since: Timestamp,
        _limit: usize,
    ) -> Result<Vec<(ChatId, Timestamp)>, StoreError> {
        Ok(Vec::new())
    }

    async fn tidy(&self, _now: Timestamp) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn forget(&self, _person: &PersonId) -> Result<Forgotten, StoreError> {
        self.answer(Forgotten::default())
    }

    async fn unbind(&self, _name: &str) -> Result<Option<Binding>, StoreError> {
        self.answer(None)
    }
}
