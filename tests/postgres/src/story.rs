//! The story: people ask, faults come, nodes recover.

#![expect(clippy::unwrap_used, reason = "what fails here fails the story")]
#![expect(clippy::print_stdout, reason = "the seed and the figures are for people")]

pub(crate) mod faults;
mod history;
mod line;
pub(crate) mod node;
mod record;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mynah::core::Random;
use mynah_sandbox::{AccountNames, Options, Sandbox};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::cluster::{Cluster, runtime};
use faults::{Counts, Fault, below};
use history::{Doubtful, Lease};
use line::{Condition, Ways};
use node::{Health, Node, Programs};
use record::{Answer, Blow, Holders, Question, Record};

/// People say this often something.
const TICK: Duration = Duration::from_millis(50);

/// Between two faults.
const PAUSE: Duration = Duration::from_secs(2);

/// If all nodes are well, and no account becomes online and no question is answered for this long, it never will be.
const LOST: Duration = Duration::from_secs(120);

/// A killed node starts again after this time, one that was drained after the second.
const RESTARTED: Duration = Duration::from_millis(2500);
const DRAINED: Duration = Duration::from_secs(5);

const LATE: Duration = Duration::from_millis(20);

/// The chats of each account: two groups, and a person in private.
const CHATS: [&str; 3] = ["水果店客户群", "家人", "小红"];

/// Ends all connections of nodes.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// The size of a story.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Nodes; one works without sharing.
    pub nodes: usize,
    /// Accounts of all nodes.
    pub accounts: usize,
    /// The faults.
    pub counts: Counts,
    /// A node is stopped, or its line is cut or slow, for this long.
    pub lasts: Duration,
}

/// Plays a story, and checks that each question was answered once, in the order of its chat, and twice or not at all only
/// after an unknown outcome. Skips it with a line where PostgreSQL is missing.
///
/// # Panics
///
/// If anything is lost, doubled or out of order, and if PostgreSQL is missing and `CI` is set.
pub fn tell(programs: &Programs, scale: Scale) {
    let Some(cluster) = Cluster::start() else { return };
    let seed = std::env::var("MYNAH_SEED").ok().map_or_else(seed_from_clock, |text| {
        text.parse().unwrap_or_else(|_| panic!("MYNAH_SEED is not a number: {text}"))
    });
    println!("{scale:?}; MYNAH_SEED={seed}");
    // Slow machines get as far as well.
    let longest = Duration::from_secs(600 + 30 * scale.counts.all());
    runtime().block_on(async {
        let mut story = Story::start(cluster, programs.clone(), scale, seed).await;
        tokio::time::timeout(longest, story.play()).await.expect("the story took too long");
    });
}

fn seed_from_clock() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() ^ u64::from(now.subsec_nanos())
}

pub(crate) fn node_name(node: usize) -> String {
    format!("node-{}", node + 1)
}

/// The number of the node of this name.
fn node_number(name: &str) -> Option<usize> {
    name.strip_prefix("node-")?.parse::<usize>().ok()?.checked_sub(1)
}

/// The end of a fault.
#[derive(Debug, Clone, Copy)]
enum Cure {
    Continue,
    Reconnect,
    Start,
    Join,
}

struct Story {
    scale: Scale,
    programs: Programs,
    cluster: Arc<Cluster>,
    sandbox: Sandbox,
    ways: Ways,
    nodes: Vec<Node>,
    faults: Vec<Fault>,
    random: Random,
    record: Record,
    /// The faults that come to an end, with their times and nodes.
    due: Vec<(Instant, usize, Cure)>,
    next_fault: Instant,
    /// A change of the database that is under way, and since when.
    restarting: Option<(Fault, SystemTime, JoinHandle<()>)>,
    /// How often a process ended by itself.
    ends: usize,
    /// What the check has found, for the record.
    found: String,
    folder: Option<TempDir>,
}

