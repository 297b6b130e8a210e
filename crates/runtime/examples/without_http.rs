//! Measures the whole path with durability on: accept, turn, commit, claim, send, settle, on a database file.
//!
//! `cargo run --release -p mynah-runtime --example without_http [FOLDER [RATE MESSAGES]]`: the file is in FOLDER, else in
//! the system's folder for temporary files. First 20 and 100 messages a second, with the time from the service's answer to
//! the outgoing request; then as many as possible. With RATE only that many a second, or as many as possible for 0.
#![expect(clippy::print_stdout, reason = "it reports to the terminal")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Batch, Capabilities, Chat, Content, Event, EventBody, EventId, Flow, HandlerError, Incoming,
    MediaError, MediaRef, Message, Origin, Outgoing, Person, Receipt, ReceiveError, Records,
    SendError, Service, Source, Status, SystemClock, Timestamp, Transport, handler_fn,
};
use mynah_runtime::{Account, Control, Handlers, Pacing, Settings, Unobserved, run};
use mynah_store::{Options, SqliteStore};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const CHATS: usize = 20;

#[tokio::main]
async fn main() -> Result<(), HandlerError> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    if let (Some(rate), Some(messages)) = (arguments.next(), arguments.next()) {
        return report(&parent, messages.parse()?, rate.parse()?).await;
    }
    for (messages, rate) in [(200, 20), (1000, 100), (10_000, 0)] {
        report(&parent, messages, rate).await?;
    }
    Ok(())
}

/// Answers messages, this many a second; as many as possible for 0.
async fn report(parent: &std::path::Path, messages: usize, rate: u32) -> Result<(), HandlerError> {
    let pause = Duration::from_secs(1).checked_div(rate);
    let folder = tempfile::tempdir_in(parent)?;
    let store = Arc::new(SqliteStore::open(folder.path(), Options::default())?);
    let (sender, receiver) = mpsc::channel(1);
    let seen = Arc::new(Seen::default());
    let stop = CancellationToken::new();
    let account = account(store, receiver, Arc::clone(&seen));
    let running = tokio::spawn(run(account, Control::new(), stop.clone()));
    let (began, cpu, written) = (Instant::now(), cpu_time(), bytes_written());
    for n in 0..messages {
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let event = message(n);
        seen.note(&event.id);
        let records = Records::from([("cursor".to_owned(), format!("{n:0>200}"))]);
        let batch = Batch { events: vec![event], records, ..Batch::default() };
        sender.send(Incoming::Batch(batch)).await?;
    }
    while seen.count() < messages {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (took, cpu) = (began.elapsed(), cpu_time().zip(cpu).map(|(after, before)| after - before));
    stop.cancel();
    running.await?;
    let title = if rate == 0 { "as many as it can".to_owned() } else { format!("{rate} a second") };
    println!(
        "{title}: {messages} messages in {took:.1?}, {:.0} a second",
        messages as f64 / took.as_secs_f64()
    );
    if let Some(written) = bytes_written().zip(written).map(|(after, before)| after - before) {
        println!("  written per answered message: {} bytes", written / messages as u64);
    }
    if let Some(cpu) = cpu {
        println!("  CPU per answered message: {:.0?}", cpu / u32::try_from(messages)?);
    }
    let [p50, p99] = seen.percentiles();
    println!("  from accept to request: p50 {p50:.2?}, p99 {p99:.2?}");
    Ok(())
}

fn account(
    store: Arc<SqliteStore>,
    receiver: mpsc::Receiver<Incoming>,
    seen: Arc<Seen>,
) -> Account {
    let echo = handler_fn(|ctx, message| {
        ctx.reply(message.text.clone());
        Ok(Flow::Stop)
    });
    Account {
        name: "throughput".to_owned(),
        store,
        transport: Box::new(Local { receiver, seen, is_online: false }),
        handlers: Handlers::new().rules(Arc::new(echo)),
        clock: Arc::new(SystemClock),
        settings: Settings { pacing: Pacing::off(), max_age: None, ..Settings::default() },
        observer: Arc::new(Unobserved),
    }
}

fn message(n: usize) -> Event {
    let text = format!("how much is number {n}?");
    let body = EventBody::Message(Message {
        id: format!("{n}").as_str().into(),
        chat: Chat::group(format!("chat {}", n % CHATS), "Chat"),
        sender: Person::stranger(format!("ann {}", n % CHATS), "Ann"),
        origin: Origin::Person,
        content: Content::text(text.clone()),
        text,
        called: false,
        behind_name: None,
    });
    Event { id: format!("{n}").as_str().into(), time: Timestamp::default(), body }
}

/// The arrival time of each message, and the time until its answer was sent.
#[derive(Default)]
struct Seen {
    came: Mutex<BTreeMap<EventId, Instant>>,
    took: Mutex<Vec<Duration>>,
}

impl Seen {
    fn note(&self, id: &EventId) {
        self.came.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), Instant::now());
    }

    fn left(&self, id: &EventId) {
        let came = self.came.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(came) = came {
            self.took.lock().unwrap_or_else(PoisonError::into_inner).push(came.elapsed());
        }
    }

    fn count(&self) -> usize {
        self.took.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn percentiles(&self) -> [Duration; 2] {
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
        took.sort_unstable();
        [50, 99].map(|percent| took.get(took.len() * percent / 100).copied().unwrap_or_default())
    }
}

/// The processor time of this process in hundredths of a second, if the system reports it.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// The bytes that this process wrote, if the system reports it.
fn bytes_written() -> Option<u64> {
    let io = std::fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

/// A service in this process.
struct Local {
    receiver: mpsc::Receiver<Incoming>,
    seen: Arc<Seen>,
    is_online: bool,
}

impl Transport for Local {
    fn open(self: Box<Self>, _records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let service = Arc::new(LocalService(Arc::clone(&self.seen)));
        (self, service)
    }
}

#[async_trait]
impl Source for Local {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        if !std::mem::replace(&mut self.is_online, true) {
            return Ok(Incoming::Status(Status::Online { name: "Bot".to_owned() }));
        }
        match self.receiver.recv().await {
            Some(incoming) => Ok(incoming),
            None => std::future::pending().await,
        }
    }

    async fn log_out(&mut self) -> Records {
        Records::new()
    }
}

struct LocalService(Arc<Seen>);

#[async_trait]
impl Service for LocalService {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities { max_text: 2000, ..Capabilities::everything("local") })
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::from([])
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        self.0.left(&outgoing.id.event);
        Ok(Receipt::default())
    }

    async fn media(&self, _media: &MediaRef, _limit: u64) -> Result<Bytes, MediaError> {
        Err(MediaError::Gone)
    }
}
