//! End-to-end stories: the bot against the sandbox, over HTTP.

use std::path::{Path, PathBuf};

use mynah_sandbox::{SandboxAction, SandboxActionKind};
use mynah_tests::{Stage, story};

const GROUP: &str = "客户一群";
const OTHER: &str = "客户二群";
const PRICE: &str = "价目表：https://example.com/price";

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/stories")
}

async fn stage() -> Stage {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_story_bot"), &bot()).await;
    stage.start().await;
    stage
}

#[tokio::test]
async fn a_group_is_answered_and_small_talk_is_not() {
    story(async {
        let mut t = stage().await;
        t.sandbox.say("张三", Some(GROUP), "请问多少钱");
        t.expect(GROUP, PRICE).await;
        t.sandbox.say("张三", Some(GROUP), "随便聊聊");
        t.sandbox.say("李四", Some(GROUP), "价格");
        t.expect(GROUP, PRICE).await;
    })
    .await;
}

#[tokio::test]
async fn private_rules_answer_in_private_only() {
    story(async {
        let mut t = stage().await;
        t.sandbox.say("张三", Some(GROUP), "秘密");
        t.sandbox.say("张三", Some(GROUP), "多少钱");
        t.expect(GROUP, PRICE).await;
        t.sandbox.say("张三", None, "秘密");
        t.expect("张三", "只告诉你").await;
    })
    .await;
}

#[tokio::test]
async fn a_mention_calls_the_bot() {
    story(async {
        let mut t = stage().await;
        for text in ["@小助手 在吗", "@小助手\u{2005}在吗", "在吗 @小助手"] {
            t.sandbox.say("张三", Some(GROUP), text);
            let (chat, said) = t.said().await;
            assert_eq!(chat, GROUP);
            assert!(said.starts_with("@张三") && said.ends_with("我在"), "{said}");
        }
        t.sandbox.say("张三", Some(GROUP), "@小助手们\u{2005}在吗");
        t.sandbox.say("张三", Some(GROUP), "多少钱");
        t.expect(GROUP, PRICE).await;
    })
    .await;
}

#[tokio::test]
async fn own_messages_are_never_answered() {
    story(async {
        let mut t = stage().await;
        let text = "多少钱".to_owned();
        let group = Some(GROUP.to_owned());
        let from = t.sandbox.state(None, None, 0).me.name;
        t.sandbox
            .act(SandboxAction { from, group, kind: SandboxActionKind::Say { text, to: None } })
            .unwrap();
        t.sandbox.say("张三", Some(GROUP), "数到 5");
        t.expect(GROUP, "数到 5").await;
    })
    .await;
}

#[tokio::test]
async fn chats_run_side_by_side_and_each_in_order() {
    story(async {
        let mut t = stage().await;
        for n in 1..=20 {
            for group in [GROUP, OTHER] {
                t.sandbox.say("张三", Some(group), &format!("数到 {n}"));
            }
        }
        let mut counted: [Vec<String>; 2] = Default::default();
        for _ in 0..40 {
            let (chat, text) = t.said().await;
            counted[usize::from(chat == OTHER)].push(text);
        }
        let expected: Vec<String> = (1..=20).map(|n| format!("数到 {n}")).collect();
        assert_eq!(counted[0], expected);
        assert_eq!(counted[1], expected);
    })
    .await;
}

#[tokio::test]
async fn a_slow_handler_holds_up_its_own_chat_only() {
    story(async {
        let mut t = stage().await;
        t.sandbox.say("张三", Some(GROUP), "慢慢来");
        t.sandbox.say("张三", Some(GROUP), "数到 1");
        t.sandbox.say("张三", Some(OTHER), "数到 2");
        t.expect(OTHER, "数到 2").await;
        std::fs::write(t.gate(), "").unwrap();
        t.expect(GROUP, "slow but sure").await;
        t.expect(GROUP, "数到 1").await;
    })
    .await;
}

#[tokio::test]
async fn handlers_that_block_their_threads_hold_up_their_own_chats_only() {
    const BLOCKED: usize = 8;
    story(async {
        let mut t = stage().await;
        for n in 0..BLOCKED {
            t.sandbox.say("张三", Some(&format!("卡住的{n}群")), "卡住");
        }
        for n in 0..5 {
            let text = format!("数到 {n}");
            t.sandbox.say("张三", Some(OTHER), &text);
            t.expect(OTHER, &text).await;
        }
        std::fs::write(t.gate(), "").unwrap();
        for _ in 0..BLOCKED {
            assert_eq!(t.said().await.1, "blocked and back");
        }
    })
    .await;
}

#[tokio::test]
async fn a_handler_that_blocks_for_ever_does_not_keep_the_bot_from_ending() {
    story(async {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("mynah.toml");
        std::fs::write(&config, "stop_deadline = \"100ms\"\n").unwrap();
        let stage = Stage::new(env!("CARGO_BIN_EXE_story_bot"), &bot()).await;
        let mut t = stage.argument("--config").argument(&config.display().to_string());
        t.start().await;
        t.sandbox.say("张三", Some(GROUP), "卡住");
        t.sandbox.say("张三", Some(OTHER), "数到 1");
        t.expect(OTHER, "数到 1").await;
        assert_eq!(t.terminate().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_handler_that_fails_or_panics_sends_no_reply_and_stops_no_chat() {
    story(async {
        let mut t = stage().await;
        for text in ["出错", "崩溃"] {
            t.sandbox.say("张三", Some(GROUP), text);
            t.sandbox.say("张三", Some(GROUP), "数到 7");
            t.expect(GROUP, "数到 7").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_killed_bot_answers_open_messages_once() {
    story(async {
        let mut t = stage().await;
        t.sandbox.say("张三", Some(GROUP), "数到 1");
        t.expect(GROUP, "数到 1").await;
        t.sandbox.say("张三", Some(GROUP), "慢慢来");
        t.sandbox.say("张三", Some(OTHER), "数到 2");
        t.expect(OTHER, "数到 2").await;
        t.kill().await;
        t.sandbox.say("张三", Some(GROUP), "数到 3");
        std::fs::write(t.gate(), "").unwrap();
        t.spawn();
        t.expect(GROUP, "slow but sure").await;
        t.expect(GROUP, "数到 3").await;
        t.sandbox.say("张三", Some(GROUP), "数到 4");
        t.expect(GROUP, "数到 4").await;
        let ones = t.sandbox.sent().iter().filter(|sent| sent.text == "数到 1").count();
        assert_eq!(ones, 1, "an answered message was answered again");
    })
    .await;
}

#[tokio::test]
async fn ctrl_c_logs_out_in_order() {
    story(async {
        let mut t = stage().await;
        t.sandbox.say("张三", Some(GROUP), "多少钱");
        t.expect(GROUP, PRICE).await;
        assert_eq!(t.interrupt().await, 0);
        let calls = t.sandbox.calls();
        assert!(
            calls.iter().any(|call| call.path.ends_with("/webwxlogout") && call.status == 200),
            "{calls:?}"
        );
    })
    .await;
}
