//! The programs to compare, each a process against a sandbox of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use mynah_sandbox::{Options, Sandbox, SandboxEvent};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::broadcast::Receiver;

use crate::Result;
use crate::counters::{Counters, MARK};
use crate::flags::Flags;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Bot,
    Floor,
    DurableFloor,
}

/// A program to measure.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    kind: Kind,
    file: PathBuf,
    /// The folder with the rules.
    bot: PathBuf,
}

impl Program {
    /// The programs that the flags name.
    pub(crate) fn all(flags: &Flags, bot: &Path) -> Result<Vec<Self>> {
        let this = std::env::current_exe()?;
        let program = |name, kind, file: &Path| Self {
            name,
            kind,
            file: file.to_owned(),
            bot: bot.to_owned(),
        };
        let mut programs = vec![program("ours", Kind::Bot, &this)];
        programs.extend(flags.beside.iter().map(|file| program("before", Kind::Bot, file)));
        programs.push(program("floor", Kind::Floor, &this));
        programs.push(program("durable", Kind::DurableFloor, &this));
        if let Some(only) = &flags.only {
            programs.retain(|program| program.name == only || program.name == "before");
        }
        if programs.is_empty() { Err("no such program".into()) } else { Ok(programs) }
    }

    /// Starts the program and waits until it is online.
    pub(crate) async fn start(&self, under: &[String]) -> Result<Running> {
        let options = Options { auto_confirm: true, ..Options::default() };
        let sandbox = Sandbox::start(options).await?;
        let events = sandbox.events();
        let data = tempfile::tempdir()?;
        let mut child = self
            .command(under, sandbox.url(), data.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let lines = BufReader::new(output).lines();
        let mut running = Running { sandbox, events, input, lines, said: 0, child, _data: data };
        running.online().await?;
        Ok(running)
    }

    fn command(&self, under: &[String], server: &str, data: &Path) -> Command {
        let mut command = match under {
            [] => Command::new(&self.file),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(&self.file);
                command
            }
        };
        match self.kind {
            Kind::Bot => {
                command.arg("run").arg(&self.bot).args(["--server", server]);
                command.args(["--no-pacing", "--data"]).arg(data);
            }
            Kind::Floor => {
                command.args(["floor", server]);
            }
            Kind::DurableFloor => {
                command.args(["floor", server]).arg(data.join("messages"));
            }
        }
        command
    }
}

/// A program that runs. It is killed when this is dropped.
pub(crate) struct Running {
    pub(crate) sandbox: Sandbox,
    pub(crate) events: Receiver<SandboxEvent>,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// The number of questions so far.
    pub(crate) said: usize,
    child: Child,
    _data: TempDir,
}

impl Running {
    async fn online(&mut self) -> Result<()> {
        loop {
            if let SandboxEvent::Login { state, .. } = self.events.recv().await?
                && state == "online"
            {
                return Ok(());
            }
        }
    }

    /// Ends the program.
    pub(crate) async fn end(mut self) -> Result<()> {
        drop(self.input);
        self.child.wait().await?;
        Ok(())
    }

    /// The resources that the program has used so far.
    pub(crate) async fn counters(&mut self) -> Result<Counters> {
        self.input.write_all(b"\n").await?;
        while let Some(line) = self.lines.next_line().await? {
            if let Some(counters) = line.strip_prefix(MARK) {
                return Ok(serde_json::from_str(counters)?);
            }
        }
        Err("the program ended".into())
    }
}
