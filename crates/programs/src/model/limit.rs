//! How often a model may be asked.

use mynah_core::{Change, Context, Scope, StateView, Timestamp, Write};

use crate::{Account, Limit, Model, Spec};

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

    /// Whether no further request may be sent. Turns that ask at the same time, at most `at_once`, can exceed the limit
    /// together: a request is counted when its turn commits.
    pub(crate) fn is_used_up(&self, ctx: &Context) -> bool {
        self.counters(ctx).any(|(scope, most)| {
            let count = ctx.get(scope, &self.key).and_then(|count| count.parse::<u32>().ok());
            count.unwrap_or(0) >= most
        })
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
