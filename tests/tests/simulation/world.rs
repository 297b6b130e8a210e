//! The knowledge of the simulation: the state of the service, and a model of the store. Every promise that can be
//! checked during the run is checked here; the first broken one ends the run.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mynah_core::{
    Action, ActionId, Batch, ChatId, Claim, Clock, Committed, Event, EventId, Lane, Outcome,
    Outgoing, Random, Recovered, Step, TimerChange, Timestamp, Turn,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::plan::{BEGIN, HANDLER_TIMEOUT, Kind, MAX_AGE, Plan, REPLY_MAX_AGE};

/// More boundaries than any correct run passes: there must be an endless loop.
const RUNAWAY: u32 = 20_000;

/// The clock of a simulated machine. It continues while the process is dead.
#[derive(Debug)]
pub(crate) struct SimClock {
    base: AtomicI64,
    started: Mutex<Option<Instant>>,
}

impl SimClock {
    fn new() -> Self {
        Self { base: AtomicI64::new(BEGIN.as_millis()), started: Mutex::new(None) }
    }

    /// A new process starts, in a new runtime.
    pub(crate) fn start(&self) {
        *lock(&self.started) = Some(Instant::now());
    }

    /// The process ended.
    pub(crate) fn stop(&self) {
        let now = self.now();
        *lock(&self.started) = None;
        self.base.store(now.as_millis(), Ordering::Relaxed);
    }

