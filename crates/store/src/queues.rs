//! The queues, in memory: unhandled events by lane, and unsettled actions by chat.
//!
//! An index of the open rows would cost a page at the beginning and at the end of each row, and most rows are open for
//! a moment only. So memory has the queues, and the tables [`late_event`](crate::schema) and `late_action` have those
//! rows that are open for longer: whenever the mark moves to the newest row, they get the rows behind it that are still
//! open. A start reads them, and the rows from the mark on. So do readers, through the views `open_event` and
//! `open_action`. The ids of events are indexed at the same time, many at once, in the table `event_id`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mynah_core::{ActionId, ChatId, EventId, Lane, Timestamp};
use rusqlite::{Connection, OptionalExtension, Result, params};

/// The mark moves after this many new rows at the latest: a start reads all rows behind it.
const MOST_NEW: usize = 1000;

/// With so many open lanes, or so many actions under way, many jobs come at once.
const CROWD: usize = 4;

/// The queues, if they are known. They are read again after a transaction was undone and after other programs could
/// write.
#[derive(Debug, Default)]
pub(crate) struct Queues(Option<Known>);

/// The queues as the open transaction sees them.
#[derive(Debug, Default)]
pub(crate) struct Known {
    lanes: BTreeMap<Lane, VecDeque<i64>>,
    /// The events that are begun.
    begun: BTreeMap<EventId, i64>,
    /// The lanes of unhandled timer events.
    due: BTreeMap<i64, Lane>,
    chats: BTreeMap<ChatId, Outbox>,
    claimed: BTreeMap<ActionId, Claimed>,
    events: Mark,
    actions: Mark,
    /// The numbers of the events behind the mark, whose ids are not indexed yet.
    recent: BTreeMap<EventId, i64>,
}

/// The unsettled actions of a chat.
#[derive(Debug, Default)]
struct Outbox {
    /// When each was queued, by its place in the order and its number.
    actions: BTreeMap<(i64, i64), i64>,
    /// The latest of these times, if it is known.
    last: Option<i64>,
}

/// The place of an action in the order of its chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) chat: ChatId,
    pub(crate) order: i64,
    pub(crate) seq: i64,
}

/// A claimed action.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) place: Place,
    pub(crate) doubts: u32,
}

/// How far the rows of a table are indexed.
#[derive(Debug, Default)]
struct Mark {
    /// Open rows up to here are in the table of late rows.
    at: i64,
    /// Closed rows that are still there.
    closed: Vec<i64>,
    /// The number of rows since then.
    new: usize,
}

impl Mark {
    fn close(&mut self, seq: i64) {
        if seq <= self.at {
            self.closed.push(seq);
        }
    }
}

impl Queues {
    /// The queues, read if they are not known. Call this before a row is written.
    pub(crate) fn known(&mut self, connection: &Connection) -> Result<&mut Known> {
        let known = match self.0.take() {
            Some(known) => known,
            None => Known::read(connection)?,
        };
        Ok(self.0.insert(known))
    }

    /// Drops what is known.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }

    /// Whether rows are behind the marks, or closed rows before them.
    pub(crate) fn is_new(&self) -> bool {
        let is_new = |mark: &Mark| mark.new > 0 || !mark.closed.is_empty();
        self.0.as_ref().is_some_and(|known| is_new(&known.events) || is_new(&known.actions))
    }

    /// Whether many rows are new, so that the mark must move.
    pub(crate) fn is_long(&self) -> bool {
        self.0.as_ref().is_some_and(|known| known.events.new.max(known.actions.new) >= MOST_NEW)
    }

    /// Whether many lanes have unhandled events or many actions are under way.
    pub(crate) fn is_crowded(&self) -> bool {
        self.0.as_ref().is_some_and(|known| known.lanes.len().max(known.claimed.len()) >= CROWD)
    }

    /// Moves the marks to the newest rows. Rows that were deleted may be behind the old marks.
    pub(crate) fn write(&mut self, connection: &Connection) -> Result<()> {
        let Known { lanes, chats, events, actions, recent, .. } = self.known(connection)?;
        // In the order of their ids, many of them fall on the same page.
        for (id, seq) in std::mem::take(recent) {
            connection
                .prepare_cached(
                    "INSERT INTO event_id (id, seq) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
                )?
                .execute(params![id.as_str(), seq])?;
        }
        let open = lanes.values().flatten().copied();
        let events = move_mark(connection, &EVENTS, events, open)?;
        let open = chats.values().flat_map(|outbox| outbox.actions.keys().map(|(_, seq)| *seq));
        let actions = move_mark(connection, &ACTIONS, actions, open)?;
        if events || actions {
            let known = self.known(connection)?;
            connection
                .prepare_cached("UPDATE mark SET event = ?1, action = ?2")?
                .execute([known.events.at, known.actions.at])?;
        }
        Ok(())
    }
}

/// The statements for a mark.
struct Statements {
    newest: &'static str,
    index: &'static str,
    drop: &'static str,
    drop_behind: &'static str,
    closed: &'static str,
}

