//! The fence, statement by statement: a call of the old holder and a takeover, in both orders. The same is tried in databases
//! whose functions have a mistake, and each mistake must be found.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Batch, Records, Store, StoreError, Stores};
use mynah_store_postgres::{PostgresStores, Settings, migrate};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::cluster::{Cluster, SILENCE, runtime, silence};
use crate::restarts::{NOW, batch};

/// A database with an account that a process holds which gives no sign any more.
pub(crate) struct Scene {
    admin: Client,
    /// Another connection, for the transaction that stops calls.
    gate: Client,
    pub(crate) old: Arc<dyn Store>,
    /// The processes that may take the account over.
    pub(crate) next: [PostgresStores; 2],
    // The old process, whose connections stay open.
    _stores: PostgresStores,
}

pub(crate) const ACCOUNT: &str = "main";

impl Scene {
    /// Makes the database, with these statements as the mistake.
    pub(crate) async fn new(cluster: &Cluster, database: &str, mistake: &str) -> Self {
        let create = format!("CREATE DATABASE {database}");
        cluster.admin("postgres").await.batch_execute(&create).await.unwrap();
        let settings = Settings::new(&cluster.address(database), None, None).unwrap();
        migrate(&settings).await.unwrap();
        let admin = cluster.admin(database).await;
        admin.batch_execute(mistake).await.unwrap();
        let stores = PostgresStores::new(settings.clone(), "old");
        let old = stores.open(ACCOUNT).await.unwrap();
        old.recover(NOW).await.unwrap();
        let scene = Self {
            admin,
            gate: cluster.admin(database).await,
            old,
            next: ["next", "third"].map(|name| PostgresStores::new(settings.clone(), name)),
            _stores: stores,
        };
        for (number, next) in scene.next.iter().enumerate() {
            // Connects and plans, so that the calls below have one statement left.
            let warm = next.open(&format!("warm {number}")).await.unwrap();
            warm.close().await.unwrap();
        }
        scene.admin.batch_execute(SILENCE).await.unwrap();
        silence(&scene.admin, ACCOUNT).await;
        scene
    }

