//! `mynah bench BOT FILE`: how fast the rules of a bot answer recorded messages.

use std::hint::black_box;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use mynah_core::{Chat, Event, NoState, Random};
use mynah_rules::{Decision, Inputs, Moment, RuleBook};
use serde::Serialize;
use stats_alloc::INSTRUMENTED_SYSTEM;

use super::recorded::{self, Recorded};
use super::{common::Common, loading, print};
use crate::testing::cast::Cast;
use crate::testing::clock::monday_noon;
use crate::{Bot, Ended, Report};

/// How many passes are measured at least …
const PASSES: usize = 3;

/// … and for how long at least, so that few messages are measured often enough.
const LONG_ENOUGH: Duration = Duration::from_millis(500);

/// No more passes than this, however few the messages are.
const MOST_PASSES: usize = 1_000;

/// Measure how fast this bot's rules answer the messages of a file.
///
/// Folding, matching, captures and replies of each message alone, warm. The time is CPU time of the thread, of the
/// fastest of several passes. FILE has one JSON object a line: {"text", "group"?, "from"?, "at_me"?, "type"?, "event"?,
/// "time"?, "id"?}.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A folder with a bot.toml, or the file.
    #[arg(value_name = "BOT")]
    bot: PathBuf,
    /// The messages (JSON Lines); `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One line of JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// The measurements.
#[derive(Debug, Serialize)]
struct Measured {
    /// Rules that are not switched off.
    rules: usize,
    messages: usize,
    /// Messages that some rule matched.
    hits: usize,
    /// CPU time per message of the fastest pass.
    cpu_ns: f64,
    /// The time that half of the messages stay below.
    p50_ns: u64,
    /// The time that 99 of 100 messages stay below.
    p99_ns: u64,
    /// The CPU time in which the checked rules became a rule book with its index.
    build_ms: f64,
    /// The CPU time in which the rule file was read and checked before; only for people.
    #[serde(skip)]
    check_ms: f64,
    /// Live bytes of the rule book after the passes; null where the program does not count its memory.
    heap_bytes: Option<u64>,
}

pub(crate) fn execute(args: &Args, bot: &Bot, common: &Common) -> Result<Ended, Report> {
    let built = Built::load(args, bot, common)?;
    let messages = read(args, &built.book)?;
    let measured = measure(built, &messages);
    print::to_stdout(
        |out| if args.json { print::json(out, &measured) } else { measured.write(out) },
    )?;
    Ok(Ended::Fine)
}

fn read(args: &Args, book: &RuleBook) -> Result<Vec<Recorded>, Report> {
    let mut cast = Cast::around(book.names());
    let messages = recorded::read(&args.file, &mut cast, monday_noon(book.zone()))
        .map_err(|error| Report::new(Ended::Usage, "failed to read the messages").because(error))?;
    if messages.is_empty() {
        let what = format!("{} has no messages", args.file.display());
        return Err(Report::new(Ended::Usage, what));
    }
    Ok(messages)
}

/// A rule book, with the cost of making it.
struct Built {
    book: Arc<RuleBook>,
    checking: Duration,
    building: Duration,
}

impl Built {
    fn load(args: &Args, bot: &Bot, common: &Common) -> Result<Self, Report> {
        let began = ThreadTime::now();
        let checked = loading::check(&args.bot, bot, &loading::JudgedFor::default())?;
        let checking = began.elapsed();
        let loaded = checked.compile();
        let building = began.elapsed().saturating_sub(checking);
        let common = common.for_file(loaded.lang);
        Ok(Self { book: loading::book(&loaded, &common)?, checking, building })
    }

    /// The bytes that dropping the book gives back; it must be the last reference.
    fn weigh(self) -> Option<u64> {
        let book = self.book;
        let with = live_bytes()?;
        drop(Arc::into_inner(book)?);
        live_bytes().map(|without| with.saturating_sub(without))
    }
}

/// The bytes that are allocated at present, if the program counts them: the count is zero only in a program without the
/// counting allocator.
fn live_bytes() -> Option<u64> {
    let stats = INSTRUMENTED_SYSTEM.stats();
    let live = stats.bytes_allocated.saturating_sub(stats.bytes_deallocated);
    u64::try_from(live).ok().filter(|live| *live > 0)
}

/// Decides about every message in every pass; the first pass only warms up.
fn measure(built: Built, messages: &[Recorded]) -> Measured {
    let moments: Vec<Moment> = messages.iter().map(|message| moment_of(&message.event)).collect();
    let book = Arc::clone(&built.book);
    let decide = |at: usize| book.decide(&messages[at].event, &NoState, &moments[at]);
    let hits = (0..messages.len()).filter(|at| decide(*at).rule.is_some()).count();
    let mut fastest = Duration::MAX;
    let mut each = vec![u64::MAX; messages.len()];
    let began = Instant::now();
    for pass in 0..MOST_PASSES {
        if pass >= PASSES && began.elapsed() >= LONG_ENOUGH {
            break;
        }
        fastest = fastest.min(pass_over(messages.len(), decide));
        one_by_one(&mut each, decide);
    }
    each.sort_unstable();
    let rules = book.rules().filter(|rule| !rule.off).count();
    drop(book);
    let millis = |took: Duration| round(took.as_secs_f64() * 1e3);
    Measured {
        rules,
        messages: messages.len(),
        hits,
        cpu_ns: round(fastest.as_secs_f64() * 1e9 / count(messages.len())),
        p50_ns: percentile(&each, 50),
        p99_ns: percentile(&each, 99),
        build_ms: millis(built.building),
        check_ms: millis(built.checking),
        heap_bytes: built.weigh(),
    }
}

/// The CPU time that this thread needs for all messages.
fn pass_over(messages: usize, decide: impl Fn(usize) -> Decision) -> Duration {
    let began = ThreadTime::now();
    for at in 0..messages {
        black_box(decide(at));
    }
    began.elapsed()
}

/// The time of each message, if it was faster than before: slower times are due to other work of the machine.
fn one_by_one(each: &mut [u64], decide: impl Fn(usize) -> Decision) {
    for (at, fastest) in each.iter_mut().enumerate() {
        let began = Instant::now();
        black_box(decide(at));
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        *fastest = took.min(*fastest);
    }
}

fn moment_of(event: &Event) -> Moment {
    let chats: Vec<Chat> = event.chat().cloned().into_iter().collect();
    let random = Random::of(0, &event.id);
    Moment { now: event.time, random, chats: chats.into(), inputs: Inputs::empty() }
}

/// The value that so many percent of the sorted values do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "a number of messages")]
fn count(messages: usize) -> f64 {
    messages as f64
}

/// To three places: more is noise.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

impl Measured {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { rules, messages, hits, cpu_ns, p50_ns, p99_ns, .. } = self;
        let Self { build_ms, check_ms, heap_bytes, .. } = self;
        writeln!(out, "{rules} rules, {messages} messages, {hits} matched")?;
        writeln!(
            out,
            "per message: {cpu_ns} ns CPU; half below {p50_ns} ns, 99 of 100 below {p99_ns} ns"
        )?;
        writeln!(out, "checking the rules: {check_ms} ms; building their index: {build_ms} ms")?;
        match heap_bytes {
            Some(bytes) => writeln!(out, "memory of the rules: {bytes} bytes"),
            None => writeln!(out, "memory of the rules: not counted in this program"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), 50);
        assert_eq!(percentile(&hundred, 99), 99);
        assert_eq!(percentile(&[7], 99), 7);
        assert_eq!(percentile(&[1, 2], 50), 1);
    }
}
