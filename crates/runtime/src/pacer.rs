//! The rate limits of an account: sliding windows per chat, per account and per day, and pauses that the service wants.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mynah_core::{ChatId, Timestamp};

use crate::{Pace, Pacing, Rate, Used};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The first pause after "too frequent", if the service gives none. Each later pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause: during a longer one the bot would seem dead.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// After this time without a complaint, the next pause is the first one again.
const FORGIVEN: Duration = Duration::from_secs(60 * 60);

/// Decides when an action may be sent. A plain state machine: `now` is a parameter.
#[derive(Debug)]
pub(crate) struct Pacer {
    per_chat: Option<Rate>,
    chats: BTreeMap<ChatId, Window>,
    account: Option<Window>,
    /// The part of the account's limit that messages which give way may use: half of it, the rest is for replies. Evenly
    /// spread, so that replies in their chats, which take a message that gives way along, find room at any time.
    yielding: Option<Window>,
    day: Option<Window>,
    pause: Pause,
}

/// The times of the last sent actions, no more than the rate needs.
#[derive(Debug)]
struct Window {
    rate: Rate,
    left: VecDeque<Timestamp>,
}

#[derive(Debug, Default)]
struct Pause {
    until: Option<Timestamp>,
    last: Option<(Timestamp, Duration)>,
}

impl Pacer {
    pub(crate) fn new(pacing: &Pacing) -> Self {
        Self {
            per_chat: pacing.per_chat,
            chats: BTreeMap::new(),
            account: pacing.account.map(Window::new),
            yielding: pacing.account.map(|rate| Window::new(half(rate))),
            day: pacing.daily.map(|count| Window::new(Rate::new(count, DAY))),
            pause: Pause::default(),
        }
    }

    /// How far back a pacer must know sent actions, and the largest number of them; `None` if there is no limit.
    pub(crate) fn memory(pacing: &Pacing) -> Option<(Duration, usize)> {
        let daily = pacing.daily.map(|count| Rate::new(count, DAY));
        let rates: Vec<Rate> =
            [pacing.per_chat, pacing.account, daily].into_iter().flatten().collect();
        let longest = rates.iter().map(|rate| rate.per).max()?;
        // The windows of chats are short and share this number; actions before all windows do not matter.
        let most = rates.iter().map(|rate| rate.count as usize).max()?.max(1000);
        Some((longest, most))
    }

    /// The time at which an action of this chat may be sent: now, or later.
    pub(crate) fn next(&mut self, chat: &ChatId, now: Timestamp) -> Timestamp {
        let mut at = self.pause.until(now);
        for window in [&mut self.account, &mut self.day].into_iter().flatten() {
            at = at.max(window.next(now));
        }
        if let Some(window) = self.chats.get_mut(chat) {
            at = at.max(window.next(now));
        }
        at
    }

    /// The same for an action that gives way to replies.
    pub(crate) fn next_yielding(&mut self, chat: &ChatId, now: Timestamp) -> Timestamp {
        let at = self.next(chat, now);
        self.yielding.as_mut().map_or(at, |window| at.max(window.next(now)))
    }

    /// Counts an action that gives way as sent, beside [`note`](Self::note).
    pub(crate) fn note_yielding(&mut self, at: Timestamp) {
        self.yielding.iter_mut().for_each(|window| window.note(at));
    }

    /// Takes back what [`note_yielding`](Self::note_yielding) counted.
    pub(crate) fn take_back_yielding(&mut self, at: Timestamp) {
        self.yielding.iter_mut().for_each(|window| window.take_back(at));
    }

    /// Counts an action of this chat as sent.
    pub(crate) fn note(&mut self, chat: &ChatId, at: Timestamp) {
        for window in [&mut self.account, &mut self.day].into_iter().flatten() {
            window.note(at);
        }
        if let Some(rate) = self.per_chat {
            self.chats.retain(|_, window| !window.is_over(at));
            self.chats.entry(chat.clone()).or_insert_with(|| Window::new(rate)).note(at);
        }
    }

    /// Takes back the action that was counted for this time but was not sent.
    pub(crate) fn take_back(&mut self, chat: &ChatId, at: Timestamp) {
        for window in [&mut self.account, &mut self.day].into_iter().flatten() {
            window.take_back(at);
        }
        if let Some(window) = self.chats.get_mut(chat) {
            window.take_back(at);
        }
    }

    /// The used part of the limits. The outbox adds the gate and the chats.
    pub(crate) fn pace(&mut self, now: Timestamp) -> Pace {
        let until = self.pause.until(now);
        Pace {
            account: self.account.as_mut().map(|window| window.used(now)),
            day: self.day.as_mut().map(|window| window.used(now)),
            per_chat: self.per_chat,
            pause: (until > now).then_some(until),
            ..Pace::default()
        }
    }

    /// Notes that the service reported "too frequent". Returns the end of the pause.
    pub(crate) fn too_frequent(&mut self, asked: Option<Duration>, now: Timestamp) -> Timestamp {
        self.pause.begin(asked, now)
    }
}

/// Half of a rate, evenly spread.
fn half(rate: Rate) -> Rate {
    Rate::new(1, rate.per / (rate.count / 2).max(1))
}

impl Window {
    fn new(rate: Rate) -> Self {
        let rate = Rate::new(rate.count.max(1), rate.per);
        Self { rate, left: VecDeque::new() }
    }

