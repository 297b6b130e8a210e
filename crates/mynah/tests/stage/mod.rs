//! The stage of the stories about the running program: a sandbox in this process, and `mynah` in its own.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use mynah_sandbox::{Options, Sandbox, SandboxEvent};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::broadcast;

/// A bot of one rule, with a test of its own.
pub(crate) const BOT: &str = "\
[bot]
groups = [\"客户*\"]

[[rule]]
keyword = [\"多少钱\"]
reply = \"价目表在这里\"

[[test]]
script = '''
客户一群/张三: 多少钱
> 价目表在这里
'''

";

const PROGRAM: &str = env!("CARGO_BIN_EXE_mynah");

/// Runs a story, bounded in time.
pub(crate) async fn story<F: Future<Output = ()>>(told: F) {
    tokio::time::timeout(Duration::from_secs(120), told).await.expect("the story took too long");
}

/// A sandbox, and a folder with a bot.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    events: broadcast::Receiver<SandboxEvent>,
    folder: TempDir,
}

/// An account of the configuration.
#[derive(Clone, Copy)]
pub(crate) struct Account<'a> {
    pub(crate) name: &'a str,
    pub(crate) server: &'a str,
}

impl Stage {
    pub(crate) fn new(sandbox: Sandbox, rules: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("bot")).expect("a folder in it");
        let stage = Self { events: sandbox.events(), sandbox, folder };
        stage.write_bot(rules);
        stage
    }

    /// A stage whose sandbox confirms every login.
    pub(crate) async fn started(rules: &str) -> Self {
        let options = Options { auto_confirm: true, ..Options::default() };
        Self::new(Sandbox::start(options).await.expect("a free port"), rules)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Saves the rule file.
    pub(crate) fn write_bot(&self, rules: &str) {
        self.save("bot.toml", rules.as_bytes());
    }

    /// Saves a file of the bot as editors do: a new file is put in place of the old one.
    pub(crate) fn save(&self, name: &str, bytes: &[u8]) {
        let new = self.folder().join("new~");
        std::fs::write(&new, bytes).expect("the folder takes files");
        std::fs::rename(new, self.folder().join("bot").join(name)).expect("it can be moved");
    }

    /// Writes a configuration with these accounts, all with the same bot, whose alerts are appended to a file.
    pub(crate) fn config(&self, accounts: &[Account<'_>], alerts: &Path) -> PathBuf {
        let command = format!("cat >> '{}'", alerts.display());
        let mut text = format!(
            "[pacing]\noff = true\n[listen]\naddress = '127.0.0.1:0'\n[alert]\ncommand = ['sh', '-c', \"{command}\"]\n"
        );
        for Account { name, server } in accounts {
            let (bot, data) = (self.folder().join("bot"), self.folder().join(name));
            text += &format!(
                "[[account]]\nname = '{name}'\nserver = '{server}'\nbot = '{}'\ndata = '{}'\n",
                bot.display(),
                data.display()
            );
        }
        let path = self.folder().join("mynah.toml");
        std::fs::write(&path, text).expect("the folder takes files");
        path
    }

    /// Starts `mynah run` with the bot.
    pub(crate) fn run(&self, arguments: &[&str]) -> Bot {
        let mut command = self.command();
        command.arg("run").arg(self.folder().join("bot")).arg("--no-pacing");
        command.args(["--server", self.sandbox.url()]).arg("--data").arg(self.data());
        Bot::spawn(command.args(arguments))
    }

    /// Starts `mynah run` with the accounts of a configuration.
    pub(crate) fn run_config(&self, config: &Path) -> Bot {
        Bot::spawn(self.command().arg("run").arg("--config").arg(config))
    }

    /// The same, where the system allows so many file descriptors.
    pub(crate) fn run_limited(&self, config: &Path, descriptors: u32) -> Bot {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {descriptors} && exec \"$0\" run --config \"$1\"");
        command.current_dir(self.folder()).args(["-c", &script, PROGRAM]).arg(config);
        Bot::spawn(&mut command)
    }

    /// Another command about the data of the bot.
    pub(crate) fn mynah(&self, arguments: &[&str]) -> Output {
        let data = self.data();
        let mut all = arguments.to_vec();
        all.extend(["--data", data.to_str().expect("plain path")]);
        self.bare(&all)
    }

    /// Any command, to its end.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Output {
        let mut command = std::process::Command::new(PROGRAM);
        command.current_dir(self.folder()).args(arguments).output().expect("the program starts")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder()).env_remove("MYNAH_LOG").env_remove("MYNAH_PAGE_TOKEN");
        command
    }

    /// Waits until the bot is online.
    pub(crate) async fn online(&mut self) {
        until(&mut self.events, |event| is_online(event).then_some(())).await;
    }

    /// The next message of the bot: chat and text.
    pub(crate) async fn said(&mut self) -> (String, String) {
        until(&mut self.events, sent_text).await
    }

    /// How many calls of an endpoint there were.
    pub(crate) fn calls(&self, endpoint: &str) -> usize {
        self.sandbox.calls().iter().filter(|call| call.path.ends_with(endpoint)).count()
    }
}

