//! The meaning of a seed: senders, texts and times of the messages, and the settings of the run.

use std::time::Duration;

use mynah_core::{
    Chat, Content, Event, EventBody, EventId, Message, Origin, Person, Random, Timestamp,
};
use mynah_runtime::{Pacing, Rate, Settings, UnknownPolicy};

/// The number of messages of each run.
pub(crate) const MESSAGES: usize = 50;

pub(crate) const MAX_AGE: Duration = Duration::from_secs(5 * 60);
pub(crate) const REPLY_MAX_AGE: Duration = Duration::from_secs(4 * 60);
pub(crate) const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// The start of every run: the third second of 2026.
pub(crate) const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_603_000);

/// The behaviour of the handler for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Send this many answers.
    Plain(u32),
    /// Count slowly on a counter that all chats share.
    Shared,
    /// Answer, and answer once more later.
    Later,
    /// Answer, and send a message to another chat.
    Elsewhere,
    /// Collect effects, then fail.
    Fail,
    /// Collect effects, then panic.
    Panic,
    /// Collect effects, then never return.
    Hang,
    /// Kill the process.
    Poison,
    /// A message of the bot itself, an official account or the service.
    NotForUs(Origin),
    /// A message that is much older than its delivery.
    Stale,
}

#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) event: Event,
    pub(crate) kind: Kind,
    /// The time from which the service delivers the message, by its own clock.
    pub(crate) from: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) messages: Vec<Planned>,
    pub(crate) settings: Settings,
    /// How far the clock of the service is ahead of the machine's, in milliseconds.
    pub(crate) skew: i64,
    /// The boundaries after which each life but the last ends, and the downtime after each.
    pub(crate) crashes: Vec<(u32, Duration)>,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::from_seed(seed);
        let skew = i64::try_from(random.below(1_200_000)).expect("it is small") - 600_000;
        let settings = settings(seed, &mut random);
        let mut time = BEGIN.as_millis() + skew;
        let mut poisons = 0;
        let messages = (0..MESSAGES)
            .map(|n| {
                time += i64::try_from(random.below(12_000)).expect("it is small");
                let kind = kind(&mut random, &mut poisons);
                message(n, kind, Timestamp::from_millis(time), &mut random)
            })
            .collect();
        let crashes = (0..3 + random.below(3)).map(|_| crash(&mut random)).collect();
        Self { messages, settings, skew, crashes }
    }

    pub(crate) fn kind_of(&self, event: &EventId) -> Option<Kind> {
        self.messages.iter().find(|planned| planned.event.id == *event).map(|planned| planned.kind)
    }

    /// The deadline for all events, by the machine's clock.
    pub(crate) fn end(&self) -> Timestamp {
        BEGIN + Duration::from_secs(12 * 3600)
    }
}

fn settings(seed: u64, random: &mut Random) -> Settings {
    let limits = |jitter| Pacing {
        per_chat: Some(Rate::new(1, Duration::from_secs(1))),
        account: Some(Rate::new(8, Duration::from_secs(20))),
        daily: None,
        jitter: (Duration::ZERO, jitter),
    };
    // Without a random pause an action may be claimed with its turn.
    let pacing = match random.below(4) {
        0 | 1 => Pacing::off(),
        2 => limits(Duration::ZERO),
        _ => limits(Duration::from_millis(700)),
    };
    let unknown = if random.below(4) == 0 { UnknownPolicy::Never } else { UnknownPolicy::Resend };
    Settings {
        pacing,
        unknown,
        max_age: Some(MAX_AGE),
        reply_max_age: Some(REPLY_MAX_AGE),
        handler_timeout: HANDLER_TIMEOUT,
        loop_breaker: None,
        seed,
        lanes_at_once: 3,
        sends_at_once: 4,
        ..Settings::default()
    }
}

fn kind(random: &mut Random, poisons: &mut u32) -> Kind {
    match random.below(100) {
        0..50 => Kind::Plain(1 + u32::try_from(random.below(3)).expect("it is small")),
        50..66 => Kind::Shared,
        66..74 => Kind::Later,
        74..80 => Kind::Elsewhere,
        80..84 => Kind::Fail,
        84..87 => Kind::Panic,
        87..89 => Kind::Hang,
        89..91 if *poisons == 0 => {
            *poisons += 1;
            Kind::Poison
        }
        89..94 => Kind::NotForUs(Origin::Oneself),
        94..95 => Kind::NotForUs(Origin::Official),
        95..96 => Kind::NotForUs(Origin::System),
        _ => Kind::Stale,
    }
}

fn message(n: usize, kind: Kind, time: Timestamp, random: &mut Random) -> Planned {
    let chat = chat(random.below(5));
    let sender = random.below(3);
    let text = format!("message {n}");
    let origin = if let Kind::NotForUs(origin) = kind { origin } else { Origin::Person };
    let said = if kind == Kind::Stale { time - Duration::from_secs(600) } else { time };
    let body = EventBody::Message(Message {
        id: format!("m{n}").as_str().into(),
        sender: Person::stranger(format!("p{sender}"), format!("Person {sender}")),
        origin,
        content: Content::text(text.clone()),
        called: chat.name.len() > 4,
        behind_name: None,
        chat,
        text,
    });
    let event = Event { id: EventId::new(format!("e{n:02}")), time: said, body };
    Planned { event, kind, from: time }
}

/// One of the five chats.
pub(crate) fn chat(n: u64) -> Chat {
    Chat::group(format!("chat{n}"), format!("Chat {n}"))
}

fn crash(random: &mut Random) -> (u32, Duration) {
    let fuse = 1 + u32::try_from(random.below(110)).expect("it is small");
    let away = match random.below(4) {
        0 => Duration::ZERO,
        1..3 => Duration::from_millis(random.below(60_000)),
        _ => Duration::from_millis(random.below(20 * 60_000)),
    };
    (fuse, away)
}