    /// Time passes without a process.
    pub(crate) fn go_on(&self, time: Duration) {
        let now = self.now() + time;
        self.base.store(now.as_millis(), Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let base = Timestamp::from_millis(self.base.load(Ordering::Relaxed));
        base + lock(&self.started).map_or(Duration::ZERO, |started| started.elapsed())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run of the simulation, shared by its parts.
#[derive(Debug, Clone)]
pub(crate) struct Sim(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    plan: Plan,
    clock: Arc<SimClock>,
    /// Whether the process is dead.
    over: watch::Sender<bool>,
    world: Mutex<World>,
}

#[derive(Debug)]
pub(crate) struct World {
    /// The source of random faults.
    random: Random,
    /// The number of passed boundaries.
    passed: u32,
    /// The number of boundaries until the process dies.
    fuse: Option<u32>,
    is_dead: bool,
    trace: String,
    pub(crate) problem: Option<String>,
    known: BTreeSet<EventId>,
    /// Those of them that would survive a power loss.
    durable: BTreeSet<EventId>,
    /// The waiting events, in the order in which they must be handled.
    waiting: BTreeMap<Lane, VecDeque<EventId>>,
    begun: BTreeSet<EventId>,
    /// The number of deaths of the process while the event was begun.
    deaths: BTreeMap<EventId, u32>,
    timers: BTreeMap<(Timestamp, ChatId, String), Lane>,
    /// The unsettled actions of each chat, in the order in which they must leave.
    queues: BTreeMap<ChatId, VecDeque<ActionId>>,
    actions: BTreeMap<ActionId, Fate>,
    in_flight: BTreeSet<ChatId>,
    claims: Vec<(Timestamp, ActionId)>,
    counts: BTreeMap<ChatId, i64>,
    shared: i64,
    handled: i64,
}

/// The state of an action.
#[derive(Debug, Default)]
struct Fate {
    queued: Timestamp,
    is_reply: bool,
    is_claimed: bool,
    doubts: u32,
    effects: u32,
    settled: Option<String>,
}

impl Sim {
    pub(crate) fn new(seed: u64) -> Self {
        let world = World {
            random: Random::from_seed(seed ^ 0x5eed),
            passed: 0,
            fuse: None,
            is_dead: false,
            trace: String::new(),
            problem: None,
            known: BTreeSet::new(),
            durable: BTreeSet::new(),
            waiting: BTreeMap::new(),
            begun: BTreeSet::new(),
            deaths: BTreeMap::new(),
            timers: BTreeMap::new(),
            queues: BTreeMap::new(),
            actions: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            claims: Vec::new(),
            counts: BTreeMap::new(),
            shared: 0,
            handled: 0,
        };
        Self(Arc::new(Shared {
            plan: Plan::of(seed),
            clock: Arc::new(SimClock::new()),
            over: watch::Sender::new(false),
            world: Mutex::new(world),
        }))
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    pub(crate) fn clock(&self) -> &Arc<SimClock> {
        &self.0.clock
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The present time by the clock of the service.
    pub(crate) fn service_now(&self) -> Timestamp {
        Timestamp::from_millis(self.now().as_millis() + self.0.plan.skew)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.0.world)
    }

    /// Draws a random number for a fault.
    pub(crate) fn draw(&self, below: u64) -> u64 {
        self.world().random.below(below)
    }

    pub(crate) fn note(&self, words: &str) {
        let now = self.now();
        let _ = writeln!(self.world().trace, "{now} {words}");
    }

    pub(crate) fn trace(&self) -> String {
        self.world().trace.clone()
    }

    /// Records a broken promise. Only the first counts.
    pub(crate) fn problem(&self, words: String) {
        self.note(&words);
        let mut world = self.world();
        world.problem.get_or_insert(words);
        world.is_dead = true;
        self.0.over.send_replace(true);
    }

    pub(crate) fn check(&self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.problem(words());
        }
    }

    /// Returns when the process dies, or a promise is broken.
    pub(crate) async fn over(&self) {
        // The sender lives as long as the run.
        let _ = self.0.over.subscribe().wait_for(|over| *over).await;
    }

    /// Starts a new process, which dies after so many boundaries.
    pub(crate) fn light(&self, fuse: Option<u32>) {
        let mut world = self.world();
        world.fuse = fuse;
        world.is_dead = false;
        self.0.over.send_replace(false);
    }

    /// The process died: each begun event counts a death, and requests in flight are gone.
    pub(crate) fn bury(&self) {
        let mut world = self.world();
        for event in std::mem::take(&mut world.begun) {
            *world.deaths.entry(event).or_default() += 1;
        }
        world.in_flight.clear();
    }

    /// Whether the process dies at this boundary, or is dead already.
    pub(crate) fn dies(&self) -> bool {
        let mut world = self.world();
        if let Some(left) = world.fuse.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                world.is_dead = true;
            }
        }
        if world.is_dead {
            self.0.over.send_replace(true);
        }
        world.is_dead
    }

    /// The process dies here and now.
    pub(crate) fn kill(&self) {
        self.world().is_dead = true;
        self.0.over.send_replace(true);
    }

    /// A boundary between two steps: the process may die here.
    pub(crate) async fn boundary(&self, place: &str) {
        let passed = {
            let mut world = self.world();
            world.passed += 1;
            world.passed
        };
        self.check(passed < RUNAWAY, || format!("it goes on without end {place}"));
        if self.dies() {
            self.note(&format!("dies {place}"));
            std::future::pending::<()>().await;
        }
    }
}

/// The answers of the store, compared with the model.
impl Sim {
    pub(crate) fn recovered(&self, recovered: &Recovered) {
        self.note(&format!("recovered {recovered:?}"));
        let aside: BTreeSet<&EventId> = recovered.set_aside.iter().collect();
        let (expected, in_doubt) = {
            let mut world = self.world();
            let waits = |event: &EventId| world.waiting.values().any(|lane| lane.contains(event));
            let expected: BTreeSet<EventId> = world
                .deaths
                .iter()
                .filter(|(event, deaths)| **deaths >= 3 && waits(event))
                .map(|(event, _)| event.clone())
                .collect();
            for lane in world.waiting.values_mut() {
                lane.retain(|event| !expected.contains(event));
            }
            let doubt: BTreeSet<ActionId> = world
                .actions
                .iter()
                .filter(|(_, fate)| fate.is_claimed && fate.settled.is_none())
                .map(|(id, _)| id.clone())
                .collect();
            (expected, doubt)
        };
        self.check(aside == expected.iter().collect(), || {
            format!("set aside: {aside:?}, expected {expected:?}")
        });
        let found: BTreeSet<ActionId> = recovered.in_doubt.iter().cloned().collect();
        self.check(found == in_doubt, || format!("in doubt: {found:?}, expected {in_doubt:?}"));
    }

    pub(crate) fn accepted(&self, batch: &Batch) {
        let mut world = self.world();
        for event in &batch.events {
            if world.known.insert(event.id.clone()) {
                world.waiting.entry(event.lane()).or_default().push_back(event.id.clone());
            }
        }
        drop(world);
        let ids: Vec<&str> = batch.events.iter().map(|event| event.id.as_str()).collect();
        self.note(&format!("accepted {ids:?}"));
    }

    /// All answers of the store so far survive a power loss.
    pub(crate) fn synced(&self) {
        let mut world = self.world();
        world.durable = world.known.clone();
    }

