//! Decisions that lack inputs: the inputs are brought, and the rules are asked again.

use std::sync::Arc;

use mynah_core::{Context, StoreError};
use mynah_rules::{Decision, Inputs, Lack, Moment};

/// The moment of a turn, for the rules.
pub(crate) fn moment(ctx: &Context) -> Moment {
    let inputs = Inputs::default();
    Moment { now: ctx.now(), random: ctx.random(), chats: Arc::clone(ctx.chats()), inputs }
}

/// Asks until the decision lacks nothing. The rules ask for inputs by names in the rule file, so there is an end.
pub(crate) async fn decided(
    ctx: &Context,
    at: &mut Moment,
    mut decide: impl FnMut(&Moment) -> Decision + Send,
) -> Result<Decision, StoreError> {
    loop {
        let decision = decide(at);
        if decision.lacks.is_empty() {
            return Ok(decision);
        }
        bring(ctx, &decision, &mut at.inputs).await?;
    }
}

/// Brings everything that a decision lacks, with one request to the store.
async fn bring(ctx: &Context, decision: &Decision, inputs: &mut Inputs) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    for lack in &decision.lacks {
        match lack {
            Lack::Values(key) => keys.push(key.as_str()),
            Lack::Members => inputs.add_members(ctx.members()),
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    let found = ctx.member_values(&keys).await?;
    keys.iter().zip(found).for_each(|(key, values)| inputs.add_values(*key, values));
    Ok(())
}
