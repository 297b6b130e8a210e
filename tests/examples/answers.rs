//! The answers of a bot to sentences, for comparing imported bots with their originals: `tests/import/`.
//!
//! `answers BOT` reads JSON lines: `{"handlers": ["name"]}` first if the bot runs handlers, `{"new": true}` for a new
//! conversation, `{"who": "Group/Ann", "text": "hi"}` for a message. For each message it writes a line: the answers, with
//! each handler and the values that it got.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Duration;

use mynah::prelude::*;
use mynah::testing::Conversation;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    handlers: Vec<String>,
    new: bool,
    who: String,
    text: String,
}

fn bot(handlers: &[String]) -> Bot {
    handlers.iter().fold(Bot::new(), |bot, name| {
        let run = name.clone();
        let handler = handler_fn(move |ctx, _message| {
            let values: BTreeMap<_, _> = ctx.captures().iter().collect();
            ctx.reply(json!({ "run": run, "values": values }).to_string());
            Ok(Flow::Stop)
        });
        bot.handler(name, handler)
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rules = std::env::args().nth(1).ok_or("usage: answers BOT < lines")?;
    let mut handlers = Vec::new();
    let mut talk: Option<Conversation> = None;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        if !line.handlers.is_empty() {
            handlers = line.handlers;
            continue;
        }
        if line.new {
            talk = None;
            continue;
        }
        let talk = match &mut talk {
            Some(talk) => talk,
            none => none.insert(Conversation::new(bot(&handlers), &rules).await?),
        };
        let answers = talk.say(&line.who, &line.text).await?;
        let answers: Vec<&str> = answers.iter().map(|one| one.text.as_str()).collect();
        writeln!(out, "{}", json!(answers))?;
        talk.advance(Duration::from_secs(1)).await?;
    }
    Ok(())
}
