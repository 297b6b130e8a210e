//! The outbox.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    ActionId, Change, Claim, Committed, Effects, Outcome, Scope, StateView, Store, Timestamp, Turn,
};

use super::tools::{accept, begin, claim, claim_of, handle, request, same, steps};
use super::{NewGround, Reason, Verdict};
use crate::samples::{NOW, REPLY_MAX_AGE, UNTIL, message, reply, save, send, token, turn, write};

/// Queues two replies in chat g.
async fn queue_two(store: &dyn Store) -> Verdict {
    accept(store, vec![message("1", "g", "p")]).await?;
    handle(store, "g", steps(vec![reply("g", "first"), reply("g", "second")])).await?;
    Ok(())
}

fn id(n: u32) -> ActionId {
    ActionId { event: "1".into(), n }
}

fn unknown(again_at: Timestamp) -> Outcome {
    Outcome::Unknown { reason: "cut".to_owned(), again_at: Some(again_at) }
}

async fn claims(store: &dyn Store, now: Timestamp) -> Result<Claim, Reason> {
    Ok(store.claim(&"g".into(), token(), UNTIL, now).await?)
}

pub(super) async fn order(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    queue_two(store).await?;
    let first = claim(store, "g", NOW).await?;
    same("the first", &(first.id.clone(), first.attempt), &(id(0), 1))?;
    let retry_at = NOW + Duration::from_secs(9);
    let not_sent = Outcome::NotSent { retry_at, reason: "busy".to_owned() };
    same("more after it", &store.settle(&first.id, not_sent, NOW).await?, &true)?;
    same("too early", &claims(store, NOW).await?, &Claim::Wait(retry_at))?;
    for n in 0..2 {
        let next = claim(store, "g", retry_at).await?;
        same("in order", &next.id, &id(n))?;
        let more = store.settle(&next.id, Outcome::Accepted, retry_at).await?;
        same("whether there is more", &more, &(n == 0))?;
    }
    same("the end", &claims(store, retry_at).await?, &Claim::Empty)
}

/// The first action keeps the place of the second behind it; after the first has left, the third must not overtake.
pub(super) async fn clock_goes_back(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    accept(ground.store(), (1..=3).map(|n| message(&n.to_string(), "g", "p")).collect()).await?;
    let earlier = NOW - Duration::from_secs(3600);
    for now in [NOW, earlier] {
        answer(ground.store(), now).await?;
    }
    let first = claim(ground.store(), "g", earlier).await?;
    ground.store().settle(&first.id, Outcome::Accepted, earlier).await?;
    ground.crash().await;
    let store = ground.store();
    let later = earlier + Duration::from_secs(1);
    answer(store, later).await?;
    let mut order = vec![first.id];
    for _ in 0..2 {
        let next = claim(store, "g", later).await?;
        store.settle(&next.id, Outcome::Accepted, later).await?;
        order.push(next.id);
    }
    let events: Vec<&str> = order.iter().map(|id| id.event.as_str()).collect();
    same("in the order of their commits", &events, &vec!["1", "2", "3"])
}

/// Answers the next message of chat g.
async fn answer(store: &dyn Store, now: Timestamp) -> Verdict {
    let (event, _) = begin(store, "g", now).await?;
    store.commit(turn(event, steps(vec![reply("g", "answer")])), now).await?;
    Ok(())
}

pub(super) async fn one_at_a_time(new: NewGround<'_>) -> Verdict {
    let ground = new();
    queue_two(ground.store()).await?;
    claim(ground.store(), "g", NOW).await?;
    same("a second claim", &claims(ground.store(), NOW).await?, &Claim::Empty)
}

pub(super) async fn expiry(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p")]).await?;
    let announcement = send("g", "announcement", Duration::ZERO, false);
    handle(store, "g", steps(vec![reply("g", "reply"), announcement])).await?;
    let late = NOW + REPLY_MAX_AGE;
    match claims(store, late).await? {
        Claim::Expired(outgoing) => same("the expired action", &outgoing.id, &id(0))?,
        other => return Err(Reason(format!("a late reply is claimed: {other:?}"))),
    }
    same("the announcement", &claim(store, "g", late).await?.id, &id(1))
}

pub(super) async fn delay(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p")]).await?;
    let delay = Duration::from_secs(3);
    handle(store, "g", steps(vec![send("g", "later", delay, true)])).await?;
    same("at once", &claims(store, NOW).await?, &Claim::Wait(NOW + delay))?;
    same("later", &claim(store, "g", NOW + delay).await?.id, &id(0))
}