    /// Waits until so many calls wait for a lock.
    pub(crate) async fn waiting(&self, number: i64) {
        let sql = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted";
        while self.admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < number {
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn gate(&self, sql: &str) {
        self.gate.batch_execute(sql).await.unwrap();
    }

    /// The name of the process that holds the account.
    async fn holder(&self) -> String {
        let sql = "SELECT n.name FROM mynah.lease l JOIN mynah.account a USING (account)
            JOIN mynah.node n ON n.id = l.holder WHERE a.name = 'main'";
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }
}

/// A batch whose acceptance is long: the record comes after the event.
pub(crate) fn long_batch() -> Batch {
    let records = Records::from([("cursor".to_owned(), "1".to_owned())]);
    Batch { records, ..batch("1") }
}

/// A takeover while a call of the old holder is in its middle: it waits for the call, so that it sees its effect.
async fn call_before_takeover(scene: &Scene) -> bool {
    scene.gate("BEGIN; LOCK TABLE mynah.record IN SHARE MODE").await;
    let call = scene.old.accept(long_batch(), NOW);
    let takeover = async {
        scene.waiting(1).await;
        let mut taken = std::pin::pin!(scene.next[0].open(ACCOUNT));
        // With a mistake it does not wait.
        let early = tokio::select! {
            () = scene.waiting(2) => None,
            taken = &mut taken => Some(taken),
        };
        let holder = scene.holder().await;
        scene.gate("COMMIT").await;
        let taken = match early {
            Some(taken) => taken,
            None => taken.await,
        };
        (taken.unwrap(), holder)
    };
    let (accepted, (new, holder_meanwhile)) = tokio::join!(call, takeover);
    let is_seen = !new.recover(NOW).await.unwrap().lanes.is_empty();
    holder_meanwhile == "old" && accepted.is_ok() && is_seen
}

/// A call of the old holder while a takeover is in its middle: it waits for the takeover and has no effect.
async fn takeover_before_call(scene: &Scene) -> bool {
    scene.gate("BEGIN; LOCK TABLE mynah.lease IN SHARE MODE").await;
    let takeover = scene.next[0].open(ACCOUNT);
    let call = async {
        scene.waiting(1).await;
        let call = scene.old.accept(long_batch(), NOW);
        let release = async {
            scene.waiting(2).await;
            scene.gate("COMMIT").await;
        };
        tokio::join!(call, release).0
    };
    let (new, accepted) = tokio::join!(takeover, call);
    let new = new.unwrap();
    let is_clean = new.recover(NOW).await.unwrap().lanes.is_empty();
    matches!(accepted, Err(StoreError::LeaseLost)) && is_clean
}

/// Two takeovers at once: one of them has the account, and the other one is refused.
async fn two_takeovers(scene: &Scene) -> bool {
    scene.gate("BEGIN; LOCK TABLE mynah.lease IN SHARE MODE").await;
    let release = async {
        scene.waiting(2).await;
        scene.gate("COMMIT").await;
    };
    let [one, two] = &scene.next;
    let (one, two, ()) = tokio::join!(one.open(ACCOUNT), two.open(ACCOUNT), release);
    let is_refused =
        |result: &Result<Arc<dyn Store>, _>| matches!(result, Err(StoreError::InUse { .. }));
    is_refused(&one) != is_refused(&two) && (one.is_ok() || two.is_ok())
}

/// A new definition of a function with a text replaced, in the database itself.
pub(crate) fn replace(function: &str, old: &str, new: &str) -> String {
    format!(
        "DO $do$ DECLARE v text := pg_get_functiondef('mynah.{function}'::regproc); BEGIN
            IF strpos(v, $a${old}$a$) = 0 THEN RAISE EXCEPTION 'the function has no such text'; END IF;
            EXECUTE replace(v, $a${old}$a$, $b${new}$b$); END $do$"
    )
}

const LOCK: &str = "v_none := pg_advisory_xact_lock_shared(1298030849, p_account);";
const LOOK: &str = "PERFORM 1 FROM mynah.holding WHERE account = p_account AND holder = p_holder AND epoch = p_epoch;";

/// Two calls that meet.
#[derive(Debug, Clone, Copy)]
enum Meeting {
    CallBeforeTakeover,
    TakeoverBeforeCall,
    TwoTakeovers,
}

use Meeting::{CallBeforeTakeover, TakeoverBeforeCall, TwoTakeovers};

/// The mistakes: a name, the statements that make it, and the meeting that finds it.
fn mistakes() -> [(&'static str, String, Meeting); 5] {
    let in_one = "PERFORM 1 FROM mynah.holding, (SELECT pg_advisory_xact_lock_shared(1298030849, p_account)) l
        WHERE account = p_account AND holder = p_holder AND epoch = p_epoch;";
    let both = format!("{}; {}", replace("fence_1", LOCK, ""), replace("fence_1", LOOK, in_one));
    let takes_lock = "PERFORM pg_advisory_xact_lock(1298030849, v_account);";
    let without_lock = replace("take_1", takes_lock, "");
    let without_epoch = replace("take_1", "AND l.epoch = v_lease.epoch", "");
    let without_both = format!("{without_lock}; {without_epoch}");
    [
        ("forgotten", replace("fence_1", LOOK, "PERFORM 1;"), TakeoverBeforeCall),
        ("in_one_statement", both, TakeoverBeforeCall),
        ("without_lock", replace("fence_1", LOCK, ""), CallBeforeTakeover),
        ("takeover_without_lock", without_lock, CallBeforeTakeover),
        ("takeover_without_epoch", without_both, TwoTakeovers),
    ]
}

/// Whether the calls have the right effect, in a database of its own.
async fn is_right(cluster: &Cluster, name: &str, mistake: &str, meeting: Meeting) -> bool {
    let scene = Scene::new(cluster, name, mistake).await;
    match meeting {
        CallBeforeTakeover => call_before_takeover(&scene).await,
        TakeoverBeforeCall => takeover_before_call(&scene).await,
        TwoTakeovers => two_takeovers(&scene).await,
    }
}

#[test]
fn a_takeover_and_a_call_do_not_overlap_and_each_mistake_is_found() {
    // A server of its own, since it looks at all locks.
    let Some(cluster) = Cluster::start() else { return };
    let story = async {
        for meeting in [CallBeforeTakeover, TakeoverBeforeCall, TwoTakeovers] {
            let name = format!("sound_{}", meeting as u8);
            assert!(is_right(&cluster, &name, "SELECT 1", meeting).await, "{meeting:?}");
        }
        for (name, mistake, meeting) in mistakes() {
            let is_right = is_right(&cluster, name, &mistake, meeting).await;
            assert!(!is_right, "the mistake {name} is not found");
        }
    };
    let in_time = async { timeout(Duration::from_secs(120), story).await };
    runtime().block_on(in_time).expect("it takes too long");
}
