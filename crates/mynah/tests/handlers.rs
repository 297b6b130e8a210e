//! Handlers beside rules, from the view of an author: which handler sees which event, and when.

use std::time::Duration;

use mynah::prelude::*;
use mynah::testing::{Conversation, Notice as Happens};

/// Rules that look at one group, ignore a person and can be silenced.
const RULES: &str = r##"
[bot]
groups = ["Shop"]
private = false
ignore = ["Eve"]
admins = ["Carol"]

[[rule]]
exact = "#mute"
from = "admin"
run = "builtin.mute"

[[rule]]
keyword = "price"
reply = "99"

[[rule]]
exact = "later"
run = "later"
"##;

/// Answers everything that reaches it.
struct Parrot;

#[async_trait]
impl Handler for Parrot {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        ctx.reply(format!("parrot: {}", message.text));
        Ok(Flow::Stop)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        if let EventBody::Notice(notice) = &event.body {
            ctx.reply(format!("parrot: {}", notice.kind.word()));
        }
        Ok(Flow::Continue)
    }
}

/// Speaks first and works afterwards.
struct Later;

#[async_trait]
impl Handler for Later {
    async fn on_message(&self, ctx: &mut Context, _: &Message) -> Result<Flow, HandlerError> {
        ctx.reply("one moment");
        ctx.follow_up(Duration::from_secs(5), "later", "done");
        Ok(Flow::Stop)
    }

    async fn on_event(&self, ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        if let EventBody::Due(due) = &event.body {
            ctx.reply_at(due.data.clone());
        }
        Ok(Flow::Stop)
    }
}

async fn talk() -> Conversation {
    let bot = Bot::new().handler("later", Later).fallback("parrot", Parrot);
    Conversation::with_rules(bot, RULES).await.expect("the rules are right")
}

#[tokio::test]
async fn a_fallback_gets_what_no_rule_answered() {
    let mut talk = talk().await;
    assert_eq!(talk.say("Shop/Ann", "hello").await.unwrap(), ["parrot: hello"]);
    assert_eq!(talk.say("Shop/Ann", "the price?").await.unwrap(), ["99"]);
    assert_eq!(talk.notice("Shop/Ann", Happens::Join).await.unwrap(), ["parrot: join"]);
}

#[tokio::test]
async fn a_fallback_gets_nothing_that_the_rule_file_says_is_not_looked_at() {
    let mut talk = talk().await;
    for who in ["Family/Ann", "Ann", "Shop/Eve"] {
        assert!(talk.say(who, "hello").await.unwrap().is_empty(), "{who}");
        assert!(talk.notice(who, Happens::Pat).await.unwrap().is_empty(), "{who}");
    }
}

#[tokio::test]
async fn a_fallback_is_quiet_in_a_muted_chat_until_the_end_of_the_mute() {
    let mut talk = talk().await;
    talk.say("Shop/Carol", "#mute").await.unwrap();
    assert!(talk.say("Shop/Ann", "hello").await.unwrap().is_empty());
    assert!(talk.notice("Shop/Ann", Happens::Join).await.unwrap().is_empty());
    talk.advance(Duration::from_secs(31 * 60)).await.unwrap();
    assert_eq!(talk.say("Shop/Ann", "hello").await.unwrap(), ["parrot: hello"]);
}

#[tokio::test]
async fn a_handler_that_a_rule_ran_gets_its_follow_up() {
    let mut talk = talk().await;
    assert_eq!(talk.say("Shop/Ann", "later").await.unwrap(), ["one moment"]);
    assert!(talk.advance(Duration::from_secs(4)).await.unwrap().is_empty());
    assert_eq!(talk.advance(Duration::from_secs(2)).await.unwrap(), ["@Ann done"]);
}

#[tokio::test]
async fn media_of_a_conversation_can_be_fetched_within_its_limit() {
    struct Weighs;
    #[async_trait]
    impl Handler for Weighs {
        async fn on_message(
            &self,
            ctx: &mut Context,
            message: &Message,
        ) -> Result<Flow, HandlerError> {
            let Some(media) = message.content.0.iter().find_map(Segment::media) else {
                return Ok(Flow::Continue);
            };
            let said = match ctx.media(media, 10).await {
                Ok(bytes) => format!("{} bytes", bytes.len()),
                Err(error) => error.to_string(),
            };
            ctx.reply(said);
            Ok(Flow::Stop)
        }
    }
    let bot = Bot::new().fallback("weighs", Weighs);
    let mut talk = Conversation::with_rules(bot, "").await.unwrap();
    let mut send = async |bytes: &'static [u8]| {
        talk.send_bytes("Ann", MessageKind::Image, "cat.png", bytes).await.unwrap()
    };
    assert_eq!(send(b"12345").await, ["5 bytes"]);
    assert_eq!(send(b"12345678901").await, ["the media is larger than 10 bytes"]);
    let nothing = talk.send("Ann", MessageKind::Image).await.unwrap();
    assert_eq!(nothing, ["there is no service to fetch media from"]);
}
