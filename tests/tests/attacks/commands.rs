//! Friends and members who take a name to command a bot, or to get replies meant for another person.

use std::fs;
use std::path::{Path, PathBuf};

use mynah_sandbox::{SandboxAction, SandboxActionKind};
use mynah_tests::{Stage, story};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const GROUP: &str = "水果店客户群";
const OBEYS: &str = "是，店长";
const REFUSES: &str = "只听店长的";

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/commands")
}

async fn stage() -> Stage {
    let mut stage = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), &bot()).await;
    stage.start().await;
    stage
}

/// The id of a friend, which stays the same when names change.
fn friend(t: &Stage, name: &str) -> String {
    act(t, name, None, SandboxActionKind::NewPerson { friend: true });
    t.sandbox.chat(name).expect("the friend was made just now").0
}

fn act(t: &Stage, from: &str, group: Option<&str>, kind: SandboxActionKind) {
    let act = SandboxAction { from: from.to_owned(), group: group.map(str::to_owned), kind };
    t.sandbox.act(act).expect("it can be done");
}

fn renames(t: &Stage, who: &str, name: &str) {
    act(t, who, None, SandboxActionKind::Nickname { name: name.to_owned() });
}

fn gets_remark(t: &Stage, who: &str, remark: &str) {
    act(t, who, None, SandboxActionKind::Remark { name: remark.to_owned() });
}

/// A friend sends a private message, and the bot answers with this text.
async fn answers(t: &mut Stage, who: &str, text: &str, answer: &str) {
    t.sandbox.say(who, None, text);
    assert_eq!(t.said().await.1, answer, "{who}: {text}");
}

async fn is_obeyed(t: &mut Stage, who: &str) {
    answers(t, who, "开门", OBEYS).await;
}

async fn is_refused(t: &mut Stage, who: &str) {
    answers(t, who, "开门", REFUSES).await;
}

/// The account that a name refers to, as reported by `mynah status --json`.
async fn meaning(t: &Stage, name: &str) -> Value {
    let status: Value = serde_json::from_str(&t.command("status --json").await).expect("JSON");
    let rows = status["names"].as_array().expect("a list").clone();
    rows.into_iter().find(|row| row["name"] == name).unwrap_or(Value::Null)
}

#[tokio::test]
async fn an_impostor_who_had_the_name_first_loses_it_to_the_remark() {
    story(async {
        let mut t = stage().await;
        let impostor = friend(&t, "冒名者");
        renames(&t, &impostor, "店长");
        is_obeyed(&mut t, &impostor).await;
        t.logged("by nickname").await;
        assert_eq!(meaning(&t, "店长").await["by"], "nickname");
        let right = friend(&t, "王姐");
        gets_remark(&t, &right, "店长");
        is_refused(&mut t, &impostor).await;
        assert_eq!(meaning(&t, "店长").await["by"], "remark");
        // After a restart, before the right person has sent a message.
        assert_eq!(t.terminate().await, 0);
        t.spawn();
        is_refused(&mut t, &impostor).await;
        is_obeyed(&mut t, &right).await;
        is_refused(&mut t, &impostor).await;
        assert!(t.command("status").await.contains("by remark"));
        assert_eq!(meaning(&t, "店长").await["bound"], Value::Null, "the remark ended the binding");
    })
    .await;
}

#[tokio::test]
async fn a_second_friend_who_takes_the_nickname_of_the_admin_gets_no_right() {
    story(async {
        let mut t = stage().await;
        let first = friend(&t, "店长");
        is_obeyed(&mut t, &first).await;
        let second = friend(&t, "第二个");
        renames(&t, &second, "店长");
        is_refused(&mut t, &second).await;
        is_refused(&mut t, &first).await;
        assert_eq!(meaning(&t, "店长").await["friends"], 2);
        renames(&t, &first, "前店长");
        is_refused(&mut t, &second).await;
        let row = meaning(&t, "店长").await;
        assert_eq!((&row["by"], &row["person"]), (&"nobody".into(), &Value::Null), "{row}");
        renames(&t, &second, "第二个");
        renames(&t, &first, "店长");
        is_obeyed(&mut t, &first).await;
    })
    .await;
}

#[tokio::test]
async fn a_nickname_taken_while_the_bot_is_offline_gives_no_right() {
    story(async {
        let mut t = stage().await;
        let (first, second) = (friend(&t, "店长"), friend(&t, "第二个"));
        is_obeyed(&mut t, &first).await;
        assert_eq!(t.terminate().await, 0);
        renames(&t, &first, "前店长");
        renames(&t, &second, "店长");
        t.spawn();
        is_refused(&mut t, &second).await;
        is_refused(&mut t, &first).await;
        assert_eq!(t.terminate().await, 0);
        renames(&t, &first, "店长");
        t.sandbox.end_session(1101);
        // A new login, in which the service changes every name.
        t.start().await;
        is_refused(&mut t, &second).await;
        is_refused(&mut t, &first).await;
        gets_remark(&t, &first, "店长");
        is_obeyed(&mut t, &first).await;
    })
    .await;
}

