//! A chat service for tests: each line of a file is a message, and replies are appended to another file with the number of
//! the process. Many accounts fit into one process, and the files outlive it.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mynah::core::{
    Batch, Capabilities, Clock, EventId, Incoming, MediaError, MessageId, Origin, Outgoing, Person,
    Prompt, Receipt, ReceiveError, Records, SendError, Service, Source, Status, Transport, Words,
};
use mynah::prelude::*;
use mynah::transports::{self, Connector, Kind, SettingError, Surroundings, Values};

/// The record with the number of lines that were read.
const READ: &str = "lines.read";

/// The pause between two looks at the file.
const PAUSE: Duration = Duration::from_millis(20);

/// The service in the table of services.
pub(crate) struct Lines;

const KEYS: &[transports::Key] = &[
    transports::Key::new("input", Kind::Path, "the file with the messages", "消息文件").required(),
    transports::Key::new("output", Kind::Path, "the file for the replies", "回复文件").required(),
];

impl Connector for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn title(&self) -> Words {
        Words::fixed("lines of a file", "文件里的行")
    }

    fn keys(&self) -> &'static [transports::Key] {
        KEYS
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities::everything("lines"))
    }

    fn has_login(&self) -> bool {
        false
    }

    fn login_words(&self, _prompt: &Prompt) -> Words {
        Words::fixed("there is no login", "无需登录")
    }

    fn open(
        &self,
        account: &Values,
        around: &Surroundings,
    ) -> Result<Box<dyn Transport>, SettingError> {
        let file = |key| account.text(key).unwrap_or_default().into();
        let clock = Arc::clone(&around.clock);
        Ok(Box::new(Account { input: file("input"), output: file("output"), clock }))
    }
}

struct Account {
    input: PathBuf,
    output: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Transport for Account {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let Self { input, output, clock } = *self;
        let read = records.get(READ).and_then(|read| read.parse().ok()).unwrap_or(0);
        let reader = Reader { input, clock, read, is_online: false };
        (Box::new(reader), Arc::new(Writer { output }))
    }
}

fn chat() -> Chat {
    Chat::private("lines", "lines")
}

struct Reader {
    input: PathBuf,
    clock: Arc<dyn Clock>,
    read: usize,
    is_online: bool,
}

impl Reader {
    /// The next whole line. A file that is not there yet has none.
    fn line(&self) -> Option<String> {
        let text = fs::read_to_string(&self.input).ok()?;
        let line = text.split_inclusive('\n').nth(self.read)?;
        line.strip_suffix('\n').map(str::to_owned)
    }
}

#[async_trait]
impl Source for Reader {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        if !std::mem::replace(&mut self.is_online, true) {
            return Ok(Incoming::Status(Status::Online { name: "lines".to_owned() }));
        }
        let line = loop {
            match self.line() {
                Some(line) => break line,
                None => tokio::time::sleep(PAUSE).await,
            }
        };
        self.read += 1;
        let records = Records::from([(READ.to_owned(), self.read.to_string())]);
        let events = vec![message(self.read, &line, self.clock.now())];
        Ok(Incoming::Batch(Batch { events, records, ..Batch::default() }))
    }

    async fn log_out(&mut self) -> Records {
        Records::new()
    }
}

fn message(number: usize, line: &str, time: Timestamp) -> Event {
    let body = EventBody::Message(Message {
        id: MessageId::new(number.to_string()),
        chat: chat(),
        sender: Person::stranger("author", "author"),
        origin: Origin::Person,
        content: Content::text(line),
        text: line.to_owned(),
        called: true,
        behind_name: None,
    });
    Event { id: EventId::new(format!("lines:{number}")), time, body }
}

struct Writer {
    output: PathBuf,
}

#[async_trait]
impl Service for Writer {
    fn capabilities(&self) -> Arc<Capabilities> {
        Lines.capabilities()
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::new([chat()])
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        let Action::Send { content } = &outgoing.action else {
            let action = outgoing.action.kind();
            return Err(SendError::Unsupported { transport: "lines", action });
        };
        let line = format!("{} {}\n", std::process::id(), content.plain_text());
        let file = fs::File::options().append(true).create(true).open(&self.output);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written
            .map_err(|error| SendError::NotSent { retry_after: None, source: Box::new(error) })?;
        Ok(Receipt::default())
    }

    async fn media(&self, _media: &MediaRef, _limit: u64) -> Result<bytes::Bytes, MediaError> {
        Err(MediaError::Unavailable)
    }
}
