//! Fetching against a server that is slow, broken, endless or malicious, on 127.0.0.1.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod answers;
mod boundaries;
mod media;
mod server;
mod sharing;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mynah_core::{FetchPiece, FetchRequest, FetchText};
use mynah_fetch::{FetchClient, FetchSettings, HostPattern, HostSecret, Resolver, SecretText};

/// Each test ends after this at the latest.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs a test with a time-out.
async fn within<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONGEST, test).await.unwrap()
}

/// Names with the answers that a resolver gives one after the other; the last one stays.
#[derive(Debug, Default)]
struct Names(Mutex<BTreeMap<String, Vec<Vec<IpAddr>>>>, Mutex<Vec<String>>);

impl Names {
    fn new(names: &[(&str, &[&str])]) -> Arc<Self> {
        let answers = names.iter().map(|(name, answers)| {
            let addresses = |answer: &&str| {
                answer.split(' ').map(|address| address.parse().unwrap()).collect::<Vec<IpAddr>>()
            };
            ((*name).to_owned(), answers.iter().map(addresses).collect())
        });
        Arc::new(Self(Mutex::new(answers.collect()), Mutex::default()))
    }

    /// The names that were asked for.
    fn asked(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

#[async_trait]
impl Resolver for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.1.lock().unwrap().push(name.to_owned());
        let mut names = self.0.lock().unwrap();
        let answers = names.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}

fn hosts(list: &[&str]) -> Vec<HostPattern> {
    list.iter().map(|host| host.parse().unwrap()).collect()
}

fn secret(name: &str, host: &str, value: &str) -> (String, HostSecret) {
    let secret = HostSecret { host: host.parse().unwrap(), value: SecretText::new(value) };
    (name.to_owned(), secret)
}

/// A client that may talk to one server of the test.
fn client_for(server: &server::Server) -> FetchClient {
    let private = hosts(&[&server.address.to_string()]);
    FetchClient::new(FetchSettings { private, ..FetchSettings::default() })
}

fn get(url: impl Into<String>) -> FetchRequest {
    FetchRequest {
        method: "GET".to_owned(),
        url: FetchText::plain(url),
        headers: Vec::new(),
        body: None,
        timeout: Duration::from_secs(20),
        cache: None,
        status: Vec::new(),
        idempotency_key: None,
    }
}

/// A text of literal pieces and, in `${…}`, names of secrets.
fn text(pieces: &str) -> FetchText {
    let mut whole = Vec::new();
    let mut rest = pieces;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').unwrap();
        whole.push(FetchPiece::Text(before.to_owned()));
        whole.push(FetchPiece::Secret(name.to_owned()));
        rest = after;
    }
    whole.push(FetchPiece::Text(rest.to_owned()));
    FetchText(whole)
}
