//! Orders of operators, which the node that holds the account carries out.

use std::sync::Arc;
use std::time::Duration;

use mynah_core::{EventId, Fleet, Order, OrderEnd, StoreError, with_causes};

use crate::operate::{Answer, Request};
use crate::supervisor::Supervisor;
use crate::{Ended, Report};

/// An order that no node takes within this time is refused.
const WITHIN: Duration = Duration::from_secs(10);

/// Takes the orders for accounts of this node and carries them out, each by itself. Returns the accounts that should be
/// started again.
pub(super) async fn carry_out(fleet: &Arc<dyn Fleet>, supervisor: &Supervisor) -> Vec<String> {
    let orders = match fleet.orders().await {
        Ok(orders) => orders,
        Err(error) => {
            tracing::warn!(error = with_causes(&error), "failed to read orders");
            return Vec::new();
        }
    };
    let mut restarts = Vec::new();
    for order in orders {
        if let Ok(Request::Restart) = serde_json::from_str(&order.body) {
            tracing::info!(account = order.account, by = order.by, "an operator starts it again");
            answer(&**fleet, &order.id, &Answer::done("it is started again")).await;
            restarts.push(order.account);
        } else {
            tokio::spawn(carry_out_one(Arc::clone(fleet), supervisor.clone(), order));
        }
    }
    restarts
}

async fn carry_out_one(fleet: Arc<dyn Fleet>, supervisor: Supervisor, order: Order) {
    let Order { id, account, body, by } = order;
    let said = match serde_json::from_str::<Request>(&body) {
        Ok(ref request) => {
            tracing::info!(account, by, order = id, "an order of an operator");
            match supervisor.operator_api(&account) {
                Some(api) => {
                    let id = EventId::new(format!("order:{id}"));
                    api.answer_as(request.clone(), Some(id)).await
                }
                None => Answer::refused("the account is not running"),
            }
        }
        Err(_) => Answer::refused("this order is not known here: another version of the program"),
    };
    answer(&*fleet, &id, &said).await;
}

async fn answer(fleet: &dyn Fleet, order: &str, answer: &Answer) {
    let text = serde_json::to_string(answer).unwrap_or_default();
    if let Err(error) = fleet.answer(order, answer.ok, &text).await {
        tracing::warn!(error = with_causes(&error), order, "failed to answer an order");
    }
}

/// Whether a live node holds the account.
pub(crate) async fn is_held(fleet: &dyn Fleet, account: &str) -> Result<bool, StoreError> {
    let overview = fleet.overview().await?;
    let found = overview.accounts.iter().find(|state| state.account == account);
    let Some(holder) = found.and_then(|state| state.node.as_deref()) else { return Ok(false) };
    Ok(overview.nodes.iter().any(|node| node.name == holder && node.is_alive))
}

/// Has the node that holds an account carry out a request, and waits for its answer.
pub(crate) async fn ask_holder(
    fleet: &dyn Fleet,
    account: &str,
    request: &Request,
) -> Result<Answer, Report> {
    let failed = |error: StoreError| {
        let hint = error.remedy();
        Report::new(Ended::Storage, "failed to reach the node of the account")
            .because(error)
            .hint(hint)
    };
    let body = serde_json::to_string(request)
        .map_err(|error| Report::new(Ended::Usage, "the order cannot be written").because(error))?;
    let order = fleet.order(account, &body, &by(), WITHIN).await.map_err(failed)?;
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

/// Who gives an order, for the log: the user and the machine.
fn by() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "operator".to_owned());
    format!("{user}@{}", crate::stores::machine())
}
