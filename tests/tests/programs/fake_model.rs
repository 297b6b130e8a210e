//! A server of a language model that answers as a test wants it.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, mpsc};

/// How the server answers a request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// With this text of the model.
    Says(String),
    /// With this text, once so many requests have come.
    Together(Arc<Barrier>, String),
    /// With these bytes; then the connection is closed.
    Raw(String),
    /// With these bytes; the connection stays open.
    Unclosed(String),
    /// Not at all: the connection stays open.
    Hangs,
}

impl Answer {
    /// With this text of the model.
    pub(crate) fn says(text: &str) -> Self {
        Self::Says(text.to_owned())
    }

    /// With this status, headers and body.
    pub(crate) fn status(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Raw(format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
    }
}

/// What happened at the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Asked,
    /// The client closed a connection without an answer.
    GivenUp,
}

/// A server of a language model on this machine.
pub(crate) struct FakeModel {
    /// The base of its address.
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Value>>>,
    /// The events, in order.
    pub(crate) seen: mpsc::UnboundedReceiver<Seen>,
}

impl FakeModel {
    /// Starts a server that answers by the number and the body of the request.
    pub(crate) async fn start(
        answer: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let requests = Arc::<Mutex<Vec<Value>>>::default();
        let (news, seen) = mpsc::unbounded_channel();
        let (answer, known) = (Arc::new(answer), Arc::clone(&requests));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let (answer, known, news) = (Arc::clone(&answer), Arc::clone(&known), news.clone());
                tokio::spawn(async move {
                    let Some((head, body)) = request(&mut stream).await else { return };
                    assert!(head.starts_with("POST /v1/chat/completions "), "{head}");
                    let number = {
                        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
                        known.push(json!({ "head": head, "body": body }));
                        known.len()
                    };
                    let _ = news.send(Seen::Asked);
                    respond(stream, answer(number, &body)).await;
                    let _ = news.send(Seen::GivenUp);
                });
            }
        });
        Self { url, requests, seen }
    }

    /// Starts a server that gives the same answer every time.
    pub(crate) async fn always(answer: Answer) -> Self {
        Self::start(move |_, _| answer.clone()).await
    }

    /// The bodies of all requests.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.all().into_iter().map(|request| request["body"].clone()).collect()
    }

    /// All requests, head and body.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The conversation of the last request, a line a message: role and text, without the instructions.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        let bodies = self.bodies();
        let messages = bodies.last().and_then(|body| body["messages"].as_array().cloned());
        let line = |one: &Value| {
            let text = |key: &str| one[key].as_str().expect("a text").to_owned();
            format!("{}: {}", text("role"), text("content"))
        };
        messages.unwrap_or_default().iter().skip(1).map(line).collect()
    }
}

/// The head and the body of a request.
async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_lowercase();
        let length =
            lower.split("content-length: ").nth(1)?.lines().next()?.parse::<usize>().ok()?;
        let body = &bytes[head.len() + 4..];
        if body.len() == length {
            return Some((head.to_owned(), serde_json::from_slice(body).expect("JSON")));
        }
    }
}

/// Answers; returns when the connection is over.
async fn respond(mut stream: TcpStream, answer: Answer) {
    let bytes = match answer {
        Answer::Says(text) => completion(&text),
        Answer::Together(barrier, text) => {
            barrier.wait().await;
            completion(&text)
        }
        Answer::Raw(raw) => raw,
        Answer::Unclosed(raw) => {
            let _ = stream.write_all(raw.as_bytes()).await;
            let _ = stream.read(&mut [0; 16]).await;
            return;
        }
        Answer::Hangs => {
            let _ = stream.read(&mut [0; 16]).await;
            return;
        }
    };
    // A client that has read enough closes first.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let _ = stream.shutdown().await;
    let _ = stream.read(&mut [0; 16]).await;
}

/// The bytes of an answer with this text of the model.
fn completion(text: &str) -> String {
    let body = json!({ "choices": [{ "message": { "role": "assistant", "content": text } }] });
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
