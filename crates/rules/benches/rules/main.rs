//! How long a decision takes: `cargo bench -p mynah-rules`.
//!
//! Prints a table for rule sets of growing size, short and long messages, next to a bare loop of regexes, which gets no
//! folding, no state, no priorities and no reply to make, and is seen to give the same answers; then the hard cases. One
//! thread, warm, each message alone; the fastest of some passes counts. With a number behind `--` only rule sets of up to
//! so many rules are measured; with `short`, only short messages, without the bare loop.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod generator;

use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mynah_core::{
    Action, Chat, Content, Event, EventBody, Message, NoState, Origin, Person, Planned, Step,
    Timestamp,
};
use mynah_rules::{Checked, Decision, Files, LoadOptions, Moment, RuleBook};
use regex::Regex;

use generator::{Mix, Rule, Sample, hard, messages, rules};

/// The messages of each measurement.
const MESSAGES: usize = 4_000;

/// Each message is decided about so often.
const PASSES: usize = 8;

/// A processor that slept takes so long to come to its full speed.
const WARM_UP: Duration = Duration::from_millis(500);

/// A bare loop is compiled eagerly: more rules than this would need gigabytes.
const MOST_BARE: usize = 10_000;

struct OneFile(String);

impl Files for OneFile {
    fn read(&self, _path: &Path) -> io::Result<String> {
        Ok(self.0.clone())
    }

    fn size(&self, _folder: &Path, _path: &Path) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
}

/// A rule book, and how long it took to check the file and to build the book with its index.
struct Loaded {
    book: Arc<RuleBook>,
    checking: Duration,
    building: Duration,
}

fn load(text: String) -> Loaded {
    let begin = Instant::now();
    let checked = Checked::read(Path::new("bot.toml"), &OneFile(text), &LoadOptions::default());
    let checking = begin.elapsed();
    let loaded = checked.compile();
    let building = begin.elapsed() - checking;
    match loaded.book {
        Some(book) => Loaded { book, checking, building },
        None => panic!("the generated rules have mistakes: {:?}", loaded.diagnostics.first()),
    }
}

/// How long it takes to refuse a regex that is too big, the fastest of three.
fn refuse(regex: &str) -> Duration {
    let text = format!("[[rule]]\nregex = '{regex}'\nreply = \"x\"\n");
    let took = (0..3).map(|_| {
        let file = OneFile(text.clone());
        let begin = Instant::now();
        let loaded = mynah_rules::load(Path::new("bot.toml"), &file, &LoadOptions::default());
        assert!(loaded.book.is_none(), "{regex} was not refused");
        begin.elapsed()
    });
    took.min().unwrap_or_default()
}

/// Regexes that are refused for their size or the steps that they can take.
const TOO_BIG: [&str; 6] = [
    r"[\p{L}]{1000}{1000}",
    r"(?:\w{1,500}){1,500}",
    r"((((\w{9}){9}){9}){9}){9}",
    r"(?:[\p{L}]{200}){200}",
    r"(?i)(?:[\p{L}\p{N}]{1,400}){1,400}",
    r"(?:(?:\w\W\d\D){120}){120}",
];

fn event(said: &Sample) -> Event {
    let chat = if said.in_group { Chat::group("g", "群") } else { Chat::private("p", "人") };
    let message = Message {
        id: "m".into(),
        called: !chat.is_group(),
        behind_name: None,
        chat,
        sender: Person::stranger("s", "人"),
        origin: Origin::Person,
        content: Content::text(said.text.clone()),
        text: said.text.clone(),
    };
    Event { id: "e".into(), time: Timestamp::from_secs(0), body: EventBody::Message(message) }
}

/// The mean of one decision, and how many were answered. The fastest of some passes: no clock is read between messages.
fn measure<M>(
    passes: usize,
    messages: &[M],
    mut decide: impl FnMut(&M) -> bool,
) -> (Duration, usize) {
    let mut best = (Duration::MAX, 0);
    for _ in 0..passes {
        let begin = Instant::now();
        let hits = messages.iter().filter(|message| decide(message)).count();
        best = best.min((begin.elapsed(), hits));
    }
    (best.0 / u32::try_from(messages.len()).unwrap_or(1), best.1)
}

/// The 99th percentile of one decision, of the calmest pass.
fn p99(events: &[Event], mut decide: impl FnMut(&Event) -> bool) -> Duration {
    let passes = (0..PASSES).map(|_| {
        let timed = events.iter().map(|event| {
            let begin = Instant::now();
            decide(event);
            begin.elapsed()
        });
        let mut each: Vec<Duration> = timed.collect();
        each.sort_unstable();
        each[each.len() * 99 / 100]
    });
    passes.min().unwrap_or_default()
}

fn decide(book: &RuleBook, event: &Event, at: &Moment) -> bool {
    black_box(book.decide(event, &NoState, at)).acted
}

/// The first rule whose regex matches, with its captures, as a bare loop finds it.
fn found<'s>(loop_of: &[(Regex, bool)], said: &'s Sample) -> Option<(usize, regex::Captures<'s>)> {
    let may_answer = |group_only: bool| said.in_group || !group_only;
    loop_of
        .iter()
        .enumerate()
        .filter(|(_, (_, group_only))| may_answer(*group_only))
        .find_map(|(rule, (regex, _))| regex.captures(&said.text).map(|captures| (rule, captures)))
}

fn bare(loop_of: &[(Regex, bool)], said: &Sample) -> bool {
    black_box(found(loop_of, said)).is_some()
}

