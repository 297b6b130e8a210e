//! Read access to the data of one account: each call is one statement, so it sees one state; a survey is three.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Chat, ChatId, Depths, EventBody, ExportPage, ExportPlace, Exported, ExportedValue, Fired,
    LogPage, LogPlace, LogQuery, PersonId, Records, Scope, StateOwner, StateValue, StoreError,
    StoreReader, StoreStatus, Survey, Timestamp, TroubledAction, Waiting,
};
use tokio_postgres::Row;

use crate::arguments::text;
use crate::link::{Links, Parameter};
use crate::log;
use crate::turns::number;

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The most values or timers in a page of an export.
const ITEMS: i64 = 500;

/// The largest number of waiting chats in an answer; those that wait longest come first.
const CHATS: i64 = 200;

const STATUS: &str = "
    SELECT (SELECT count(*) FROM mynah.inbox WHERE account = $1),
        (SELECT min(e.accepted) FROM mynah.inbox i JOIN mynah.event e USING (account, seq) WHERE i.account = $1),
        (SELECT count(*) FROM mynah.outbox WHERE account = $1),
        (SELECT min(queued) FROM mynah.outbox WHERE account = $1),
        (SELECT count(*) FROM mynah.timer WHERE account = $1),
        (SELECT min(at) FROM mynah.timer WHERE account = $1),
        (SELECT count(*) FROM mynah.decision WHERE account = $1 AND handled >= $2 AND seq > coalesce((
            SELECT seq FROM mynah.decision WHERE account = $1 AND handled < $2 ORDER BY seq DESC LIMIT 1), 0)),
        (SELECT coalesce(json_object_agg(s.outcome, s.number), '{}') FROM (
            SELECT outcome, count(*) AS number FROM mynah.outcome WHERE account = $1 AND settled >= $2 GROUP BY outcome) s)::text,
        (SELECT coalesce(json_agg(json_build_array(t.id, t.n, t.chat, t.settled, t.outcome, t.reason)), '[]') FROM (
            SELECT e.id, o.n, o.chat, o.settled, o.outcome, o.reason FROM mynah.outcome o
            JOIN mynah.event e ON e.account = o.account AND e.seq = o.event
            WHERE o.account = $1 AND o.outcome IN ('refused', 'expired', 'unknown')
            ORDER BY o.settled DESC, o.event DESC, o.n DESC LIMIT 10) t)::text";

const SETTLED: &str = "SELECT outcome, count(*) FROM mynah.outcome WHERE account = $1 AND settled >= $2 GROUP BY outcome";

const WAITING: &str = "
    SELECT chat, count(*), min(queued), min(expires) FROM mynah.outbox WHERE account = $1
    GROUP BY chat ORDER BY min(queued), chat LIMIT $2";

const STATE: &str = "
    SELECT key, value, expires FROM mynah.state WHERE account = $1 AND scope = $2 AND chat = $3 AND person = $4
    AND starts_with(key, $5) AND (expires IS NULL OR expires > $6)";

const CHAT_VALUES: &str = "
    SELECT chat, value FROM mynah.state
    WHERE account = $1 AND scope = 1 AND key = $2 AND (expires IS NULL OR expires > $3)";

/// The last event of each chat.
const LAST: &str = "
    SELECT DISTINCT ON (lane) body FROM mynah.event WHERE account = $1 AND lane <> '-' AND body IS NOT NULL
    ORDER BY lane, seq DESC";

const VALUES: &str = "
    SELECT scope, chat, person, key, value, expires, name FROM mynah.state
    WHERE account = $1 AND (scope, chat, person, key) > ($2::smallint, $3::text, $4::text, $5::text)
    ORDER BY scope, chat, person, key LIMIT $6";

const TIMERS: &str = "
    SELECT chat, key, body FROM mynah.timer WHERE account = $1 AND (chat, key) > ($2::text, $3::text)
    ORDER BY chat, key LIMIT $4";

/// Reads the data of an account, without a lease.
#[derive(Debug)]
pub(crate) struct PostgresReader {
    links: Arc<Links>,
    account: i32,
}

impl PostgresReader {
    pub(crate) fn new(links: Arc<Links>, account: i32) -> Self {
        Self { links, account }
    }

