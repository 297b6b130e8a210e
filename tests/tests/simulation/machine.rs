//! The machine around the real runtime: the store with a fuse, a service with faults, and the handler.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Accepted, ActionId, Batch, Binding, Capabilities, Chat, ChatId, Claim, ClaimRequest,
    ClaimToken, Committed, Content, Context, Event, EventBody, Flow, Forgotten, Handler,
    HandlerError, Incoming, Lane, LogQuery, MediaError, MediaRef, MemberQuery, MemberValues,
    Message, OfflineCause, Outcome, Outgoing, PersonId, Random, Receipt, ReceiveError, Records,
    Recovered, Scope, SendError, Service, Snapshot, Source, StateView, Status, Store, StoreError,
    StoreReader, Timestamp, Transport, Turn,
};
use mynah_store::SqliteStore;
use mynah_store_testing::{ModelStore, StoredOutgoing};
use tokio::time::sleep;

use crate::mistakes::{Mistake, Setup};
use crate::plan::{Kind, chat};
use crate::world::Sim;

/// A store that outlives the simulated processes.
#[async_trait]
pub(crate) trait LastingStore: Store {
    /// The process died, and another one opens the store.
    async fn reopen(&self);

    /// All events in the end.
    async fn kept(&self) -> Vec<StoredOutgoing>;
}

#[async_trait]
impl LastingStore for SqliteStore {
    async fn reopen(&self) {
        Self::reopen(self).await.expect("memory does not fail");
    }

    async fn kept(&self) -> Vec<StoredOutgoing> {
        let log = self
            .log(&LogQuery { limit: u32::MAX, ..LogQuery::default() })
            .await
            .expect("memory does not fail");
        let kept = log.entries.into_iter().map(|logged| {
            let actions = (0..).zip(&logged.actions);
            let open = actions.filter(|(_, action)| action.settled.is_none());
            let event = logged.event.id;
            let id = |(n, _)| ActionId { event: event.clone(), n };
            let unsettled = open.map(id).collect();
            StoredOutgoing { event, is_handled: logged.handled.is_some(), unsettled }
        });
        kept.collect()
    }
}

#[async_trait]
impl LastingStore for ModelStore {
    async fn reopen(&self) {
        Self::reopen(self);
    }

    async fn kept(&self) -> Vec<StoredOutgoing> {
        Self::kept(self)
    }
}

/// The store, with a boundary before and after each call, and with the mistakes that a runtime could make with it.
pub(crate) struct FusedStore {
    pub(crate) inner: Arc<dyn LastingStore>,
    pub(crate) sim: Sim,
    pub(crate) setup: Setup,
}

impl FusedStore {
    fn note_accepted(&self, batch: &Batch, accepted: &Accepted) {
        self.sim.accepted(batch);
        for (event, _) in &accepted.begun {
            self.sim.begun(&event.lane(), Some(event));
        }
    }
}

#[async_trait]
impl Store for FusedStore {
    async fn recover(&self, now: Timestamp) -> Result<Recovered, StoreError> {
        self.sim.boundary("before recover").await;
        if self.setup.loses_answers() {
            self.inner.recover(now).await?;
        }
        let recovered = self.inner.recover(now).await?;
        self.sim.recovered(&recovered);
        self.sim.boundary("after recover").await;
        Ok(recovered)
    }

    async fn records(&self) -> Result<Records, StoreError> {
        self.inner.records().await
    }

    async fn accept_and_begin(
        &self,
        batch: Batch,
        begin: usize,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        self.sim.boundary("before accept").await;
        if self.setup.loses_answers() {
            // Its events are begun, although nothing knows of it: a death counts against them.
            let lost = self.inner.accept_and_begin(batch.clone(), begin, now).await?;
            self.note_accepted(&batch, &lost);
        }
        let accepted = self.inner.accept_and_begin(batch.clone(), begin, now).await?;
        self.note_accepted(&batch, &accepted);
        for _ in &accepted.begun {
            self.sim.boundary("begun with its acceptance").await;
        }
        self.sim.boundary("after accept").await;
        Ok(accepted)
    }

    async fn sync(&self) -> Result<(), StoreError> {
        if self.setup.has(Mistake::AskedBeforeSync) {
            return Ok(());
        }
        self.inner.sync().await?;
        self.sim.synced();
        self.sim.boundary("after sync").await;
        Ok(())
    }

