//! The data of an account row by row, for moving it between two kinds of stores.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// A store that is open for a move. Holding it is the lease, as for a [`Store`](crate::Store), so that no process runs the
/// account meanwhile.
///
/// The mark of a store is durable. A store with a mark is refused to everyone else who wants to work with it; see
/// [`Stores::open`](crate::Stores::open).
#[async_trait]
pub trait MovingStore: Send + Sync {
    /// The mark; `None` if the data is here and nowhere else.
    async fn mark(&self) -> Result<Option<MoveMark>, StoreError>;

    /// Sets or removes the mark. Survives a power failure.
    async fn set_mark(&self, mark: Option<&MoveMark>) -> Result<(), StoreError>;

    /// Whether there is no data.
    async fn is_empty(&self) -> Result<bool, StoreError>;

    /// Deletes all data, and sets the mark in the same transaction.
    async fn clear(&self, mark: &MoveMark) -> Result<(), StoreError>;

    /// The rows behind a place: at most a limited number, in the same order in every kind of store.
    async fn rows(&self, after: &RowPlace) -> Result<RowPage, StoreError>;

    /// Adds rows of another store and replaces the mark `before`, both or none. If the mark was replaced already, a former
    /// call did it and the rows are not added again.
    async fn put(
        &self,
        rows: &[StoredRow],
        before: &MoveMark,
        mark: &MoveMark,
    ) -> Result<(), StoreError>;

    /// Ends the work before the store is dropped.
    async fn close(&self) -> Result<(), StoreError>;
}

/// What a move has done to the data of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum MoveMark {
    /// It is being moved away.
    Leaving {
        /// The id of the move.
        id: String,
        /// The other place, for people.
        to: String,
    },
    /// It was moved away; the data here is a copy of then.
    Moved {
        /// The id of the move.
        id: String,
        /// The other place, for people.
        to: String,
    },
    /// It is being moved here and is not complete.
    Arriving {
        /// The id of the move.
        id: String,
        /// The other place, for people.
        from: String,
        /// The place of the last row that has arrived.
        after: RowPlace,
    },
}

impl MoveMark {
    /// The id of the move.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Leaving { id, .. } | Self::Moved { id, .. } | Self::Arriving { id, .. } => id,
        }
    }

    /// The refusal to work with data that has this mark.
    #[must_use]
    pub fn refusal(&self, place: &str) -> StoreError {
        let place = place.to_owned();
        match self {
            Self::Moved { to, .. } => StoreError::Moved { place, to: to.clone() },
            Self::Leaving { to, .. } => {
                StoreError::Moving { place, direction: "to", other: to.clone() }
            }
            Self::Arriving { from, .. } => {
                StoreError::Moving { place, direction: "from", other: from.clone() }
            }
        }
    }
}

/// A page of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowPage {
    /// The rows; possibly none.
    pub rows: Vec<StoredRow>,
    /// The place behind them; `None` at the end.
    pub next: Option<RowPlace>,
}

/// A place among the rows. The kinds of rows follow each other in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowPlace {
    /// The start.
    #[default]
    Start,
    /// After the event of this number.
    Event(i64),
    /// After the events.
    Ids,
    /// After the id that was seen at this time.
    Id(i64, String),
    /// After the ids.
    Values,
    /// After the value of this scope, chat, person and key.
    Value(i16, String, String, String),
    /// After the values.
    Timers,
    /// After the timer of this chat and key.
    Timer(String, String),
    /// After the timers.
    Records,
    /// After the record of this key.
    Record(String),
    /// After the records.
    Hits,
    /// After the count of this day and rule.
    Hit(i64, String),
}

