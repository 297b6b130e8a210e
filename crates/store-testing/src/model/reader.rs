//! Reads the model store: each answer is computed from all of the lists.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Chat, ChatId, Depths, EventId, ExportPage, ExportPlace, Exported, Fired, LogPage, LogPlace,
    LogQuery, Logged, Records, StateOwner, StateValue, StoreError, StoreReader, StoreStatus,
    Survey, Timestamp, Unreadable, Waiting,
};

use super::inbox::KeptEvent;
use super::{ModelStore, Tables};
use crate::Mistake;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Entries of the log in a page of an export.
const PAGE: u32 = 10;

impl ModelStore {
    /// Makes an event unreadable.
    pub fn spoil(&self, event: &EventId) {
        let mut tables = self.tables();
        for kept in tables.inbox.events.iter_mut().filter(|kept| kept.event.id == *event) {
            kept.is_spoilt = true;
        }
    }
}

#[async_trait]
impl StoreReader for ModelStore {
    async fn depths(&self) -> Result<Depths, StoreError> {
        let tables = self.tables();
        let events = tables.inbox.events.iter().filter(|kept| !kept.is_handled()).count();
        let actions = tables.outbox.open().count();
        Ok(Depths { events: events as u64, actions: actions as u64 })
    }

    async fn status(&self, now: Timestamp) -> Result<StoreStatus, StoreError> {
        let Depths { events: open_events, actions: open_actions } = self.depths().await?;
        let tables = self.tables();
        let unhandled = tables.inbox.events.iter().filter(|kept| !kept.is_handled());
        let handled = tables.inbox.events.iter().filter_map(|kept| kept.handled);
        Ok(StoreStatus {
            open_events,
            oldest_event: unhandled.map(|kept| kept.accepted).min(),
            open_actions,
            oldest_action: tables.outbox.open().map(|one| one.queued).min(),
            timers: tables.timers.len() as u64,
            next_timer: tables.timers.next(),
            handled_today: handled.filter(|at| *at >= now - DAY).count() as u64,
            settled_today: tables.outbox.settled(now - DAY),
            troubled: tables.outbox.troubled(),
        })
    }

    async fn settled(&self, since: Timestamp) -> Result<BTreeMap<String, u64>, StoreError> {
        Ok(self.tables().outbox.settled(since))
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        Ok(self.tables().outbox.waiting())
    }

    async fn survey(&self) -> Result<Survey, StoreError> {
        let tables = self.tables();
        let mut fired: BTreeMap<String, Fired> = BTreeMap::new();
        for (rule, at) in &tables.turns {
            let Some(rule) = rule else { continue };
            let entry = fired.entry(rule.clone()).or_default();
            *entry = Fired { times: entry.times + 1, last: entry.last.max(*at) };
        }
        let day = DAY.as_millis() as i64;
        let midnight = |at: &Timestamp| Timestamp::from_millis(at.as_millis() / day * day);
        let mut chats: BTreeMap<ChatId, Chat> = BTreeMap::new();
        for chat in tables.inbox.events.iter().filter_map(|kept| kept.event.chat()) {
            chats.insert(chat.id.clone(), chat.clone());
        }
        let mut chats: Vec<Chat> = chats.into_values().collect();
        chats.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(Survey { since: tables.turns.iter().map(|(_, at)| midnight(at)).min(), fired, chats })
    }

    async fn records(&self) -> Result<Records, StoreError> {
        Ok(self.tables().records.clone())
    }

    async fn state(
        &self,
        owner: &StateOwner,
        prefix: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<String, StateValue>, StoreError> {
        Ok(self.tables().values.of(owner, prefix, now))
    }

    async fn chat_values(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<ChatId, String>, StoreError> {
        Ok(self.tables().values.of_chats(key, now))
    }

    async fn log(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        let query = match self.has(Mistake::ChatFilterIgnored) {
            true => LogQuery { chat: None, ..query.clone() },
            false => query.clone(),
        };
        let mut page = self.tables().log(&query);
        if self.has(Mistake::UnreadableHidden) {
            page.unreadable.clear();
        }
        if self.has(Mistake::PageSkipsEntry) {
            page.next = match page.next {
                LogPlace::After(seq) if page.more => LogPlace::After(seq + 1),
                other => other,
            };
        }
        Ok(page)
    }

    async fn export(&self, from: &ExportPlace) -> Result<ExportPage, StoreError> {
        let after = match from {
            ExportPlace::Start => i64::MIN,
            ExportPlace::Entry(seq) => *seq,
            _ => return Ok(self.tables().rest_of_export(self.mistake)),
        };
        let from = LogPlace::After(after);
        let page = self.tables().log(&LogQuery { limit: PAGE, from, ..LogQuery::default() });
        let next = match page.next {
            LogPlace::After(seq) if page.more => ExportPlace::Entry(seq),
            _ => ExportPlace::Values,
        };
        let entries = page.entries.into_iter().map(|entry| Exported::Event(Box::new(entry)));
        let unreadable = page.unreadable.into_iter().map(Exported::Unreadable);
        Ok(ExportPage { items: entries.chain(unreadable).collect(), next: Some(next) })
    }

    async fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        Err(StoreError::Unsupported { instead: "nothing: the model store is for tests" })
    }
}

impl Tables {
    fn log(&self, query: &LogQuery) -> LogPage {
        let is_forward = query.from.is_forward();
        let mut kept: Vec<&KeptEvent> = self.inbox.events.iter().collect();
        if !is_forward {
            kept.reverse();
        }
        let (mut entries, mut unreadable, mut more) = (Vec::new(), Vec::new(), false);
        let mut next = query.from;
        for one in kept.into_iter().filter(|one| is_in(one.seq, query.from)) {
            if entries.len() + unreadable.len() >= query.limit.max(1) as usize {
                more = true;
                break;
            }
            next = if is_forward { LogPlace::After(one.seq) } else { LogPlace::Before(one.seq) };
            let entry = self.entry(one);
            if one.is_spoilt {
                // Of an unreadable event only id, chat, person and time are known.
                let known = LogQuery { rule: None, kind: None, text: None, ..query.clone() };
                if known.fits(&entry) {
                    let (seq, accepted) = (one.seq, one.accepted);
                    let (id, why) = (one.event.id.clone(), "spoilt".to_owned());
                    unreadable.push(Unreadable { seq, id, accepted, why });
                }
            } else if query.fits(&entry) {
                entries.push(entry);
            }
        }
        if !is_forward {
            entries.reverse();
            unreadable.reverse();
        }
        LogPage { entries, unreadable, next, more }
    }

    fn entry(&self, kept: &KeptEvent) -> Logged {
        Logged {
            seq: kept.seq,
            event: kept.event.clone(),
            accepted: kept.accepted,
            handled: kept.handled,
            decided: kept.decided.clone(),
            actions: self.outbox.logged_of(&kept.event.id),
        }
    }

    /// All values and timers.
    fn rest_of_export(&self, mistake: Option<Mistake>) -> ExportPage {
        let mut items = self.values.exported();
        if mistake != Some(Mistake::TimersNotExported) {
            items.extend(self.timers.exported());
        }
        ExportPage { items, next: None }
    }
}

fn is_in(seq: i64, place: LogPlace) -> bool {
    match place {
        LogPlace::Newest => true,
        LogPlace::Before(end) => seq < end,
        LogPlace::After(start) => seq > start,
    }
}
