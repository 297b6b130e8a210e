//! `mynah run` with a handler of `mynah.toml`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use mynah_tests::processes::{runs, until_ended};
use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
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

/// A folder with these files.
fn folder_with(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("it is written");
    }
    folder
}

impl Bot {
    fn start() -> Self {
        Self::with(&["bot.toml", "mynah.toml"].map(|name| (name, usual(name))))
    }

    /// A bot with these files.
    fn with(files: &[(&str, String)]) -> Self {
        Self::with_arguments(files, &[])
    }

    /// The bot of this folder.
    fn of(folder: tempfile::TempDir) -> Self {
        Self::run(folder, &[])
    }

    /// A bot with these files and more arguments.
    fn with_arguments(files: &[(&str, String)], arguments: &[&str]) -> Self {
        Self::run(folder_with(files), arguments)
    }

    fn run(folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stock_bot"))
            .args(["run", ".", "--transport", "stdio", "--config", "mynah.toml"])
            .args(arguments)
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

    fn save(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("it is written");
    }

    async fn until_logged(&mut self, words: &str) -> String {
        self.until_logged_beside(words, |_| {}).await
    }

    /// Waits for a line of the log, and passes the lines before it to `others`.
    async fn until_logged_beside(&mut self, words: &str, mut others: impl FnMut(&str)) -> String {
        loop {
            let line = self.log.next_line().await.expect("text").expect("a line");
            if line.contains(words) {
                return line;
            }
            others(&line);
        }
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

/// A bot whose handler is code for this interpreter; `None` without the interpreter.
fn bot_with_code(program: &str, code: &str, sdk: &str) -> Option<Bot> {
    if !is_installed(program) {
        return None;
    }
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk").join(sdk);
    let code = code.replace("SDK", &sdk.display().to_string());
    let settings =
        format!("[[handler]]\nname = 'helper'\ncommand = ['{program}', 'helper.code']\n");
    let rules = usual("bot.toml");
    let files = [("bot.toml", rules), ("mynah.toml", settings), ("helper.code", code)];
    Some(Bot::with(&files))
}

async fn a_handler_ends_with_its_killed_bot(program: &str, code: &str, sdk: &str) {
    let Some(mut bot) = bot_with_code(program, code, sdk) else { return };
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
async fn a_handler_in_python_survives_answers_that_have_no_json_and_exits() {
    let code = "import os, sys\nsys.path.insert(0, 'SDK')\nsys.dont_write_bytecode = True\n\
                from mynah import handler, run\n@handler\ndef helper(ctx):\n    \
                if ctx.text == 'exit': sys.exit(1)\n    \
                if ctx.text == 'nan': ctx.later('1m', float('nan'))\n    \
                if ctx.text == 'half': return 'x\\ud83d'\n    \
                return str(os.getpid())\nrun()\n";
    within_time(async {
        let Some(mut bot) = bot_with_code("python3", code, "python") else { return };
        let child = bot.ask("hello").await;
        for (text, why) in [("exit", "SystemExit"), ("nan", "the answer is not JSON")] {
            bot.tell(text).await;
            bot.until_logged(why).await;
            assert_eq!(bot.ask("hello").await, child, "{text}");
        }
        assert_eq!(bot.ask("half").await, "x?");
        assert_eq!(bot.ask("hello").await, child);
    })
    .await;
}

#[tokio::test]
async fn a_handler_in_javascript_may_answer_half_of_an_emoji() {
    let code = "const { handler, run } = require('SDK/mynah')\n\
                handler(ctx => ctx.text === 'half' ? 'x' + '😀'.slice(0, 1) : String(process.pid))\nrun()\n";
    within_time(async {
        let Some(mut bot) = bot_with_code("node", code, "node") else { return };
        let child = bot.ask("hello").await;
        assert_eq!(bot.ask("half").await, "x\u{fffd}");
        assert_eq!(bot.ask("hello").await, child);
    })
    .await;
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
        bot.until_logged("the old ones stay").await;
        assert_eq!(bot.ask("pid").await, second);
    })
    .await;
}

/// The table of a handler that is the child.
fn handler(name: &str, more: &str) -> String {
    format!("[[handler]]\nname = '{name}'\ncommand = ['{CHILD}']\n{more}")
}

/// A rule that runs a handler for the messages that begin with this word.
fn rule(word: &str, handler: &str) -> String {
    format!("[[rule]]\nregex = '^{word}'\nrun = \"{handler}\"\n")
}

/// A bot with these rules and settings.
fn bot(rules: &str, settings: &str) -> Bot {
    Bot::with(&[("bot.toml", rules.to_owned()), ("mynah.toml", settings.to_owned())])
}

#[tokio::test]
async fn saved_settings_bring_and_end_handlers_and_leave_the_others_alone() {
    within_time(async {
        let helper = handler("helper", "");
        let mut bot = bot(&rule(".", "helper"), &helper);
        let first = bot.ask("pid").await;
        bot.save("mynah.toml", &(helper + &handler("other", "role = 'before'\n")));
        bot.until_logged("settings were reloaded").await;
        let other = bot.ask("pid").await;
        assert_ne!(other, first, "the new one comes before the rules");
        assert_eq!(bot.answer().await, first, "the unchanged one has its process");
        bot.save("mynah.toml", &handler("helper", "timeout = '20s'\n"));
        bot.until_logged("settings were reloaded").await;
        let second = bot.ask("pid").await;
        assert!(second != first && second != other);
        until_ended(&first).await;
        until_ended(&other).await;
        assert_eq!(bot.ask("hello").await, "hello", "by one handler");
    })
    .await;
}

#[tokio::test]
async fn a_call_in_flight_is_finished_by_the_process_that_has_it() {
    within_time(async {
        let calls = "env = { MYNAH_TEST_CALLS = 'calls' }\n";
        let mut bot = bot(&rule(".", "helper"), &handler("helper", calls));
        let first = bot.ask("pid").await;
        let file = bot.folder.path().join("calls");
        bot.tell("gate").await;
        while std::fs::read_to_string(&file).unwrap_or_default().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bot.save("mynah.toml", &handler("helper", &format!("{calls}timeout = '20s'\n")));
        bot.until_logged("settings were reloaded").await;
        assert!(runs(&first));
        bot.save("gate", "");
        assert_eq!(bot.answer().await, "gate");
        assert_ne!(bot.ask("pid").await, first);
        until_ended(&first).await;
        let calls = std::fs::read_to_string(&file).expect("calls");
        assert_eq!(calls.lines().count(), 1, "asked once: {calls}");
    })
    .await;
}

#[tokio::test]
async fn rules_that_run_a_new_handler_wait_for_its_settings() {
    within_time(async {
        let mut bot = bot(&rule(".", "helper"), &handler("helper", ""));
        let first = bot.ask("pid").await;
        bot.save("bot.toml", &(rule("new", "other") + &rule(".", "helper")));
        let line = bot.until_logged("bot.toml:3:").await;
        assert!(line.contains("other"), "{line}");
        bot.until_logged("the old ones stay").await;
        assert_eq!(bot.ask("new").await, "new", "by the old rules");
        bot.save("mynah.toml", &(handler("helper", "") + &handler("other", "")));
        bot.until_logged("the rules were reloaded").await;
        assert_eq!(bot.ask("new").await, "new");
        assert_eq!(bot.ask("pid").await, first);
    })
    .await;
}

#[tokio::test]
async fn settings_without_a_handler_that_rules_run_wait_for_the_rules() {
    within_time(async {
        let both = handler("helper", "") + &handler("other", "");
        let mut bot = bot(&(rule("new", "other") + &rule(".", "helper")), &both);
        assert_eq!(bot.ask("new").await, "new");
        bot.save("mynah.toml", &handler("helper", ""));
        let line = bot.until_logged("bot.toml:3:").await;
        assert!(line.contains("other"), "{line}");
        bot.until_logged("the old ones stay").await;
        assert_eq!(bot.ask("new").await, "new");
        bot.save("bot.toml", &rule(".", "helper"));
        let line = bot.until_logged("settings were reloaded").await;
        assert!(line.contains("other"), "{line}");
        assert_eq!(bot.ask("new").await, "new", "by the other one");
    })
    .await;
}

/// A rule that asks a service where none is.
const ASKING: &str = "[[rule]]\nexact = \"ask\"\nfetch = { url = \"http://127.0.0.1:9/\", take = { x = \"text\" } }\n\
    reply = \"{x}\"\nfetch_reply = \"nobody there\"\n";

#[tokio::test]
async fn hosts_of_the_settings_open_when_they_are_saved_and_stay_open_for_the_rules() {
    within_time(async {
        let closed = handler("helper", "");
        let mut bot = bot(&rule(".", "helper"), &closed);
        assert_eq!(bot.ask("ask").await, "ask");
        bot.save("bot.toml", &(ASKING.to_owned() + &rule(".", "helper")));
        let line = bot.until_logged("add to mynah.toml").await;
        assert!(line.contains("[fetch] private = [\"127.0.0.1:9\"]"), "{line}");
        assert_eq!(bot.ask("ask").await, "ask");
        bot.save("mynah.toml", &(closed.clone() + "[fetch]\nprivate = ['127.0.0.1:9']\n"));
        bot.until_logged("[fetch] of the settings was reloaded").await;
        bot.until_logged("2 rules").await;
        assert_eq!(bot.ask("ask").await, "nobody there");
        bot.save("mynah.toml", &closed);
        bot.until_logged("bot.toml:3:").await;
        bot.until_logged("the old ones stay").await;
        assert_eq!(bot.ask("ask").await, "nobody there");
    })
    .await;
}

#[tokio::test]
async fn bad_settings_change_nothing_and_are_reported_once() {
    within_time(async {
        let good = handler("helper", "");
        let mut bot = bot(&rule(".", "helper"), &good);
        let first = bot.ask("pid").await;
        for bad in ["", "[[handler]\n", &good.replace("name", "nam"), &(good.clone() + &good)] {
            bot.save("mynah.toml", bad);
            bot.until_logged("the old ones stay").await;
            assert_eq!(bot.ask("pid").await, first, "{bad}");
        }
        bot.save("mynah.toml", &handler("helper", "timeout = '20s'\n"));
        let mut reported = 0;
        let is_reported = |line: &str| line.contains("the old ones stay");
        bot.until_logged_beside("settings were reloaded", |line| {
            reported += usize::from(is_reported(line));
        })
        .await;
        assert_eq!(reported, 0, "each once");
        assert_ne!(bot.ask("pid").await, first);
    })
    .await;
}

#[tokio::test]
async fn a_handler_reads_the_values_of_the_rule_file_until_others_are_set() {
    within_time(async {
        let rules = "[bot.vars]\nopen = 'no'\n[[group]]\nname = 'Shop'\nvars = { city = 'Rome', tea = 'green' }\n".to_owned()
            + "[[rule]]\nexact = \"move\"\nset = { \"chat.city\" = \"Oslo\" }\nreply = \"moved\"\n"
            + &rule("request", "helper");
        let settings = handler("helper", "reads = ['chat.*', 'bot.open', 'user.x']\n");
        let mut bot = bot(&rules, &settings);
        let mut vars = async |group: &str, text: &str| {
            let line = json!({"text": text, "from": "Ann", "group": group}).to_string() + "\n";
            bot.input.write_all(line.as_bytes()).await.expect("it is read");
            let answer = bot.answer().await;
            let request: Value = serde_json::from_str(&answer).unwrap_or_default();
            request["vars"].clone()
        };
        let open = json!({"bot.open": "no"});
        assert_eq!(vars("Club", "request").await, open);
        let of_group = json!({"bot.open": "no", "chat.city": "Rome", "chat.tea": "green"});
        assert_eq!(vars("Shop", "request").await, of_group);
        assert_eq!(vars("Shop", "move").await, Value::Null);
        let moved = json!({"bot.open": "no", "chat.city": "Oslo", "chat.tea": "green"});
        assert_eq!(vars("Shop", "request").await, moved);
    })
    .await;
}

/// The output of `mynah status` about a bot.
async fn status(bot: &Bot) -> String {
    let folder = bot.folder.path();
    let mut status = Command::new(env!("CARGO_BIN_EXE_stock_bot"));
    let output = status.args(["status"]).current_dir(folder).output().await.expect("it runs");
    String::from_utf8(output.stdout).expect("text")
}

/// The part of `/health` about the only account.
async fn health(address: &str) -> Value {
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let health: Value = serde_json::from_str(body).expect("JSON");
    health["accounts"].as_object().and_then(|all| all.values().next().cloned()).expect("an account")
}

#[tokio::test]
async fn refused_settings_are_shown_until_they_are_mended() {
    within_time(async {
        let good = handler("helper", "");
        let mut bot = Bot::with_arguments(
            &[("bot.toml", rule(".", "helper")), ("mynah.toml", good.clone())],
            &["--listen", "127.0.0.1:0"],
        );
        let address = bot.until_logged("serving /health").await;
        let address = address.split("address=").nth(1).expect("an address").trim().to_owned();
        let health = async || health(&address).await;
        assert_eq!(bot.ask("hello").await, "hello");
        let shown = status(&bot).await;
        assert!(
            !shown.contains("settings") && shown.contains("handler  helper: running, 1 answered"),
            "{shown}"
        );
        bot.save("mynah.toml", &good.replace("name", "nam"));
        bot.until_logged("the old ones stay").await;
        let shown = status(&bot).await;
        assert!(shown.contains("settings mynah.toml:2: "), "{shown}");
        assert!(shown.contains("the old settings are in use"), "{shown}");
        assert_eq!(health().await["rejected_settings"]["line"], 2);
        bot.save("mynah.toml", &(good.clone() + "timeout = '20s'\n"));
        bot.until_logged("settings were reloaded").await;
        assert!(!status(&bot).await.contains("settings"));
        assert_eq!(health().await["rejected_settings"], Value::Null);
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
