//! Readers: a second look at the data while the store is in use.

use std::time::Duration;

use mynah_core::{
    Binding, Change, Decided, Effects, Event, EventBody, ExportPlace, Exported, LogKind, LogPlace,
    LogQuery, Logged, Notice, NoticeKind, Outcome, Scope, StateOwner, Store, StoreReader,
    TimerChange, Timestamp, Turn, Unreadable,
};

use super::tools::{accept, begin, claim, holds, same, steps};
use super::{NewGround, Reason, Verdict};
use crate::samples::{NOW, chat, message, reply, timer, turn, write};

/// More values than a page of an export has.
const MANY: usize = 1200;

pub(super) async fn committed(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    let reader = ground.reader().await?;
    same("the depths of an empty store", &depths(&*reader).await?, &(0, 0))?;
    accept(store, vec![message("1", "g", "p"), message("2", "g", "p")]).await?;
    same("the depths after accept", &depths(&*reader).await?, &(2, 0))?;
    let writes = vec![write(Scope::Chat, "mute", Change::Set("v".to_owned()), None)];
    let effects = Effects { writes, ..steps(vec![reply("g", "answer")]) };
    answer(store, "g", Some("price"), effects, NOW).await?;
    same("the depths after commit", &depths(&*reader).await?, &(1, 1))?;
    let waiting = reader.waiting().await?;
    let chats: Vec<_> = waiting.iter().map(|one| (one.chat.as_str(), one.actions)).collect();
    same("the chats that wait", &chats, &vec![("g", 1)])?;
    let outgoing = claim(store, "g", NOW).await?;
    let reason = "no friend".to_owned();
    store.settle(&outgoing.id, Outcome::Refused { reason }, NOW).await?;
    let status = reader.status(NOW).await?;
    same("failed actions", &status.troubled.len(), &1)?;
    same("settled actions", &reader.settled(NOW).await?.get("refused"), &Some(&1))?;
    let log = whole_log(&*reader, &LogQuery::from_the_start()).await?.0;
    same(
        "handled events",
        &log.iter().map(|one| one.handled).collect::<Vec<_>>(),
        &vec![Some(NOW), None],
    )?;
    let outcome = log[0].actions.first().and_then(|action| action.outcome.as_deref());
    same("the outcome in the log", &outcome, &Some("refused"))?;
    let values = reader.chat_values("mute", NOW).await?;
    same("the values of chats", &values.get(&"g".into()).map(String::as_str), &Some("v"))?;
    // A store may write the counts of rules later than the turns.
    store.close().await?;
    let survey = reader.survey().await?;
    same("the rules that fired", &survey.fired.get("price").map(|fired| fired.times), &Some(1))?;
    same("the known chats", &survey.chats, &vec![chat("g")])
}

async fn depths(reader: &dyn StoreReader) -> Result<(u64, u64), Reason> {
    let depths = reader.depths().await?;
    Ok((depths.events, depths.actions))
}

/// Handles the next event of a lane by a rule.
async fn answer(
    store: &dyn Store,
    lane: &str,
    rule: Option<&str>,
    effects: Effects,
    now: Timestamp,
) -> Verdict {
    let (event, _) = begin(store, lane, now).await?;
    let decided = Decided { rule: rule.map(str::to_owned), ..Decided::default() };
    store.commit(Turn { decided, ..turn(event, effects) }, now).await?;
    Ok(())
}

/// All entries that fit a query, oldest first, and the unreadable ones.
async fn whole_log(
    reader: &dyn StoreReader,
    query: &LogQuery,
) -> Result<(Vec<Logged>, Vec<Unreadable>), Reason> {
    let (mut entries, mut unreadable) = (Vec::new(), Vec::new());
    let mut query = query.clone();
    loop {
        let page = reader.log(&query).await?;
        holds("a page is not longer than asked", page.entries.len() <= query.limit as usize)?;
        entries.extend(page.entries);
        unreadable.extend(page.unreadable);
        query.from = page.next;
        if !page.more {
            entries.sort_by_key(|entry| entry.seq);
            return Ok((entries, unreadable));
        }
    }
}

/// A log with several chats, people, rules, kinds and times.
async fn fill(store: &dyn Store) -> Verdict {
    let at = |n: u64| NOW + Duration::from_secs(n);
    for n in 0..24_u64 {
        let (id, group) = (n.to_string(), if n % 3 == 0 { "g" } else { "h" });
        let event = match n {
            5 => Event { body: EventBody::Started, ..message(&id, group, "p") },
            7 => {
                let kind = NoticeKind::RedPacket;
                let notice = Notice { chat: chat(group), person: None, kind };
                Event { body: EventBody::Notice(notice), ..message(&id, group, "p") }
            }
            _ => message(&id, group, if n % 2 == 0 { "p" } else { "q" }),
        };
        let lane = event.lane();
        store
            .accept(mynah_core::Batch { events: vec![event], ..Default::default() }, at(n))
            .await?;
        let rule = (n % 4 == 0).then_some("price \"now\"");
        if n != 23 {
            let effects = steps(vec![reply(group, &format!("answer to {n}"))]);
            answer(store, lane.as_str(), rule, effects, at(n)).await?;
        }
    }
    Ok(())
}

