//! The pace at which the accounts of a process log in: a service watches how many logins come from one place.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Lets accounts log in one after the other. The first one waits for nothing.
#[derive(Debug)]
pub(crate) struct LoginPace {
    /// Sessions that go on.
    resumes: Turns,
    /// Logins for which a person is needed.
    logins: Turns,
}

#[derive(Debug)]
struct Turns {
    apart: Duration,
    next: Mutex<Option<Instant>>,
}

impl Default for LoginPace {
    /// Five sessions that go on in a second, and one fresh login in five.
    fn default() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(5))
    }
}

impl LoginPace {
    /// Sessions go on this far apart, fresh logins that far.
    pub(crate) fn new(resumes: Duration, logins: Duration) -> Self {
        let turns = |apart| Turns { apart, next: Mutex::default() };
        Self { resumes: turns(resumes), logins: turns(logins) }
    }

    /// No pace, for tests: never for real accounts.
    pub(crate) fn off() -> Self {
        Self::new(Duration::ZERO, Duration::ZERO)
    }

    /// Waits until it is the turn of an account.
    pub(crate) async fn turn(&self, has_session: bool) {
        let turns = if has_session { &self.resumes } else { &self.logins };
        sleep_until(turns.take(Instant::now())).await;
    }
}

impl Turns {
    fn take(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        *next = Some(at + self.apart);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_login_waits_for_nothing_and_the_others_come_apart() {
        let (pace, now) = (LoginPace::default(), Instant::now());
        let millis = Duration::from_millis;
        assert_eq!([(); 2].map(|()| pace.logins.take(now) - now), [0, 5000].map(millis));
        assert_eq!([(); 3].map(|()| pace.resumes.take(now) - now), [0, 200, 400].map(millis));
        // No turn is saved up, and none is owed.
        let later = now + Duration::from_secs(60);
        assert_eq!([(); 2].map(|()| pace.logins.take(later) - later), [0, 5000].map(millis));
    }
}
