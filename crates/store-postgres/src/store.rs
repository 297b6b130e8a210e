//! The store of one account: each call is one statement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Accepted, Action, ActionId, Batch, Binding, ChatId, ChatKind, Claim, ClaimRequest, ClaimToken,
    Committed, Decided, Event, EventBody, EventId, Forgotten, Lane, MemberQuery, MemberValue,
    MemberValues, MessageId, NoticeKind, Outcome, Outgoing, PersonId, Records, Recovered, Scope,
    Snapshot, Store, StoreError, Timestamp, Turn, Value,
};
use tokio::sync::watch;
use tokio_postgres::Row;

use crate::arguments::{json, millis, text};
use crate::error::unreadable;
use crate::link::{Link, Links, Parameter};
use crate::node::Node;
use crate::queries;
use crate::stores::Keep;
use crate::turns::Commit;

/// The number of times that a process may end on an event before the event is set aside.
const ATTEMPTS: i32 = 3;

/// The number of rows in one piece of cleaning.
const ROWS: i64 = 500;

/// The pacer looks back for one day and must find all sent actions of that day, however short the log is kept.
const SHORTEST_HISTORY: Duration = Duration::from_secs(25 * 60 * 60);

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The number of days for which the firing rules are counted.
const DAYS: i64 = 90;

/// The store of one account on PostgreSQL, with the lease that [`PostgresStores`](crate::PostgresStores) took.
///
/// Calls need a Tokio runtime. A call whose connection broke is repeated for half a minute.
#[derive(Debug)]
pub struct PostgresStore {
    links: Arc<Links>,
    node: Arc<Node>,
    account: i32,
    epoch: i64,
    keep: Keep,
    /// Whether the node gives the lease back, which knows whether the account should stay, not this store.
    is_lent: bool,
    is_closed: AtomicBool,
    /// The commits with a claim that are under way.
    claiming: AtomicUsize,
    /// Whether the lease was found to be gone, though the node is alive.
    is_revoked: watch::Sender<bool>,
}

impl PostgresStore {
    pub(crate) fn new(links: Arc<Links>, node: Arc<Node>, lease: (i32, i64), keep: Keep) -> Self {
        let (account, epoch) = lease;
        let (is_closed, is_revoked) = (AtomicBool::new(false), watch::Sender::new(false));
        let claiming = AtomicUsize::new(0);
        let is_lent = false;
        Self { links, node, account, epoch, keep, is_lent, is_closed, claiming, is_revoked }
    }

    /// The node keeps the lease when this store is closed or dropped, until it gives the account back itself.
    pub(crate) fn lent(mut self) -> Self {
        self.is_lent = true;
        self
    }

    /// Whether calls of this store say that it lost its lease, once `is_revoked` is set to true.
    pub(crate) fn is_revoked(&self) -> watch::Sender<bool> {
        self.is_revoked.clone()
    }

