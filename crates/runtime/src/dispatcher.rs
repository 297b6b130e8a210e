//! Decides the next piece of work, in this one place. Synchronous; `now` is a parameter.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mynah_core::{
    ChatId, Event, EventId, Lane, Outgoing, Planned, Recovered, Status, Throttled, Timestamp,
};
use tokio::sync::oneshot;

use crate::lanes::Lanes;
use crate::outbox::{self, Outbox};
use crate::pacer::Pacer;
use crate::performing::Answer;
use crate::send::{SendEnd, Signal};
use crate::turn::TurnEnd;
use crate::waiting::Waiting;
use crate::{Pace, Pacing, Settings};

/// The interval of housekeeping; if more is due, the next piece follows after a short pause.
const TIDY_EVERY: Duration = Duration::from_secs(10 * 60);
const TIDY_PAUSE: Duration = Duration::from_secs(1);

/// A clock may waver by this much without counting as set back.
const WAVER: Duration = Duration::from_secs(1);

/// A piece of work that can run at the same time as others.
#[derive(Debug)]
pub(crate) enum Job {
    /// Handle the oldest event of a lane.
    Turn(Lane),
    /// Send the oldest action of a chat.
    Send(ChatId),
    /// Send an action that is claimed.
    SendClaimed(Box<Outgoing>),
    /// Turn due timers into events.
    Fire,
    /// Accept events of the bot itself.
    Accept { events: Vec<Event>, stored: oneshot::Sender<()> },
    /// Accept an action of the program itself.
    Perform { id: EventId, planned: Box<Planned>, answer: Answer },
    /// Do a piece of housekeeping.
    Tidy,
}

/// The result of a piece of work.
#[derive(Debug)]
pub(crate) enum Done {
    Turn(Lane, TurnEnd),
    Send(ChatId, SendEnd),
    Fire(Vec<Lane>, Option<Timestamp>),
    Accept(Vec<Lane>),
    /// Whether more housekeeping is due.
    Tidy(bool),
}

/// The lanes, the outbox and the timers of an account.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    lanes: Lanes,
    waiting: Arc<Waiting>,
    outbox: Arc<Mutex<Outbox>>,
    /// Actions that were claimed with their turns.
    claimed: VecDeque<Outgoing>,
    fire_at: Option<Timestamp>,
    firing: bool,
    tidy_at: Option<Timestamp>,
    last_now: Timestamp,
}

impl Dispatcher {
    pub(crate) fn new(settings: &Settings) -> Self {
        let waiting = Arc::<Waiting>::default();
        Self {
            lanes: Lanes::new(settings.lanes_at_once, Arc::clone(&waiting)),
            waiting,
            outbox: Arc::new(Mutex::new(Outbox::new(settings))),
            claimed: VecDeque::new(),
            fire_at: Some(Timestamp::default()),
            firing: false,
            tidy_at: None,
            last_now: Timestamp::default(),
        }
    }

    /// The chats with actions to send, for turns that could claim at once.
    pub(crate) fn shared_outbox(&self) -> Arc<Mutex<Outbox>> {
        Arc::clone(&self.outbox)
    }

    /// The turns that wait for other services.
    pub(crate) fn shared_waiting(&self) -> Arc<Waiting> {
        Arc::clone(&self.waiting)
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        outbox::lock(&self.outbox)
    }

    /// Allows housekeeping from this time on.
    pub(crate) fn tidy_from(&mut self, at: Timestamp) {
        self.tidy_at = Some(at);
    }

    /// Adds the lanes and chats that a start found in the store.
    pub(crate) fn recovered(&mut self, recovered: Recovered, now: Timestamp) {
        self.lanes.suspect(recovered.suspects);
        self.news(recovered.lanes);
        for chat in &recovered.chats {
            // The store does not keep what gives way; of what waited, only replies go first.
            let yields = !recovered.replying.contains(chat);
            self.outbox().notify(chat, yields, now);
        }
    }

    /// Adds the actions that were sent before the start, newest first.
    pub(crate) fn remember(&mut self, claims: &[(ChatId, Timestamp)]) {
        for (chat, at) in claims.iter().rev() {
            self.outbox().remember(chat, *at);
        }
    }

    /// How far back claims matter, and the largest number of them.
    pub(crate) fn memory(pacing: &Pacing) -> Option<(Duration, usize)> {
        Pacer::memory(pacing)
    }

    /// Notes that these lanes have new events.
    pub(crate) fn news(&mut self, lanes: Vec<Lane>) {
        for lane in lanes {
            self.lanes.notify(lane);
        }
    }

