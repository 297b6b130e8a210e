//! The data row by row, for moving it between kinds of stores.

use async_trait::async_trait;
use mynah_core::{
    Action, MoveMark, MovingStore, RowPage, RowPlace, Store, StoreError, StoredAction, StoredEvent,
    StoredHit, StoredId, StoredRecord, StoredRow, StoredTimer, StoredValue, Timer,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::PostgresStore;
use crate::arguments::{json, text};
use crate::error::unreadable;
use crate::link::Parameter;
use crate::queries;
use crate::turns::into_event;

/// The most rows in a page.
const ROWS: i64 = 500;

#[async_trait]
impl MovingStore for PostgresStore {
    async fn mark(&self) -> Result<Option<MoveMark>, StoreError> {
        let rows = self.quick(queries::MOVE_MARK, &[]).await?;
        let text: Option<String> = rows[0].get(0);
        // A mark that cannot be read is one of a newer version.
        let unknown = |_| MoveMark::Leaving { id: String::new(), to: "another store".to_owned() };
        Ok(text.map(|text| serde_json::from_str(&text).unwrap_or_else(unknown)))
    }

    async fn set_mark(&self, mark: Option<&MoveMark>) -> Result<(), StoreError> {
        self.write_mark(mark, false).await
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.quick(queries::MOVE_IS_EMPTY, &[]).await?[0].get(0))
    }

    async fn clear(&self, mark: &MoveMark) -> Result<(), StoreError> {
        self.write_mark(Some(mark), true).await
    }

    async fn rows(&self, after: &RowPlace) -> Result<RowPage, StoreError> {
        let (rows, end) = match after {
            RowPlace::Start => (self.events(i64::MIN).await?, Some(RowPlace::Ids)),
            RowPlace::Event(seq) => (self.events(*seq).await?, Some(RowPlace::Ids)),
            RowPlace::Ids => (self.ids(i64::MIN, "").await?, Some(RowPlace::Values)),
            RowPlace::Id(accepted, id) => (self.ids(*accepted, id).await?, Some(RowPlace::Values)),
            RowPlace::Values => (self.values((-1, "", "", "")).await?, Some(RowPlace::Timers)),
            RowPlace::Value(scope, chat, person, key) => {
                (self.values((*scope, chat, person, key)).await?, Some(RowPlace::Timers))
            }
            RowPlace::Timers => (self.timers("", "").await?, Some(RowPlace::Records)),
            RowPlace::Timer(chat, key) => (self.timers(chat, key).await?, Some(RowPlace::Records)),
            RowPlace::Records => (self.records_after("").await?, Some(RowPlace::Hits)),
            RowPlace::Record(key) => (self.records_after(key).await?, Some(RowPlace::Hits)),
            RowPlace::Hits => (self.hits(i64::MIN, "").await?, None),
            RowPlace::Hit(day, rule) => (self.hits(*day, rule).await?, None),
        };
        let is_full = rows.len() as u64 == ROWS.unsigned_abs();
        let place = rows.last().map(StoredRow::place).filter(|_| is_full);
        Ok(RowPage { rows, next: place.or(end) })
    }

    async fn put(
        &self,
        rows: &[StoredRow],
        before: &MoveMark,
        mark: &MoveMark,
    ) -> Result<(), StoreError> {
        let (before, mark, rows) = (json(before)?, json(mark)?, json(&Rows::of(rows))?);
        let is_put = self.durable(queries::MOVE_PUT, &[&before, &mark, &rows]).await?[0].get(0);
        if is_put { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    async fn close(&self) -> Result<(), StoreError> {
        Store::close(self).await
    }
}

impl PostgresStore {
    async fn write_mark(&self, mark: Option<&MoveMark>, clears: bool) -> Result<(), StoreError> {
        let is_moved = matches!(mark, Some(MoveMark::Moved { .. }));
        let mark = mark.map(json).transpose()?;
        self.durable(queries::MOVE_SET_MARK, &[&mark, &is_moved, &clears]).await.map(drop)
    }

    /// The rows of a function that returns each as JSON.
    async fn stored<T: DeserializeOwned>(
        &self,
        sql: &'static str,
        parameters: &[Parameter<'_>],
        row: impl Fn(T) -> StoredRow,
    ) -> Result<Vec<StoredRow>, StoreError> {
        let read = |found: &tokio_postgres::Row| {
            serde_json::from_str(found.get(0)).map(&row).map_err(unreadable)
        };
        self.quick(sql, parameters).await?.iter().map(read).collect()
    }

    async fn events(&self, after: i64) -> Result<Vec<StoredRow>, StoreError> {
        let row = |event: Box<StoredEvent>| StoredRow::Event(event);
        self.stored(queries::MOVE_EVENTS, &[&after, &ROWS], row).await
    }

    async fn ids(&self, accepted: i64, id: &str) -> Result<Vec<StoredRow>, StoreError> {
        self.stored::<StoredId>(queries::MOVE_IDS, &[&accepted, &text(id), &ROWS], StoredRow::Id)
            .await
    }

    async fn values(
        &self,
        (scope, chat, person, key): (i16, &str, &str, &str),
    ) -> Result<Vec<StoredRow>, StoreError> {
        let parameters: [Parameter<'_>; 5] =
            [&scope, &text(chat), &text(person), &text(key), &ROWS];
        self.stored::<StoredValue>(queries::MOVE_VALUES, &parameters, StoredRow::Value).await
    }

    async fn timers(&self, chat: &str, key: &str) -> Result<Vec<StoredRow>, StoreError> {
        let parameters: [Parameter<'_>; 3] = [&text(chat), &text(key), &ROWS];
        self.stored::<StoredTimer>(queries::MOVE_TIMERS, &parameters, StoredRow::Timer).await
    }

    async fn records_after(&self, key: &str) -> Result<Vec<StoredRow>, StoreError> {
        let parameters: [Parameter<'_>; 2] = [&text(key), &ROWS];
        self.stored::<StoredRecord>(queries::MOVE_RECORDS, &parameters, StoredRow::Record).await
    }

    async fn hits(&self, day: i64, rule: &str) -> Result<Vec<StoredRow>, StoreError> {
        let parameters: [Parameter<'_>; 3] = [&day, &text(rule), &ROWS];
        self.stored::<StoredHit>(queries::MOVE_HITS, &parameters, StoredRow::Hit).await
    }
}

/// Rows as `move_put_1` takes them: a list for each table.
#[derive(Debug, Default, Serialize)]
struct Rows<'a> {
    events: Vec<&'a StoredEvent>,
    actions: Vec<ActionRow<'a>>,
    ids: Vec<&'a StoredId>,
    values: Vec<&'a StoredValue>,
    timers: Vec<TimerRow<'a>>,
    records: Vec<&'a StoredRecord>,
    hits: Vec<&'a StoredHit>,
}

impl<'a> Rows<'a> {
    fn of(rows: &'a [StoredRow]) -> Self {
        let mut all = Self::default();
        for row in rows {
            match row {
                StoredRow::Event(event) => {
                    all.actions
                        .extend(event.actions.iter().map(|action| ActionRow::of(event, action)));
                    all.events.push(event);
                }
                StoredRow::Id(id) => all.ids.push(id),
                StoredRow::Value(value) => all.values.push(value),
                StoredRow::Timer(timer) => all.timers.push(TimerRow::of(timer)),
                StoredRow::Record(record) => all.records.push(record),
                StoredRow::Hit(hit) => all.hits.push(hit),
            }
        }
        all
    }
}

/// An action with its number, that of its event, and whether it writes a row of a table.
#[derive(Debug, Serialize)]
struct ActionRow<'a> {
    event: i64,
    seq: i64,
    saves: bool,
    #[serde(flatten)]
    action: &'a StoredAction,
}

impl<'a> ActionRow<'a> {
    fn of(event: &StoredEvent, action: &'a StoredAction) -> Self {
        let body = action.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        let saves = matches!(body, Some(Action::Save { .. }));
        let seq = event.first_action.unwrap_or_default() + action.n;
        Self { event: event.seq, seq, saves, action }
    }
}

/// A timer with the event that it becomes. One that cannot be read becomes an event that cannot be read.
#[derive(Debug, Serialize)]
struct TimerRow<'a> {
    #[serde(flatten)]
    timer: &'a StoredTimer,
    person: Option<String>,
    lane: String,
    event_id: String,
    event_body: String,
}

impl<'a> TimerRow<'a> {
    fn of(timer: &'a StoredTimer) -> Self {
        let of = |text_of: &str| text(text_of).into_owned();
        let Ok(read) = serde_json::from_str::<Timer>(&timer.body) else {
            let event_id = format!("due:{}:{}", timer.chat, timer.key);
            let (lane, event_body) = ("-".to_owned(), String::new());
            return Self { timer, person: None, lane, event_id, event_body };
        };
        let event = into_event(read);
        Self {
            timer,
            person: event.person().map(|person| of(person.id.as_str())),
            lane: of(event.lane().as_str()),
            event_id: of(event.id.as_str()),
            event_body: serde_json::to_string(&event.body).unwrap_or_default(),
        }
    }
}