#[tokio::test]
async fn a_name_shown_in_a_group_gives_no_right() {
    story(async {
        let mut t = stage().await;
        let member = friend(&t, "路人");
        act(&t, &member, Some(GROUP), SandboxActionKind::Nickname { name: "店长".to_owned() });
        t.sandbox.say(&member, Some(GROUP), "开门");
        t.expect(GROUP, REFUSES).await;
        // A stranger with that nickname has no right either, under any name in the group.
        act(&t, "店长", Some(GROUP), SandboxActionKind::Say { text: "开门".to_owned(), to: None });
        t.expect(GROUP, REFUSES).await;
        assert_eq!(meaning(&t, "店长").await["friends"], 0);
    })
    .await;
}

#[tokio::test]
async fn a_name_can_be_freed_while_the_bot_runs_and_while_it_does_not() {
    story(async {
        let mut t = stage().await;
        let impostor = friend(&t, "店长");
        is_obeyed(&mut t, &impostor).await;
        renames(&t, &impostor, "小偷");
        let right = friend(&t, "王姐");
        renames(&t, &right, "店长");
        is_refused(&mut t, &right).await;
        assert!(t.command("unbind 店长").await.contains("is free now"));
        assert_eq!(t.command("unbind 店长").await, "", "refused: it is not bound");
        is_obeyed(&mut t, &right).await;
        assert_eq!(t.terminate().await, 0);
        assert!(meaning(&t, "店长").await["bound"].is_string());
        let json = t.command("unbind 店长 --json").await;
        assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON")["ok"], true);
        assert_eq!(meaning(&t, "店长").await, Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_person_is_no_longer_an_admin() {
    story(async {
        let mut t = stage().await;
        let impostor = friend(&t, "店长");
        is_obeyed(&mut t, &impostor).await;
        let id = meaning(&t, "店长").await["bound"].as_str().expect("it is bound").to_owned();
        assert!(t.command(&format!("forget {id}")).await.contains("deleted"));
        assert_eq!(meaning(&t, "店长").await["bound"], Value::Null);
        renames(&t, &impostor, "小偷");
        let right = friend(&t, "王姐");
        renames(&t, &right, "店长");
        is_obeyed(&mut t, &right).await;
    })
    .await;
}

#[tokio::test]
async fn from_and_ignore_do_not_follow_a_nickname_that_others_take() {
    story(async {
        let mut t = stage().await;
        let courier = friend(&t, "快递员");
        answers(&mut t, &courier, "取货", "取货码 1234").await;
        let thief = friend(&t, "小偷");
        renames(&t, &thief, "快递员");
        answers(&mut t, &thief, "取货", "你不是快递员").await;
        renames(&t, &courier, "老快递员");
        answers(&mut t, &thief, "取货", "你不是快递员").await;
        gets_remark(&t, &courier, "快递员");
        answers(&mut t, &courier, "取货", "取货码 1234").await;
        // A spammer who was ignored once stays ignored under another name.
        let spammer = friend(&t, "广告");
        t.sandbox.say(&spammer, None, "取货");
        is_refused(&mut t, &thief).await;
        renames(&t, &spammer, "好人");
        t.sandbox.say(&spammer, None, "取货");
        is_refused(&mut t, &thief).await;
    })
    .await;
}

#[tokio::test]
async fn rules_that_name_another_admin_take_the_right_away_at_once() {
    story(async {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("bot.toml");
        let rules = fs::read_to_string(bot().join("bot.toml")).expect("the rules of the attacks");
        fs::write(&file, &rules).expect("it can be written");
        let mut t = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), folder.path()).await;
        t.start().await;
        let (first, second) = (friend(&t, "店长"), friend(&t, "老板"));
        is_obeyed(&mut t, &first).await;
        fs::write(&file, rules.replace("[\"店长\"]", "[\"老板\"]")).expect("it can be written");
        t.logged("the rules were reloaded").await;
        is_refused(&mut t, &first).await;
        is_obeyed(&mut t, &second).await;
        assert_eq!(meaning(&t, "店长").await["keys"], Value::Array(Vec::new()), "bound, not used");
    })
    .await;
}

#[tokio::test]
async fn a_right_gained_by_nickname_raises_an_alert() {
    story(async {
        let hook = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("mynah.toml");
        let address = hook.local_addr().expect("it listens");
        let settings = format!("[alert]\nwebhook = \"http://{address}/alert\"\n");
        fs::write(&config, settings).expect("it can be written");
        let mut t = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), &bot())
            .await
            .argument("--config")
            .argument(config.to_str().expect("a path of text"));
        t.start().await;
        let impostor = friend(&t, "店长");
        is_obeyed(&mut t, &impostor).await;
        let alert = alert_of_kind(&hook, "bound").await;
        assert!(alert.contains("店长") && alert.contains("mynah unbind"), "{alert}");
    })
    .await;
}

/// The first alert of a kind, as posted to the webhook.
async fn alert_of_kind(hook: &TcpListener, kind: &str) -> String {
    loop {
        let (mut stream, _) = hook.accept().await.expect("the alert is posted");
        let mut posted = Vec::new();
        while !posted.ends_with(b"}") {
            let read = stream.read_buf(&mut posted).await.expect("the alert is sent whole");
            assert!(read > 0, "the alert ends early");
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.expect("the answer is taken");
        let posted = String::from_utf8_lossy(&posted).into_owned();
        if posted.contains(&format!("\"kind\":\"{kind}\"")) {
            return posted;
        }
    }
}
