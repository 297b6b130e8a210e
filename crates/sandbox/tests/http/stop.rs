//! Stopping a sandbox, and continuing in another one.

use std::time::{Duration, Instant};

use mynah_sandbox::{Options, Sandbox};

use super::{client::Client, quick};

fn long() -> Options {
    Options { hold: Duration::from_secs(60), ..quick() }
}

/// Waits until the sandbox holds a call that began after `online` and has answered all others.
async fn held(
    sandbox: &Sandbox,
) -> (Client, tokio::task::JoinHandle<std::io::Result<super::client::Answer>>) {
    let client = Client::online(sandbox).await;
    let poll = client.clone();
    let path = format!("/cgi-bin/mmwebwx-bin/synccheck?synckey={}", client.key_text());
    let handle = tokio::spawn(async move { poll.try_get(&path).await });
    // Two round trips on other connections: the poll was accepted before them.
    client.get("/").await;
    client.get("/").await;
    (client, handle)
}

#[tokio::test]
async fn stopping_releases_the_held_poll() {
    let sandbox = Sandbox::start(long()).await.expect("a free port");
    let (client, poll) = held(&sandbox).await;
    let before = Instant::now();
    sandbox.stop().await;
    assert!(before.elapsed() < Duration::from_secs(5));
    let polled = poll.await.expect("no panic").expect("an answer").text();
    assert_eq!(polled, "window.synccheck={retcode:\"0\",selector:\"0\"}");
    assert!(client.try_get("/").await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn killing_breaks_the_held_poll() {
    let sandbox = Sandbox::start(long()).await.expect("a free port");
    let (client, poll) = held(&sandbox).await;
    sandbox.kill().await;
    assert!(poll.await.expect("no panic").is_err());
    assert!(client.try_get("/").await.is_err());
}

#[tokio::test]
async fn another_sandbox_continues_with_the_world_and_its_session() {
    let sandbox = Sandbox::start(quick()).await.expect("a free port");
    let mut client = Client::online(&sandbox).await;
    sandbox.say("小红", None, "之前");
    let name = client.name_of("小红").await;
    let listen = client.address.parse().expect("an address");
    let world = sandbox.kill().await;
    let sandbox =
        Sandbox::start(Options { listen, world, ..quick() }).await.expect("the same port");
    sandbox.say("小红", None, "之后");
    let texts: Vec<_> = client
        .messages()
        .await
        .iter()
        .map(|it| it["Content"].as_str().expect("a text").to_owned())
        .collect();
    assert_eq!(texts, ["之前", "之后"]);
    assert_eq!(client.name_of("小红").await, name);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_dropped_sandbox_is_gone() {
    let sandbox = Sandbox::start(quick()).await.expect("a free port");
    let client = Client::online(&sandbox).await;
    drop(sandbox);
    let mut tries = 0;
    while client.try_get("/").await.is_ok() {
        tries += 1;
        assert!(tries < 1000, "still there");
    }
}

#[tokio::test]
async fn an_address_in_use_is_reported() {
    let sandbox = Sandbox::start(quick()).await.expect("a free port");
    let listen = sandbox.url().trim_start_matches("http://").parse().expect("an address");
    assert!(Sandbox::start(Options { listen, ..quick() }).await.is_err());
}
