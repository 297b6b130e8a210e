//! Every word of `event`, played through every place that takes or shows one: a word that is missing somewhere fails here.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use assert_cmd::Command;
use mynah_core::EventKind;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long any one command may take in all.
const LONGEST: Duration = Duration::from_secs(60);

fn mynah() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
    command.env("LC_ALL", "C").env_remove("MYNAH_LOG").timeout(LONGEST);
    command
}

/// A bot with a rule and a test for each word.
fn bot() -> TempDir {
    let mut rules = "[bot]\ntimezone = \"Asia/Shanghai\"\n".to_owned();
    for kind in EventKind::ALL {
        let word = kind.word();
        // Only friends can be answered.
        let accept = if *kind == EventKind::FriendRequest { "accept = true\n" } else { "" };
        writeln!(
            rules,
            "[[rule]]\nid = \"{word}\"\nevent = \"{word}\"\n{accept}reply = \"seen {word}\"\n\n\
             [[test]]\nname = \"{word}\"\nscript = '''\n{}\n> seen {word}\n'''\n",
            line(*kind)
        )
        .unwrap();
    }
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("bot.toml"), rules).unwrap();
    folder
}

/// The line of a test by which the event happens.
fn line(kind: EventKind) -> String {
    let word = kind.word();
    match kind {
        EventKind::FriendRequest => format!("! {word} Stranger: hello\n=> accept Stranger"),
        EventKind::Rename => format!("! {word} Harness/Ann: New name"),
        EventKind::Recall => format!("Harness/Ann: oops\n! {word} Harness/Ann"),
        EventKind::Join | EventKind::Leave | EventKind::Pat | EventKind::RedPacket => {
            format!("! {word} Harness/Ann")
        }
    }
}

/// The action of a person in the sandbox that causes the event.
fn act(kind: EventKind, me: &str) -> Value {
    let word = kind.word();
    match kind {
        EventKind::Join | EventKind::Leave => {
            json!({ "act": word, "from": "Newcomer", "group": "Harness" })
        }
        EventKind::Rename => {
            json!({ "act": word, "from": "Ann", "group": "Harness", "name": "Harness" })
        }
        EventKind::FriendRequest => json!({ "act": word, "from": "Stranger", "text": "hello" }),
        EventKind::Pat => json!({ "act": word, "from": "Ann", "group": "Harness", "target": me }),
        EventKind::RedPacket | EventKind::Recall => {
            json!({ "act": word, "from": "Ann", "group": "Harness" })
        }
    }
}

#[test]
fn every_word_is_checked_and_tested() {
    let bot = bot();
    for lang in ["en", "zh"] {
        mynah().args(["check", "--lang", lang]).arg(bot.path()).assert().success();
    }
    mynah().arg("test").arg(bot.path()).assert().success();
}

#[test]
fn every_word_is_replayed() {
    let bot = bot();
    let messages = bot.path().join("messages.jsonl");
    let lines: Vec<String> = EventKind::ALL
        .iter()
        .map(|kind| {
            let mut line = json!({ "event": kind.word(), "from": "Ann", "text": "New name" });
            if *kind != EventKind::FriendRequest {
                line["group"] = "Harness".into();
            }
            line.to_string()
        })
        .collect();
    std::fs::write(&messages, lines.join("\n")).unwrap();
    let output =
        mynah().args(["replay", "--json"]).arg(bot.path()).arg(&messages).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), EventKind::ALL.len(), "{out}");
    for (answer, kind) in answers.iter().zip(EventKind::ALL) {
        assert_eq!(answer["rule"], kind.word(), "{answer}");
    }
}

#[test]
fn every_word_happens_in_the_sandbox_and_is_answered() {
    let bot = bot();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mynah"))
        .args(["sandbox", "--lang", "en", "--group", "Harness", "--as", "Ann"])
        .arg(bot.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (ended, wait) = mpsc::channel::<()>();
    let pid = child.id().to_string();
    // One time-out for all: a program that is killed ends every wait below.
    std::thread::spawn(move || {
        if wait.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
        }
    });
    let mut input = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = out.next().unwrap();
    let address = first.strip_prefix("listening on http://").unwrap().to_owned();
    // The message that is recalled. The bot is logged in when its line is shown.
    writeln!(input, "oops").unwrap();
    assert!(out.any(|line| line.ends_with("oops")), "the message is shown");
    let mut events = follow(&address);
    let state = exchange(&address, "GET", "/sandbox/state", &Value::Null);
    let me = state["me"]["name"].as_str().expect("the bot has a name").to_owned();
    for kind in EventKind::ALL {
        let answer = exchange(&address, "POST", "/sandbox/acts", &act(*kind, &me));
        assert_eq!(answer["ok"], true, "{}: {answer}", kind.word());
        let expected = format!("seen {}", kind.word());
        assert!(events.any(|line| line.contains(&expected)), "no event with {expected}");
    }
    drop(input);
    // The pipe is read to its end: a program that cannot print ends otherwise.
    out.for_each(drop);
    assert!(child.wait().unwrap().success());
    drop(ended);
}

fn connect(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// The lines of the events of the sandbox, from now on.
fn follow(address: &str) -> impl Iterator<Item = String> {
    let request = format!("GET /sandbox/events HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut lines = BufReader::new(connect(address, &request)).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.is_empty()), "the events begin behind the head");
    lines
}

/// The answer to a call of the control API.
fn exchange(address: &str, method: &str, path: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut answer = String::new();
    connect(address, &request).read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[test]
fn the_pages_know_every_word_in_both_languages() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../page/assets");
    let texts = std::fs::read_to_string(assets.join("i18n.js")).unwrap();
    let menu = std::fs::read_to_string(assets.join("talk.js")).unwrap();
    for kind in EventKind::ALL {
        let word = kind.word();
        assert!(texts.contains(&format!("\"kind-{word}\": [\"")), "the log has no text for {word}");
        assert!(texts.contains(&format!("\n  {word}: [\"")), "the menu has no text for {word}");
        assert!(menu.contains(&format!("(\"{word}\"")), "the menu cannot do {word}");
    }
}
