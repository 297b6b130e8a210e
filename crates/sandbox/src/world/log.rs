//! The log that `webwxsync` reads. A sync key is a position in it: the same key returns the same entries again.

use std::{collections::VecDeque, sync::Arc};

use super::{message::Message, people::Peer};

/// One entry of the log.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Message(Arc<Message>),
    /// A person or group is new or has changed; written with the state at the time of reading.
    Contact(Peer),
    /// A contact was removed: its former `UserName`.
    Gone(Peer),
    /// The account's own profile has changed.
    Profile,
}

/// The values of one sync key, by key number.
pub(crate) type Keys = Vec<(i64, i64)>;

#[derive(Debug, Clone)]
pub(crate) struct SyncLog {
    /// The first value of the message cursor; differs from login to login.
    base: i64,
    /// The position of the first kept entry.
    start: u64,
    entries: VecDeque<Entry>,
    handed_out: u64,
}

/// The number of kept entries, for clients that return with an old key; the oldest are dropped beyond it.
const KEPT: usize = 100_000;

/// The key number of the position. The other key numbers only move along with it.
const POSITION_KEY: i64 = 1;

impl SyncLog {
    pub(crate) fn new(base: i64) -> Self {
        Self { base, start: 0, entries: VecDeque::new(), handed_out: 0 }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
            self.start += 1;
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn end(&self) -> u64 {
        self.start + self.entries.len() as u64
    }

    /// The highest delivered position.
    pub(crate) fn handed_out(&self) -> u64 {
        self.handed_out
    }

    /// At most `most` entries from `position` on, and the position after them.
    pub(crate) fn read(&mut self, position: u64, most: usize) -> (Vec<Entry>, u64) {
        let from = position.clamp(self.start, self.end());
        let skip = usize::try_from(from - self.start).unwrap_or(usize::MAX);
        let entries: Vec<_> = self.entries.iter().skip(skip).take(most).cloned().collect();
        let next = from + entries.len() as u64;
        self.handed_out = self.handed_out.max(next);
        (entries, next)
    }

    /// The first entry at or after `position`.
    pub(crate) fn next(&self, position: u64) -> Option<&Entry> {
        let skip = position.max(self.start) - self.start;
        usize::try_from(skip).ok().and_then(|skip| self.entries.get(skip))
    }

    /// The entries that were never delivered.
    pub(crate) fn unread(&mut self) -> Vec<Entry> {
        self.read(self.handed_out, usize::MAX).0
    }

    /// The sync keys of `position`; `now` in seconds.
    pub(crate) fn keys(&self, position: u64, now: u64) -> Keys {
        let at = i64::try_from(position).unwrap_or(i64::MAX - self.base);
        let now = i64::try_from(now).unwrap_or(0);
        vec![
            (POSITION_KEY, self.base + at),
            (2, self.base + 4_902 + at),
            (3, self.base + 4_831),
            (1000, now),
        ]
    }

    /// The position of a client's sync keys. Missing keys and keys of another login mean that nothing was read.
    pub(crate) fn position(&self, keys: &[(i64, i64)]) -> u64 {
        let value = keys
            .iter()
            .find(|(key, _)| *key == POSITION_KEY)
            .map_or(self.base, |(_, value)| *value);
        let position = value.checked_sub(self.base).and_then(|at| u64::try_from(at).ok());
        position.filter(|at| *at <= self.end()).unwrap_or(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::people::PersonId;

    fn log(entries: u32) -> SyncLog {
        let mut log = SyncLog::new(1000);
        (0..entries).for_each(|number| log.push(Entry::Contact(Peer::Person(PersonId(number)))));
        log
    }

    #[test]
    fn the_same_key_gives_the_same_entries_again() {
        let mut log = log(5);
        for _ in 0..2 {
            let (entries, next) = log.read(1, 2);
            assert_eq!((entries.len(), next), (2, 3));
        }
        assert_eq!(log.handed_out(), 3);
        assert_eq!(log.unread().len(), 2);
    }

    #[test]
    fn keys_and_positions_are_each_others_inverse() {
        let log = log(9);
        for position in 0..=9 {
            assert_eq!(log.position(&log.keys(position, 7)), position);
        }
    }

    #[test]
    fn foreign_keys_start_from_the_beginning() {
        let log = log(3);
        let cases: [&[(i64, i64)]; 5] =
            [&[], &[(2, 1001)], &[(1, 0)], &[(1, 1004)], &[(1, i64::MIN)]];
        for keys in cases {
            assert_eq!(log.position(keys), 0, "{keys:?}");
        }
    }

    #[test]
    fn every_new_entry_moves_the_key() {
        let mut log = log(0);
        let before = log.keys(log.end(), 7);
        log.push(Entry::Profile);
        assert_ne!(before, log.keys(log.end(), 7));
        assert!(log.next(0).is_some() && log.next(1).is_none());
    }
}
