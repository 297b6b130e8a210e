//! Read access to the data of one account: each call is one statement, so it sees one state; a survey is two.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{
    Chat, ChatId, Depths, EventBody, ExportPage, ExportPlace, Exported, ExportedValue, Fired,
    LogPage, LogPlace, LogQuery, PersonId, Records, SavedRow, Scope, StateOwner, StateValue,
    StoreError, StoreReader, StoreStatus, Survey, Timestamp, TroubledAction, Waiting,
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

/// The most saved rows of an answer.
const ROWS: i64 = 1000;

/// The largest number of waiting chats in an answer; those that wait longest come first.
const CHATS: i64 = 200;

/// A statement that runs a function of `schema/reading.sql`, with the account and these parameters.
macro_rules! read {
    ($name:literal $(, $n:literal)*) => {
        concat!("SELECT * FROM mynah.", $name, "($1", $(", $", $n,)* ")")
    };
}

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
        let rows = self
            .query(read!("export_values_1", 2, 3, 4, 5, 6), &[&scope, &chat, &person, &key, &ITEMS])
            .await?;
        let found: Vec<ExportedValue> = rows.iter().map(value).collect();
        let next = match found.last().filter(|_| is_full(&rows)) {
            Some(last) => ExportPlace::Value(owner(last), last.key.clone()),
            None => ExportPlace::Timers,
        };
        let items = found.into_iter().map(Exported::State).collect();
        Ok(ExportPage { items, next: Some(next) })
    }

    async fn timers(&self, chat: &str, key: &str) -> Result<ExportPage, StoreError> {
        let rows = self
            .query(read!("export_timers_1", 2, 3, 4), &[&text(chat), &text(key), &ITEMS])
            .await?;
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

    /// The rules that fired, and the first day that is counted.
    async fn fired(&self) -> Result<(BTreeMap<String, Fired>, Option<i32>), StoreError> {
        let rows = self.query(read!("hits_1"), &[]).await?;
        let fired = |row: &Row| Fired {
            times: unsigned(row.get(1)),
            last: Timestamp::from_millis(row.get(2)),
        };
        let mut all: BTreeMap<String, Fired> =
            rows.iter().map(|row| (row.get(0), fired(row))).collect();
        // The row with an empty name counts all turns.
        all.remove("");
        let first = rows.iter().find(|row| row.get::<_, &str>(0).is_empty());
        Ok((all, first.map(|row| row.get(3))))
    }

    async fn chats(&self) -> Result<Vec<Chat>, StoreError> {
        let rows = self.query(read!("chats_1"), &[]).await?;
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
        let rows = self.query(read!("depths_1"), &[]).await?;
        Ok(Depths { events: unsigned(rows[0].get(0)), actions: unsigned(rows[0].get(1)) })
    }

    async fn status(&self, now: Timestamp) -> Result<StoreStatus, StoreError> {
        let day_ago = (now - Duration::from_millis(DAY.unsigned_abs())).as_millis();
        let rows = self.query(read!("status_1", 2), &[&day_ago]).await?;
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
        let rows = self.query(read!("settled_1", 2), &[&since.as_millis()]).await?;
        Ok(rows.iter().map(|row| (row.get(0), unsigned(row.get(1)))).collect())
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows = self.query(read!("waiting_1", 2), &[&CHATS]).await?;
        let waiting = |row: &Row| Waiting {
            chat: ChatId::new(row.get::<_, String>(0)),
            actions: unsigned(row.get(1)),
            since: Timestamp::from_millis(row.get(2)),
            expires: moment(row.get(3)),
        };
        Ok(rows.iter().map(waiting).collect())
    }

    async fn survey(&self) -> Result<Survey, StoreError> {
        let (fired, first) = self.fired().await?;
        Ok(Survey {
            since: first.map(|day| Timestamp::from_millis(i64::from(day) * DAY)),
            fired,
            chats: self.chats().await?,
        })
    }

    async fn records(&self) -> Result<Records, StoreError> {
        let rows = self.query(read!("read_records_1"), &[]).await?;
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
        let rows = self.query(read!("values_1", 2, 3, 4, 5, 6), &parameters).await?;
        let value = |row: &Row| StateValue { text: row.get(1), expires: moment(row.get(2)) };
        Ok(rows.iter().map(|row| (row.get(0), value(row))).collect())
    }

    async fn chat_values(
        &self,
        key: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<ChatId, String>, StoreError> {
        let rows =
            self.query(read!("chat_values_1", 2, 3), &[&text(key), &now.as_millis()]).await?;
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

    async fn saved_files(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = self.query(read!("saved_files_1"), &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), unsigned(row.get(1)))).collect())
    }

    async fn saved_rows(&self, file: &str, after: i64) -> Result<Vec<SavedRow>, StoreError> {
        let rows =
            self.query(read!("saved_rows_1", 2, 3, 4), &[&text(file), &after, &ROWS]).await?;
        let saved = |row: &Row| SavedRow {
            seq: row.get(0),
            at: Timestamp::from_millis(row.get(1)),
            cells: row.get(2),
        };
        Ok(rows.iter().map(saved).collect())
    }

    async fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        let instead = "make a backup of the database with its own tools, as pg_dump";
        Err(StoreError::Unsupported { instead })
    }
}
