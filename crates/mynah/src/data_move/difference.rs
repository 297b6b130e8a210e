//! The first difference between the rows of two stores, in words for people.

use std::fmt;

use mynah_core::{
    StoredHit, StoredId, StoredRecord, StoredRow, StoredTimer, StoredValue, Timestamp,
};

/// Describes rows at the same place of the data and of its copy. The keys of rows are shown, not their content.
pub(super) fn difference(row: Option<&StoredRow>, copy: Option<&StoredRow>) -> String {
    match (row, copy) {
        (Some(row), Some(copy)) if row.place() == copy.place() => {
            format!("{} has another content in the copy", Words(row))
        }
        (Some(row), Some(copy)) => {
            format!("in place of {} the copy has {}", Words(row), Words(copy))
        }
        (Some(row), None) => format!("{} is missing in the copy", Words(row)),
        (None, Some(copy)) => format!("the copy also has {}", Words(copy)),
        (None, None) => String::new(),
    }
}

/// The name of a row: its table and its key.
struct Words<'r>(&'r StoredRow);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            StoredRow::Event(event) => {
                write!(f, "row {} of the events, {:?} with its actions,", event.seq, event.id)
            }
            StoredRow::Id(StoredId { id, .. }) => {
                write!(f, "the row of the event ids with {id:?}")
            }
            StoredRow::Value(StoredValue { chat, person, key, .. }) => {
                write!(f, "the row of the values with the key {key:?}{}", Of { chat, person })
            }
            StoredRow::Timer(StoredTimer { chat, key, .. }) => {
                write!(f, "the row of the timers with the key {key:?}{}", Of { chat, person: "" })
            }
            StoredRow::Record(StoredRecord { key, .. }) => {
                write!(f, "the row of the records with the key {key:?}")
            }
            StoredRow::Hit(StoredHit { day, rule, .. }) => {
                write!(f, "the row of the counts of rules with the day {} and ", date(*day))?;
                match rule.as_str() {
                    "" => f.write_str("all rules"),
                    rule => write!(f, "the rule {rule:?}"),
                }
            }
        }
    }
}

/// The chat and the person of a row, if it has them.
struct Of<'r> {
    chat: &'r str,
    person: &'r str,
}

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { chat, person } = self;
        match (chat.is_empty(), person.is_empty()) {
            (true, true) => Ok(()),
            (false, true) => write!(f, " of the chat {chat:?}"),
            (true, false) => write!(f, " of the person {person:?}"),
            (false, false) => write!(f, " of the person {person:?} in the chat {chat:?}"),
        }
    }
}

/// A day of UTC as a date.
fn date(day: i64) -> String {
    const SECONDS: i64 = 24 * 60 * 60;
    let begin = Timestamp::from_secs(day.saturating_mul(SECONDS)).to_string();
    begin.split('T').next().unwrap_or_default().to_owned()
}
