//! One process of a program, from its start to its end: requests in, answers out.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes};
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::lines::{Lines, Part};
use super::stderr::{self, LastLine};
use super::{Call, spawn};
use crate::log_lines::{LogLines, shown};
use crate::{Command, Failure, LONGEST_LINE, Waits};

/// After so many time-outs in a row a program is replaced.
const TIMEOUTS: u32 = 3;

/// After so many answers that no request asked for, in a row, a program is replaced.
const UNASKED: u32 = 1000;

/// So many ids of past requests are remembered, to name late and second answers.
const REMEMBERED: usize = 256;

/// How long the rest of the output of a program that has ended is read.
const LAST_OUTPUT: Duration = Duration::from_secs(1);

/// How a process ended.
#[derive(Debug)]
pub(super) enum End {
    /// The handler is stopped.
    Stopped,
    /// The process ended by itself, and how.
    Exited(String),
    /// The process is of no use any more, and why.
    Replaced(String),
}

/// A request that was taken for this process.
#[derive(Debug)]
struct Open {
    call: Call,
    /// When its time is over; `None` before its first byte was written.
    deadline: Option<Instant>,
    /// All of its time: before the first answer of a process more than the time-out.
    time: Duration,
}

/// A running process.
#[derive(Debug)]
pub(super) struct Life {
    handler: String,
    child: Child,
    group: Group,
    input: ChildStdin,
    output: Lines<ChildStdout>,
    errors: JoinHandle<()>,
    last_line: LastLine,
    waits: Waits,
    /// Requests without an answer, in the order of their lines.
    open: Vec<Open>,
    /// Lines to write, with the ids of their requests; the first may be partly written.
    unwritten: VecDeque<(String, Bytes)>,
    past: VecDeque<(String, &'static str)>,
    timeouts: u32,
    unasked: u32,
    log: LogLines,
    /// Whether it has answered.
    pub(super) has_answered: bool,
}

impl Life {
    /// Starts a process.
    pub(super) fn start(handler: &str, command: &Command, waits: Waits) -> io::Result<Self> {
        let mut child = spawn::spawn(command)?;
        let missing = || io::Error::other("a pipe of the program is missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let errors = child.stderr.take().ok_or_else(missing)?;
        let last_line = LastLine::default();
        let errors = stderr::log(errors, handler.to_owned(), last_line.clone());
        Ok(Self {
            handler: handler.to_owned(),
            group: Group::of(&child),
            child,
            input,
            output: Lines::new(output, LONGEST_LINE),
            errors: tokio::spawn(errors),
            last_line,
            waits,
            open: Vec::new(),
            unwritten: VecDeque::new(),
            past: VecDeque::new(),
            timeouts: 0,
            unasked: 0,
            log: LogLines::new(),
            has_answered: false,
        })
    }

    /// Works until the process ends or is to be replaced. `again` has requests that another process left.
    pub(super) async fn work(
        &mut self,
        calls: &mut mpsc::Receiver<Call>,
        again: &mut VecDeque<Call>,
        at_once: usize,
        stop: &CancellationToken,
    ) -> End {
        while self.open.len() < at_once
            && let Some(call) = again.pop_front()
        {
            self.take(call);
        }
        loop {
            let deadline = self.open.iter().filter_map(|open| open.deadline).min();
            let step = tokio::select! {
                () = stop.cancelled() => return End::Stopped,
                part = self.output.next() => self.read(part),
                status = self.child.wait() => return self.exited(status).await,
                written = write(&mut self.input, &self.unwritten), if !self.unwritten.is_empty() => {
                    match written {
                        Ok(bytes) => self.wrote(bytes),
                        Err(_) => return self.ended("it closed its input").await,
                    }
                }
                call = calls.recv(), if self.open.len() < at_once => match call {
                    Some(call) => { self.take(call); Ok(()) }
                    None => return End::Stopped,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.expire()
                }
            };
            match step {
                Ok(()) => {}
                Err(Fault::Useless(why)) => return End::Replaced(why),
                Err(Fault::NoOutput) => return self.ended("it closed its output").await,
            }
        }
    }

    fn take(&mut self, call: Call) {
        self.unwritten.push_back((call.id.clone(), call.line.clone()));
        let time = call.timeout;
        self.open.push(Open { call, deadline: None, time });
        self.begin_first();
    }

    /// Starts the clock of the request whose line is written next.
    fn begin_first(&mut self) {
        let Some((id, _)) = self.unwritten.front() else { return };
        let more = if self.has_answered { Duration::ZERO } else { self.waits.first };
        if let Some(open) = self.open.iter_mut().find(|open| open.call.id == *id)
            && open.deadline.is_none()
        {
            open.time = open.call.timeout + more;
            open.deadline = Some(Instant::now() + open.time);
        }
    }

    fn wrote(&mut self, bytes: usize) -> Result<(), Fault> {
        if let Some((_, line)) = self.unwritten.front_mut() {
            line.advance(bytes.min(line.len()));
            if line.is_empty() {
                self.unwritten.pop_front();
                self.begin_first();
            }
        }
        Ok(())
    }

    fn read(&mut self, part: io::Result<Part>) -> Result<(), Fault> {
        match part {
            Ok(Part::Line(line)) => self.answer(&line),
            Ok(Part::TooLong) => {
                Err(Fault::Useless(format!("it wrote a line of more than {LONGEST_LINE} bytes")))
            }
            Ok(Part::End) | Err(_) => Err(Fault::NoOutput),
        }
    }

    /// Hands a line to the request that it answers.
    fn answer(&mut self, line: &[u8]) -> Result<(), Fault> {
        // Programs for Windows write a byte order mark before their first line.
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
        if line.is_empty() {
            return self.not_asked("an empty line");
        }
        let Ok(answer) = serde_json::from_slice::<Map<String, Value>>(line) else {
            let excerpt: String = shown(line).chars().take(120).collect();
            return Err(Fault::Useless(format!(
                "it wrote a line that is not a JSON object: {excerpt}"
            )));
        };
        let Some(Value::String(id)) = answer.get("id") else {
            return Err(Fault::Useless(
                "it wrote an answer without the id of its request".to_owned(),
            ));
        };
        let Some(at) = self.open.iter().position(|open| open.call.id == *id) else {
            let why = self.past.iter().rev().find(|(past, _)| past == id).map(|(_, why)| *why);
            let why = format!(
                "{}: {}",
                why.unwrap_or("an answer to an unknown request"),
                shown(id.as_bytes())
            );
            return self.not_asked(&why);
        };
        if self.open[at].deadline.is_none()
            || self.unwritten.iter().any(|(waiting, _)| waiting == id)
        {
            return Err(Fault::Useless("it answered a request before it was written".to_owned()));
        }
        let call = self.open.remove(at).call;
        self.remember(&call.id, "a second answer");
        (self.timeouts, self.unasked, self.has_answered) = (0, 0, true);
        call.answer(Ok(answer));
        Ok(())
    }

    /// Logs and counts a line that answers nothing.
    fn not_asked(&mut self, why: &str) -> Result<(), Fault> {
        if self.log.admits(&self.handler) {
            tracing::warn!(handler = self.handler, "the handler wrote {why}; it is dropped");
        }
        self.unasked += 1;
        if self.unasked < UNASKED {
            return Ok(());
        }
        Err(Fault::Useless(format!("it wrote {UNASKED} answers that no request asked for")))
    }

    fn remember(&mut self, id: &str, if_again: &'static str) {
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back((id.to_owned(), if_again));
    }

    /// Fails the requests whose time is over.
    fn expire(&mut self) -> Result<(), Fault> {
        let now = Instant::now();
        let is_over = |open: &Open| open.deadline.is_some_and(|deadline| deadline <= now);
        while let Some(at) = self.open.iter().position(is_over) {
            let Open { call, time, .. } = self.open.remove(at);
            self.timeouts += 1;
            self.remember(&call.id, "a late answer");
            let is_unwritten = self.unwritten.iter().any(|(id, _)| *id == call.id);
            call.answer(Err(Failure::TimedOut(time)));
            if is_unwritten {
                return Err(Fault::Useless(format!("it did not read a request within {time:?}")));
            }
        }
        if self.timeouts < TIMEOUTS {
            return Ok(());
        }
        Err(Fault::Useless(format!("{TIMEOUTS} requests in a row had no answer in time")))
    }

    /// A stream is closed: the process has ended, or it is of no use.
    async fn ended(&mut self, why: &str) -> End {
        match timeout(LAST_OUTPUT, self.child.wait()).await {
            Ok(status) => self.exited(status).await,
            Err(_) => End::Replaced(why.to_owned()),
        }
    }

    /// The process has ended: its children end too, and its last answers count.
    async fn exited(&mut self, status: io::Result<std::process::ExitStatus>) -> End {
        self.group.kill();
        let _ = timeout(LAST_OUTPUT, async {
            while let Ok(Part::Line(line)) = self.output.next().await {
                if self.answer(&line).is_err() {
                    return;
                }
            }
        })
        .await;
        // The log gets its last words; a child that left the group may keep the stream open.
        let _ = timeout(LAST_OUTPUT, &mut self.errors).await;
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let last = self.last_line.get();
        End::Exited(if last.is_empty() { status } else { format!("{status}: {last}") })
    }

    /// Takes the requests that it leaves: those that were written, and those that were not.
    pub(super) fn left(&mut self) -> impl Iterator<Item = (Call, bool)> {
        std::mem::take(&mut self.open).into_iter().map(|open| {
            let was_begun = open.deadline.is_some();
            (open.call, was_begun)
        })
    }

    /// Ends the process and its children: first by the end of its input, then by signals.
    pub(super) async fn put_down(self) {
        let Self { mut child, group, input, output, errors, waits, .. } = self;
        // Without a reader it cannot wait for its output to be read.
        drop((input, output));
        if timeout(waits.grace, child.wait()).await.is_err() {
            group.terminate();
            let _ = timeout(waits.grace, child.wait()).await;
        }
        group.kill();
        let _ = child.wait().await;
        let _ = timeout(LAST_OUTPUT, errors).await;
    }
}

/// Why a process cannot go on.
#[derive(Debug)]
enum Fault {
    Useless(String),
    NoOutput,
}

/// Writes a part of the first line.
async fn write(input: &mut ChildStdin, unwritten: &VecDeque<(String, Bytes)>) -> io::Result<usize> {
    match unwritten.front() {
        Some((_, line)) => input.write(line).await,
        None => Ok(0),
    }
}
