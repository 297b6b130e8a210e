//! The calls of an operator: data about people is deleted, names are freed.

use std::time::Duration;

use mynah_core::{
    Batch, Binding, Change, Chat, ChatKind, Effects, Event, EventBody, Forgotten, Lane, Outcome,
    Scope, Timer, TimerChange,
};

use super::tools::{accept, begin, claim, handle, next, same, steps};
use super::{NewGround, Verdict};
use crate::samples::{NOW, message, reply, timer, turn, write};

/// A message of a person in the private chat with the person.
fn private(id: &str, person: &str) -> Event {
    let mut event = message(id, person, person);
    if let EventBody::Message(message) = &mut event.body {
        message.chat = Chat { kind: ChatKind::Private, ..message.chat.clone() };
    }
    event
}

fn set(scope: Scope, key: &str, text: &str) -> mynah_core::Write {
    write(scope, key, Change::Set(text.to_owned()), None)
}

/// The effects of a turn: a value of the person, a reply, and a timer of the person.
fn effects(event: &Event, group: &str) -> Effects {
    let mine = Timer {
        person: event.person().cloned(),
        ..timer(group, event.id.as_str(), NOW + Duration::from_secs(5))
    };
    let writes = vec![set(Scope::Person, "k", "v")];
    let timers = vec![TimerChange::Set(mine)];
    Effects { writes, timers, ..steps(vec![reply(group, "answer")]) }
}

pub(super) async fn forget(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let events = vec![message("1", "g", "ann"), message("2", "g", "bob"), private("3", "ann")];
    accept(ground.store(), events.clone()).await?;
    for group in ["g", "g", "ann"] {
        let (event, _) = begin(ground.store(), group, NOW).await?;
        let turn = turn(event.clone(), effects(&event, group));
        ground.store().commit(turn, NOW).await?;
    }
    let under_way = claim(ground.store(), "g", NOW).await?.id;
    let expected = Forgotten { events: 2, actions: 2, values: 2, timers: 2 };
    same("the deleted items", &ground.store().forget(&"ann".into()).await?, &expected)?;
    let more = ground.store().settle(&under_way, Outcome::Accepted, NOW).await?;
    same("more after a deleted action", &more, &true)?;
    ground.crash().await;
    let store = ground.store();
    let nothing = Forgotten::default();
    same("the items at a repetition", &store.forget(&"ann".into()).await?, &nothing)?;
    same("lanes of deleted events", &accept(store, events).await?, &Vec::new())?;
    let open = store.recover(NOW).await?.chats;
    same("chats with actions", &open, &vec!["g".into()])?;
    let due = store.fire(NOW + Duration::from_secs(5)).await?;
    same("timers that are left", &due, &(vec![Lane::new("g")], None))
}

pub(super) async fn unbind(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    accept(ground.store(), vec![message("1", "g", "p")]).await?;
    let bindings = [("Pat", "p"), ("Pat*", "q"), ("Kim", "q")];
    let writes = bindings.map(|(name, person)| set(Scope::Bot, &Binding::key(name), person));
    handle(ground.store(), "g", Effects { writes: writes.into(), ..steps(Vec::new()) }).await?;
    let ended = Some(Binding { name: "Pat*".to_owned(), person: "q".into() });
    same("the ended binding", &ground.store().unbind("Pat*").await?, &ended)?;
    ground.crash().await;
    same("a second end", &ground.store().unbind("Pat*").await?, &None)?;
    let forgotten = ground.store().forget(&"q".into()).await?;
    same("bindings of a deleted person", &forgotten.values, &1)?;
    let left = Some(Binding { name: "Pat".to_owned(), person: "p".into() });
    same("another binding", &ground.store().unbind("Pat").await?, &left)
}

pub(super) async fn close(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let events = vec![message("1", "g", "p")];
    ground.store().accept(Batch { events, ..Batch::default() }, NOW).await?;
    for _ in 0..2 {
        ground.store().close().await?;
    }
    ground.crash().await;
    same("the event after an orderly end", &next(ground.store(), "g").await?.as_deref(), &Some("1"))
}
