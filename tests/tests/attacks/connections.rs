//! Strangers who reach a listener of the bot: half-open connections and guessed tokens keep no client out.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use mynah_sandbox::Sandbox;
use mynah_tests::{Stage, story};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More connections than one address may have.
const MANY: usize = 600;

fn bot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bots/stories")
}

/// A bot with its console. Also returns the address of the console.
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

/// Sends a part of a request and stops.
async fn half_open(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // The server may have closed the connection already; the caller checks that.
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

/// Opens many connections without a complete request. Returns the first one and the others.
async fn open_many(address: &str) -> (TcpStream, Vec<TcpStream>) {
    let first = half_open(address).await;
    let mut others = Vec::new();
    for _ in 1..MANY {
        others.push(half_open(address).await);
    }
    (first, others)
}

#[tokio::test]
async fn half_open_connections_to_the_console_keep_no_client_out() {
    story(async {
        let (_stage, address) = serving().await;
        let (mut first, _others) = open_many(&address).await;
        assert_eq!(get(&address, "/health", None).await, "200");
        // The server closes the oldest ones: with an end or a reset, never with an answer.
        let mut rest = Vec::new();
        let _ = first.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    })
    .await;
}

#[tokio::test]
async fn half_open_connections_to_the_sandbox_keep_no_client_out() {
    story(async {
        let sandbox = Sandbox::start(mynah_sandbox::Options::default()).await.expect("a free port");
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        let _open = open_many(&address).await;
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