    pub(crate) fn fired(&self) {
        let now = self.now();
        let mut world = self.world();
        let later =
            world.timers.split_off(&(now + Duration::from_millis(1), "".into(), String::new()));
        let due = std::mem::replace(&mut world.timers, later);
        for ((at, chat, key), lane) in due {
            let id = Event::id_of_due(Some(&chat), &key, at);
            world.known.insert(id.clone());
            world.waiting.entry(lane).or_default().push_back(id);
        }
    }

    pub(crate) fn begun(&self, lane: &Lane, event: Option<&Event>) {
        let found = event.map(|event| event.id.clone());
        let mut world = self.world();
        let expected = world.waiting.get(lane).and_then(|queue| queue.front().cloned());
        world.begun.extend(found.clone());
        drop(world);
        self.note(&format!("begun {found:?} in {lane}"));
        self.check(found == expected, || {
            format!("lane {lane} begins {found:?}, the next is {expected:?}")
        });
    }

    /// Before a turn is committed: its effects must match the model.
    pub(crate) fn commits(&self, turn: &Turn, committed: &Committed) {
        let id = &turn.event.id;
        if *committed == Committed::Conflict {
            self.note(&format!("conflict {id}"));
            return;
        }
        self.note(&format!("committed {id} {:?}", turn.decided.passed_over));
        let lane = turn.event.lane();
        let first = self.world().waiting.get_mut(&lane).and_then(VecDeque::pop_front);
        self.check(first.as_ref() == Some(id), || {
            format!("{id} is handled, the next was {first:?}")
        });
        self.world().begun.remove(id);
        self.check_answers(turn);
        self.take_over(turn);
    }

    /// Whether the turn has the expected answers, and no others.
    fn check_answers(&self, turn: &Turn) {
        let id = &turn.event.id;
        let answered = turn.decided.passed_over.is_none();
        let is_empty = turn.effects.steps.is_empty()
            && turn.effects.writes.is_empty()
            && turn.effects.timers.is_empty();
        self.check(answered || is_empty, || format!("{id} was passed over and has effects"));
        let Some(kind) = self.plan().kind_of(id) else { return };
        let age = self.service_now().since(turn.event.time);
        let too_old = turn.decided.passed_over.as_deref() == Some("too old");
        self.check(!too_old || age > MAX_AGE, || format!("{id} is called too old at {age:?}"));
        match kind {
            Kind::NotForUs(_) | Kind::Stale | Kind::Fail | Kind::Panic | Kind::Hang => {
                self.check(!answered, || format!("{id} ({kind:?}) was answered"));
            }
            Kind::Poison => self.check(too_old, || format!("{id} ({kind:?}) was handled")),
            Kind::Plain(_) | Kind::Shared | Kind::Later | Kind::Elsewhere => {
                self.check(answered || too_old, || format!("{id} ({kind:?}) was not answered"));
                self.check(!answered || age <= MAX_AGE + HANDLER_TIMEOUT, || {
                    format!("{id} was answered {age:?} after it was said")
                });
                if answered {
                    self.check_counts(turn, kind);
                }
            }
        }
    }

    /// State and replies belong together: each answer contains its number in the chat, and on the shared counter.
    fn check_counts(&self, turn: &Turn, kind: Kind) {
        let Some(chat) = turn.event.chat() else { return };
        let (count, shared) = {
            let mut world = self.world();
            world.handled += 1;
            world.shared += i64::from(kind == Kind::Shared);
            let shared = world.shared;
            let count = world.counts.entry(chat.id.clone()).or_default();
            *count += 1;
            (*count, shared)
        };
        let number = Random::of(self.plan().settings.seed, &turn.event.id).below(1000);
        let expected = match kind {
            Kind::Shared => format!("count={count} random={number} shared={shared}"),
            _ => format!("count={count} random={number}"),
        };
        let id = &turn.event.id;
        let answers = &turn.decided.replies;
        self.check(!answers.is_empty(), || format!("{id} has no reply"));
        for answer in answers {
            self.check(answer.ends_with(&expected), || {
                format!("{id} answers {answer:?}, expected {expected:?}")
            });
        }
    }

