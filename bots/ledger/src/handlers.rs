//! The handlers: replies about the ledger.

use std::sync::Arc;

use mynah::prelude::*;
use tokio::task::spawn_blocking;

use crate::ledger::{Ledger, Payment, Total};

/// Records a payment of `{amount}` for `{what}`.
pub(crate) struct Record(pub(crate) Arc<Ledger>);

/// Replies with the total of each person in this chat.
pub(crate) struct Bill(pub(crate) Arc<Ledger>);

/// Deletes the payments of the sender in this chat.
pub(crate) struct Erase(pub(crate) Arc<Ledger>);

#[async_trait]
impl Handler for Record {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let what = ctx.capture("what").ok_or("the rule captures no {what}")?.to_owned();
        let cents = cents(ctx.capture("amount").ok_or("the rule captures no {amount}")?)?;
        // The turn may run again: after a conflict with another turn, or a crash before its commit. The table is not
        // part of the commit, so the event's id is the key of the row, and the second run finds the row of the first.
        let payment = Payment {
            event: ctx.event_id().to_string(),
            chat: message.chat.id.to_string(),
            person: message.sender.id.to_string(),
            name: message.sender.name.clone(),
            what,
            cents,
        };
        let (ledger, row) = (Arc::clone(&self.0), payment.clone());
        // SQLite waits for the disk. Other chats should not.
        let total = spawn_blocking(move || ledger.record(&row)).await??;
        let (amount, total) = (yuan(cents), yuan(total));
        let Payment { what, .. } = payment;
        ctx.reply_at(format!("记下了：{what} {amount} 元。你一共付了 {total} 元。"));
        Ok(Flow::Stop)
    }
}

#[async_trait]
impl Handler for Bill {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let (ledger, chat) = (Arc::clone(&self.0), message.chat.id.to_string());
        let totals = spawn_blocking(move || ledger.totals(&chat)).await??;
        if totals.is_empty() {
            ctx.reply("还没有记账。发“记账 午饭 36.5”试试。");
            return Ok(Flow::Stop);
        }
        let all: i64 = totals.iter().map(|total| total.cents).sum();
        let line = |Total { name, cents }: &Total| format!("{name} 付了 {} 元\n", yuan(*cents));
        let lines: String = totals.iter().map(line).collect();
        ctx.reply(format!("{lines}合计 {} 元", yuan(all)));
        Ok(Flow::Stop)
    }
}

#[async_trait]
impl Handler for Erase {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let ledger = Arc::clone(&self.0);
        let (chat, person) = (message.chat.id.to_string(), message.sender.id.to_string());
        let rows = spawn_blocking(move || ledger.erase(&chat, &person)).await??;
        ctx.reply_at(format!("删除了 {rows} 笔。"));
        Ok(Flow::Stop)
    }
}

/// Converts `36.5` to 3650. Whole cents, because fractions would not add up exactly.
fn cents(amount: &str) -> Result<i64, HandlerError> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, ""));
    let cents: i64 = format!("{part:0<2}").parse()?;
    Ok(whole.parse::<i64>()? * 100 + cents)
}

/// Converts 3650 to `36.50`.
fn yuan(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_to_the_cent() {
        for (text, read, shown) in
            [("36.5", 3650, "36.50"), ("120", 12_000, "120.00"), ("0.07", 7, "0.07")]
        {
            assert_eq!(cents(text).unwrap(), read, "{text}");
            assert_eq!(yuan(read), shown);
        }
    }
}
