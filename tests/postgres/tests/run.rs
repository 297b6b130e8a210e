//! `mynah run` and `mynah store migrate` with a database.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[expect(dead_code, reason = "its own tests use the rest")]
#[path = "../../../crates/store-postgres/tests/postgres/cluster.rs"]
mod cluster;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command as StdCommand, Stdio};
use std::time::Duration;

use assert_cmd::Command;
use mynah_store_postgres::VERSION;
use tempfile::TempDir;

use cluster::Cluster;

/// The runner with the database of this file of settings.
struct Runner {
    folder: TempDir,
}

impl Runner {
    fn new(address: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let settings = format!("[store]\nurl = \"{address}\"\n");
        std::fs::write(folder.path().join("mynah.toml"), settings).unwrap();
        Self { folder }
    }

    fn prepared(&self, command: &mut StdCommand, run: bool) {
        let settings = self.folder.path().join("mynah.toml");
        let bot = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bots/faq");
        command.env("MYNAH_STORE_PASSWORD", "hunter2").current_dir(self.folder.path());
        if run {
            command.arg("run").arg(bot).args(["--transport", "stdio", "--config"]).arg(settings);
        } else {
            command.args(["store", "migrate", "--config"]).arg(settings);
        }
    }

    /// Runs until the input ends: whether it went well, and what it wrote.
    fn command(&self, run: bool, input: &str) -> (bool, String) {
        let mut command = StdCommand::new(env!("CARGO_BIN_EXE_mynah-postgres-tests"));
        self.prepared(&mut command, run);
        let mut command = Command::from_std(command);
        let output = command.write_stdin(input).timeout(Duration::from_secs(60)).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, logged) = (text(&output.stdout), text(&output.stderr));
        assert!(!logged.contains("hunter2"), "{logged}");
        let is_fine = output.status.success();
        (is_fine, if is_fine { said } else { logged })
    }

    fn migrate(&self) -> (bool, String) {
        self.command(false, "")
    }

    /// Answers these lines.
    fn run(&self, input: &str) -> (bool, String) {
        self.command(true, input)
    }

    /// Starts it with an input that stays open, and waits for its first line.
    fn start(&self, input: &str) -> (Child, BufReader<ChildStdout>, String) {
        let mut command = StdCommand::new(env!("CARGO_BIN_EXE_mynah-postgres-tests"));
        self.prepared(&mut command, true);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(input.as_bytes()).unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        (child, output, line)
    }
}

fn question(id: &str) -> String {
    format!(
        "{{\"id\": \"{id}\", \"text\": \"请问多少钱\", \"group\": \"客户一群\", \"from\": \"小明\"}}\n"
    )
}

#[test]
fn a_bot_answers_each_message_once_from_a_database() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = Runner::new(&cluster.address("bots"));
    let (is_fine, said) = runner.run(&question("1"));
    assert!(is_fine && said.contains("价目表"), "{said}");
    assert_eq!(runner.run(&question("1")), (true, String::new()), "the id is known");
    let (mut first, _output, line) = runner.start(&question("2"));
    assert!(line.contains("价目表"), "{line}");
    let (is_fine, error) = runner.run(&question("3"));
    assert!(!is_fine && error.contains("in use by another process"), "{error}");
    first.kill().unwrap();
    first.wait().unwrap();
    // The next process need not wait for the expiry of the one that was killed.
    let (is_fine, said) = runner.run(&format!("{}{}", question("2"), question("3")));
    assert!(is_fine, "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!runner.folder.path().join("data/mynah.db").exists());
}

/// Back to format 1, in which a function returned less than today.
const FORMAT_1: &str = "
    DELETE FROM mynah.schema_version WHERE version > 1;
    DROP FUNCTION mynah.hits_1;
    CREATE FUNCTION mynah.hits_1(p_account integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'";

#[test]
fn the_tables_are_made_by_a_command_and_newer_ones_are_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    cluster.admin_runs("postgres", "CREATE DATABASE empty");
    let runner = Runner::new(&cluster.address("empty"));
    let (is_fine, error) = runner.run("");
    assert!(!is_fine && error.contains("in the database empty on"), "{error}");
    assert!(error.contains("run `mynah store migrate`"), "{error}");
    let (is_fine, said) = runner.migrate();
    let made = format!("the tables are made, format {VERSION}");
    assert!(is_fine && said.contains(&made), "{said}");
    let (is_fine, said) = runner.migrate();
    assert!(is_fine && said.contains("up to date"), "{said}");
    cluster.admin_runs("empty", "INSERT INTO mynah.schema_version VALUES (99, 98)");
    for (is_fine, error) in [runner.run(""), runner.migrate()] {
        let is_clear = error.contains("written by a newer version (format 99");
        assert!(!is_fine && is_clear, "{error}");
    }
    // A newer format with which this program can work.
    cluster.admin_runs("empty", "UPDATE mynah.schema_version SET compatible_from = 1");
    assert!(runner.run("").0);
    // An older format, as the newer program finds it before the migration.
    cluster.admin_runs("empty", "DELETE FROM mynah.schema_version WHERE version = 99");
    cluster.admin_runs("empty", FORMAT_1);
    let (is_fine, error) = runner.run("");
    let old = format!("has tables of format 1, this program needs {VERSION}");
    assert!(!is_fine && error.contains(&old), "{error}");
    assert!(error.contains("run `mynah store migrate`"), "{error}");
    let (is_fine, said) = runner.migrate();
    assert!(is_fine && said.contains(&format!("brought from format 1 to {VERSION}")), "{said}");
    assert!(runner.run(&question("1")).0);
}

#[test]
fn a_password_in_the_address_is_refused_and_not_shown() {
    let runner = Runner::new("postgres://mynah:hunter2@db.invalid/bots");
    let (is_fine, error) = runner.run("");
    assert!(!is_fine && error.contains("contains a password"), "{error}");
}

#[test]
fn a_database_that_is_not_there_is_reported() {
    let folder = TempDir::new().unwrap();
    let runner = Runner::new(&format!("postgres://mynah@/bots?host={}", folder.path().display()));
    let (is_fine, error) = runner.migrate();
    assert!(!is_fine && error.contains("cannot be reached"), "{error}");
}
