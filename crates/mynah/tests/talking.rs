//! Answers in place of errors, the hook for failures, and questions of handlers, in whole conversations.

use std::time::Duration;

use mynah::core::{Call, Captures, Step};
use mynah::prelude::*;
use mynah::testing::Conversation;

/// Orders pieces of a thing.
fn order(ctx: &mut Context, _message: &Message) -> Result<Flow, HandlerError> {
    ctx.add(Scope::Chat, "orders", 1);
    ctx.reply("this is dropped if the number is wrong");
    let pieces: u8 = ctx.arg("pieces")?.unwrap_or(1);
    if pieces == 0 {
        return Err(Rejection(Words::fixed("Nothing?", "什么都不要？")).into());
    }
    ctx.reply(format!("{pieces}"));
    Ok(Flow::Stop)
}

const ORDER: &str = r#"
[[rule]]
pattern = "order {pieces}"
run = "order"
cooldown = "1m"
cooldown_reply = "Slowly."

[[rule]]
exact = "orders?"
reply = "{chat.orders}"
"#;

#[tokio::test]
async fn a_wrong_argument_is_an_answer_in_the_language_of_the_bot() -> mynah::Result<()> {
    let bot = Bot::new().handler("order", handler_fn(order));
    let rules = format!("[bot]\nlang = \"en\"\n{ORDER}");
    for (rules, wrong) in [
        (rules.as_str(), "pieces should be a whole number from 0 to 255, not “many”"),
        (ORDER, "pieces 应为 0 到 255 的整数，不能是“many”"),
    ] {
        let mut talk = Conversation::with_rules(bot.clone(), rules).await?;
        assert_eq!(talk.say("Ann", "order many").await?, [wrong]);
        assert_eq!(talk.say("Shop/Ann", "order many").await?, [format!("@Ann {wrong}").as_str()]);
        // The cooldown of the rule holds for wrong calls, too; the effects of the handler are dropped.
        assert_eq!(talk.say("Ann", "order 2").await?, ["Slowly."]);
        talk.advance(Duration::from_secs(60)).await?;
        let good = talk.say("Ann", "order ２").await?;
        assert_eq!(good, ["this is dropped if the number is wrong", "2"]);
        assert_eq!(talk.say("Ann", "orders?").await?, ["1"]);
    }
    Ok(())
}

#[tokio::test]
async fn rejections_of_handlers_around_the_rules_end_the_turn() -> mynah::Result<()> {
    let strict = |ctx: &mut Context, _: &Message| {
        ctx.set(Scope::Chat, "seen", "yes");
        Err(Rejection(Words::fixed("No.", "不。")).into())
    };
    let rules =
        "[bot]\nlang = \"en\"\n\n[[rule]]\nkeyword = \"hi\"\nreply = \"hello {chat.seen}\"\n";
    let before = Bot::new().before("strict", handler_fn(strict));
    let mut talk = Conversation::with_rules(before, rules).await?;
    assert_eq!(talk.say("Ann", "hi").await?, ["No."]);
    let fallback = Bot::new().fallback("strict", handler_fn(strict));
    let mut talk = Conversation::with_rules(fallback, rules).await?;
    assert_eq!(talk.say("Ann", "bye").await?, ["No."]);
    assert_eq!(talk.say("Ann", "hi").await?, ["hello"]);
    Ok(())
}

/// Fails in the way that the message names.
struct Moody;

#[async_trait]
impl Handler for Moody {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        ctx.reply("dropped");
        match message.text.as_str() {
            "panic" => panic!("planned"),
            "hang" => std::future::pending().await,
            "fine" => Ok(Flow::Stop),
            other => Ok(other.parse::<u8>().map(|_| Flow::Stop)?),
        }
    }
}

