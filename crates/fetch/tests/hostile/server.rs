//! A server that gives the answers that a test asks for.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Writes these bytes again and again, with a pause, until the client leaves.
    Repeat(Vec<u8>, Duration),
    /// Waits until the test releases the server.
    Wait,
    /// Writes nothing more and keeps the connection open.
    Hang,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    /// The path with its query.
    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

type Answers = dyn Fn(&Received) -> Vec<Step> + Send + Sync;

/// The running server. It ends with the runtime of its test.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    answers: Box<Answers>,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    written: AtomicUsize,
    /// The requests in progress now, and the most at once.
    open: watch::Sender<(usize, usize)>,
    release: Semaphore,
}

impl Server {
    /// Starts a server on an address of this machine.
    pub(crate) async fn start_at(
        address: &str,
        answers: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let state = Arc::new(State {
            answers: Box::new(answers),
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            open: watch::channel((0, 0)).0,
            release: Semaphore::new(0),
        });
        let server = Self { address: listener.local_addr().unwrap(), state };
        let state = Arc::clone(&server.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                state.connections.fetch_add(1, Ordering::SeqCst);
                let state = Arc::clone(&state);
                tokio::spawn(async move { state.serve(stream).await });
            }
        });
        server
    }

    /// Starts a server on 127.0.0.1.
    pub(crate) async fn start(
        answers: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", answers).await
    }

    /// Starts a server that gives one answer to all.
    pub(crate) async fn always(steps: Vec<Step>) -> Self {
        Self::start(move |_| steps.clone()).await
    }

    /// A host with the port of the server.
    pub(crate) fn host(&self, name: &str) -> String {
        format!("{name}:{}", self.address.port())
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// The bytes that were written until clients left.
    pub(crate) fn written(&self) -> usize {
        self.state.written.load(Ordering::SeqCst)
    }

    /// Waits until this number of requests is in progress.
    pub(crate) async fn until_open(&self, number: usize) {
        let mut open = self.state.open.subscribe();
        open.wait_for(|(now, _)| *now == number).await.unwrap();
    }

    /// The most requests that were in progress at once.
    pub(crate) fn most_open(&self) -> usize {
        self.state.open.borrow().1
    }

    /// Lets requests that wait go on.
    pub(crate) fn release(&self, number: usize) {
        self.state.release.add_permits(number);
    }
}

impl State {
    async fn serve(&self, mut stream: TcpStream) {
        let Some(received) = read(&mut stream).await else { return };
        let steps = (self.answers)(&received);
        self.received.lock().unwrap().push(received);
        self.open.send_modify(|(now, most)| {
            *now += 1;
            *most = (*most).max(*now);
        });
        for step in steps {
            if self.step(&mut stream, step).await.is_err() {
                break;
            }
        }
        self.open.send_modify(|(now, _)| *now -= 1);
        let _ = stream.shutdown().await;
    }

    async fn step(&self, stream: &mut TcpStream, step: Step) -> std::io::Result<()> {
        match step {
            Step::Write(bytes) => stream.write_all(&bytes).await?,
            Step::Repeat(bytes, pause) => loop {
                stream.write_all(&bytes).await?;
                self.written.fetch_add(bytes.len(), Ordering::SeqCst);
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            },
            Step::Wait => self.release.acquire().await.unwrap().forget(),
            Step::Hang => {
                // The client leaves.
                let mut nothing = [0; 64];
                while stream.read(&mut nothing).await? > 0 {}
            }
        }
        Ok(())
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let line = head.lines().next().unwrap_or_default().to_owned();
    let mut received = Received { line, head, body: String::new() };
    let length = received.header("content-length").and_then(|length| length.parse().ok());
    let length: usize = length.unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    received.body = String::from_utf8_lossy(&body).into_owned();
    Some(received)
}

/// A whole answer.
pub(crate) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Write(bytes)]
}

/// A good answer.
pub(crate) fn ok(body: impl AsRef<[u8]>) -> Vec<Step> {
    answer(200, "connection: close\r\n", body)
}

/// A redirect.
pub(crate) fn redirect(status: u16, to: &str) -> Vec<Step> {
    answer(status, &format!("connection: close\r\nlocation: {to}\r\n"), "")
}

/// Text that is written as it is.
pub(crate) fn raw(text: impl AsRef<[u8]>) -> Step {
    Step::Write(text.as_ref().to_vec())
}
