//! Measures the speed of the whole path over HTTP: from the sync answer of the sandbox to the send request of the bot.
//!
//! `cargo run --release -p mynah-tests --example throughput` sends a bot with its data on disk first 100 messages a
//! second, then as many as it can process, in 20 chats, and prints the figures. The bot is a second process of this
//! program, so CPU and memory are those of the bot alone; the sandbox needs a processor of its own. Since a request
//! leaves only after a disk sync, the program first prints the time for a disk sync alone.

#![expect(clippy::print_stdout, reason = "what it measures is printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use mynah_sandbox::{Options, SandboxEvent};
use mynah_tests::Stage;
use tokio::time::interval;

const CHATS: usize = 20;
/// The first answers do not count: the caches are cold, the groups unknown and the log of the store short.
const WARM_UP: usize = 300;
const STEADY: usize = 1000;
const FLOOD: usize = 5000;
const RULES: &str = "[[rule]]\nregex = '^问题 (?<n>\\d+)$'\nreply = \"答案 {n}\"\n";

/// 100 messages a second.
const PAUSE: Duration = Duration::from_millis(10);

/// About the bytes that the store writes for a message: 18 pages.
const WRITTEN: usize = 18 * 4096;

/// Longer than any machine should need.
const PATIENCE: Duration = Duration::from_secs(300);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if std::env::args().nth(1).as_deref() == Some("run") {
        return Ok(runtime.block_on(mynah::Bot::new().run_cli())?);
    }
    // On the thread of the sandbox: a separate thread would add the time to wake it up.
    let measured = runtime.spawn(async { tokio::time::timeout(PATIENCE, measure()).await });
    runtime.block_on(measured)??
}

async fn measure() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let syncs = bare_syncs(&folder.path().join("syncs")).await?;
    println!("the disk alone:        a sync {}", Delays(syncs));
    std::fs::write(folder.path().join("bot.toml"), RULES)?;
    let program = std::env::current_exe()?.display().to_string();
    let options = Options { auto_confirm: true, ..Options::default() };
    let mut stage = Stage::with(&program, folder.path(), options).await;
    stage.start().await;
    run(&mut stage, 0..WARM_UP, Some(PAUSE)).await;
    let steady = run(&mut stage, WARM_UP..WARM_UP + STEADY, Some(PAUSE)).await;
    println!("100 messages a second: {steady}");
    let flood = run(&mut stage, WARM_UP + STEADY..WARM_UP + STEADY + FLOOD, None).await;
    println!("as many as it can:     {flood}");
    Ok(())
}

/// The times of repeated disk syncs with the bytes of one message, in a file as large as the log of the store.
async fn bare_syncs(path: &Path) -> io::Result<Vec<Duration>> {
    const ROOM: usize = 200;
    let mut file = File::create(path)?;
    file.write_all(&vec![0; ROOM * WRITTEN])?;
    file.sync_all()?;
    let mut clock = interval(PAUSE);
    let mut delays = Vec::with_capacity(STEADY);
    for n in 0..STEADY {
        clock.tick().await;
        if n % ROOM == 0 {
            file.rewind()?;
        }
        file.write_all(&vec![n as u8; WRITTEN])?;
        let began = Instant::now();
        file.sync_data()?;
        delays.push(began.elapsed());
    }
    std::fs::remove_file(path)?;
    delays.sort();
    Ok(delays)
}

/// Sorted delays, printed as median and tail.
struct Delays(Vec<Duration>);

impl std::fmt::Display for Delays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(delays) = self;
        let at = |part: usize| {
            delays.get(delays.len().saturating_sub(1) * part / 100).copied().unwrap_or_default()
        };
        write!(f, "p50 {:.2?}, p99 {:.2?}", at(50), at(99))
    }
}

/// The figures of a run.
struct Figures {
    messages: usize,
    took: Duration,
    cpu: Duration,
    /// From the sync answer to the send request.
    delays: Delays,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { messages, took, cpu, delays } = self;
        let rate = *messages as f64 / took.as_secs_f64();
        let cpu = *cpu / u32::try_from(*messages).unwrap_or(u32::MAX).max(1);
        write!(f, "{rate:.0} messages/s, CPU {cpu:.2?} per answered message, ")?;
        write!(f, "sync answer to send request {delays}")
    }
}

/// Sends these questions, one after each pause or all at once, and waits for their answers.
async fn run(
    stage: &mut Stage,
    questions: std::ops::Range<usize>,
    pause: Option<Duration>,
) -> Figures {
    let messages = questions.len();
    let mut events = stage.sandbox.events();
    let (cpu, began) = (stage.cpu(), Instant::now());
    let mut clock = interval(pause.unwrap_or(Duration::from_millis(1)));
    let mut waiting = questions;
    let (mut said, mut read, mut delays) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
    let mut answered = 0;
    while answered < messages {
        tokio::select! {
            biased;
            event = events.recv() => match event {
                Ok(SandboxEvent::Call(call)) if call.path.ends_with("/webwxsync") => {
                    let now = Instant::now();
                    read.extend(std::mem::take(&mut said).into_iter().map(|n| (n, now)));
                }
                Ok(SandboxEvent::Sent(sent)) => {
                    let n = sent.text.strip_prefix("答案 ").and_then(|n| n.parse::<usize>().ok());
                    delays.extend(n.and_then(|n| read.remove(&n)).map(|since: Instant| since.elapsed()));
                    answered += 1;
                }
                Ok(_) => {}
                Err(error) => panic!("the sandbox is faster than this measurement: {error}"),
            },
            _ = clock.tick(), if !waiting.is_empty() => {
                let at_once = if pause.is_some() { 1 } else { 200 };
                for n in waiting.by_ref().take(at_once) {
                    stage.sandbox.say("小红", Some(&format!("测试群{}", n % CHATS)), &format!("问题 {n}"));
                    said.insert(n);
                }
            }
        }
    }
    delays.sort();
    Figures {
        messages,
        took: began.elapsed(),
        cpu: stage.cpu().saturating_sub(cpu),
        delays: Delays(delays),
    }
}
