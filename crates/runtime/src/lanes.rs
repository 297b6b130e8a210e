//! Tracks the lanes with new events and the busy lanes. The events themselves wait in the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use mynah_core::Lane;

use crate::recent::Recent;
use crate::waiting::Waiting;

/// The lanes with new events, in order of arrival, and the busy marks.
#[derive(Debug)]
pub(crate) struct Lanes {
    ready: VecDeque<Lane>,
    /// Those among them that had no turn lately: they go before the lanes of a flood.
    fresh: VecDeque<Lane>,
    recent: Recent<Lane>,
    queued: BTreeSet<Lane>,
    /// The busy lanes, and whether new events arrived meanwhile.
    busy: BTreeMap<Lane, bool>,
    /// The lanes of which one may have killed the process: they run one after the other, in parallel with other lanes.
    suspects: VecDeque<Lane>,
    at_once: usize,
    waiting: Arc<Waiting>,
}

impl Lanes {
    pub(crate) fn new(at_once: usize, waiting: Arc<Waiting>) -> Self {
        Self {
            ready: VecDeque::new(),
            fresh: VecDeque::new(),
            recent: Recent::new(),
            queued: BTreeSet::new(),
            busy: BTreeMap::new(),
            suspects: VecDeque::new(),
            at_once: at_once.max(1),
            waiting,
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
            let queue = if self.recent.has(&lane) { &mut self.ready } else { &mut self.fresh };
            queue.push_back(lane);
        }
    }

    /// The next lane to work on; marks it as busy.
    pub(crate) fn next(&mut self) -> Option<Lane> {
        if self.busy.len() >= self.at_once + self.waiting.count() {
            return None;
        }
        // Only the first of the suspects may work; the others keep their place in the queue.
        let may_work = |lane: &Lane| !self.suspects.iter().skip(1).any(|other| other == lane);
        let fresh = self.fresh.iter().position(may_work);
        let ready = self.ready.iter().position(may_work);
        let takes_fresh = fresh.is_some() && (self.recent.is_for_newcomers() || ready.is_none());
        let lane =
            if takes_fresh { self.fresh.remove(fresh?)? } else { self.ready.remove(ready?)? };
        self.recent.note(&lane, takes_fresh && ready.is_some());
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
        self.at_once.saturating_sub(self.busy.len() + self.queued.len())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queued.is_empty() && self.busy.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspects_wait_for_each_other_and_nobody_waits_for_them() {
        let mut lanes = Lanes::new(9, Arc::default());
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
    fn a_lane_that_had_no_turn_lately_goes_before_those_of_a_flood() {
        let mut lanes = Lanes::new(1, Arc::default());
        let flood: Vec<Lane> = (0..500).map(|n| Lane::new(format!("flood {n}"))).collect();
        for lane in &flood {
            lanes.notify(lane.clone());
        }
        for lane in &flood {
            assert_eq!(lanes.next().as_ref(), Some(lane), "in order of arrival");
            lanes.done(lane, false);
        }
        for lane in &flood {
            lanes.notify(lane.clone());
        }
        lanes.notify("new".into());
        assert_eq!(lanes.next(), Some("new".into()));
        lanes.done(&"new".into(), false);
        lanes.notify("new".into());
        assert_eq!(lanes.next().as_ref(), flood.first(), "it is one of them now");
    }

    #[test]
    fn newcomers_without_end_keep_nobody_waiting_for_ever() {
        let mut lanes = Lanes::new(1, Arc::default());
        lanes.notify("old".into());
        assert_eq!(lanes.next(), Some("old".into()));
        lanes.done(&"old".into(), true);
        let mut taken = 0;
        loop {
            lanes.notify(Lane::new(format!("new {taken}")));
            let lane = lanes.next().unwrap();
            lanes.done(&lane, false);
            if lane == "old".into() {
                break;
            }
            taken += 1;
        }
        assert!(taken <= 3, "{taken} before it");
    }

    #[test]
    fn a_lane_works_on_one_event_at_a_time() {
        let mut lanes = Lanes::new(2, Arc::default());
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