    async fn begin(
        &self,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Option<(Event, Snapshot)>, StoreError> {
        self.sim.boundary("before begin").await;
        if self.setup.loses_answers() {
            self.inner.begin(lane, now).await?;
        }
        let begun = self.inner.begin(lane, now).await?;
        self.sim.begun(lane, begun.as_ref().map(|(event, _)| event));
        self.sim.boundary("after begin").await;
        Ok(begun)
    }

    async fn member_values(
        &self,
        query: &MemberQuery,
        now: Timestamp,
    ) -> Result<Vec<MemberValues>, StoreError> {
        self.inner.member_values(query, now).await
    }

    async fn commit_and_claim(
        &self,
        turn: Arc<Turn>,
        claim: Option<ClaimRequest>,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        self.sim.boundary("before commit").await;
        let commit = || self.inner.commit_and_claim(turn.clone(), claim.clone(), now);
        if self.setup.loses_answers() {
            commit().await?;
        }
        let mut committed = commit().await?;
        self.sim.commits(&turn, &committed);
        if let (Committed::Done { claim: Some(claimed), .. }, Some(request)) = (&committed, &claim)
        {
            self.sim.claimed(&request.chat, claimed);
        }
        self.sim.boundary("after commit").await;
        if let (Committed::Done { chats, .. }, true) =
            (&mut committed, self.setup.has(Mistake::TWO_UNDER_WAY))
        {
            chats.extend(chats.clone().iter().map(double));
        }
        Ok(committed)
    }

    async fn fire(&self, now: Timestamp) -> Result<(Vec<Lane>, Option<Timestamp>), StoreError> {
        self.sim.boundary("before fire").await;
        if self.setup.loses_answers() {
            self.inner.fire(now).await?;
        }
        let fired = self.inner.fire(now).await?;
        self.sim.fired();
        self.sim.boundary("after fire").await;
        Ok(fired)
    }

    async fn claim(
        &self,
        chat: &ChatId,
        token: ClaimToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        self.sim.boundary("before claim").await;
        let chat = &undoubled(chat);
        if self.setup.loses_answers() {
            self.inner.claim(chat, token, until, now).await?;
        }
        let claim = self.inner.claim(chat, token, until, now).await?;
        self.sim.claimed(chat, &claim);
        self.sim.boundary("after claim").await;
        Ok(claim)
    }

    async fn settle(
        &self,
        id: &ActionId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.sim.boundary("before settle").await;
        if self.setup.loses_answers() {
            self.inner.settle(id, outcome.clone(), now).await?;
        }
        let more = self.inner.settle(id, outcome.clone(), now).await?;
        self.sim.settled(id, &outcome);
        self.sim.boundary("after settle").await;
        Ok(more)
    }

    async fn recent_claims(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ChatId, Timestamp)>, StoreError> {
        if self.setup.has(Mistake::PacerForgets) {
            return Ok(Vec::new());
        }
        self.inner.recent_claims(since, limit).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.inner.tidy(now).await
    }

    async fn forget(&self, person: &PersonId) -> Result<Forgotten, StoreError> {
        self.inner.forget(person).await
    }

    async fn unbind(&self, name: &str) -> Result<Option<Binding>, StoreError> {
        self.inner.unbind(name).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

/// A second name of a chat, under which the runtime takes it for another one.
fn double(chat: &ChatId) -> ChatId {
    ChatId::new(format!("{chat} again"))
}

fn undoubled(chat: &ChatId) -> ChatId {
    ChatId::from(chat.as_str().trim_end_matches(" again"))
}

/// A service that repeats, delays, drops and fails, whose source can be mistaken.
pub(crate) struct SimTransport(pub(crate) Sim, pub(crate) Setup);

struct SimSource {
    sim: Sim,
    setup: Setup,
    /// The number of delivered messages, as the client remembers it.
    cursor: usize,
    is_online: bool,
}

struct SimService(Sim);

impl Transport for SimTransport {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let cursor = records.get("cursor").and_then(|text| text.parse().ok()).unwrap_or(0);
        let sim = self.0.clone();
        let source = SimSource { sim, setup: self.1, cursor, is_online: false };
        (Box::new(source), Arc::new(SimService(self.0)))
    }
}

#[async_trait]
impl Source for SimSource {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        self.sim.forgets(self.cursor);
        sleep(Duration::from_millis(self.sim.draw(1500))).await;
        if !self.is_online {
            self.is_online = true;
            return Ok(Incoming::Status(Status::Online { name: "Bot".to_owned() }));
        }
        if self.sim.draw(25) == 0 {
            self.is_online = false;
            let (cause, detail) = (OfflineCause::Unreachable, "planned".to_owned());
            let retry_in = Some(Duration::from_secs(1));
            return Ok(Incoming::Status(Status::Offline { cause, detail, retry_in }));
        }
        self.wait_for_news().await;
        let mut batch = self.batch();
        self.setup.mistake(&mut batch);
        Ok(Incoming::Batch(batch))
    }

    async fn log_out(&mut self) -> Records {
        Records::new()
    }
}

impl SimSource {
    async fn wait_for_news(&self) {
        let Some(next) = self.sim.plan().messages.get(self.cursor) else {
            return std::future::pending().await;
        };
        sleep(next.from.since(self.sim.service_now())).await;
    }

