//! Steps that most tests share.

use std::fmt::Debug;
use std::task::{Context, Waker};

use mynah_core::{
    Batch, ChatId, Claim, ClaimRequest, Committed, Effects, Event, Lane, Outgoing, Snapshot, Step,
    Store, Timestamp,
};

use super::{Reason, Verdict};
use crate::samples::{NOW, UNTIL, token, turn};

/// Checks that the two are equal.
pub(super) fn same<T: Debug + PartialEq>(words: &str, actual: &T, expected: &T) -> Verdict {
    if actual == expected {
        return Ok(());
    }
    Err(Reason(format!("{words}: {actual:?}, expected {expected:?}")))
}

pub(super) fn holds(words: &str, condition: bool) -> Verdict {
    if condition { Ok(()) } else { Err(Reason(words.to_owned())) }
}

pub(super) async fn accept(store: &dyn Store, events: Vec<Event>) -> Result<Vec<Lane>, Reason> {
    Ok(store.accept(Batch { events, ..Batch::default() }, NOW).await?)
}

pub(super) async fn begin(
    store: &dyn Store,
    lane: &str,
    now: Timestamp,
) -> Result<(Event, Snapshot), Reason> {
    let begun = store.begin(&Lane::new(lane), now).await?;
    begun.ok_or_else(|| Reason(format!("nothing waits in lane {lane}")))
}

/// Begins the next event of a lane and returns its id.
pub(super) async fn next(store: &dyn Store, lane: &str) -> Result<Option<String>, Reason> {
    let begun = store.begin(&Lane::new(lane), NOW).await?;
    Ok(begun.map(|(event, _)| event.id.as_str().to_owned()))
}

/// Handles the next event of a lane.
pub(super) async fn handle(
    store: &dyn Store,
    lane: &str,
    effects: Effects,
) -> Result<Committed, Reason> {
    let (event, _) = begin(store, lane, NOW).await?;
    Ok(store.commit(turn(event, effects), NOW).await?)
}

pub(super) fn steps(steps: Vec<Step>) -> Effects {
    Effects { steps, ..Effects::default() }
}

/// Claims the next action of a chat, which must be ready to send.
pub(super) async fn claim(
    store: &dyn Store,
    chat: &str,
    now: Timestamp,
) -> Result<Outgoing, Reason> {
    match store.claim(&ChatId::from(chat), token(), UNTIL, now).await? {
        Claim::Send(outgoing) => Ok(outgoing),
        other => Err(Reason(format!("chat {chat} has an action to send, the claim is {other:?}"))),
    }
}

/// A request to claim the next action of a chat.
pub(super) fn request(chat: &str) -> ClaimRequest {
    ClaimRequest { chat: ChatId::from(chat), token: token(), until: UNTIL }
}

/// The action that was claimed with a commit, if one was.
pub(super) fn claim_of(committed: Committed) -> Result<Option<Outgoing>, Reason> {
    match committed {
        Committed::Done { claim, .. } => Ok(claim.and_then(|claim| match *claim {
            Claim::Send(outgoing) => Some(outgoing),
            Claim::Expired(_) | Claim::Wait(_) | Claim::Empty => None,
        })),
        Committed::Conflict => Err(Reason("a valid turn is refused".to_owned())),
    }
}

/// Polls a call this many times and drops it, as the death of the process does.
pub(super) fn interrupt<T>(call: impl Future<Output = T>, polls: usize) {
    let mut call = std::pin::pin!(call);
    let mut task = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if call.as_mut().poll(&mut task).is_ready() {
            return;
        }
    }
}
