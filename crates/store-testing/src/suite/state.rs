//! Values and conflicts.

use std::time::Duration;

use mynah_core::{Change, Committed, Effects, Scope, StateView, Turn, Write};

use super::tools::{accept, begin, handle, holds, same};
use super::{NewGround, Verdict};
use crate::samples::{NOW, message, reply, turn, write};

fn set(text: &str) -> Write {
    write(Scope::Bot, "k", Change::Set(text.to_owned()), None)
}

pub(super) async fn conflict(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p"), message("2", "h", "p")]).await?;
    let (first, seen_first) = begin(store, "g", NOW).await?;
    let (second, seen_second) = begin(store, "h", NOW).await?;
    let turn_of = |event, seen: &dyn StateView, reads: &dyn Fn() -> Vec<mynah_core::Read>| {
        // A missing value counts as read, too.
        let _ = seen.get(Scope::Bot, "k");
        let writes = vec![set("by a turn")];
        let effects = Effects { writes, steps: vec![reply("c", "x")], timers: Vec::new() };
        Turn { reads: reads(), ..turn(event, effects) }
    };
    let done = store.commit(turn_of(first, &seen_first, &|| seen_first.reads()), NOW).await?;
    holds("the first commit is done", matches!(done, Committed::Done { .. }))?;
    let again = turn_of(second, &seen_second, &|| seen_second.reads());
    same("the second commit", &store.commit(again, NOW).await?, &Committed::Conflict)?;
    let (event, seen) = begin(store, "h", NOW).await?;
    same("the value then", &seen.get(Scope::Bot, "k").as_deref(), &Some("by a turn"))?;
    let repeated = turn_of(event, &seen, &|| seen.reads());
    let done = store.commit(repeated, NOW).await?;
    holds("the repeated turn is done", matches!(done, Committed::Done { .. }))
}

pub(super) async fn additions(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p"), message("2", "h", "p")]).await?;
    let (first, _) = begin(store, "g", NOW).await?;
    let (second, _) = begin(store, "h", NOW).await?;
    for event in [first, second] {
        let writes = vec![write(Scope::Bot, "n", Change::Add(2), None)];
        let done = store.commit(turn(event, Effects { writes, ..Effects::default() }), NOW).await?;
        holds("an addition is committed", matches!(done, Committed::Done { .. }))?;
    }
    accept(store, vec![message("3", "g", "p")]).await?;
    let (_, seen) = begin(store, "g", NOW).await?;
    same("the sum", &seen.get(Scope::Bot, "n").as_deref(), &Some("4"))
}

pub(super) async fn expiry(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    let until = NOW + Duration::from_secs(10);
    let events = ["1", "2", "3"].map(|id| message(id, "g", "p"));
    accept(store, events.to_vec()).await?;
    let writes = vec![write(Scope::Person, "n", Change::Add(5), Some(until))];
    handle(store, "g", Effects { writes, ..Effects::default() }).await?;
    let (_, seen) = begin(store, "g", NOW).await?;
    same("before", &seen.get(Scope::Person, "n").as_deref(), &Some("5"))?;
    let (event, seen) = begin(store, "g", until).await?;
    same("after", &seen.get(Scope::Person, "n"), &None)?;
    let writes = vec![write(Scope::Person, "n", Change::Add(1), None)];
    let effects = Effects { writes, ..Effects::default() };
    let done = store.commit(Turn { reads: seen.reads(), ..turn(event, effects) }, until).await?;
    holds("an expired value is not a conflict", matches!(done, Committed::Done { .. }))?;
    let (_, seen) = begin(store, "g", until).await?;
    same("an addition to it", &seen.get(Scope::Person, "n").as_deref(), &Some("1"))
}
