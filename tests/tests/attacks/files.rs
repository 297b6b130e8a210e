//! Another user of the machine may write into the folder of the bot, or into the one where it saves rows: nothing of the rest
//! of the machine is sent, read as rules or overwritten, and no chat waits for ever.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mynah_tests::{Stage, story};
use tempfile::TempDir;

const BOT: &str = env!("CARGO_BIN_EXE_stock_bot");
const GROUP: &str = "客户一群";
const PICTURE: &[u8] = include_bytes!("../../../bots/faq/menu.png");

const RULES: &str = r#"
[[rule]]
exact = "菜单"
do = [{ image = "pics/menu.png" }, { reply = "请看" }]

[[rule]]
pattern = "报名 {name}"
do = [{ save_to = "people.csv" }, { reply = "{name} 已报名" }]
"#;

/// A folder that holds the folder `bot` and, outside of it, the file `secret`.
fn around() -> TempDir {
    let around = TempDir::new().expect("a temporary folder");
    fs::create_dir_all(around.path().join("bot/pics")).expect("a folder");
    fs::create_dir(around.path().join("home")).expect("a folder");
    fs::write(around.path().join("home/menu.png"), "a secret").expect("a file");
    fs::write(around.path().join("bot/bot.toml"), RULES).expect("a file");
    fs::write(around.path().join("bot/pics/menu.png"), PICTURE).expect("a file");
    around
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

/// The bot loads its rules with a picture that is good; then this happens to the folders. Returns the line of the log.
async fn sends_no_picture(exchange: impl Fn(&Path, &Path)) -> String {
    let around = around();
    let mut stage = Stage::new(BOT, &around.path().join("bot")).await;
    stage.start().await;
    exchange(&around.path().join("bot/pics"), &around.path().join("home"));
    stage.sandbox.say("张三", Some(GROUP), "菜单");
    stage.expect(GROUP, "请看").await;
    let line = stage.logged("menu.png could not be read").await;
    assert_eq!(stage.calls("webwxuploadmedia"), 0, "nothing may reach the service");
    assert_eq!(stage.terminate().await, 0);
    let mut others = String::new();
    stage.logged_beside("the account ended", |line| others += &line).await;
    assert!(!others.contains("could not be read"), "a failure is logged once: {others}");
    line
}

#[tokio::test]
async fn a_picture_exchanged_for_a_link_out_of_the_folder_is_not_sent() {
    story(async {
        let line = sends_no_picture(|pics, home| {
            fs::remove_file(pics.join("menu.png")).expect("it was there");
            symlink(home.join("menu.png"), pics.join("menu.png")).expect("a link");
        });
        assert!(line.await.contains("leads out of the bot's folder"));
    })
    .await;
}

#[tokio::test]
async fn a_folder_of_pictures_exchanged_for_a_link_is_not_followed() {
    story(async {
        let line = sends_no_picture(|pics, home| {
            fs::rename(pics, home.join("was")).expect("it was there");
            symlink(home, pics).expect("a link");
        });
        assert!(line.await.contains("leads out of the bot's folder"));
    })
    .await;
}

#[tokio::test]
async fn a_picture_exchanged_for_a_pipe_holds_up_nothing() {
    story(async {
        let line = sends_no_picture(|pics, _| {
            fs::remove_file(pics.join("menu.png")).expect("it was there");
            pipe(&pics.join("menu.png"));
        });
        assert!(line.await.contains("not a file"));
    })
    .await;
}

#[tokio::test]
async fn a_device_is_not_read_until_the_memory_is_full() {
    story(async {
        let line = sends_no_picture(|pics, _| {
            fs::remove_file(pics.join("menu.png")).expect("it was there");
            symlink("/dev/zero", pics.join("menu.png")).expect("a link");
        });
        assert!(line.await.contains("leads out of the bot's folder"));
    })
    .await;
}

#[tokio::test]
async fn rows_are_not_written_through_a_link_into_another_file() {
    story(async {
        let around = around();
        let secret = around.path().join("home/menu.png");
        let mut stage = Stage::new(BOT, &around.path().join("bot")).await;
        symlink(&secret, stage.data.path().join("people.csv")).expect("a link");
        stage.start().await;
        stage.sandbox.say("张三", Some(GROUP), "报名 张三");
        stage.expect(GROUP, "张三 已报名").await;
        let line = stage.logged("people.csv").await;
        assert!(line.contains("not a file"), "{line}");
        assert_eq!(fs::read(&secret).expect("untouched"), b"a secret");
        assert_eq!(stage.terminate().await, 0);
    })
    .await;
}

/// The output of `check` for a bot, in both languages: it must refuse the bot, and end by itself.
fn refused(bot: &Path) -> (String, String) {
    let check = |lang: &str| {
        let mut command = assert_cmd::Command::new(BOT);
        let output = command.args(["check", "--lang", lang]).arg(bot);
        let output = output.timeout(Duration::from_secs(60)).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    (check("en"), check("zh"))
}

#[test]
fn a_rule_file_of_40_mb_is_refused_with_its_limit() {
    let around = around();
    let bot = around.path().join("bot");
    let main = fs::File::create(bot.join("bot.toml")).expect("a file");
    main.set_len(40 << 20).expect("a sparse file");
    let (en, zh) = refused(&bot);
    assert!(en.contains("bot.toml:1:1") && en.contains("it is larger than 32 MB"), "{en}");
    assert!(en.contains("move rules into files of their own and name these in `include`"), "{en}");
    assert!(zh.contains("它超过 32 MB") && zh.contains("`include`"), "{zh}");
}

#[test]
fn a_pipe_or_a_link_out_of_the_folder_is_not_included() {
    let around = around();
    let bot = around.path().join("bot");
    pipe(&bot.join("a-pipe.toml"));
    fs::write(around.path().join("home/rules.toml"), "[[rule]]\nkeyword = 'a'\nreply = 'b'\n")
        .expect("a file");
    symlink("../home/rules.toml", bot.join("b-link.toml")).expect("a link");
    let include = "include = [\n\"a-pipe.toml\",\n\"b-link.toml\",\n]\n";
    fs::write(bot.join("bot.toml"), format!("{include}{RULES}")).expect("a file");
    let (en, zh) = refused(&bot);
    assert!(en.contains("bot.toml:2:1: error[include]: a-pipe.toml cannot be read"), "{en}");
    assert!(en.contains("bot.toml:3:1: error[include]: the link b-link.toml leads out"), "{en}");
    assert!(zh.contains("无法读取 a-pipe.toml：它是管道"), "{zh}");
    assert!(zh.contains("链接 b-link.toml 指向机器人文件夹之外"), "{zh}");
}

#[test]
fn a_pipe_as_picture_or_rule_file_is_refused_at_once() {
    let around = around();
    let bot = around.path().join("bot");
    fs::remove_file(bot.join("pics/menu.png")).expect("it was there");
    pipe(&bot.join("pics/menu.png"));
    let (en, zh) = refused(&bot);
    assert!(en.contains("error[file]: pics/menu.png cannot be read: it is a pipe"), "{en}");
    assert!(zh.contains("无法读取 pics/menu.png：它是管道"), "{zh}");
    pipe(&bot.join("rules.toml"));
    let (en, _) = refused(&bot.join("rules.toml"));
    assert!(en.contains("the file cannot be read: it is a pipe"), "{en}");
}
