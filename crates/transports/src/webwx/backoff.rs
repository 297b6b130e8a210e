//! How long to wait after failures in a row: doubling from a first wait up to a longest one.
//!
//! A plain state machine, so that its behaviour can be read from a table. Success resets it.

use std::time::Duration;

/// Waits that double.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// For network errors, 5xx and answers that make no sense: 1 s, 2 s, 4 s … 60 s. So a service that is gone for a
    /// night is asked once a minute, and a bot is back a minute at most after the service is.
    pub(crate) const fn network() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60))
    }

    /// For "too frequent" (1205): 15 s, 30 s … 30 min. A burst is forgiven after a quarter of a minute, a flood may be
    /// held against the account for hours (section 16.5 of the protocol reference).
    pub(crate) const fn too_frequent() -> Self {
        Self::new(Duration::from_secs(15), Duration::from_secs(30 * 60))
    }

    /// For a service that is reachable but gives invalid answers again and again: 1 s, 2 s, 4 s, 5 s. It is asked
    /// often, so that a person does not wait long for an answer.
    pub(crate) const fn nonsense() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(5))
    }

    /// For polls that are answered at once: 0.2 s … 2 s.
    pub(crate) const fn hurried() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(2))
    }

    const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// Counts a failure and says how long to wait after it.
    pub(crate) fn fail(&mut self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.first.saturating_mul(doubled).min(self.longest)
    }

    /// How many failures there were since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Forgets the failures.
    pub(crate) fn succeed(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_success_resets_them() {
        let mut backoff = Backoff::network();
        let waits: Vec<u64> = (0..8).map(|_| backoff.fail().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.succeed();
        assert_eq!(backoff.fail().as_secs(), 1);
    }

    #[test]
    fn endless_failure_neither_overflows_nor_grows() {
        let mut backoff = Backoff::too_frequent();
        let last = (0..10_000).map(|_| backoff.fail()).last();
        assert_eq!(last, Some(Duration::from_secs(1800)));
        assert_eq!(backoff.failures(), 10_000);
    }
}