fn queries() -> Vec<LogQuery> {
    let all = LogQuery::default();
    let text = |text: &str| Some(text.to_owned());
    let at = |n: u64| Some(NOW + Duration::from_secs(n));
    vec![
        all.clone(),
        LogQuery { id: text("4"), ..all.clone() },
        LogQuery { id: text("message 4"), ..all.clone() },
        LogQuery { id: text("absent"), ..all.clone() },
        LogQuery { chat: Some("g".into()), ..all.clone() },
        LogQuery { chat: Some("-".into()), ..all.clone() },
        LogQuery { person: Some("q".into()), ..all.clone() },
        LogQuery { rule: text("price \"now\""), ..all.clone() },
        LogQuery { rule: text("price"), ..all.clone() },
        LogQuery { kind: Some(LogKind::Message), ..all.clone() },
        LogQuery { kind: Some(LogKind::Started), ..all.clone() },
        LogQuery { kind: Some(LogKind::Raw), ..all.clone() },
        LogQuery { text: text("TEXT OF 1"), ..all.clone() },
        LogQuery { since: at(5), until: at(11), ..all.clone() },
        LogQuery { chat: Some("h".into()), person: Some("p".into()), since: at(3), ..all },
    ]
}

pub(super) async fn filters(new: NewGround<'_>) -> Verdict {
    let mut ground = new();
    fill(ground.store()).await?;
    ground.crash().await;
    let reader = ground.reader().await?;
    let (all, _) = whole_log(&*reader, &LogQuery::default()).await?;
    same("the length of the log", &all.len(), &24)?;
    for query in queries() {
        let expected: Vec<Logged> = all.iter().filter(|entry| query.fits(entry)).cloned().collect();
        for limit in [1, 2, 500] {
            for from in [LogPlace::Newest, LogPlace::After(i64::MIN), LogPlace::Before(i64::MAX)] {
                let query = LogQuery { limit, from, ..query.clone() };
                let (found, _) = whole_log(&*reader, &query).await?;
                same(&format!("{query:?}"), &found, &expected)?;
            }
        }
    }
    follow(ground.store(), &*reader).await
}

/// A log that was read to its end is followed from there.
async fn follow(store: &dyn Store, reader: &dyn StoreReader) -> Verdict {
    let mut query = LogQuery { chat: Some("absent".into()), ..LogQuery::from_the_start() };
    loop {
        let page = reader.log(&query).await?;
        query.from = page.next;
        if !page.more {
            break;
        }
    }
    query.chat = None;
    same("entries behind the end", &reader.log(&query).await?.entries.len(), &0)?;
    accept(store, vec![message("later", "g", "p")]).await?;
    let found = reader.log(&query).await?.entries;
    let ids: Vec<&str> = found.iter().map(|entry| entry.event.id.as_str()).collect();
    same("the entry that came later", &ids, &vec!["later"])
}

/// All items of an export.
async fn exported(reader: &dyn StoreReader) -> Result<Vec<Exported>, Reason> {
    let (mut items, mut place) = (Vec::new(), Some(ExportPlace::Start));
    while let Some(from) = place {
        let page = reader.export(&from).await?;
        items.extend(page.items);
        place = page.next;
    }
    Ok(items)
}