    /// Copies actions and timers of a committed turn to the model.
    fn take_over(&self, turn: &Turn) {
        let now = self.now();
        let mut world = self.world();
        let acts = turn.effects.steps.iter().filter_map(|step| match step {
            Step::Act(planned) => Some(planned),
            Step::Run(_) => None,
        });
        for (n, planned) in (0..).zip(acts) {
            let id = ActionId { event: turn.event.id.clone(), n };
            let fate = Fate { queued: now, is_reply: planned.is_reply, ..Fate::default() };
            world.queues.entry(planned.chat.clone()).or_default().push_back(id.clone());
            world.actions.insert(id, fate);
        }
        for change in &turn.effects.timers {
            if let TimerChange::Set(timer) = change
                && let Some(chat) = &timer.chat
            {
                let place = (timer.at, chat.id.clone(), timer.key.clone());
                world.timers.insert(place, Lane::from(&chat.id));
            }
        }
    }

    pub(crate) fn claimed(&self, chat: &ChatId, claim: &Claim) {
        match claim {
            Claim::Send(outgoing) => self.claimed_one(chat, outgoing),
            Claim::Expired(outgoing) => {
                self.note(&format!("expired {}", outgoing.id));
                let late = self.is_late(&outgoing.id);
                self.check(late, || format!("{} expired before its time", outgoing.id));
                self.settle_as(&outgoing.id, "expired");
            }
            Claim::Wait(_) => {}
            Claim::Empty => {
                let world = self.world();
                let open = world.queues.get(chat).and_then(|queue| queue.front().cloned());
                let claimed = open
                    .as_ref()
                    .and_then(|id| world.actions.get(id))
                    .is_some_and(|fate| fate.is_claimed);
                drop(world);
                self.check(open.is_none() || claimed, || format!("{chat} has {open:?} to send"));
            }
        }
    }

    fn is_late(&self, id: &ActionId) -> bool {
        let now = self.now();
        let world = self.world();
        let fate = world.actions.get(id);
        fate.is_some_and(|fate| fate.is_reply && now.since(fate.queued) >= REPLY_MAX_AGE)
    }

    fn claimed_one(&self, chat: &ChatId, outgoing: &Outgoing) {
        let id = &outgoing.id;
        self.note(&format!("claimed {id} try {}", outgoing.attempt));
        let now = self.now();
        let late = self.is_late(id);
        self.check(!late, || format!("{id} leaves too late"));
        let mut world = self.world();
        let first = world.queues.get(chat).and_then(|queue| queue.front().cloned());
        let before = world.actions.get(id).map(|fate| fate.is_claimed);
        if let Some(fate) = world.actions.get_mut(id) {
            fate.is_claimed = true;
        }
        world.claims.push((now, id.clone()));
        drop(world);
        self.synced();
        self.check(first.as_ref() == Some(id), || {
            format!("{id} is claimed, the next was {first:?}")
        });
        self.check(before == Some(false), || format!("{id} is claimed twice"));
        self.check_pace();
    }

    /// The number of different actions within the account's period must not exceed its limit.
    fn check_pace(&self) {
        let Some(rate) = self.plan().settings.pacing.account else { return };
        let now = self.now();
        let world = self.world();
        let within: BTreeSet<&ActionId> = world
            .claims
            .iter()
            .rev()
            .take_while(|(at, _)| now.since(*at) < rate.per)
            .map(|(_, id)| id)
            .collect();
        let count = within.len();
        drop(world);
        self.check(count <= rate.count as usize, || {
            format!("{count} actions within {:?}", rate.per)
        });
    }

    pub(crate) fn settled(&self, id: &ActionId, outcome: &Outcome) {
        self.note(&format!("settled {id} {outcome:?}"));
        let mut world = self.world();
        let Some(fate) = world.actions.get_mut(id) else { return };
        fate.is_claimed = false;
        let settled = match outcome {
            Outcome::Delivered(_) | Outcome::Accepted => Some("done"),
            Outcome::Refused { .. } => Some("refused"),
            Outcome::Expired => Some("expired"),
            Outcome::NotSent { .. } => None,
            Outcome::Unknown { again_at: Some(_), .. } if fate.doubts == 0 => {
                fate.doubts = 1;
                None
            }
            Outcome::Unknown { .. } => {
                fate.doubts += 1;
                Some("unknown")
            }
        };
        drop(world);
        if let Some(settled) = settled {
            self.settle_as(id, settled);
        }
    }