    /// The number of the lease, which rises with every change of its holder.
    #[must_use]
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Runs a function on a connection: with account, holder and epoch before the other parameters.
    async fn call(
        &self,
        link: &Link,
        sql: &'static str,
        more: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(StoreError::Closed);
        }
        let holder: &str = &self.node.id;
        let mut all: Vec<Parameter<'_>> = vec![&self.account, &holder, &self.epoch];
        all.extend_from_slice(more);
        tokio::select! {
            biased;
            () = self.lease_lost() => Err(StoreError::LeaseLost),
            rows = link.query(sql, &all) => rows,
        }
    }

    /// Runs a function that does not wait for the disk.
    pub(crate) async fn quick(
        &self,
        sql: &'static str,
        more: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.call(self.links.fast(self.account), sql, more).await
    }

    /// Runs a function that waits for the disk.
    pub(crate) async fn durable(
        &self,
        sql: &'static str,
        more: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.call(self.links.durable(self.account, ""), sql, more).await
    }

    /// Adds the recalled message to a recall, if the log still has it.
    async fn fill_in_original(&self, event: &mut Event) -> Result<(), StoreError> {
        let EventBody::Notice(notice) = &mut event.body else { return Ok(()) };
        let NoticeKind::Recall { message, original } = &mut notice.kind else { return Ok(()) };
        let link = self.links.fast(self.account);
        let rows =
            link.query(queries::ORIGINALS, &[&self.account, &text(message.as_str())]).await?;
        *original = rows
            .iter()
            .filter_map(|row| match serde_json::from_str(row.get(0)).ok()? {
                EventBody::Message(found) => Some(found),
                EventBody::Notice(_) | EventBody::Due(_) | EventBody::Started => None,
            })
            .find(|found| found.id == *message)
            .map(Box::new);
        Ok(())
    }

    /// Claims in this chat until the action is readable; others are refused, since they can never be sent.
    async fn readable(
        &self,
        mut found: Found,
        request: &ClaimRequest,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        loop {
            let id = match found {
                Found::Claim(claim) => {
                    // The connections may have ended during the call, which was repeated then. The request begins after this.
                    self.node.renewed().await;
                    return Ok(claim);
                }
                Found::Unreadable(id) => id,
            };
            let reason = "the action in the store cannot be read".to_owned();
            self.settle(&id, Outcome::Refused { reason }, now).await?;
            found = self.claim_once(request, now).await?;
        }
    }

    /// The request with the time at which it will have been given up at the latest, if another node takes the account
    /// over: before that this one has seen that its own row has expired. A row that has expired is renewed first.
    async fn bounded(&self, request: &ClaimRequest, now: Timestamp) -> ClaimRequest {
        self.node.renewed().await;
        let until = request.until.min(now + self.node.left());
        ClaimRequest { until, ..request.clone() }
    }

    /// A commit, with a claim if there is one to make in the same transaction.
    async fn commit_once(
        &self,
        turn: &Turn,
        claim: Option<&ClaimRequest>,
        now: Timestamp,
    ) -> Result<Row, StoreError> {
        let link = match claim {
            Some(request) => self.links.durable(self.account, request.chat.as_str()),
            None => self.links.fast(self.account),
        };
        let claim = match claim {
            Some(request) => Some(self.bounded(request, now).await),
            None => None,
        };
        let commit = Commit::new(turn, claim.as_ref(), !self.keep.log.is_zero(), now)?;
        let mut rows = self.call(link, queries::COMMIT, &commit.parameters()).await?;
        Ok(rows.swap_remove(0))
    }

    async fn claim_once(
        &self,
        request: &ClaimRequest,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let ClaimRequest { chat, token, until } = &self.bounded(request, now).await;
        let link = self.links.durable(self.account, chat.as_str());
        let (token, until) = (token.0.cast_signed(), until.as_millis());
        let now = now.as_millis();
        let parameters: [Parameter<'_>; 4] = [&text(chat.as_str()), &token, &until, &now];
        let rows = self.call(link, queries::CLAIM, &parameters).await?;
        found(&rows[0], 0, chat)
    }
}

