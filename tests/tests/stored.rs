//! The data of earlier versions: this version opens a copy of it and continues after the kill of the other.
//!
//! `tests/fixtures/VERSION` has a bot and its data folder after a kill; `make` documents how it was made. The bot's
//! clock starts five minutes after the kill, on any date.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mynah_core::{LogQuery, MemberQuery, Store as _, Timestamp};
use mynah_sandbox::{Options, World};
use mynah_store::{Inspector, SqliteStore};
use mynah_tests::{Stage, story};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tempfile::TempDir;

#[path = "stored/make.rs"]
mod make;

const BOT: &str = env!("CARGO_BIN_EXE_story_bot");

/// The downtime of the bot.
const DOWN: Duration = Duration::from_secs(5 * 60);

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v0.1")
}

fn world() -> World {
    let text = std::fs::read_to_string(fixture().join("world.toml")).expect("a world");
    World::from_toml(&text).expect("a world")
}

fn copy_data(to: &Path) {
    for file in std::fs::read_dir(fixture().join("data")).expect("data") {
        let file = file.expect("data");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("it can be copied");
    }
}

/// A copy of the data that no bot uses.
fn copy() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    copy_data(folder.path());
    folder
}

/// The output of a command on that data.
fn command(data: &Path, arguments: &[&str]) -> String {
    let mut command = assert_cmd::Command::new(BOT);
    let output = command.args(arguments).arg("--data").arg(data).output().expect("it runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_commands_on_data_read_that_of_version_0_1() {
    let data = copy();
    let status = command(data.path(), &["status"]);
    for line in [
        "account  not running",
        "session  stored; the next start tries to go on with it",
        "inbox    1 events",
        "outbox   4 actions",
        "timers   5",
    ] {
        assert!(status.contains(line), "no {line:?} in:\n{status}");
    }
    let export = command(data.path(), &["data", "export"]);
    for part in ["\"签到\"", "\"nick\"", "\"阿三\"", "mute:until", "cooldown:", "limit:", "signup"]
    {
        assert!(export.contains(part), "no {part} in the export");
    }
    let backup = data.path().join("backup.db");
    let path = backup.display().to_string();
    assert!(command(data.path(), &["data", "backup", &path]).contains("backup.db"));
    assert!(backup.exists());
}

#[tokio::test]
async fn values_of_version_0_1_have_the_names_of_their_people() {
    let data = copy();
    let chat: String = open(data.path())
        .query_row("SELECT chat FROM state WHERE scope = 2 AND key = 'nick'", [], |row| row.get(0))
        .expect("a variable");
    let store = SqliteStore::open(data.path(), mynah_store::Options::default()).expect("a store");
    let query = MemberQuery { chat: chat.as_str().into(), keys: vec!["nick".to_owned()] };
    let found = store.member_values(&query, Timestamp::default()).await.expect("it is read");
    let nicks = found[0].values.iter().map(|one| (one.name.as_str(), one.text.as_str()));
    assert_eq!(nicks.collect::<Vec<_>>(), [("张三", "阿三")]);
}

#[test]
fn explain_and_replay_read_the_log_of_version_0_1() {
    let data = copy();
    let inspector = Inspector::open(data.path()).expect("a store in order");
    let log = inspector.log(&LogQuery::default()).expect("a store in order");
    assert_eq!(log.unreadable, [], "this version reads all of it");
    let log = log.entries;
    let decided = |rule: &str| {
        log.iter()
            .find(|logged| {
                logged.decided.as_ref().is_some_and(|it| it.rule.as_deref() == Some(rule))
            })
            .unwrap_or_else(|| panic!("nothing was decided by {rule}"))
    };
    let vote = decided("vote");
    assert_eq!(vote.actions[0].outcome.as_deref(), Some("delivered"));
    let mut actions = log.iter().flat_map(|logged| &logged.actions);
    assert!(actions.any(|action| action.outcome.as_deref() == Some("refused")));
    let bot = fixture().display().to_string();
    let id = vote.event.id.as_str();
    let explained = command(data.path(), &["explain", &bot, "--message", id]);
    assert!(explained.contains("vote") && explained.contains("投票"), "{explained}");
    let replayed = command(data.path(), &["replay", &bot]);
    assert!(replayed.contains("messages"), "{replayed}");
    let survey = inspector.survey().expect("a store in order");
    assert!(survey.fired["vote"].times == 2 && survey.fired["signin"].times >= 1, "{survey:?}");
}

#[test]
fn an_entry_that_this_version_cannot_read_is_reported_by_every_command() {
    let data = copy();
    let connection = open(data.path());
    let id: String = connection
        .query_row("SELECT id FROM event WHERE message IS NOT NULL LIMIT 1", [], |row| row.get(0))
        .expect("a message");
    let body = r#"{"event":"hologram"}"#;
    connection.execute("UPDATE event SET body = ?1 WHERE id = ?2", [body, &id]).expect("a row");
    drop(connection);
    let bot = fixture().display().to_string();
    let said = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::new(BOT);
        let output = command.args(arguments).arg("--data").arg(data.path()).output();
        let output = output.expect("it runs");
        let texts = [output.stdout, output.stderr];
        texts.map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    };
    for arguments in
        [&["data", "export"][..], &["replay", &bot], &["explain", &bot, "--message", &id]]
    {
        let text = said(arguments);
        assert!(text.contains("hologram"), "{arguments:?}: {text}");
    }
}

