//! A small server: a closure answers each request, and the server records the requests.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A recorded request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// A query field in its wire format.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the client sends JSON")
    }

    /// The last part of the path.
    pub(crate) fn call(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// An answer of the server.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A whole answer.
    Whole { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// A head that announces more bytes than the body has.
    Cut(Vec<u8>),
    /// The server closes the connection without an answer.
    Close,
    /// The server never answers.
    Silence,
    /// Interim answers without end, and no other answer.
    Interim,
    /// An endless body without a length.
    Endless,
    /// An answer that waits for a signal.
    When(Arc<Notify>, Box<Reply>),
}

pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Whole { status: 200, headers: Vec::new(), body: body.into() }
}

pub(crate) fn status(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply::Whole { status, headers: Vec::new(), body: body.into() }
}

pub(crate) struct Responder {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    arrived: Arc<Notify>,
}

impl Responder {
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("a bound listener"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let arrived = Arc::new(Notify::new());
        let shared = (Arc::new(answer), Arc::clone(&asked), Arc::clone(&arrived));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, log, arrived) = shared.clone();
                tokio::spawn(async move { serve(stream, &*answer, &log, &arrived).await });
            }
        });
        Self { address, asked, arrived }
    }

    /// Waits until a request of that call has arrived.
    pub(crate) async fn has_come(&self, call: &str) {
        while !self.asked().iter().any(|asked| asked.call() == call) {
            self.arrived.notified().await;
        }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&Asked) -> Reply + Send + Sync),
    log: &Mutex<Vec<Asked>>,
    arrived: &Notify,
) -> Option<()> {
    let asked = read(&mut stream).await?;
    let mut reply = answer(&asked);
    log.lock().unwrap().push(asked);
    arrived.notify_one();
    while let Reply::When(sign, then) = reply {
        sign.notified().await;
        reply = *then;
    }
    match reply {
        Reply::Whole { status, headers, body } => {
            let mut head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n",
                body.len()
            );
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).await.ok()?;
            stream.write_all(&body).await.ok()?;
        }
        Reply::Cut(body) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await.ok()?;
            stream.write_all(&body).await.ok()?;
        }
        Reply::Close | Reply::When(..) => {}
        Reply::Interim => while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {},
        Reply::Silence => std::future::pending().await,
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").await.ok()?;
            while stream.write_all(&[b' '; 65536]).await.is_ok() {}
        }
    }
    stream.shutdown().await.ok()
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or("0", |(_, value)| value);
    let length: usize = length.parse().ok()?;
    while bytes.len() < head + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = bytes[head + 4..head + 4 + length].to_vec();
    Some(Asked { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}
