//! Decisions that lack inputs: the inputs are brought, and the rules are asked again.

use std::sync::Arc;

use mynah_core::{Context, StoreError};
use mynah_rules::{Decision, Inputs, Lack, Moment};

use crate::fetcher::Fetcher;

/// The moment of a turn, for the rules.
pub(crate) fn moment(ctx: &Context) -> Moment {
    let inputs = Inputs::default();
    Moment { now: ctx.now(), random: ctx.random(), chats: Arc::clone(ctx.chats()), inputs }
}

/// Asks until the decision lacks nothing. The rules ask for inputs by names in the rule file, and for three answers of web
/// services at most, so there is an end.
pub(crate) async fn decided(
    ctx: &mut Context,
    fetcher: &Fetcher,
    at: &mut Moment,
    mut decide: impl FnMut(&Context, &Moment) -> Decision + Send,
) -> Result<Decision, StoreError> {
    loop {
        let decision = decide(ctx, at);
        if decision.lacks.is_empty() {
            return Ok(decision);
        }
        bring(ctx, fetcher, &decision, &mut at.inputs).await?;
    }
}

/// Brings everything that a decision lacks, with one request to the store.
async fn bring(
    ctx: &mut Context,
    fetcher: &Fetcher,
    decision: &Decision,
    inputs: &mut Inputs,
) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    for lack in &decision.lacks {
        match lack {
            Lack::Values(key) => keys.push(key.as_str()),
            Lack::Members => inputs.add_members(ctx.members()),
            Lack::Fetch(request) => {
                let outcome = fetcher.outcome(ctx, request, inputs.fetches()).await;
                inputs.add_fetched((**request).clone(), outcome);
            }
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let found = ctx.member_values(&keys).await?;
    keys.iter().zip(found).for_each(|(key, values)| inputs.add_values(*key, values));
    Ok(())
}
