//! The bot of the stories: handlers that fail, panic and block, in the full command line of the runner.

use std::path::Path;
use std::time::Duration;

use mynah::core::{Clock, SystemClock, Timestamp};
use mynah::prelude::*;

struct Fails;

#[async_trait]
impl Handler for Fails {
    async fn on_message(
        &self,
        ctx: &mut Context,
        _message: &Message,
    ) -> Result<Flow, HandlerError> {
        ctx.reply("this reply must never leave: its turn failed");
        Err("the handler of the story failed".into())
    }
}

struct Panics;

#[async_trait]
impl Handler for Panics {
    async fn on_message(
        &self,
        ctx: &mut Context,
        _message: &Message,
    ) -> Result<Flow, HandlerError> {
        ctx.reply("this reply must never leave: its turn panicked");
        panic!("the handler of the story panicked")
    }
}

/// Answers when the file named by `STORY_GATE` exists.
struct Slow;

#[async_trait]
impl Handler for Slow {
    async fn on_message(
        &self,
        ctx: &mut Context,
        _message: &Message,
    ) -> Result<Flow, HandlerError> {
        let gate = std::env::var("STORY_GATE")?;
        while !Path::new(&gate).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ctx.reply("slow but sure");
        Ok(Flow::Stop)
    }
}

/// Blocks its thread until the file named by `STORY_GATE` exists.
struct Blocks;

#[async_trait]
impl Handler for Blocks {
    async fn on_message(
        &self,
        ctx: &mut Context,
        _message: &Message,
    ) -> Result<Flow, HandlerError> {
        let gate = std::env::var("STORY_GATE")?;
        while !Path::new(&gate).exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        ctx.reply("blocked and back");
        Ok(Flow::Stop)
    }
}

/// The clock of the machine, set to a different time at the start.
#[derive(Debug)]
struct SetClock {
    ahead: i64,
}

impl SetClock {
    fn at(millis: i64) -> Self {
        Self { ahead: millis - SystemClock.now().as_millis() }
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.ahead)
    }
}

#[tokio::main]
async fn main() -> mynah::Result<()> {
    let bot = match std::env::var("STORY_NOW").ok().and_then(|millis| millis.parse().ok()) {
        Some(millis) => Bot::new().clock(SetClock::at(millis)),
        None => Bot::new(),
    };
    bot.handler("fails", Fails)
        .handler("panics", Panics)
        .handler("slow", Slow)
        .handler("blocks", Blocks)
        .run_cli()
        .await
}