    /// Some of the available messages, and sometimes a message that was delivered before.
    fn batch(&mut self) -> Batch {
        let now = self.sim.service_now();
        let messages = &self.sim.plan().messages;
        let ready = messages.iter().skip(self.cursor).take_while(|planned| planned.from <= now);
        let most = 1 + usize::try_from(self.sim.draw(6)).expect("it is small");
        let fresh = ready.take(most).count();
        let repeated = usize::try_from(self.sim.draw(8)).expect("it is small").saturating_sub(4);
        let from = self.cursor.saturating_sub(repeated);
        self.cursor += fresh;
        let events = messages[from..self.cursor].iter().map(|planned| planned.event.clone());
        let records = Records::from([("cursor".to_owned(), self.cursor.to_string())]);
        Batch { events: events.collect(), records, service_time: Some(now), ..Batch::default() }
    }
}

#[async_trait]
impl Service for SimService {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities { max_text: 2000, ..Capabilities::everything("simulation") })
    }

    fn chats(&self) -> Arc<[Chat]> {
        (0..5).map(chat).collect()
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        let sim = &self.0;
        sim.boundary("before the request").await;
        sim.comes_in(outgoing);
        sleep(Duration::from_millis(sim.draw(800))).await;
        let answer = answer(sim.draw(100));
        if matches!(answer, Ok(_) | Err((_, true))) {
            sim.takes_effect(outgoing);
        }
        sim.boundary("before the answer").await;
        sleep(Duration::from_millis(sim.draw(300))).await;
        sim.answered(outgoing);
        answer.map_err(|(error, _)| error)
    }

    async fn media(&self, _media: &MediaRef, _limit: u64) -> Result<Bytes, MediaError> {
        Err(MediaError::Gone)
    }
}

/// An answer, and for errors whether the request took effect nevertheless.
fn answer(drawn: u64) -> Result<Receipt, (SendError, bool)> {
    let cause = || Box::<dyn std::error::Error + Send + Sync>::from("planned");
    match drawn {
        0..60 => Ok(Receipt { message: Some(format!("sent {drawn}").as_str().into()) }),
        60..75 => Ok(Receipt::default()),
        75..85 => Err((SendError::NotSent { retry_after: None, source: cause() }, false)),
        85..86 => Err((SendError::TooFrequent { retry_after: None }, false)),
        86..88 => Err((SendError::NotLoggedIn, false)),
        88..91 => Err((SendError::Refused { reason: "planned".to_owned() }, false)),
        91..96 => Err((SendError::Unknown { source: cause() }, true)),
        _ => Err((SendError::Unknown { source: cause() }, false)),
    }
}

/// Answers by the plan, and counts in the state.
pub(crate) struct SimHandler(pub(crate) Sim, pub(crate) Setup);

/// A handler that hides its failures, so that its effects are kept.
pub(crate) struct NeverFails(pub(crate) SimHandler);

#[async_trait]
impl Handler for NeverFails {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        self.0.on_message(ctx, message).await.or(Ok(Flow::Stop))
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        self.0.on_event(ctx, event).await
    }
}

#[async_trait]
impl Handler for SimHandler {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let kind = self.0.plan().kind_of(ctx.event_id()).ok_or("not in the plan")?;
        ctx.add(Scope::Bot, "handled", 1);
        let count = number(ctx, Scope::Chat, "count") + 1;
        ctx.set(Scope::Chat, "count", count.to_string());
        let mut drawn = ctx.random().below(1000);
        if self.1.has(Mistake::RandomByTime) {
            drawn = Random::from_seed(ctx.now().as_millis().cast_unsigned()).below(1000);
        }
        let mut end = format!("count={count} random={drawn}");
        if kind == Kind::Shared {
            let shared = number(ctx, Scope::Bot, "shared") + 1;
            sleep(Duration::from_millis(drawn * 3)).await;
            ctx.set(Scope::Bot, "shared", shared.to_string());
            end = format!("{end} shared={shared}");
        }
        let answers = if let Kind::Plain(answers) = kind { answers } else { 1 };
        for n in 0..answers {
            ctx.reply(format!("{} {n} {end}", message.text));
        }
        match kind {
            Kind::Later => ctx.follow_up(Duration::from_millis(drawn * 100), "later", "data"),
            Kind::Elsewhere => ctx.send(&chat(drawn % 5), Content::text("elsewhere")),
            Kind::Fail => return Err("planned".into()),
            Kind::Panic => panic!("planned"),
            Kind::Hang => std::future::pending().await,
            Kind::Poison => {
                self.0.kill();
                std::future::pending::<()>().await;
            }
            Kind::Plain(_) | Kind::Shared | Kind::NotForUs(_) | Kind::Stale => {}
        }
        Ok(Flow::Stop)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        if let EventBody::Due(due) = &event.body {
            ctx.reply(format!("{} {}", due.name, due.data));
        }
        Ok(Flow::Stop)
    }
}

fn number(ctx: &Context, scope: Scope, key: &str) -> i64 {
    ctx.get(scope, key).and_then(|text| text.parse().ok()).unwrap_or(0)
}
