//! Inbox, records and timers.

use std::time::Duration;

use mynah_core::{
    Accepted, Batch, Effects, Event, EventBody, Lane, Notice, NoticeKind, Records, TimerChange,
};

use super::tools::{accept, begin, handle, holds, next, same, steps};
use super::{NewGround, Verdict};
use crate::samples::{NOW, chat, message, timer};

pub(super) async fn accepted_once(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let event = message("1", "g", "p");
    accept(ground.store(), vec![event.clone(), event.clone()]).await?;
    ground.crash().await;
    accept(ground.store(), vec![event.clone()]).await?;
    handle(ground.store(), "g", Effects::default()).await?;
    same("a second event", &next(ground.store(), "g").await?, &None)?;
    ground.crash().await;
    let lanes = accept(ground.store(), vec![event]).await?;
    same("lanes of a handled event", &lanes, &Vec::new())?;
    same("an event after a repetition", &next(ground.store(), "g").await?, &None)
}

pub(super) async fn begun_at_once(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let batch = |ids: &[&str]| {
        let events = ids.iter().map(|id| message(id, &id[..1], "p")).collect();
        Batch { events, ..Batch::default() }
    };
    let store = ground.store();
    accept(store, vec![message("a1", "a", "p")]).await?;
    let accepted = store.accept_and_begin(batch(&["a2", "b1", "b2", "c1", "d1"]), 2, NOW).await?;
    let begun = |accepted: &Accepted| {
        let ids = accepted.begun.iter().map(|(event, _)| event.id.as_str().to_owned());
        ids.collect::<Vec<_>>()
    };
    same("the begun events", &begun(&accepted), &vec!["b1".to_owned(), "c1".to_owned()])?;
    same("the lanes", &accepted.lanes.len(), &4)?;
    let again = store.accept_and_begin(batch(&["b1", "c1"]), 2, NOW).await?;
    same("begun again", &begun(&again), &Vec::new())?;
    same("the lanes again", &again.lanes, &vec![Lane::new("b"), Lane::new("c")])?;
    ground.crash().await;
    let suspects = ground.store().recover(NOW).await?.suspects;
    same("the interrupted lanes", &suspects, &vec![Lane::new("b"), Lane::new("c")])
}

pub(super) async fn oldest_first(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    let events = [("1", "g"), ("2", "h"), ("3", "g")];
    let lanes = accept(store, events.map(|(id, group)| message(id, group, "p")).to_vec()).await?;
    same("lanes", &lanes, &vec![Lane::new("g"), Lane::new("h")])?;
    for expected in ["1", "3"] {
        same("the next event", &next(store, "g").await?.as_deref(), &Some(expected))?;
        handle(store, "g", Effects::default()).await?;
    }
    same("the end of the lane", &next(store, "g").await?, &None)
}

pub(super) async fn recall(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let kind = NoticeKind::Recall { message: "message 1".into(), original: None };
    let notice = Notice { chat: chat("g"), person: None, kind };
    let recall = Event { id: "2".into(), time: NOW, body: EventBody::Notice(notice) };
    accept(ground.store(), vec![message("1", "g", "p"), recall]).await?;
    handle(ground.store(), "g", Effects::default()).await?;
    let (event, _) = begin(ground.store(), "g", NOW).await?;
    let found = match event.body {
        EventBody::Notice(Notice { kind: NoticeKind::Recall { original, .. }, .. }) => original,
        _ => None,
    };
    let text = found.map(|message| message.text);
    same("the recalled text", &text.as_deref(), &Some("text of 1"))
}

pub(super) async fn set_aside(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    accept(ground.store(), vec![message("1", "g", "p"), message("2", "h", "p")]).await?;
    for attempt in 1..=3 {
        begin(ground.store(), "g", NOW).await?;
        ground.crash().await;
        let found = ground.store().recover(NOW).await?;
        let of_g = |is_so: bool| if is_so { vec![Lane::new("g")] } else { Vec::new() };
        same("suspects", &found.suspects, &of_g(attempt < 3))?;
        same("last chance", &found.last_chance, &of_g(attempt == 2))?;
        same("events set aside", &found.set_aside.len(), &usize::from(attempt == 3))?;
    }
    same("the event set aside", &next(ground.store(), "g").await?, &None)?;
    same("another lane", &next(ground.store(), "h").await?.as_deref(), &Some("2"))
}

pub(super) async fn records(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let records = |pairs: &[(&str, &str)]| -> Records {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    for change in [&[("a", "1"), ("b", "1")][..], &[("a", "2"), ("b", "")]] {
        let batch = Batch { records: records(change), ..Batch::default() };
        ground.store().accept(batch, NOW).await?;
    }
    ground.crash().await;
    same("records", &ground.store().records().await?, &records(&[("a", "2")]))
}

pub(super) async fn timers(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    let at = NOW + Duration::from_secs(5);
    accept(ground.store(), vec![message("1", "g", "p")]).await?;
    let timers = vec![
        TimerChange::Set(timer("g", "a", NOW)),
        TimerChange::Set(timer("g", "a", at)),
        TimerChange::Set(timer("g", "b", at)),
        TimerChange::Cancel { chat: Some("g".into()), key: "b".to_owned() },
    ];
    handle(ground.store(), "g", Effects { timers, ..steps(Vec::new()) }).await?;
    ground.crash().await;
    let store = ground.store();
    same("before the moment", &store.fire(NOW).await?, &(Vec::new(), Some(at)))?;
    same("at the moment", &store.fire(at).await?, &(vec![Lane::new("g")], None))?;
    let (event, _) = begin(store, "g", at).await?;
    holds("the event of a timer is due", matches!(event.body, EventBody::Due(_)))?;
    handle(store, "g", Effects::default()).await?;
    same("afterwards", &store.fire(at).await?, &(Vec::new(), None))?;
    same("a second event", &next(store, "g").await?, &None)
}