/// Both answer by the same rule, with the same captures.
fn assert_same(
    ours: &Decision,
    bare: Option<(usize, regex::Captures<'_>)>,
    rules: &[Rule],
    said: &Sample,
) {
    let reply = ours.steps.first().and_then(|step| match step {
        Step::Act(Planned { action: Action::Send { content }, .. }) => Some(content.plain_text()),
        _ => None,
    });
    let bare_reply = bare.as_ref().map(|(rule, _)| format!("回答 {rule}"));
    assert_eq!(reply, bare_reply, "{}", said.text);
    let Some((rule, captures)) = bare.filter(|(rule, _)| rules[*rule].toml.contains("regex ="))
    else {
        return;
    };
    let capture = |name: &str| match name.parse() {
        Ok(number) => captures.get(number),
        Err(_) => captures.name(name),
    };
    for (name, text) in &ours.captures {
        let theirs = capture(name).map(|found| found.as_str());
        assert_eq!(theirs, Some(text.as_str()), "{name} of rule {rule}: {}", said.text);
    }
}

fn compile(rules: &[Rule]) -> Vec<(Regex, bool)> {
    let compiled = rules.iter().map(|rule| (Regex::new(&rule.regex), rule.group_only));
    compiled.filter_map(|(regex, group_only)| Some((regex.ok()?, group_only))).collect()
}

fn main() {
    let most = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let short = std::env::args().any(|argument| argument == "short");
    println!("with case:");
    print_mix(Mix::WithCase, most, short);
    println!("\nwithout case:");
    print_mix(Mix::NoCase, most, short);
    if !short {
        print_hard(most);
        print_refused();
    }
}

/// Rule sets like those of real bots.
fn print_mix(mix: Mix, most: usize, short: bool) {
    let at = Moment::at(Timestamp::from_secs(0));
    println!(
        "|   rules | check ms | build ms | heap MB | short ns | p99 µs | hits % | bare loop ns | times | long µs |"
    );
    println!(
        "|--------:|---------:|---------:|--------:|---------:|-------:|-------:|-------------:|------:|--------:|"
    );
    for count in [10, 100, 1_000, 10_000, 100_000].into_iter().filter(|count| *count <= most) {
        let rules = rules(mix, count, 1);
        let Loaded { book, checking, building } =
            load(rules.iter().map(|rule| rule.toml.as_str()).collect());
        let said = messages(mix, &rules, MESSAGES, false, 1);
        let events: Vec<Event> = said.iter().map(event).collect();
        let begin = Instant::now();
        while begin.elapsed() < WARM_UP {
            measure(1, &events, |event| decide(&book, event, &at));
        }
        let (mean, hits) = measure(PASSES, &events, |event| decide(&book, event, &at));
        let p99 = p99(&events, |event| decide(&book, event, &at));
        let (loop_ns, times) = if count <= MOST_BARE && !short {
            let loop_of = compile(&rules);
            // Where the loop takes seconds, one pass is enough.
            let passes = if count < MOST_BARE { PASSES } else { 1 };
            let (bare, bare_hits) = measure(passes, &said, |said| bare(&loop_of, said));
            assert_eq!(hits, bare_hits, "both answer the same messages");
            for (said, event) in said.iter().zip(&events) {
                let ours = book.decide(event, &NoState, &at);
                assert_same(&ours, found(&loop_of, said), &rules, said);
            }
            (bare.as_nanos().to_string(), format!("{:.0}", bare.as_secs_f64() / mean.as_secs_f64()))
        } else {
            ("-".to_owned(), "-".to_owned())
        };
        let long: Vec<Event> =
            messages(mix, &rules, if short { 1 } else { 400 }, true, 2).iter().map(event).collect();
        let (long, _) = measure(PASSES, &long, |event| decide(&book, event, &at));
        println!(
            "| {count:>7} | {:>8.1} | {:>8.1} | {:>7.2} | {:>8} | {:>6.2} | {:>6.0} | {loop_ns:>12} | {times:>5} | {:>7.1} |",
            checking.as_secs_f64() * 1e3,
            building.as_secs_f64() * 1e3,
            book.heap_bytes() as f64 / 1e6,
            mean.as_nanos(),
            p99.as_secs_f64() * 1e6,
            hits as f64 * 100.0 / events.len() as f64,
            long.as_secs_f64() * 1e6,
        );
    }
}

/// Rule sets that are hard.
fn print_hard(most: usize) {
    let at = Moment::at(Timestamp::from_secs(0));
    println!("\n| up to 10 000 rules       | load ms | 2 000 characters, ms |");
    println!("|--------------------------|--------:|---------------------:|");
    for (name, text) in hard(most.min(10_000)) {
        let Loaded { book, checking, building } = load(text);
        let texts = ["订单12元订单啊 第 ", "啊", "1 啊啊 ", "12元订单 "];
        let worst = texts.iter().map(|text| {
            let text = text.chars().cycle().take(2_000).collect();
            let event = event(&Sample { text, in_group: true });
            measure(PASSES, std::slice::from_ref(&event), |event| decide(&book, event, &at)).0
        });
        let worst = worst.max().unwrap_or_default();
        println!(
            "| {name:<24} | {:>7.1} | {:>20.2} |",
            (checking + building).as_secs_f64() * 1e3,
            worst.as_secs_f64() * 1e3
        );
    }
}

/// How quickly a regex is refused.
fn print_refused() {
    println!("\n| refused                               |   ms |");
    println!("|---------------------------------------|-----:|");
    for regex in TOO_BIG {
        println!("| `{regex:<35}` | {:>4.1} |", refuse(regex).as_secs_f64() * 1e3);
    }
}
