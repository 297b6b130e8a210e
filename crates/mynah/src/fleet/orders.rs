//! Orders of operators, which the node that holds the account carries out.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{EventId, Fleet, Order, OrderEnd, Overview, StoreError, Stores, with_causes};

use crate::operate::{Answer, Request};
use crate::supervisor::Supervisor;
use crate::{Ended, Report};

/// An order that no node takes within this time is refused.
const WITHIN: Duration = Duration::from_secs(10);

/// Takes the orders for accounts of this node.
pub(super) async fn taken(fleet: &dyn Fleet) -> Vec<Order> {
    fleet.orders().await.unwrap_or_else(|error| {
        tracing::warn!(error = with_causes(&error), "failed to read orders");
        Vec::new()
    })
}

/// Whether an order starts its account again, which is work of the node.
pub(super) fn is_restart(order: &Order) -> bool {
    matches!(serde_json::from_str(&order.body), Ok(Request::Restart))
}

/// Carries an order out by itself.
pub(super) fn carry_out(fleet: &Arc<dyn Fleet>, supervisor: &Supervisor, order: Order) {
    let (fleet, supervisor) = (Arc::clone(fleet), supervisor.clone());
    tokio::spawn(async move {
        let done = carried_out(&supervisor, &order).await;
        answer(&*fleet, &order, &done).await;
    });
}

async fn carried_out(supervisor: &Supervisor, order: &Order) -> Answer {
    let Order { id, account, body, by } = order;
    let Ok(request) = serde_json::from_str::<Request>(body) else {
        return Answer::refused("this order is not known here: another version of the program");
    };
    tracing::info!(account, by, order = id, "an order of an operator");
    match supervisor.operator_api(account) {
        Some(api) => api.answer_as(request, Some(EventId::new(format!("order:{id}")))).await,
        None => Answer::refused(format!(
            "{account} does not run; if its session is over, `mynah fleet restart {account}` starts it again"
        )),
    }
}

/// Answers an order of an account that this node holds.
pub(super) async fn answer(fleet: &dyn Fleet, order: &Order, answer: &Answer) {
    let text = serde_json::to_string(answer).unwrap_or_default();
    if let Err(error) = fleet.answer(&order.id, answer.ok, &text).await {
        tracing::warn!(error = with_causes(&error), order = order.id, "failed to answer an order");
    }
}

/// Whether a live node holds the account of these stores.
pub(crate) async fn is_held(stores: &dyn Stores, account: &str) -> Result<bool, StoreError> {
    let Some(fleet) = stores.fleet() else { return Ok(false) };
    let overview = fleet.overview().await?;
    let found = overview.accounts.iter().find(|state| state.account == account);
    let Some(holder) = found.and_then(|state| state.node.as_deref()) else { return Ok(false) };
    Ok(overview.nodes.iter().any(|node| node.name == holder && node.is_alive))
}

/// Why no node takes an account of these stores for a while.
pub(crate) async fn trouble(
    stores: &dyn Stores,
    account: &str,
) -> Result<Option<String>, StoreError> {
    let Some(fleet) = stores.fleet() else { return Ok(None) };
    let Overview { accounts, now, .. } = fleet.overview().await?;
    let left_alone = accounts.into_iter().find(|state| {
        state.account == account && state.not_before.is_some_and(|until| until > now)
    });
    Ok(left_alone.and_then(|state| state.trouble))
}

/// Has the node that holds an account of these stores carry out a request of the user of this command.
pub(crate) async fn ask(
    stores: &dyn Stores,
    account: &str,
    request: &Request,
) -> Result<Answer, Report> {
    match stores.fleet() {
        Some(fleet) => ask_holder(&*fleet, account, request, &user()).await,
        None => Err(Report::new(Ended::Usage, "the accounts of this store cannot be shared")),
    }
}

/// Has the node that holds an account carry out a request of a person or a page, and waits for its answer.
pub(crate) async fn ask_holder(
    fleet: &dyn Fleet,
    account: &str,
    request: &Request,
    by: &str,
) -> Result<Answer, Report> {
    let failed = |error| Report::of_store("reach the node of the account", error);
    let body = serde_json::to_string(request)
        .map_err(|error| Report::new(Ended::Usage, "the order cannot be written").because(error))?;
    let by = format!("{by}@{}", crate::stores::machine());
    let order = fleet.order(account, &body, &by, WITHIN).await.map_err(failed)?;
    match fleet.wait_for(&order).await.map_err(failed)? {
        OrderEnd::Answered { is_done, text, .. } => Ok(serde_json::from_str(&text)
            .unwrap_or_else(|_| if is_done { Answer::done(text) } else { Answer::refused(text) })),
        OrderEnd::NotTaken | OrderEnd::Missing => {
            let what = format!("no node took the order for {account} in time: nothing was done");
            Err(Report::new(Ended::No, what).hint("see `mynah fleet status`, then repeat it"))
        }
        OrderEnd::Unknown { node } => {
            let what = format!(
                "{node} took the order for {account} and gave no answer: it is not known whether it was done"
            );
            Err(Report::new(Ended::No, what).hint("look at the log with `mynah data export` first"))
        }
    }
}

/// The user of this command, for the log.
pub(crate) fn user() -> String {
    std::env::var("USER").unwrap_or_else(|_| "operator".to_owned())
}
