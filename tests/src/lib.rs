//! The stage of the end-to-end stories: a sandbox in this process, and a bot in a separate process that can be killed.
//!
//! All waits are for events. One time-out bounds each story.

pub mod processes;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use mynah_core::Timestamp;
use mynah_sandbox::{Options, Sandbox, SandboxEvent, Sent, World};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{broadcast, mpsc};

/// The time-out of a story.
const STORY: Duration = Duration::from_secs(120);

/// Runs a story with a time-out.
///
/// # Panics
///
/// If the story fails or takes too long.
pub async fn story<F: Future<Output = ()>>(body: F) {
    tokio::time::timeout(STORY, body).await.expect("the story took too long");
}

/// A sandbox, and a bot that talks to it.
#[derive(Debug)]
pub struct Stage {
    /// The server.
    pub sandbox: Sandbox,
    /// The data folder of the bot.
    pub data: TempDir,
    events: broadcast::Receiver<SandboxEvent>,
    program: PathBuf,
    bot: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    now: Option<Timestamp>,
    server: Option<String>,
    child: Option<Child>,
    log: Option<mpsc::UnboundedReceiver<String>>,
}

impl Stage {
    /// A sandbox that confirms every login. The bot is not started yet.
    ///
    /// # Panics
    ///
    /// If the machine has no free port or no temporary folder.
    pub async fn new(program: &str, bot: &Path) -> Self {
        Self::with(program, bot, Options { auto_confirm: true, ..Options::default() }).await
    }

    /// The same with other options for the sandbox.
    ///
    /// # Panics
    ///
    /// If the machine has no free port or no temporary folder.
    pub async fn with(program: &str, bot: &Path, options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.expect("a free port");
        let events = sandbox.events();
        let data = TempDir::new().expect("a temporary folder");
        let (program, bot) = (PathBuf::from(program), bot.to_owned());
        Self {
            sandbox,
            data,
            events,
            program,
            bot,
            arguments: Vec::new(),
            variables: Vec::new(),
            now: None,
            server: None,
            child: None,
            log: None,
        }
    }

    /// Adds an argument for `run`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Sets a variable in the environment of the bot.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the clock of the story bot to this time at its start.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Lets the bot reach the sandbox through another server, e.g. a proxy.
    #[must_use]
    pub fn through(mut self, server: String) -> Self {
        self.server = Some(server);
        self
    }

    /// Starts the bot and waits until it is online.
    ///
    /// # Panics
    ///
    /// If the bot cannot be started or ends before it is online.
    pub async fn start(&mut self) {
        self.spawn();
        self.online().await;
    }

    /// Starts the bot without waiting.
    ///
    /// # Panics
    ///
    /// If the bot cannot be started.
    pub fn spawn(&mut self) {
        let child = Command::new(&self.program)
            .arg("run")
            .arg(&self.bot)
            .args(["--server", self.server.as_deref().unwrap_or(self.sandbox.url())])
            .args(["--no-pacing", "--data"])
            .arg(self.data.path())
            .args(&self.arguments)
            .env("STORY_GATE", self.gate())
            .envs(self.now.map(|now| ("STORY_NOW", now.as_millis().to_string())))
            .env("LC_ALL", "C")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            // glibc keeps up to 64 MB of freed memory otherwise, and a test of memory would measure that.
            .env("MALLOC_TRIM_THRESHOLD_", "131072")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the bot starts");
        self.child = Some(child);
        self.collect_log();
    }

