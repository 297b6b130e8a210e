//! Tracks the lanes with new events and the busy lanes. The events themselves wait in the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mynah_core::Lane;

/// The lanes with new events, in order of arrival, and the busy marks.
#[derive(Debug)]
pub(crate) struct Lanes {
    ready: VecDeque<Lane>,
    queued: BTreeSet<Lane>,
    /// The busy lanes, and whether new events arrived meanwhile.
    busy: BTreeMap<Lane, bool>,
    /// The lanes of which one may have killed the process: they run one after the other, in parallel with other lanes.
    suspects: VecDeque<Lane>,
    at_once: usize,
}

impl Lanes {
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            ready: VecDeque::new(),
            queued: BTreeSet::new(),
            busy: BTreeMap::new(),
            suspects: VecDeque::new(),
            at_once: at_once.max(1),
        }
    }

    /// Makes these lanes wait for each other until each has handled one event.
    pub(crate) fn suspect(&mut self, lanes: Vec<Lane>) {
        self.suspects = lanes.into();
    }

    /// Notes that this lane has a new event.
    pub(crate) fn notify(&mut self, lane: Lane) {
        if let Some(news) = self.busy.get_mut(&lane) {
            *news = true;
        } else if self.queued.insert(lane.clone()) {
            self.ready.push_back(lane);
        }
    }

    /// The next lane to work on; marks it as busy.
    pub(crate) fn next(&mut self) -> Option<Lane> {
        if self.busy.len() >= self.at_once {
            return None;
        }
        // Only the first of the suspects may work; the others keep their place in the queue.
        let may_work = |lane: &Lane| !self.suspects.iter().skip(1).any(|other| other == lane);
        let place = self.ready.iter().position(may_work)?;
        let lane = self.ready.remove(place)?;
        self.queued.remove(&lane);
        self.busy.insert(lane.clone(), false);
        Some(lane)
    }

    /// Notes the end of a turn of this lane. If it has more events, it goes to the end of the queue.
    pub(crate) fn done(&mut self, lane: &Lane, more: bool) {
        let news = self.busy.remove(lane).unwrap_or(false);
        if self.suspects.front() == Some(lane) {
            self.suspects.pop_front();
        }
        if more || news {
            self.notify(lane.clone());
        }
    }

    /// The number of lanes that could begin now.
    pub(crate) fn free(&self) -> usize {
        self.at_once.saturating_sub(self.busy.len() + self.ready.len())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.busy.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspects_wait_for_each_other_and_nobody_waits_for_them() {
        let mut lanes = Lanes::new(9);
        lanes.suspect(vec!["b".into(), "a".into()]);
        for lane in ["a", "b", "c"] {
            lanes.notify(lane.into());
        }
        let taken = [lanes.next(), lanes.next(), lanes.next()];
        assert_eq!(taken, [Some("b".into()), Some("c".into()), None]);
        lanes.done(&"b".into(), true);
        let taken = [lanes.next(), lanes.next()];
        assert_eq!(taken, [Some("a".into()), Some("b".into())]);
    }

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
