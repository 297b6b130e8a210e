//! The number of system calls, counted by `strace`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::flags::Flags;
use crate::load::{self, Load};
use crate::program::Program;

/// Calls that are less frequent are counted without their names.
const NAMED: usize = 10;

/// Runs each program once more under `strace` and prints its calls.
pub(crate) async fn measure(programs: &[Program], flags: &Flags) -> Result<()> {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("\nsystem calls: not counted, as strace is not installed");
        return Ok(());
    }
    println!("\nsystem calls a message, counted by strace in a round of their own");
    let folder = tempfile::tempdir()?;
    for program in programs {
        let log = folder.path().join(program.name);
        let under = ["strace", "-f", "-qq", "-o"].map(str::to_owned).into_iter();
        let under: Vec<String> = under.chain([log.display().to_string()]).collect();
        let mut running = program.start(&under).await?;
        load::warm_up(&mut running).await?;
        for load in flags.loads.iter().filter(|load| **load != Load::Flood) {
            let before = counted(&log)?;
            let figures = load::run(&mut running, *load, flags.part.max(2)).await?;
            let calls = Calls::between(&before, &counted(&log)?, figures.messages);
            println!("{:<22} {:<8} {calls}", load.title(), program.name);
        }
        running.end().await?;
    }
    Ok(())
}

/// The calls in a log, by name, without those of the thread that reports the counters: only it reads standard input.
fn counted(log: &Path) -> Result<BTreeMap<String, usize>> {
    let mut calls: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut reporter = None;
    let log = std::fs::read(log)?;
    let log = String::from_utf8_lossy(&log);
    for line in log.lines() {
        // `1234  futex(0x55…, FUTEX_WAIT …`. The second half of a call that another thread interrupted is `<... futex
        // resumed>`, and signals and exits begin with signs.
        let mut words = line.split_whitespace();
        let (Some(thread), Some(call)) = (words.next(), words.next()) else { continue };
        if call.starts_with("read(0,") {
            reporter = Some(thread);
        }
        if let Some((name, _)) = call.split_once('(')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            *calls.entry((thread, name)).or_default() += 1;
        }
    }
    let mut all = BTreeMap::new();
    for ((thread, name), count) in calls {
        if Some(thread) != reporter {
            *all.entry(name.to_owned()).or_default() += count;
        }
    }
    Ok(all)
}

/// Calls a message.
struct Calls {
    all: f64,
    /// By name, the most frequent first.
    each: Vec<(String, f64)>,
}

impl Calls {
    fn between(
        before: &BTreeMap<String, usize>,
        after: &BTreeMap<String, usize>,
        messages: usize,
    ) -> Self {
        let mut each: Vec<(String, f64)> = after
            .iter()
            .map(|(name, count)| {
                let count = count - before.get(name).copied().unwrap_or(0);
                (name.clone(), count as f64 / messages.max(1) as f64)
            })
            .collect();
        each.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        Self { all: each.iter().map(|(_, count)| count).sum(), each }
    }
}

impl std::fmt::Display for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6.1}:", self.all)?;
        let frequent = self.each.iter().take(NAMED).filter(|(_, count)| *count >= 0.05);
        for (name, count) in frequent {
            write!(f, " {name} {count:.1}")?;
        }
        Ok(())
    }
}
