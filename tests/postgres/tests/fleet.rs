//! Nodes that share the accounts of a database, as processes of their own.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[expect(dead_code, reason = "its own tests use the rest")]
#[path = "../../../crates/store-postgres/tests/postgres/cluster.rs"]
mod cluster;
mod outages;
mod roles;
#[expect(dead_code, reason = "other tests use the rest")]
mod runner;
mod sessions;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cluster::Cluster;
use mynah_store_postgres::VERSION;
use runner::Runner;
use serde_json::Value;
use tokio_postgres::error::SqlState;

/// A step that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Accounts in one folder, whose nodes are processes.
struct Fleet {
    runner: Runner,
    names: Vec<String>,
}

impl Fleet {
    fn new(cluster: &Cluster, database: &str, accounts: usize) -> Self {
        let runner = Runner::with_database(cluster, database);
        let names = (1..=accounts).map(|n| format!("a{n}")).collect();
        let fleet = Self { runner, names };
        fleet.rules("bot", "[[rule]]\nkeyword = \"问\"\nreply = \"答 {text}\"\n");
        for node in ["n1", "n2"] {
            fleet.settings(cluster, database, node, &fleet.names);
        }
        fleet.runner.set(&fs::read_to_string(fleet.file("n1.toml")).unwrap());
        fleet.runner.fine(&["store", "migrate"]);
        fleet
    }

    fn file(&self, name: &str) -> PathBuf {
        self.runner.folder().join(name)
    }

    fn rules(&self, folder: &str, rules: &str) {
        fs::create_dir_all(self.file(folder)).unwrap();
        fs::write(self.file(folder).join("bot.toml"), rules).unwrap();
    }