/// Counts something as long as it exists.
struct Counted<'a>(Option<&'a AtomicUsize>);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicUsize, counts: bool) -> Self {
        let counter = counts.then_some(counter);
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some(counter) = self.0 {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A claim, or an action that was claimed and cannot be read.
enum Found {
    Claim(Claim),
    Unreadable(ActionId),
}

/// Reads a claim from the columns from here: kind, at, event, n, body, queued, attempt.
fn found(row: &Row, from: usize, chat: &ChatId) -> Result<Found, StoreError> {
    let kind: i16 = row.try_get(from).map_err(unreadable)?;
    match kind {
        0 => return Ok(Found::Claim(Claim::Empty)),
        1 => return Ok(Found::Claim(Claim::Wait(Timestamp::from_millis(row.get(from + 1))))),
        _ => {}
    }
    let n: i32 = row.get(from + 3);
    let id = ActionId {
        event: EventId::new(row.get::<_, String>(from + 2)),
        n: n.try_into().map_err(unreadable)?,
    };
    let Ok(action) = serde_json::from_str::<Action>(row.get(from + 4)) else {
        return Ok(Found::Unreadable(id));
    };
    let queued = Timestamp::from_millis(row.get(from + 5));
    let attempt = row.get::<_, i32>(from + 6).try_into().map_err(unreadable)?;
    let outgoing = Outgoing { id, chat: chat.clone(), action, queued, attempt };
    Ok(Found::Claim(if kind == 2 { Claim::Send(outgoing) } else { Claim::Expired(outgoing) }))
}

/// Reads the state that a function returned as JSON.
fn snapshot(state: &str) -> Result<Snapshot, StoreError> {
    let rows: Vec<(u8, String, String, u64, Option<i64>)> =
        serde_json::from_str(state).map_err(unreadable)?;
    let values = rows.into_iter().map(|(scope, key, text, version, expires)| {
        let scope = match scope {
            0 => Scope::Bot,
            1 => Scope::Chat,
            _ => Scope::Person,
        };
        ((scope, key), Value { text, version, expires: expires.map(Timestamp::from_millis) })
    });
    Ok(Snapshot::new(values.collect::<BTreeMap<_, _>>()))
}

/// The id of the message of an event, unless the id of the event gives it.
fn message_of(event: &Event) -> Option<&str> {
    let (id, message) = (event.id.as_str(), event.message()?.id.as_str());
    (id != message && id.strip_prefix('m') != Some(message)).then_some(message)
}

/// Whether an event is from a private chat.
fn is_private(event: &Event) -> bool {
    let is_of_person = matches!(event.body, EventBody::Message(_) | EventBody::Notice(_));
    is_of_person && event.chat().is_some_and(|chat| chat.kind == ChatKind::Private)
}

fn lanes(names: Vec<String>) -> Vec<Lane> {
    names.into_iter().map(Lane::new).collect()
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// The number and the words of an outcome for `settle_1`: kind, outcome, reason, message, retry.
type Words<'a> = (i16, &'static str, Option<&'a str>, Option<&'a MessageId>, Option<Timestamp>);

fn words(outcome: &Outcome) -> Words<'_> {
    match outcome {
        Outcome::Delivered(message) => (0, "delivered", None, Some(message), None),
        Outcome::Accepted => (0, "accepted", None, None, None),
        Outcome::NotSent { retry_at, reason } => (1, "", Some(reason), None, Some(*retry_at)),
        Outcome::Refused { reason } => (0, "refused", Some(reason), None, None),
        Outcome::Expired => (0, "expired", None, None, None),
        Outcome::Unknown { reason, again_at } => {
            (if again_at.is_some() { 2 } else { 0 }, "unknown", Some(reason), None, *again_at)
        }
    }
}

/// The stored decision about an event that no turn handled.
fn passed_over(why: &str) -> Result<String, StoreError> {
    json(&Decided { passed_over: Some(why.to_owned()), ..Decided::default() })
}

#[async_trait]
impl Store for PostgresStore {
    async fn recover(&self, now: Timestamp) -> Result<Recovered, StoreError> {
        let decided = passed_over("set aside: the program ended on it too often")?;
        let parameters: [Parameter<'_>; 3] = [&ATTEMPTS, &decided, &now.as_millis()];
        let rows = self.durable(queries::RECOVER, &parameters).await?;
        let row = &rows[0];
        let events = row.get::<_, Vec<String>>(5).into_iter().zip(row.get::<_, Vec<i32>>(6));
        let in_doubt = events.map(|(event, n)| {
            Ok(ActionId { event: EventId::new(event), n: n.try_into().map_err(unreadable)? })
        });
        let chats = |column| row.get::<_, Vec<String>>(column).into_iter().map(ChatId::new);
        Ok(Recovered {
            lanes: lanes(row.get(0)),
            suspects: lanes(row.get(1)),
            last_chance: lanes(row.get(2)),
            chats: chats(3).collect(),
            replying: chats(4).collect(),
            in_doubt: in_doubt.collect::<Result<_, StoreError>>()?,
            set_aside: row.get::<_, Vec<String>>(7).into_iter().map(EventId::new).collect(),
        })
    }

    async fn records(&self) -> Result<Records, StoreError> {
        let rows = self.quick(queries::RECORDS, &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn accept_and_begin(
        &self,
        batch: Batch,
        begin: usize,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let events = &batch.events;
        let lanes_of: Vec<Lane> = events.iter().map(Event::lane).collect();
        let ids: Vec<_> = events.iter().map(|event| text(event.id.as_str())).collect();
        let names: Vec<_> = lanes_of.iter().map(|lane| text(lane.as_str())).collect();
        let times: Vec<i64> = events.iter().map(|event| event.time.as_millis()).collect();
        let messages: Vec<_> = events.iter().map(|event| message_of(event).map(text)).collect();
        let person = |event| Event::person(event).map(|person| text(person.id.as_str()));
        let persons: Vec<_> = events.iter().map(person).collect();
        let privates: Vec<bool> = events.iter().map(is_private).collect();
        let bodies = events.iter().map(|event| json(&event.body)).collect::<Result<Vec<_>, _>>()?;
        let keys: Vec<_> = batch.records.keys().map(|key| text(key)).collect();
        let values: Vec<_> = batch.records.values().map(|value| text(value)).collect();
        let begin = i64::try_from(begin).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 11] = [
            &ids,
            &names,
            &times,
            &messages,
            &persons,
            &privates,
            &bodies,
            &keys,
            &values,
            &begin,
            &now.as_millis(),
        ];
        let rows = self.quick(queries::ACCEPT, &parameters).await?;
        let mut accepted = Accepted::default();
        for row in &rows {
            let place = row.get::<_, i32>(0);
            let place = usize::try_from(place).map_err(unreadable)?;
            let lane = lanes_of[place].clone();
            if !accepted.lanes.contains(&lane) {
                accepted.lanes.push(lane);
            }
            if let Some(state) = row.get::<_, Option<String>>(1) {
                let mut event = events[place].clone();
                self.fill_in_original(&mut event).await?;
                accepted.begun.push((event, snapshot(&state)?));
            }
        }
        Ok(accepted)
    }

    async fn sync(&self) -> Result<(), StoreError> {
        self.durable(queries::SYNC, &[]).await.map(drop)
    }

    async fn begin(
        &self,
        lane: &Lane,
        now: Timestamp,
    ) -> Result<Option<(Event, Snapshot)>, StoreError> {
        let (name, at) = (text(lane.as_str()), now.as_millis());
        loop {
            let rows = self.quick(queries::BEGIN, &[&name, &at]).await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let id: String = row.get(1);
            let Ok(body) = serde_json::from_str(row.get(3)) else {
                tracing::error!(
                    event = id,
                    "an event in the store cannot be read and is set aside"
                );
                let seq: i64 = row.get(0);
                let decided = passed_over("unreadable")?;
                self.quick(queries::PASS_OVER, &[&name, &seq, &decided, &at]).await?;
                continue;
            };
            let time = Timestamp::from_millis(row.get(2));
            let mut event = Event { id: EventId::new(id), time, body };
            self.fill_in_original(&mut event).await?;
            return Ok(Some((event, snapshot(row.get(4))?)));
        }
    }

    async fn member_values(
        &self,
        query: &MemberQuery,
        now: Timestamp,
    ) -> Result<Vec<MemberValues>, StoreError> {
        let keys: Vec<_> = query.keys.iter().map(|key| text(key)).collect();
        let chat = text(query.chat.as_str());
        let most = i64::try_from(MemberValues::MOST + 1).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 4] = [&chat, &keys, &most, &now.as_millis()];
        let rows = self.quick(queries::MEMBER_VALUES, &parameters).await?;
        let mut found: Vec<Vec<(i64, MemberValue)>> = vec![Vec::new(); keys.len()];
        for row in rows {
            let person = PersonId::from(row.get::<_, String>(1));
            let value = MemberValue { person, name: row.get(2), text: row.get(3) };
            found[count(row.get(0))].push((row.get(4), value));
        }
        let values = |mut of_key: Vec<(i64, MemberValue)>| {
            let is_cut = of_key.len() > MemberValues::MOST;
            of_key.truncate(MemberValues::MOST);
            // The version rises with every change.
            of_key.sort_by_key(|(version, _)| *version);
            MemberValues { values: of_key.into_iter().map(|(_, value)| value).collect(), is_cut }
        };
        Ok(found.into_iter().map(values).collect())
    }

    async fn commit_and_claim(
        &self,
        turn: Arc<Turn>,
        claim: Option<ClaimRequest>,
        now: Timestamp,
    ) -> Result<Committed, StoreError> {
        // A commit with a claim holds the lock of the writer until the claim is on disk. Several at once would wait for each
        // other's disk, so the others claim afterwards, without that lock.
        let _under_way = Counted::new(&self.claiming, claim.is_some());
        let is_alone = self.claiming.load(Ordering::Relaxed) <= 1;
        let row = self.commit_once(&turn, claim.as_ref().filter(|_| is_alone), now).await?;
        if !row.get::<_, bool>(0) {
            return Ok(Committed::Conflict);
        }
        let claim = match &claim {
            Some(request) => {
                let found = match is_alone {
                    true => found(&row, 4, &request.chat)?,
                    false => self.claim_once(request, now).await?,
                };
                Some(Box::new(self.readable(found, request, now).await?))
            }
            None => None,
        };
        Ok(Committed::Done {
            more: row.get(1),
            chats: row.get::<_, Vec<String>>(2).into_iter().map(ChatId::new).collect(),
            next_timer: row.get::<_, Option<i64>>(3).map(Timestamp::from_millis),
            claim,
        })
    }

    async fn fire(&self, now: Timestamp) -> Result<(Vec<Lane>, Option<Timestamp>), StoreError> {
        let rows = self.quick(queries::FIRE, &[&now.as_millis()]).await?;
        let next = rows[0].get::<_, Option<i64>>(1).map(Timestamp::from_millis);
        Ok((lanes(rows[0].get(0)), next))
    }

    async fn claim(
        &self,
        chat: &ChatId,
        token: ClaimToken,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let request = ClaimRequest { chat: chat.clone(), token, until };
        let found = self.claim_once(&request, now).await?;
        self.readable(found, &request, now).await
    }

    async fn settle(
        &self,
        id: &ActionId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (kind, word, reason, message, at) = words(&outcome);
        let n = i32::try_from(id.n).map_err(unreadable)?;
        let (reason, message) = (reason.map(text), message.map(|message| text(message.as_str())));
        let parameters: [Parameter<'_>; 8] = [
            &text(id.event.as_str()),
            &n,
            &kind,
            &word,
            &reason,
            &message,
            &millis(at),
            &now.as_millis(),
        ];
        let rows = self.quick(queries::SETTLE, &parameters).await?;
        Ok(rows[0].get(0))
    }

    async fn recent_claims(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ChatId, Timestamp)>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.quick(queries::RECENT_CLAIMS, &[&since.as_millis(), &limit]).await?;
        let claim =
            |row: &Row| (ChatId::new(row.get::<_, String>(0)), Timestamp::from_millis(row.get(1)));
        Ok(rows.iter().map(claim).collect())
    }

