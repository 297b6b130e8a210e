//! A handler that behaves as the text of each message asks: well, slowly, or not at all.
//!
//! With `MYNAH_TEST_CALLS` it adds a line for each call of `计数`, `gate` and of later calls to this file, with the id.
//! `--crash-at-start` ends at once, `--deaf` goes on after the end of its input, `--not-reading` never reads.
#![expect(clippy::print_stderr, reason = "the standard error of a handler is under test")]

use std::fs::OpenOptions;
use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    eprintln!("the child {} has started", std::process::id());
    if has("--crash-at-start") {
        eprintln!("there is no module named weather");
        exit(3);
    }
    if has("--not-reading") {
        sleep(Duration::from_secs(3600));
    }
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    while input.by_ref().read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        let request: Value = serde_json::from_str(&line).expect("a request");
        line.clear();
        behave(&request);
    }
    if has("--deaf") {
        sleep(Duration::from_secs(3600));
    }
}

fn say(answer: &Value) {
    write(format!("{answer}\n").as_bytes());
}

/// A closed pipe ends the child, as it ends other programs.
fn write(bytes: &[u8]) {
    let mut output = std::io::stdout().lock();
    if output.write_all(bytes).and_then(|()| output.flush()).is_err() {
        exit(1);
    }
}

fn behave(request: &Value) {
    let id = &request["id"];
    let text = request["event"]["text"].as_str().unwrap_or_default();
    let reply = json!({"id": id, "reply": text});
    let (word, argument) = text.split_once(' ').unwrap_or((text, ""));
    if request["event"]["kind"] == "due" {
        note_call(&format!("{id} later {}", request["event"]["data"]));
        return say(&json!({"id": id, "add": {"chat.later": 1}}));
    }
    match word {
        "计数" => {
            note_call(&format!("{id} {argument}"));
            say(&json!({
                "id": id, "reply": format!("答案 {argument}"), "add": {"chat.answered": 1},
                "later": [{"after": "1ms", "data": argument}],
            }));
        }
        "request" => say(&json!({"id": id, "reply": request.to_string()})),
        "answer" => {
            let mut answer: Value = serde_json::from_str(argument).expect("JSON");
            answer["id"] = id.clone();
            say(&answer);
        }
        // Waits until its folder has a file of this name.
        "gate" => {
            note_call(&id.to_string());
            while !Path::new("gate").exists() {
                sleep(Duration::from_millis(5));
            }
            say(&reply);
        }
        "error" => say(&json!({"id": id, "error": argument})),
        "late" => {
            sleep(Duration::from_millis(argument.parse().expect("milliseconds")));
            say(&reply);
        }
        "complain" => {
            let line = vec![b'!'; 1 << 20];
            let mut errors = std::io::stderr().lock();
            (0..4).for_each(|_| drop(errors.write_all(&line)));
            drop(errors);
            say(&reply);
        }
        "twice" => {
            say(&reply);
            say(&reply);
        }
        "unknown" => {
            say(&json!({"id": "nobody/1#0", "reply": "x"}));
            say(&reply);
        }
        // A child of the child, which keeps all pipes open.
        "fork" => say(&json!({"id": id, "reply": fork().to_string()})),
        "pid" => say(&json!({"id": id, "reply": std::process::id().to_string()})),
        _ => misbehave(word, &reply),
    }
}

/// Adds a line to the file of calls, in one write.
fn note_call(line: &str) {
    let path = std::env::var("MYNAH_TEST_CALLS").expect("the file of calls");
    let mut calls = OpenOptions::new().create(true).append(true).open(path).expect("a file");
    calls.write_all(format!("{line}\n").as_bytes()).expect("it is written");
}

/// Behaves in a way that no answer can mend.
fn misbehave(word: &str, reply: &Value) {
    match word {
        "hang" => sleep(Duration::from_secs(3600)),
        "silent" => {}
        "exit" => exit(4),
        "rubbish" => write(b"Traceback (most recent call last):\n"),
        "binary" => write(&[0, 159, 146, 150, b'\n']),
        "surrogate" => {
            let id = &reply["id"];
            write(format!("{{\"id\": {id}, \"reply\": \"\\ud83d\"}}\n").as_bytes());
        }
        "deep" => {
            let nested = "[".repeat(100_000) + &"]".repeat(100_000);
            write(format!("{{\"id\": {}, \"reply\": {nested}}}\n", reply["id"]).as_bytes());
        }
        "number" => write(format!("{{\"id\": {}, \"add\": 1e999}}\n", reply["id"]).as_bytes()),
        "half" => {
            write(b"{\"id\": \"");
            exit(5);
        }
        "answer-and-exit" => {
            say(reply);
            exit(6);
        }
        "long" => {
            let piece = vec![b'x'; 1 << 20];
            (0..100).for_each(|_| write(&piece));
            write(b"\n");
        }
        "flood" => loop {
            say(&json!({"id": "nobody", "reply": "x"}));
        },
        "fork-and-exit" => {
            fork();
            exit(7);
        }
        _ => say(reply),
    }
}

/// Starts a process that outlives this one, and returns its number.
fn fork() -> u32 {
    Command::new("sleep").arg("3600").spawn().expect("sleep").id()
}
