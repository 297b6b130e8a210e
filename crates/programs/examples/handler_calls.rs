//! The cost of a call of a handler over a pipe, as a ratio to a bare exchange of the same lines with the same program.
//!
//! `cargo run --release -p mynah-programs --example handler_calls`
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mynah_core::{
    Chat, Content, Context, Event, EventBody, EventId, Frame, Handler, Message, Origin, Person,
    StoreReader, Timestamp,
};
use mynah_programs::{
    Account, Command, Per, Program, ProgramHandler, Role, Row, Source, Spec, Waits,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const CALLS: u32 = 5000;

/// Answers every request without looking at more than its id.
const ECHO: &str = "import sys\nfor line in sys.stdin.buffer:\n    id = line.split(b'\"id\":\"', 1)[1].split(b'\"', 1)[0]\n    \
                    sys.stdout.buffer.write(b'{\"id\":\"' + id + b'\",\"reply\":\"x\"}\\n'); sys.stdout.buffer.flush()\n";

struct TestAccount;

impl Account for TestAccount {
    fn name(&self) -> &str {
        "main"
    }

    fn is_admin(&self, _ctx: &Context, _person: &Person) -> bool {
        false
    }

    fn outgoing(&self) -> &Path {
        Path::new(".")
    }

    fn nearest_rows(&self, _: &Context, _: &Event, _: &[String], _: usize) -> Vec<Row> {
        Vec::new()
    }

    fn log(&self) -> Option<Arc<dyn StoreReader>> {
        None
    }

    fn period(&self, _: Per, now: Timestamp) -> (Timestamp, Timestamp) {
        (now, now)
    }
}

fn message(n: u32) -> Message {
    Message {
        id: format!("m{n}").into(),
        chat: Chat::private("ann", "Ann"),
        sender: Person::friend("ann", "Ann"),
        origin: Origin::Person,
        content: Content::text("weather in Rome"),
        text: "weather in Rome".to_owned(),
        called: true,
        behind_name: None,
    }
}

/// Lines of the same length as the requests, to the same program.
async fn bare() -> Duration {
    let mut child = tokio::process::Command::new("python3")
        .args(["-c", ECHO])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    let mut began = Instant::now();
    for n in 0..=CALLS {
        if n == 1 {
            // The first one is the start of the program.
            began = Instant::now();
        }
        let request =
            format!("{{\"v\":1,\"id\":\"main/m{n}#0\",\"rest\":\"{}\"}}\n", "x".repeat(420));
        input.write_all(request.as_bytes()).await.expect("it is read");
        line.clear();
        output.read_line(&mut line).await.expect("an answer");
    }
    began.elapsed() / CALLS
}

async fn through_a_handler() -> Duration {
    let line = ["python3", "-c", ECHO].map(str::to_owned).to_vec();
    let spec = Spec {
        name: "echo".to_owned(),
        source: Source::Command(Command { line, dir: ".".into(), env: BTreeMap::new() }),
        role: Role::Run,
        reads: Vec::new(),
        timeout: Duration::from_secs(10),
        at_once: 1,
        settings: BTreeMap::new(),
        media: None,
    };
    let program = Program::start(spec, Waits::default()).expect("it starts");
    let handler = ProgramHandler::new(program.clone(), Arc::new(TestAccount));
    let mut began = Instant::now();
    for n in 0..=CALLS {
        if n == 1 {
            began = Instant::now();
        }
        let message = message(n);
        let time = Timestamp::from_millis(0);
        let body = EventBody::Message(message.clone());
        let event = Event { id: EventId::new(format!("m{n}")), time, body };
        let mut ctx = Context::new(Frame::of(&event, time));
        handler.on_message(&mut ctx, &message).await.expect("an answer");
    }
    let took = began.elapsed() / CALLS;
    program.stop().await;
    took
}

#[tokio::main]
async fn main() {
    for round in 1..=5 {
        let (bare, called) = (bare().await, through_a_handler().await);
        let more = called.saturating_sub(bare);
        let ratio = called.as_secs_f64() / bare.as_secs_f64();
        println!(
            "{round}: {bare:.0?} bare, {called:.0?} as a handler: {more:.0?} more, ratio {ratio:.2}"
        );
    }
}
