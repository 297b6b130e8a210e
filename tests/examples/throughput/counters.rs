//! The resources that a process has used so far. A thread of the process itself reports them: only there are the
//! figures exact, as they include the threads that have ended.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use stats_alloc::INSTRUMENTED_SYSTEM;

/// Marks the lines of the reports on standard output.
pub(crate) const MARK: &str = "counters ";

/// Since the start of the process.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Counters {
    /// Nanoseconds of processor time.
    pub(crate) cpu: u64,
    /// The number of times a thread gave up its processor to wait.
    pub(crate) switches: u64,
    /// Bytes for the disk.
    pub(crate) written: u64,
    pub(crate) allocations: usize,
    /// Bytes of resident memory, at this moment.
    pub(crate) resident: u64,
}

/// Starts the thread that prints the counters for each line of standard input, and ends the process after the last
/// line, so that a profiler can write its results. While it waits, it costs nothing.
pub(crate) fn report_on_request() {
    std::thread::spawn(|| {
        for _ in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
            let counters = Counters::now();
            let line = serde_json::to_string(&counters).unwrap_or_default();
            println!("{MARK}{line}");
            // Without a reader there is nothing to report.
            let _ = std::io::stdout().flush();
        }
        std::process::exit(0);
    });
}

impl Counters {
    fn now() -> Self {
        let heap = INSTRUMENTED_SYSTEM.stats();
        let (cpu, switches) = usage();
        Self {
            cpu,
            switches,
            written: field("/proc/self/io", "write_bytes:"),
            allocations: heap.allocations + heap.reallocations,
            resident: field("/proc/self/status", "VmRSS:") * 1024,
        }
    }
}

#[cfg(unix)]
fn usage() -> (u64, u64) {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return (0, 0) };
    let cpu = usage.user_time().num_nanoseconds() + usage.system_time().num_nanoseconds();
    (cpu.unsigned_abs(), usage.voluntary_context_switches().unsigned_abs())
}

#[cfg(not(unix))]
fn usage() -> (u64, u64) {
    (0, 0)
}

/// A number of a file of the kernel; 0 on systems without it.
fn field(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