/// A row. Texts of JSON are as they are stored: they may be in a form that this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredRow {
    /// An event with its decision and its actions.
    Event(Box<StoredEvent>),
    /// The id of an event that is not in the log any more.
    Id(StoredId),
    /// A value of state.
    Value(StoredValue),
    /// A timer.
    Timer(StoredTimer),
    /// A record of the transport.
    Record(StoredRecord),
    /// The count of a rule.
    Hit(StoredHit),
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Its number; numbers rise in the order of acceptance.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// Its lane.
    pub lane: String,
    /// Its time.
    pub time: i64,
    /// When it was accepted.
    pub accepted: i64,
    /// Whether it is from a private chat.
    pub private: bool,
    /// The id of its message, unless the id of the event gives it.
    pub message: Option<String>,
    /// The id of its person.
    pub person: Option<String>,
    /// Its body as JSON, unless that was dropped.
    pub body: Option<String>,
    /// The number of times that a process ended on it.
    pub attempts: i64,
    /// Whether a turn has begun.
    pub begun: bool,
    /// When it was handled.
    pub handled: Option<i64>,
    /// The decision as JSON, unless that was dropped.
    pub decided: Option<String>,
    /// The number of its action 0, whether it still exists or not; numbers rise in the order of commits.
    pub first_action: Option<i64>,
    /// Its actions, in the order of `n`.
    pub actions: Vec<StoredAction>,
}

/// An action as it is stored. Its number is that of the first of its event plus `n`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAction {
    /// Its number within the turn.
    pub n: i64,
    /// Its chat.
    pub chat: String,
    /// Its place in the order of the chat.
    pub turn_order: i64,
    /// When it was queued.
    pub queued: i64,
    /// Its body as JSON, unless that was dropped.
    pub body: Option<String>,
    /// It is not sent before.
    pub not_before: i64,
    /// It is not sent from then on.
    pub expires: Option<i64>,
    /// The number of claims.
    pub attempts: i64,
    /// The number of unknown outcomes.
    pub doubts: i64,
    /// When it was claimed, while it is.
    pub claimed: Option<i64>,
    /// When it was last claimed.
    pub last_claim: Option<i64>,
    /// The request of the last claim may be under way until then.
    pub until: Option<i64>,
    /// When it was settled.
    pub settled: Option<i64>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The reason of the last failure.
    pub reason: Option<String>,
    /// The message that the service made of it.
    pub message: Option<String>,
}

/// The id of an event that is not in the log any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredId {
    /// The id.
    pub id: String,
    /// When it was accepted.
    pub accepted: i64,
}

/// A value of state as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredValue {
    /// 0 for the bot, 1 for a chat, 2 for a person in a chat.
    pub scope: i16,
    /// The chat, or empty.
    pub chat: String,
    /// The person, or empty.
    pub person: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Its version.
    pub version: i64,
    /// When it expires.
    pub expires: Option<i64>,
    /// The name of the person when it last changed.
    pub name: Option<String>,
}

/// A timer as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredTimer {
    /// The chat, or empty.
    pub chat: String,
    /// The key.
    pub key: String,
    /// When it is due.
    pub at: i64,
    /// The timer as JSON.
    pub body: String,
}

/// A record of the transport.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRecord {
    /// The key.
    pub key: String,
    /// The value, which may be a secret.
    pub value: String,
}

impl std::fmt::Debug for StoredRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredRecord").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The count of a rule on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredHit {
    /// The day.
    pub day: i64,
    /// The rule; empty for all turns.
    pub rule: String,
    /// The number of times.
    pub times: i64,
    /// The last time.
    pub last: i64,
}

impl StoredRow {
    /// The place behind this row.
    #[must_use]
    pub fn place(&self) -> RowPlace {
        match self {
            Self::Event(event) => RowPlace::Event(event.seq),
            Self::Id(StoredId { id, accepted }) => RowPlace::Id(*accepted, id.clone()),
            Self::Value(StoredValue { scope, chat, person, key, .. }) => {
                RowPlace::Value(*scope, chat.clone(), person.clone(), key.clone())
            }
            Self::Timer(StoredTimer { chat, key, .. }) => {
                RowPlace::Timer(chat.clone(), key.clone())
            }
            Self::Record(StoredRecord { key, .. }) => RowPlace::Record(key.clone()),
            Self::Hit(StoredHit { day, rule, .. }) => RowPlace::Hit(*day, rule.clone()),
        }
    }

