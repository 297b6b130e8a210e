//! Rules that ask web services and send pictures of the web, in the whole program: what the operator did not open is not
//! reached. One time-out bounds each story.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0123456789";

/// A server of the own machine with a secret and a picture. It ends with the process of the tests.
struct Inside {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Inside {
    fn start() -> Self {
        Self::start_with("{\"found\":\"inside\"}")
    }

    /// Starts a server whose JSON is this.
    fn start_with(json: &str) -> Self {
        let json = json.as_bytes().to_vec();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (connections, heads) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (counted, kept) = (Arc::clone(&connections), Arc::clone(&heads));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                let (mut stream, mut head) = (stream.expect("a connection"), [0; 8192]);
                let length = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let body = if head.contains("cat.png") { PNG } else { json.as_slice() };
                kept.lock().expect("no test panicked").push(head);
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(&[head.as_bytes(), body].concat());
            }
        });
        Self { address, connections, heads }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Runs a bot with these rules and settings over `stdio` until the end of its input.
async fn run(folder: &Path, (rules, settings): (&str, &str), says: &[&str]) -> Output {
    std::fs::write(folder.join("bot.toml"), rules).expect("the folder takes files");
    std::fs::write(folder.join("mynah.toml"), settings).expect("the folder takes files");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
    for name in ["MYNAH_LOG", "MYNAH_DATA", "MYNAH_CONFIG", "MYNAH_SERVER", "MYNAH_LISTEN"] {
        command.env_remove(name);
    }
    command.args(["run", ".", "--transport", "stdio", "--config", "mynah.toml", "--no-pacing"]);
    command.current_dir(folder).env("LC_ALL", "C").env("KEY", "s3cret");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("it is piped");
    for text in says {
        let line = serde_json::json!({ "text": text, "from": "x" });
        // A program that refuses to start reads nothing.
        let _ = input.write_all(format!("{line}\n").as_bytes()).await;
    }
    drop(input);
    let ended = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output());
    ended.await.expect("it took too long").expect("it ends")
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// The texts and the files that were sent.
fn sent(output: &Output) -> Vec<Value> {
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect()
}

#[tokio::test]
async fn a_rule_file_made_to_steal_gets_nothing_out() {
    let (inside, folder) = (Inside::start(), TempDir::new().expect("a temporary folder"));
    let port = inside.address.port();
    let rule = |url: &str, more: &str| {
        format!(
            "[[rule]]\npattern = \"go {{what}}\"\nfetch = {{ url = \"{url}\", take = {{ found = \"/found\" }}{more} }}\n\
             reply = \"got {{found}}\"\nfetch_reply = \"nothing\"\n"
        )
    };
    let local = format!(
        "[fetch]\nprivate = [\"127.0.0.1:{port}\"]\nsecrets = {{ KEY = \"127.0.0.1:{port}\" }}\n"
    );
    let hosts = "[fetch]\nhosts = [\"api.example.com\"]\n";
    // The program does not start with these, and says why.
    for (url, more, settings) in [
        (format!("http://127.0.0.1:{port}/"), "", ""),
        (format!("http://127.0.0.1:{port}/?q={{what}}"), "", hosts),
        (format!("http://localhost:{port}/"), "", local.as_str()),
        (format!("http://0x7f000001:{}/", port ^ 1), "", local.as_str()),
        ("http://{what}/".to_owned(), "", hosts),
        (format!("http://{{what}}:{port}/"), "", local.as_str()),
        (format!("http://127.0.0.1:{port}/?q=${{PATH}}"), "", local.as_str()),
        (
            format!("http://127.0.0.1:{port}/"),
            ", headers = { x-key = \"${PATH}\" }",
            local.as_str(),
        ),
        ("https://api.example.com/?q=${KEY}".to_owned(), "", hosts),
    ] {
        let output = run(folder.path(), (&rule(&url, more), settings), &["go x"]).await;
        assert_ne!(output.status.code(), Some(0), "{url}: {}", shown(&output));
        assert!(output.stdout.is_empty() && !shown(&output).contains("s3cret"), "{url}");
    }
    assert_eq!(inside.connections(), 0);

    // What the operator opened is asked, and the words of a member stay text.
    let url = format!("http://127.0.0.1:{port}/?k=${{KEY}}&q={{what}}");
    let says = ["go ${KEY}&k=x#\r\nHost: evil.test"];
    let output = run(folder.path(), (&rule(&url, ""), &local), &says).await;
    assert_eq!(sent(&output)[0]["action"]["text"], "got inside", "{}", shown(&output));
    assert!(!shown(&output).contains("s3cret"), "{}", shown(&output));
    let heads = inside.heads.lock().expect("no test panicked").clone();
    let first = heads[0].lines().next().unwrap_or_default();
    assert_eq!(heads.len(), 1);
    assert!(first.starts_with("GET /?k=s3cret&q=%24%7BKEY%7D%26k%3Dx%23"), "{first}");
    assert!(!heads[0].to_lowercase().contains("\r\nhost: evil"), "{}", heads[0]);
}

#[tokio::test]
async fn a_picture_of_the_own_network_is_refused_unless_the_operator_names_its_host() {
    let (inside, folder) = (Inside::start(), TempDir::new().expect("a temporary folder"));
    // The service names the picture, so the rule file cannot be judged by it.
    let service = Inside::start_with(&format!(
        "{{\"pic\":\"http://[::ffff:127.0.0.1]:{}/cat.png?k=words\",\"named\":\"http://{}/cat.png\"}}",
        inside.address.port(),
        inside.address
    ));
    let rule = |text: &str, taken: &str| {
        format!(
            "[[rule]]\nexact = \"{text}\"\nfetch = {{ url = \"http://{}/\", take = {{ pic = \"/{taken}\" }} }}\n\
             image = \"{{pic}}\"\n\n",
            service.address
        )
    };
    let ping = "[[rule]]\nexact = \"ping\"\nreply = \"pong\"\n";
    let rules = rule("pic", "pic") + &rule("named", "named") + ping;
    let settings = format!("[fetch]\nprivate = [\"{}\"]\n", service.address);
    let output = run(folder.path(), (&rules, &settings), &["pic", "named", "ping"]).await;
    assert_eq!((service.connections(), inside.connections()), (2, 0), "{}", shown(&output));
    let texts: Vec<Value> =
        sent(&output).iter().map(|line| line["action"]["text"].clone()).collect();
    assert_eq!(texts, ["pong"], "the chat goes on: {}", shown(&output));
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(log.contains("which is not public") && !log.contains("words"), "{log}");

    let settings =
        format!("[fetch]\nprivate = [\"{}\", \"{}\"]\n", service.address, inside.address);
    let output = run(folder.path(), (&rules, &settings), &["pic", "named"]).await;
    let lines = sent(&output);
    assert_eq!(lines.len(), 1, "another notation is another host: {}", shown(&output));
    let source = &lines[0]["action"]["content"][0]["source"]["file"];
    let file = source.as_str().unwrap_or_else(|| panic!("{}", shown(&output)));
    assert_eq!(std::fs::read(folder.path().join(file)).expect("the file is there"), PNG);
    assert!(file.ends_with("cat.png"), "{file}");
}
