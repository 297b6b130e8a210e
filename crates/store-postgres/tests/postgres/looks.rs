//! Looks of nodes that share accounts, statement by statement beside calls of the old holder, as in [`crate::fence`].

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Assignment, Fleet, NodeInfo, StoreError, Stores};
use tokio::time::timeout;

use crate::cluster::{Cluster, runtime};
use crate::fence::{ACCOUNT, Scene, long_batch, replace};
use crate::restarts::NOW;

/// A scene with two nodes that may take the account.
async fn scene(cluster: &Cluster, database: &str, mistake: &str) -> (Scene, [Arc<dyn Fleet>; 2]) {
    // The first beat of a node, in which it takes no accounts of others, is over at once.
    let over = "ALTER TABLE mynah.node ALTER joined SET DEFAULT now() - interval '1 hour'";
    let scene = Scene::new(cluster, database, &format!("{over}; {mistake}")).await;
    let [one, two] = &scene.next;
    let fleets = [one.fleet().unwrap(), two.fleet().unwrap()];
    for (fleet, name) in fleets.iter().zip(["next", "third"]) {
        let info = NodeInfo::new(name, vec![ACCOUNT.to_owned()]);
        fleet.join(NodeInfo { ttl: Duration::from_secs(60), ..info }).await.unwrap();
    }
    (scene, fleets)
}

/// Locks the row that a look writes last.
const LAST_ROW: &str = "BEGIN; SELECT 1 FROM mynah.holding FOR UPDATE";

/// A look while a call of the old holder is in its middle: it leaves the account for the next look.
async fn call_before_look(scene: &Scene, [fleet, _]: &[Arc<dyn Fleet>; 2]) -> bool {
    scene.gate("BEGIN; LOCK TABLE mynah.record IN SHARE MODE").await;
    let call = scene.old.accept(long_batch(), NOW);
    let looking = async {
        scene.waiting(1).await;
        let look = fleet.look().await.unwrap();
        scene.gate("COMMIT").await;
        look
    };
    let (accepted, early) = tokio::join!(call, looking);
    let late = fleet.look().await.unwrap();
    let [taken] = late.take.as_slice() else { return false };
    let is_seen = !taken.store.recover(NOW).await.unwrap().lanes.is_empty();
    accepted.is_ok() && early.take.is_empty() && is_seen
}

/// A call of the old holder while a look is in its middle: it waits for the look and has no effect.
async fn look_before_call(scene: &Scene, [fleet, _]: &[Arc<dyn Fleet>; 2]) -> bool {
    scene.gate(LAST_ROW).await;
    let call = async {
        scene.waiting(1).await;
        let mut call = std::pin::pin!(scene.old.accept(long_batch(), NOW));
        // With a mistake it does not wait.
        let early = tokio::select! {
            () = scene.waiting(2) => None,
            accepted = &mut call => Some(accepted),
        };
        scene.gate("COMMIT").await;
        match early {
            Some(accepted) => accepted,
            None => call.await,
        }
    };
    let (look, accepted) = tokio::join!(fleet.look(), call);
    look.unwrap().take.len() == 1 && matches!(accepted, Err(StoreError::LeaseLost))
}

/// Two looks at once: one of them has the account.
async fn two_looks(scene: &Scene, [one, two]: &[Arc<dyn Fleet>; 2]) -> bool {
    scene.gate(LAST_ROW).await;
    let second = async {
        scene.waiting(1).await;
        let mut second = std::pin::pin!(two.look());
        // Without a mistake it does not wait for the first one.
        let early = tokio::select! {
            () = scene.waiting(2) => None,
            look = &mut second => Some(look),
        };
        scene.gate("COMMIT").await;
        match early {
            Some(look) => look,
            None => second.await,
        }
    };
    let (first, second) = tokio::join!(one.look(), second);
    let took = |look: &Assignment| look.take.len();
    took(&first.unwrap()) + took(&second.unwrap()) == 1
}

/// A node gives an account back while a call of its store is in its middle: the call is over before the account is free.
async fn call_before_give(scene: &Scene, [fleet, _]: &[Arc<dyn Fleet>; 2]) -> bool {
    let look = fleet.look().await.unwrap();
    let store = &look.take[0].store;
    store.recover(NOW).await.unwrap();
    scene.gate("BEGIN; LOCK TABLE mynah.record IN SHARE MODE").await;
    let call = store.accept(long_batch(), NOW);
    let giving = async {
        scene.waiting(1).await;
        let mut giving = std::pin::pin!(fleet.give(ACCOUNT));
        let early = tokio::select! {
            () = scene.waiting(2) => false,
            _ = &mut giving => true,
        };
        scene.gate("COMMIT").await;
        if !early {
            giving.await.unwrap();
        }
        early
    };
    let (accepted, is_early) = tokio::join!(call, giving);
    accepted.is_ok() && !is_early
}

#[derive(Debug, Clone, Copy)]
enum Meeting {
    CallBeforeLook,
    LookBeforeCall,
    TwoLooks,
    CallBeforeGive,
}

use Meeting::{CallBeforeGive, CallBeforeLook, LookBeforeCall, TwoLooks};

/// The mistakes: a name, the statements that make it, and the meeting that finds it.
fn mistakes() -> [(&'static str, String, Meeting); 4] {
    let lock = "WHERE pg_try_advisory_xact_lock(1298030849, c.account)";
    let without_lock = replace("take_free_1", lock, "");
    let without_epoch = replace("take_free_1", "AND l.epoch = j.epoch", "");
    let without_both = format!("{without_lock}; {without_epoch}");
    let give_lock = "PERFORM pg_advisory_xact_lock(1298030849, v_account);";
    [
        ("look_without_lock", without_lock.clone(), CallBeforeLook),
        ("look_without_lock_again", without_lock, LookBeforeCall),
        ("look_without_epoch", without_both, TwoLooks),
        ("give_without_lock", replace("give_back_1", give_lock, ""), CallBeforeGive),
    ]
}

/// Whether the calls have the right effect, in a database of its own.
async fn is_right(cluster: &Cluster, name: &str, mistake: &str, meeting: Meeting) -> bool {
    let (scene, fleets) = scene(cluster, name, mistake).await;
    match meeting {
        CallBeforeLook => call_before_look(&scene, &fleets).await,
        LookBeforeCall => look_before_call(&scene, &fleets).await,
        TwoLooks => two_looks(&scene, &fleets).await,
        CallBeforeGive => call_before_give(&scene, &fleets).await,
    }
}

#[test]
fn looks_and_calls_do_not_overlap_and_each_mistake_is_found() {
    // A server of its own, since it looks at all locks.
    let Some(cluster) = Cluster::start() else { return };
    let story = async {
        for meeting in [CallBeforeLook, LookBeforeCall, TwoLooks, CallBeforeGive] {
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
