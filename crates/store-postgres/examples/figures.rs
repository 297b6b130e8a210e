//! The costs of a message for the server: CPU, WAL and calls, beside pgbench on the same server.
//!
//! ```sh
//! cargo run --release -p mynah-store-postgres --example figures -- 'postgres://mynah@/figures?host=/run/postgresql'
//! ```
//!
//! The server runs on this machine, and the user is one of its superusers, since the figures come from `/proc`. The database
//! is empty but for the tables of earlier runs. `pgbench` must be installed.

#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mynah_core::{
    Action, Batch, Change, Chat, ChatId, Claim, ClaimRequest, ClaimToken, Clock, Committed,
    Content, Decided, Effects, Event, EventBody, Message, Origin, Outcome, Person, Planned, Read,
    Scope, StateView, Step, Store, Stores, SystemClock, Timestamp, Turn, Write,
};
use mynah_store_postgres::{PostgresStores, Settings, migrate};
use tokio_postgres::{Client, NoTls};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Messages in a round, of all accounts together.
const MESSAGES: usize = 2_000;

/// Callers at once, each for an account of its own or all for one.
const CALLERS: usize = 8;

/// Rounds of each kind, in turn.
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).ok_or("give the address of a database")?;
    migrate(&Settings::new(&address, None, None)?).await?;
    let (admin, connection) = tokio_postgres::connect(&address, NoTls).await?;
    tokio::spawn(connection);
    let server = Server::find(&admin).await?;
    bench(&address, &["-i", "-q", "-s", "10"])?;
    // Or the server does it by itself, in the middle of a round.
    admin.batch_execute("VACUUM (FREEZE, ANALYZE)").await?;
    println!("{MESSAGES} messages, {CALLERS} callers; {ROUNDS} rounds in turn");
    for round in 1..=ROUNDS {
        let unsynced = server.simple_updates(&admin, &address, "off").await?;
        let synced = server.simple_updates(&admin, &address, "on").await?;
        let five = 4.0 * unsynced + synced;
        println!(
            "round {round}: pgbench simple update: {unsynced:.3} ms unsynced, {synced:.3} ms synced; five: {five:.3} ms"
        );
        let ways =
            [(Way::Paced, CALLERS), (Way::Merged, CALLERS), (Way::Paced, 1), (Way::Merged, 1)];
        for (way, accounts) in ways {
            let cost = server.messages(&admin, &address, way, accounts).await?;
            println!(
                "  {way:?}, {accounts} accounts: {:.3} ms of server CPU ({:.2} x five), {:.0} B of WAL, {:.0} messages/s, claimed after {:.2} ms (p50)",
                cost.cpu,
                cost.cpu / five,
                cost.wal,
                cost.rate,
                cost.claimed,
            );
        }
    }
    Ok(())
}

/// How a reply is claimed.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// After its pause: four calls a message.
    Paced,
    /// With its turn: three calls a message.
    Merged,
}

/// The cost of a message.
struct Cost {
    cpu: f64,
    wal: f64,
    rate: f64,
    claimed: f64,
}

/// The processes of the server.
struct Server {
    postmaster: i32,
    tick: f64,
}

impl Server {
    async fn find(admin: &Client) -> Result<Self> {
        let backend: i32 = admin.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let ticks = Command::new("getconf").arg("CLK_TCK").output()?;
        let ticks: f64 = String::from_utf8(ticks.stdout)?.trim().parse()?;
        let postmaster = fields(backend)?.get(1).ok_or("no parent")?.parse()?;
        Ok(Self { postmaster, tick: 1000.0 / ticks })
    }

    /// The CPU time of the server so far, in milliseconds, with the processes that have ended.
    fn cpu(&self) -> Result<f64> {
        let mut ticks = 0.0;
        for entry in std::fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<i32>() else { continue };
            let Ok(fields) = fields(pid) else { continue };
            let number = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
            let time = |at| number(at).unwrap_or_default();
            if pid == self.postmaster {
                ticks += time(11) + time(12) + time(13) + time(14);
            } else if fields.get(1) == Some(&self.postmaster.to_string()) {
                ticks += time(11) + time(12);
            }
        }
        Ok(ticks * self.tick)
    }

    /// The CPU of a transaction of pgbench, in milliseconds.
    async fn simple_updates(&self, admin: &Client, address: &str, sync: &str) -> Result<f64> {
        settle(admin).await?;
        let before = self.cpu()?;
        let options = format!("options=-csynchronous_commit%3D{sync}");
        let separator = if address.contains('?') { '&' } else { '?' };
        let address = format!("{address}{separator}{options}");
        let callers = CALLERS.to_string();
        let number = MESSAGES.to_string();
        bench(&address, &["-N", "-n", "-M", "prepared", "-c", &callers, "-j", "2", "-t", &number])?;
        settle(admin).await?;
        Ok((self.cpu()? - before) / to_float(MESSAGES * CALLERS))
    }

    /// The cost of a message. The connections end before the CPU is read.
    async fn messages(
        &self,
        admin: &Client,
        address: &str,
        way: Way,
        accounts: usize,
    ) -> Result<Cost> {
        let stores = Arc::new(PostgresStores::new(Settings::new(address, None, None)?, "figures"));
        let mut open: Vec<Arc<dyn Store>> = Vec::new();
        for number in 0..accounts {
            // A run that was interrupted leaves messages and holders behind.
            let name = format!("account {number} of {}", std::process::id());
            let store = stores.open(&name).await?;
            store.recover(SystemClock.now()).await?;
            open.push(store);
        }
        for caller in 0..CALLERS {
            // Plans the statements, which is done once for a connection.
            talk(&*open[caller % accounts], way, caller, 20).await?;
        }
        settle(admin).await?;
        let (wal, before, since) = (position(admin).await?, self.cpu()?, Instant::now());
        let callers = (0..CALLERS).map(|caller| {
            let store = Arc::clone(&open[caller % accounts]);
            tokio::spawn(async move { talk(&*store, way, caller, MESSAGES / CALLERS).await })
        });
        let mut claimed = Vec::new();
        for caller in callers.collect::<Vec<_>>() {
            claimed.extend(caller.await??);
        }
        let took = since.elapsed();
        let wal = position(admin).await? - wal;
        claimed.sort();
        for store in &open {
            store.close().await?;
        }
        drop((open, stores));
        settle(admin).await?;
        let number = to_float(MESSAGES);
        Ok(Cost {
            cpu: (self.cpu()? - before) / number,
            wal: wal / number,
            rate: number / took.as_secs_f64(),
            claimed: claimed[claimed.len() / 2].as_secs_f64() * 1000.0,
        })
    }
}

