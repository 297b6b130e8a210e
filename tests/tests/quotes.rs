//! Quoted replies, in both formats of the service, with a bot that has only rules.

use std::path::{Path, PathBuf};

use mynah_sandbox::{QuoteForm, SandboxAction, SandboxActionKind, SandboxEvent, Sent};
use mynah_tests::{Stage, story};

const GROUP: &str = "客户一群";
const HELP: &str = "@小红\u{2005}我会回答：价格、发票、菜单。";
const PRICE: &str = "价目表：https://example.com/price";

/// A quoted reply in the text format of the service.
fn as_text(name: &str, quoted: &str, own: &str) -> String {
    format!("「{name}：{quoted}」\n- - - - - - - - - - - - - - -\n{own}")
}

async fn stage() -> Stage {
    let bot: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bots/faq");
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), &bot).await;
    stage.start().await;
    stage
}

/// The next message of the bot.
async fn sent(t: &mut Stage) -> Sent {
    t.until(|event| match event {
        SandboxEvent::Sent(sent) => Some(sent.clone()),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn quoted_words_are_not_taken_for_the_words_of_the_sender() {
    story(async {
        let mut t = stage().await;
        let said = |t: &Stage, name: &str, quoted: &str, own: &str| {
            t.sandbox.say("小红", Some(GROUP), &as_text(name, quoted, own));
        };
        // These two are not answered: a chat is answered in order, so the next answer belongs to the third message.
        said(&t, "小明", "请问多少钱", "谢谢");
        said(&t, "小明", "@小助手 在吗", "它不在");
        said(&t, "小助手", "我会回答：发票、菜单。", "菜单");
        assert_eq!(sent(&mut t).await.kind, "image");
        said(&t, "小明", "你们好", "@小助手 在吗");
        t.expect(GROUP, HELP).await;
        let nested = as_text("小刚", "多少钱", "发票的抬头");
        said(&t, "小明", &nested, "好的");
        said(&t, "小明", &nested, "多少钱");
        t.expect(GROUP, PRICE).await;
    })
    .await;
}

#[tokio::test]
async fn both_forms_of_a_quoted_reply_are_understood() {
    story(async {
        let mut t = stage().await;
        for form in [QuoteForm::Text, QuoteForm::App] {
            let of = t.sandbox.say("小明", Some(GROUP), "请问多少钱");
            t.expect(GROUP, PRICE).await;
            for (text, answer) in [("谢谢", None), ("@小助手 在吗", Some(HELP))] {
                let kind = SandboxActionKind::Quote { text: text.to_owned(), of: of.clone(), form };
                let group = Some(GROUP.to_owned());
                t.sandbox.act(SandboxAction { from: "小红".to_owned(), group, kind }).unwrap();
                if let Some(answer) = answer {
                    t.expect(GROUP, answer).await;
                }
            }
        }
    })
    .await;
}
