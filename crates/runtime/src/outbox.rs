//! Tracks the chats with actions to send and the earliest time for each. The actions themselves wait in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{ChatId, Random, Timestamp};

use crate::pacer::Pacer;
use crate::recent::Recent;
use crate::{Pace, Pacing, Settings, pace};

/// How long the outbox is held after a send found the account logged out, if no status arrives.
const HELD: Duration = Duration::from_secs(60);

/// The chats with actions to send. At most one action of a chat is in flight.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Ordered by the time to look at the chat, then by waiting time: the chats that sent nothing lately, the others, and
    /// those that give way.
    queues: [BTreeSet<(Timestamp, u64, ChatId)>; 3],
    /// The chats in which only messages that give way to replies wait.
    yielding: BTreeSet<ChatId>,
    /// The chats that gave way until a reply came: their next message still counts as one that gives way.
    promoted: BTreeSet<ChatId>,
    /// Since when messages that could leave gave way without a break.
    gave_way_since: Option<Timestamp>,
    /// The places of the chats, and the number of the queue.
    places: BTreeMap<ChatId, (Timestamp, u64, usize)>,
    recent: Recent<ChatId>,
    /// The chats with an action in flight.
    busy: BTreeMap<ChatId, InFlight>,
    pacer: Pacer,
    jitter: (Duration, Duration),
    random: Random,
    tickets: u64,
    at_once: usize,
    gate: Gate,
    /// The number of times that the account has come online.
    online: u64,
}

#[derive(Debug)]
struct InFlight {
    noted: Timestamp,
    news: bool,
    /// Whether it gives way to replies.
    yields: bool,
    /// Whether it was counted as one that gives way, which one that gave way until a reply came is, too.
    is_counted: bool,
    /// Whether the news do not give way.
    is_urgent: bool,
    /// The value of `Outbox::online` when the send began.
    online: u64,
}

/// The number of the queue of chats that give way.
const YIELDING: usize = 2;

/// After so long one of them goes first: a flood of replies must not hold up an announcement for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether actions may be sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Closed,
    /// Closed by a send that found the account logged out; opens at this time if no status arrives.
    ClosedUntil(Timestamp),
}

/// The result of an attempt to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The chat has no action to send.
    Nothing,
    /// The action may not be sent before this time.
    Wait(Timestamp),
    /// An action was settled or put back without being sent; there may be more.
    Skipped,
    /// An action was sent; `more` if there are others.
    Left { more: bool },
}

