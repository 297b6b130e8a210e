//! The process dies in the middle of a call: the call has taken effect completely, or not at all.

use std::sync::Arc;

use mynah_core::{
    Batch, Change, Claim, Effects, EventBody, Records, Scope, StateView, Store, TimerChange,
};

use super::tools::{accept, begin, handle, interrupt, next, request, same, steps};
use super::{NewGround, Reason, Verdict};
use crate::samples::{NOW, UNTIL, message, reply, timer, token, turn, write};

/// The largest number of polls before a call is dropped.
const POLLS: usize = 3;

pub(super) async fn batch(new: NewGround<'_>) -> Verdict {
    for polls in 0..=POLLS {
        let mut ground = new();
        let records = Records::from([("cursor".to_owned(), "1".to_owned())]);
        let events = vec![message("1", "g", "p")];
        let batch = Batch { records, events, ..Batch::default() };
        interrupt(ground.store().accept(batch, NOW), polls);
        ground.crash().await;
        let is_read = !ground.store().records().await?.is_empty();
        let waits = next(ground.store(), "g").await?.is_some();
        same("the event is there, as the record says", &waits, &is_read)?;
    }
    Ok(())
}

pub(super) async fn turn_whole(new: NewGround<'_>) -> Verdict {
    for polls in 0..=POLLS {
        let mut ground = new();
        accept(ground.store(), vec![message("1", "g", "p")]).await?;
        let (event, _) = begin(ground.store(), "g", NOW).await?;
        let writes = vec![write(Scope::Bot, "n", Change::Add(1), None)];
        let timers = vec![TimerChange::Set(timer("h", "k", NOW))];
        let effects = Effects { writes, steps: vec![reply("g", "x")], timers };
        interrupt(ground.store().commit(turn(event, effects), NOW), polls);
        ground.crash().await;
        let store = ground.store();
        let is_handled = next(store, "g").await?.is_none();
        let claimed = store.claim(&"g".into(), token(), UNTIL, NOW).await?;
        same("the reply is queued", &matches!(claimed, Claim::Send(_)), &is_handled)?;
        let (lanes, _) = store.fire(NOW).await?;
        same("the timer is set", &!lanes.is_empty(), &is_handled)?;
        same("the value is written", &is_counted(store).await?, &is_handled)?;
    }
    Ok(())
}

/// Whether the bot has a value, read through an event of another lane.
async fn is_counted(store: &dyn Store) -> Result<bool, Reason> {
    accept(store, vec![message("probe", "probe", "p")]).await?;
    let (_, seen) = begin(store, "probe", NOW).await?;
    Ok(seen.get(Scope::Bot, "n").is_some())
}

pub(super) async fn timer_kept(new: NewGround<'_>) -> Verdict {
    for polls in 0..=POLLS {
        let mut ground = new();
        accept(ground.store(), vec![message("1", "g", "p")]).await?;
        let timers = vec![TimerChange::Set(timer("g", "k", NOW))];
        handle(ground.store(), "g", Effects { timers, ..steps(Vec::new()) }).await?;
        interrupt(ground.store().fire(NOW), polls);
        ground.crash().await;
        ground.store().fire(NOW).await?;
        let (event, _) = begin(ground.store(), "g", NOW).await?;
        same("the timer is an event", &matches!(event.body, EventBody::Due(_)), &true)?;
    }
    Ok(())
}

pub(super) async fn claimed(new: NewGround<'_>) -> Verdict {
    for polls in 0..=POLLS {
        let mut ground = new();
        accept(ground.store(), vec![message("1", "g", "p")]).await?;
        handle(ground.store(), "g", steps(vec![reply("g", "x")])).await?;
        interrupt(ground.store().claim(&"g".into(), token(), UNTIL, NOW), polls);
        ground.crash().await;
        let doubts = ground.store().recover(NOW).await?.in_doubt.len();
        let claim = ground.store().claim(&"g".into(), token(), UNTIL, NOW).await?;
        let is_free = matches!(claim, Claim::Send(_));
        same("claimed before, or free", &(doubts == 1), &!is_free)?;
    }
    Ok(())
}

pub(super) async fn claimed_with_turn(new: NewGround<'_>) -> Verdict {
    for polls in 0..=POLLS {
        let mut ground = new();
        accept(ground.store(), vec![message("1", "g", "p")]).await?;
        let (event, _) = begin(ground.store(), "g", NOW).await?;
        let valid = Arc::new(turn(event, steps(vec![reply("g", "x")])));
        interrupt(ground.store().commit_and_claim(valid, Some(request("g")), NOW), polls);
        ground.crash().await;
        let recovered = ground.store().recover(NOW).await?;
        let is_claimed = recovered.in_doubt.len() == 1;
        same("the turn is committed", &recovered.lanes.is_empty(), &is_claimed)?;
    }
    Ok(())
}
