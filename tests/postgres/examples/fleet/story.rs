//! The story: people ask, faults come, nodes recover.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use mynah::core::Random;
use mynah_sandbox::{AccountNames, Options, Sandbox};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::cluster::Cluster;
use super::faults::{Counts, Fault, below};
use super::line::{Condition, Ways};
use super::node::{Health, Node};
use super::record::{self, Answer, Blow, Question, Record};

/// People say this often something.
const TICK: Duration = Duration::from_millis(50);

/// Between two faults.
const PAUSE: Duration = Duration::from_secs(3);

/// Without an answer for this long after the last fault, a question is lost.
const LOST: Duration = Duration::from_secs(60);

/// A node is stopped, or its line is cut, for this long.
const LONG: Duration = Duration::from_secs(8);

/// A killed node starts again after this time, one that was drained after the second.
const RESTARTED: Duration = Duration::from_millis(2500);
const DRAINED: Duration = Duration::from_secs(5);

const LATE: Duration = Duration::from_millis(20);

/// The chats of each account: two groups, and a person in private.
const CHATS: [&str; 3] = ["水果店客户群", "家人", "小红"];

/// Ends all connections of nodes.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) nodes: usize,
    pub(crate) accounts: usize,
    pub(crate) counts: Counts,
}

pub(crate) fn node_name(node: usize) -> String {
    format!("node-{}", node + 1)
}

/// The end of a fault.
#[derive(Debug, Clone, Copy)]
enum Cure {
    Continue,
    Reconnect,
    Start,
    Join,
}

pub(crate) struct Story {
    scale: Scale,
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
    /// A change of the database that is under way.
    restarting: Option<(Fault, JoinHandle<()>)>,
    /// How often a process ended by itself.
    ends: usize,
    folder: Option<TempDir>,
}

impl Story {
    /// Nodes with all accounts online.
    pub(crate) async fn start(cluster: Cluster, scale: Scale, seed: u64) -> Self {
        let options = Options {
            accounts: AccountNames::numbered(scale.accounts),
            auto_confirm: true,
            ..Options::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        cluster.admin("bots").await.batch_execute(record::HISTORY).await.unwrap();
        let (ways, folder, mut nodes) = (Ways::default(), TempDir::new().unwrap(), Vec::new());
        let names: Vec<String> =
            sandbox.accounts().iter().map(|account| account.name().to_owned()).collect();
        for number in 0..scale.nodes {
            let way = ways.add(number, sandbox.address()).await;
            let mut node = Node::new(node_name(number), folder.path(), &cluster.socket(), way);
            node.configure(&names, scale.nodes > 1);
            node.start();
            nodes.push(node);
        }
        let mut random = Random::from_seed(seed);
        Self {
            scale,
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
            folder: Some(folder),
        }
    }

    pub(crate) async fn play(&mut self) {
        self.all_answer().await;
        let began = Instant::now();
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
    }

    /// One question to each account; waits until all questions are answered, or given up.
    async fn all_answer(&mut self) {
        while !self.sandbox.accounts().iter().all(mynah_sandbox::Account::is_online) {
            self.revive().await;
            tokio::time::sleep(TICK).await;
        }
        self.ask_all();
        let begun = Instant::now();
        loop {
            let admin = self.cluster.admin("bots").await;
            let doubtful = record::doubtful(&admin).await;
            let open = self.record.open(&self.answers(), &doubtful);
            if open.is_empty() {
                return;
            }
            if begun.elapsed() >= LOST {
                let lost = open.iter().map(|n| format!("{n}: {:?}", self.record.questions[*n]));
                let queues = record::queues(&admin).await;
                panic!("not answered: {:#?}; queues: {queues:#?}", lost.collect::<Vec<_>>());
            }
            self.revive().await;
            tokio::time::sleep(TICK).await;
        }
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
        if let Some((fault, change)) = self.restarting.take_if(|(_, change)| change.is_finished()) {
            change.await.unwrap();
            self.began(fault, None);
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
                self.due.push((now + LONG, n, Cure::Continue));
            }
            Fault::Cut => {
                let ways = [Condition::Held, Condition::Broken];
                self.nodes[n].database.set(ways[below(&mut self.random, ways.len())]);
                self.nodes[n].health = Health::Cut;
                self.due.push((now + LONG, n, Cure::Reconnect));
            }
            Fault::Slow => {
                self.nodes[n].database.set(Condition::Slow(LATE));
                self.due.push((now + LONG, n, Cure::Reconnect));
            }
            Fault::Drain => {
                self.nodes[n].signal("TERM").await;
                self.nodes[n].health = Health::Down;
                self.due.push((now + DRAINED, n, Cure::Join));
            }
            Fault::Terminate | Fault::Fast | Fault::Immediate => return self.change(fault),
            Fault::Join => {}
        }
        self.began(fault, Some(n));
    }