const EVENTS: Statements = Statements {
    newest: "SELECT coalesce(max(seq), 0) FROM event",
    index: "INSERT INTO late_event (seq) VALUES (?1)",
    drop: "DELETE FROM late_event WHERE seq = ?1",
    drop_behind: "DELETE FROM late_event WHERE seq > ?1",
    closed: "SELECT seq FROM late_event AS late WHERE NOT EXISTS
             (SELECT 1 FROM event WHERE event.seq = late.seq AND handled IS NULL)",
};

const ACTIONS: Statements = Statements {
    newest: "SELECT coalesce(max(seq), 0) FROM action",
    index: "INSERT INTO late_action (seq) VALUES (?1)",
    drop: "DELETE FROM late_action WHERE seq = ?1",
    drop_behind: "DELETE FROM late_action WHERE seq > ?1",
    closed: "SELECT seq FROM late_action AS late WHERE NOT EXISTS
             (SELECT 1 FROM action WHERE action.seq = late.seq AND settled IS NULL)",
};

/// Moves a mark to the newest row. Returns whether it moved.
fn move_mark(
    connection: &Connection,
    statements: &Statements,
    mark: &mut Mark,
    open: impl Iterator<Item = i64>,
) -> Result<bool> {
    for seq in mark.closed.drain(..) {
        connection.prepare_cached(statements.drop)?.execute([seq])?;
    }
    mark.new = 0;
    let newest = connection.prepare_cached(statements.newest)?.query_row([], |row| row.get(0))?;
    let old = std::mem::replace(&mut mark.at, newest);
    if newest < old {
        // Rows with these numbers may come again.
        connection.prepare_cached(statements.drop_behind)?.execute([newest])?;
    }
    if newest > old {
        let mut late: Vec<i64> = open.filter(|seq| *seq > old).collect();
        late.sort_unstable();
        let mut index = connection.prepare_cached(statements.index)?;
        late.into_iter().try_for_each(|seq| index.execute([seq]).map(|_| ()))?;
    }
    Ok(newest != old)
}

impl Known {
    fn read(connection: &Connection) -> Result<Self> {
        let mut known = Self::default();
        known.read_marks(connection)?;
        known.read_events(connection)?;
        known.read_actions(connection)?;
        // These were there before.
        known.actions.new = 0;
        known.events.new = known.recent.len();
        Ok(known)
    }

    fn read_marks(&mut self, connection: &Connection) -> Result<()> {
        (self.events.at, self.actions.at) = connection
            .prepare_cached("SELECT event, action FROM mark")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (mark, Statements { closed, .. }) in
            [(&mut self.events, EVENTS), (&mut self.actions, ACTIONS)]
        {
            let mut statement = connection.prepare_cached(closed)?;
            mark.closed = statement.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
        }
        Ok(())
    }

    fn read_events(&mut self, connection: &Connection) -> Result<()> {
        let mut statement =
            connection.prepare_cached("SELECT id, seq FROM event WHERE seq > ?1")?;
        let mut rows = statement.query([self.events.at])?;
        while let Some(row) = rows.next()? {
            self.recent.insert(EventId::new(row.get::<_, String>(0)?), row.get(1)?);
        }
        let mut statement = connection
            .prepare_cached("SELECT seq, lane, id, begun FROM open_event ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, id) = (row.get(0)?, EventId::new(row.get::<_, String>(2)?));
            self.wait(&Lane::new(row.get::<_, String>(1)?), &id, seq);
            if row.get(3)? {
                self.begin(&id, seq);
            }
        }
        Ok(())
    }