/// Waits for an event of an account.
pub(crate) async fn until<T>(
    events: &mut broadcast::Receiver<SandboxEvent>,
    wanted: impl Fn(&SandboxEvent) -> Option<T>,
) -> T {
    loop {
        match events.recv().await {
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

/// Whether a bot has just logged in.
pub(crate) fn is_online(event: &SandboxEvent) -> bool {
    matches!(event, SandboxEvent::Login { state, .. } if state == "online")
}

/// The chat and the text of a message of the bot.
pub(crate) fn sent_text(event: &SandboxEvent) -> Option<(String, String)> {
    match event {
        SandboxEvent::Sent(sent) => Some((sent.to_name.clone(), sent.text.clone())),
        _ => None,
    }
}

/// A running `mynah`.
pub(crate) struct Bot {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Bot {
    fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("the program starts");
        let stderr = child.stderr.take().expect("it is piped");
        Self { child, log: BufReader::new(stderr).lines() }
    }

    /// Waits for a line of the log.
    pub(crate) async fn logged(&mut self, text: &str) -> String {
        while let Some(line) = self.log.next_line().await.expect("a log in UTF-8") {
            tell(&line);
            if line.contains(text) {
                return line;
            }
        }
        panic!("the log ended without “{text}”");
    }

    /// Waits until the pages are served; their address.
    pub(crate) async fn page(&mut self) -> String {
        let line = self.logged("serving /health").await;
        let address = line.split("address=").nth(1).expect("an address");
        address.split_whitespace().next().expect("an address").to_owned()
    }

    /// The rest of the log.
    pub(crate) async fn log(&mut self) -> String {
        let mut rest = String::new();
        self.log.get_mut().read_to_string(&mut rest).await.expect("a log in UTF-8");
        rest
    }

    /// Sends a signal and waits for the end; the exit status.
    pub(crate) async fn stop(&mut self, signal: &str) -> i32 {
        self.signal(signal).await;
        self.ended().await
    }

    /// Sends a signal.
    pub(crate) async fn signal(&mut self, signal: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status().await;
        assert!(sent.expect("kill is everywhere").success());
    }

    /// Waits for the end; the exit status.
    pub(crate) async fn ended(&mut self) -> i32 {
        self.child.wait().await.expect("it ends").code().expect("it ends by itself")
    }
}

/// Lets the log of the bot appear with a failing test.
#[expect(clippy::print_stdout, reason = "this is where tests look")]
fn tell(line: &str) {
    println!("bot: {line}");
}

/// The alerts of a kind that were written to a file so far.
pub(crate) fn alerts(file: &Path, kind: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // The last one may still be in the writing.
    let alerts = serde_json::Deserializer::from_str(&text).into_iter().map_while(Result::ok);
    alerts.filter(|alert: &serde_json::Value| alert["kind"] == kind).collect()
}

/// Waits for the first alert of a kind.
pub(crate) async fn until_alert(file: &Path, kind: &str) -> serde_json::Value {
    loop {
        if let Some(alert) = alerts(file, kind).into_iter().next() {
            return alert;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the health page answers with this status.
pub(crate) async fn until_health(address: &str, status: &str) {
    while !get(address, "/health").await.starts_with(&format!("HTTP/1.1 {status}")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until health and metrics show an account no more.
pub(crate) async fn until_gone(address: &str, account: &str) {
    let is_shown = async |path: &str, text: &str| get(address, path).await.contains(text);
    while is_shown("/health", &format!("\"{account}\":")).await
        || is_shown("/metrics", &format!("account=\"{account}\"")).await
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The whole answer to a GET request.
pub(crate) async fn get(address: &str, path: &str) -> String {
    exchange(address, &format!("GET {path} HTTP/1.1\r\n"), "").await
}

/// The console as a browser talks to it.
pub(crate) struct Console {
    pub(crate) address: String,
    pub(crate) token: String,
}

impl Console {
    /// The answer to a GET request.
    pub(crate) async fn get(&self, name: &str) -> serde_json::Value {
        self.call("GET", name, "").await
    }

    /// The answer to a POST request.
    pub(crate) async fn post(&self, name: &str, body: &serde_json::Value) -> serde_json::Value {
        self.call("POST", name, &body.to_string()).await
    }

    /// Asks until the answer is as wanted.
    pub(crate) async fn until(&self, name: &str, wanted: impl Fn(&serde_json::Value) -> bool) {
        while !wanted(&self.get(name).await) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn call(&self, method: &str, name: &str, body: &str) -> serde_json::Value {
        let token = &self.token;
        let head = format!(
            "{method} /api/{name} HTTP/1.1\r\nauthorization: Bearer {token}\r\nx-mynah: 1\r\n"
        );
        let answer = exchange(&self.address, &head, body).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).expect("JSON")
    }
}

/// Sends a request and reads the whole answer.
async fn exchange(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let length = body.len();
    let request = format!(
        "{head}host: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("text in UTF-8");
    answer
}
