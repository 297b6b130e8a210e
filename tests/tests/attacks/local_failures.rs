//! A local failure of an action is reported at once, and does not delay later actions in the chat.

use std::fs;

use mynah_tests::{Stage, story};
use tempfile::TempDir;

const PICTURE: &[u8] = include_bytes!("../../../bots/faq/menu.png");

const RULES: &str = r#"
[[rule]]
pattern = "报名 {name}"
do = [{ save_to = "people.csv" }, { reply = "{name} 已报名" }]

[[rule]]
exact = "菜单"
do = [{ image = "menu.png" }, { reply = "请看" }]
"#;

fn bot() -> TempDir {
    let bot = TempDir::new().expect("a temporary folder");
    fs::write(bot.path().join("bot.toml"), RULES).expect("it takes files");
    fs::write(bot.path().join("menu.png"), PICTURE).expect("it takes files");
    bot
}

#[tokio::test]
async fn a_row_that_cannot_be_saved_holds_up_no_answer() {
    story(async {
        let bot = bot();
        let mut stage = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), bot.path()).await;
        // A folder cannot be written like a file, not even by root.
        fs::create_dir(stage.data.path().join("people.csv")).expect("the data folder is there");
        stage.start().await;
        for name in ["张三", "李四"] {
            stage.sandbox.say(name, Some("群"), &format!("报名 {name}"));
            stage.expect("群", &format!("{name} 已报名")).await;
        }
        let line = stage.logged("people.csv").await;
        assert!(line.contains("WARN") || line.contains("ERROR"), "{line}");
        let status = stage.command("status").await;
        assert!(status.contains("trouble") && status.contains("people.csv"), "{status}");
        stage.terminate().await;
    })
    .await;
}

#[tokio::test]
async fn a_picture_that_has_gone_holds_up_no_answer() {
    story(async {
        let bot = bot();
        let mut stage = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), bot.path()).await;
        stage.start().await;
        fs::remove_file(bot.path().join("menu.png")).expect("it was there");
        for _ in 0..2 {
            stage.sandbox.say("张三", Some("群"), "菜单");
            stage.expect("群", "请看").await;
        }
        stage.logged("menu.png could not be read").await;
        stage.terminate().await;
    })
    .await;
}
