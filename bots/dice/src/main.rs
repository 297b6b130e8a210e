//! A bot with a handler: rules decide when it runs, and the handler makes the reply.

use mynah::prelude::*;

/// Rolls dice: `{count}d{sides}`. By default, one die with six sides.
struct Dice;

const MOST_DICE: u64 = 20;
const MOST_SIDES: u64 = 1000;

#[async_trait]
impl Handler for Dice {
    async fn on_message(
        &self,
        ctx: &mut Context,
        _message: &Message,
    ) -> Result<Flow, HandlerError> {
        let count: u64 = ctx.arg("count")?.unwrap_or(1);
        let sides: u64 = ctx.arg("sides")?.unwrap_or(6);
        if (1..=MOST_DICE).contains(&count) && (2..=MOST_SIDES).contains(&sides) {
            let text = roll(ctx, count, sides);
            ctx.reply_at(text);
        } else {
            ctx.reply(format!("最多 {MOST_DICE} 个骰子，每个 2 到 {MOST_SIDES} 面。"));
        }
        Ok(Flow::Stop)
    }
}

/// The result as text. The numbers follow from the bot's seed and the event, so a repeated turn rolls the same numbers.
fn roll(ctx: &Context, count: u64, sides: u64) -> String {
    let mut random = ctx.random();
    let thrown: Vec<u64> = (0..count).map(|_| random.below(sides) + 1).collect();
    let shown: Vec<String> = thrown.iter().map(ToString::to_string).collect();
    match shown.as_slice() {
        [one] => one.clone(),
        several => format!("{} = {}", several.join(" + "), thrown.iter().sum::<u64>()),
    }
}

#[tokio::main]
async fn main() -> mynah::Result<()> {
    Bot::new().handler("dice", Dice).run_cli().await
}

#[cfg(test)]
mod tests {
    use mynah::Ended;

    use super::*;

    #[tokio::test]
    async fn the_rule_file_is_right_and_passes_its_own_tests() {
        for command in ["check", "test"] {
            let bot = Bot::new().handler("dice", Dice);
            let ended = bot.run(["dice-bot", command, env!("CARGO_MANIFEST_DIR")]).await.unwrap();
            assert_eq!(ended, Ended::Fine, "{command}");
        }
    }
}