/// Locks the outbox for a moment.
pub(crate) fn lock(outbox: &Mutex<Outbox>) -> MutexGuard<'_, Outbox> {
    outbox.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Outbox {
    pub(crate) fn new(settings: &Settings) -> Self {
        let Pacing { jitter, .. } = settings.pacing;
        Self {
            queues: Default::default(),
            yielding: BTreeSet::new(),
            promoted: BTreeSet::new(),
            gave_way_since: None,
            places: BTreeMap::new(),
            recent: Recent::new(),
            busy: BTreeMap::new(),
            pacer: Pacer::new(&settings.pacing),
            jitter,
            random: Random::from_seed(settings.seed),
            tickets: 0,
            at_once: settings.sends_at_once.max(1),
            gate: Gate::Closed,
            online: 0,
        }
    }

    /// Counts an action that was sent before the start.
    pub(crate) fn remember(&mut self, chat: &ChatId, at: Timestamp) {
        self.pacer.note(chat, at);
    }

    /// Notes whether the account is online.
    pub(crate) fn set_online(&mut self, online: bool) {
        self.online += u64::from(online);
        self.gate = if online { Gate::Open } else { Gate::Closed };
    }

    /// Closes the gate after the send of this chat, still in flight, found the account logged out. Does nothing if the
    /// account has come online since the send began: no other status would open the gate.
    pub(crate) fn hold(&mut self, chat: &ChatId, now: Timestamp) {
        let is_current = self.busy.get(chat).is_none_or(|under| under.online == self.online);
        if self.gate == Gate::Open && is_current {
            self.gate = Gate::ClosedUntil(now + HELD);
        }
    }

    /// Notes that the service reported "too frequent". Returns the end of the pause.
    pub(crate) fn too_frequent(&mut self, asked: Option<Duration>, now: Timestamp) -> Timestamp {
        self.pacer.too_frequent(asked, now)
    }

    /// Notes that this chat has an action to send, and whether it gives way to replies. A chat gives way only while all of
    /// its actions do.
    pub(crate) fn notify(&mut self, chat: &ChatId, yields: bool, now: Timestamp) {
        if let Some(under) = self.busy.get_mut(chat) {
            under.news = true;
            under.is_urgent |= !yields;
            return;
        }
        let at = now + self.draw_jitter();
        let place = self.places.get(chat).copied();
        let is_promoted = !yields && self.yielding.remove(chat);
        if is_promoted {
            self.promoted.insert(chat.clone());
        }
        match place {
            Some((before, ..)) if before <= at && !is_promoted => {}
            Some((before, ticket, _)) => self.place(chat, at.min(before), ticket),
            None => {
                if yields {
                    self.yielding.insert(chat.clone());
                }
                self.place_behind(chat, at);
            }
        }
    }

    /// The next chat whose oldest action may be sent now; marks it as busy.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<ChatId> {
        if !self.is_open(now) || self.busy.len() >= self.at_once {
            return None;
        }
        while let Some((ticket, chat, queue)) = self.first_due(now) {
            let allowed = self.allowed(&chat, now);
            if allowed > now {
                self.place(&chat, allowed, ticket);
                continue;
            }
            self.remove(&chat);
            let waits =
                |queue: usize| self.queues[queue].first().is_some_and(|(at, ..)| *at <= now);
            let (others_wait, gives_way) = (waits(1), waits(YIELDING));
            if queue == YIELDING {
                self.gave_way_since = None;
            } else if gives_way {
                self.gave_way_since.get_or_insert(now);
            }
            self.begin(&chat, queue == 0 && others_wait, now);
            return Some(chat);
        }
        None
    }

    /// Marks a chat as busy whose first action is about to be queued, if that action could leave at once: then it is
    /// claimed together with its turn. No other chat waits longer.
    pub(crate) fn reserve(&mut self, chat: &ChatId, now: Timestamp) -> bool {
        let is_free = self.is_open(now)
            && self.busy.len() < self.at_once
            && !self.busy.contains_key(chat)
            && !self.places.contains_key(chat)
            && self.jitter.1.is_zero()
            && self.first_due(now).is_none()
            && self.pacer.next(chat, now) <= now;
        if is_free {
            self.begin(chat, false, now);
        }
        is_free
    }

    fn begin(&mut self, chat: &ChatId, overtakes: bool, now: Timestamp) {
        let yields = self.yielding.remove(chat);
        let is_counted = self.promoted.remove(chat) || yields;
        if is_counted {
            self.pacer.note_yielding(now);
        }
        if !yields {
            self.recent.note(chat, overtakes);
        }
        self.pacer.note(chat, now);
        let online = self.online;
        let in_flight =
            InFlight { noted: now, news: false, yields, is_counted, is_urgent: false, online };
        self.busy.insert(chat.clone(), in_flight);
    }

    /// The time at which the limits allow the oldest action of a waiting chat.
    fn allowed(&mut self, chat: &ChatId, now: Timestamp) -> Timestamp {
        if self.yielding.contains(chat) {
            self.pacer.next_yielding(chat, now)
        } else {
            self.pacer.next(chat, now)
        }
    }

    /// Whether one more action that gives way may be in flight: slow ones, as uploads, must not take all places.
    fn may_yield(&self) -> bool {
        let under_way = self.busy.values().filter(|one| one.yields).count();
        under_way < (self.at_once / 2).max(1)
    }

    /// The next chat whose time has come, with its ticket and the number of its queue.
    fn first_due(&self, now: Timestamp) -> Option<(u64, ChatId, usize)> {
        let [first, second] = if self.recent.is_for_newcomers() { [0, 1] } else { [1, 0] };
        let is_over = self.gave_way_since.is_some_and(|since| now.since(since) >= PATIENCE);
        let order = if is_over { [YIELDING, first, second] } else { [first, second, YIELDING] };
        let may = |queue: &usize| *queue != YIELDING || self.may_yield();
        order.into_iter().filter(may).find_map(|queue| {
            let (at, ticket, chat) = self.queues[queue].first()?;
            (*at <= now).then(|| (*ticket, chat.clone(), queue))
        })
    }

    /// Notes the result of the attempt of this chat.
    pub(crate) fn done(&mut self, chat: &ChatId, attempt: Attempt, now: Timestamp) {
        let Some(under) = self.busy.remove(chat) else { return };
        let InFlight { noted, news, yields, is_counted, is_urgent, .. } = under;
        if !matches!(attempt, Attempt::Left { .. }) {
            self.pacer.take_back(chat, noted);
            if is_counted {
                self.pacer.take_back_yielding(noted);
            }
        }
        let yields = yields && !is_urgent;
        if is_counted && matches!(attempt, Attempt::Wait(_) | Attempt::Skipped) {
            let again = if yields { &mut self.yielding } else { &mut self.promoted };
            again.insert(chat.clone());
        }
        match attempt {
            Attempt::Wait(at) => self.place_behind(chat, at),
            Attempt::Skipped => self.place_behind(chat, now),
            Attempt::Left { more: true } => self.notify(chat, yields, now),
            Attempt::Nothing | Attempt::Left { more: false } => {}
        }
        if news {
            self.notify(chat, !is_urgent, now);
        }
    }

    /// The time to look again, if nothing happens before.
    pub(crate) fn wake(&self) -> Option<Timestamp> {
        let waiting = if self.may_yield() { &self.queues[..] } else { &self.queues[..YIELDING] };
        let first = waiting.iter().filter_map(|queue| Some(queue.first()?.0)).min()?;
        match self.gate {
            Gate::Closed => None,
            _ if self.busy.len() >= self.at_once => None,
            Gate::Open => Some(first),
            Gate::ClosedUntil(until) => Some(first.max(until)),
        }
    }

    /// Drops waiting times after the clock went back, since they are wrong then.
    pub(crate) fn clock_went_back(&mut self, now: Timestamp) {
        for (chat, (at, ticket, _)) in self.places.clone() {
            self.place(&chat, at.min(now), ticket);
        }
        self.gave_way_since = self.gave_way_since.map(|since| since.min(now));
        if let Gate::ClosedUntil(until) = self.gate {
            self.gate = Gate::ClosedUntil(until.min(now + HELD));
        }
    }

    /// The waiting chats with the times until which they wait, and the used part of the limits.
    pub(crate) fn pace(&mut self, now: Timestamp) -> Pace {
        let mut pace = self.pacer.pace(now);
        pace.is_open = self.is_open(now);
        let mut waiting: Vec<_> =
            self.queues.iter().flat_map(|queue| queue.iter().take(pace::CHATS)).collect();
        waiting.sort_unstable();
        for (at, _, chat) in waiting.into_iter().take(pace::CHATS) {
            let allowed = if self.yielding.contains(chat) {
                self.pacer.next_yielding(chat, now)
            } else {
                self.pacer.next(chat, now)
            };
            pace.chats.push((chat.clone(), (*at).max(allowed)));
        }
        pace
    }

    /// Whether no action is in flight or waits to be sent.
    pub(crate) fn is_idle(&self) -> bool {
        self.busy.is_empty() && self.places.is_empty()
    }

    fn is_open(&mut self, now: Timestamp) -> bool {
        if let Gate::ClosedUntil(until) = self.gate
            && until <= now
        {
            self.gate = Gate::Open;
        }
        self.gate == Gate::Open
    }

    fn place_behind(&mut self, chat: &ChatId, at: Timestamp) {
        self.tickets += 1;
        self.place(chat, at, self.tickets);
    }

    fn place(&mut self, chat: &ChatId, at: Timestamp, ticket: u64) {
        self.remove(chat);
        let gives_way = self.yielding.contains(chat);
        let queue = if gives_way { YIELDING } else { usize::from(self.recent.has(chat)) };
        self.places.insert(chat.clone(), (at, ticket, queue));
        self.queues[queue].insert((at, ticket, chat.clone()));
    }

    fn remove(&mut self, chat: &ChatId) {
        if let Some((at, ticket, queue)) = self.places.remove(chat) {
            self.queues[queue].remove(&(at, ticket, chat.clone()));
        }
    }

    fn draw_jitter(&mut self) -> Duration {
        let (least, most) = self.jitter;
        let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(0);
        least + Duration::from_millis(self.random.below(span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rate;

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn outbox(pacing: Pacing) -> Outbox {
        let mut outbox = Outbox::new(&Settings { pacing, ..Settings::default() });
        outbox.set_online(true);
        outbox
    }

    #[test]
    fn nothing_leaves_before_the_account_is_on_line() {
        let mut outbox = outbox(Pacing::off());
        outbox.set_online(false);
        outbox.notify(&"a".into(), false, at(0));
        assert_eq!((outbox.next(at(0)), outbox.wake()), (None, None));
        outbox.set_online(true);
        assert_eq!(outbox.next(at(0)), Some("a".into()));
    }

    #[test]
    fn a_chat_has_one_action_under_way() {
        let mut outbox = outbox(Pacing::off());
        outbox.notify(&"a".into(), false, at(0));
        assert_eq!(outbox.next(at(0)), Some("a".into()));
        outbox.notify(&"a".into(), false, at(0));
        assert_eq!(outbox.next(at(0)), None);
        outbox.done(&"a".into(), Attempt::Left { more: false }, at(1));
        assert_eq!(outbox.next(at(1)), Some("a".into()), "the news that came meanwhile");
        outbox.done(&"a".into(), Attempt::Nothing, at(1));
        assert!(outbox.is_idle());
    }

    /// At most one announcement in 50 seconds.
    fn half_of_four() -> Outbox {
        let account = Some(Rate::new(4, Duration::from_secs(100)));
        outbox(Pacing { account, ..Pacing::off() })
    }

    /// Queues an announcement for a chat, and a reply that waits behind it.
    fn announce_before_reply(outbox: &mut Outbox, chat: &str) {
        outbox.notify(&chat.into(), true, at(0));
        outbox.notify(&chat.into(), false, at(0));
        assert_eq!(outbox.next(at(0)), Some(chat.into()));
    }

    #[test]
    fn an_announcement_that_was_not_sent_uses_nothing_of_their_limit() {
        let mut outbox = half_of_four();
        announce_before_reply(&mut outbox, "a");
        outbox.done(&"a".into(), Attempt::Nothing, at(0));
        outbox.notify(&"b".into(), true, at(1));
        assert_eq!(outbox.next(at(1)), Some("b".into()));
    }

    #[test]
    fn an_announcement_that_a_reply_waits_for_counts_when_it_is_sent() {
        for (waits, is_late) in [
            (Attempt::Wait(at(50)), false),
            (Attempt::Skipped, false),
            (Attempt::Wait(at(50)), true),
        ] {
            let mut outbox = half_of_four();
            if is_late {
                // The reply comes while the announcement is under way.
                outbox.notify(&"a".into(), true, at(0));
                assert_eq!(outbox.next(at(0)), Some("a".into()));
                outbox.notify(&"a".into(), false, at(0));
            } else {
                announce_before_reply(&mut outbox, "a");
            }
            outbox.done(&"a".into(), waits, at(0));
            assert_eq!(outbox.next(at(50)), Some("a".into()), "{waits:?}");
            outbox.done(&"a".into(), Attempt::Left { more: false }, at(50));
            outbox.notify(&"b".into(), true, at(51));
            assert_eq!(outbox.next(at(99)), None, "{waits:?}");
            assert_eq!(outbox.next(at(100)), Some("b".into()), "{waits:?}");
        }
    }

    #[test]
    fn a_chat_is_reserved_only_if_its_action_could_leave_at_once() {
        let chat = ChatId::from("a");
        let mut free = outbox(Pacing::off());
        assert!(free.reserve(&chat, at(0)));
        assert!(!free.reserve(&chat, at(0)), "it is under way");
        free.notify(&chat, false, at(0));
        free.done(&chat, Attempt::Nothing, at(0));
        assert!(!free.reserve(&"b".into(), at(0)), "a waits longer");
        assert_eq!(free.next(at(0)), Some(chat.clone()), "the news that came meanwhile");
        let mut closed = outbox(Pacing::off());
        closed.set_online(false);
        assert!(!closed.reserve(&chat, at(0)));
        let per_chat = Some(Rate::new(1, Duration::from_secs(10)));
        let mut paced = outbox(Pacing { per_chat, ..Pacing::off() });
        assert!(paced.reserve(&chat, at(0)));
        paced.done(&chat, Attempt::Left { more: false }, at(1));
        assert!(!paced.reserve(&chat, at(9)));
        assert!(paced.reserve(&chat, at(10)));
        let jitter = (Duration::ZERO, Duration::from_secs(1));
        assert!(!outbox(Pacing { jitter, ..Pacing::off() }).reserve(&chat, at(0)));
    }

    #[test]
    fn under_a_common_limit_chats_take_turns() {
        let account = Some(Rate::new(1, Duration::from_secs(10)));
        let mut outbox = outbox(Pacing { account, ..Pacing::off() });
        for chat in ["b", "a", "c"] {
            outbox.notify(&chat.into(), false, at(0));
        }
        let mut order = String::new();
        for second in 0..60 {
            if let Some(chat) = outbox.next(at(second)) {
                order.push_str(chat.as_str());
                outbox.done(&chat, Attempt::Left { more: true }, at(second));
            }
        }
        assert_eq!(order, "bacbac");
    }

    #[test]
    fn a_chat_that_sent_nothing_lately_goes_before_those_of_a_flood() {
        let mut outbox = outbox(Pacing::off());
        let flood: Vec<ChatId> = (0..500).map(|n| ChatId::new(format!("flood {n}"))).collect();
        for chat in &flood {
            outbox.notify(chat, false, at(0));
        }
        for chat in &flood {
            assert_eq!(outbox.next(at(1)).as_ref(), Some(chat), "in order of arrival");
            outbox.done(chat, Attempt::Left { more: false }, at(1));
        }
        for chat in &flood {
            outbox.notify(chat, false, at(1));
        }
        outbox.notify(&"new".into(), false, at(2));
        assert_eq!(outbox.next(at(2)), Some("new".into()));
        outbox.done(&"new".into(), Attempt::Left { more: true }, at(2));
        assert_eq!(outbox.next(at(2)).as_ref(), flood.first(), "it is one of them now");
    }

    #[test]
    fn it_tells_which_chat_waits_until_when() {
        let per_chat = Some(Rate::new(1, Duration::from_secs(10)));
        let mut outbox = outbox(Pacing { per_chat, ..Pacing::off() });
        outbox.notify(&"a".into(), false, at(0));
        assert_eq!(outbox.next(at(0)), Some("a".into()));
        outbox.done(&"a".into(), Attempt::Left { more: true }, at(0));
        let pace = outbox.pace(at(1));
        assert_eq!((pace.is_open, pace.chats), (true, vec![("a".into(), at(10))]));
        outbox.set_online(false);
        assert!(!outbox.pace(at(1)).is_open);
    }

    #[test]
    fn a_held_outbox_opens_by_itself() {
        let mut outbox = outbox(Pacing::off());
        outbox.notify(&"a".into(), false, at(0));
        assert_eq!(outbox.next(at(0)), Some("a".into()));
        outbox.hold(&"a".into(), at(0));
        outbox.done(&"a".into(), Attempt::Left { more: true }, at(0));
        assert_eq!(outbox.next(at(1)), None);
        assert_eq!(outbox.wake(), Some(at(60)));
        assert_eq!(outbox.next(at(60)), Some("a".into()));
    }

    #[test]
    fn a_send_that_failed_before_the_account_came_back_holds_up_nobody() {
        let mut outbox = outbox(Pacing::off());
        outbox.notify(&"a".into(), false, at(0));
        assert_eq!(outbox.next(at(0)), Some("a".into()));
        outbox.set_online(false);
        outbox.set_online(true);
        outbox.hold(&"a".into(), at(0));
        outbox.done(&"a".into(), Attempt::Left { more: true }, at(0));
        assert_eq!(outbox.next(at(0)), Some("a".into()));
    }

    #[test]
    fn a_clock_that_goes_back_keeps_nobody_waiting() {
        let mut outbox = outbox(Pacing::off());
        outbox.notify(&"a".into(), false, at(5000));
        outbox.clock_went_back(at(0));
        assert_eq!(outbox.next(at(0)), Some("a".into()));
    }

    /// The times from a reply to its sending, in milliseconds, while a broadcast goes to these chats. A reply comes every
    /// `every` seconds, each in the next of `replies` chats.
    fn delays_of_replies(pacing: Pacing, broadcast: usize, replies: usize, every: i64) -> Vec<i64> {
        let name = |n: usize| ChatId::new(format!("chat {n}"));
        let mut outbox = outbox(pacing);
        let mut waiting: BTreeMap<ChatId, (usize, Option<Timestamp>)> = BTreeMap::new();
        for n in 0..broadcast {
            outbox.notify(&name(n), true, at(0));
            waiting.entry(name(n)).or_default().0 += 1;
        }
        let mut delays = Vec::new();
        for tick in 0..14_000 {
            let now = Timestamp::from_millis(tick * 100);
            if tick % (every * 10) == 0 && tick < 11_000 {
                let chat = name(usize::try_from(tick / (every * 10)).unwrap() % replies);
                outbox.notify(&chat, false, now);
                let place = waiting.entry(chat).or_default();
                place.0 += 1;
                place.1.get_or_insert(now);
            }
            while let Some(chat) = outbox.next(now) {
                let place = waiting.get_mut(&chat).expect("it waits");
                place.0 -= 1;
                // The reply is the last action of its chat.
                if place.0 == 0
                    && let Some(since) = place.1.take()
                {
                    delays.push(now.as_millis() - since.as_millis());
                }
                let more = place.0 > 0;
                outbox.done(&chat, Attempt::Left { more }, now);
            }
        }
        assert!(waiting.values().all(|(count, _)| *count == 0), "everything leaves: {waiting:?}");
        delays
    }

    #[test]
    fn a_broadcast_to_200_groups_delays_no_reply_by_more_than_one_pace_of_its_chat() {
        // The limits of WeChat Web, and twice as much. A reply waits its jitter of two seconds, and in a chat that has its
        // part of the broadcast before it one pace of two seconds; a step of the test is a tenth.
        let per_chat = Some(Rate::new(1, Duration::from_secs(2)));
        let jitter = (Duration::from_millis(500), Duration::from_secs(2));
        for (a_minute, every) in [(20, 7), (40, 4)] {
            let account = Some(Rate::new(a_minute, Duration::from_secs(60)));
            let pacing = Pacing { per_chat, account, jitter, daily: None };
            let alone = delays_of_replies(pacing.clone(), 0, 500, every);
            let beside = delays_of_replies(pacing.clone(), 200, 500, every);
            assert_eq!(alone.len(), beside.len());
            let longest = |delays: &[i64]| delays.iter().copied().max().unwrap();
            assert!(longest(&alone) <= 2_100, "{alone:?}");
            assert!(longest(&beside) <= 2_100 + 2_100, "{beside:?}");
        }
    }

    #[test]
    fn a_flood_of_replies_does_not_hold_up_a_broadcast_for_ever() {
        let account = Some(Rate::new(1, Duration::from_secs(10)));
        let mut outbox = outbox(Pacing { account, ..Pacing::off() });
        outbox.notify(&"broadcast".into(), true, at(0));
        let mut left = Vec::new();
        for second in 0..200 {
            outbox.notify(&ChatId::new(format!("reply {second}")), false, at(second));
            while let Some(chat) = outbox.next(at(second)) {
                left.push((second, chat.clone()));
                outbox.done(&chat, Attempt::Left { more: false }, at(second));
            }
        }
        let gone = left.iter().find(|(_, chat)| chat.as_str() == "broadcast").map(|(at, _)| *at);
        assert_eq!(gone, Some(60), "{left:?}");
    }

    #[test]
    fn slow_messages_that_give_way_leave_places_for_replies() {
        let settings = Settings { pacing: Pacing::off(), sends_at_once: 4, ..Settings::default() };
        let mut outbox = Outbox::new(&settings);
        outbox.set_online(true);
        for n in 0..10 {
            outbox.notify(&ChatId::new(format!("group {n}")), true, at(0));
        }
        let first: Vec<ChatId> = std::iter::from_fn(|| outbox.next(at(0))).collect();
        assert_eq!((first.len(), outbox.wake()), (2, None), "half of the places");
        outbox.notify(&"group 9".into(), false, at(0));
        assert_eq!(outbox.next(at(0)), Some("group 9".into()), "a reply waits there now");
        outbox.done(&first[0], Attempt::Left { more: false }, at(0));
        assert_eq!((outbox.wake(), outbox.next(at(0))), (Some(at(0)), Some("group 2".into())));
    }
}
