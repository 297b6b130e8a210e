//! Requests at once, and answers that count for equal requests.

use std::time::Duration;

use mynah_core::{Fetch, FetchRequest};
use mynah_fetch::MOST_AT_ONCE;

use crate::server::{Received, Server, Step, answer, ok};
use crate::{client_for, get, within};

/// A server whose answers wait for the test.
async fn waiting() -> Server {
    Server::start(|request: &Received| [vec![Step::Wait], ok(request.path())].concat()).await
}

#[tokio::test]
async fn eight_requests_of_an_account_run_at_once() {
    let server = waiting().await;
    let client = client_for(&server);
    let fetcher = client.fetcher();
    let tasks: Vec<_> = (0..MOST_AT_ONCE * 2)
        .map(|n| {
            let (fetcher, request) = (fetcher.clone(), get(server.url(&format!("/{n}"))));
            tokio::spawn(async move { fetcher.fetch(&request).await })
        })
        .collect();
    within(server.until_open(MOST_AT_ONCE)).await;
    // Another account is not held up.
    let (other, request) = (client.fetcher(), get(server.url("/other")));
    let other = tokio::spawn(async move { other.fetch(&request).await });
    within(server.until_open(MOST_AT_ONCE + 1)).await;
    // A wait counts for the time-out.
    let request = FetchRequest { timeout: Duration::from_millis(50), ..get(server.url("/late")) };
    assert!(within(fetcher.fetch(&request)).await.is_err());
    assert_eq!(server.received().len(), MOST_AT_ONCE + 1);
    server.release(MOST_AT_ONCE * 2 + 1);
    for task in tasks {
        within(task).await.unwrap().unwrap();
    }
    within(other).await.unwrap().unwrap();
    assert_eq!(server.most_open(), MOST_AT_ONCE + 1);
    assert!(server.received().iter().all(|request| request.path() != "/late"));
}

fn cached(url: String) -> FetchRequest {
    FetchRequest { cache: Some(Duration::from_secs(600)), ..get(url) }
}

#[tokio::test]
async fn equal_requests_share_one_answer_of_their_account() {
    let server = waiting().await;
    let client = client_for(&server);
    let fetcher = client.fetcher();
    let mut tasks = Vec::new();
    for n in 0..20 {
        let key = Some(format!("m{n}"));
        let request = FetchRequest { idempotency_key: key, ..cached(server.url("/same")) };
        let fetcher = fetcher.clone();
        tasks.push(tokio::spawn(async move { fetcher.fetch(&request).await }));
    }
    within(server.until_open(1)).await;
    server.release(1);
    for task in tasks {
        assert_eq!(within(task).await.unwrap().unwrap().body, "/same");
    }
    within(fetcher.fetch(&cached(server.url("/same")))).await.unwrap();
    assert_eq!(server.received().len(), 1);

    server.release(9);
    for (request, more) in [
        (cached(server.url("/same?x")), 1),
        (FetchRequest { method: "POST".to_owned(), ..cached(server.url("/same")) }, 1),
        (get(server.url("/same")), 1),
        (get(server.url("/same")), 1),
        (cached(server.url("/same?x")), 0),
    ] {
        let before = server.received().len();
        within(fetcher.fetch(&request)).await.unwrap();
        assert_eq!(server.received().len() - before, more, "{request:?}");
    }
    let before = server.received().len();
    within(client.fetcher().fetch(&cached(server.url("/same")))).await.unwrap();
    assert_eq!(server.received().len(), before + 1, "another account asks itself");
}

#[tokio::test]
async fn a_request_goes_on_while_one_of_its_callers_waits() {
    let server = waiting().await;
    let fetcher = client_for(&server).fetcher();
    let spawn = || {
        let (fetcher, request) = (fetcher.clone(), cached(server.url("/same")));
        tokio::spawn(async move { fetcher.fetch(&request).await })
    };
    let first = spawn();
    within(server.until_open(1)).await;
    let second = spawn();
    tokio::task::yield_now().await;
    // The turn of the first caller is cancelled.
    first.abort();
    assert!(within(first).await.unwrap_err().is_cancelled());
    server.release(1);
    assert_eq!(within(second).await.unwrap().unwrap().body, "/same");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_request_without_callers_ends() {
    let server = Server::always(vec![Step::Hang]).await;
    let fetcher = client_for(&server).fetcher();
    let request = cached(server.url("/same"));
    let (only, again) = (fetcher.clone(), request.clone());
    let only = tokio::spawn(async move { only.fetch(&again).await });
    within(server.until_open(1)).await;
    only.abort();
    within(server.until_open(0)).await;
    // The next one asks anew.
    let timeout = Duration::from_millis(100);
    let request = FetchRequest { timeout, ..request };
    assert!(within(fetcher.fetch(&request)).await.is_err());
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_failure_counts_only_for_those_who_wait() {
    let server = Server::always(answer(500, "", "")).await;
    let fetcher = client_for(&server).fetcher();
    for _ in 0..2 {
        within(fetcher.fetch(&cached(server.url("/")))).await.unwrap_err();
    }
    assert_eq!(server.received().len(), 2);
}