    fn read_actions(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, chat, turn_order, queued, claimed IS NOT NULL, event, n, doubts
             FROM open_action ORDER BY seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (seq, order) = (row.get(0)?, row.get(2)?);
            let place = Place { chat: ChatId::new(row.get::<_, String>(1)?), order, seq };
            self.note_action(&place, Timestamp::from_millis(row.get(3)?));
            if row.get(4)? {
                let event = EventId::new(row.get::<_, String>(5)?);
                let id = ActionId { event, n: row.get(6)? };
                self.claim(id, Claimed { place, doubts: row.get(7)? });
            }
        }
        Ok(())
    }

    /// An event was accepted.
    pub(crate) fn note_event(&mut self, lane: &Lane, id: &EventId, seq: i64) {
        self.wait(lane, id, seq);
        self.recent.insert(id.clone(), seq);
        self.events.new += 1;
    }

    /// Whether an event is one of those whose ids are not indexed yet.
    pub(crate) fn is_recent(&self, id: &EventId) -> bool {
        self.recent.contains_key(id)
    }

    /// The number of an event.
    pub(crate) fn find(&self, connection: &Connection, id: &EventId) -> Result<Option<i64>> {
        if let Some(seq) = self.recent.get(id) {
            return Ok(Some(*seq));
        }
        connection
            .prepare_cached("SELECT seq FROM event_id WHERE id = ?1")?
            .query_row([id.as_str()], |row| row.get(0))
            .optional()
    }

    fn wait(&mut self, lane: &Lane, id: &EventId, seq: i64) {
        match self.lanes.get_mut(lane) {
            Some(waiting) => waiting.push_back(seq),
            None => drop(self.lanes.insert(lane.clone(), VecDeque::from([seq]))),
        }
        if id.as_str().starts_with("due:") {
            self.due.insert(seq, lane.clone());
        }
    }

    /// The oldest unhandled event of a lane.
    pub(crate) fn oldest(&self, lane: &Lane) -> Option<i64> {
        self.lanes.get(lane).and_then(|waiting| waiting.front().copied())
    }

    /// An event was begun.
    pub(crate) fn begin(&mut self, id: &EventId, seq: i64) {
        self.begun.insert(id.clone(), seq);
    }

    /// The number of an event that is begun and not handled.
    pub(crate) fn begun(&self, id: &EventId) -> Option<i64> {
        self.begun.get(id).copied()
    }

    /// An event was handled.
    pub(crate) fn close_event(&mut self, lane: &Lane, id: &EventId, seq: i64) {
        match self.lanes.get_mut(lane) {
            Some(waiting) if waiting.front() == Some(&seq) && waiting.len() > 1 => {
                waiting.pop_front();
            }
            Some(waiting) if waiting.front() == Some(&seq) => {
                self.lanes.remove(lane);
            }
            // A program of another version may have named the lane otherwise.
            _ => self.lanes.retain(|_, waiting| {
                waiting.retain(|other| *other != seq);
                !waiting.is_empty()
            }),
        }
        self.begun.remove(id);
        self.due.remove(&seq);
        self.events.close(seq);
    }

    /// The lanes of unhandled timer events, the longest waiting first.
    pub(crate) fn due_lanes(&self) -> Vec<Lane> {
        let mut seen = BTreeSet::new();
        self.due.values().filter(|lane| seen.insert(*lane)).cloned().collect()
    }

    /// An action was queued.
    pub(crate) fn note_action(&mut self, Place { chat, order, seq }: &Place, queued: Timestamp) {
        let queued = queued.as_millis();
        let outbox = match self.chats.get_mut(chat) {
            Some(outbox) => outbox,
            None => self.chats.entry(chat.clone()).or_default(),
        };
        if outbox.last.is_some() || outbox.actions.is_empty() {
            outbox.last = outbox.last.max(Some(queued));
        }
        outbox.actions.insert((*order, *seq), queued);
        self.actions.new += 1;
    }

    /// When the last action of a chat was queued, among its unsettled actions.
    pub(crate) fn last_queued(&mut self, chat: &ChatId) -> Option<Timestamp> {
        let outbox = self.chats.get_mut(chat)?;
        if outbox.last.is_none() {
            outbox.last = outbox.actions.values().max().copied();
        }
        outbox.last.map(Timestamp::from_millis)
    }

    /// The place of the first action of a chat behind this one.
    pub(crate) fn next(&self, chat: &ChatId, behind: Option<&Place>) -> Option<Place> {
        let outbox = self.chats.get(chat)?;
        let from = behind.map_or((i64::MIN, i64::MIN), |place| (place.order, place.seq + 1));
        let ((order, seq), _) = outbox.actions.range(from..).next()?;
        Some(Place { chat: chat.clone(), order: *order, seq: *seq })
    }

    /// Whether a chat has unsettled actions.
    pub(crate) fn has_open(&self, chat: &ChatId) -> bool {
        self.chats.contains_key(chat)
    }

    /// An action was claimed.
    pub(crate) fn claim(&mut self, id: ActionId, claimed: Claimed) {
        self.claimed.insert(id, claimed);
    }

    /// The claimed action with this id.
    pub(crate) fn claimed(&self, id: &ActionId) -> Option<&Claimed> {
        self.claimed.get(id)
    }

    /// Whether an action of a chat is claimed.
    pub(crate) fn has_claim(&self, chat: &ChatId) -> bool {
        self.claimed.values().any(|claimed| claimed.place.chat == *chat)
    }

    /// A claimed action was put back into its queue.
    pub(crate) fn put_back(&mut self, id: &ActionId) {
        self.claimed.remove(id);
    }

    /// An action was settled. Its claim, if it had one, must be put back, too.
    pub(crate) fn close_action(&mut self, Place { chat, order, seq }: &Place) {
        self.actions.close(*seq);
        let Some(outbox) = self.chats.get_mut(chat) else { return };
        let queued = outbox.actions.remove(&(*order, *seq));
        if outbox.actions.is_empty() {
            self.chats.remove(chat);
        } else if queued == outbox.last {
            outbox.last = None;
        }
    }

    /// Whether a lane has unhandled events.
    pub(crate) fn has_more(&self, lane: &Lane) -> bool {
        self.lanes.contains_key(lane)
    }
}
