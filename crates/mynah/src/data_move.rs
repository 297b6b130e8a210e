//! Moves the data of an account from one store to another.
//!
//! Both stores carry a durable mark while a move is under way, so that no process works with either of them. First the
//! other store is marked, then this one; then rows are copied, compared, and this store is marked as moved before the other
//! one is opened. A move that was interrupted at any point goes on when it is repeated.

use std::collections::VecDeque;

use mynah_core::{MoveMark, MovingStore, RowPlace, StoreError, StoredRow};
use serde::Serialize;
use thiserror::Error;

use difference::difference;

mod difference;

/// The number of moved rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) actions: u64,
    /// Ids of events that are not in the log any more.
    pub(crate) ids: u64,
    pub(crate) values: u64,
    pub(crate) timers: u64,
    pub(crate) records: u64,
    /// Counts of rules.
    pub(crate) hits: u64,
}

impl Counts {
    fn add(&mut self, row: &StoredRow) {
        match row {
            StoredRow::Event(event) => {
                self.events += 1;
                self.actions += event.actions.len() as u64;
            }
            StoredRow::Id(_) => self.ids += 1,
            StoredRow::Value(_) => self.values += 1,
            StoredRow::Timer(_) => self.timers += 1,
            StoredRow::Record(_) => self.records += 1,
            StoredRow::Hit(_) => self.hits += 1,
        }
    }
}

/// The end of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The data is in the other store.
    Now(Counts),
    /// It was moved there before.
    Before,
}

/// The reason why data was not moved. The same command can be repeated.
#[derive(Debug, Error)]
pub(crate) enum MoveError {
    /// A store failed.
    #[error("the store with {place} failed")]
    Store {
        /// Its place.
        place: String,
        /// The cause.
        source: StoreError,
    },
    /// The other store is in use.
    #[error("there is data of this account in {place} already")]
    HasData {
        /// Its place.
        place: String,
    },
    /// The copy is not the same.
    #[error("the copy is not the same: {0}; the data is where it was")]
    Differs(String),
}

/// One of the two stores, and its place for people.
#[derive(Clone, Copy)]
pub(crate) struct Side<'s> {
    pub(crate) store: &'s dyn MovingStore,
    pub(crate) place: &'s str,
}

impl Side<'_> {
    fn failed(&self, source: StoreError) -> MoveError {
        MoveError::Store { place: self.place.to_owned(), source }
    }

    async fn mark(&self) -> Result<Option<MoveMark>, MoveError> {
        self.store.mark().await.map_err(|error| self.failed(error))
    }

    async fn set_mark(&self, mark: Option<&MoveMark>) -> Result<(), MoveError> {
        self.store.set_mark(mark).await.map_err(|error| self.failed(error))
    }

    fn refusal(&self, mark: &MoveMark) -> MoveError {
        self.failed(mark.refusal(self.place))
    }
}

/// The state of a move between two stores.
enum Begun {
    /// The rows behind this place are to be copied.
    Copying { id: String, arriving: MoveMark },
    /// Only the mark of the other store is left to be removed.
    Opening,
    /// There is nothing left to do.
    Done,
}

/// Moves all data. `new_id` names the move, unless it goes on with a former one between these stores. `progress` gets the number of rows that
/// were copied.
pub(crate) async fn move_data(
    from: Side<'_>,
    to: Side<'_>,
    new_id: &str,
    mut progress: impl FnMut(u64),
) -> Result<Moved, MoveError> {
    match begin(from, to, new_id).await? {
        Begun::Done => return Ok(Moved::Before),
        Begun::Copying { id, arriving } => {
            copy(from, to, arriving, &mut progress).await?;
            compare(from, to).await?;
            let moved = MoveMark::Moved { id, to: to.place.to_owned() };
            from.set_mark(Some(&moved)).await?;
        }
        // The mark says that the copy is complete; opening a part would lose the rest.
        Begun::Opening => compare(from, to).await?,
    }
    let counts = count(to).await?;
    to.set_mark(None).await?;
    Ok(Moved::Now(counts))
}

/// Deletes the copy that a finished move has left.
pub(crate) async fn delete_source(from: Side<'_>) -> Result<(), MoveError> {
    let Some(mark @ MoveMark::Moved { .. }) = from.mark().await? else { return Ok(()) };
    from.store.clear(&mark).await.map_err(|error| from.failed(error))
}

/// Gives an unfinished move up. Returns false if none is unfinished between these stores. It can be repeated if it is
/// interrupted: the old place runs only after the new one was cleared.
pub(crate) async fn give_up(from: Side<'_>, to: Side<'_>) -> Result<bool, MoveError> {
    use MoveMark::{Arriving, Leaving, Moved};
    let (left, arrived) = (from.mark().await?, to.mark().await?);
    let (arriving, place) = match arrived {
        Some(Arriving { id, from, .. }) => (id, from),
        Some(_) => return Ok(false),
        None => return give_up_alone(from, left.as_ref(), to).await,
    };
    // Data that is gone from the old place is not deleted here.
    if is_empty(from).await? && !is_empty(to).await? {
        return Ok(false);
    }
    match &left {
        Some(Leaving { id, .. }) if *id == arriving => {}
        // The copy is complete but not opened. The move must not be completed once the copy is deleted.
        Some(Moved { id, to: place }) if *id == arriving && place == to.place => {
            from.set_mark(Some(&Leaving { id: id.clone(), to: place.clone() })).await?;
        }
        // An interrupted call got so far.
        None if place == from.place => {}
        _ => return Ok(false),
    }
    let nothing = Arriving { id: arriving, from: place, after: RowPlace::Start };
    to.store.clear(&nothing).await.map_err(|error| to.failed(error))?;
    from.set_mark(None).await?;
    to.set_mark(None).await?;
    Ok(true)
}

