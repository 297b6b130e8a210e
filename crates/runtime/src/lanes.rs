//! Which lanes have something to do and which are at work. The events themselves wait in the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mynah_core::Lane;

/// The lanes with news, in the order in which the news came, and the busy marks.
#[derive(Debug)]
pub(crate) struct Lanes {
    ready: VecDeque<Lane>,
    queued: BTreeSet<Lane>,
    /// Lanes at work, and whether news came meanwhile.
    busy: BTreeMap<Lane, bool>,
    at_once: usize,
}

impl Lanes {
    pub(crate) fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self { ready: VecDeque::new(), queued: BTreeSet::new(), busy: BTreeMap::new(), at_once }
    }

    /// There is something new in this lane.
    pub(crate) fn notify(&mut self, lane: Lane) {
        if let Some(news) = self.busy.get_mut(&lane) {
            *news = true;
        } else if self.queued.insert(lane.clone()) {
            self.ready.push_back(lane);
        }
    }

    /// The next lane to work on, marked as busy.
    pub(crate) fn next(&mut self) -> Option<Lane> {
        if self.busy.len() >= self.at_once {
            return None;
        }
        let lane = self.ready.pop_front()?;
        self.queued.remove(&lane);
        self.busy.insert(lane.clone(), false);
        Some(lane)
    }

    /// A turn of this lane is over. If there is more, it queues behind the others.
    pub(crate) fn done(&mut self, lane: &Lane, more: bool) {
        let news = self.busy.remove(lane).unwrap_or(false);
        if more || news {
            self.notify(lane.clone());
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.busy.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_works_on_one_event_at_a_time() {
        let mut lanes = Lanes::new(2);
        for lane in ["a", "a", "b", "c"] {
            lanes.notify(lane.into());
        }
        let taken = [lanes.next(), lanes.next(), lanes.next()];
        assert_eq!(taken, [Some("a".into()), Some("b".into()), None]);
        lanes.notify("a".into());
        lanes.done(&"a".into(), false);
        lanes.done(&"b".into(), false);
        let taken = [lanes.next(), lanes.next(), lanes.next()];
        assert_eq!(taken, [Some("c".into()), Some("a".into()), None]);
        lanes.done(&"a".into(), false);
        lanes.done(&"c".into(), false);
        assert!(lanes.is_idle());
    }
}
