//! The life of a session across stops, new logins and new names, over HTTP.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mynah_sandbox::{Fault, FaultKind, Sent};
use mynah_tests::{Stage, story};

const GROUP: &str = "客户一群";

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/sessions")
}

async fn stage() -> Stage {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_story_bot"), &bot()).await;
    stage.start().await;
    stage
}

/// A person sends a message in the group, and the bot answers with this text.
async fn answers(t: &mut Stage, from: &str, text: &str, answer: &str) {
    t.sandbox.say(from, Some(GROUP), text);
    t.expect(GROUP, answer).await;
}

/// The texts of the bot's messages so far.
fn texts(sent: &[Sent]) -> Vec<&str> {
    sent.iter().map(|sent| sent.text.as_str()).collect()
}

#[tokio::test]
async fn a_restarted_bot_needs_no_scan_and_answers_missed_messages_once() {
    story(async {
        let mut t = stage().await;
        answers(&mut t, "张三", "数到 1", "数到 1").await;
        assert_eq!(t.terminate().await, 0);
        assert!(t.sandbox.is_online(), "SIGTERM must keep the session");
        t.sandbox.say("张三", Some(GROUP), "数到 2");
        t.sandbox.say("李四", None, "数到 3");
        t.spawn();
        let mut said = [t.said().await, t.said().await];
        said.sort();
        assert_eq!(said, [(GROUP, "数到 2"), ("李四", "数到 3")].map(owned));
        answers(&mut t, "张三", "数到 4", "数到 4").await;
        assert_eq!(t.sandbox.sent().len(), 4, "{:?}", texts(&t.sandbox.sent()));
        for (endpoint, times) in
            [("jslogin", 1), ("webwxnewloginpage", 1), ("webwxpushloginurl", 0), ("webwxlogout", 0)]
        {
            assert_eq!(t.calls(endpoint), times, "{endpoint}");
        }
    })
    .await;
}

fn owned((chat, text): (&str, &str)) -> (String, String) {
    (chat.to_owned(), text.to_owned())
}

#[tokio::test]
async fn a_logout_leaves_no_session_behind() {
    story(async {
        let mut t = stage().await;
        answers(&mut t, "张三", "数到 1", "数到 1").await;
        assert_eq!(t.terminate().await, 0);
        assert!(t.command("status").await.contains("session  stored"));
        assert!(t.command("logout").await.contains("logged out"));
        assert!(t.command("status").await.contains("session  none"));
        assert!(t.command("logout").await.contains("nothing to end"));
        assert_eq!(t.calls("webwxlogout"), 1);
        t.start().await;
        answers(&mut t, "张三", "数到 2", "数到 2").await;
        assert_eq!(t.calls("webwxnewloginpage"), 2, "it had to log in again");
        assert_eq!(t.interrupt().await, 0);
        assert!(t.command("status").await.contains("session  none"));
        assert_eq!(t.calls("webwxlogout"), 2);
    })
    .await;
}

#[tokio::test]
async fn messages_older_than_max_age_at_the_next_start_are_not_answered() {
    story(async {
        let mut t = stage().await;
        answers(&mut t, "张三", "数到 1", "数到 1").await;
        assert_eq!(t.terminate().await, 0);
        t.sandbox.say("张三", Some(GROUP), "数到 2");
        t.sandbox.advance(Duration::from_secs(6 * 60));
        t.sandbox.say("张三", Some(GROUP), "数到 3");
        t.spawn();
        t.expect(GROUP, "数到 3").await;
        answers(&mut t, "张三", "数到 4", "数到 4").await;
        assert_eq!(texts(&t.sandbox.sent()), ["数到 1", "数到 3", "数到 4"]);
    })
    .await;
}

/// Lets people store values in the bot's memory.
async fn introduce(t: &mut Stage) {
    answers(t, "张三", "我叫 阿三", "记住了").await;
    answers(t, "李四", "我叫 阿四", "记住了").await;
    answers(t, "张三", "签到", "签到成功").await;
}

/// The bot recognises each of them, and confuses no one.
async fn is_remembered(t: &mut Stage) {
    answers(t, "李四", "我是谁", "你是 阿四").await;
    answers(t, "张三", "我是谁", "你是 阿三").await;
    answers(t, "张三", "签到", "今天签过了").await;
    answers(t, "李四", "签到", "签到成功").await;
    answers(t, "新来的", "我是谁", "你是 陌生人").await;
}

/// The ids of the group, in the order of the logins.
fn names_of_group(t: &Stage) -> Vec<String> {
    let mut names: Vec<String> = t.sandbox.sent().into_iter().map(|sent| sent.to).collect();
    names.dedup();
    names
}

#[tokio::test]
async fn people_are_recognised_after_a_new_scan_that_changes_every_name() {
    story(async {
        let mut t = stage().await;
        introduce(&mut t).await;
        assert_eq!(t.terminate().await, 0);
        t.sandbox.end_session(1101);
        // After three unreadable answers, the bot shows a QR code instead of asking for ever.
        t.sandbox.fault(Fault::new("webwxpushloginurl", FaultKind::Html).always());
        t.start().await;
        is_remembered(&mut t).await;
        assert_eq!(t.calls("jslogin"), 2, "a new scan was needed");
        assert_eq!(names_of_group(&t).len(), 2, "the service must have changed the names");
    })
    .await;
}

#[tokio::test]
async fn people_are_recognised_after_the_session_ended_under_the_running_bot() {
    story(async {
        let mut t = stage().await;
        introduce(&mut t).await;
        t.sandbox.end_session(1101);
        t.online().await;
        is_remembered(&mut t).await;
        assert_eq!(names_of_group(&t).len(), 2, "the service must have changed the names");
    })
    .await;
}

#[tokio::test]
async fn a_known_device_logs_in_by_the_phone_without_a_scan() {
    story(async {
        let mut t = stage().await;
        answers(&mut t, "张三", "数到 1", "数到 1").await;
        assert_eq!(t.terminate().await, 0);
        t.sandbox.end_session(1101);
        t.sandbox.say("张三", Some(GROUP), "数到 2");
        t.start().await;
        t.expect(GROUP, "数到 2").await;
        assert_eq!(t.calls("jslogin"), 1, "no scan but the first");
        assert_eq!(t.calls("webwxpushloginurl"), 1);
    })
    .await;
}