    /// The row with the mark of an unknown character in place of each NUL, which not every store can keep.
    #[must_use]
    pub fn without_nul(mut self) -> Self {
        match &mut self {
            Self::Event(event) => {
                let StoredEvent { id, lane, message, person, body, decided, actions, .. } =
                    &mut **event;
                replace_nul(
                    [id, lane]
                        .into_iter()
                        .chain([message, person, body, decided].into_iter().flatten()),
                );
                for action in actions {
                    let StoredAction { chat, body, outcome, reason, message, .. } = action;
                    replace_nul(
                        [chat]
                            .into_iter()
                            .chain([body, outcome, reason, message].into_iter().flatten()),
                    );
                }
            }
            Self::Id(StoredId { id, .. }) => replace_nul([id]),
            Self::Value(StoredValue { chat, person, key, value, name, .. }) => {
                replace_nul([chat, person, key, value].into_iter().chain(name));
            }
            Self::Timer(StoredTimer { chat, key, body, .. }) => replace_nul([chat, key, body]),
            Self::Record(StoredRecord { key, value }) => replace_nul([key, value]),
            Self::Hit(StoredHit { rule, .. }) => replace_nul([rule]),
        }
        self
    }
}

fn replace_nul<'a>(texts: impl IntoIterator<Item = &'a mut String>) {
    for text in texts.into_iter().filter(|text| text.contains('\0')) {
        *text = text.replace('\0', "\u{fffd}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn marks_and_rows_keep_their_meaning_as_json() {
        let after = RowPlace::Value(2, "g".into(), "p".into(), "k".into());
        let mark = MoveMark::Arriving { id: "1".into(), from: "data".into(), after };
        let json = serde_json::to_string(&mark).unwrap();
        assert_eq!(serde_json::from_str::<MoveMark>(&json).unwrap(), mark, "{json}");
        let start = serde_json::to_string(&RowPlace::Start).unwrap();
        assert_eq!(serde_json::from_str::<RowPlace>(&start).unwrap(), RowPlace::Start);
    }

    #[test]
    fn a_nul_is_replaced_and_its_escape_in_json_is_not() {
        let row = |key: &str| {
            StoredRow::Timer(StoredTimer {
                chat: "g".into(),
                key: key.into(),
                at: 1,
                body: r#""\u0000""#.into(),
            })
        };
        assert_eq!(row("a\0b").without_nul(), row("a\u{fffd}b"));
        assert_eq!(row("a").without_nul(), row("a"));
    }

    /// Puts a NUL into each text of a tree. Returns how many there are.
    fn fill(value: &mut Value) -> usize {
        match value {
            Value::Array(values) => values.iter_mut().map(fill).sum(),
            Value::Object(values) => values.values_mut().map(fill).sum(),
            Value::String(text) => {
                *text = "a\0b".to_owned();
                1
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }

    /// A text that was added to a row and is not looked at would stop a move.
    #[test]
    fn no_text_of_a_row_keeps_a_nul() {
        let action = json!({
            "n": 0, "chat": "", "turn_order": 0, "queued": 0, "body": "", "not_before": 0, "attempts": 0, "doubts": 0,
            "outcome": "", "reason": "", "message": "",
        });
        let event = json!({
            "seq": 0, "id": "", "lane": "", "time": 0, "accepted": 0, "private": false, "message": "", "person": "",
            "body": "", "attempts": 0, "begun": false, "decided": "", "actions": [action],
        });
        let value = json!({
            "scope": 0, "chat": "", "person": "", "key": "", "value": "", "version": 0, "name": "",
        });
        let rows = [
            (json!({ "event": event }), 11),
            (json!({ "id": { "id": "", "accepted": 0 } }), 1),
            (json!({ "value": value }), 5),
            (json!({ "timer": { "chat": "", "key": "", "at": 0, "body": "" } }), 3),
            (json!({ "record": { "key": "", "value": "" } }), 2),
            (json!({ "hit": { "day": 0, "rule": "", "times": 0, "last": 0 } }), 1),
        ];
        for (mut row, texts) in rows {
            assert_eq!(fill(&mut row), texts, "{row}");
            let row: StoredRow = serde_json::from_value(row).unwrap();
            let json = serde_json::to_value(row.without_nul()).unwrap().to_string();
            assert!(!json.contains("\\u0000"), "{json}");
        }
    }

    #[test]
    fn a_record_is_not_shown() {
        let record = StoredRecord { key: "session".into(), value: "s3cret".into() };
        assert!(!format!("{record:?}").contains("s3cret"));
    }
}
