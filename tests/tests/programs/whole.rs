//! `mynah run` with a handler of `mynah.toml`.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::stage::{CHILD, runs, until_ended, within_time};

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
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("it is written");
        };
        write("bot.toml", "[[rule]]\nregex = '(?s).+'\nrun = \"helper\"\n");
        write("mynah.toml", &format!("[[handler]]\nname = 'helper'\ncommand = ['{CHILD}']\n"));
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

    fn hang_up(&self) {
        use nix::sys::signal::{Signal, kill};
        let process = self.child.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        kill(nix::unistd::Pid::from_raw(process), Signal::SIGHUP).expect("it is sent");
    }

    async fn until_logged(&mut self, words: &str) {
        while !self.log.next_line().await.expect("text").expect("a line").contains(words) {}
    }

    async fn ask(&mut self, text: &str) -> String {
        let line = json!({"text": text, "from": "Ann"}).to_string() + "\n";
        self.input.write_all(line.as_bytes()).await.expect("it is read");
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