#[tokio::test]
async fn the_hook_gets_every_failure_and_may_answer() -> mynah::Result<()> {
    let hook = |handler: &str, failure: &Failure, ctx: &mut Context| {
        let kind = match failure {
            Failure::Error(error) if error.is::<std::num::ParseIntError>() => "number",
            Failure::Error(_) => "other",
            Failure::Panicked(_) => "panic",
            Failure::TimedOut(_) => "time-out",
            _ => "unknown",
        };
        ctx.reply(format!("{handler}: {kind}"));
        Flow::Continue
    };
    let bot = || Bot::new().on_error(hook);
    let rules = "[[rule]]\nregex = \".*\"\nrun = \"moody\"\n";
    let limit = Duration::from_millis(20);
    let mut talk =
        Conversation::with_rules(bot().handler("moody", Moody).timeout(limit), rules).await?;
    assert_eq!(talk.say("Ann", "fine").await?, ["dropped"]);
    assert_eq!(talk.say("Ann", "x").await?, ["moody: number"]);
    assert_eq!(talk.say("Ann", "panic").await?, ["moody: panic"]);
    assert_eq!(talk.say("Ann", "hang").await?, ["moody: time-out"]);
    // After a handler before the rules the turn goes on, unless the hook ends it.
    let rules = "[[rule]]\nregex = \".*\"\nreply = \"the rule\"\n";
    let mut talk = Conversation::with_rules(bot().before("moody", Moody), rules).await?;
    assert_eq!(talk.say("Ann", "x").await?, ["moody: number", "the rule"]);
    let ends = Bot::new().on_error(|_, _, _| Flow::Stop).before("moody", Moody);
    let mut talk = Conversation::with_rules(ends, rules).await?;
    assert!(talk.say("Ann", "x").await?.is_empty());
    // A hook that panics changes nothing.
    let hook = |_: &str, _: &Failure, ctx: &mut Context| {
        ctx.reply("dropped");
        panic!("planned")
    };
    let panics = Bot::new().on_error(hook).before("moody", Moody);
    let mut talk = Conversation::with_rules(panics, rules).await?;
    assert_eq!(talk.say("Ann", "x").await?, ["the rule"]);
    Ok(())
}

#[tokio::test]
async fn a_handler_that_the_hook_runs_answers() -> mynah::Result<()> {
    let run =
        |handler: &str| Step::Run(Call { handler: handler.to_owned(), captures: Captures::new() });
    let sorry = handler_fn(|ctx, _| {
        ctx.reply("sorry");
        Ok(Flow::Stop)
    });
    let fails = || handler_fn(|_, _| Err("planned".into()));
    let rules = "[[rule]]\nregex = \".*\"\nrun = \"fails\"\n";
    let bot = Bot::new().handler("fails", fails()).handler("sorry", sorry);
    let hook = move |_: &str, _: &Failure, ctx: &mut Context| {
        ctx.reply("one moment");
        ctx.step(run("sorry"));
        Flow::Stop
    };
    let mut talk = Conversation::with_rules(bot.on_error(hook), rules).await?;
    assert_eq!(talk.say("Ann", "x").await?, ["one moment", "sorry"]);
    // One that fails, too, does not run the hook again.
    let hook = move |_: &str, _: &Failure, ctx: &mut Context| {
        ctx.reply("dropped");
        ctx.step(run("fails"));
        Flow::Stop
    };
    let bot = Bot::new().handler("fails", fails()).on_error(hook);
    let mut talk = Conversation::with_rules(bot, rules).await?;
    assert!(talk.say("Ann", "x").await?.is_empty());
    Ok(())
}

/// Asks for a city, then for a day.
struct Trip;

#[async_trait]
impl Handler for Trip {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        let within = Duration::from_secs(60);
        match ctx.awaited().map(str::to_owned).as_deref() {
            None => {
                ctx.reply("Which city?");
                ctx.await_answer(within, "trip", "");
            }
            Some("") => {
                ctx.reply("On which day?");
                ctx.await_answer(within, "trip", message.text.clone());
            }
            Some(city) => ctx.reply(format!("{city} on {}", message.text)),
        }
        Ok(Flow::Stop)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        if let (EventBody::Due(_), Some(data)) = (&event.body, ctx.awaited().map(str::to_owned)) {
            ctx.reply(format!("no answer after [{data}]"));
        }
        Ok(Flow::Stop)
    }
}

const TRIP: &str = r#"
[bot]
admins = ["Boss"]

[[rule]]
exact = "trip"
run = "trip"

[[rule]]
exact = "be quiet"
from = "admin"
run = "builtin.mute"

[[rule]]
exact = "speak"
from = "admin"
run = "builtin.unmute"

[[rule]]
keyword = "Rome"
reply = "Rome is a city."

[[dialog]]
id = "survey"
start = "survey"

[[dialog.step]]
save = "age"
ask = "How old?"

[dialog.done]
reply = "{age}, thanks"
"#;

#[tokio::test]
async fn the_next_message_of_the_person_comes_to_the_handler_that_asked() -> mynah::Result<()> {
    let mut talk = Conversation::with_rules(Bot::new().handler("trip", Trip), TRIP).await?;
    assert_eq!(talk.say("Club/Ann", "trip").await?, ["Which city?"]);
    // Only hers, only there.
    assert_eq!(talk.say("Club/Bob", "Rome").await?, ["Rome is a city."]);
    assert_eq!(talk.say("Ann", "Rome").await?, ["Rome is a city."]);
    assert_eq!(talk.say("Club/Ann", "Rome").await?, ["On which day?"]);
    assert_eq!(talk.say("Club/Ann", "Monday").await?, ["Rome on Monday"]);
    assert_eq!(talk.say("Club/Ann", "Rome").await?, ["Rome is a city."]);
    assert!(talk.advance(Duration::from_secs(600)).await?.is_empty(), "no time-out is left");
    Ok(())
}

