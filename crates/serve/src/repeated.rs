//! Log lines that may repeat very often.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two lines.
const PAUSE: Duration = Duration::from_secs(60);

/// Counts one kind of log line, so that a flood of it becomes one line a minute with a number.
#[derive(Debug, Default)]
pub struct Repeated(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    since: u64,
}

impl Repeated {
    /// Notes one occurrence. If a line is due, returns the number of occurrences that it reports.
    pub fn note(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.since += 1;
        if state.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return None;
        }
        state.last = Some(Instant::now());
        Some(std::mem::take(&mut state.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_one_line_becomes_one_line_a_minute_with_a_count() {
        let repeated = Repeated::default();
        assert_eq!(repeated.note(), Some(1));
        for _ in 0..999 {
            assert_eq!(repeated.note(), None);
        }
        tokio::time::advance(PAUSE).await;
        assert_eq!(repeated.note(), Some(1000));
        assert_eq!(repeated.note(), None);
    }
}
