//! A node: a process of the runner with its own settings and lines.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use mynah::core::Random;
use tokio::process::{Child, Command};

use super::faults::below;
use super::line::{Condition, Line};

/// A name that no resolver knows: the way of each node to the service is a proxy.
pub(crate) const SERVICE: &str = "http://service.test";

const BOT: &str = "
[[rule]]
regex = '^问题 (?<n>\\d+)$'
reply = \"答案 {n}\"
";

/// Only a failure may keep a node from answering.
const SETTINGS: &str = "
[pacing]
off = true
reply_max_age = \"30d\"

[messages]
max_age = \"30d\"
loop_breaker = \"off\"
";

/// Short, so that many faults fit into a run.
const FLEET: &str = "ttl = \"2s\"\nstarts = \"100 per 1s\"\nlogins = \"100 per 1s\"\n";

/// The programs of the nodes. With two of them, each start of a node takes one by chance.
#[derive(Debug, Clone)]
pub struct Programs(Vec<PathBuf>);

impl Programs {
    /// The program of this package, and another version of it.
    ///
    /// # Panics
    ///
    /// If this process is neither a test nor an example, beside which it is built.
    pub fn with_other(other: Option<PathBuf>) -> Self {
        let this = std::env::current_exe().unwrap();
        let built = this.parent().and_then(Path::parent).unwrap();
        let mut programs = vec![built.join("mynah-postgres-tests")];
        programs.extend(other);
        Self(programs)
    }

    pub(crate) fn any(&self, random: &mut Random) -> &Path {
        &self.0[below(random, self.0.len())]
    }
}

/// The activity of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Fine,
    Frozen,
    Cut,
    Down,
}

pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) health: Health,
    pub(crate) database: Line,
    folder: PathBuf,
    way: SocketAddr,
    child: Option<Child>,
}

impl Node {
    pub(crate) fn new(name: String, within: &Path, socket: &Path, way: SocketAddr) -> Self {
        let folder = within.join(&name);
        std::fs::create_dir_all(folder.join("bot")).unwrap();
        std::fs::write(folder.join("bot/bot.toml"), BOT).unwrap();
        let database = Line::to_database(&folder, socket);
        Self { name, health: Health::Down, database, folder, way, child: None }
    }

    /// Writes its settings, with the accounts of all nodes.
    pub(crate) fn configure(&self, accounts: &[String], shares: bool) {
        let folder = self.folder.display();
        let mut text =
            format!("{SETTINGS}\n[store]\nurl = \"postgres://mynah@/bots?host={folder}\"\n");
        if shares {
            let name = &self.name;
            text += &format!("\n[fleet]\nname = \"{name}\"\n{FLEET}");
        }
        for account in accounts {
            text += &format!(
                "\n[[account]]\nname = \"{account}\"\nbot = \"bot\"\ndata = \"data/{account}\"\n\
                 server = \"{SERVICE}/a/{account}\"\n"
            );
        }
        std::fs::write(self.folder.join("mynah.toml"), text).unwrap();
    }

    pub(crate) fn start(&mut self, program: &Path) {
        self.database.set(Condition::Open);
        let way = format!("http://{}", self.way);
        let mut command = Command::new(program);
        command
            .args(["run", "--config", "mynah.toml"])
            .current_dir(&self.folder)
            .env("http_proxy", way)
            .env_remove("no_proxy")
            .env_remove("NO_PROXY")
            .env_remove("MYNAH_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.log())
            .kill_on_drop(true);
        self.child = Some(command.spawn().unwrap());
        self.health = Health::Fine;
    }

    fn log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.folder.join("log")).unwrap()
    }

    /// Returns true if its process has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some())
    }

    pub(crate) async fn signal(&self, signal: &str) {
        let Some(id) = self.child.as_ref().and_then(Child::id) else { return };
        let sent = Command::new("kill").args([&format!("-{signal}"), &id.to_string()]).status();
        sent.await.unwrap();
    }

    pub(crate) async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
        self.health = Health::Down;
    }

    /// Waits for the end of its process after a signal; whether it ended well.
    pub(crate) async fn end(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return true };
        let ended = child.wait().await.unwrap();
        self.health = Health::Down;
        ended.success()
    }
}
