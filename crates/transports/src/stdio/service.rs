//! Where actions go: one object a line.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use mynah_core::{
    Called, Capabilities, Chat, ChatId, MediaError, MediaRef, Outgoing, Receipt, SendError, Service,
};
use thiserror::Error;
use tokio::sync::oneshot;

use super::line::Answer;
use super::shared::Shared;
use super::streams::Writer;
use super::written;

/// Its name in settings.
pub(crate) const TRANSPORT: &str = "stdio";

/// Writes the actions of one account.
pub(super) struct StdioService {
    shared: Arc<Shared>,
    capabilities: Arc<Capabilities>,
    output: Mutex<Output>,
}

/// The state of the output.
enum Output {
    /// Not written to yet.
    Closed(Box<dyn Write + Send>),
    Open(Arc<Writer>),
    /// The thread could not be started.
    Failed,
}

/// An outcome in the words of the reader.
#[derive(Debug, Error)]
#[error("{0}")]
struct ReaderReport(String);

impl StdioService {
    pub(super) fn new(shared: Arc<Shared>, output: Box<dyn Write + Send>) -> Self {
        let (capabilities, output) = (Arc::new(capabilities()), Mutex::new(Output::Closed(output)));
        Self { shared, capabilities, output }
    }

    /// The writer, started at the first line.
    fn writer(&self) -> io::Result<Arc<Writer>> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *output, Output::Failed) {
            Output::Closed(stream) => {
                let writer = Arc::new(Writer::new(stream)?);
                *output = Output::Open(Arc::clone(&writer));
                Ok(writer)
            }
            Output::Open(writer) => {
                *output = Output::Open(Arc::clone(&writer));
                Ok(writer)
            }
            Output::Failed => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    async fn write(&self, line: String) -> Result<(), SendError> {
        let written = async { self.writer()?.write(line).await };
        written.await.map_err(|error| {
            self.shared.streams.send_modify(|streams| streams.reader_is_gone = true);
            SendError::NotSent { retry_after: None, source: Box::new(error) }
        })
    }

    /// Waits for the line with the outcome. Once the input has ended none can come: the action was written, no more is
    /// known.
    async fn answer(
        &self,
        outcome: oneshot::Receiver<Answer>,
        patience: Duration,
    ) -> Result<Receipt, SendError> {
        let mut streams = self.shared.streams.subscribe();
        tokio::select! {
            biased;
            answer = outcome => answer.map_or_else(|_| Err(unknown("it was given up")), judge),
            _ = streams.wait_for(|streams| streams.has_ended) => Ok(Receipt::default()),
            () = tokio::time::sleep(patience) => Err(unknown("no outcome came in time")),
        }
    }
}

fn unknown(words: &str) -> SendError {
    SendError::Unknown { source: Box::new(ReaderReport(words.to_owned())) }
}

fn judge(answer: Answer) -> Result<Receipt, SendError> {
    match answer {
        Answer::Delivered(message) => Ok(Receipt { message }),
        Answer::NotSent { reason, retry_after } => {
            Err(SendError::NotSent { retry_after, source: Box::new(ReaderReport(reason)) })
        }
        Answer::TooFrequent { retry_after } => Err(SendError::TooFrequent { retry_after }),
        Answer::Refused { reason } => Err(SendError::Refused { reason }),
        Answer::Unknown { reason } => Err(unknown(&reason)),
    }
}

#[async_trait]
impl Service for StdioService {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::clone(&self.capabilities)
    }

    fn chats(&self) -> Arc<[Chat]> {
        self.shared.chats()
    }

    fn members(&self, group: &ChatId) -> Vec<String> {
        self.shared.members(group)
    }

    fn person_called(&self, name: &str) -> Called {
        self.shared.people.called(name)
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        let Some(line) = written::line(outgoing) else {
            let action = outgoing.action.kind();
            return Err(SendError::Unsupported { transport: TRANSPORT, action });
        };
        let Some(patience) = self.shared.outcomes else {
            return self.write(line).await.map(|()| Receipt::default());
        };
        let id = outgoing.id.to_string();
        let outcome = self.shared.expect(id.clone());
        let done = match self.write(line).await {
            Ok(()) => self.answer(outcome, patience).await,
            Err(error) => Err(error),
        };
        self.shared.give_up(&id);
        done
    }

    async fn media(&self, _: &MediaRef, _: u64) -> Result<Bytes, MediaError> {
        Err(MediaError::Unavailable)
    }
}

/// The abilities of a program at the other end, which has no limits that are known here.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities { lists_chats: false, ..Capabilities::everything(TRANSPORT) }
}
