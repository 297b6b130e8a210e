//! This process among the others: a row with an expiry that it renews, and a lock that its control connection holds.
//!
//! The row decides. The lock only shows others early that the process has ended: it is free then, and stays held by a
//! process that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use mynah_core::{Clock, StoreError, SystemClock, Timestamp, with_causes};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::arguments::whole_millis;
use crate::boot_time::boot_time;
use crate::error::{failed, unreachable};
use crate::link::{LONGEST, Links};

/// A row of a node that does not share accounts is good for this long.
pub(crate) const TTL: Duration = Duration::from_secs(6);

/// Beats are at most this far apart, so that a process that has ended is distinguished early from one that comes back after the loss
/// of a connection.
const LONGEST_BEAT: Duration = Duration::from_millis(250);

/// A process whose connection has ended can count on its accounts for this long after its next beat was due. Shorter than
/// the pause of `ends_at_1`, since it gives its requests up then.
const CERTAIN: Duration = Duration::from_millis(450);

/// Between two tries of a heartbeat that failed.
const AGAIN: Duration = Duration::from_millis(100);

const ID_SQL: &str =
    "SELECT gen_random_uuid()::text, (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const BEAT_SQL: &str = "SELECT mynah.beat_1($1::text::uuid, $2, $3, $4, $5)";
const MARK_SQL: &str = "SELECT mynah.mark_1($1, $2)";

/// A clock that differs more from that of the server is reported.
const CLOCKS: Duration = Duration::from_secs(5);

/// How a node lives.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// For people to read.
    pub(crate) name: String,
    /// How long its row is good for. It is renewed at least three times as often.
    pub(crate) ttl: Duration,
    /// Whether it ends when it could not renew its row in time. Others may have taken its accounts then.
    pub(crate) expires: bool,
    /// Whether its connection holds its lock. Without, others take it for ended.
    pub(crate) locks: bool,
}

impl Life {
    /// A sign of life comes this often. `next_beat_1` computes the same.
    pub(crate) fn beat(&self) -> Duration {
        LONGEST_BEAT.min(self.ttl / 3)
    }
}

/// One incarnation of this process. Ends with it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: Arc<str>,
    links: Arc<Links>,
    lease: Arc<Lease>,
    beats: AbortHandle,
}

impl Node {
    /// Registers a new incarnation and keeps its row alive.
    pub(crate) async fn start(links: Arc<Links>, life: Life) -> Result<Self, StoreError> {
        links.are_sessions().await?;
        let before = SystemClock.now();
        let rows = links.control.query(ID_SQL, &[]).await?;
        compare_clocks(before, Timestamp::from_millis(rows[0].get(1)), SystemClock.now());
        let id: Arc<str> = rows[0].get::<_, String>(0).into();
        let asked = Asked::now(&links);
        if beat(&links, &id, &life).await?.is_none() {
            return Err(StoreError::LeaseLost);
        }
        let lease = Arc::new(Lease::new(&life, asked));
        let (keeps, of) = (Arc::clone(&links), Arc::clone(&lease));
        let keeper = Keeper { links: keeps, id: Arc::clone(&id), life, lease: of };
        let beats = tokio::spawn(keeper.run()).abort_handle();
        Ok(Self { id, links, lease, beats })
    }

    /// Whether the row has expired by the clock of this machine, so that others may have taken its accounts.
    pub(crate) fn is_lost(&self) -> bool {
        self.lease.is_lost()
    }

    /// Returns when the row has expired. Never, if this node does not end then.
    pub(crate) async fn lost(&self) {
        self.lease.lost().await;
    }

    /// How long the row is good for. When nothing is left, others may take its accounts.
    pub(crate) fn left(&self) -> Duration {
        self.lease.left()
    }

    /// How long it is certain that no other process takes its accounts. Others take it for ended early if its connection
    /// has ended, although it lives.
    pub(crate) fn certain(&self) -> Duration {
        self.lease.certain(self.links.control.ended())
    }

