//! The stock runner: rules only, no handlers.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts the bytes in use: `mynah bench` says how many the rules take.
#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> mynah::Result<()> {
    mynah::runtime()?.block_on(mynah::Bot::new().run_cli())
}
