//! How often a model may be asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use mynah_core::{Change, Context, Scope, StateView, Timestamp, Write};

use crate::{Account, Limit, Model, Spec};

/// The requests that were sent in the present period, of each account, whether their turns have committed or not.
#[derive(Debug, Default)]
pub(crate) struct SentRequests(Mutex<BTreeMap<String, (String, u32)>>);

impl SentRequests {
    /// Counts one more request of an account in the period of this key, in which turns with so many have committed, if fewer
    /// than `most` were sent. Returns whether it did.
    fn take(&self, account: &str, key: &str, committed: u32, most: u32) -> bool {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = accounts.get(account).filter(|(period, _)| period == key);
        let sent = sent.map_or(committed, |(_, sent)| committed.max(*sent));
        if sent >= most {
            return false;
        }
        accounts.insert(account.to_owned(), (key.to_owned(), sent + 1));
        true
    }
}

/// The counters of a limit in the present period. They are state like those of rules, so they survive a restart.
pub(crate) struct Count<'a> {
    limit: &'a Limit,
    key: String,
    until: Timestamp,
}

impl<'a> Count<'a> {
    pub(crate) fn of(spec: &Spec, model: &'a Model, account: &dyn Account, now: Timestamp) -> Self {
        let limit = &model.limit;
        let (from, until) = account.period(limit.per, now);
        let key = format!("model-limit:{}:{}", spec.name, from.as_millis() / 1000);
        Self { limit, key, until }
    }

    /// Takes one of the requests that are left. Returns false if there is none.
    ///
    /// A request counts in the state when its turn commits, and in `sent` from now on: turns of several chats ask at the same
    /// time. A person in a chat has one turn at a time.
    pub(crate) fn take(&self, ctx: &Context, account: &str, sent: &SentRequests) -> bool {
        let count = |scope| {
            let count = ctx.get(scope, &self.key);
            count.and_then(|count| count.parse::<u32>().ok()).unwrap_or(0)
        };
        let is_used_up = self.counters(ctx).any(|(scope, most)| count(scope) >= most);
        !is_used_up
            && self
                .limit
                .all
                .is_none_or(|most| sent.take(account, &self.key, count(Scope::Bot), most))
    }

    /// Counts a request.
    pub(crate) fn add(&self, ctx: &mut Context) {
        let scopes: Vec<Scope> = self.counters(ctx).map(|(scope, _)| scope).collect();
        for scope in scopes {
            let (key, expires) = (self.key.clone(), Some(self.until));
            ctx.write(Write { scope, key, change: Change::Add(1), expires });
        }
    }

    fn counters(&self, ctx: &Context) -> impl Iterator<Item = (Scope, u32)> {
        let user = self.limit.user.filter(|_| ctx.person().is_some());
        let user = user.map(|most| (Scope::Person, most));
        user.into_iter().chain(self.limit.all.map(|most| (Scope::Bot, most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_at_the_same_time_do_not_exceed_the_limit() {
        let sent = SentRequests::default();
        let taken = (0..9).filter(|_| sent.take("main", "day 1", 0, 3)).count();
        assert_eq!(taken, 3, "none of them has committed");
        assert!(sent.take("other", "day 1", 0, 3), "each account has its own");
        assert!(!sent.take("main", "day 1", 3, 3), "all have committed");
        assert!(sent.take("main", "day 1", 3, 4), "a raised limit");
        assert!(sent.take("main", "day 2", 0, 1));
        // After a start only the state knows those of before.
        let sent = SentRequests::default();
        assert!(sent.take("main", "day 2", 1, 2));
        assert!(!sent.take("main", "day 2", 1, 2));
    }
}
