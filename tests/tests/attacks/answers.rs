//! A server that sends arbitrary answers: no answer makes the process grow by more than 64 MB, and none ends the bot.
//!
//! A proxy between bot and sandbox replaces one answer of webwxsync at a time. The test measures the peak of the
//! resident memory of the bot's process.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use mynah_tests::Stage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The time-out for all attacks: a busy machine without optimisation has to read some hundred megabytes.
const LONGEST: Duration = Duration::from_secs(400);

/// The most bytes by which an answer may make the process grow.
const GROWTH: u64 = 64 * 1024 * 1024;

/// A little less than the limit for a list.
const LARGE: usize = 11 * 1024 * 1024;

/// An answer on the wire.
enum Hostile {
    Whole {
        encoding: &'static str,
        body: Vec<u8>,
    },
    /// These bytes repeated endlessly, without a length.
    Endless(Vec<u8>),
}

/// A proxy that replaces answers of webwxsync.
#[derive(Clone, Default)]
struct Proxy {
    answers: Arc<Mutex<VecDeque<Hostile>>>,
}

impl Proxy {
    /// Starts to listen. Returns the address.
    async fn start(&self, sandbox: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener"));
        let proxy = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (proxy, sandbox) = (proxy.clone(), sandbox.clone());
                // A bot that drops a call breaks its connection.
                tokio::spawn(async move { drop(proxy.attend(client, &sandbox).await) });
            }
        });
        url
    }

    fn replace(&self, answer: Hostile) {
        self.answers.lock().unwrap().push_back(answer);
    }

    fn is_used(&self) -> bool {
        self.answers.lock().unwrap().is_empty()
    }

    async fn attend(&self, mut client: TcpStream, sandbox: &str) -> std::io::Result<()> {
        let (head, body) = request(&mut client).await?;
        let is_sync = head.lines().next().is_some_and(|line| line.contains("/webwxsync"));
        let hostile = if is_sync { self.answers.lock().unwrap().pop_front() } else { None };
        match hostile {
            Some(answer) => send(&mut client, answer).await,
            None => forward(client, sandbox, &head, &body).await,
        }
    }
}