    /// Adds to the settings of a node.
    fn add_settings(&self, node: &str, more: &str) {
        let file = self.file(&format!("{node}.toml"));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, format!("{text}{more}")).unwrap();
    }

    /// The settings of a node; the bot of the account `ill` is its own.
    fn settings(&self, cluster: &Cluster, database: &str, node: &str, accounts: &[String]) {
        let url = cluster.address(database);
        let mut text = format!(
            "stop_deadline = \"5s\"\n[store]\nurl = \"{url}\"\n[fleet]\nname = \"{node}\"\nttl = \"3s\"\n\
             starts = \"50 per 1s\"\nlogins = \"50 per 1s\"\n[pacing]\noff = true\n"
        );
        for name in accounts {
            let bot = if name == "ill" { "ill" } else { "bot" };
            write!(
                text,
                "[[account]]\nname = \"{name}\"\nbot = \"{bot}\"\ntransport = \"notes\"\ninput = \"{name}.in\"\n\
                 output = \"{name}.out\"\ndata = \"data-{node}/{name}\"\n"
            )
            .unwrap();
            self.say(name, "");
        }
        fs::write(self.file(&format!("{node}.toml")), text).unwrap();
    }

    /// Appends to the messages of an account.
    fn say(&self, name: &str, lines: &str) {
        say(&self.file(&format!("{name}.in")), lines);
    }

    fn start(&self, node: &str) -> Node {
        let (child, log) = self.runner.spawn(&["run", "--config", &format!("{node}.toml")]);
        Node { child, log }
    }

    /// The address of the console of a node.
    fn console_of(&self, node: &Node) -> String {
        let since = Instant::now();
        loop {
            let log = fs::read_to_string(&node.log).unwrap();
            if let Some((_, rest)) = log.split_once("page: http://") {
                return rest.split('/').next().unwrap().to_owned();
            }
            assert!(since.elapsed() < PATIENCE, "{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The id of the chat of `a1`, which a busy console may find at a later search only.
    fn chat_at(&self, address: &str) -> String {
        let since = Instant::now();
        loop {
            let (_, found) = console(address, "GET", "known-chats?query=notes", "");
            let chats = found["chats"].as_array().cloned().unwrap_or_default();
            if let Some(chat) = chats.iter().find(|chat| chat["account"] == "a1") {
                return chat["id"].as_str().unwrap().to_owned();
            }
            assert!(since.elapsed() < PATIENCE, "{found}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn status(&self) -> Value {
        let (_, status) = self.runner.command(&["fleet", "status", "--json"]);
        serde_json::from_str(&status).unwrap_or_else(|_| panic!("{status}"))
    }

    /// Waits for a state of the fleet.
    fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let status = self.status();
            if is_so(&status) {
                return status;
            }
            assert!(since.elapsed() < PATIENCE, "{what}: {status:#}");
        }
    }

    /// Waits until each node holds so many accounts that are online.
    fn until_held(&self, expected: &[(&str, usize)]) {
        let expected: BTreeMap<String, usize> =
            expected.iter().map(|(node, held)| ((*node).to_owned(), *held)).collect();
        self.until(&format!("{expected:?}"), |status| held(status) == expected);
    }

    /// People who write to all accounts from now on.
    fn people(&self) -> People {
        let files = self.names.iter().map(|name| self.file(&format!("{name}.in"))).collect();
        let done = Arc::<AtomicBool>::default();
        let (until, files): (_, Vec<PathBuf>) = (Arc::clone(&done), files);
        let thread = std::thread::spawn(move || write_until(&until, &files));
        People { done, thread: Some(thread) }
    }

    /// Waits until every account has answered so many messages of people, and checks that each was answered once, in order.
    fn all_answered(&self, messages: usize) {
        let expected: Vec<String> = (0..messages).map(|n| format!("答 问 {n}")).collect();
        for name in &self.names {
            let (since, file) = (Instant::now(), self.file(&format!("{name}.out")));
            loop {
                let said = fs::read_to_string(&file).unwrap_or_default();
                let said: Vec<&str> = said.lines().collect();
                if said.len() >= expected.len() {
                    assert_eq!(said, expected, "{name}");
                    break;
                }
                assert!(since.elapsed() < PATIENCE, "{name}: {said:?} of {messages}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Has `a1` moved to a node, and waits until it is there.
    fn moved(&self, to: &str) {
        self.runner.fine(&["fleet", "move", "a1", to]);
        self.until("a1 has moved", |status| {
            holder(status, "a1") == to && status["live"]["a1"]["condition"]["condition"] == "online"
        });
    }

    /// Asks an account something.
    fn ask(&self, name: &str, text: &str) {
        self.say(name, &format!("问 {text}\n"));
    }

    /// Waits until an account has answered.
    fn until_answered(&self, name: &str, text: &str) {
        let since = Instant::now();
        while self.answers(name, text) == 0 {
            assert!(since.elapsed() < PATIENCE, "{name} does not answer {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks an account something, and waits until a node has stored it.
    fn ask_and_store(&self, cluster: &Cluster, database: &str, name: &str, text: &str) {
        self.ask(name, text);
        let sql = "SELECT count(*) FROM mynah.event WHERE body LIKE '%' || $1 || '%'";
        cluster::runtime().block_on(async {
            let (admin, since) = (cluster.admin(database).await, Instant::now());
            while admin.query_one(sql, &[&text]).await.unwrap().get::<_, i64>(0) == 0 {
                assert!(since.elapsed() < PATIENCE, "{name} does not take {text}");
            }
        });
    }

    /// Says something to every account that answers, and waits until each has answered once.
    fn asked_and_answered(&self, text: &str) {
        for name in self.names.iter().filter(|name| *name != "ill") {
            self.ask(name, text);
        }
        for name in self.names.iter().filter(|name| *name != "ill") {
            self.until_answered(name, text);
            assert_eq!(self.answers(name, text), 1, "{name}: {text}");
        }
    }

    /// How often an account has answered a text.
    fn answers(&self, name: &str, text: &str) -> usize {
        let said = fs::read_to_string(self.file(&format!("{name}.out"))).unwrap_or_default();
        said.lines().filter(|line| *line == format!("答 问 {text}")).count()
    }
}

/// In one piece: no line is read before its end is there.
fn say(file: &Path, lines: &str) {
    let file = fs::File::options().append(true).create(true).open(file);
    file.unwrap().write_all(lines.as_bytes()).unwrap();
}

/// The number of messages that each file got.
fn write_until(done: &AtomicBool, files: &[PathBuf]) -> usize {
    let mut messages = 0;
    while !done.load(Ordering::Relaxed) {
        for path in files {
            say(path, &format!("问 {messages}\n"));
        }
        messages += 1;
        std::thread::sleep(Duration::from_millis(100));
    }
    messages
}

/// People who write until they are stopped.
struct People {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl People {
    /// How many messages each account got.
    fn stop(mut self) -> usize {
        self.done.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for People {
    /// A test that failed leaves no thread behind.
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

/// The node that holds an account; empty if none does.
fn holder(status: &Value, name: &str) -> String {
    let accounts = status["accounts"].as_array().unwrap();
    let found = accounts.iter().find(|account| account["account"] == name);
    found.and_then(|account| account["node"].as_str()).unwrap_or_default().to_owned()
}

/// How many accounts that are online each live node holds.
fn held(status: &Value) -> BTreeMap<String, usize> {
    let alive = |node: &&Value| node["is_alive"] == true;
    let nodes = status["nodes"].as_array().unwrap().iter().filter(alive);
    let mut held: BTreeMap<String, usize> =
        nodes.map(|node| (node["name"].as_str().unwrap().to_owned(), 0)).collect();
    for account in status["accounts"].as_array().unwrap() {
        let is_online = status["live"][account["account"].as_str().unwrap()]["condition"]["condition"]
            == "online";
        let node = account["node"].as_str().filter(|_| is_online);
        if let Some(count) = node.and_then(|node| held.get_mut(node)) {
            *count += 1;
        }
    }
    held
}

/// A process that runs accounts.
struct Node {
    child: Child,
    log: PathBuf,
}

impl Node {
    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until its log has this text so many times.
    fn until_logged(&self, text: &str, times: usize) -> String {
        let since = Instant::now();
        loop {
            let log = self.log();
            if log.matches(text).count() >= times {
                return log;
            }
            assert!(since.elapsed() < 2 * PATIENCE, "{times} × {text}: {log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to stop, and waits for its end.
    fn stop(mut self) {
        self.signal("-TERM");
        assert!(self.child.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    /// A test that failed leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn nodes_share_accounts_and_take_over_those_of_a_node_that_leaves_or_dies() {
    let Some(cluster) = Cluster::shared() else { return };
    let fleet = Fleet::new(cluster, "shared", 6);
    let first = fleet.start("n1");
    fleet.until_held(&[("n1", 6)]);
    fleet.asked_and_answered("one");
    let second = fleet.start("n2");
    fleet.until_held(&[("n1", 3), ("n2", 3)]);
    fleet.asked_and_answered("two");
    // A node that stops gives everything back.
    second.stop();
    fleet.until_held(&[("n1", 6)]);
    fleet.asked_and_answered("three");
    let second = fleet.start("n2");
    fleet.until_held(&[("n1", 3), ("n2", 3)]);
    first.kill();
    fleet.until_held(&[("n2", 6)]);
    fleet.asked_and_answered("four");
    // A frozen node loses its accounts, and does nothing when it wakes up.
    let first = fleet.start("n1");
    fleet.until_held(&[("n1", 3), ("n2", 3)]);
    first.signal("-STOP");
    fleet.until_held(&[("n2", 6)]);
    fleet.asked_and_answered("five");
    first.signal("-CONT");
    fleet.until_held(&[("n1", 3), ("n2", 3)]);
    fleet.asked_and_answered("six");
    for text in ["one", "two", "three", "four", "five", "six"] {
        assert!(fleet.names.iter().all(|name| fleet.answers(name, text) == 1), "{text}");
    }
    first.stop();
    second.stop();
}

#[test]
fn an_operator_directs_nodes_and_accounts_from_any_machine() {
    let Some(cluster) = Cluster::shared() else { return };
    let fleet = Fleet::new(cluster, "directed", 4);
    let (runner, first, second) = (&fleet.runner, fleet.start("n1"), fleet.start("n2"));
    fleet.until_held(&[("n1", 2), ("n2", 2)]);
    // The settings of this command have no folder in which a process listens.
    let sent = runner.fine(&["send", "notes", "hello", "--account", "a1"]);
    assert!(sent.contains("sent"), "{sent}");
    let said = fs::read_to_string(fleet.file("a1.out")).unwrap();
    assert_eq!(said.matches("hello").count(), 1, "{said}");
    let (is_online, status) = runner.command(&["status", "--account", "a2"]);
    assert!(is_online && status.contains("account  online"), "{status}");
    fleet.asked_and_answered("one");
    let forgotten = runner.fine(&["forget", "author", "--all-accounts"]);
    assert_eq!(forgotten.matches("deleted: 1 events").count(), 4, "{forgotten}");
    runner.fine(&["fleet", "drain", "n1"]);
    fleet.until_held(&[("n1", 0), ("n2", 4)]);
    let shown = runner.fine(&["fleet", "status"]);
    assert!(
        shown.contains("node     n1: draining") && shown.contains("account  a1 on n2: online"),
        "{shown}"
    );
    assert!(runner.refused(&["fleet", "drain", "n3"]).contains("no live node is called n3"));
    assert!(runner.refused(&["fleet", "move", "a1", "n3"]).contains("n3"));
    first.stop();
    let first = fleet.start("n1");
    fleet.until_held(&[("n1", 2), ("n2", 2)]);
    let to = if holder(&fleet.status(), "a1") == "n1" { "n2" } else { "n1" };
    fleet.moved(to);
    fleet.asked_and_answered("two");
    first.stop();
    second.stop();
    let (is_whole, shown) = runner.command(&["fleet", "status"]);
    assert!(!is_whole && shown.contains("node     none"), "{shown}");
    // No node holds it: the message waits for the next start.
    assert!(runner.fine(&["send", "notes", "later", "--account", "a1"]).contains("next start"));
}

#[test]
fn an_account_that_cannot_start_is_left_alone_and_the_others_go_on() {
    let Some(cluster) = Cluster::shared() else { return };
    let mut fleet = Fleet::new(cluster, "ill", 2);
    fleet.rules("ill", "[[rule]]\nkeyword = 3\n");
    fleet.names.push("ill".to_owned());
    fleet.settings(cluster, "ill", "n1", &fleet.names);
    let node = fleet.start("n1");
    let is_left = |status: &Value| {
        let accounts = status["accounts"].as_array().unwrap();
        let ill = accounts.iter().find(|account| account["account"] == "ill");
        ill.is_some_and(|ill| !ill["trouble"].is_null() && !ill["not_before"].is_null())
    };
    fleet.until("it is left alone", is_left);
    fleet.until_held(&[("n1", 2)]);
    fleet.asked_and_answered("one");
    let (_, shown) = fleet.runner.command(&["fleet", "status"]);
    assert!(shown.contains("account  ill on -: left alone for"), "{shown}");
    node.stop();
}

/// The next format, with which this program can work as well: calls of a newer program are added, and every table that calls
/// read and write gets a column. Calls give way to it and are repeated; so is it, if
/// they wait for each other for longer. Nodes whose names begin with `new` are of the version that brings it.
const NEXT_FORMAT: &str = "
    BEGIN;
    SET LOCAL deadlock_timeout = '5s';
    SELECT pg_advisory_xact_lock(1298030852, 0);
    DO $$ DECLARE v_table text; BEGIN
        FOR v_table IN SELECT table_name FROM information_schema.tables WHERE table_schema = 'mynah' ORDER BY 1 LOOP
            EXECUTE format('ALTER TABLE mynah.%I ADD COLUMN added text DEFAULT %L', v_table, 'a');
        END LOOP;
    END $$;
    CREATE FUNCTION mynah.next_version() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF starts_with(NEW.name, ''new'') THEN NEW.version := ''99.0.0''; END IF; RETURN NEW; END';
    CREATE TRIGGER next_version BEFORE INSERT ON mynah.node FOR EACH ROW EXECUTE FUNCTION mynah.next_version();
    INSERT INTO mynah.schema_version (version, compatible_from) SELECT max(version) + 1, 1 FROM mynah.schema_version;
    COMMIT";

/// The refusal of an incompatible format.
fn newer() -> String {
    format!(
        "written by a newer version (format {}, this program knows up to {VERSION})",
        VERSION + 1
    )
}

/// The versions of the live nodes.
fn versions(status: &Value) -> BTreeMap<&str, &str> {
    let nodes = status["nodes"].as_array().unwrap().iter();
    let alive = nodes.filter(|node| node["is_alive"] == true);
    alive.map(|node| (node["name"].as_str().unwrap(), node["version"].as_str().unwrap())).collect()
}

#[test]
fn nodes_are_upgraded_one_after_the_other_while_people_write() {
    let Some(cluster) = Cluster::shared() else { return };
    let fleet = Fleet::new(cluster, "rolling", 6);
    for node in ["new1", "new2"] {
        fleet.settings(cluster, "rolling", node, &fleet.names);
    }
    let (first, second) = (fleet.start("n1"), fleet.start("n2"));
    fleet.until_held(&[("n1", 3), ("n2", 3)]);
    let people = fleet.people();
    // All functions are made anew while nodes call them.
    cluster.admin_runs("rolling", "DELETE FROM mynah.schema_version WHERE version > 1");
    let brought = fleet.runner.fine(&["store", "migrate"]);
    assert!(brought.contains(&format!("from format 1 to {VERSION}")), "{brought}");
    // The newer program makes its tables, and the older one goes on with them, also after a start.
    cluster::runtime().block_on(async {
        let admin = cluster.admin("rolling").await;
        while let Err(error) = admin.batch_execute(NEXT_FORMAT).await {
            assert_eq!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED), "{error}");
            admin.batch_execute("ROLLBACK").await.unwrap();
        }
    });
    first.stop();
    let first = fleet.start("n1");
    fleet.until_held(&[("n1", 3), ("n2", 3)]);
    let unchanged = fleet.runner.fine(&["store", "migrate"]);
    assert!(unchanged.contains("up to date"), "{unchanged}");
    first.stop();
    let first = fleet.start("new1");
    fleet.until_held(&[("new1", 3), ("n2", 3)]);
    let this = env!("CARGO_PKG_VERSION");
    assert_eq!(versions(&fleet.status()), [("n2", this), ("new1", "99.0.0")].into());
    second.stop();
    let second = fleet.start("new2");
    fleet.until_held(&[("new1", 3), ("new2", 3)]);
    // A node that is stopped in the middle of an answer gives it once more when it wakes up.
    fleet.all_answered(people.stop());
    second.signal("-STOP");
    fleet.until_held(&[("new1", 6)]);
    // From now on only newer programs may work: this one is refused, and gives its accounts back where it runs.
    let newer_only = "UPDATE mynah.schema_version SET compatible_from = version";
    cluster.admin_runs("rolling", newer_only);
    let newer = newer();
    for command in
        [&["run", "--config", "n1.toml"][..], &["fleet", "status"], &["store", "migrate"]]
    {
        let refused = fleet.runner.refused(command);
        let is_clear =
            refused.contains(&newer) && refused.contains("use the newer version of the program");
        assert!(is_clear, "{command:?}: {refused}");
    }
    until_free(cluster, "rolling");
    assert!(first.log().contains(&format!("{newer}: this node gives its accounts back")));
    // One that has lost its accounts takes none.
    assert!(!second.log().contains(&newer));
    second.signal("-CONT");
    second.until_logged(&newer, 1);
    first.stop();
    second.stop();
}

/// Waits until no node holds an account.
fn until_free(cluster: &Cluster, database: &str) {
    let sql = "SELECT count(*) FROM mynah.lease WHERE holder IS NOT NULL";
    cluster::runtime().block_on(async {
        let (admin, since) = (cluster.admin(database).await, Instant::now());
        while admin.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
            assert!(since.elapsed() < PATIENCE, "accounts are held");
        }
    });
}

/// A request to the console of a node; the status and the body of its answer.
fn console(address: &str, method: &str, call: &str, body: &str) -> (String, Value) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /api/{call} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer s3cret\r\nx-mynah: 1\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn an_action_on_an_account_reaches_it_on_whichever_node() {
    let Some(cluster) = Cluster::shared() else { return };
    let fleet = Fleet::new(cluster, "acted", 2);
    let runner = &fleet.runner;
    fleet.add_settings("n1", "[listen]\naddress = \"127.0.0.1:0\"\n");
    let first = fleet.start("n1");
    let second = fleet.start("n2");
    fleet.until_held(&[("n1", 1), ("n2", 1)]);
    fleet.moved("n2");
    fleet.asked_and_answered("one");
    // From the command line.
    let account = ["--account", "a1"];
    let said = runner.fine(&[&["mute", "notes", "--for", "2h"][..], &account].concat());
    assert_eq!(said, "notes is muted for 120 min\n");
    fleet.ask_and_store(cluster, "acted", "a1", "quiet");
    assert!(runner.fine(&[&["unmute", "notes"][..], &account].concat()).contains("not muted"));
    fleet.ask("a1", "again");
    fleet.until_answered("a1", "again");
    assert_eq!(fleet.answers("a1", "quiet"), 0);
    assert!(runner.refused(&[&["mute", "nobody"][..], &account].concat()).contains("no chat"));
    assert!(runner.fine(&[&["reload"][..], &account].concat()).starts_with("reloaded: 1 rules"));
    // From the console of the other node.
    let address = fleet.console_of(&first);
    let chat = fleet.chat_at(&address);
    let mute = |minutes: u32| {
        let body = format!(r#"{{"account":"a1","chat":"{chat}","minutes":{minutes}}}"#);
        console(&address, "POST", "mute", &body).0
    };
    assert_eq!(mute(30), "200");
    fleet.ask_and_store(cluster, "acted", "a1", "hush");
    assert_eq!(mute(0), "200");
    fleet.ask("a1", "back");
    fleet.until_answered("a1", "back");
    assert_eq!(fleet.answers("a1", "hush"), 0);
    fleet.rules("bot", "[[rule]]\nkeyword = 3\n");
    let (status, report) = console(&address, "POST", "reload", r#"{"account":"a1"}"#);
    let report = report["report"].as_str().unwrap();
    assert!(status == "200" && report.contains("the old rules stay"), "{status} {report}");
    let refused = runner.refused(&[&["reload"][..], &account].concat());
    assert!(refused.contains("the old rules stay") && refused.contains("bot.toml:2"), "{refused}");
    first.stop();
    second.stop();
}

#[test]
fn an_order_for_an_account_that_moves_is_carried_out_once_or_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    let fleet = Fleet::new(cluster, "moves", 2);
    let (first, second) = (fleet.start("n1"), fleet.start("n2"));
    fleet.until_held(&[("n1", 1), ("n2", 1)]);
    let mut answers = Vec::new();
    std::thread::scope(|scope| {
        let moving = scope.spawn(|| ["n1", "n2", "n1", "n2"].map(|to| fleet.moved(to)));
        while !moving.is_finished() || answers.len() < 4 {
            let text = format!("order {};", answers.len());
            let command = ["send", "notes", &text, "--account", "a1"];
            answers.push((text.clone(), fleet.runner.command(&command)));
        }
        moving.join().unwrap();
    });
    let is_done = |answer: &(String, (bool, String))| answer.1.0;
    assert!(answers.iter().any(is_done), "{answers:?}");
    fleet.asked_and_answered("afterwards");
    let sent = fs::read_to_string(fleet.file("a1.out")).unwrap();
    for (text, (is_done, said)) in answers {
        let times = sent.matches(&text).count();
        match said.contains("it may still be performed") {
            true => assert!(!is_done && times <= 1, "{text}: {said}"),
            false => assert_eq!(times, usize::from(is_done), "{text}: {said}"),
        }
        assert!(is_done || said.contains("error: "), "{said}");
    }
    first.stop();
    second.stop();
}

#[test]
fn an_order_that_no_node_takes_in_time_is_refused_and_never_carried_out() {
    let Some(cluster) = Cluster::shared() else { return };
    let fleet = Fleet::new(cluster, "late", 1);
    // The settings of the command have no folder in which this node listens.
    let settings = fs::read_to_string(fleet.file("n2.toml")).unwrap();
    fs::write(fleet.file("n2.toml"), settings.replace("ttl = \"3s\"", "ttl = \"60s\"")).unwrap();
    let node = fleet.start("n2");
    fleet.until_held(&[("n2", 1)]);
    node.signal("-STOP");
    let refused = fleet.runner.refused(&["send", "notes", "too late", "--account", "a1"]);
    let expected = "no node took the order for a1 in time: nothing was done";
    assert!(refused.contains(expected), "{refused}");
    node.signal("-CONT");
    let sent = fleet.runner.fine(&["send", "notes", "in time", "--account", "a1"]);
    assert!(sent.contains("sent"), "{sent}");
    assert!(!fs::read_to_string(fleet.file("a1.out")).unwrap().contains("too late"));
    node.stop();
}

#[test]
fn nodes_follow_the_accounts_of_their_settings() {
    let Some(cluster) = Cluster::shared() else { return };
    let mut fleet = Fleet::new(cluster, "followed", 3);
    let (first, second) = (fleet.start("n1"), fleet.start("n2"));
    fleet.until("all are held", |status| held(status).values().sum::<usize>() == 3);
    fleet.asked_and_answered("one");
    // Saved.
    fleet.names.push("a4".to_owned());
    for node in ["n1", "n2"] {
        fleet.settings(cluster, "followed", node, &fleet.names);
    }
    // A node that has read its settings before the other one may have taken it as its third.
    fleet.until("all are held", |status| held(status).values().sum::<usize>() == 4);
    fleet.asked_and_answered("two");
    // An account that is removed is given back and left alone; a draining node goes on draining.
    fleet.runner.fine(&["fleet", "drain", "n2"]);
    fleet.until_held(&[("n1", 4), ("n2", 0)]);
    let gone = fleet.names.remove(0);
    for node in ["n1", "n2"] {
        fleet.settings(cluster, "followed", node, &fleet.names);
    }
    let status = fleet.until("it is given back", |status| {
        holder(status, &gone).is_empty() && held(status)["n1"] == 3
    });
    let account = status["accounts"].as_array().unwrap();
    let runners =
        account.iter().find(|one| one["account"] == gone.as_str()).map(|one| &one["runners"]);
    assert_eq!(runners, Some(&0.into()), "{status:#}");
    // No node is meant to run it, which is not a fault, and it can be taken out of the database.
    let shown = fleet.runner.fine(&["fleet", "status"]);
    assert!(shown.contains(&format!("account  {gone} on -: unused")), "{shown}");
    fleet.runner.fine(&["data", "move", "folder", "--account", &gone, "--delete-source"]);
    assert!(!fleet.runner.fine(&["fleet", "status"]).contains(&format!("account  {gone} ")));
    fleet.asked_and_answered("three");
    // Another bot for an account that runs.
    fleet.rules("other", "[[rule]]\nkeyword = \"问\"\nreply = \"另 {text}\"\n");
    let settings = fs::read_to_string(fleet.file("n1.toml")).unwrap();
    let changed = settings.replacen("bot = \"bot\"", "bot = \"other\"", 1);
    fs::write(fleet.file("n1.toml"), changed).unwrap();
    let name = fleet.names[0].clone();
    let since = Instant::now();
    for n in 0.. {
        fleet.ask(&name, &format!("other {n}"));
        let said = fs::read_to_string(fleet.file(&format!("{name}.out"))).unwrap();
        if said.contains("另 问 other") {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "{said}");
        std::thread::sleep(Duration::from_millis(200));
    }
    fleet.until_held(&[("n1", 3), ("n2", 0)]);
    first.stop();
    second.stop();
}

#[test]
fn a_fleet_needs_a_database() {
    let runner = Runner::new("[fleet]\nname = \"n1\"\n[[account]]\nname = \"a\"\nbot = \"bot\"\n");
    let refused = runner.refused(&["run"]);
    assert!(refused.contains("[fleet] needs a database"), "{refused}");
    assert!(runner.refused(&["fleet", "status"]).contains("name no database"));
}