/// The bot of the fixture on a copy of its data, not started yet.
struct Story {
    stage: Stage,
}

impl Story {
    async fn new() -> Self {
        Self::down_for(DOWN).await
    }

    async fn down_for(down: Duration) -> Self {
        Self::of_bot(&fixture(), down).await
    }

    /// With the rule files of this folder.
    async fn of_bot(bot: &Path, down: Duration) -> Self {
        let data = copy();
        let sid = session(data.path())["sid"].as_str().expect("a session").to_owned();
        let options =
            Options { auto_confirm: true, world: world().with_session(&sid), ..Options::default() };
        let stage = Stage::with(BOT, bot, options).await;
        copy_data(stage.data.path());
        let killed = last_claim(stage.data.path());
        move_server(stage.data.path(), stage.sandbox.url());
        Self { stage: stage.at(killed + down) }
    }

    /// Uses these settings.
    fn configured(mut self, config: &Path) -> Self {
        let config = config.display().to_string();
        self.stage = self.stage.argument("--config").argument(&config);
        self
    }

    fn open(&self) -> Connection {
        open(self.stage.data.path())
    }

    /// The next messages of the bot, in any order.
    async fn says(&mut self, expected: &[(&str, &str)]) {
        let mut said = BTreeSet::new();
        for _ in expected {
            said.insert(self.stage.said().await);
        }
        let expected: BTreeSet<_> =
            expected.iter().map(|(chat, text)| ((*chat).to_owned(), (*text).to_owned())).collect();
        assert_eq!(said, expected);
    }

    async fn answers(&mut self, from: &str, group: Option<&str>, text: &str, answer: &str) {
        self.stage.sandbox.say(from, group, text);
        self.stage.expect(group.unwrap_or(from), answer).await;
    }
}

fn open(data: &Path) -> Connection {
    let connection = Connection::open(data.join(mynah_store::FILE)).expect("a database");
    // The log stays next to the file, as after the kill.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .expect("an option of SQLite");
    connection
}

fn session(data: &Path) -> serde_json::Value {
    let text: String = open(data)
        .query_row("SELECT value FROM record WHERE key = 'session'", [], |row| row.get(0))
        .expect("a session");
    serde_json::from_str(&text).expect("JSON")
}

/// The server now has another port. Its cookies were valid for twelve hours; they are made valid again.
fn move_server(data: &Path, url: &str) {
    let mut session = session(data);
    session["home"] = url.into();
    for cookie in session["cookies"].as_array_mut().expect("cookies") {
        cookie["expires"] = serde_json::Value::Null;
    }
    open(data)
        .execute("UPDATE record SET value = ?1 WHERE key = 'session'", [session.to_string()])
        .expect("a session");
}

fn last_claim(data: &Path) -> Timestamp {
    let millis = open(data).query_row("SELECT max(last_claim) FROM action", [], |row| row.get(0));
    Timestamp::from_millis(millis.expect("a claim"))
}

const FIRST: &str = "客户一群";
const SECOND: &str = "客户二群";

/// The first messages of the bot: queued replies, a time-out that passed meanwhile, and the reply of an interrupted
/// handler.
const LEFT_OVER: [(&str, &str); 4] =
    [(FIRST, "答 2"), (FIRST, "答 3"), ("王五", "没等到反馈"), ("赵六", "slow but sure")];

#[tokio::test]
async fn a_bot_killed_as_version_0_1_goes_on_with_its_session_queues_dialogs_and_clocks() {
    story(async {
        let mut t = Story::new().await.configured(&fixture().join("mynah.toml"));
        std::fs::write(t.stage.gate(), "").expect("a gate");
        t.stage.spawn();
        t.says(&LEFT_OVER).await;
        // The dialog of 李四 waits for its second answer.
        t.answers("李四", None, "123", "要 11 位").await;
        t.answers("李四", None, "13800138000", "李四，13800138000，对吗？").await;
        t.answers("李四", None, "对", "报名成功，第 1 位").await;
        clocks_run(&mut t).await;
        variables_are_read(&mut t).await;
        the_mute_holds(&mut t).await;
        assert_eq!(t.stage.calls("jslogin"), 0, "the session goes on without a scan");
        assert_eq!(t.stage.terminate().await, 0);
        the_interrupted_send_is_settled(&t, "unknown");
        let notes = std::fs::read_to_string(t.stage.data.path().join("notes.csv")).expect("rows");
        assert_eq!(notes.lines().count(), 2, "{notes}");
    })
    .await;
}

