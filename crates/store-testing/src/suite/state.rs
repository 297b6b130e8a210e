//! Values and conflicts.

use std::time::Duration;

use mynah_core::{
    Change, Committed, Effects, Event, EventBody, MemberQuery, MemberValues, Scope, StateView,
    Store, StoreError, TimerChange, Timestamp, Turn, Write,
};

use super::tools::{accept, begin, handle, holds, same};
use super::{NewGround, Verdict};
use crate::samples::{NOW, message, reply, timer, turn, write};

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

pub(super) async fn clock_set_back(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    let until = NOW + Duration::from_secs(10);
    accept(store, vec![message("1", "g", "p"), message("2", "g", "p")]).await?;
    let writes = vec![write(Scope::Person, "n", Change::Add(5), Some(until))];
    handle(store, "g", Effects { writes, ..Effects::default() }).await?;
    let (event, seen) = begin(store, "g", until).await?;
    same("after", &seen.get(Scope::Person, "n"), &None)?;
    let turn = Turn { reads: seen.reads(), ..turn(event, Effects::default()) };
    same("the commit before", &store.commit(turn, NOW).await?, &Committed::Conflict)
}

/// A message of a person with a name of its own.
fn named(id: &str, group: &str, person: &str, name: &str) -> Event {
    let mut event = message(id, group, person);
    if let EventBody::Message(message) = &mut event.body {
        name.clone_into(&mut message.sender.name);
    }
    event
}

/// The names and values of the people in a chat under keys.
async fn members(
    store: &dyn Store,
    chat: &str,
    keys: &[&str],
    now: Timestamp,
) -> Result<Vec<Vec<(String, String)>>, StoreError> {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let query = MemberQuery { chat: chat.into(), keys };
    let found = store.member_values(&query, now).await?;
    let pairs =
        |of: MemberValues| of.values.into_iter().map(|value| (value.name, value.text)).collect();
    Ok(found.into_iter().map(pairs).collect())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

async fn give(store: &dyn Store, group: &str, key: &str, change: Change) -> Verdict {
    let writes = vec![write(Scope::Person, key, change, None)];
    handle(store, group, Effects { writes, ..Effects::default() }).await.map(drop)
}

pub(super) async fn members_of(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let long = "长".repeat(40);
    let events = vec![
        named("1", "g", "ann", "Ann"),
        named("2", "g", "bob", &format!("Bob\n{long}")),
        named("3", "h", "cat", "Cat"),
        named("4", "g", "ann", "Ann 2"),
        named("5", "g", "dan", "Dan"),
        named("6", "g", "ann", "Ann 3"),
    ];
    accept(ground.store(), events).await?;
    for (group, key, change) in [
        ("g", "x", Change::Add(1)),
        ("g", "x", Change::Set("b".to_owned())),
        ("h", "x", Change::Add(7)),
        ("g", "x", Change::Add(1)),
    ] {
        give(ground.store(), group, key, change).await?;
    }
    let until = NOW + Duration::from_secs(10);
    let writes = vec![write(Scope::Person, "x", Change::Add(4), Some(until))];
    handle(ground.store(), "g", Effects { writes, ..Effects::default() }).await?;
    give(ground.store(), "g", "y", Change::Add(9)).await?;
    ground.crash().await;
    let store = ground.store();
    let bob = format!("Bob {}", "长".repeat(26));
    let x = pairs(&[(&bob, "b"), ("Ann 2", "2"), ("Dan", "4")]);
    let expected = vec![pairs(&[("Ann 3", "9")]), x, Vec::new()];
    let found = members(store, "g", &["y", "x", "absent"], NOW).await?;
    same("the values of a chat, the last change last", &found, &expected)?;
    let later = members(store, "g", &["x"], until).await?;
    same("without expired ones", &later, &vec![expected[1][..2].to_vec()])?;
    same(
        "of another chat",
        &members(store, "h", &["x"], NOW).await?,
        &vec![pairs(&[("Cat", "7")])],
    )?;
    store.forget(&"ann".into()).await?;
    let left = vec![Vec::new(), pairs(&[(&bob, "b"), ("Dan", "4")])];
    same(
        "without a person whose data was deleted",
        &members(store, "g", &["y", "x"], NOW).await?,
        &left,
    )
}

pub(super) async fn cleared(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    let events =
        [("1", "g", "p"), ("2", "g", "q"), ("3", "h", "p"), ("4", "g", "p"), ("5", "g", "p")];
    accept(store, events.map(|(id, group, person)| message(id, group, person)).to_vec()).await?;
    for group in ["g", "g", "h"] {
        give(store, group, "x", Change::Add(1)).await?;
    }
    give(store, "g", "y", Change::Add(1)).await?;
    let writes = vec![
        write(Scope::Person, "x", Change::Add(1), None),
        write(Scope::Person, "x", Change::RemoveOfAll, None),
    ];
    handle(store, "g", Effects { writes, ..Effects::default() }).await?;
    let expected = vec![Vec::new(), pairs(&[("p", "1")])];
    same("of the chat", &members(store, "g", &["x", "y"], NOW).await?, &expected)?;
    same("of another chat", &members(store, "h", &["x"], NOW).await?, &vec![pairs(&[("p", "1")])])?;
    let timer = timer("h", "due", NOW);
    accept(store, vec![message("6", "h", "p")]).await?;
    let timers = vec![TimerChange::Set(timer)];
    handle(store, "h", Effects { timers, ..Effects::default() }).await?;
    store.fire(NOW).await?;
    // A timer has a chat and no person.
    let writes = vec![write(Scope::Person, "x", Change::RemoveOfAll, None)];
    handle(store, "h", Effects { writes, ..Effects::default() }).await?;
    same("by a timer", &members(store, "h", &["x"], NOW).await?, &vec![Vec::new()])
}
