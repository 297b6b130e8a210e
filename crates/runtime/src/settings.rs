//! How an account is run: everything that `config/mynah.toml` says about it, as checked values with safe defaults.

use std::path::PathBuf;
use std::time::Duration;

use mynah_core::Pacing;

/// How an account is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How fast it may speak.
    pub pacing: Pacing,
    /// What happened longer ago is recorded and not answered; `None` answers all.
    pub max_age: Option<Duration>,
    /// A reply that could not leave by then expires; `None` keeps it until it can.
    pub reply_max_age: Option<Duration>,
    /// When to stop answering somebody who only repeats himself, as another bot does; `None` never.
    pub loop_breaker: Option<LoopBreaker>,
    /// The longest a handler may take, where it has no time of its own.
    pub handler_timeout: Duration,
    /// What becomes of an action of which nobody knows whether it took effect.
    pub unknown: UnknownPolicy,
    /// How long an ordered stop waits for turns and sends in flight.
    pub stop_deadline: Duration,
    /// The seed of all randomness.
    pub seed: u64,
    /// Decide everything, send nothing.
    pub dry_run: bool,
    /// End the session on the service at an ordered stop; else it is kept for the next start.
    pub log_out_at_stop: bool,
    /// Where rows are saved. `None` hands them to the service like any other action, as tests want it.
    pub save_folder: Option<PathBuf>,
    /// How many lanes work at the same time.
    pub lanes_at_once: usize,
    /// How many actions are on their way at the same time, each of another chat.
    pub sends_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pacing: Pacing::default(),
            max_age: Some(Duration::from_secs(5 * 60)),
            reply_max_age: Some(Duration::from_secs(15 * 60)),
            loop_breaker: Some(LoopBreaker::default()),
            handler_timeout: Duration::from_secs(30),
            unknown: UnknownPolicy::Resend,
            stop_deadline: Duration::from_secs(10),
            seed: 0,
            dry_run: false,
            log_out_at_stop: false,
            save_folder: None,
            lanes_at_once: 64,
            sends_at_once: 16,
        }
    }
}

/// When two bots answer each other for ever, each of the other's texts is one that it said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopBreaker {
    /// After so many answers to repeated texts of one person …
    pub answers: u32,
    /// … within this time …
    pub within: Duration,
    /// … the person gets no answer for so long.
    pub silence: Duration,
}

impl Default for LoopBreaker {
    fn default() -> Self {
        Self { answers: 5, within: Duration::from_secs(30), silence: Duration::from_secs(10 * 60) }
    }
}

/// What becomes of an action of which nobody knows whether it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPolicy {
    /// It is sent once more under the same id, by which the service may drop the copy.
    Resend,
    /// It is never sent again: rather lost than twice.
    Never,
}