async fn clocks_run(t: &mut Story) {
    t.answers("张三", Some(FIRST), "签到", "签过了").await;
    t.answers("李四", Some(FIRST), "签到", "签到成功").await;
    t.answers("张三", Some(FIRST), "抽奖", "这周抽过了").await;
}

async fn variables_are_read(t: &mut Story) {
    t.answers("张三", Some(FIRST), "我是谁", "你是 阿三").await;
    t.answers("张三", Some(FIRST), "投票", "共 3 票").await;
    t.answers("张三", Some(FIRST), "留言 第二条", "记下了").await;
}

async fn the_mute_holds(t: &mut Story) {
    t.stage.sandbox.say("张三", Some(SECOND), "问 8");
    t.stage.sandbox.say("老王", Some(SECOND), "#说话");
    t.answers("张三", Some(SECOND), "问 9", "答 9").await;
}

/// The reply whose send was in progress when the bot was killed.
fn the_interrupted_send_is_settled(t: &Story, expected: &str) {
    let (outcome, doubts): (String, u32) = t
        .open()
        .query_row("SELECT outcome, doubts FROM action WHERE body LIKE '%答 1\"%'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("an action");
    assert_eq!((outcome.as_str(), doubts), (expected, u32::from(expected != "unknown")));
}

#[tokio::test]
async fn a_reply_in_progress_when_version_0_1_was_killed_is_sent_again_if_the_policy_allows() {
    story(async {
        let settings = std::fs::read_to_string(fixture().join("mynah.toml")).expect("settings");
        let settings = settings.replace("\"never\"", "\"resend\"");
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("mynah.toml");
        std::fs::write(&config, settings).expect("settings");
        let mut t = Story::new().await.configured(&config);
        std::fs::write(t.stage.gate(), "").expect("a gate");
        t.stage.spawn();
        let mut expected = vec![(FIRST, "答 1")];
        expected.extend(LEFT_OVER);
        t.says(&expected).await;
        assert_eq!(t.stage.terminate().await, 0);
        the_interrupted_send_is_settled(&t, "delivered");
    })
    .await;
}

#[tokio::test]
async fn a_step_that_version_0_1_put_off_for_a_day_comes_on_the_day_after() {
    story(async {
        let day = Duration::from_secs(24 * 60 * 60);
        let mut t = Story::down_for(day).await.configured(&fixture().join("mynah.toml"));
        std::fs::write(t.stage.gate(), "").expect("a gate");
        t.stage.spawn();
        let mut expected = vec![("张三", "第二步"), ("售后内部群", "巡检"), ("李四", "报名超时")];
        expected.extend(LEFT_OVER);
        t.says(&expected).await;
        assert_eq!(t.stage.terminate().await, 0);
        let step: String = t
            .open()
            .query_row("SELECT value FROM state WHERE key LIKE '%step'", [], |row| row.get(0))
            .expect("a variable");
        assert_eq!(step, "2");
    })
    .await;
}

/// The keys that version 0.1 gave to the rules of the fixture if they had no `id`.
const KEYS: [(&str, &str); 2] =
    [("signin", "#rule-21b700b69173f50c"), ("raffle", "#rule-b0977628324b4304")];

#[tokio::test]
async fn clocks_of_rules_without_id_go_on_under_the_keys_of_version_0_1() {
    story(async {
        let bot = TempDir::new().expect("a temporary folder");
        for file in ["bot.toml", "more.toml", "menu.png"] {
            std::fs::copy(fixture().join(file), bot.path().join(file)).expect("it can be copied");
        }
        let rules = std::fs::read_to_string(fixture().join("bot.toml")).expect("rules");
        let has_no_id = |line: &&str| {
            let key = line.split('=').next().unwrap_or_default().trim();
            key != "id" || !KEYS.iter().any(|(id, _)| line.contains(&format!("\"{id}\"")))
        };
        let rules: Vec<&str> = rules.lines().filter(has_no_id).collect();
        std::fs::write(bot.path().join("bot.toml"), rules.join("\n")).expect("rules");
        let mut t = Story::of_bot(bot.path(), DOWN).await.configured(&fixture().join("mynah.toml"));
        for (id, key) in KEYS {
            let renamed = t
                .open()
                .execute(
                    "UPDATE state SET key = replace(key, ?1, ?2) WHERE instr(key, ?1) > 0",
                    [format!(":{id}"), format!(":{key}")],
                )
                .expect("rows of the store");
            assert!(renamed > 0, "no clock of {id} runs");
        }
        std::fs::write(t.stage.gate(), "").expect("a gate");
        t.stage.spawn();
        t.says(&LEFT_OVER).await;
        clocks_run(&mut t).await;
        assert_eq!(t.stage.terminate().await, 0);
    })
    .await;
}
