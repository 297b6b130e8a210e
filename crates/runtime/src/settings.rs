//! The settings of an account: its part of `config/mynah.toml`, as checked values with safe defaults.

use std::path::PathBuf;
use std::time::Duration;

use mynah_core::Pacing;

/// The settings of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The limits of sending.
    pub pacing: Pacing,
    /// The maximum number of people whom the account removes from groups in an hour; further ones stay.
    pub kicks: u32,
    /// Older events are recorded and not answered; `None` answers all.
    pub max_age: Option<Duration>,
    /// A reply that was not sent within this time expires; `None` keeps it until it is sent.
    pub reply_max_age: Option<Duration>,
    /// When to stop answering a person who repeats the same texts, as another bot does; `None` never stops.
    pub loop_breaker: Option<LoopBreaker>,
    /// The time-out of handlers that do not have their own.
    pub handler_timeout: Duration,
    /// The policy for actions with an unknown outcome.
    pub unknown: UnknownPolicy,
    /// How long an ordered stop waits for turns and sends in flight.
    pub stop_deadline: Duration,
    /// The seed of all randomness.
    pub seed: u64,
    /// Decide everything, but send nothing.
    pub dry_run: bool,
    /// End the session on the service at an ordered stop; else it is kept for the next start.
    pub log_out_at_stop: bool,
    /// The folder for saved rows, and in it the folder `outgoing` for media that handlers send from memory. `None` hands rows to
    /// the service like other actions, which tests need, and lets the store keep the media.
    pub save_folder: Option<PathBuf>,
    /// The number of lanes that work at the same time.
    pub lanes_at_once: usize,
    /// The number of actions in flight at the same time, each of another chat.
    pub sends_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pacing: Pacing::default(),
            kicks: 10,
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

/// Stops a conversation of two bots: in an endless one, the other bot repeats its earlier texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopBreaker {
    /// After this many answers to repeated texts of one person …
    pub answers: u32,
    /// … within this time …
    pub within: Duration,
    /// … the person gets no answer for this long.
    pub silence: Duration,
}

impl Default for LoopBreaker {
    fn default() -> Self {
        Self { answers: 5, within: Duration::from_secs(30), silence: Duration::from_secs(10 * 60) }
    }
}

/// The policy for actions with an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPolicy {
    /// Send the action again under the same id, by which the service may drop the copy.
    Resend,
    /// Never send the action again: a lost message is better than a double one.
    Never,
}
