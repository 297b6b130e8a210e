//! A program that the bot starts, and starts again when it ends.

mod group;
mod life;
mod lines;
mod spawn;
mod stderr;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::life::{End, Life};
use crate::program::Tally;
use crate::{Command, Failure, Waits};

/// The answer to a request.
pub(crate) type Answered = Result<Map<String, Value>, Failure>;

/// A request on its way.
#[derive(Debug)]
struct Call {
    id: String,
    line: Bytes,
    timeout: Duration,
    /// The number of processes that ended while they had it.
    ends: u8,
    answer: oneshot::Sender<Answered>,
}

impl Call {
    /// Hands the answer back. A turn that was given up does not need it.
    fn answer(self, answered: Answered) {
        let _ = self.answer.send(answered);
    }
}

/// A program that the bot starts.
#[derive(Debug)]
pub(crate) struct Process {
    calls: mpsc::Sender<Call>,
    timeout: Duration,
    stop: CancellationToken,
    supervisor: Mutex<Option<JoinHandle<()>>>,
}

impl Process {
    /// Starts the program in the background.
    pub(crate) fn start(
        handler: &str,
        command: Command,
        (timeout, at_once): (Duration, usize),
        waits: Waits,
        tally: Arc<Tally>,
    ) -> Self {
        // Further requests wait in their turns, in the order in which they came.
        let (calls, coming) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let handler = handler.to_owned();
        let supervisor = Supervisor {
            handler,
            command,
            at_once,
            waits,
            tally,
            calls: coming,
            again: VecDeque::new(),
            stop: stop.clone(),
            ends: 0,
            leaving: None,
        };
        let supervisor = Mutex::new(Some(tokio::spawn(supervisor.run())));
        Self { calls, timeout, stop, supervisor }
    }

    /// Asks the program.
    pub(crate) async fn ask(&self, id: String, line: Bytes) -> Answered {
        let (answer, answered) = oneshot::channel();
        let call = Call { id, line, timeout: self.timeout, ends: 0, answer };
        if self.calls.send(call).await.is_err() {
            return Err(Failure::Stopped);
        }
        answered.await.unwrap_or(Err(Failure::Stopped))
    }

    /// Stops the program and its children, and returns when they have ended.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        let supervisor = self.supervisor.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(supervisor) = supervisor {
            let _ = supervisor.await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Keeps a process running.
struct Supervisor {
    handler: String,
    command: Command,
    at_once: usize,
    waits: Waits,
    tally: Arc<Tally>,
    calls: mpsc::Receiver<Call>,
    /// Requests that a process left when it ended.
    again: VecDeque<Call>,
    stop: CancellationToken,
    /// The number of ends in a row without an answer between them.
    ends: u32,
    /// A process that is being ended; there is one at most.
    leaving: Option<JoinHandle<()>>,
}

impl Supervisor {
    async fn run(mut self) {
        let mut why = String::new();
        loop {
            if !self.pause(&why).await {
                break;
            }
            why = match Life::start(&self.handler, &self.command, self.waits) {
                Ok(life) => match self.live(life).await {
                    Some(why) => why,
                    None => break,
                },
                Err(error) => {
                    let program = self.command.line.first().map_or("", String::as_str);
                    let why = format!("failed to start {program}: {error}");
                    self.give_up_waiting(&why);
                    why
                }
            };
            self.ends += 1;
            tracing::error!(
                handler = self.handler,
                "the program of the handler is replaced: {why}"
            );
        }
        self.calls.close();
        self.again.clear();
        self.left_behind().await;
    }

    /// Lets one process work. Returns why it is replaced; `None` if the handler is stopped.
    async fn live(&mut self, mut life: Life) -> Option<String> {
        self.tally.started();
        let stop = self.stop.clone();
        let end = life.work(&mut self.calls, &mut self.again, self.at_once, &stop).await;
        self.tally.ended();
        if life.has_answered {
            self.ends = 0;
        }
        let (why, has_exited) = match end {
            End::Stopped => {
                life.put_down().await;
                return None;
            }
            End::Exited(why) => (why, true),
            End::Replaced(why) => (why, false),
        };
        for (mut call, was_begun) in life.left() {
            call.ends += u8::from(was_begun);
            match call.ends {
                0 | 1 => self.again.push_back(call),
                _ => call.answer(Err(Failure::Ended(why.clone()))),
            }
        }
        if !has_exited {
            self.left_behind().await;
            self.leaving = Some(tokio::spawn(life.put_down()));
        }
        Some(why)
    }

    /// Waits until the process that is being ended has ended.
    async fn left_behind(&mut self) {
        if let Some(leaving) = self.leaving.take() {
            let _ = leaving.await;
        }
    }

    /// Fails the requests that wait for a start.
    fn give_up_waiting(&mut self, why: &str) {
        let waiting = std::iter::from_fn(|| self.calls.try_recv().ok());
        for call in self.again.drain(..).chain(waiting) {
            call.answer(Err(Failure::NotRunning(why.to_owned())));
        }
    }

    /// Waits before a start. Requests that cannot be answered in time fail meanwhile. False if the handler is stopped.
    async fn pause(&mut self, why: &str) -> bool {
        // A process that has answered before it ended is replaced at once.
        let doubled = self.ends.checked_sub(2).map_or(Duration::ZERO, |ends| {
            self.waits.restart.saturating_mul(1_u32.checked_shl(ends.min(16)).unwrap_or(u32::MAX))
        });
        let until = Instant::now() + doubled.min(self.waits.longest);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return !self.stop.is_cancelled();
            }
            let is_too_long = |call: &Call| left > call.timeout;
            let fail = |call: Call| {
                let words = format!("{why}; the next start is in {left:.1?}");
                call.answer(Err(Failure::NotRunning(words)));
            };
            let (hopeless, again) = self.again.drain(..).partition(is_too_long);
            self.again = again;
            VecDeque::into_iter(hopeless).for_each(fail);
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = sleep_until(until) => {}
                call = self.calls.recv(), if self.again.len() < self.at_once => match call {
                    Some(call) => self.again.push_back(call),
                    None => return false,
                },
            }
        }
    }
}
