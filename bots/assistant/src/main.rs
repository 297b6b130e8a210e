//! A bot that uses a language model for messages that no rule answers: see `assistant.rs`. `model.rs` is the client of
//! the model.

mod assistant;
mod model;
mod talk;

#[cfg(test)]
mod tests;

use std::env;
use std::sync::Arc;

use assistant::{Assistant, Restart};
use model::{Model, PATIENCE};
use mynah::prelude::*;
use mynah::{Ended, Report};

/// Models are slow and answer few questions at once. Further questions wait in their chats.
const AT_ONCE: usize = 2;

/// Adds the handlers. The bot is made before the model, because `Bot::new` installs the TLS provider of the client.
fn answer(bot: Bot, model: Model) -> Bot {
    // The time-out of the handler is longer than the model's, so that a slow model still gives a polite reply.
    let longest = model.patience() * 2;
    bot.handler("restart", Restart)
        .fallback("assistant", Assistant(Arc::new(model)))
        .at_once(AT_ONCE)
        .timeout(longest)
}

#[tokio::main]
async fn main() -> mynah::Result<()> {
    let variable = |name, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let server = variable("MODEL_URL", "http://127.0.0.1:11434");
    let name = variable("MODEL", "qwen2.5:3b");
    let bot = Bot::new();
    let model =
        Model::new(&server, name, env::var("MODEL_KEY").ok(), PATIENCE).map_err(|error| {
            Report::new(Ended::Usage, "the model of MODEL_URL and MODEL_KEY cannot be used")
                .because(error)
        })?;
    answer(bot, model).run_cli().await
}
