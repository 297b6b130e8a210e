//! `mynah sandbox` with handlers of `mynah.toml`, which is saved meanwhile.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::stage::{CHILD, within_time};

/// A sandbox with a page and with messages from a pipe.
struct Sandbox {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
}

impl Sandbox {
    fn start(rules: &str, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("bot.toml", rules), ("mynah.toml", settings)] {
            std::fs::write(folder.path().join(name), text).expect("it is written");
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_stock_bot"))
            .args(["sandbox", ".", "--config", "mynah.toml", "--page", "127.0.0.1:0"])
            .args(["--lang", "en"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, input, output, folder }
    }

    fn save(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("it is written");
    }

    /// Waits for a line with these words.
    async fn until(&mut self, words: &str) -> String {
        loop {
            let line = self.output.next_line().await.expect("text").expect("a line");
            if line.contains(words) {
                return line;
            }
        }
    }

    async fn ask(&mut self, text: &str) -> String {
        self.input.write_all(format!("{text}\n").as_bytes()).await.expect("it is read");
        self.until("> ").await
    }
}

fn handler(name: &str, more: &str) -> String {
    format!("[[handler]]\nname = '{name}'\ncommand = ['{CHILD}']\n{more}")
}

const RULES: &str = "[[rule]]\nregex = '^pid'\nrun = \"helper\"\n\
    [[rule]]\nexact = \"ask\"\nfetch = { url = \"http://127.0.0.1:9/\", take = { x = \"text\" } }\nreply = \"{x}\"\n\
    fetch_reply = \"no answer\"\n";

#[tokio::test]
async fn saved_settings_reach_the_bot_in_the_sandbox_and_bad_ones_do_not() {
    within_time(async {
        let good = handler("helper", "");
        let mut sandbox = Sandbox::start(RULES, &good);
        let first = sandbox.ask("pid").await;
        sandbox.save("mynah.toml", &handler("other", ""));
        let line = sandbox.until("bot.toml:3:").await;
        assert!(line.contains("helper"), "{line}");
        sandbox.until("the old settings stay").await;
        assert_eq!(sandbox.ask("pid").await, first);
        sandbox.save("mynah.toml", &good.replace("name", "nam"));
        sandbox.until("mynah.toml:2:").await;
        sandbox.until("the old settings stay").await;
        assert_eq!(sandbox.ask("pid").await, first);
        let open = "[fetch]\nprivate = ['127.0.0.1:9']\n";
        sandbox.save("mynah.toml", &(handler("helper", "timeout = '20s'\n") + open));
        let line = sandbox.until("settings reloaded").await;
        assert!(line.ends_with("handlers started anew: helper; [fetch] changed"), "{line}");
        assert_ne!(sandbox.ask("pid").await, first);
        assert_eq!(sandbox.ask("ask").await, "> no answer");
    })
    .await;
}

#[tokio::test]
async fn rules_that_run_no_removed_handler_let_refused_settings_in() {
    within_time(async {
        let both = handler("helper", "") + &handler("other", "");
        let mut sandbox = Sandbox::start(RULES, &both);
        sandbox.ask("pid").await;
        sandbox.save("mynah.toml", &handler("other", ""));
        sandbox.until("the old settings stay").await;
        sandbox.save("bot.toml", "[[rule]]\nregex = '^pid'\nrun = \"other\"\n");
        let line = sandbox.until("settings reloaded").await;
        assert!(line.ends_with("handlers removed: helper"), "{line}");
        sandbox.ask("pid").await;
    })
    .await;
}

#[tokio::test]
async fn sighup_starts_the_handlers_of_the_sandbox_anew() {
    within_time(async {
        let mut sandbox = Sandbox::start(RULES, &handler("helper", ""));
        let first = sandbox.ask("pid").await;
        let process = sandbox.child.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        kill(nix::unistd::Pid::from_raw(process), Signal::SIGHUP).expect("it is sent");
        sandbox.until("handlers started anew: helper").await;
        assert_ne!(sandbox.ask("pid").await, first);
    })
    .await;
}
