//! The time since the start of the machine, which also passes while the machine sleeps.

use std::time::Duration;

/// The time since some moment before this process. On Linux it goes on while the machine is suspended, so that a process
/// that wakes up sees at once that its leases have expired.
#[cfg(target_os = "linux")]
pub(crate) fn boot_time() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or_else(|_| since_first_use(), Duration::from)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn boot_time() -> Duration {
    since_first_use()
}

fn since_first_use() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}
