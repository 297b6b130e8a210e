//! `mynah run BOT --transport stdio` as a process: lines in, lines out. One time-out bounds each story.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

const RULES: &str = "\
[bot]
names = [\"小助手\"]
admins = [\"老王\"]

[[rule]]
keyword = \"ping\"
reply = \"pong\"

[[rule]]
keyword = \"secret\"
from = \"admin\"
reply = \"42\"
";

async fn story<F: Future<Output = ()>>(told: F) {
    tokio::time::timeout(Duration::from_secs(120), told).await.expect("the story took too long");
}

/// A folder with a bot.
struct Room(TempDir);

/// A running bot with both streams open.
struct Bot {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
}

impl Room {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("bot.toml"), RULES).expect("the folder takes files");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn config(&self, text: &str) -> PathBuf {
        let path = self.path().join("mynah.toml");
        std::fs::write(&path, text).expect("the folder takes files");
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
        for name in ["MYNAH_LOG", "MYNAH_DATA", "MYNAH_CONFIG", "MYNAH_SERVER", "MYNAH_LISTEN"] {
            command.env_remove(name);
        }
        command.current_dir(self.path()).args(arguments).env("LC_ALL", "C").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts the bot with streams that stay open.
    fn start(&self, arguments: &[&str]) -> Bot {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        Bot {
            input: child.stdin.take().expect("it is piped"),
            output: BufReader::new(child.stdout.take().expect("it is piped")).lines(),
            log: BufReader::new(child.stderr.take().expect("it is piped")).lines(),
            child,
        }
    }

    /// Runs a command with this input to its end.
    async fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A program that refuses to start reads nothing.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.expect("it ends")
    }

    /// The texts that the bot sends in answer to an input.
    async fn replies(&self, input: &str) -> Vec<String> {
        let output = self.run(&RUN, input).await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.map(|line| line["action"]["text"].as_str().expect("a text").to_owned()).collect()
    }
}

const RUN: [&str; 4] = ["run", ".", "--transport", "stdio"];

impl Bot {
    async fn write(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
    }

    async fn read(&mut self) -> Value {
        let line = self.output.next_line().await.expect("UTF-8").expect("an action");
        serde_json::from_str(&line).expect("JSON")
    }

    async fn logged(&mut self, text: &str) {
        while let Some(line) = self.log.next_line().await.expect("UTF-8") {
            if line.contains(text) {
                return;
            }
        }
        panic!("the log ended without “{text}”");
    }

    /// The exit status after a signal, while the streams stay open.
    async fn stop(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status().await;
        assert!(sent.expect("kill is everywhere").success());
        self.child.wait().await.expect("it ends").code()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn it_answers_what_waits_and_ends_well_at_the_end_of_the_input() {
    story(async {
        let room = Room::new();
        let lines = "{\"text\":\"ping\",\"group\":\"g\",\"from\":\"x\",\"id\":\"a\"}\n\
                     {\"text\":\"no\"}\n{\"text\":\"ping\",\"chat\":{\"id\":\"c\",\"name\":\"C\",\"group\":true},\"from\":{\"id\":\"u\",\"name\":\"U\"},\"id\":\"b\"}";
        let output = room.run(&RUN, lines).await;
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let mut lines: Vec<Value> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).expect("nothing but JSON"))
            .collect();
        lines.sort_by_key(|line| line["id"].to_string());
        let content = json!([{"is": "text", "text": "pong"}]);
        let action = json!({"do": "send", "text": "pong", "content": content});
        let expected = [
            json!({"id": "a#0", "chat": "group:g", "action": action}),
            json!({"id": "b#0", "chat": "c", "action": action}),
        ];
        assert_eq!(lines, expected);
    })
    .await;
}

#[tokio::test]
async fn a_line_without_an_id_is_new_after_a_restart_and_one_with_an_id_is_not() {
    story(async {
        let room = Room::new();
        assert_eq!(room.replies("{\"text\":\"ping\"}\n").await, ["pong"]);
        assert_eq!(room.replies("{\"text\":\"ping\"}\n").await, ["pong"]);
        assert_eq!(room.replies("{\"text\":\"ping\",\"id\":1}\n").await, ["pong"]);
        assert!(room.replies("{\"text\":\"ping\",\"id\":1}\n").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_wrong_line_is_reported_with_its_number_and_skipped() {
    story(async {
        let room = Room::new();
        let output = room.run(&RUN, "{\"text\":\"no\"}\nhello\n{\"text\":\"ping\"}\n").await;
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(text(&output.stdout).lines().count(), 1);
        let log = text(&output.stderr);
        let skipped = log.lines().find(|line| line.contains("line 2: skipped"));
        assert!(skipped.is_some_and(|line| line.contains("source{account=")), "{log}");
    })
    .await;
}

#[tokio::test]
async fn sigterm_ends_it_while_the_input_stays_open() {
    story(async {
        let room = Room::new();
        let mut bot = room.start(&RUN);
        bot.write("{\"text\":\"ping\"}").await;
        assert_eq!(bot.read().await["action"]["text"], "pong");
        assert_eq!(bot.stop("TERM").await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_went_away_ends_the_account_and_the_action_waits() {
    story(async {
        let room = Room::new();
        let Bot { mut child, mut input, output, log: _log } = room.start(&RUN);
        drop(output);
        input.write_all(b"{\"text\":\"ping\",\"id\":\"a\"}\n").await.expect("it reads");
        let status = child.wait().await.expect("it ends");
        assert!(!status.success());
        // It leaves at the next start.
        assert_eq!(room.replies("").await, ["pong"]);
    })
    .await;
}

#[tokio::test]
async fn settings_say_who_is_a_friend_and_outcomes_come_back_as_lines() {
    story(async {
        let room = Room::new();
        let config = room.config(
            "[[account]]\nname = 'bridge'\nbot = '.'\ntransport = 'stdio'\nme = '八哥'\noutcomes = '1d'\n\
             [account.friends]\n\"老王\" = 'u-1'\n",
        );
        let mut bot = room.start(&["run", "--config", config.to_str().expect("a plain path")]);
        bot.write("{\"text\":\"secret\",\"from\":{\"id\":\"u-2\",\"name\":\"老王\"}}").await;
        bot.write("{\"text\":\"secret\",\"from\":{\"id\":\"u-1\",\"name\":\"x\"},\"id\":\"m\"}").await;
        let action = bot.read().await;
        assert_eq!((&action["id"], &action["action"]["text"]), (&json!("m#0"), &json!("42")));
        bot.write("{\"id\":\"m#0\",\"outcome\":\"refused\",\"reason\":\"the chat is closed\"}").await;
        bot.logged("the chat is closed").await;
        assert_eq!(bot.stop("TERM").await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_misspelled_log_level_is_reported_and_the_log_goes_on() {
    story(async {
        let room = Room::new();
        for level in ["dbug", "mynah=dbug", "my_bot=trace,mynah=dbug"] {
            let output = room.command(&RUN).env("MYNAH_LOG", level).stdin(Stdio::null()).output();
            let log = text(&output.await.expect("it ends").stderr);
            assert!(log.contains("MYNAH_LOG has an invalid"), "{level}: {log}");
            assert!(log.contains("online") != level.contains("my_bot"), "{level}: {log}");
        }
    })
    .await;
}

#[tokio::test]
async fn lines_are_not_lost_when_the_table_of_the_account_is_changed() {
    story(async {
        let room = Room::new();
        let table = "[[account]]\nname = 'bridge'\nbot = '.'\ntransport = 'stdio'\n";
        let off = "[messages]\nloop_breaker = 'off'\n";
        let config = room.config(&format!("{table}{off}"));
        let mut bot = room.start(&["run", "--config", config.to_str().expect("a plain path")]);
        for n in 0..3 {
            bot.write(&format!("{{\"text\":\"ping\",\"id\":\"before-{n}\"}}")).await;
            assert_eq!(bot.read().await["id"], format!("before-{n}#0"));
            room.config(&format!("{table}me = 'bot {n}'\n{off}"));
            bot.logged("started_anew=bridge").await;
            bot.logged("online").await;
            bot.write("no JSON").await;
            bot.logged(&format!("line {}: skipped", 3 * n + 2)).await;
            bot.write(&format!("{{\"text\":\"ping\",\"id\":\"after-{n}\"}}")).await;
            assert_eq!(bot.read().await["id"], format!("after-{n}#0"));
        }
        assert_eq!(bot.stop("TERM").await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn two_accounts_cannot_share_standard_input() {
    story(async {
        let room = Room::new();
        let config = room.config(
            "[[account]]\nname = 'a'\nbot = '.'\ntransport = 'stdio'\n\
             [[account]]\nname = 'b'\nbot = '.'\ntransport = 'stdio'\n",
        );
        let output = room.run(&["run", "--config", config.to_str().expect("plain")], "").await;
        assert_eq!(output.status.code(), Some(1));
        let told = text(&output.stderr);
        assert!(told.contains("mynah.toml:8:") && told.contains("standard input"), "{told}");
        let output = room.run(&["run", ".", "bot.toml", "--transport", "stdio"], "").await;
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("standard input"), "{}", text(&output.stderr));
    })
    .await;
}

#[tokio::test]
async fn a_bot_is_judged_for_the_service_that_it_names_or_is_given() {
    story(async {
        let room = Room::new();
        // A mention is plain text over WeChat Web, which is a note; over stdio it may alert.
        let rules = "[[rule]]\nkeyword = \"a\"\nreply = \"b\"\nat_sender = true\n";
        let write =
            |head: &str| std::fs::write(room.path().join("bot.toml"), format!("{head}{rules}"));
        let notes = async |arguments: &[&str]| {
            let output = room.run(arguments, "").await;
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            text(&output.stdout).contains("at_sender")
        };
        write("").expect("written");
        assert!(notes(&["check", ".", "-v"]).await);
        assert!(!notes(&["check", ".", "-v", "--transport", "stdio"]).await);
        write("[bot]\ntransport = [\"stdio\"]\n\n").expect("written");
        assert!(!notes(&["check", ".", "-v"]).await);
        assert!(notes(&["check", ".", "-v", "--transport", "webwx"]).await);
        write("[bot]\ntransport = \"stdoi\"\n\n").expect("written");
        let output = room.run(&["check", "."], "").await;
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stdout).contains("did you mean `stdio`?"), "{}", text(&output.stdout));
    })
    .await;
}

#[tokio::test]
async fn commands_without_a_running_bot_know_its_chats_and_that_it_has_no_login() {
    story(async {
        let room = Room::new();
        let _ = room.replies("{\"text\": \"ping\", \"group\": \"g\", \"from\": \"x\"}\n").await;
        let output = room.run(&["status"], "").await;
        let told = text(&output.stdout);
        for part in ["service  stdio", "session  not needed"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let output = room.run(&["logout"], "").await;
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("has no login"), "{}", text(&output.stdout));
        let output = room.run(&["send", "h", "hello"], "").await;
        assert_eq!(output.status.code(), Some(1));
        let told = text(&output.stderr);
        assert!(told.contains("no chat is called h") && told.contains("has arrived"), "{told}");
        assert_eq!(room.run(&["send", "g", "hello"], "").await.status.code(), Some(0));
        assert_eq!(room.replies("").await, ["hello"]);
    })
    .await;
}

#[tokio::test]
async fn a_running_bot_is_asked_for_its_chats_and_is_not_logged_out() {
    story(async {
        let room = Room::new();
        let mut bot = room.start(&RUN);
        bot.write("{\"text\": \"ping\", \"group\": \"g\", \"from\": \"x\"}").await;
        assert_eq!(bot.read().await["action"]["text"], "pong");
        let output = room.run(&["logout"], "").await;
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("has no login"), "{}", text(&output.stderr));
        assert_eq!(room.run(&["send", "g", "hello"], "").await.status.code(), Some(0));
        assert_eq!(bot.read().await["action"]["text"], "hello");
        assert_eq!(bot.stop("TERM").await, Some(0));
    })
    .await;
}

#[tokio::test]
async fn the_sandbox_warns_for_the_service_of_the_bot_and_plays_all_the_same() {
    story(async {
        let room = Room::new();
        let rules = "[[rule]]\nkeyword = \"a\"\nreply = \"b\"\nat_sender = true\n";
        let write =
            |head: &str| std::fs::write(room.path().join("bot.toml"), format!("{head}{rules}"));
        let warned = async |arguments: &[&str]| {
            let output = room.run(&[&["sandbox", ".", "-v"], arguments].concat(), "a\n").await;
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
            assert!(text(&output.stdout).contains('b'), "{}", text(&output.stdout));
            text(&output.stderr).contains("at_sender")
        };
        write("").expect("written");
        assert!(warned(&[]).await);
        assert!(!warned(&["--transport", "stdio"]).await);
        write("[bot]\ntransport = \"stdio\"\n\n").expect("written");
        assert!(!warned(&[]).await);
        assert!(warned(&["--transport", "webwx"]).await);
        let output = room.run(&["sandbox", ".", "--transport", "stdoi"], "").await;
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("did you mean stdio?"), "{}", text(&output.stderr));
    })
    .await;
}