    /// Changes the database beside the questions.
    fn change(&mut self, fault: Fault) {
        let cluster = Arc::clone(&self.cluster);
        let change = tokio::task::spawn_blocking(move || match fault {
            Fault::Fast => cluster.restart("fast"),
            Fault::Immediate => cluster.restart("immediate"),
            _ => cluster.admin_runs("postgres", TERMINATE),
        });
        self.restarting = Some((fault, change));
    }

    /// Notes a fault, and lets a person ask each account, so that the record shows when it answers again.
    fn began(&mut self, fault: Fault, node: Option<usize>) {
        self.record.blows.push(Blow { fault, node, at: SystemTime::now() });
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
                Cure::Continue => node.signal("CONT").await,
                Cure::Reconnect => node.database.set(Condition::Open),
                Cure::Start => node.start(),
                Cure::Join => {
                    assert!(node.end().await, "{} did not end well", node.name);
                    node.start();
                    self.began(Fault::Join, Some(n));
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
                node.start();
            }
        }
    }

    async fn check(&mut self) {
        let admin = self.cluster.admin("bots").await;
        let (answers, doubtful) = (self.answers(), record::doubtful(&admin).await);
        let leases = record::leases(&admin).await;
        let mut mistakes = Vec::new();
        for (n, (account, answers)) in self.sandbox.accounts().iter().zip(&answers).enumerate() {
            mistakes.extend(self.record.mistakes(n, answers, &doubtful));
            if self.scale.nodes > 1 {
                mistakes.extend(record::overtaken(account.name(), answers, &leases));
            }
        }
        let sent: usize = answers.iter().map(Vec::len).sum();
        println!(
            "{} questions, {sent} answers; sent again {}, given up as unknown {}; changes of holders {}; \
             processes that ended by themselves {}",
            self.record.questions.len(),
            doubtful.tried_again.len(),
            doubtful.unknown.len(),
            leases.len(),
            self.ends
        );
        let [half, most, last] = self.record.waits(&answers);
        println!("an answer took {half:?} (half), {most:?} (99 %), {last:?} (the last)");
        println!("{}", self.record.silences(&answers).table());
        let logins = |account: &mynah_sandbox::Account| {
            account.calls().iter().filter(|call| call.path.ends_with("/jslogin")).count()
        };
        let logins: usize = self.sandbox.accounts().iter().map(logins).sum();
        assert_eq!(logins, self.scale.accounts, "a failure cost a session");
        assert!(mistakes.is_empty(), "{} mistakes: {mistakes:#?}", mistakes.len());
    }

    /// Writes the record into a folder and returns the folder.
    fn keep(&mut self) -> Option<PathBuf> {
        let folder = self.folder.take()?.keep();
        let record = format!("{:#?}\n{:#?}\n", self.record, self.answers());
        std::fs::write(folder.join("record"), record).ok()?;
        Some(folder)
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.keep()
        {
            println!("the record and the logs of the nodes are kept in {}", folder.display());
        }
    }
}
