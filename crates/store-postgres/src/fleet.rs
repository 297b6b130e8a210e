//! This process as a node that shares the accounts of the database with others. The functions in `schema/fleet.sql` decide;
//! this keeps the accounts that were handed out to the caller.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Assignment, Fleet, Live, LiveRow, NodeInfo, Order, OrderEnd, Overview, Rate, StoreError, Taken,
    Timestamp,
};
use tokio::sync::{RwLock, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::Row;

use crate::arguments::{text, whole_millis as millis};
use crate::error::unreadable;
use crate::link::{Link, Links};
use crate::node::{Life, Node};
use crate::stores::Keeps;
use crate::{PostgresStore, schema};

/// The most accounts that one look takes, so that it is short.
const MOST: i32 = 100;

/// The shortest TTL: a beat must be longer than a call takes.
const SHORTEST_TTL: Duration = Duration::from_millis(500);

/// Looks and glances are at most this far apart, so that a late sign of another node is seen early. The one that sees it says
/// when the next one can find out more.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Looks are at most this far apart. In between, glances find no work.
const LONGEST_REST: Duration = Duration::from_secs(3);

/// The pause before a look that finds the accounts that the last one had to leave.
const SOON: Duration = Duration::from_millis(100);

/// How long the answer to an order that was taken is waited for after the order has expired.
const ANSWER: Duration = Duration::from_secs(30);

/// The content of the last row of a look: the sum of these.
const DRAINING: i64 = 1;
const MORE: i64 = 2;
const EXPIRED: i64 = 4;

const JOIN: &str = "SELECT mynah.join_1($1::text::uuid, $2, $3, $4, $5, $6)";
const LOOK: &str = "SELECT * FROM mynah.look_1($1::text::uuid, $2, $3)";
const GLANCE: &str = "SELECT * FROM mynah.glance_1($1::text::uuid)";
const LOGIN: &str = "SELECT mynah.login_1($1, $2, $3)";
const GIVE: &str = "SELECT mynah.give_back_1($1::text::uuid, $2, $3)";
const DRAIN: &str = "SELECT mynah.drain_1($1::text::uuid)";
const LEAVE: &str = "SELECT mynah.leave_1($1::text::uuid)";
const PUBLISH: &str = "SELECT mynah.publish_1($1::text::uuid, $2, $3)";
const LIVE: &str = "SELECT * FROM mynah.live_1()";
const OVERVIEW: &str = "SELECT mynah.overview_1()";
const ORDER: &str = "SELECT mynah.order_1($1::text::uuid, $2, $3, $4, $5)";
const ORDERS: &str = "SELECT * FROM mynah.orders_1($1::text::uuid, $2)";
const ANSWER_ORDER: &str = "SELECT mynah.answer_1($1::text::uuid, $2::text::uuid, $3, $4)";
const ORDER_STATE: &str = "SELECT * FROM mynah.order_state_1($1::text::uuid, $2)";
const DRAIN_NODE: &str = "SELECT mynah.drain_node_1($1)";
const MOVE: &str = "SELECT mynah.move_1($1, $2)";
const RESTORED: &str = "SELECT mynah.restored_1()";
const NEW_ID: &str = "SELECT gen_random_uuid()::text";

/// The part of this process in sharing the accounts of a database.
#[derive(Debug)]
pub(crate) struct PostgresFleet {
    links: Arc<Links>,
    keep: Arc<Keeps>,
    /// Changed by looks. Other calls share it, and so run at the same time.
    member: RwLock<Option<Member>>,
    /// The accounts that were handed out and not given back: the number of the lease, and how to revoke the store.
    held: SyncMutex<HashMap<String, Held>>,
    /// The number of notifications before the last look.
    seen: AtomicU64,
    due: SyncMutex<Due>,
    /// The number of the next batch of orders.
    next_batch: AtomicU64,
}

/// The times of the next glance and the next look, unless a notification comes before.
#[derive(Debug, Clone, Copy)]
struct Due {
    glance: Instant,
    look: Instant,
}

#[derive(Debug)]
struct Held {
    epoch: i64,
    is_revoked: watch::Sender<bool>,
}

/// This node after it has joined.
#[derive(Debug)]
struct Member {
    info: NodeInfo,
    node: Arc<Node>,
    is_draining: bool,
    /// When the next account may resume its session.
    next_start: Instant,
}

/// A row of a look.
struct Found {
    account: i32,
    name: String,
    epoch: i64,
    giving: bool,
    fresh: bool,
    last_node: Option<String>,
}

impl PostgresFleet {
    pub(crate) fn new(links: Arc<Links>, keep: Arc<Keeps>) -> Self {
        Self {
            links,
            keep,
            member: RwLock::new(None),
            held: SyncMutex::default(),
            seen: AtomicU64::new(0),
            due: SyncMutex::new(Due { glance: Instant::now(), look: Instant::now() }),
            next_batch: AtomicU64::new(0),
        }
    }

    fn control(&self) -> &Link {
        &self.links.control
    }

    /// The connection for calls of operators, if this program can work with the tables.
    async fn operator(&self) -> Result<&Link, StoreError> {
        let link = self.links.reading();
        schema::check(link).await?;
        Ok(link)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a new incarnation of this node, if this program can work with the tables.
    async fn enter(&self, info: NodeInfo, is_draining: bool) -> Result<Member, StoreError> {
        schema::check(self.control()).await?;
        let name = text(&info.name).into_owned();
        let life = Life { name, ttl: info.ttl, expires: true, locks: true };
        let node = Arc::new(Node::start(Arc::clone(&self.links), life).await?);
        let member = Member { info, node, is_draining, next_start: Instant::now() };
        self.describe(&member).await?;
        Ok(member)
    }

    /// Stores the description of a node by itself.
    async fn describe(&self, member: &Member) -> Result<(), StoreError> {
        let Member { info, node, is_draining, .. } = member;
        let accounts: Vec<_> = info.accounts.iter().map(|account| text(account)).collect();
        let leave: Option<i64> = info.leave_zone_after.map(millis);
        let weight = i32::try_from(info.weight).unwrap_or(i32::MAX);
        let node: &str = &node.id;
        let rows = self
            .control()
            .query(JOIN, &[&node, &text(&info.name), &text(&info.zone), &leave, &weight, &accounts])
            .await?;
        if !rows[0].get::<_, bool>(0) {
            return Err(StoreError::LeaseLost);
        }
        if *is_draining {
            self.control().query(DRAIN, &[&node]).await?;
        }
        Ok(())
    }

    /// Gives the accounts back if the tables need a newer program by now: this one would not understand them.
    async fn drain_if_too_old(&self, member: &mut Member) -> Result<(), StoreError> {
        if member.is_draining || member.node.is_lost() {
            return Ok(());
        }
        match schema::check(self.control()).await {
            Err(error @ StoreError::Newer { .. }) => {
                tracing::error!(
                    remedy = error.remedy(),
                    "{error}: this node gives its accounts back"
                );
                let node: &str = &member.node.id;
                self.control().query(DRAIN, &[&node]).await?;
                member.is_draining = true;
                Ok(())
            }
            checked => checked,
        }
    }

    /// One look of this incarnation: the rows of the accounts that it holds, and the content of the last row.
    async fn found(&self, node: &Node) -> Result<(Vec<Found>, i64), StoreError> {
        let not: Vec<String> = self.held().keys().cloned().collect();
        let id: &str = &node.id;
        let rows = self.control().query(LOOK, &[&id, &MOST, &not]).await?;
        let Some((last, rows)) = rows.split_last() else { return Ok((Vec::new(), EXPIRED)) };
        let says = last.get(2);
        self.look_again_in(if says & MORE != 0 { Some(SOON) } else { wait(last.get(6)) });
        Ok((rows.iter().map(Found::read).collect(), says))
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the next glance forward.
    fn look_again_in(&self, wait: Option<Duration>) {
        let Some(wait) = wait else { return };
        let mut due = self.due();
        due.glance = due.glance.min(Instant::now() + wait);
    }

    /// The next glance and the next look come after their longest pauses, unless something is seen before.
    fn begin_look(&self, ttl: Duration) {
        self.seen.store(self.control().news().borrow().notified, Ordering::Relaxed);
        let now = Instant::now();
        let glance = now + LONGEST_PAUSE.min(ttl / 3);
        *self.due() = Due { glance, look: now + LONGEST_REST.min(ttl) };
    }

    /// Whether a look may find something to do.
    async fn glance(&self) -> Result<bool, StoreError> {
        let member = self.member.read().await;
        let member = member.as_ref().ok_or_else(not_joined)?;
        let node: &str = &member.node.id;
        self.due().glance = Instant::now() + LONGEST_PAUSE.min(member.info.ttl / 3);
        let rows = self.control().query(GLANCE, &[&node]).await?;
        self.look_again_in(wait(rows[0].get(1)));
        Ok(rows[0].get(0))
    }

    /// Hands out an account that this node holds.
    fn hand_out(&self, member: &Member, found: Found, wait: Duration) -> Taken {
        let Found { account, name, epoch, last_node, .. } = found;
        let keep = self.keep.of(&name);
        let lease = (account, epoch);
        let links = Arc::clone(&self.links);
        let store = PostgresStore::new(links, Arc::clone(&member.node), lease, keep).lent();
        let held = Held { epoch, is_revoked: store.is_revoked() };
        self.held().insert(name.clone(), held);
        Taken { account: name, store: Arc::new(store), wait, last_node }
    }

    /// The accounts that were handed out and that this node does not hold any more. Their stores say so from now on.
    fn revoked(&self, rows: &[Found]) -> Vec<String> {
        let epochs: HashMap<&str, i64> =
            rows.iter().map(|row| (row.name.as_str(), row.epoch)).collect();
        let holds = |name: &str, held: &Held| epochs.get(name) == Some(&held.epoch);
        let held = self.held();
        let gone = held.iter().filter(|(name, held)| !holds(name, held));
        gone.map(|(name, held)| {
            held.is_revoked.send_replace(true);
            name.clone()
        })
        .collect()
    }

    /// How long the accounts without a session wait before they log in, so that a zone does not log in too many at once.
    async fn login_wait(&self, info: &NodeInfo, number: usize) -> Result<Duration, StoreError> {
        if number == 0 {
            return Ok(Duration::ZERO);
        }
        let (each, number) = (millis(each(info.logins)), i32::try_from(number).unwrap_or(i32::MAX));
        let rows = self.control().query(LOGIN, &[&text(&info.zone), &number, &each]).await?;
        Ok(Duration::from_millis(rows[0].get::<_, i64>(0).try_into().unwrap_or_default()))
    }

    /// Hands out the new ones of these accounts, each with the time that it waits.
    async fn take(&self, member: &mut Member, new: Vec<Found>) -> Result<Vec<Taken>, StoreError> {
        let number = new.iter().filter(|found| found.fresh).count();
        let mut login = self.login_wait(&member.info, number).await?;
        let mut taken = Vec::with_capacity(new.len());
        for found in new {
            let wait = if found.fresh {
                let wait = login;
                login += each(member.info.logins);
                wait
            } else {
                let now = Instant::now();
                let at = member.next_start.max(now);
                member.next_start = at + each(member.info.starts);
                at - now
            };
            taken.push(self.hand_out(member, found, wait));
        }
        Ok(taken)
    }

    async fn end(&self, account: &str, reason: Option<&str>) -> Result<(), StoreError> {
        let is_gone = self.held().get(account).is_some_and(|held| *held.is_revoked.borrow());
        if is_gone && reason.is_none() {
            // The last look found that the lease is another one's by now.
            self.held().remove(account);
            return Ok(());
        }
        // A look that comes in between would give out again what is on its way back.
        let member = self.member.read().await;
        let node: &str = &member.as_ref().ok_or_else(not_joined)?.node.id;
        let parameters: [crate::link::Parameter<'_>; 3] =
            [&node, &text(account), &reason.map(text)];
        self.control().query(GIVE, &parameters).await?;
        self.held().remove(account);
        Ok(())
    }

    /// The id of this incarnation.
    async fn id(&self) -> Result<Arc<str>, StoreError> {
        let member = self.member.read().await;
        Ok(Arc::clone(&member.as_ref().ok_or_else(not_joined)?.node.id))
    }
}

impl Found {
    fn read(row: &Row) -> Self {
        Self {
            account: row.get(0),
            name: row.get(1),
            epoch: row.get(2),
            giving: row.get(3),
            fresh: row.get(4),
            last_node: row.get(5),
        }
    }
}

/// The time of one of a rate.
fn each(rate: Rate) -> Duration {
    rate.per / rate.count.max(1)
}

/// The time after which a look is worth it, if there is one.
fn wait(millis: Option<i64>) -> Option<Duration> {
    // The clock of the server must have passed the moment.
    millis.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0) + 1))
}

fn not_joined() -> StoreError {
    StoreError::Unsupported { instead: "the node must join first" }
}

fn no_account() -> StoreError {
    StoreError::Unsupported { instead: "no account of the database has this name" }
}

#[async_trait]
impl Fleet for PostgresFleet {
    async fn join(&self, info: NodeInfo) -> Result<(), StoreError> {
        if info.weight == 0 || info.ttl < SHORTEST_TTL {
            let instead = "give the node a weight of at least 1 and a TTL of at least 500 ms";
            return Err(StoreError::Unsupported { instead });
        }
        let mut member = self.member.write().await;
        match member.as_mut() {
            Some(known) if !known.node.is_lost() && known.info.ttl == info.ttl => {
                (known.info, known.is_draining) = (info, false);
                self.describe(known).await
            }
            _ => {
                *member = Some(loop {
                    match self.enter(info.clone(), false).await {
                        // The server was away for longer than the TTL in between.
                        Err(StoreError::LeaseLost) => {}
                        entered => break entered?,
                    }
                });
                Ok(())
            }
        }
    }

    async fn look(&self) -> Result<Assignment, StoreError> {
        let mut member = self.member.write().await;
        let member = member.as_mut().ok_or_else(not_joined)?;
        self.begin_look(member.info.ttl);
        self.drain_if_too_old(member).await?;
        let (mut rows, mut says) = (Vec::new(), EXPIRED);
        if !member.node.is_lost() {
            (rows, says) = self.found(&member.node).await?;
        }
        if says & EXPIRED != 0 {
            *member = self.enter(member.info.clone(), member.is_draining).await?;
            (rows, says) = self.found(&member.node).await?;
        }
        member.is_draining = says & DRAINING != 0;
        let mut give = self.revoked(&rows);
        let is_known = |row: &Found| self.held().contains_key(&row.name);
        let (known, new): (Vec<Found>, Vec<Found>) = rows.into_iter().partition(is_known);
        give.extend(known.into_iter().filter(|row| row.giving).map(|row| row.name));
        give.sort();
        give.dedup();
        let (unwanted, new): (Vec<Found>, Vec<Found>) = new.into_iter().partition(|row| row.giving);
        for row in unwanted {
            // Taken by a look whose answer was lost, and asked back since.
            let (node, no_reason): (&str, Option<&str>) = (&member.node.id, None);
            self.control().query(GIVE, &[&node, &row.name, &no_reason]).await?;
        }
        let take = self.take(member, new).await?;
        Ok(Assignment { take, give, is_draining: member.is_draining })
    }

    async fn give(&self, account: &str) -> Result<(), StoreError> {
        self.end(account, None).await
    }

    async fn poison(&self, account: &str, reason: &str) -> Result<(), StoreError> {
        self.end(account, Some(reason)).await
    }

    async fn drain(&self) -> Result<(), StoreError> {
        let mut member = self.member.write().await;
        let member = member.as_mut().ok_or_else(not_joined)?;
        let node: &str = &member.node.id;
        self.control().query(DRAIN, &[&node]).await?;
        member.is_draining = true;
        Ok(())
    }

    async fn leave(&self) -> Result<(), StoreError> {
        let mut member = self.member.write().await;
        let Some(left) = member.as_ref() else { return Ok(()) };
        let node: &str = &left.node.id;
        self.control().query(LEAVE, &[&node]).await?;
        *member = None;
        self.held().clear();
        Ok(())
    }

    async fn changed(&self) {
        let seen = self.seen.load(Ordering::Relaxed);
        let mut news = self.control().news();
        loop {
            let Due { glance, look } = *self.due();
            let notified = news.wait_for(|news| news.notified != seen);
            if timeout_at(glance.min(look), notified).await.is_ok() || look <= Instant::now() {
                return;
            }
            // A failure is one of the look as well, which reports it.
            if self.glance().await.unwrap_or(true) {
                return;
            }
        }
    }

    async fn publish(&self, rows: Vec<LiveRow>) -> Result<(), StoreError> {
        let node = self.id().await?;
        let node: &str = &node;
        let accounts: Vec<_> = rows.iter().map(|row| text(&row.account)).collect();
        let bodies: Vec<_> = rows.iter().map(|row| text(&row.body)).collect();
        self.control().query(PUBLISH, &[&node, &accounts, &bodies]).await?;
        Ok(())
    }

    async fn orders(&self) -> Result<Vec<Order>, StoreError> {
        let node = self.id().await?;
        let node: &str = &node;
        // The same for each try of this call, so that an answer that is lost comes again.
        let batch = format!("{node} {}", self.next_batch.fetch_add(1, Ordering::Relaxed));
        let rows = self.control().query(ORDERS, &[&node, &batch]).await?;
        let order = |row: &Row| Order {
            id: row.get(0),
            account: row.get(1),
            body: row.get(2),
            by: row.get(3),
        };
        Ok(rows.iter().map(order).collect())
    }

    async fn answer(&self, order: &str, is_done: bool, answer: &str) -> Result<(), StoreError> {
        let node = self.id().await?;
        let node: &str = &node;
        self.control().query(ANSWER_ORDER, &[&node, &order, &is_done, &text(answer)]).await?;
        Ok(())
    }

    async fn overview(&self) -> Result<Overview, StoreError> {
        let rows = self.operator().await?.query(OVERVIEW, &[]).await?;
        serde_json::from_str(rows[0].get(0)).map_err(unreadable)
    }

    async fn live(&self) -> Result<Vec<Live>, StoreError> {
        let rows = self.operator().await?.query(LIVE, &[]).await?;
        let live = |row: &Row| Live {
            account: row.get(0),
            node: row.get(1),
            is_current: row.get(2),
            at: Timestamp::from_millis(row.get(3)),
            body: row.get(4),
        };
        Ok(rows.iter().map(live).collect())
    }

    async fn order(
        &self,
        account: &str,
        body: &str,
        by: &str,
        within: Duration,
    ) -> Result<String, StoreError> {
        let link = self.operator().await?;
        let id: String = link.query(NEW_ID, &[]).await?[0].get(0);
        let within = millis(within);
        let rows =
            link.query(ORDER, &[&id, &text(account), &text(body), &text(by), &within]).await?;
        if rows[0].get(0) { Ok(id) } else { Err(no_account()) }
    }

    async fn wait_for(&self, order: &str) -> Result<OrderEnd, StoreError> {
        let link = self.operator().await?;
        let mut news = self.control().news();
        loop {
            let rows = link.query(ORDER_STATE, &[&order, &millis(ANSWER)]).await?;
            let row = &rows[0];
            let node = row.get(3);
            match row.get::<_, i32>(0) {
                0 => return Ok(OrderEnd::Missing),
                1 => {}
                2 => {
                    let (is_done, text) = (row.get(1), row.get(2));
                    return Ok(OrderEnd::Answered { is_done, text, node });
                }
                3 => return Ok(OrderEnd::NotTaken),
                _ => return Ok(OrderEnd::Unknown { node }),
            }
            // A process that has not joined gets no notifications.
            tokio::select! {
                _ = news.changed() => {}
                () = sleep(SOON) => {}
            }
        }
    }

    async fn drain_node(&self, node: &str) -> Result<u64, StoreError> {
        let rows = self.operator().await?.query(DRAIN_NODE, &[&text(node)]).await?;
        Ok(rows[0].get::<_, i64>(0).unsigned_abs())
    }

    async fn move_account(&self, account: &str, node: &str) -> Result<(), StoreError> {
        let rows = self.operator().await?.query(MOVE, &[&text(account), &text(node)]).await?;
        match rows[0].get::<_, i32>(0) {
            0 => Err(no_account()),
            1 => {
                let instead =
                    "no live node of this name can run the account; see `mynah fleet status`";
                Err(StoreError::Unsupported { instead })
            }
            _ => Ok(()),
        }
    }

    async fn restored(&self) -> Result<u64, StoreError> {
        let rows = self.operator().await?.query(RESTORED, &[]).await?;
        Ok(rows[0].get::<_, i64>(0).unsigned_abs())
    }
}
