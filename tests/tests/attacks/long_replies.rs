//! Replies stay short, however long the messages are.

use std::path::Path;

use mynah_core::quote;
use mynah_tests::{Stage, story};

const GROUP: &str = "客户一群";

/// The longest text that the service accepts.
const MAX_TEXT: usize = 2_000;

/// The most messages that one text is split into.
const MOST: usize = 10;

async fn stage(folder: &Path) -> Stage {
    let text = "{text}".repeat(150);
    let rules = format!(
        "[[rule]]\nexact = '好了'\nreply = '好了'\n\n\
         [[rule]]\nprefix = '引用'\nquote = true\nreply = '答'\n\n\
         [[rule]]\nprefix = '重复'\nreply = '{text}'\n\n\
         [[rule]]\nprefix = '都说'\ncontinue = true\nreply = '{text}'\n\n\
         [[rule]]\nprefix = '都说'\nreply = '{text}'\n"
    );
    std::fs::write(folder.join("bot.toml"), rules).expect("a rule file");
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), folder).await;
    stage.start().await;
    stage
}

/// The messages of the bot up to the answer to `好了`: a chat is answered in order.
async fn said(t: &mut Stage) -> Vec<String> {
    t.sandbox.say("小明", Some(GROUP), "好了");
    let mut said = Vec::new();
    loop {
        let (_, text) = t.said().await;
        if text == "好了" {
            return said;
        }
        said.push(text);
    }
}

#[tokio::test]
async fn a_reply_that_quotes_a_long_message_is_no_longer_than_a_message() {
    story(async {
        let folder = tempfile::tempdir().unwrap();
        let mut t = stage(folder.path()).await;
        t.sandbox.say("小明", Some(GROUP), &format!("引用{}", "问\n".repeat(3_000)));
        let said = said(&mut t).await;
        let [reply] = &said[..] else { panic!("{said:?}") };
        assert!(reply.chars().count() < 200, "{reply}");
        let (quotes, own) = quote::split(reply);
        assert_eq!((quotes.len(), own, reply.lines().count()), (1, "答", 3), "{reply}");
    })
    .await;
}

#[tokio::test]
async fn one_message_does_not_make_the_bot_send_a_hundred() {
    story(async {
        let folder = tempfile::tempdir().unwrap();
        let mut t = stage(folder.path()).await;
        for word in ["重复", "都说"] {
            t.sandbox.say("小明", Some(GROUP), &format!("{word}{}", "长".repeat(MAX_TEXT)));
            let said = said(&mut t).await;
            assert_eq!(said.len(), MOST, "{word}");
            assert!(said.iter().all(|text| text.chars().count() <= MAX_TEXT));
            t.logged("a reply is too long; its last messages are not sent").await;
        }
    })
    .await;
}