    /// Returns when the row has been renewed since the last end of the connection and is good, or has ended this node. What is begun
    /// before would have to be given up soon, if the renewal takes longer.
    pub(crate) async fn renewed(&self) {
        loop {
            let renewal = self.lease.renewed.notified();
            if self.lease.is_renewed(self.links.control.ended()) || self.is_lost() {
                return;
            }
            tokio::select! {
                () = renewal => {}
                () = self.lost() => {}
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

/// A moment at which a node asks for its row to be renewed.
#[derive(Clone, Copy)]
struct Asked {
    /// Since the start of the machine.
    at: Duration,
    /// The number of control connections that had ended before.
    ended: u64,
}

impl Asked {
    fn now(links: &Links) -> Self {
        Self { at: boot_time(), ended: links.control.ended() }
    }
}

/// Until when the row of a node is good, by the clock of this machine: from the moment at which it asked.
#[derive(Debug)]
struct Lease {
    /// In milliseconds since the start of the machine.
    until: AtomicI64,
    /// The same, if the control connection has ended since.
    certain: AtomicI64,
    /// The number of control connections that had ended before it asked.
    ended: AtomicU64,
    /// Whether the node ends then.
    expires: bool,
    is_lost: watch::Sender<bool>,
    renewed: Notify,
}

impl Lease {
    fn new(life: &Life, asked: Asked) -> Self {
        let lease = Self {
            until: AtomicI64::default(),
            certain: AtomicI64::default(),
            ended: AtomicU64::default(),
            expires: life.expires,
            is_lost: watch::Sender::new(false),
            renewed: Notify::new(),
        };
        lease.renew(life, asked);
        lease
    }

    fn renew(&self, life: &Life, Asked { at, ended }: Asked) {
        self.until.store(whole_millis(at + life.ttl), Ordering::Release);
        self.certain.store(whole_millis(at + life.beat() + CERTAIN), Ordering::Release);
        self.ended.store(ended, Ordering::Release);
        self.renewed.notify_waiters();
    }

    /// Whether it was renewed since so many control connections have ended, and is good.
    fn is_renewed(&self, ended: u64) -> bool {
        self.ended.load(Ordering::Acquire) == ended && !self.left().is_zero()
    }

    fn end(&self) {
        self.is_lost.send_replace(true);
    }

    fn left(&self) -> Duration {
        left_until(&self.until)
    }

    /// What is left, if so many control connections have ended by now.
    fn certain(&self, ended: u64) -> Duration {
        match self.ended.load(Ordering::Acquire) == ended {
            true => self.left(),
            false => self.left().min(left_until(&self.certain)),
        }
    }

    /// How long the node lives without another sign.
    fn life_left(&self) -> Duration {
        if self.expires { self.left() } else { Duration::MAX }
    }

    fn is_lost(&self) -> bool {
        if *self.is_lost.borrow() {
            return true;
        }
        let is_over = self.life_left().is_zero();
        if is_over {
            self.end();
        }
        is_over
    }

    async fn lost(&self) {
        let mut is_lost = self.is_lost.subscribe();
        // The sender lives as long as this.
        drop(is_lost.wait_for(|is_lost| *is_lost).await);
    }
}

fn left_until(moment: &AtomicI64) -> Duration {
    let left = moment.load(Ordering::Acquire).saturating_sub(whole_millis(boot_time()));
    Duration::from_millis(left.try_into().unwrap_or(0))
}

/// Renews the row of a node.
struct Keeper {
    links: Arc<Links>,
    id: Arc<str>,
    life: Life,
    lease: Arc<Lease>,
}

impl Keeper {
    async fn run(self) {
        let mut is_fine = true;
        while !self.wait(is_fine).await {
            is_fine = self.renew(is_fine).await;
        }
        let Self { links, life, .. } = self;
        tracing::warn!(
            node = life.name,
            "the node gave the database {} no sign for {:?} and has lost its accounts",
            links.control.place(),
            life.ttl
        );
    }

    /// Waits for the next beat, or for the end of the control connection. Returns whether the row expired meanwhile.
    async fn wait(&self, is_fine: bool) -> bool {
        let left = self.lease.life_left();
        if is_fine {
            tokio::select! {
                () = sleep(self.life.beat().min(left)) => {}
                () = self.links.control.closed() => {}
            }
        } else {
            sleep(AGAIN.min(left)).await;
        }
        self.lease.is_lost()
    }

    /// One try to renew the row. Returns whether it was renewed. Of several failures in a row the first is a warning.
    async fn renew(&self, was_fine: bool) -> bool {
        let asked = Asked::now(&self.links);
        let left = self.lease.life_left();
        match timeout(left, beat(&self.links, &self.id, &self.life)).await {
            Ok(Ok(Some(_))) => {
                self.lease.renew(&self.life, asked);
                return true;
            }
            // It has expired for the others.
            Ok(Ok(None)) => self.lease.end(),
            Ok(Err(error)) if was_fine => {
                tracing::warn!(
                    error = with_causes(&error),
                    "failed to give a sign of life; trying again"
                );
            }
            Ok(Err(error)) => tracing::debug!(%error, "failed to give a sign of life"),
            // It is lost by now.
            Err(_) => {}
        }
        false
    }
}

/// Warns if the clock of this machine is wrong: the server answered between the two moments.
fn compare_clocks(before: Timestamp, server: Timestamp, after: Timestamp) {
    let (least, most) =
        (before.as_millis() - server.as_millis(), after.as_millis() - server.as_millis());
    if least > whole_millis(CLOCKS) || most < -whole_millis(CLOCKS) {
        tracing::warn!(
            seconds = least / 1000,
            "the clock of this machine is ahead of that of the database by so many seconds: set both by time servers, \
             else timers fire at a wrong time and replies wait or expire when another node takes an account"
        );
    }
}

/// Renews the row, and takes the lock if the connection is new. Returns the number of the node; `None` if it has expired.
async fn beat(links: &Links, id: &str, life: &Life) -> Result<Option<i32>, StoreError> {
    let ttl = whole_millis(life.ttl);
    let version = env!("CARGO_PKG_VERSION");
    let rows =
        links.control.query(BEAT_SQL, &[&id, &life.name, &version, &ttl, &life.expires]).await?;
    let Some(number) = rows[0].get::<_, Option<i32>>(0) else { return Ok(None) };
    let failed = |error| failed(error, links.control.place());
    let session = links.control.session().await.map_err(failed)?;
    if session.mark(number) {
        let entered = async {
            session.execute("LISTEN mynah").await?;
            session.query(MARK_SQL, &[&number, &life.locks]).await
        };
        let outcome = match timeout(LONGEST, entered).await {
            Ok(entered) => entered.map_err(failed),
            Err(elapsed) => Err(unreachable(links.control.place(), elapsed)),
        };
        if let Err(error) = outcome {
            // It counts as marked. The next one is marked anew.
            links.control.drop_session().await;
            return Err(error);
        }
    }
    Ok(Some(number))
}