    fn next(&mut self, now: Timestamp) -> Timestamp {
        // If the clock went back, actions with a later time count as sent now.
        for at in &mut self.left {
            *at = (*at).min(now);
        }
        let count = self.rate.count as usize;
        match self.left.len().checked_sub(count).and_then(|n| self.left.get(n)) {
            Some(oldest) => (*oldest + self.rate.per).max(now),
            None => now,
        }
    }

    fn used(&mut self, now: Timestamp) -> Used {
        let next = self.next(now);
        let used = self.left.iter().filter(|at| **at + self.rate.per > now).count();
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        Used { rate: self.rate, used, free_at: (next > now).then_some(next) }
    }

    fn note(&mut self, at: Timestamp) {
        self.left.push_back(at);
        if self.left.len() > self.rate.count as usize {
            self.left.pop_front();
        }
    }

    fn take_back(&mut self, at: Timestamp) {
        if let Some(n) = self.left.iter().rposition(|left| *left == at) {
            self.left.remove(n);
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.left.back().is_none_or(|last| *last + self.rate.per <= now)
    }
}

impl Pause {
    fn until(&mut self, now: Timestamp) -> Timestamp {
        // If the clock went back, a pause is at most the longest pause.
        let until = self.until.map(|until| until.min(now + LONGEST_PAUSE));
        self.until = until.filter(|until| *until > now);
        self.until.unwrap_or(now)
    }

    fn begin(&mut self, asked: Option<Duration>, now: Timestamp) -> Timestamp {
        let doubled = match self.last {
            Some((at, length)) if now.since(at) < length + FORGIVEN => length * 2,
            _ => FIRST_PAUSE,
        };
        let running = self.until.is_some_and(|until| until > now);
        let own = if running { Duration::ZERO } else { doubled };
        let length = own.max(asked.unwrap_or_default()).min(LONGEST_PAUSE);
        let until = self.until(now).max(now + length);
        if !running {
            self.last = Some((now, length));
        }
        self.until = Some(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn pacing() -> Pacing {
        Pacing {
            per_chat: Some(Rate::new(1, secs(2))),
            account: Some(Rate::new(3, secs(60))),
            daily: Some(5),
            jitter: (Duration::ZERO, Duration::ZERO),
        }
    }

    #[test]
    fn all_limits_hold_together() {
        let mut pacer = Pacer::new(&pacing());
        let (a, b) = (ChatId::from("a"), ChatId::from("b"));
        let mut left = Vec::new();
        let mut now = at(0);
        for chat in [&a, &a, &b, &a, &b, &b] {
            now = pacer.next(chat, now);
            pacer.note(chat, now);
            left.push(now.as_millis() / 1000);
        }
        // Chat a waits 2 s; the fourth action waits for the account's minute, the sixth for the next day.
        assert_eq!(left, [0, 2, 2, 60, 62, 86_400]);
    }

    #[test]
    fn what_did_not_leave_counts_for_nothing() {
        let mut pacer = Pacer::new(&pacing());
        let chat = ChatId::from("a");
        pacer.note(&chat, at(0));
        pacer.take_back(&chat, at(0));
        assert_eq!(pacer.next(&chat, at(0)), at(0));
    }

    #[test]
    fn it_says_how_much_is_used_and_until_when_it_waits() {
        let mut pacer = Pacer::new(&pacing());
        let chat = ChatId::from("a");
        for second in [0, 2, 4] {
            pacer.note(&chat, at(second));
        }
        let pace = pacer.pace(at(10));
        let used = |used: Option<Used>| used.map(|used| (used.used, used.free_at));
        assert_eq!(used(pace.account), Some((3, Some(at(60)))));
        assert_eq!((used(pace.day), pace.pause), (Some((3, None)), None));
        pacer.too_frequent(None, at(61));
        let pace = pacer.pace(at(61));
        assert_eq!((used(pace.account), pace.pause), (Some((2, None)), Some(at(121))));
        assert_eq!(Pacer::new(&Pacing::off()).pace(at(0)), Pace::default());
    }

    #[test]
    fn a_clock_that_goes_back_makes_nobody_wait_longer() {
        let mut pacer = Pacer::new(&pacing());
        let chat = ChatId::from("a");
        pacer.note(&chat, at(10_000));
        pacer.too_frequent(None, at(10_000));
        assert!(pacer.next(&chat, at(0)) <= at(0) + LONGEST_PAUSE);
        let mut pacer = Pacer::new(&pacing());
        pacer.note(&chat, at(10_000));
        assert_eq!(pacer.next(&chat, at(0)), at(2));
    }

    #[test]
    fn complaints_make_longer_and_longer_pauses() {
        let mut pacer = Pacer::new(&Pacing::off());
        let chat = ChatId::from("a");
        assert_eq!(pacer.too_frequent(None, at(0)), at(60));
        assert_eq!(pacer.too_frequent(None, at(30)), at(60), "a second complaint in the pause");
        assert_eq!(pacer.next(&chat, at(30)), at(60));
        assert_eq!(pacer.too_frequent(None, at(60)), at(180));
        assert_eq!(pacer.too_frequent(Some(secs(600)), at(180)), at(780));
        assert_eq!(pacer.too_frequent(None, at(20_000)), at(20_060), "long ago is forgiven");
    }

    #[test]
    fn the_windows_of_silent_chats_are_dropped() {
        let mut pacer = Pacer::new(&pacing());
        for n in 0..100 {
            pacer.note(&ChatId::new(format!("chat {n}")), at(n * 10));
        }
        assert_eq!(pacer.chats.len(), 1);
    }
}
