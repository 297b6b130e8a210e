//! A chat service of your own: each line of a text file is a message, and the replies are appended to another file.
//!
//! ```text
//! cargo run -p mynah --example own_service -- run --config mynah.toml
//! ```
//!
//! with accounts like
//!
//! ```toml
//! [[account]]
//! name = "notes"
//! bot = "bots/faq"
//! transport = "notes"
//! input = "questions.txt"
//! output = "answers.txt"
//! ```

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use mynah::core::{
    Batch, Capabilities, Clock, EventId, Incoming, MediaError, MessageId, Origin, Outgoing, Person,
    Prompt, Receipt, ReceiveError, Records, SendError, Service, Source, Status, Transport, Words,
};
use mynah::prelude::*;
// `Key` of the prelude is another one.
use mynah::transports::{self, Connector, Kind, SettingError, Surroundings, Values};

/// The record with the number of lines that were read.
const READ: &str = "notes.read";

/// The service in the table of services.
pub(crate) struct Notes;

const KEYS: &[transports::Key] = &[
    transports::Key::new("input", Kind::Path, "the file with the messages", "消息文件").required(),
    transports::Key::new("output", Kind::Path, "the file for the replies", "回复文件").required(),
];

impl Connector for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    fn title(&self) -> Words {
        Words::fixed("a file of notes", "笔记文件")
    }

    fn keys(&self) -> &'static [transports::Key] {
        KEYS
    }

    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities::everything("notes"))
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

/// An account that is not open yet.
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

/// The one chat of this service.
fn chat() -> Chat {
    Chat::private("notes", "notes")
}

/// Reads messages.
struct Reader {
    input: PathBuf,
    clock: Arc<dyn Clock>,
    read: usize,
    is_online: bool,
}

#[async_trait]
impl Source for Reader {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        if !std::mem::replace(&mut self.is_online, true) {
            return Ok(Incoming::Status(Status::Online { name: "notes".to_owned() }));
        }
        let text = fs::read_to_string(&self.input);
        let text = text.map_err(|error| ReceiveError::Unusable(Box::new(error)))?;
        let Some(line) = text.lines().nth(self.read) else { return Ok(Incoming::End) };
        self.read += 1;
        // The position is kept together with the event: after a crash nothing is read twice or left out.
        let records = Records::from([(READ.to_owned(), self.read.to_string())]);
        let events = vec![message(self.read, line, self.clock.now())];
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
    Event { id: EventId::new(format!("notes:{number}")), time, body }
}

/// Writes replies.
struct Writer {
    output: PathBuf,
}

#[async_trait]
impl Service for Writer {
    fn capabilities(&self) -> Arc<Capabilities> {
        Notes.capabilities()
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::new([chat()])
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        let Action::Send { content } = &outgoing.action else {
            return Err(SendError::Unsupported {
                transport: "notes",
                action: outgoing.action.kind(),
            });
        };
        let file = fs::File::options().append(true).create(true).open(&self.output);
        let written = file.and_then(|mut file| writeln!(file, "{}", content.plain_text()));
        written
            .map_err(|error| SendError::NotSent { retry_after: None, source: Box::new(error) })?;
        Ok(Receipt::default())
    }

    async fn media(&self, _media: &MediaRef, _limit: u64) -> Result<bytes::Bytes, MediaError> {
        Err(MediaError::Unavailable)
    }
}

/// A bot that knows the service.
pub(crate) fn bot() -> Bot {
    Bot::new().connector(&Notes)
}

#[tokio::main]
async fn main() -> mynah::Result<()> {
    bot().run_cli().await
}
