//! Measures whether messages wait during a reload of a hundred thousand rules, or of a table with as many rows.
//!
//! `cargo run --release -p mynah-tests --example reload` sends a bot with its data on disk a hundred questions a
//! second, in 20 chats over HTTP, and saves its rule file five times meanwhile. It prints the longest delay between the
//! sync answer of the sandbox and the send request of the bot: without and with reloads. The bot is a second process of
//! this program. A number after `--` is the number of rules; behind `table` or `similar` it is that of the rows of a table,
//! of which one cell changes with each save.

#![expect(clippy::print_stdout, reason = "what it measures is printed")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use mynah_sandbox::{Options, SandboxEvent};
use mynah_tests::Stage;
use tokio::time::interval;

const COUNT: usize = 100_000;
const CHATS: usize = 20;
const RELOADS: usize = 5;

/// The duration of the run without a reload, for comparison.
const QUIET: Duration = Duration::from_secs(10);

/// Longer than any machine should need.
const PATIENCE: Duration = Duration::from_secs(500);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("run") {
        return Ok(runtime.block_on(mynah::Bot::new().run_cli())?);
    }
    let form = match argument.as_deref() {
        Some("table") => Form::Table("exact"),
        Some("similar") => Form::Table("similar"),
        _ => Form::Rules,
    };
    let count = std::env::args().skip(1).find_map(|number| number.parse().ok()).unwrap_or(COUNT);
    runtime.block_on(async { tokio::time::timeout(PATIENCE, measure(form, count)).await? })
}

/// What is reloaded.
#[derive(Debug, Clone, Copy)]
enum Form {
    Rules,
    /// A table, and its `match`.
    Table(&'static str),
}

impl Form {
    fn write(self, folder: &Path, count: usize, version: usize) -> std::io::Result<()> {
        match self {
            Self::Rules => write_rules(folder, count, version),
            Self::Table(how) => write_table(folder, how, count, version),
        }
    }
}

async fn measure(form: Form, rules: usize) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    form.write(folder.path(), rules, 0)?;
    let program = std::env::current_exe()?.display().to_string();
    let options = Options { auto_confirm: true, ..Options::default() };
    let mut stage = Stage::with(&program, folder.path(), options).await;
    stage.start().await;
    let mut talk = Talk::default();
    // The first answers are slower: the caches are cold and the groups unknown.
    talk.until(&mut stage, |talk| talk.answered >= 5 * CHATS).await;
    talk.delays.clear();
    let began = Instant::now();
    talk.until(&mut stage, |_| began.elapsed() >= QUIET).await;
    println!("{form:?}, {rules}, no reload:  {}", Delays(&talk.delays));
    for version in 1..=RELOADS {
        talk.delays.clear();
        let began = Instant::now();
        form.write(folder.path(), rules, version)?;
        talk.until(&mut stage, |talk| talk.version == version).await;
        let took = began.elapsed();
        println!("{form:?}, {rules}, reload in {took:.1?}: {}", Delays(&talk.delays));
    }
    Ok(())
}

/// Writes rules of several kinds. The last one answers questions with the version of the file.
fn write_rules(folder: &Path, count: usize, version: usize) -> std::io::Result<()> {
    let mut rules = String::new();
    for n in 1..count {
        let condition = match n % 10 {
            0..6 => format!("keyword = \"词{n}\""),
            6 => format!("exact = \"菜单{n}\""),
            7 => format!("prefix = \"查询{n}\""),
            _ => format!("regex = '单{n}号?\\s*[:：]?\\s*(?<no>\\d{{4,12}})'"),
        };
        let _ = writeln!(rules, "[[rule]]\n{condition}\nreply = \"回答 {n}\"");
    }
    let _ =
        writeln!(rules, "[[rule]]\nregex = '^问题 (?<n>\\d+)$'\nreply = \"答案 {{n}} {version}\"");
    std::fs::write(folder.join("bot.toml"), rules)
}

/// Writes a table. The answer of its first row has the version of the file.
fn write_table(folder: &Path, how: &str, count: usize, version: usize) -> std::io::Result<()> {
    let rules = format!(
        "[[rule]]\nregex = '^问题 (?<n>\\d+)$'\nanswer_as = \"版本\"\nset = {{ \"chat.n\" = \"{{n}}\" }}\n\
         [[table]]\nfile = \"faq.csv\"\nmatch = \"{how}\"\ntemplates = true\n"
    );
    let mut table = format!("问题,答案\n版本,答案 {{chat.n}} {version}\n");
    for n in 2..count {
        let (a, b) = (n / 400, n % 400);
        let _ = writeln!(table, "第{a}种商品的第{b}个问题怎么办,回答 {n}");
    }
    std::fs::write(folder.join("faq.csv"), table)?;
    if version == 0 { std::fs::write(folder.join("bot.toml"), rules) } else { Ok(()) }
}

/// Questions and answers.
#[derive(Default)]
struct Talk {
    asked: usize,
    answered: usize,
    /// The version of the file in the last answer.
    version: usize,
    /// Questions that the bot has not read yet.
    said: Vec<usize>,
    /// The time at which the bot read each open question.
    read: BTreeMap<usize, Instant>,
    /// From the sync answer to the send request.
    delays: Vec<Duration>,
}

impl Talk {
    /// Sends a hundred questions a second until a condition is true.
    async fn until(&mut self, stage: &mut Stage, is_done: impl Fn(&Self) -> bool) {
        let mut events = stage.sandbox.events();
        let mut clock = interval(Duration::from_millis(10));
        while !is_done(self) {
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Ok(event) => self.happens(event),
                    Err(error) => panic!("the sandbox is faster than this measurement: {error}"),
                },
                _ = clock.tick() => {
                    let n = self.asked;
                    stage.sandbox.say("小红", Some(&format!("测试群{}", n % CHATS)), &format!("问题 {n}"));
                    self.said.push(n);
                    self.asked += 1;
                }
            }
        }
    }

    fn happens(&mut self, event: SandboxEvent) {
        match event {
            SandboxEvent::Call(call) if call.path.ends_with("/webwxsync") => {
                let now = Instant::now();
                self.read.extend(self.said.drain(..).map(|n| (n, now)));
            }
            SandboxEvent::Sent(sent) => {
                let words: Vec<&str> = sent.text.split(' ').collect();
                let ["答案", n, version] = words[..] else { return };
                let read = n.parse().ok().and_then(|n| self.read.remove(&n));
                self.delays.extend(read.map(|read| read.elapsed()));
                self.version = version.parse().unwrap_or(self.version);
                self.answered += 1;
            }
            _ => {}
        }
    }
}

/// Formats delays for people.
struct Delays<'d>(&'d [Duration]);

impl std::fmt::Display for Delays<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorted = self.0.to_vec();
        sorted.sort_unstable();
        let at = |part: usize| {
            sorted.get(sorted.len().saturating_sub(1) * part / 100).copied().unwrap_or_default()
        };
        let [half, most, longest] = [50, 99, 100].map(at);
        let answers = sorted.len();
        write!(f, "{answers} answers, p50 {half:.1?}, p99 {most:.1?}, longest {longest:.1?}")
    }
}
