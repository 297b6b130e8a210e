//! Questions at a rate, and the time to each answer.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use mynah_sandbox::{Options, SandboxEvent};
use tokio::time::{MissedTickBehavior, interval};

use crate::Result;
use crate::program::Running;
use crate::report::Figures;

const CHATS: usize = 20;

/// These questions do not count: the caches are cold, the groups unknown and the log of the store short.
const WARM_UP: usize = 100;

/// Under flood, a question of another chat comes so often, unless the last one still waits for its answer.
const LONE: Duration = Duration::from_millis(25);

/// So many questions of a flood wait for their answers at any time.
const FLOOD: usize = 400;

/// How fast questions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Load {
    Calm,
    Steady,
    Flood,
}

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::Calm, Self::Steady, Self::Flood];

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "20" => Some(Self::Calm),
            "100" => Some(Self::Steady),
            "flood" => Some(Self::Flood),
            _ => None,
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Calm => "20 messages a second",
            Self::Steady => "100 messages a second",
            Self::Flood => "as many as it can",
        }
    }

    const fn messages(self) -> usize {
        match self {
            Self::Calm => 60,
            Self::Steady => 200,
            Self::Flood => 2400,
        }
    }

    const fn pause(self) -> Duration {
        match self {
            Self::Calm => Duration::from_millis(50),
            Self::Steady => Duration::from_millis(10),
            Self::Flood => Duration::from_millis(1),
        }
    }
}

/// Sends the first questions.
pub(crate) async fn warm_up(running: &mut Running) -> Result<()> {
    let mut talk = Talk::new(running, Load::Steady, WARM_UP);
    talk.say_lone();
    talk.until_answered().await
}

/// Sends the questions of a load and waits for their answers.
pub(crate) async fn run(running: &mut Running, load: Load, part: usize) -> Result<Figures> {
    let before = running.counters().await?;
    let began = Instant::now();
    let mut talk = Talk::new(running, load, load.messages() / part);
    talk.until_answered().await?;
    let (delays, lone, messages) = (talk.delays, talk.lone_delays, talk.answered);
    let took = began.elapsed();
    let after = running.counters().await?;
    Ok(Figures::new(before, after, messages, took, delays, lone))
}

/// Questions and their answers.
struct Talk<'a> {
    running: &'a mut Running,
    load: Load,
    /// Questions of the load that were not asked yet.
    waiting: usize,
    /// Questions that no sync answer contained yet, in order.
    said: VecDeque<usize>,
    /// When the sync answer with a question left.
    read: BTreeMap<usize, Instant>,
    /// The question of the other chat that waits for its answer.
    lone: Option<usize>,
    asked: usize,
    answered: usize,
    delays: Vec<Duration>,
    lone_delays: Vec<Duration>,
}

impl<'a> Talk<'a> {
    fn new(running: &'a mut Running, load: Load, waiting: usize) -> Self {
        Self {
            running,
            load,
            waiting,
            said: VecDeque::new(),
            read: BTreeMap::new(),
            lone: None,
            asked: 0,
            answered: 0,
            delays: Vec::new(),
            lone_delays: Vec::new(),
        }
    }

    async fn until_answered(&mut self) -> Result<()> {
        let mut clock = interval(self.load.pause());
        let mut lone = interval(LONE);
        lone.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.waiting > 0 || self.answered < self.asked {
            let events = &mut self.running.events;
            tokio::select! {
                biased;
                event = events.recv() => self.take(&event?),
                _ = lone.tick(), if self.load == Load::Flood && self.lone.is_none() => self.say_lone(),
                _ = clock.tick(), if self.waiting > 0 => self.say_next(),
            }
        }
        Ok(())
    }

    fn take(&mut self, event: &SandboxEvent) {
        match event {
            SandboxEvent::Call(call) if call.path.ends_with("/webwxsync") => {
                let now = Instant::now();
                let handed_out = self.said.len().min(Options::default().sync_batch);
                self.read.extend(self.said.drain(..handed_out).map(|n| (n, now)));
            }
            SandboxEvent::Sent(sent) => {
                let n = sent.text.strip_prefix("答案 ").and_then(|n| n.parse::<usize>().ok());
                let Some(n) = n else { return };
                let delay = self.read.remove(&n).map(|since| since.elapsed());
                if self.lone == Some(n) {
                    self.lone = None;
                    self.lone_delays.extend(delay);
                } else {
                    self.delays.extend(delay);
                }
                self.answered += 1;
            }
            _ => {}
        }
    }

    fn say_next(&mut self) {
        let room = FLOOD.saturating_sub(self.asked - self.answered);
        let at_once = if self.load == Load::Flood { room } else { 1 }.min(self.waiting);
        for _ in 0..at_once {
            let chat = self.running.said % CHATS;
            self.say(&format!("测试群{chat}"));
        }
        self.waiting -= at_once;
    }

    fn say_lone(&mut self) {
        self.lone = Some(self.say("另一个群"));
    }

    fn say(&mut self, chat: &str) -> usize {
        let n = self.running.said;
        self.running.sandbox.say("小红", Some(chat), &format!("问题 {n}"));
        self.said.push_back(n);
        self.running.said += 1;
        self.asked += 1;
        n
    }
}
