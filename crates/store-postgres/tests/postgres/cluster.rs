//! A server in a temporary folder. A shell stops it and removes the folder when this process ends, however it ends.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use mynah_store_postgres::{Settings, migrate};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

/// Makes a folder and a server in it, reports the folder, and waits for the end of its input. Durability beyond the end of
/// the processes is not tested, so the server does not wait for the disk.
const SCRIPT: &str = r#"
set -e
cd /
folder=$(mktemp -d /tmp/mynah-postgres.XXXXXX)
trap 'rm -rf "$folder"' EXIT
"$1/initdb" -D "$folder/data" -U mynah -A trust -E UTF8 --locale=C -N >/dev/null
options="-c unix_socket_directories=$folder -c fsync=off -c max_connections=60 -c shared_buffers=32MB -c wal_writer_delay=10s"
if [ -n "$2" ]; then
    authority() {
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout "$folder/$1.key" -out "$folder/$1.pem"
    }
    {
        authority ours
        authority foreign
        openssl req -newkey rsa:2048 -nodes -subj /CN=server -keyout "$folder/data/server.key" -out "$folder/request"
        echo subjectAltName=DNS:localhost >"$folder/names"
        openssl x509 -req -in "$folder/request" -CA "$folder/ours.pem" -CAkey "$folder/ours.key" -CAcreateserial -days 2 \
            -extfile "$folder/names" -out "$folder/data/server.crt"
    } 2>/dev/null
    chmod 600 "$folder/data/server.key"
    printf 'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n' >"$folder/data/pg_hba.conf"
    options="$options -c listen_addresses=127.0.0.1 -c port=$2 -c ssl=on"
else
    options="$options -c listen_addresses="
fi
"$1/pg_ctl" start -w -D "$folder/data" -l "$folder/log" -o "$options" >/dev/null
echo "$folder"
cat >/dev/null
"$1/pg_ctl" stop -m immediate -D "$folder/data" >/dev/null
"#;

/// A node that was silenced stays so, and does not notice it.
pub(crate) const SILENCE: &str = "
    CREATE FUNCTION stays_silent() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RETURN CASE WHEN OLD.expires = ''-infinity'' THEN OLD ELSE NEW END; END';
    CREATE TRIGGER silence BEFORE UPDATE ON mynah.node FOR EACH ROW EXECUTE FUNCTION stays_silent()";

/// The holder of an account gives no sign any more, though its connections stay.
pub(crate) async fn silence(admin: &Client, account: &str) {
    let sql = "UPDATE mynah.node SET expires = '-infinity' WHERE id IN
        (SELECT holder FROM mynah.lease JOIN mynah.account USING (account) WHERE name = $1)";
    admin.execute(sql, &[&account]).await.unwrap();
}

/// A running server.
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    // Its input stays open as long as this process lives.
    _shell: Child,
}

impl Cluster {
    /// Starts a server with the tables of Mynah; `None` if PostgreSQL is missing.
    ///
    /// # Panics
    ///
    /// If it is missing and `CI` is set, or if it does not start.
    pub(crate) fn start() -> Option<Self> {
        Self::start_at(None)
    }

    /// The same with a port of 127.0.0.1 for encrypted connections with a password. The server's certificate is for
    /// `localhost`; that of its authority is the file `ours.pem`, and `foreign.pem` that of another one.
    pub(crate) fn start_encrypted() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            skip("openssl is not installed");
            return None;
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self::start_at(Some(port))
    }

    fn start_at(port: Option<u16>) -> Option<Self> {
        let Some(programs) = programs() else {
            skip("PostgreSQL is not installed");
            return None;
        };
        let mut shell = as_other_user()
            .args(["sh", "-c", SCRIPT, "sh"])
            .arg(&programs)
            .arg(port.map_or_else(String::new, |port| port.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let folder = line(shell.stdout.take().unwrap());
        assert!(!folder.is_empty(), "the server did not start");
        let folder = folder.into();
        let port = port.unwrap_or(5432);
        let cluster = Self { folder, programs, port, _shell: shell };
        cluster.admin_runs("postgres", "CREATE DATABASE bots");
        let settings = cluster.settings();
        runtime().block_on(migrate(&settings)).unwrap();
        cluster.admin_runs("bots", SILENCE);
        Some(cluster)
    }

    /// The server that most tests share.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// Stops the server in this way and starts it again. `immediate` is a crash.
    pub(crate) fn restart(&self, mode: &str) {
        let restarted = as_other_user()
            .arg(self.programs.join("pg_ctl"))
            .args(["restart", "-w", "-m", mode, "-l"])
            .arg(self.folder.join("log"))
            .arg("-D")
            .arg(self.folder.join("data"))
            .current_dir("/")
            .stdout(Stdio::null())
            .status();
        assert!(restarted.unwrap().success());
    }

    /// Stops the server.
    pub(crate) fn stop(&self) {
        let data = self.folder.join("data");
        // How it was started, which it forgets when it stops.
        let options = std::fs::read_to_string(data.join("postmaster.opts")).unwrap();
        std::fs::write(self.folder.join("options"), options).unwrap();
        let mut command = as_other_user();
        command
            .arg(self.programs.join("pg_ctl"))
            .args(["stop", "-w", "-m", "fast", "-D"])
            .arg(data);
        let stopped = command.current_dir("/").stdout(Stdio::null()).status();
        assert!(stopped.unwrap().success());
    }

    /// Starts the server that was stopped, and does not wait for it.
    pub(crate) fn begin(&self) {
        let options = std::fs::read_to_string(self.folder.join("options")).unwrap();
        let script = format!("{} >>{}/log 2>&1 &", options.trim_end(), self.folder.display());
        let begun = as_other_user().args(["sh", "-c", &script]).current_dir("/").status();
        assert!(begun.unwrap().success());
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new(&self.address("bots"), None, None).unwrap()
    }

    /// The file of its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// The port for encrypted connections.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The content of a file in its folder.
    pub(crate) fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(file)).unwrap()
    }

    pub(crate) fn address(&self, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("postgres://mynah@/{database}?host={folder}&port={port}")
    }

    /// A connection of an operator.
    pub(crate) async fn admin(&self, database: &str) -> Client {
        let (client, connection) =
            tokio_postgres::connect(&self.address(database), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Runs statements as an operator.
    pub(crate) fn admin_runs(&self, database: &str, sql: &str) {
        runtime().block_on(async { self.admin(database).await.batch_execute(sql).await }).unwrap();
    }
}

/// The first line of the output of a script; empty if it ended without one.
pub(crate) fn line(output: ChildStdout) -> String {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// Says that a test is skipped, past the capture of its output; fails in CI.
pub(crate) fn skip(why: &str) {
    let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!is_ci, "{why}");
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

/// The folder with the programs of the newest server.
fn programs() -> Option<PathBuf> {
    let has = |folder: &Path| folder.join("initdb").exists() && folder.join("pg_ctl").exists();
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| has(folder))
        .collect();
    debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.pop().or_else(|| std::env::split_paths(&path).find(|folder| has(folder)))
}

/// The server refuses to run as root.
pub(crate) fn as_other_user() -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return Command::new("env");
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "nobody", "--"]);
    command
}

/// A runtime for the connections of a test.
pub(crate) fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}
