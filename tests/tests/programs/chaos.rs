//! A thousand messages in twenty chats through a handler that fails in every way, in a whole account: each message is
//! answered once, or its failure is visible. `MYNAH_SEED=7 cargo test -p mynah-tests --test programs chaos` repeats a run.
#![expect(clippy::print_stdout, reason = "the seed and the figures are for people")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Batch, Call, Capabilities, Captures, Chat, Clock, Content, Context, Event, EventBody, EventId,
    Flow, Handler, HandlerError, Incoming, MediaError, MediaRef, Message, Origin, Outgoing, Person,
    Random, Receipt, ReceiveError, Records, SendError, Service, Source, Status, Step, SystemClock,
    Transport,
};
use mynah_programs::{Program, ProgramHandler, Source as Program_, Waits};
use mynah_runtime::{Account, Control, Handlers, Observer, Pacing, Settings, Trouble};
use mynah_store::SqliteStore;
use tokio_util::sync::CancellationToken;

use crate::stage::{CHILD, Somebody, WAITS, spec, within_time};

const CHATS: u64 = 20;
const MESSAGES: u64 = 1000;

/// So many of a hundred messages ask for something other than an answer.
const BAD: u64 = 20;

/// The bad behaviour.
const BEHAVIOUR: &[&str] = &[
    "error no",
    "late 5",
    "silent",
    "hang",
    "exit",
    "rubbish",
    "binary",
    "surrogate",
    "deep",
    "number",
    "half",
    "answer-and-exit",
    "long",
    "flood",
    "complain",
    "twice",
    "unknown",
    "fork",
    "fork-and-exit",
    "answer {\"x\": 1}",
];

/// The most memory that this process may use at the end beyond the beginning, in KiB.
const MOST_MEMORY: u64 = 200 << 10;

/// Answers and failures by message.
#[derive(Default)]
struct Ledger {
    answers: Mutex<BTreeMap<EventId, u32>>,
    failures: Mutex<BTreeMap<EventId, u32>>,
}

impl Observer for Ledger {
    fn trouble(&self, trouble: &Trouble) {
        if let Trouble::HandlerFailed { event, .. } = trouble {
            *self.failures.lock().expect("no panic").entry(event.clone()).or_default() += 1;
        }
    }
}

/// A service that is online, brings these messages, ends, and counts the answers.
struct Line(Arc<Ledger>, Vec<Incoming>);

struct Peer(Arc<Ledger>);

impl Transport for Line {
    fn open(self: Box<Self>, _records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let peer = Arc::new(Peer(Arc::clone(&self.0)));
        (self, peer)
    }
}

#[async_trait]
impl Source for Line {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        Ok(self.1.pop().unwrap_or(Incoming::End))
    }

    async fn log_out(&mut self) -> Records {
        Records::new()
    }
}

#[async_trait]
impl Service for Peer {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities::everything("test"))
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::from([])
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        let event = outgoing.id.event.clone();
        *self.0.answers.lock().expect("no panic").entry(event).or_default() += 1;
        Ok(Receipt::default())
    }

    async fn media(&self, _media: &MediaRef, _limit: u64) -> Result<Bytes, MediaError> {
        Err(MediaError::Gone)
    }
}

/// A rule book of one rule: it runs the handler.
struct RunsHelper;

#[async_trait]
impl Handler for RunsHelper {
    async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
        ctx.step(Step::Run(Call { handler: "helper".to_owned(), captures: Captures::new() }));
        Ok(Flow::Stop)
    }
}

fn messages(random: &mut Random) -> Vec<Event> {
    let now = SystemClock.now();
    let message = |n: u64| {
        let text = match random.below(100) {
            BAD.. => format!("hello {n}"),
            _ => BEHAVIOUR[random.below(BEHAVIOUR.len() as u64) as usize].to_owned(),
        };
        let chat = random.below(CHATS);
        let body = EventBody::Message(Message {
            id: format!("m{n}").into(),
            chat: Chat::private(format!("c{chat}"), format!("Chat {chat}")),
            sender: Person::friend(format!("p{chat}"), format!("Person {chat}")),
            origin: Origin::Person,
            content: Content::text(text.clone()),
            text,
            called: true,
            behind_name: None,
        });
        Event { id: EventId::new(format!("m{n}")), time: now, body }
    };
    (0..MESSAGES).map(message).collect()
}

fn account(program: &Program, ledger: &Arc<Ledger>, random: &mut Random) -> Account {
    let folder = std::env::temp_dir();
    let helper = ProgramHandler::new(program.clone(), Arc::new(Somebody(folder)));
    let handlers = Handlers::new().rules(Arc::new(RunsHelper)).named("helper", Arc::new(helper));
    let batch = Incoming::Batch(Batch { events: messages(random), ..Batch::default() });
    let online = Incoming::Status(Status::Online { name: "Bot".to_owned() });
    Account {
        name: "main".to_owned(),
        store: Arc::new(SqliteStore::in_memory()),
        transport: Box::new(Line(Arc::clone(ledger), vec![batch, online])),
        handlers: handlers.timeout(Duration::from_secs(3600)).prompt(),
        clock: Arc::new(SystemClock),
        settings: Settings {
            pacing: Pacing::off(),
            max_age: None,
            reply_max_age: None,
            loop_breaker: None,
            ..Settings::default()
        },
        observer: Arc::clone(ledger) as _,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_answers_every_message_once_or_shows_its_failure() {
    let seed = std::env::var("MYNAH_SEED").ok().and_then(|seed| seed.parse().ok());
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let seed: u64 = seed.unwrap_or_else(clock);
    println!("MYNAH_SEED={seed}");
    within_time(async {
        let mut random = Random::from_seed(seed);
        let before = memory();
        let marker = format!("chaos-{}-{seed}", std::process::id());
        let mut spec = spec(&[CHILD]);
        (spec.timeout, spec.at_once) = (Duration::from_millis(500), 4);
        if let Program_::Command(command) = &mut spec.source {
            command.env.insert("MYNAH_TEST".to_owned(), marker.clone());
        }
        let waits = Waits { first: Duration::from_secs(1), ..WAITS };
        let program = Program::start(spec, waits).expect("it starts");
        let ledger = Arc::<Ledger>::default();
        let account = account(&program, &ledger, &mut random);
        let control = Control::new();
        Box::pin(mynah_runtime::run(account, control, CancellationToken::new())).await;
        program.stop().await;
        check(&ledger, &program);
        let used = memory().saturating_sub(before);
        println!("{used} KiB more at the most");
        assert!(used < MOST_MEMORY, "{used} KiB");
        let left = mynah_tests::processes::with_variable("MYNAH_TEST", &marker);
        assert_eq!(left, Vec::<String>::new());
    })
    .await;
}

fn check(ledger: &Ledger, program: &Program) {
    let answers = ledger.answers.lock().expect("no panic");
    let failures = ledger.failures.lock().expect("no panic");
    let counts = program.counts();
    println!("{} answered, {} failed, {counts:?}", answers.len(), failures.len());
    for n in 0..MESSAGES {
        let event = EventId::new(format!("m{n}"));
        let answered = answers.get(&event).copied().unwrap_or_default();
        let failed = failures.get(&event).copied().unwrap_or_default();
        assert_eq!(answered + failed, 1, "{event}: answered {answered}, failed {failed}");
    }
    assert!(answers.len() > failures.len(), "most are answered");
    assert!(counts.starts > 10 && !counts.running);
    let failed: u64 = counts.failed.values().sum();
    assert_eq!(failed, failures.len() as u64);
}

/// The most memory that this process has used, in KiB; 0 where the system does not say.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