pub(super) async fn rows(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    accept(ground.store(), vec![message("1", "g", "p")]).await?;
    handle(ground.store(), "g", steps(vec![save("g", Duration::ZERO), reply("g", "x")])).await?;
    same("the row", &claim(ground.store(), "g", NOW).await?.id, &id(0))?;
    ground.crash().await;
    let store = ground.store();
    same("in doubt", &store.recover(NOW).await?.in_doubt, &Vec::new())?;
    same("the row again", &claim(store, "g", NOW).await?.id, &id(0))?;
    let retry_at = NOW + REPLY_MAX_AGE;
    let not_sent = Outcome::NotSent { retry_at, reason: "locked".to_owned() };
    store.settle(&id(0), not_sent, NOW).await?;
    same("the reply behind it", &claim(store, "g", NOW).await?.id, &id(1))?;
    same("one at a time", &claims(store, retry_at).await?, &Claim::Empty)?;
    store.settle(&id(1), Outcome::Accepted, NOW).await?;
    same("too early", &claims(store, NOW).await?, &Claim::Wait(retry_at))?;
    same("the row then", &claim(store, "g", retry_at).await?.id, &id(0))
}

pub(super) async fn doubt(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    queue_two(store).await?;
    for attempt in 1..=2 {
        let outgoing = claim(store, "g", NOW).await?;
        same("the action in doubt", &(outgoing.id, outgoing.attempt), &(id(0), attempt))?;
        store.settle(&id(0), unknown(NOW), NOW).await?;
    }
    same("after two doubts", &claim(store, "g", NOW).await?.id, &id(1))
}

pub(super) async fn claims_outlive(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    queue_two(ground.store()).await?;
    claim(ground.store(), "g", NOW).await?;
    ground.crash().await;
    let found = ground.store().recover(NOW).await?;
    same("in doubt", &found.in_doubt, &vec![id(0)])?;
    same("chats", &found.chats, &vec!["g".into()])?;
    same("a claim meanwhile", &claims(ground.store(), NOW).await?, &Claim::Empty)?;
    ground.store().settle(&id(0), unknown(NOW), NOW).await?;
    let again = claim(ground.store(), "g", NOW).await?;
    same("once more", &(again.id, again.attempt), &(id(0), 2))
}

pub(super) async fn pace(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    queue_two(ground.store()).await?;
    let later = NOW + Duration::from_secs(1);
    for now in [NOW, later] {
        let outgoing = claim(ground.store(), "g", now).await?;
        ground.store().settle(&outgoing.id, Outcome::Accepted, now).await?;
    }
    ground.crash().await;
    let recent = ground.store().recent_claims(NOW, 9).await?;
    same("all", &recent, &vec![("g".into(), later), ("g".into(), NOW)])?;
    let recent = ground.store().recent_claims(NOW, 1).await?;
    same("the last", &recent, &vec![("g".into(), later)])?;
    let recent = ground.store().recent_claims(later, 9).await?;
    same("since then", &recent, &vec![("g".into(), later)])
}

pub(super) async fn claimed_with_turn(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let store = ground.store();
    queue_two(store).await?;
    accept(store, vec![message("2", "g", "p"), message("3", "h", "p")]).await?;
    let (event, seen) = begin(store, "g", NOW).await?;
    // A turn of another lane changes a value that this one read.
    let _ = seen.get(Scope::Bot, "n");
    let writes = vec![write(Scope::Bot, "n", Change::Add(1), None)];
    handle(store, "h", Effects { writes, ..Effects::default() }).await?;
    let stale = Turn { reads: seen.reads(), ..turn(event.clone(), steps(vec![reply("g", "x")])) };
    let stale = Arc::new(stale);
    let refused = store.commit_and_claim(stale, Some(request("g")), NOW).await?;
    same("a turn that read an old value", &refused, &Committed::Conflict)?;
    let valid = Arc::new(turn(event, steps(vec![reply("g", "third")])));
    let claimed = claim_of(store.commit_and_claim(valid, Some(request("g")), NOW).await?)?;
    same("the oldest of the chat", &claimed.map(|it| (it.id, it.attempt)), &Some((id(0), 1)))?;
    same("a second claim", &claims(store, NOW).await?, &Claim::Empty)?;
    ground.crash().await;
    same("in doubt", &ground.store().recover(NOW).await?.in_doubt, &vec![id(0)])
}