    /// Notes that these chats have actions to send.
    pub(crate) fn something_to_send(&mut self, chats: &[ChatId], now: Timestamp) {
        for chat in chats {
            self.outbox().notify(chat, false, now);
        }
    }

    /// The number of lanes whose work could begin at once.
    pub(crate) fn free_lanes(&self) -> usize {
        self.lanes.free()
    }

    /// The use of the limits, and the waiting chats.
    pub(crate) fn pace(&mut self, now: Timestamp) -> Pace {
        self.outbox().pace(now)
    }

    /// Notes the state of the connection: actions are sent only while the account is online.
    pub(crate) fn status(&mut self, status: &Status) {
        self.outbox().set_online(matches!(status, Status::Online { .. }));
    }

    /// Nothing more leaves, nor is claimed with a turn.
    pub(crate) fn close(&self) {
        self.outbox().set_online(false);
    }

    /// The next piece of work, if one is due now.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Job> {
        self.watch_clock(now);
        if !self.firing && self.fire_at.is_some_and(|at| at <= now) {
            self.firing = true;
            self.fire_at = None;
            return Some(Job::Fire);
        }
        if let Some(outgoing) = self.claimed.pop_front() {
            return Some(Job::SendClaimed(Box::new(outgoing)));
        }
        if let Some(lane) = self.lanes.next() {
            return Some(Job::Turn(lane));
        }
        if let Some(chat) = self.outbox().next(now) {
            return Some(Job::Send(chat));
        }
        if self.tidy_at.is_some_and(|at| at <= now) {
            self.tidy_at = None;
            return Some(Job::Tidy);
        }
        None
    }

    /// Notes the result of a piece of work. Returns the end of the pause if the service asks for one.
    pub(crate) fn done(&mut self, done: Done, now: Timestamp) -> Option<Timestamp> {
        match done {
            Done::Turn(lane, end) => {
                self.turned(&lane, end, now);
                None
            }
            Done::Send(chat, end) => self.sent(&chat, end, now),
            Done::Fire(lanes, next) => {
                self.firing = false;
                self.fire_by(next);
                self.news(lanes);
                None
            }
            Done::Accept(lanes) => {
                self.news(lanes);
                None
            }
            Done::Tidy(more) => {
                self.tidy_at = Some(now + if more { TIDY_PAUSE } else { TIDY_EVERY });
                None
            }
        }
    }

    /// The service asks for a pause. Returns the end of the pause.
    pub(crate) fn throttled(&mut self, throttled: &Throttled, now: Timestamp) -> Timestamp {
        self.outbox().too_frequent(throttled.pause, now)
    }

    fn turned(&mut self, lane: &Lane, end: TurnEnd, now: Timestamp) {
        for chat in &end.chats {
            self.outbox().notify(chat, end.yielding.contains(chat), now);
        }
        self.claimed.extend(end.claimed);
        self.fire_by(end.next_timer);
        self.lanes.done(lane, end.more);
    }

    fn sent(&mut self, chat: &ChatId, end: SendEnd, now: Timestamp) -> Option<Timestamp> {
        let until = match end.signal {
            Some(Signal::TooFrequent(asked)) => Some(self.outbox().too_frequent(asked, now)),
            Some(Signal::NotLoggedIn) => {
                self.outbox().hold(chat, now);
                None
            }
            None => None,
        };
        self.outbox().done(chat, end.attempt, now);
        until
    }

    /// Notes the due time of a timer. Answers may arrive in another order than their commits, so the earliest counts.
    fn fire_by(&mut self, at: Option<Timestamp>) {
        self.fire_at = [self.fire_at, at].into_iter().flatten().min();
    }

    /// The time to look again, if nothing happens before.
    pub(crate) fn wake(&self) -> Option<Timestamp> {
        let fire = self.fire_at.filter(|_| !self.firing);
        [fire, self.outbox().wake(), self.tidy_at].into_iter().flatten().min()
    }

    /// The due time of the earliest timer or waiting action; housekeeping does not count.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        [self.fire_at, self.outbox().wake()].into_iter().flatten().min()
    }

    /// Whether no event is unhandled and no action is unsent. Timers may be pending.
    pub(crate) fn is_idle(&self) -> bool {
        self.lanes.is_idle() && self.outbox().is_idle() && !self.firing
    }

    fn watch_clock(&mut self, now: Timestamp) {
        if now + WAVER < self.last_now {
            tracing::warn!(%now, before = %self.last_now, "the clock went back");
            self.outbox().clock_went_back(now);
            self.tidy_at = self.tidy_at.map(|at| at.min(now + TIDY_EVERY));
        }
        self.last_now = now;
    }
}