/// The same where nothing is in the other store: it was emptied from outside.
async fn give_up_alone(
    from: Side<'_>,
    left: Option<&MoveMark>,
    to: Side<'_>,
) -> Result<bool, MoveError> {
    let is_unfinished =
        matches!(left, Some(MoveMark::Leaving { to: place, .. }) if place == to.place);
    if !is_unfinished || !is_empty(to).await? {
        return Ok(false);
    }
    from.set_mark(None).await?;
    Ok(true)
}

/// Refuses data that cannot be moved to a place without data. Asked before that place is created.
pub(crate) async fn check_source(from: Side<'_>) -> Result<(), MoveError> {
    match from.mark().await? {
        Some(mark) if !may_leave(&mark) => Err(from.refusal(&mark)),
        Some(_) | None => Ok(()),
    }
}

/// Whether data with this mark is complete and nowhere else. The mark of a newer version has no id.
fn may_leave(mark: &MoveMark) -> bool {
    matches!(mark, MoveMark::Leaving { id, .. } if !id.is_empty())
}

/// Marks both stores, or finds out how far a former move has come.
///
/// Each move between two stores has an id of its own: a former move to another place may have left a part of the data
/// there, and only the marks with the id of the finished move show the complete copy.
async fn begin(from: Side<'_>, to: Side<'_>, new_id: &str) -> Result<Begun, MoveError> {
    use MoveMark::{Arriving, Leaving, Moved};
    let (left, arrived) = (from.mark().await?, to.mark().await?);
    match (&left, &arrived) {
        (Some(Leaving { id, .. }), Some(arriving @ Arriving { id: other, .. })) if id == other => {
            return Ok(Begun::Copying { id: id.clone(), arriving: arriving.clone() });
        }
        (Some(Moved { id, to: place }), Some(Arriving { id: other, .. }))
            if id == other && place == to.place =>
        {
            return Ok(Begun::Opening);
        }
        (Some(Moved { to: place, .. }), None) if place == to.place && !is_empty(to).await? => {
            return Ok(Begun::Done);
        }
        (Some(left), _) if !may_leave(left) => return Err(from.refusal(left)),
        // The copy of a former move from here, which is replaced.
        (_, Some(Arriving { from: place, .. })) if place == from.place => {}
        // A copy of then, which is replaced.
        (None, Some(Moved { .. })) => {}
        // The other store is new, or it was cleared from outside.
        (_, None) if is_empty(to).await? => {}
        (Some(left), _) => return Err(from.refusal(left)),
        (None, Some(arrived)) => return Err(to.refusal(arrived)),
        (None, None) => return Err(MoveError::HasData { place: to.place.to_owned() }),
    }
    let (id, place) = (new_id.to_owned(), from.place.to_owned());
    let arriving = Arriving { id: id.clone(), from: place, after: RowPlace::Start };
    to.store.clear(&arriving).await.map_err(|error| to.failed(error))?;
    from.set_mark(Some(&Leaving { id: id.clone(), to: to.place.to_owned() })).await?;
    Ok(Begun::Copying { id, arriving })
}

async fn is_empty(side: Side<'_>) -> Result<bool, MoveError> {
    side.store.is_empty().await.map_err(|error| side.failed(error))
}

/// Copies the rows that have not arrived.
async fn copy(
    from: Side<'_>,
    to: Side<'_>,
    mut arriving: MoveMark,
    progress: &mut impl FnMut(u64),
) -> Result<(), MoveError> {
    let MoveMark::Arriving { id, from: place, after } = arriving.clone() else { return Ok(()) };
    let (mut next, mut copied) = (Some(after), 0);
    while let Some(after) = next {
        let page = from.store.rows(&after).await.map_err(|error| from.failed(error))?;
        next = page.next;
        let Some(last) = page.rows.last() else { continue };
        let after = last.place();
        let mark = MoveMark::Arriving { id: id.clone(), from: place.clone(), after };
        let put = to.store.put(&page.rows, &arriving, &mark).await;
        put.map_err(|error| to.failed(error))?;
        arriving = mark;
        copied += page.rows.len() as u64;
        progress(copied);
    }
    Ok(())
}

/// The rows of a store, one after the other.
struct Rows<'s> {
    side: Side<'s>,
    next: Option<RowPlace>,
    read: VecDeque<StoredRow>,
}

impl<'s> Rows<'s> {
    fn of(side: Side<'s>) -> Self {
        Self { side, next: Some(RowPlace::Start), read: VecDeque::new() }
    }

    async fn next(&mut self) -> Result<Option<StoredRow>, MoveError> {
        while self.read.is_empty() {
            let Some(after) = self.next.take() else { return Ok(None) };
            let page = self.side.store.rows(&after).await;
            let page = page.map_err(|error| self.side.failed(error))?;
            (self.read, self.next) = (page.rows.into(), page.next);
        }
        Ok(self.read.pop_front())
    }
}

/// Compares all rows of both stores.
async fn compare(from: Side<'_>, to: Side<'_>) -> Result<(), MoveError> {
    let (mut rows, mut copies) = (Rows::of(from), Rows::of(to));
    loop {
        match (rows.next().await?, copies.next().await?) {
            (None, None) => return Ok(()),
            (row, copy) if row == copy => {}
            (row, copy) => {
                return Err(MoveError::Differs(difference(row.as_ref(), copy.as_ref())));
            }
        }
    }
}

async fn count(side: Side<'_>) -> Result<Counts, MoveError> {
    let (mut counts, mut rows) = (Counts::default(), Rows::of(side));
    while let Some(row) = rows.next().await? {
        counts.add(&row);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests;