#[tokio::test]
async fn an_unanswered_question_ends_with_its_data() -> mynah::Result<()> {
    let mut talk = Conversation::with_rules(Bot::new().handler("trip", Trip), TRIP).await?;
    talk.say("Ann", "trip").await?;
    assert!(talk.advance(Duration::from_secs(59)).await?.is_empty());
    // A second question has its own time.
    assert_eq!(talk.say("Ann", "Rome").await?, ["On which day?"]);
    assert!(talk.advance(Duration::from_secs(59)).await?.is_empty());
    assert_eq!(talk.advance(Duration::from_secs(1)).await?, ["no answer after [Rome]"]);
    assert_eq!(talk.say("Ann", "Rome").await?, ["Rome is a city."]);
    Ok(())
}

#[tokio::test]
async fn commands_and_dialogs_come_before_an_answer_and_a_muted_chat_keeps_the_question()
-> mynah::Result<()> {
    let mut talk = Conversation::with_rules(Bot::new().handler("trip", Trip), TRIP).await?;
    talk.say("Boss", "trip").await?;
    talk.say("Boss", "be quiet").await?;
    assert!(talk.say("Boss", "Oslo").await?.is_empty());
    talk.say("Boss", "speak").await?;
    assert_eq!(talk.say("Boss", "Oslo").await?, ["On which day?"]);
    assert_eq!(talk.say("Boss", "Friday").await?, ["Oslo on Friday"]);
    assert_eq!(talk.say("Ann", "survey").await?, ["How old?"]);
    let asks = Bot::new().handler("trip", Trip).before(
        "first",
        handler_fn(|ctx, message| {
            if message.text == "ask me" {
                ctx.await_answer(Duration::from_secs(60), "trip", "Oslo");
            }
            Ok(Flow::Continue)
        }),
    );
    let mut talk = Conversation::with_rules(asks, TRIP).await?;
    talk.say("Ann", "survey").await?;
    assert!(!talk.say("Ann", "ask me").await?.is_empty(), "the dialog takes it");
    assert_eq!(talk.say("Ann", "Friday").await?, ["Oslo on Friday"]);
    Ok(())
}

/// Waits for a number, and gives every other message back.
fn guess(ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
    let waits = Duration::from_secs(60);
    match (ctx.awaited().map(str::to_owned).as_deref(), message.text.parse::<u32>()) {
        (None, _) => {
            ctx.reply("Which number?");
            ctx.await_answer(waits, "guess", "once");
        }
        (Some(_), Ok(number)) => ctx.reply(format!("no, not {number}")),
        (Some("once"), Err(_)) => return Ok(Flow::Continue),
        (Some(_), Err(_)) => {
            ctx.await_answer(waits, "guess", "for ever");
            return Ok(Flow::Continue);
        }
    }
    Ok(Flow::Stop)
}

/// Lets it go on waiting for a number.
fn patient(ctx: &mut Context, _message: &Message) -> Result<Flow, HandlerError> {
    ctx.await_answer(Duration::from_secs(60), "guess", "for ever");
    Ok(Flow::Stop)
}

#[tokio::test]
async fn a_handler_that_waited_can_give_the_message_back() -> mynah::Result<()> {
    let rules = "[[rule]]\nexact = \"guess\"\nrun = \"guess\"\n\
        [[rule]]\nexact = \"patient\"\nrun = \"patient\"\n\
        [[rule]]\nexact = \"help\"\nreply = \"the rule\"\n";
    let fallback = handler_fn(|ctx, _| {
        ctx.reply("the fallback");
        Ok(Flow::Stop)
    });
    let bot = Bot::new()
        .handler("guess", handler_fn(guess))
        .handler("patient", handler_fn(patient))
        .fallback("last", fallback);
    let mut talk = Conversation::with_rules(bot, rules).await?;
    assert_eq!(talk.say("Ann", "guess").await?, ["Which number?"]);
    assert_eq!(talk.say("Ann", "7").await?, ["no, not 7"]);
    assert_eq!(talk.say("Ann", "guess").await?, ["Which number?"]);
    assert_eq!(talk.say("Ann", "help").await?, ["the rule"]);
    assert_eq!(talk.say("Ann", "7").await?, ["the fallback"], "the question is over");
    assert_eq!(talk.say("Ann", "guess").await?, ["Which number?"]);
    assert_eq!(talk.say("Ann", "hello").await?, ["the fallback"]);
    // It goes on waiting.
    assert!(talk.say("Ann", "patient").await?.is_empty());
    assert_eq!(talk.say("Ann", "help").await?, ["the rule"]);
    assert_eq!(talk.say("Ann", "hello").await?, ["the fallback"]);
    assert_eq!(talk.say("Ann", "7").await?, ["no, not 7"]);
    Ok(())
}
