//! Measures the speed and the costs of the whole path over HTTP, beside two floors.
//!
//! `cargo run --release -p mynah-tests --example throughput` runs three programs in turn against the same sandbox:
//!
//! - `ours`: the bot with its data on disk;
//! - `floor`: a bare loop of tokio and reqwest over the same requests (poll, sync, send), which stores nothing;
//! - `durable`: the same loop with one synced write of each message before its answer is sent.
//!
//! Each gets 20 messages a second, then 100, then as many as it can process, in 20 chats. The figures are medians of
//! five rounds with the lowest and the highest, and the ratios compare the programs of the same round. A last round
//! under `strace`, if it is installed, counts the system calls.
//!
//! Each program is a process of its own, so its figures contain nothing of the sandbox; the sandbox needs a processor of
//! its own. `TMPDIR` selects the disk. Flags after `--`:
//!
//! | flag | effect |
//! | --- | --- |
//! | `--short` | one round with a quarter of the messages |
//! | `--rounds N` | this many rounds in place of five |
//! | `--load 20`, `100` or `flood` | this load only |
//! | `--only ours`, `floor` or `durable` | this program only |
//! | `--beside FILE` | also the bot of another build of this program, as `before` |
//! | `--no-calls` | no round under `strace` |
//! | `--under 'COMMAND …'` | runs the programs under this command, e.g. a profiler |

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it measures is printed")]

use std::alloc::System;
use std::time::Duration;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

mod calls;
mod counters;
mod flags;
mod floor;
mod load;
mod program;
mod report;

use flags::Flags;
use program::Program;
use report::Report;

/// Counts the allocations; all programs pay the same for it.
#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RULES: &str = "[[rule]]\nregex = '^问题 (?<n>\\d+)$'\nreply = \"答案 {n}\"\n";

/// Longer than any machine should need.
const PATIENCE: Duration = Duration::from_secs(900);

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("run") => run_bot(),
        Some("floor") => floor::run(&arguments[1..]),
        _ => {
            let flags = Flags::parse(&arguments)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            // On the thread of the sandbox: a separate thread would add the time to wake it up.
            let measured =
                runtime.spawn(async { tokio::time::timeout(PATIENCE, measure(flags)).await });
            runtime.block_on(measured)??
        }
    }
}

/// The bot, as the program `mynah` runs it.
fn run_bot() -> Result<()> {
    counters::report_on_request();
    Ok(mynah::runtime()?.block_on(mynah::Bot::new().run_cli())?)
}

async fn measure(flags: Flags) -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("bot.toml"), RULES)?;
    let programs = Program::all(&flags, folder.path())?;
    let mut report = Report::default();
    for round in 1..=flags.rounds {
        for program in &programs {
            eprintln!("round {round} of {}: {}", flags.rounds, program.name);
            let mut running = program.start(&flags.under).await?;
            load::warm_up(&mut running).await?;
            for load in &flags.loads {
                report.add(*load, program.name, load::run(&mut running, *load, flags.part).await?);
            }
            running.end().await?;
        }
    }
    report.print();
    if flags.calls {
        calls::measure(&programs, &flags).await?;
    }
    Ok(())
}