    /// Collects the log of the bot, and prints it for a failing test.
    #[expect(clippy::print_stderr, reason = "the test harness shows it where a story fails")]
    fn collect_log(&mut self) {
        let stderr =
            self.child.as_mut().and_then(|child| child.stderr.take()).expect("stderr is piped");
        let (sender, log) = mpsc::unbounded_channel();
        self.log = Some(log);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                eprintln!("bot: {line}");
                // A story may have ended before its bot.
                let _ = sender.send(line);
            }
        });
    }

    /// Waits until the bot logs a line with this text.
    ///
    /// # Panics
    ///
    /// If the bot ends first.
    pub async fn logged(&mut self, words: &str) -> String {
        self.logged_beside(words, drop).await
    }

    /// Waits for a log line like [`Stage::logged`], and passes all other lines to `others`.
    ///
    /// # Panics
    ///
    /// If the bot ends first.
    pub async fn logged_beside(&mut self, words: &str, mut others: impl FnMut(String)) -> String {
        let log = self.log.as_mut().expect("a bot was started");
        loop {
            let line = log.recv().await.unwrap_or_else(|| panic!("never logged: {words}"));
            if line.contains(words) {
                return line;
            }
            others(line);
        }
    }

    /// The lines in the log that no test has waited for.
    pub fn log_so_far(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(Ok(line)) = self.log.as_mut().map(mpsc::UnboundedReceiver::try_recv) {
            lines.push(line);
        }
        lines
    }

    /// Waits until the bot is online.
    pub async fn online(&mut self) {
        self.until(|event| {
            matches!(event, SandboxEvent::Login { state, .. } if state == "online").then_some(())
        })
        .await;
    }

    /// Waits for an event of the sandbox.
    ///
    /// # Panics
    ///
    /// If the sandbox ends first.
    pub async fn until<T>(&mut self, wanted: impl Fn(&SandboxEvent) -> Option<T>) -> T {
        loop {
            match self.events.recv().await {
                Ok(event) => {
                    if let Some(found) = wanted(&event) {
                        return found;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => panic!("the sandbox ended"),
            }
        }
    }

    /// The next message of the bot: its chat and its text.
    pub async fn said(&mut self) -> (String, String) {
        let Sent { to_name, text, .. } = self
            .until(|event| match event {
                SandboxEvent::Sent(sent) => Some(sent.clone()),
                _ => None,
            })
            .await;
        (to_name, text)
    }

    /// Waits for the next message of the bot, and compares it.
    ///
    /// # Panics
    ///
    /// If it is a different message.
    pub async fn expect(&mut self, chat: &str, text: &str) {
        assert_eq!(self.said().await, (chat.to_owned(), text.to_owned()));
    }

    /// The file that lets a slow handler continue.
    #[must_use]
    pub fn gate(&self) -> PathBuf {
        self.data.path().join("story-gate")
    }

    /// Kills the bot, like a power cut.
    ///
    /// # Panics
    ///
    /// If there is no bot.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("a bot is running");
        child.kill().await.expect("the bot can be killed");
    }

    /// Interrupts the bot like Ctrl-C, and returns its exit status.
    ///
    /// # Panics
    ///
    /// If there is no bot, or it ended by a signal.
    pub async fn interrupt(&mut self) -> i32 {
        self.signal("-INT").await
    }

    /// Terminates the bot like a service manager, and returns its exit status.
    ///
    /// # Panics
    ///
    /// If there is no bot, or it ended by a signal.
    pub async fn terminate(&mut self) -> i32 {
        self.signal("-TERM").await
    }

    /// The output of a command on the data of the bot, with any exit status. Arguments are separated by blanks.
    ///
    /// # Panics
    ///
    /// If the program cannot be started.
    pub async fn command(&self, command: &str) -> String {
        let output = Command::new(&self.program)
            .args(command.split(' '))
            .arg("--data")
            .arg(self.data.path())
            .kill_on_drop(true)
            .output()
            .await
            .expect("the program starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    async fn signal(&mut self, signal: &str) -> i32 {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs").to_string();
        let sent =
            Command::new("kill").args([signal, &id]).status().await.expect("kill is everywhere");
        assert!(sent.success());
        self.ended().await
    }

    /// Kills the server: every connection is reset. Returns its world, for [`Stage::serve`].
    ///
    /// # Panics
    ///
    /// If the machine has no free port.
    pub async fn kill_server(&mut self) -> (Options, World) {
        let address = self.sandbox.url().trim_start_matches("http://").parse();
        let listen = address.expect("an address");
        // The bot never reaches this sandbox: it only replaces the killed one for the moment.
        let away = Sandbox::start(Options::default()).await.expect("a free port");
        let world = std::mem::replace(&mut self.sandbox, away).kill().await;
        (Options { listen, auto_confirm: true, ..Options::default() }, world)
    }

    /// Starts the server again, at the same address.
    ///
    /// # Panics
    ///
    /// If the address is taken.
    pub async fn serve(&mut self, options: Options) {
        self.sandbox = Sandbox::start(options).await.expect("the port is still free");
        self.events = self.sandbox.events();
    }

    /// The peak memory of the bot so far, if the system reports it.
    #[must_use]
    pub fn peak_memory(&self) -> String {
        let id = self.child.as_ref().and_then(Child::id).unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.unwrap_or("unknown").trim().to_owned()
    }

    /// The id of the bot's process.
    ///
    /// # Panics
    ///
    /// If there is no bot.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("a bot is running")
    }

    /// The processor time of the bot so far, in steps of 10 ms, if the system reports it.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let id = self.child.as_ref().and_then(Child::id).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name may contain blanks. After it, user and system time are the 12th and 13th field.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 =
            fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// The number of calls of an endpoint that the server has answered, by the last part of its path.
    #[must_use]
    pub fn calls(&self, endpoint: &str) -> usize {
        let calls = self.sandbox.calls();
        calls.iter().filter(|call| call.path.rsplit('/').next() == Some(endpoint)).count()
    }

    /// Waits for the bot to exit without a signal from the test.
    ///
    /// # Panics
    ///
    /// If there is no bot, or it ended by a signal.
    pub async fn ended(&mut self) -> i32 {
        let mut child = self.child.take().expect("a bot is running");
        child.wait().await.expect("it ends").code().expect("it ends by itself")
    }
}

/// The Rust code of the documentation is compiled and run like any other example.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../README.zh-CN.md")]
    struct ReadmeZh;

    #[doc = include_str!("../../docs/handlers.md")]
    struct Handlers;
}
