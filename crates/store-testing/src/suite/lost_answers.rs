//! Makes each call twice, like a caller that did not get the answer.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    Batch, Change, Claim, Effects, Outcome, Records, Scope, Step, Store, TimerChange,
};

use super::tools::{accept, begin, claim, claim_of, handle, holds, request, same, steps};
use super::{NewGround, Verdict};
use crate::samples::{NOW, REPLY_MAX_AGE, UNTIL, message, reply, timer, token, turn, write};

/// Handles an event of chat g with these steps.
async fn queue(store: &dyn Store, wanted: Vec<Step>) -> Verdict {
    accept(store, vec![message("1", "g", "p")]).await?;
    handle(store, "g", steps(wanted)).await?;
    Ok(())
}

pub(super) async fn batch(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let batch = || Batch {
        events: vec![message("1", "g", "p"), message("2", "h", "p")],
        records: Records::from([("cursor".to_owned(), "1".to_owned())]),
        ..Batch::default()
    };
    let first = ground.store().accept(batch(), NOW).await?;
    same("both lanes", &first.len(), &2)?;
    same("the lanes", &ground.store().accept(batch(), NOW).await?, &first)
}

pub(super) async fn turn_again(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p"), message("2", "g", "p")]).await?;
    let (event, seen) = begin(store, "g", NOW).await?;
    let again = || mynah_core::Turn {
        reads: seen.reads(),
        ..turn(
            event.clone(),
            Effects {
                writes: vec![write(Scope::Bot, "n", Change::Add(1), None)],
                steps: vec![reply("g", "x"), reply("h", "y")],
                timers: vec![TimerChange::Set(timer("g", "k", NOW))],
            },
        )
    };
    let first = store.commit(again(), NOW).await?;
    same("the answer", &store.commit(again(), NOW).await?, &first)?;
    let outgoing = claim(store, "g", NOW).await?;
    let more = store.settle(&outgoing.id, Outcome::Accepted, NOW).await?;
    same("a second reply", &more, &false)
}

pub(super) async fn timer_again(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p")]).await?;
    let later = NOW + Duration::from_secs(5);
    let timers =
        vec![TimerChange::Set(timer("h", "a", NOW)), TimerChange::Set(timer("g", "b", later))];
    handle(store, "g", Effects { timers, ..steps(Vec::new()) }).await?;
    let first = store.fire(NOW).await?;
    same("the first answer", &first, &(vec!["h".into()], Some(later)))?;
    same("the answer", &store.fire(NOW).await?, &first)
}

pub(super) async fn claimed(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    queue(store, vec![reply("g", "1"), reply("g", "2")]).await?;
    let token = token();
    let first = store.claim(&"g".into(), token, UNTIL, NOW).await?;
    holds("an action is claimed", matches!(first, Claim::Send(_)))?;
    same("the claim", &store.claim(&"g".into(), token, UNTIL, NOW).await?, &first)
}

pub(super) async fn claimed_with_turn(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p")]).await?;
    let (event, _) = begin(store, "g", NOW).await?;
    let valid = Arc::new(turn(event, steps(vec![reply("g", "1"), reply("g", "2")])));
    let request = Some(request("g"));
    let first = store.commit_and_claim(valid.clone(), request.clone(), NOW).await?;
    holds("an action is claimed", claim_of(first.clone())?.is_some())?;
    same("the answer", &store.commit_and_claim(valid, request, NOW).await?, &first)
}

pub(super) async fn expired(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    queue(store, vec![reply("g", "1"), reply("g", "2")]).await?;
    let (token, late) = (token(), NOW + REPLY_MAX_AGE);
    let first = store.claim(&"g".into(), token, UNTIL, late).await?;
    holds("an action is expired", matches!(first, Claim::Expired(_)))?;
    same("the claim", &store.claim(&"g".into(), token, UNTIL, late).await?, &first)
}

pub(super) async fn settled(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    queue(store, vec![reply("g", "1"), reply("g", "2")]).await?;
    let retry_at = NOW;
    let outcomes = [
        Outcome::NotSent { retry_at, reason: "busy".to_owned() },
        Outcome::Unknown { reason: "cut".to_owned(), again_at: Some(retry_at) },
        Outcome::Delivered("sent".into()),
        Outcome::Refused { reason: "no".to_owned() },
    ];
    for (n, outcome) in outcomes.into_iter().enumerate() {
        let id = claim(store, "g", NOW).await?.id;
        let first = store.settle(&id, outcome.clone(), NOW).await?;
        same("whether there is more", &first, &(n < 3))?;
        same("the answer", &store.settle(&id, outcome, NOW).await?, &first)?;
    }
    Ok(())
}

pub(super) async fn recovered(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    queue(ground.store(), vec![reply("g", "1")]).await?;
    claim(ground.store(), "g", NOW).await?;
    accept(ground.store(), vec![message("2", "g", "p")]).await?;
    for attempt in 1..=3 {
        begin(ground.store(), "g", NOW).await?;
        ground.crash().await;
        let first = ground.store().recover(NOW).await?;
        same("events set aside", &first.set_aside.len(), &usize::from(attempt == 3))?;
        same("the answer", &ground.store().recover(NOW).await?, &first)?;
    }
    Ok(())
}

pub(super) async fn reads(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    queue(store, vec![reply("g", "1")]).await?;
    claim(store, "g", NOW).await?;
    accept(store, vec![message("2", "g", "p")]).await?;
    let (first, _) = begin(store, "g", NOW).await?;
    same("the event", &begin(store, "g", NOW).await?.0, &first)?;
    let records = store.records().await?;
    same("the records", &store.records().await?, &records)?;
    let recent = store.recent_claims(NOW, 9).await?;
    same("the claims", &store.recent_claims(NOW, 9).await?, &recent)?;
    for _ in 0..2 {
        store.sync().await?;
        same("nothing to tidy", &store.tidy(NOW).await?, &false)?;
    }
    Ok(())
}