/// A request: the head without its last empty line, and the body.
async fn request(client: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = bytes.split_off(end + 4);
    while body.len() < length.unwrap_or(0) {
        if client.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok((head, body))
}

/// Forwards a request to the sandbox on a connection of its own, and returns the answer.
async fn forward(
    mut client: TcpStream,
    sandbox: &str,
    head: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(sandbox.trim_start_matches("http://")).await?;
    server.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    server.write_all(body).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

async fn send(client: &mut TcpStream, answer: Hostile) -> std::io::Result<()> {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n";
    match answer {
        Hostile::Whole { encoding, body } => {
            let length = body.len();
            let head =
                format!("{HEAD}Content-Encoding: {encoding}\r\nContent-Length: {length}\r\n\r\n");
            client.write_all(head.as_bytes()).await?;
            client.write_all(&body).await
        }
        Hostile::Endless(part) => {
            client.write_all(format!("{HEAD}\r\n").as_bytes()).await?;
            while client.write_all(&part).await.is_ok() {}
            Ok(())
        }
    }
}

/// An answer that grants the call, with additional fields.
fn granted(beside: &str, end: &str) -> Vec<u8> {
    format!(r#"{{"BaseResponse":{{"Ret":0,"ErrMsg":""}},{beside}{end}}}"#).into_bytes()
}

/// A list of about this many bytes, which repeats one item.
fn list(item: &str, bytes: usize) -> String {
    format!("[{}]", vec![item; bytes / (item.len() + 1)].join(","))
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(body).unwrap();
    packer.finish().unwrap()
}

/// Hostile answers to webwxsync, each with its name.
fn hostile() -> Vec<(&'static str, Hostile)> {
    let whole = |body| Hostile::Whole { encoding: "identity", body };
    let lists = |field: &str, item: &str, bytes| {
        whole(granted(&format!(r#""{field}":"#), &list(item, bytes)))
    };
    let text = |unit: &[u8]| {
        let mut body = granted(r#""AddMsgList":[{"Content":""#, "");
        body.pop();
        body.extend(unit.repeat(LARGE / unit.len()));
        body.extend(br#""}]}"#);
        whole(body)
    };
    let message = r#"{"MsgId":"1","FromUserName":"@a","MsgType":1,"Content":"x"}"#;
    let members =
        format!(r#"{{"UserName":"@@g","MemberList":{}}}"#, list(r#"{"UserName":"@a"}"#, 100_000));
    let attributes = format!("&lt;a{}/&gt;", " b=''".repeat(150_000));
    let xml =
        format!(r#"{{"MsgId":"2","FromUserName":"@a","MsgType":49,"Content":"{attributes}"}}"#);
    vec![
        ("900 KB of empty messages", lists("AddMsgList", "{}", 900_000)),
        ("empty messages", lists("AddMsgList", "{}", LARGE)),
        ("messages", lists("AddMsgList", message, LARGE)),
        ("empty contacts", lists("ModContactList", "{}", LARGE)),
        ("groups with many members", lists("ModContactList", &members, LARGE)),
        ("deleted contacts", lists("DelContactList", "{}", LARGE)),
        ("cursors", whole(granted(r#""SyncKey":{"List":"#, &(list("{}", LARGE) + "}")))),
        ("attributes without end", lists("AddMsgList", &xml, 2_000_000)),
        ("lists in lists", whole(granted(r#""AddMsgList":"#, &"[".repeat(LARGE)))),
        ("one long text", text(b"x")),
        ("escapes", text(br"\u0001")),
        ("control characters", text(b"\x01")),
        ("bytes that are no UTF-8", text(b"\xff")),
        ("a number of many digits", whole(granted(r#""ContinueFlag":"#, &"9".repeat(LARGE)))),
        ("a number beyond all", whole(granted(r#""ContinueFlag":"#, "1e999999999"))),
        ("more than is read", whole(vec![b' '; 40_000_000])),
        ("a small answer that unpacks to 50 MB", {
            Hostile::Whole { encoding: "gzip", body: packed(&vec![b'['; 50_000_000]) }
        }),
        ("an answer packed a hundred times", {
            Hostile::Whole { encoding: HUNDRED.trim_end_matches(','), body: packed(&packed(b"{}")) }
        }),
        ("an answer without end", Hostile::Endless(vec![b' '; 65_536])),
    ]
}

/// The same coding a hundred times.
const HUNDRED: &str = concat!(
    "gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,",
    "gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,",
);

/// A number in the status of a process, in bytes.
fn memory(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', ' ', '\t']).trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/stories")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_makes_the_process_grow_by_more_than_64_mb_and_none_ends_the_bot() {
    let attacks = async {
        let proxy = Proxy::default();
        let stage = Stage::new(env!("CARGO_BIN_EXE_story_bot"), &bot()).await;
        let url = proxy.start(stage.sandbox.url().to_owned()).await;
        let mut stage = stage.through(url);
        stage.start().await;
        stage.sandbox.say("张三", Some("客户一群"), "数到 0");
        stage.expect("客户一群", "数到 0").await;
        let process = stage.process();
        let begun = memory(process, "VmRSS");
        for (n, (name, answer)) in hostile().into_iter().enumerate() {
            // Resets the peak to the present memory.
            std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
            let before = memory(process, "VmRSS");
            proxy.replace(answer);
            let text = format!("数到 {}", n + 1);
            stage.sandbox.say("张三", Some("客户一群"), &text);
            stage.expect("客户一群", &text).await;
            assert!(proxy.is_used(), "{name}: the bot did not ask");
            let growth = memory(process, "VmHWM").saturating_sub(before);
            println!("{name}: {} KB", growth / 1024);
            assert!(growth <= GROWTH, "{name}: grew by {} MB", growth >> 20);
        }
        let left = memory(process, "VmRSS").saturating_sub(begun);
        assert!(left <= GROWTH, "all answers together left {} MB behind", left >> 20);
    };
    tokio::time::timeout(LONGEST, attacks).await.expect("the attacks took too long");
}