    async fn query(
        &self,
        sql: &'static str,
        more: &[Parameter<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        let mut all: Vec<Parameter<'_>> = vec![&self.account];
        all.extend_from_slice(more);
        self.links.reading().query(sql, &all).await
    }

    async fn entries(&self, after: i64) -> Result<ExportPage, StoreError> {
        let query = LogQuery { from: LogPlace::After(after), ..LogQuery::default() };
        let LogPage { entries, unreadable, next, more } = self.log(&query).await?;
        let next = match next {
            LogPlace::After(seq) if more => ExportPlace::Entry(seq),
            _ => ExportPlace::Values,
        };
        let entries = entries.into_iter().map(|entry| Exported::Event(Box::new(entry)));
        let items = entries.chain(unreadable.into_iter().map(Exported::Unreadable)).collect();
        Ok(ExportPage { items, next: Some(next) })
    }

    async fn values(
        &self,
        (scope, chat, person, key): (i16, &str, &str, &str),
    ) -> Result<ExportPage, StoreError> {
        let (chat, person, key) = (text(chat), text(person), text(key));
        let rows = self.query(VALUES, &[&scope, &chat, &person, &key, &ITEMS]).await?;
        let found: Vec<ExportedValue> = rows.iter().map(value).collect();
        let next = match found.last().filter(|_| is_full(&rows)) {
            Some(last) => ExportPlace::Value(owner(last), last.key.clone()),
            None => ExportPlace::Timers,
        };
        let items = found.into_iter().map(Exported::State).collect();
        Ok(ExportPage { items, next: Some(next) })
    }

    async fn timers(&self, chat: &str, key: &str) -> Result<ExportPage, StoreError> {
        let rows = self.query(TIMERS, &[&text(chat), &text(key), &ITEMS]).await?;
        let next = rows.last().filter(|_| is_full(&rows)).map(|last| {
            let chat: String = last.get(0);
            ExportPlace::Timer((!chat.is_empty()).then(|| ChatId::new(chat)), last.get(1))
        });
        // A timer of an unknown form is exported as text.
        let timer = |row: &Row| {
            let body: &str = row.get(2);
            serde_json::from_str(body).unwrap_or_else(|_| serde_json::Value::from(body))
        };
        Ok(ExportPage { items: rows.iter().map(timer).map(Exported::Timer).collect(), next })
    }

    async fn fired(&self) -> Result<BTreeMap<String, Fired>, StoreError> {
        let sql = "SELECT rule, sum(times)::bigint, max(last) FROM mynah.hit WHERE account = $1 AND rule <> '' GROUP BY rule";
        let rows = self.query(sql, &[]).await?;
        let fired = |row: &Row| Fired {
            times: unsigned(row.get(1)),
            last: Timestamp::from_millis(row.get(2)),
        };
        Ok(rows.iter().map(|row| (row.get(0), fired(row))).collect())
    }

    async fn chats(&self) -> Result<Vec<Chat>, StoreError> {
        let rows = self.query(LAST, &[]).await?;
        // Skips entries of an older version that this version cannot read.
        let chat = |row: &Row| match serde_json::from_str(row.get(0)).ok()? {
            EventBody::Message(message) => Some(message.chat),
            EventBody::Notice(notice) => Some(notice.chat),
            EventBody::Due(due) => due.chat,
            EventBody::Started => None,
        };
        let mut chats: Vec<Chat> = rows.iter().filter_map(chat).collect();
        chats.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(chats)
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn moment(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp::from_millis)
}

fn is_full(rows: &[Row]) -> bool {
    i64::try_from(rows.len()).is_ok_and(|rows| rows == ITEMS)
}

fn value(row: &Row) -> ExportedValue {
    let scope = match row.get::<_, i16>(0) {
        0 => Scope::Bot,
        1 => Scope::Chat,
        _ => Scope::Person,
    };
    ExportedValue {
        scope,
        chat: row.get(1),
        person: row.get(2),
        key: row.get(3),
        value: row.get(4),
        expires: moment(row.get(5)),
        name: row.get(6),
    }
}

fn owner(value: &ExportedValue) -> StateOwner {
    let (chat, person) = (value.chat.as_str(), value.person.as_str());
    match value.scope {
        Scope::Bot => StateOwner::Bot,
        Scope::Chat => StateOwner::Chat(chat.into()),
        Scope::Person => StateOwner::Person(chat.into(), person.into()),
    }
}

/// An action that failed as JSON: event, number, chat, time, outcome, reason.
type TroubledRow = (String, u32, String, i64, String, Option<String>);

fn troubled((event, n, chat, time, outcome, reason): TroubledRow) -> TroubledAction {
    TroubledAction {
        id: format!("{event}#{n}"),
        chat: ChatId::new(chat),
        time: Timestamp::from_millis(time),
        outcome,
        reason,
    }
}

#[async_trait]
impl StoreReader for PostgresReader {
    async fn depths(&self) -> Result<Depths, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM mynah.inbox WHERE account = $1),
                (SELECT count(*) FROM mynah.outbox WHERE account = $1)";
        let rows = self.query(sql, &[]).await?;
        Ok(Depths { events: unsigned(rows[0].get(0)), actions: unsigned(rows[0].get(1)) })
    }