    fn settle_as(&self, id: &ActionId, settled: &str) {
        let mut world = self.world();
        for queue in world.queues.values_mut() {
            queue.retain(|other| other != id);
        }
        if let Some(fate) = world.actions.get_mut(id) {
            fate.settled = Some(settled.to_owned());
        }
    }
}

/// The view of the service.
impl Sim {
    /// The client asks for the messages after this number, and the service deletes the earlier ones: the store must
    /// have them on disk.
    pub(crate) fn forgets(&self, messages: usize) {
        let lost = {
            let world = self.world();
            let ids = self.plan().messages[..messages].iter().map(|planned| &planned.event.id);
            ids.filter(|id| !world.durable.contains(*id)).cloned().collect::<Vec<EventId>>()
        };
        self.check(lost.is_empty(), || format!("the loss of power would lose {lost:?}"));
    }

    /// A request arrives.
    pub(crate) fn comes_in(&self, outgoing: &Outgoing) {
        let Outgoing { id, chat, .. } = outgoing;
        self.note(&format!("request {id}"));
        let mut world = self.world();
        let alone = world.in_flight.insert(chat.clone());
        let fate = world.actions.get(id);
        let may = fate.is_some_and(|fate| fate.is_claimed && fate.settled.is_none());
        drop(world);
        self.check(alone, || format!("{id}: two requests of one chat at once"));
        self.check(may, || format!("{id} is sent without a claim"));
    }

    /// A request takes effect.
    pub(crate) fn takes_effect(&self, outgoing: &Outgoing) {
        self.note(&format!("effect {}", outgoing.id));
        let text = match &outgoing.action {
            Action::Send { content } => content.plain_text(),
            other => format!("{other:?}"),
        };
        let mut world = self.world();
        let _ = writeln!(world.trace, "said {text}");
        let Some(fate) = world.actions.get_mut(&outgoing.id) else { return };
        fate.effects += 1;
        let (effects, doubts) = (fate.effects, fate.doubts);
        drop(world);
        self.check(effects <= 1 + doubts, || format!("{} took effect twice", outgoing.id));
    }

    /// A request is answered.
    pub(crate) fn answered(&self, outgoing: &Outgoing) {
        self.world().in_flight.remove(&outgoing.chat);
    }
}

/// The checks at the end of a run.
impl Sim {
    /// Whether all events have happened, or the deadline is over.
    pub(crate) fn is_done(&self) -> bool {
        let world = self.world();
        let delivered =
            self.plan().messages.iter().all(|planned| world.known.contains(&planned.event.id));
        let quiet = world.waiting.values().all(VecDeque::is_empty)
            && world.queues.values().all(VecDeque::is_empty)
            && world.timers.is_empty();
        drop(world);
        (delivered && quiet) || self.now() > self.plan().end()
    }

    pub(crate) fn check_end(&self) {
        let (open, unsent, timers, unknown) = {
            let world = self.world();
            let open: Vec<EventId> = world.waiting.values().flatten().cloned().collect();
            let unsent: Vec<ActionId> = world.queues.values().flatten().cloned().collect();
            let unknown: Vec<EventId> = self
                .plan()
                .messages
                .iter()
                .map(|planned| planned.event.id.clone())
                .filter(|id| !world.known.contains(id))
                .collect();
            (open, unsent, world.timers.len(), unknown)
        };
        self.check(unknown.is_empty(), || format!("never accepted: {unknown:?}"));
        self.check(open.is_empty(), || format!("never handled: {open:?}"));
        self.check(timers == 0, || format!("{timers} timers never fired"));
        self.check(unsent.is_empty(), || format!("never settled: {unsent:?}"));
        let wrong = {
            let world = self.world();
            let wrong = world.actions.iter().find(|(_, fate)| !fate.adds_up());
            wrong.map(|(id, fate)| format!("{id} does not add up: {fate:?}"))
        };
        if let Some(wrong) = wrong {
            self.problem(wrong);
        }
    }

    /// Compares the counters in the store with those of the model.
    pub(crate) fn check_counters(&self, shared: i64, handled: i64) {
        let world = self.world();
        let expected = (world.shared, world.handled);
        drop(world);
        self.check((shared, handled) == expected, || {
            format!("counters are {:?}, expected {expected:?}", (shared, handled))
        });
    }

    pub(crate) fn known(&self) -> BTreeSet<EventId> {
        self.world().known.clone()
    }
}

impl Fate {
    fn adds_up(&self) -> bool {
        match self.settled.as_deref() {
            Some("done") => self.effects >= 1,
            Some("refused" | "expired") => self.effects <= self.doubts,
            Some("unknown") => self.doubts >= 1,
            _ => false,
        }
    }
}
