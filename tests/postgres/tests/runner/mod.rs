//! The program with the database of a file of settings.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command as StdCommand, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::cluster::Cluster;

/// The program in a folder with settings.
pub(crate) struct Runner {
    folder: TempDir,
}

impl Runner {
    /// With a new database.
    pub(crate) fn with_database(cluster: &Cluster, database: &str) -> Self {
        cluster.admin_runs("postgres", &format!("CREATE DATABASE {database} OWNER mynah"));
        Self::new(&format!("[store]\nurl = \"{}\"\n", cluster.address(database)))
    }

    /// With these settings.
    pub(crate) fn new(settings: &str) -> Self {
        let runner = Self { folder: TempDir::new().unwrap() };
        runner.set(settings);
        runner
    }

    /// Writes other settings.
    pub(crate) fn set(&self, settings: &str) {
        std::fs::create_dir_all(self.folder.path().join("config")).unwrap();
        std::fs::write(self.folder.path().join("config/mynah.toml"), settings).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of a bot of the repository.
    pub(crate) fn bot(name: &str) -> String {
        let bots = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../bots");
        bots.join(name).display().to_string()
    }

    fn prepared(&self, arguments: &[&str]) -> StdCommand {
        let mut command = StdCommand::new(env!("CARGO_BIN_EXE_mynah-postgres-tests"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("MYNAH_STORE_PASSWORD", "hunter2").env("LC_ALL", "C.UTF-8");
        command.env("MYNAH_PAGE_TOKEN", "s3cret");
        command
    }

    /// Whether a command went well, and its output: of a failure without output, its error.
    pub(crate) fn command(&self, arguments: &[&str]) -> (bool, String) {
        self.with_input(arguments, "")
    }

    fn with_input(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut command = Command::from_std(self.prepared(arguments));
        let output = command.write_stdin(input).timeout(Duration::from_secs(60)).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, logged) = (text(&output.stdout), text(&output.stderr));
        assert!(!logged.contains("hunter2"), "{logged}");
        let is_fine = output.status.success();
        (is_fine, if is_fine || !said.is_empty() { said } else { logged })
    }

    /// The output of a command that goes well.
    pub(crate) fn fine(&self, arguments: &[&str]) -> String {
        let (is_fine, said) = self.command(arguments);
        assert!(is_fine, "{arguments:?}: {said}");
        said
    }

    /// The output of a command that goes well, with this input.
    pub(crate) fn fine_with(&self, arguments: &[&str], input: &str) -> String {
        let (is_fine, said) = self.with_input(arguments, input);
        assert!(is_fine, "{arguments:?}: {said}");
        said
    }

    /// Starts a process without input, whose log goes to a file.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> (Child, PathBuf) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.log"));
        let log = std::fs::File::create(&path).unwrap();
        let mut command = self.prepared(arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        (child.unwrap(), path)
    }

    /// Kills a command when its standard error has a line with this text.
    pub(crate) fn kill_after(&self, arguments: &[&str], text: &str) {
        let mut command = self.prepared(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let found = lines.map_while(Result::ok).any(|line| line.contains(text));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found, "{arguments:?} ended before {text}");
    }

    /// The error of a command that is refused.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let (is_fine, error) = self.command(arguments);
        assert!(!is_fine, "{arguments:?}: {error}");
        error
    }

    /// Runs a bot of the repository until these lines are answered.
    pub(crate) fn run(&self, bot: &str, input: &str) -> (bool, String) {
        self.with_input(&["run", &Self::bot(bot), "--transport", "stdio"], input)
    }

    /// Starts a bot with an input that stays open.
    pub(crate) fn start(&self, bot: &str, input: &str) -> Running {
        self.start_with(&["run", &Self::bot(bot), "--transport", "stdio"], input)
    }

    /// Starts a command with an input that stays open.
    pub(crate) fn start_with(&self, arguments: &[&str], input: &str) -> Running {
        let mut command = self.prepared(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(input.as_bytes()).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Running { child, output }
    }
}

/// A bot that runs.
pub(crate) struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    /// Its next line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    /// A test that failed leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A question that the bot `faq` answers.
pub(crate) fn question(id: &str) -> String {
    format!(
        "{{\"id\": \"{id}\", \"text\": \"请问多少钱\", \"group\": \"客户一群\", \"from\": \"小明\"}}\n"
    )
}