/// The fields of a process after its name.
fn fields(pid: i32) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')').ok_or("a line without a name")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

fn to_float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// Writes the rest of former rounds, and waits for the ends of other connections.
async fn settle(admin: &Client) -> Result<()> {
    admin.batch_execute("CHECKPOINT").await?;
    let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
        AND pid <> pg_backend_pid() AND application_name <> 'mynah'";
    while admin.query_one(others, &[]).await?.get::<_, i64>(0) > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The end of the WAL in bytes.
async fn position(admin: &Client) -> Result<f64> {
    let sql = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8";
    Ok(admin.query_one(sql, &[]).await?.get(0))
}

fn bench(address: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new("pgbench").args(arguments).arg("-d").arg(address).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

/// Handles so many messages one after the other. Returns for each the time until its reply was claimed.
async fn talk(store: &dyn Store, way: Way, caller: usize, number: usize) -> Result<Vec<Duration>> {
    let mut claimed = Vec::with_capacity(number);
    for n in 0..number {
        let since = Instant::now();
        let now = SystemClock.now();
        let chat = format!("chat {caller} {}", n % 20);
        let accepted = store.accept_and_begin(batch(&chat, n, now), 1, now).await?;
        let (event, snapshot) = accepted.begun.into_iter().next().ok_or("another event waits")?;
        snapshot.get(Scope::Chat, "count");
        let turn = Arc::new(turn(event, snapshot.reads()));
        let chat = ChatId::new(chat);
        let token = ClaimToken(u64::try_from(caller << 32 | number << 16 | n)?);
        let until = now + Duration::from_secs(60);
        let claim = match way {
            Way::Paced => {
                store.commit_and_claim(turn, None, now).await?;
                store.claim(&chat, token, until, now).await?
            }
            Way::Merged => {
                let request = ClaimRequest { chat, token, until };
                match store.commit_and_claim(turn, Some(request), now).await? {
                    Committed::Done { claim: Some(claim), .. } => *claim,
                    other => return Err(format!("{other:?}").into()),
                }
            }
        };
        let Claim::Send(outgoing) = claim else { return Err(format!("{claim:?}").into()) };
        claimed.push(since.elapsed());
        store.settle(&outgoing.id, Outcome::Accepted, SystemClock.now()).await?;
    }
    Ok(claimed)
}

/// A message of 430 bytes as JSON.
fn batch(chat: &str, n: usize, now: Timestamp) -> Batch {
    let id = format!("{chat} {}-{n}", now.as_millis());
    let body = EventBody::Message(Message {
        id: id.as_str().into(),
        chat: Chat::group(chat, "A group of customers"),
        sender: Person::stranger("person", "A customer"),
        origin: Origin::Person,
        content: Content::text("How much is the delivery to the other end of the town? ".repeat(2)),
        text: "how much is the delivery to the other end of the town? ".repeat(2),
        called: false,
        behind_name: None,
    });
    let event = Event { id: id.as_str().into(), time: now, body };
    Batch { events: vec![event], ..Batch::default() }
}

/// A turn that reads and writes one value and replies.
fn turn(event: Event, reads: Vec<Read>) -> Turn {
    let content =
        Content::text("The price list is pinned above. Delivery in the town is free from 50 on.");
    let chat = event.chat().map(|chat| chat.id.clone()).unwrap_or_else(|| "chat".into());
    let action = Action::Send { content };
    let step = Step::Act(Planned { chat, action, delay: Duration::ZERO, is_reply: true });
    let write = Write {
        scope: Scope::Chat,
        key: "count".to_owned(),
        change: Change::Add(1),
        expires: None,
    };
    let effects = Effects { steps: vec![step], writes: vec![write], ..Effects::default() };
    let decided = Decided { rule: Some("price".to_owned()), ..Decided::default() };
    Turn { event, reads, effects, decided, reply_max_age: Some(Duration::from_secs(600)) }
}