    async fn tidy(&self, now: Timestamp) -> Result<bool, StoreError> {
        let Keep { log, seen } = self.keep;
        let texts = (log < SHORTEST_HISTORY).then(|| (now - log).as_millis());
        let days = now.as_millis().div_euclid(DAY) - DAYS;
        let parameters: [Parameter<'_>; 6] = [
            &texts,
            &(now - log.max(SHORTEST_HISTORY)).as_millis(),
            &(now - seen).as_millis(),
            &i32::try_from(days).unwrap_or(i32::MIN),
            &ROWS,
            &now.as_millis(),
        ];
        Ok(self.quick(queries::TIDY, &parameters).await?[0].get(0))
    }

    async fn forget(&self, person: &PersonId) -> Result<Forgotten, StoreError> {
        let person = text(person.as_str());
        let rows = self.durable(queries::FORGET, &[&person, &Binding::PREFIX]).await?;
        let number = |column| count(rows[0].get(column));
        Ok(Forgotten {
            events: number(0),
            actions: number(1),
            values: number(2),
            timers: number(3),
        })
    }

    async fn unbind(&self, name: &str) -> Result<Option<Binding>, StoreError> {
        let key = Binding::key(name);
        let rows = self.durable(queries::UNBIND, &[&text(&key)]).await?;
        let person: Option<String> = rows[0].get(0);
        Ok(person.and_then(|person| Binding::read(&key, &person)))
    }