pub(super) async fn export(new: NewGround<'_>) -> Verdict {
    let ground = new();
    fill(ground.store()).await?;
    let set =
        |scope, n: usize| write(scope, &format!("key {n:04}"), Change::Set(n.to_string()), None);
    let writes = (0..MANY).map(|n| set(if n % 2 == 0 { Scope::Bot } else { Scope::Person }, n));
    let timers = (0..MANY).map(|n| {
        let chat = if n % 2 == 0 { "g" } else { "h" };
        TimerChange::Set(timer(chat, &format!("timer {n:04}"), NOW + Duration::from_secs(99)))
    });
    let effects =
        Effects { writes: writes.collect(), timers: timers.collect(), ..steps(Vec::new()) };
    answer(ground.store(), "h", None, effects, NOW).await?;
    let reader = ground.reader().await?;
    let (mut log, mut values, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for item in exported(&*reader).await? {
        match item {
            Exported::Event(entry) => log.push(*entry),
            Exported::State(value) => values.push(value.value),
            Exported::Timer(timer) => keys.push(timer["key"].as_str().map(str::to_owned)),
            Exported::Unreadable(one) => return Err(Reason(format!("unreadable: {one:?}"))),
        }
    }
    let (all, _) = whole_log(&*reader, &LogQuery::from_the_start()).await?;
    same("the exported log", &log, &all)?;
    let mut expected: Vec<String> = (0..MANY).map(|n| n.to_string()).collect();
    expected.sort();
    values.sort();
    same("the exported values", &values, &expected)?;
    keys.sort();
    let expected: Vec<_> = (0..MANY).map(|n| Some(format!("timer {n:04}"))).collect();
    same("the exported timers", &keys, &expected)
}

pub(super) async fn state(new: NewGround<'_>) -> Verdict {
    let ground = new();
    accept(ground.store(), vec![message("1", "g", "p")]).await?;
    let soon = NOW + Duration::from_secs(5);
    let set =
        |scope, key: &str, expires| write(scope, key, Change::Set(format!("v of {key}")), expires);
    let writes = vec![
        set(Scope::Bot, "a", None),
        set(Scope::Bot, &Binding::key("Pat"), None),
        set(Scope::Chat, "b.1", Some(soon)),
        set(Scope::Chat, "b.2", None),
        set(Scope::Chat, "c", None),
        set(Scope::Person, "d", None),
    ];
    answer(ground.store(), "g", None, Effects { writes, ..steps(Vec::new()) }, NOW).await?;
    let reader = ground.reader().await?;
    let chat = StateOwner::Chat("g".into());
    let person = StateOwner::Person("g".into(), "p".into());
    for (owner, prefix, now, expected) in [
        (&StateOwner::Bot, "a", NOW, vec!["a"]),
        (&chat, "", NOW, vec!["b.1", "b.2", "c"]),
        (&chat, "b.", NOW, vec!["b.1", "b.2"]),
        (&chat, "b.", soon, vec!["b.2"]),
        (&person, "", NOW, vec!["d"]),
        (&StateOwner::Chat("h".into()), "", NOW, Vec::new()),
    ] {
        let values = reader.state(owner, prefix, now).await?;
        let keys: Vec<&str> = values.keys().map(String::as_str).collect();
        same(&format!("the keys of {owner:?} with {prefix:?}"), &keys, &expected)?;
    }
    let names: Vec<String> = reader.bindings().await?.into_iter().map(|bound| bound.name).collect();
    same("the bound names", &names, &vec!["Pat".to_owned()])
}

pub(super) async fn forgotten(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "ann"), message("2", "g", "bob")]).await?;
    for name in ["ann", "bob"] {
        let writes = vec![
            write(Scope::Person, "k", Change::Set("v".to_owned()), None),
            write(Scope::Bot, &Binding::key(name), Change::Set(name.to_owned()), None),
        ];
        let effects = Effects { writes, ..steps(vec![reply("g", &format!("dear {name}"))]) };
        answer(store, "g", None, effects, NOW).await?;
    }
    let reader = ground.reader().await?;
    let text = async || Ok::<String, Reason>(format!("{:?}", exported(&*reader).await?));
    holds("ann is in the export before", text().await?.contains("ann"))?;
    store.forget(&"ann".into()).await?;
    let left = text().await?;
    holds("nothing about ann is in the export", !left.contains("ann"))?;
    holds("bob is in the export", left.contains("dear bob"))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) async fn unreadable(new: NewGround<'_>) -> Verdict {
    let ground = new();
    let store = ground.store();
    accept(store, vec![message("1", "g", "p"), message("2", "h", "p"), message("3", "g", "p")])
        .await?;
    for lane in ["g", "h", "g"] {
        answer(store, lane, None, Effects::default(), NOW).await?;
    }
    if !ground.spoil(&"1".into()).await {
        return Ok(());
    }
    let reader = ground.reader().await?;
    let ids = |unreadable: Vec<Unreadable>| {
        unreadable.into_iter().map(|one| one.id.as_str().to_owned()).collect::<Vec<_>>()
    };
    for (chat, limit, expected) in
        [(None, 1, vec!["1"]), (Some("g".into()), 500, vec!["1"]), (Some("h".into()), 500, vec![])]
    {
        for from in [LogPlace::Newest, LogPlace::After(i64::MIN)] {
            let query = LogQuery { chat: chat.clone(), limit, from, ..LogQuery::default() };
            let (entries, unreadable) = whole_log(&*reader, &query).await?;
            same(
                &format!("unreadable entries of {query:?}"),
                &ids(unreadable),
                &strings(&expected),
            )?;
            let has_first = entries.iter().any(|entry| entry.event.id.as_str() == "1");
            holds("an unreadable event is not among the entries", !has_first)?;
            holds("the other entries are there", !entries.is_empty())?;
        }
    }
    let items = exported(&*reader).await?;
    let count = items.iter().filter(|item| matches!(item, Exported::Unreadable(_))).count();
    same("unreadable entries of the export", &count, &1)?;
    same("the other items of the export", &items.len(), &3)
}
