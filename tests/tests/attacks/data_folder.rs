//! A data folder that is emptied, copied or loses its lock, and names with control characters in the logs.

use std::fs;
use std::path::{Path, PathBuf};

use mynah_sandbox::{Options, World};
use mynah_store::FILE;
use mynah_tests::{Stage, story};
use tempfile::TempDir;

const STORAGE: i32 = 5;
const GROUP: &str = "客户一群";
const BOT: &str = env!("CARGO_BIN_EXE_story_bot");

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/stories")
}

/// A bot that has answered once.
async fn stage() -> Stage {
    let mut stage = Stage::new(BOT, &bot()).await;
    stage.start().await;
    stage.sandbox.say("张三", Some(GROUP), "数到 1");
    stage.expect(GROUP, "数到 1").await;
    stage
}

fn status(data: &Path) -> String {
    let mut command = assert_cmd::Command::new(BOT);
    let output = command.args(["status", "--data"]).arg(data).output().expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn after_an_orderly_stop_a_copy_of_the_database_file_alone_is_whole() {
    story(async {
        let mut t = stage().await;
        assert_eq!(t.terminate().await, 0);
        let copy = TempDir::new().expect("a temporary folder");
        fs::copy(t.data.path().join(FILE), copy.path().join(FILE)).expect("it can be copied");
        let status = status(copy.path());
        assert!(status.contains("session  stored") && status.contains("1 delivered"), "{status}");
    })
    .await;
}

#[tokio::test]
async fn a_bot_whose_database_was_emptied_does_not_begin_anew_as_if_nothing_had_been() {
    story(async {
        let mut t = stage().await;
        t.kill().await;
        let database = t.data.path().join(FILE);
        let log = t.data.path().join("mynah.db-wal");
        let before = fs::read(&log).expect("a log");
        fs::write(&database, "").expect("it can be emptied");
        t.spawn();
        t.logged("is empty, though the bot has stored data there").await;
        assert_eq!(t.ended().await, STORAGE);
        assert_eq!(fs::read(&log).expect("a log"), before, "the log may save the data");
        assert_eq!(t.calls("jslogin"), 1, "no second login");
    })
    .await;
}

#[tokio::test]
async fn a_bot_whose_lock_was_taken_away_stops_before_it_sends_beside_a_second_one() {
    story(async {
        let mut t = stage().await;
        fs::remove_file(t.data.path().join("mynah.lock")).expect("there is a lock");
        t.sandbox.say("张三", Some(GROUP), "数到 2");
        t.logged("was removed or replaced while it was in use").await;
        assert_eq!(t.ended().await, STORAGE);
        let sent = t.sandbox.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        t.spawn();
        t.expect(GROUP, "数到 2").await;
    })
    .await;
}

#[tokio::test]
async fn a_name_with_escapes_of_a_terminal_and_bidi_marks_reaches_no_json_log_as_it_is() {
    story(async {
        let world = World::from_toml("me = { name = \"八\\u009b2J\\u202e哥\" }").expect("a world");
        let options = Options { auto_confirm: true, world, ..Options::default() };
        let stage = Stage::with(BOT, &bot(), options).await;
        let mut t = stage.argument("--log-format").argument("json");
        t.spawn();
        let line = t.logged("online").await;
        assert!(!line.contains(['\u{9b}', '\u{202e}']), "{line:?}");
        let logged: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let name = logged["name"].as_str().expect("a name");
        assert!(name.contains(['\u{9b}', '\u{202e}']), "the value stays what it was: {name:?}");
    })
    .await;
}