    async fn status(&self, now: Timestamp) -> Result<StoreStatus, StoreError> {
        let day_ago = (now - Duration::from_millis(DAY.unsigned_abs())).as_millis();
        let rows = self.query(STATUS, &[&day_ago]).await?;
        let row = &rows[0];
        let failed = crate::error::unreadable;
        let failures: Vec<TroubledRow> = serde_json::from_str(row.get(8)).map_err(failed)?;
        Ok(StoreStatus {
            open_events: unsigned(row.get(0)),
            oldest_event: moment(row.get(1)),
            open_actions: unsigned(row.get(2)),
            oldest_action: moment(row.get(3)),
            timers: unsigned(row.get(4)),
            next_timer: moment(row.get(5)),
            handled_today: unsigned(row.get(6)),
            settled_today: serde_json::from_str(row.get(7)).map_err(failed)?,
            troubled: failures.into_iter().map(troubled).collect(),
        })
    }

    async fn settled(&self, since: Timestamp) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = self.query(SETTLED, &[&since.as_millis()]).await?;
        Ok(rows.iter().map(|row| (row.get(0), unsigned(row.get(1)))).collect())
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows = self.query(WAITING, &[&CHATS]).await?;
        let waiting = |row: &Row| Waiting {
            chat: ChatId::new(row.get::<_, String>(0)),
            actions: unsigned(row.get(1)),
            since: Timestamp::from_millis(row.get(2)),
            expires: moment(row.get(3)),
        };
        Ok(rows.iter().map(waiting).collect())
    }

    async fn survey(&self) -> Result<Survey, StoreError> {
        let sql = "SELECT min(day) FROM mynah.hit WHERE account = $1 AND rule = ''";
        let first: Option<i32> = self.query(sql, &[]).await?[0].get(0);
        Ok(Survey {
            since: first.map(|day| Timestamp::from_millis(i64::from(day) * DAY)),
            fired: self.fired().await?,
            chats: self.chats().await?,
        })
    }

    async fn records(&self) -> Result<Records, StoreError> {
        let sql = "SELECT key, value FROM mynah.record WHERE account = $1";
        let rows = self.query(sql, &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn state(
        &self,
        owner: &StateOwner,
        prefix: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<String, StateValue>, StoreError> {
        let scope = number(owner.scope());
        let chat = text(owner.chat().map_or("", ChatId::as_str));
        let person = text(owner.person().map_or("", PersonId::as_str));
        let parameters: [Parameter<'_>; 5] =
            [&scope, &chat, &person, &text(prefix), &now.as_millis()];
        let rows = self.query(STATE, &parameters).await?;
        let value = |row: &Row| StateValue { text: row.get(1), expires: moment(row.get(2)) };
        Ok(rows.iter().map(|row| (row.get(0), value(row))).collect())
    }

    async fn chat_values(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<ChatId, String>, StoreError> {
        let rows = self.query(CHAT_VALUES, &[&text(key), &now.as_millis()]).await?;
        Ok(rows.iter().map(|row| (ChatId::new(row.get::<_, String>(0)), row.get(1))).collect())
    }

    async fn log(&self, query: &LogQuery) -> Result<LogPage, StoreError> {
        log::log(self.links.reading(), self.account, query).await
    }

    async fn export(&self, from: &ExportPlace) -> Result<ExportPage, StoreError> {
        match from {
            ExportPlace::Start => self.entries(i64::MIN).await,
            ExportPlace::Entry(seq) => self.entries(*seq).await,
            ExportPlace::Values => self.values((-1, "", "", "")).await,
            ExportPlace::Value(owner, key) => {
                let chat = owner.chat().map_or("", ChatId::as_str);
                let person = owner.person().map_or("", PersonId::as_str);
                self.values((number(owner.scope()), chat, person, key)).await
            }
            // No timer has an empty key.
            ExportPlace::Timers => self.timers("", "").await,
            ExportPlace::Timer(chat, key) => {
                self.timers(chat.as_ref().map_or("", ChatId::as_str), key).await
            }
        }
    }

    async fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        let instead = "make a backup of the database with its own tools, as pg_dump";
        Err(StoreError::Unsupported { instead })
    }
}