impl Story {
    /// Nodes with all accounts online.
    async fn start(cluster: Cluster, programs: Programs, scale: Scale, seed: u64) -> Self {
        let options = Options {
            accounts: AccountNames::numbered(scale.accounts),
            auto_confirm: true,
            // Each send is to be seen.
            drops_repeats: false,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        cluster.admin("bots").await.batch_execute(history::TRIGGERS).await.unwrap();
        let (ways, folder, mut nodes) = (Ways::default(), TempDir::new().unwrap(), Vec::new());
        let mut random = Random::from_seed(seed);
        let names: Vec<String> =
            sandbox.accounts().iter().map(|account| account.name().to_owned()).collect();
        for number in 0..scale.nodes {
            let way = ways.add(number, sandbox.address()).await;
            let mut node = Node::new(node_name(number), folder.path(), &cluster.socket(), way);
            node.configure(&names, scale.nodes > 1);
            node.start(programs.any(&mut random));
            nodes.push(node);
        }
        Self {
            scale,
            programs,
            cluster: Arc::new(cluster),
            sandbox,
            ways,
            nodes,
            faults: scale.counts.shuffled(&mut random),
            random,
            record: Record::default(),
            due: Vec::new(),
            next_fault: Instant::now(),
            restarting: None,
            ends: 0,
            found: String::new(),
            folder: Some(folder),
        }
    }

    async fn play(&mut self) {
        self.all_answer().await;
        let (began, logins) = (Instant::now(), self.logins());
        self.next_fault = began + PAUSE;
        while !(self.faults.is_empty() && self.due.is_empty() && self.restarting.is_none()) {
            self.tick().await;
        }
        self.all_answer().await;
        println!("{} faults in {:?}", self.record.blows.len(), began.elapsed());
        for node in &mut self.nodes {
            node.signal("TERM").await;
        }
        for node in &mut self.nodes {
            assert!(node.end().await, "{} did not end well", node.name);
        }
        self.check().await;
        assert_eq!(self.logins(), logins, "a failure cost a session");
    }

    /// One question to each account; waits until all questions are answered, or given up.
    async fn all_answer(&mut self) {
        let mut patience = Patience::new();
        while let offline @ 1.. = self.offline() {
            assert!(patience.lasts(offline), "{offline} accounts do not come online");
            self.revive().await;
            tokio::time::sleep(TICK).await;
        }
        self.ask_all();
        let mut patience = Patience::new();
        let admin = self.cluster.admin("bots").await;
        loop {
            let doubtful = history::doubtful(&admin).await;
            let open = self.record.open(&self.answers(), &doubtful);
            if open.is_empty() {
                return;
            }
            // The last fault may have been one too many for an account.
            history::leave_none_alone(&admin).await;
            if !patience.lasts(open.len()) {
                let of = |n: &usize| &self.record.questions[*n];
                let lost: Vec<_> = open.iter().map(|n| format!("{n}: {:?}", of(n))).collect();
                let accounts = self.sandbox.accounts();
                let names = open.iter().map(|n| accounts[of(n).account].name()).collect();
                let leases = history::held(&admin, &names).await;
                let queues = history::queues(&admin).await;
                panic!("not answered: {lost:#?}; leases: {leases:#?}; queues: {queues:#?}");
            }
            self.revive().await;
            tokio::time::sleep(4 * TICK).await;
        }
    }

    /// How many accounts are not online.
    fn offline(&self) -> usize {
        self.sandbox.accounts().iter().filter(|account| !account.is_online()).count()
    }

    /// How often a session began with a login.
    fn logins(&self) -> usize {
        let of_account = |account: &mynah_sandbox::Account| {
            account.calls().iter().filter(|call| call.path.ends_with("/jslogin")).count()
        };
        self.sandbox.accounts().iter().map(of_account).sum()
    }

    fn answers(&self) -> Vec<Vec<Answer>> {
        record::answers(&self.sandbox, &self.ways)
    }

    fn ask(&mut self, account: usize) {
        let chat = CHATS[below(&mut self.random, CHATS.len())];
        let group = (chat != CHATS[2]).then_some(chat);
        let at = SystemTime::now();
        let text = format!("问题 {}", self.record.questions.len());
        self.sandbox.accounts()[account].say(CHATS[2], group, &text);
        self.record.questions.push(Question { account, chat, at });
    }

    fn ask_all(&mut self) {
        (0..self.scale.accounts).for_each(|account| self.ask(account));
    }

    async fn tick(&mut self) {
        tokio::time::sleep(TICK).await;
        let account = below(&mut self.random, self.scale.accounts);
        self.ask(account);
        self.cure().await;
        self.revive().await;
        if let Some((fault, began, change)) = self.restarting.take_if(|it| it.2.is_finished()) {
            change.await.unwrap();
            let at = SystemTime::now();
            self.note(Blow { fault, node: None, began, at, until: Some(at) });
        }
        if self.restarting.is_none() && Instant::now() >= self.next_fault {
            let possible = self.faults.iter().rposition(|fault| self.place(*fault).is_some());
            if let Some(possible) = possible {
                let fault = self.faults.remove(possible);
                self.strike(fault).await;
            }
        }
    }

    /// The nodes that a fault could meet now; `None` if none.
    fn place(&self, fault: Fault) -> Option<Vec<usize>> {
        let fine = (0..self.nodes.len()).filter(|n| self.nodes[*n].health == Health::Fine);
        let fine: Vec<usize> = fine.collect();
        let spare = match fault {
            // One node is left to take over.
            Fault::Kill | Fault::Freeze | Fault::Cut | Fault::Drain => self.nodes.len().min(2),
            _ => 1,
        };
        (fine.len() >= spare).then_some(fine)
    }

    async fn strike(&mut self, fault: Fault) {
        let fine = self.place(fault).unwrap();
        let n = fine[below(&mut self.random, fine.len())];
        let now = Instant::now();
        match fault {
            Fault::Kill => {
                self.nodes[n].kill().await;
                self.due.push((now + RESTARTED, n, Cure::Start));
            }
            Fault::Freeze => {
                self.nodes[n].signal("STOP").await;
                self.nodes[n].health = Health::Frozen;
                self.due.push((now + self.scale.lasts, n, Cure::Continue));
            }
            Fault::Cut => {
                let ways = [Condition::Held, Condition::Broken];
                self.nodes[n].database.set(ways[below(&mut self.random, ways.len())]);
                self.nodes[n].health = Health::Cut;
                self.due.push((now + self.scale.lasts, n, Cure::Reconnect));
            }
            Fault::Slow => {
                self.nodes[n].database.set(Condition::Slow(LATE));
                self.due.push((now + self.scale.lasts, n, Cure::Reconnect));
            }
            Fault::Drain => {
                self.nodes[n].signal("TERM").await;
                self.nodes[n].health = Health::Down;
                self.due.push((now + DRAINED, n, Cure::Join));
            }
            Fault::Terminate | Fault::Fast | Fault::Immediate => return self.change(fault),
            Fault::Join => {}
        }
        self.began(fault, n);
    }

    /// Changes the database beside the questions.
    fn change(&mut self, fault: Fault) {
        let began = SystemTime::now();
        let cluster = Arc::clone(&self.cluster);
        let change = tokio::task::spawn_blocking(move || match fault {
            Fault::Fast => cluster.restart("fast"),
            Fault::Immediate => cluster.restart("immediate"),
            _ => cluster.admin_runs("postgres", TERMINATE),
        });
        self.restarting = Some((fault, began, change));
    }

    /// Notes a fault of a node.
    fn began(&mut self, fault: Fault, node: usize) {
        let now = SystemTime::now();
        self.note(Blow { fault, node: Some(node), began: now, at: now, until: None });
    }

    /// Notes a fault, and lets a person ask each account, so that the record shows when it answers again.
    fn note(&mut self, blow: Blow) {
        self.record.blows.push(blow);
        self.ask_all();
        self.next_fault = Instant::now() + PAUSE;
    }

    /// Ends the faults that are due.
    async fn cure(&mut self) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.due).into_iter().partition(|it| it.0 <= now);
        self.due = later;
        let due: Vec<(Instant, usize, Cure)> = due;
        for (_, n, cure) in due {
            let node = &mut self.nodes[n];
            match cure {
                Cure::Continue => {
                    // Before it wakes up, so that it does nothing in between.
                    self.record.ended(n, &[Fault::Freeze]);
                    node.signal("CONT").await;
                }
                Cure::Reconnect => {
                    node.database.set(Condition::Open);
                    self.record.ended(n, &[Fault::Cut, Fault::Slow]);
                }
                Cure::Start => node.start(self.programs.any(&mut self.random)),
                Cure::Join => {
                    assert!(node.end().await, "{} did not end well", node.name);
                    node.start(self.programs.any(&mut self.random));
                    self.began(Fault::Join, n);
                }
            }
            let node = &mut self.nodes[n];
            if matches!(cure, Cure::Continue | Cure::Reconnect) && node.health != Health::Down {
                node.health = Health::Fine;
            }
        }
    }

    /// Starts nodes again that have ended by themselves, as a service manager does.
    async fn revive(&mut self) {
        for node in &mut self.nodes {
            if node.health != Health::Down && node.has_ended() {
                self.ends += 1;
                node.end().await;
                node.start(self.programs.any(&mut self.random));
            }
        }
    }

    async fn check(&mut self) {
        let admin = self.cluster.admin("bots").await;
        let (answers, doubtful) = (self.answers(), history::doubtful(&admin).await);
        let leases = history::leases(&admin).await;
        self.record.claims = history::claims(&admin).await;
        let (mut mistakes, mut late) = (Vec::new(), 0);
        for (n, (account, answers)) in self.sandbox.accounts().iter().zip(&answers).enumerate() {
            mistakes.extend(self.record.mistakes(n, answers, &doubtful));
            let is_late = |answer: &&Answer| self.record.is_late(answer, &doubtful);
            let (of_woken, in_time): (Vec<&Answer>, Vec<&Answer>) =
                answers.iter().partition(is_late);
            late += of_woken.len();
            if self.scale.nodes > 1 {
                mistakes.extend(record::overtaken(account.name(), &in_time, &leases));
            }
        }
        let own = doubtful.once.iter().filter(|(_, doubt)| !doubt.is_lost);
        let (given_up, other): (Vec<_>, Vec<_>) =
            own.partition(|(question, doubt)| self.record.was_cut_off(**question, doubt));
        // A node that shares accounts doubts no other request of its own, as all of them are answered.
        if self.scale.nodes > 1 {
            mistakes.extend(other.iter().map(|it| format!("in doubt without a fault: {it:?}")));
        }
        let excused = (late, given_up.len());
        let taken = leases.iter().filter(|lease| lease.is_taken).count();
        println!(
            "changes of holders {taken}; accounts left alone {}, after at most {} ends of their nodes in a row; \
             processes that ended by themselves {}",
            leases.len() - taken,
            leases.iter().map(|lease| lease.ends).max().unwrap_or_default(),
            self.ends
        );
        self.report(&answers, &doubtful, &leases, excused);
        assert!(mistakes.is_empty(), "{} mistakes: {mistakes:#?}", mistakes.len());
    }

    /// Prints the figures, and keeps them for the record.
    fn report(
        &mut self,
        answers: &[Vec<Answer>],
        doubtful: &Doubtful,
        leases: &[Lease],
        (late, given_up): (usize, usize),
    ) {
        let sent: usize = answers.iter().map(Vec::len).sum();
        let answered: BTreeSet<usize> =
            answers.iter().flatten().map(|answer| answer.question).collect();
        println!(
            "{} questions, {sent} answers; of unknown outcome {}, {} of them answered twice, {} given up; set aside {}",
            self.record.questions.len(),
            doubtful.once.len(),
            sent - answered.len(),
            doubtful.twice.len(),
            doubtful.set_aside.len(),
        );
        println!(
            "excused: late answers of nodes that were stopped {late}, requests given up as a connection ended {given_up}"
        );
        let [half, most, last] = self.record.waits(answers);
        println!("an answer took {half:?} (half), {most:?} (99 %), {last:?} (the last)");
        let names = self.sandbox.accounts().iter().map(|account| account.name());
        let accounts: Vec<_> = names
            .zip(answers)
            .map(|(name, answers)| (name, answers.as_slice(), Holders::of(name, leases)))
            .collect();
        let silences = self.record.silences(&accounts);
        println!("{}", silences.table());
        self.found = format!("{doubtful:#?}\n{leases:#?}\n{silences:#?}\n");
    }

    /// Writes the record into a folder and returns the folder.
    fn keep(&mut self) -> Option<PathBuf> {
        let folder = self.folder.take()?.keep();
        let record = format!("{:#?}\n{:#?}\n{}", self.record, self.answers(), self.found);
        std::fs::write(folder.join("record"), record).ok()?;
        Some(folder)
    }
}

/// Waits as long as a number changes.
struct Patience {
    left: usize,
    since: Instant,
}

impl Patience {
    fn new() -> Self {
        Self { left: usize::MAX, since: Instant::now() }
    }

    fn lasts(&mut self, left: usize) -> bool {
        if left != self.left {
            *self = Self { left, since: Instant::now() };
        }
        self.since.elapsed() < LOST
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        let is_kept = std::thread::panicking() || std::env::var_os("MYNAH_FLEET_KEEP").is_some();
        if is_kept && let Some(folder) = self.keep() {
            println!("the record and the logs of the nodes are kept in {}", folder.display());
        }
    }
}
