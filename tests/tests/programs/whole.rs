//! `mynah run` with a handler of `mynah.toml`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mynah_tests::processes::{runs, until_ended};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::stage::{CHILD, within_time};

/// The file of a bot that asks the child about every message.
fn usual(name: &str) -> String {
    match name {
        "bot.toml" => "[[rule]]\nregex = '(?s).+'\nrun = \"helper\"\n".to_owned(),
        _ => format!("[[handler]]\nname = 'helper'\ncommand = ['{CHILD}']\n"),
    }
}

/// A bot on standard streams, with the child as its handler.
struct Bot {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
    folder: tempfile::TempDir,
}

impl Bot {
    fn start() -> Self {
        Self::with(&["bot.toml", "mynah.toml"].map(|name| (name, usual(name))))
    }

    /// A bot with these files.
    fn with(files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("it is written");
        }
        Self::of(folder)
    }

    /// The bot of this folder.
    fn of(folder: tempfile::TempDir) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stock_bot"))
            .args(["run", ".", "--transport", "stdio", "--config", "mynah.toml"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let log = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Self { child, input, output, log, folder }
    }

    fn signal(&self, signal: Signal) {
        let process = self.child.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        kill(nix::unistd::Pid::from_raw(process), signal).expect("it is sent");
    }

    fn hang_up(&self) {
        self.signal(Signal::SIGHUP);
    }

    async fn until_logged(&mut self, words: &str) {
        while !self.log.next_line().await.expect("text").expect("a line").contains(words) {}
    }

    async fn ask(&mut self, text: &str) -> String {
        self.tell(text).await;
        self.answer().await
    }

    async fn tell(&mut self, text: &str) {
        let line = json!({"text": text, "from": "Ann"}).to_string() + "\n";
        self.input.write_all(line.as_bytes()).await.expect("it is read");
    }

    async fn answer(&mut self) -> String {
        let line = self.output.next_line().await.expect("text").expect("an action");
        let action: Value = serde_json::from_str(&line).expect("JSON");
        action["action"]["text"].as_str().expect("a text").to_owned()
    }
}

#[tokio::test]
async fn the_child_of_a_killed_bot_ends_at_the_end_of_its_input() {
    within_time(async {
        let mut bot = Bot::start();
        let child = bot.ask("pid").await;
        assert!(runs(&child));
        bot.child.kill().await.expect("it is killed");
        until_ended(&child).await;
    })
    .await;
}

/// Whether an interpreter is installed; a test is left out without it.
#[expect(clippy::print_stdout, reason = "the reason why a test is left out is for people")]
fn is_installed(program: &str) -> bool {
    let found = std::process::Command::new(program).arg("--version").output().is_ok();
    if !found {
        println!("left out: there is no {program}");
    }
    found
}

async fn a_handler_ends_with_its_killed_bot(program: &str, code: &str, sdk: &str) {
    if !is_installed(program) {
        return;
    }
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk").join(sdk);
    let code = code.replace("SDK", &sdk.display().to_string());
    let settings =
        format!("[[handler]]\nname = 'helper'\ncommand = ['{program}', 'helper.code']\n");
    let rules = usual("bot.toml");
    let files = [("bot.toml", rules), ("mynah.toml", settings), ("helper.code", code)];
    let mut bot = Bot::with(&files);
    let child = bot.ask("hello").await;
    assert!(runs(&child));
    bot.child.kill().await.expect("it is killed");
    until_ended(&child).await;
}

#[tokio::test]
async fn a_handler_in_python_ends_with_its_killed_bot() {
    let code = "import os, sys\nsys.path.insert(0, 'SDK')\nsys.dont_write_bytecode = True\n\
                from mynah import handler, run\n@handler\ndef helper(ctx):\n    return str(os.getpid())\n\
                run()\n";
    within_time(a_handler_ends_with_its_killed_bot("python3", code, "python")).await;
}

#[tokio::test]
async fn a_handler_in_javascript_ends_with_its_killed_bot() {
    let code = "const { handler, run } = require('SDK/mynah')\n\
                handler(() => String(process.pid))\nrun()\n";
    within_time(a_handler_ends_with_its_killed_bot("node", code, "node")).await;
}

#[tokio::test]
async fn a_call_that_a_stop_cut_is_asked_after_the_next_start_with_its_id() {
    within_time(async {
        let settings = format!(
            "stop_deadline = '100ms'\n{}env = {{ MYNAH_TEST_CALLS = 'calls' }}\n",
            usual("mynah.toml")
        );
        let mut bot = Bot::with(&[("bot.toml", usual("bot.toml")), ("mynah.toml", settings)]);
        let calls = bot.folder.path().join("calls");
        bot.tell("gate").await;
        while std::fs::read_to_string(&calls).unwrap_or_default().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bot.signal(Signal::SIGTERM);
        bot.until_logged("the deadline of the stop passed").await;
        std::fs::write(bot.folder.path().join("gate"), "").expect("it is written");
        let Bot { mut child, input, mut output, folder, .. } = bot;
        drop(input);
        assert!(child.wait().await.expect("it ends").success());
        assert_eq!(output.next_line().await.expect("text"), None, "no effects before the start");
        let mut bot = Bot::of(folder);
        assert_eq!(bot.answer().await, "gate");
        let calls = std::fs::read_to_string(&calls).expect("calls");
        let ids: Vec<&str> = calls.lines().collect();
        assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    })
    .await;
}

#[tokio::test]
async fn sighup_starts_the_handlers_anew_unless_the_settings_are_wrong() {
    within_time(async {
        let mut bot = Bot::start();
        let first = bot.ask("pid").await;
        let settings = bot.folder.path().join("mynah.toml");
        let good = std::fs::read_to_string(&settings).expect("the settings");
        bot.hang_up();
        until_ended(&first).await;
        let second = bot.ask("pid").await;
        assert_ne!(first, second);
        std::fs::write(&settings, good.replace("name", "nam")).expect("it is written");
        bot.hang_up();
        bot.until_logged("the old handlers stay").await;
        assert_eq!(bot.ask("pid").await, second);
    })
    .await;
}

#[tokio::test]
async fn a_bot_that_ends_ends_its_handlers_with_their_children() {
    within_time(async {
        let mut bot = Bot::start();
        assert_eq!(bot.ask("hello").await, "hello");
        let child = bot.ask("pid").await;
        let grandchild = bot.ask("fork").await;
        let Bot { child: mut it, input, output: _output, log: _log, folder: _folder } = bot;
        drop(input);
        assert!(it.wait().await.expect("it ends").success());
        assert!(!runs(&child) && !runs(&grandchild));
    })
    .await;
}
