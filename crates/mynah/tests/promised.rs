//! The public items of this crate that authors of bots may rely on, used one by one with their types.
//!
//! A change that has to touch this file in another way than by adding breaks bots that exist: see `docs/releasing.md`.

use std::path::Path;
use std::time::Duration;

use mynah::prelude::*;
use mynah::testing::{self, Conversation, Reply};
use mynah::{Ended, Report};

struct Author;

#[async_trait]
impl Handler for Author {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        uses_a_context(ctx).await?;
        looks_at_a_message(message);
        Ok(Flow::Stop)
    }

    async fn on_event(&self, _ctx: &mut Context, event: &Event) -> Result<Flow, HandlerError> {
        looks_at_an_event(event);
        Ok(Flow::Continue)
    }
}

const KEY: Key<Vec<u32>> = Key::new(Scope::Person, "promised").kept_for(Duration::from_secs(60));

async fn uses_a_context(ctx: &mut Context) -> Result<(), HandlerError> {
    let _: &mynah::core::EventId = ctx.event_id();
    let _: Timestamp = ctx.now();
    let _: Option<&Chat> = ctx.chat();
    let _: Option<&Person> = ctx.person();
    let chats = ctx.chats().clone();
    let _: u64 = ctx.random().below(6);
    let _: Option<&str> = ctx.capture("name");
    ctx.reply("text");
    ctx.reply_at(String::from("text"));
    ctx.reply_with(Content::text("a picture:").with(Segment::Image(MediaRef::file("menu.png"))));
    if let Some(chat) = chats.first() {
        ctx.send(chat, Content::text("elsewhere"));
    }
    ctx.set(Scope::Bot, "key", "value");
    ctx.add(Scope::Chat, "key", 1);
    ctx.remove(Scope::Bot, "key");
    let _: Option<String> = ctx.get(Scope::Chat, "key");
    let mut list: Vec<u32> = ctx.load(&KEY)?.unwrap_or_default();
    list.push(1);
    ctx.store(&KEY, &list)?;
    ctx.clear(&KEY);
    ctx.follow_up(Duration::from_secs(1), "author", "data");
    let missing: Result<_, mynah::core::MediaError> = ctx.media(&MediaRef::file("x"), 10).await;
    assert!(missing.is_err());
    Ok(())
}

fn looks_at_a_message(message: &Message) {
    let (_, _): (&mynah::core::MessageId, &mynah::core::Origin) = (&message.id, &message.origin);
    let (_, _): (&str, bool) = (&message.text, message.called);
    let (_, _): (&str, bool) = (&message.chat.name, message.chat.is_group());
    let _: &str = &message.sender.name;
    let _: MessageKind = message.kind();
    let _: Option<&MediaRef> = message.content.0.iter().find_map(Segment::media);
    let _: String = message.content.plain_text();
}

fn looks_at_an_event(event: &Event) {
    match &event.body {
        EventBody::Due(Due { name, data, .. }) => {
            assert_eq!((name.as_str(), data.as_str()), ("author", "data"));
        }
        EventBody::Notice(Notice { kind: NoticeKind::Join { people }, .. }) => {
            assert!(!people.is_empty());
        }
        EventBody::Message(_) | EventBody::Notice(_) | EventBody::Started => {}
    }
}

const RULES: &str = "[[rule]]\nkeyword = 'author'\nrun = 'author'\n";

fn bot() -> Bot {
    Bot::new()
        .before("before", handler_fn(|_, _| Ok(Flow::Continue)))
        .handler("author", Author)
        .at_once(2)
        .timeout(Duration::from_secs(5))
        .fallback("author", Author)
}

#[tokio::test]
async fn what_authors_rely_on_is_there() -> mynah::Result<()> {
    let mut talk: Conversation = Conversation::with_rules(bot(), RULES).await?;
    let said: Vec<Reply> = talk.say("Group/Ann", "author").await?;
    let texts: Vec<(&str, &str)> =
        said.iter().map(|reply| (reply.chat.as_str(), reply.text.as_str())).collect();
    assert_eq!(texts[..2], [("Group", "text"), ("Group", "@Ann text")]);
    assert_eq!(said[0], "text");
    talk.send("Ann", MessageKind::Voice).await?;
    talk.send_bytes("Ann", MessageKind::Image, "cat.png", vec![1, 2, 3]).await?;
    talk.notice("Group/Bob", testing::Notice::Join).await?;
    let _: Chat = talk.meet_group("Other");
    let before: Timestamp = talk.now();
    talk.advance(Duration::from_secs(2)).await?;
    talk.jump_to(before + Duration::from_secs(3600)).await?;
    let folder = Path::new("no such folder");
    let report: Report = Conversation::new(bot(), folder).await.expect_err("there is none");
    assert_eq!(report.ended(), Ended::No);
    Ok(())
}

#[tokio::test]
async fn the_command_line_of_a_bot_can_be_run_from_code() {
    let ended: Ended = bot().run(["my-bot", "--version"]).await.unwrap();
    assert_eq!((ended, ended.code()), (Ended::Fine, 0));
    let own = Report::new(Ended::Usage, "what failed").because("the cause").hint("what to do");
    assert_eq!(own.to_string(), "what failed: the cause\n  hint: what to do");
}
