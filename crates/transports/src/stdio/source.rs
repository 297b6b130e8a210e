//! Where events come from: one object a line.

use std::sync::Arc;

use async_trait::async_trait;
use mynah_core::{Batch, Clock, Incoming, ReceiveError, Records, Source, Status};
use thiserror::Error;

use super::line::{Meaning, Reader};
use super::shared::Shared;
use super::streams::{self, Piece, SharedLines};

/// The record that counts the runs.
const RUN: &str = "stdio.run";

/// So many lines at most become one batch: it is written to disk before more is read.
const BATCH: usize = 256;

/// The account cannot go on: nothing reads its actions.
#[derive(Debug, Error)]
#[error("the reader of the actions has gone away")]
struct ReaderGone;

/// Reads lines for one account.
pub(super) struct StdioSource {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    input: State,
    /// The number of this run, by which ids of lines differ from those of earlier runs.
    run: u64,
    /// The number of the last line of the input.
    line: u64,
    /// Why the input cannot be read any more, to be reported after the lines before it.
    failure: Option<std::io::Error>,
}

/// The state of the input.
enum State {
    /// Not read yet.
    Closed(streams::Input),
    Open(SharedLines),
    Ended,
}

impl StdioSource {
    pub(super) fn new(
        shared: Arc<Shared>,
        clock: Arc<dyn Clock>,
        input: streams::Input,
        records: &Records,
    ) -> Self {
        let before: u64 = records.get(RUN).and_then(|run| run.parse().ok()).unwrap_or(0);
        Self { shared, clock, input: State::Closed(input), run: before + 1, line: 0, failure: None }
    }

    /// Opens the input at the first call: an account that is only looked at reads nothing.
    fn begin(&mut self) -> Result<Option<Incoming>, ReceiveError> {
        match std::mem::replace(&mut self.input, State::Ended) {
            State::Closed(input) => {
                let lines = streams::read(input);
                let lines = lines.map_err(|error| ReceiveError::Unusable(Box::new(error)))?;
                self.input = State::Open(lines);
                let name = self.shared.people.me();
                Ok(Some(Incoming::Status(Status::Online { name })))
            }
            open => {
                self.input = open;
                Ok(None)
            }
        }
    }

    /// The next lines of the input, as many as are there; none at its end.
    async fn pieces(&mut self) -> Vec<Piece> {
        let State::Open(lines) = &self.input else { return Vec::new() };
        let (before, pieces) = lines.lock().await.next(BATCH).await;
        self.line = before;
        pieces
    }

    /// The events of lines, with the records that belong to them. Outcomes go to the actions that wait for them.
    fn batch(&mut self, pieces: Vec<Piece>) -> Batch {
        // Kept together with the first event whose id has this number.
        let mut batch = Batch::default();
        batch.records.insert(RUN.to_owned(), self.run.to_string());
        for piece in pieces {
            self.line += 1;
            match piece {
                Piece::Line(line) => self.take(&line, &mut batch),
                Piece::TooLong => self.skip(&"it is longer than 1 MiB"),
                Piece::Failed(error) => self.failure = Some(error),
            }
        }
        batch
    }

    fn take(&self, line: &[u8], batch: &mut Batch) {
        let text = match std::str::from_utf8(line) {
            Ok(text) => text.trim_start_matches('\u{feff}').trim(),
            Err(error) => return self.skip(&error),
        };
        if text.is_empty() {
            return;
        }
        let reader = Reader { people: &self.shared.people, now: self.clock.now() };
        match reader.read(text, || format!("stdio:{}:{}", self.run, self.line)) {
            Ok(Meaning::Event(event)) => {
                batch.records.extend(event.chat().and_then(|chat| self.shared.meet(chat)));
                self.shared.meet_members(&event);
                batch.events.push(event);
            }
            Ok(Meaning::Outcome { action, answer }) => {
                if !self.shared.settle(&action, answer) {
                    self.skip(&format!("no action {action} waits for its outcome"));
                }
            }
            Err(error) => self.skip(&error),
        }
    }

    /// Reports a line that has no effect.
    fn skip(&self, why: &dyn std::fmt::Display) {
        tracing::warn!(line = self.line, "standard input, line {}: skipped: {why}", self.line);
    }
}

#[async_trait]
impl Source for StdioSource {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        if let Some(online) = self.begin()? {
            return Ok(online);
        }
        if let Some(error) = self.failure.take() {
            return Err(ReceiveError::Unusable(Box::new(error)));
        }
        let mut streams = self.shared.streams.subscribe();
        let gone = async {
            // The sender lives in `shared`, so waiting cannot fail.
            let _ = streams.wait_for(|streams| streams.reader_is_gone).await;
            Err(ReceiveError::Unusable(Box::new(ReaderGone)))
        };
        if matches!(self.input, State::Ended) {
            return gone.await;
        }
        let pieces = tokio::select! {
            biased;
            gone = gone => return gone,
            pieces = self.pieces() => pieces,
        };
        if pieces.is_empty() {
            self.input = State::Ended;
            self.shared.streams.send_modify(|streams| streams.has_ended = true);
            return Ok(Incoming::End);
        }
        Ok(Incoming::Batch(self.batch(pieces)))
    }

    async fn log_out(&mut self) -> Records {
        Records::new()
    }
}
