//! The pause before a send is tried again.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// The pause after the n-th try, from 1: doubled each time, up to a minute; longer if the service asked for it.
pub(crate) fn pause(attempt: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    doubled.min(LONGEST).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_hints_win() {
        for (attempt, asked, expected) in [
            (1, None, 1),
            (2, None, 2),
            (4, None, 8),
            (40, None, 60),
            (1, Some(90), 90),
            (4, Some(3), 8),
        ] {
            let asked = asked.map(Duration::from_secs);
            assert_eq!(pause(attempt, asked), Duration::from_secs(expected), "{attempt} {asked:?}");
        }
    }
}
