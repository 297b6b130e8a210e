//! Strangers who reach a listener of the bot: half-open connections and guessed tokens keep nobody out.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use mynah_sandbox::Sandbox;
use mynah_tests::{Stage, story};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than one address may have.
const MANY: usize = 600;

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/stories")
}

/// A bot that serves its console. Returns the address of the console too.
async fn serving() -> (Stage, String) {
    let stage = Stage::new(env!("CARGO_BIN_EXE_story_bot"), &bot()).await;
    let mut stage = stage.argument("--listen").argument("127.0.0.1:0");
    stage.spawn();
    let line = stage.logged("page: http://").await;
    let (_, address) = line.split_once("http://").expect("it was logged");
    let address = address.trim_end_matches('/').to_owned();
    stage.online().await;
    (stage, address)
}

/// Begins a request and does not go on.
async fn half_open(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // It may be closed already, which the caller finds out.
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    stream
}

/// The status of an answer.
async fn get(address: &str, path: &str, token: Option<&str>) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let token = token.map(|it| format!("Authorization: Bearer {it}\r\n")).unwrap_or_default();
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{token}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("it hears");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).expect("a status").to_owned()
}

/// Opens many connections without a whole request. Returns the first and the last of them.
async fn besiege(address: &str) -> (TcpStream, Vec<TcpStream>) {
    let first = half_open(address).await;
    let mut others = Vec::new();
    for _ in 1..MANY {
        others.push(half_open(address).await);
    }
    (first, others)
}

#[tokio::test]
async fn half_open_connections_to_the_console_keep_nobody_out() {
    story(async {
        let (_stage, address) = serving().await;
        let (mut first, _others) = besiege(&address).await;
        assert_eq!(get(&address, "/health", None).await, "200");
        // The oldest had to make room: an end or a reset, never an answer.
        let mut rest = Vec::new();
        let _ = first.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    })
    .await;
}

#[tokio::test]
async fn half_open_connections_to_the_sandbox_keep_nobody_out() {
    story(async {
        let sandbox = Sandbox::start(mynah_sandbox::Options::default()).await.expect("a free port");
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        let _open = besiege(&address).await;
        assert_eq!(get(&address, "/sandbox/state", None).await, "200");
        sandbox.stop().await;
    })
    .await;
}

#[tokio::test]
async fn guessers_of_the_token_do_not_lock_out_its_owner() {
    story(async {
        let (stage, address) = serving().await;
        let token = std::fs::read_to_string(stage.data.path().join("page-token")).expect("a token");
        let guesses = join_all((0..60).map(|_| get(&address, "/api/accounts", Some("guess"))));
        let owner = get(&address, "/api/accounts", Some(token.trim()));
        let (guesses, owner) = tokio::join!(guesses, owner);
        assert!(guesses.iter().all(|status| status == "401"), "{guesses:?}");
        assert_eq!(owner, "200");
    })
    .await;
}