    async fn lease_lost(&self) {
        if self.node.is_lost() {
            return;
        }
        let mut is_revoked = self.is_revoked.subscribe();
        tokio::select! {
            () = self.node.lost() => {}
            // The sender lives as long as this.
            _ = is_revoked.wait_for(|is_revoked| *is_revoked) => {}
        }
    }

    fn lease_left(&self) -> Option<Duration> {
        Some(self.node.certain())
    }

    async fn save_row(
        &self,
        id: &ActionId,
        file: &str,
        row: &[String],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let n = i32::try_from(id.n).map_err(unreadable)?;
        let cells: Vec<_> = row.iter().map(|cell| text(cell)).collect();
        let parameters: [Parameter<'_>; 5] =
            [&text(id.event.as_str()), &n, &text(file), &cells, &now.as_millis()];
        self.quick(queries::SAVE_ROW, &parameters).await?;
        Ok(true)
    }

    /// Gives the lease back, unless a node does; later calls are refused. All data survives a power failure then.
    async fn close(&self) -> Result<(), StoreError> {
        let last = if self.is_lent { queries::SYNC } else { queries::GIVE };
        match self.durable(last, &[]).await {
            // This store can change nothing now in any case.
            Ok(_) | Err(StoreError::Closed | StoreError::LeaseLost | StoreError::Recovered) => {}
            Err(error) => return Err(error),
        }
        self.is_closed.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for PostgresStore {
    /// Gives the lease back in the background, if the store was not closed, no node does, and a runtime is there to do so.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.is_lent || self.is_closed.load(Ordering::Relaxed) {
            return;
        }
        let (links, node) = (Arc::clone(&self.links), Arc::clone(&self.node));
        let (account, epoch) = (self.account, self.epoch);
        runtime.spawn(async move {
            let holder: &str = &node.id;
            let link = links.durable(account, "");
            // Its expiry frees it, too.
            if let Err(error) = link.query(queries::GIVE, &[&account, &holder, &epoch]).await {
                tracing::debug!(%error, "the lease could not be given back");
            }
        });
    }
}
