//! The cost of a handler in another process, in one run, each figure beside the one without it:
//!
//! - a bare exchange of lines with a program over its pipes, and a call of the same program as a handler;
//! - the whole way of a message (a line of the service `stdio` comes in, the turn commits to a database file, the reply leaves), of
//!   a bot whose rule replies itself, and of one whose rule runs that handler.
//!
//! `cargo run --release -p mynah-tests --example handler_calls`. `TMPDIR` selects the disk.
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mynah_core::{
    Chat, Content, Context, Event, EventBody, EventId, Frame, Handler, Message, Origin, Person,
    Scope, StoreReader, Timestamp,
};
use mynah_programs::{
    Account, Command, Per, Program, ProgramHandler, Role, Row, Source, Spec, Waits,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// Calls of a round.
const CALLS: u32 = 5000;

/// Messages of a round of the whole way.
const MESSAGES: u32 = 1000;

/// The program under measurement takes turns with the one beside it in so many rounds.
const ROUNDS: usize = 5;

/// Answers every request without looking at more than its id.
const ECHO: &str = "import sys\nfor line in sys.stdin.buffer:\n    id = line.split(b'\"id\":\"', 1)[1].split(b'\"', 1)[0]\n    \
                    sys.stdout.buffer.write(b'{\"id\":\"' + id + b'\",\"reply\":\"x\"}\\n'); sys.stdout.buffer.flush()\n";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct TestAccount;

impl Account for TestAccount {
    fn name(&self) -> &str {
        "main"
    }

    fn is_admin(&self, _ctx: &Context, _person: &Person) -> bool {
        false
    }

    fn presets(&self, _: &Context, _: Scope) -> BTreeMap<String, String> {
        BTreeMap::new()
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

/// The pipes of a child process.
struct Pipes {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: String,
}

impl Pipes {
    fn start(mut command: tokio::process::Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self { child, input, output, line: String::new() })
    }

    /// Writes a line and waits for the one that answers it.
    async fn exchange(&mut self, line: &str) -> Result<()> {
        self.input.write_all(line.as_bytes()).await?;
        self.line.clear();
        match self.output.read_line(&mut self.line).await? {
            0 => Err("the program has ended".into()),
            _ => Ok(()),
        }
    }

    /// The mean time of an exchange, after the first one, which is the start of the program.
    async fn mean(mut self, times: u32, line: impl Fn(u32) -> String) -> Result<Duration> {
        self.exchange(&line(0)).await?;
        let began = Instant::now();
        for n in 1..=times {
            self.exchange(&line(n)).await?;
        }
        let took = began.elapsed() / times;
        drop(self.input);
        self.child.wait().await?;
        Ok(took)
    }
}

/// Lines of the same length as the requests, to the same program.
async fn bare() -> Result<Duration> {
    let mut echo = tokio::process::Command::new("python3");
    echo.args(["-c", ECHO]);
    let rest = "x".repeat(420);
    let line = |n| format!("{{\"v\":1,\"id\":\"main/m{n}#0\",\"rest\":\"{rest}\"}}\n");
    Pipes::start(echo)?.mean(CALLS, line).await
}

async fn as_a_handler() -> Result<Duration> {
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
    let program = Program::start(spec, Waits::default())?;
    let handler = ProgramHandler::new(program.clone(), Arc::new(TestAccount));
    call(&handler, 0).await?;
    let began = Instant::now();
    for n in 1..=CALLS {
        call(&handler, n).await?;
    }
    let took = began.elapsed() / CALLS;
    program.stop().await;
    Ok(took)
}

async fn call(handler: &ProgramHandler, n: u32) -> Result<()> {
    let message = message(n);
    let time = Timestamp::from_millis(0);
    let body = EventBody::Message(message.clone());
    let event = Event { id: EventId::new(format!("m{n}")), time, body };
    let mut ctx = Context::new(Frame::of(&event, time));
    handler.on_message(&mut ctx, &message).await?;
    Ok(())
}

/// The whole way of a message with this action of its rule, from its line to that of the reply.
async fn whole_way(action: &str) -> Result<Duration> {
    let folder = tempfile::tempdir()?;
    let (bot, settings) = (folder.path().join("bot.toml"), folder.path().join("mynah.toml"));
    std::fs::write(&bot, format!("[[rule]]\nprefix = \"weather\"\n{action}\n"))?;
    std::fs::write(folder.path().join("echo.py"), ECHO)?;
    std::fs::write(
        &settings,
        "[[handler]]\nname = \"echo\"\ncommand = [\"python3\", \"echo.py\"]\n",
    )?;
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    command.arg("run").arg(&bot).args(["--transport", "stdio", "--no-pacing", "--data"]);
    command.arg(folder.path().join("data")).arg("--config").arg(&settings);
    // A text that is repeated again and again would be answered by silence.
    let line =
        |n| format!("{{\"id\":\"m{n}\",\"text\":\"weather in Rome {n}\",\"from\":\"Ann\"}}\n");
    Pipes::start(command)?.mean(MESSAGES, line).await
}

/// One figure of all rounds.
#[derive(Default)]
struct Figure(Vec<f64>);

impl Figure {
    /// The median, the lowest and the highest.
    fn shown(&self) -> String {
        let mut all = self.0.clone();
        all.sort_by(f64::total_cmp);
        let [low, .., high] = &all[..] else { return format!("{all:.2?}") };
        format!("{:.2} ({low:.2} to {high:.2})", all[all.len() / 2])
    }
}

/// Two ways of the same work, and their figures in µs.
#[derive(Default)]
struct Compared {
    without: Figure,
    with: Figure,
    more: Figure,
    ratio: Figure,
}

impl Compared {
    fn add(&mut self, without: Duration, with: Duration) {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        self.without.0.push(micros(without));
        self.with.0.push(micros(with));
        self.more.0.push(micros(with) - micros(without));
        self.ratio.0.push(with.as_secs_f64() / without.as_secs_f64());
    }

    fn shown(&self, name: &str) -> String {
        let mut out = String::new();
        let figures = [&self.without, &self.with, &self.more, &self.ratio].map(Figure::shown);
        // Writing to a text cannot fail.
        let _ = write!(out, "| {name} | {} |", figures.join(" | "));
        out
    }
}

async fn measure() -> Result<()> {
    let (mut calls, mut ways) = (Compared::default(), Compared::default());
    for _ in 0..ROUNDS {
        calls.add(bare().await?, as_a_handler().await?);
        ways.add(whole_way("reply = \"x\"").await?, whole_way("run = \"echo\"").await?);
    }
    println!(
        "| µs, median of {ROUNDS} rounds (lowest to highest) | without | with the handler | more | ratio |"
    );
    println!("| --- | --: | --: | --: | --: |");
    println!("{}", calls.shown("a call: bare exchange of lines, as a handler"));
    println!("{}", ways.shown("the whole way: message to reply, by a rule, by a handler"));
    Ok(())
}

fn main() -> Result<()> {
    let runtime = mynah::runtime()?;
    if std::env::args().nth(1).as_deref() == Some("run") {
        return Ok(runtime.block_on(mynah::Bot::new().run_cli())?);
    }
    runtime.block_on(measure())
}
