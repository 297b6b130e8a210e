//! A handler process with a turn for each message.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{
    Action, Chat, Content, Context, Effects, Event, EventBody, EventId, Frame, Handler, Message,
    Origin, Person, Scope, Segment, Step, StoreReader, Timestamp,
};
use mynah_programs::{
    Account, Command, Per, Program, ProgramHandler, Role, Row, Source, Spec, Waits,
};

/// The time-out of a test.
const TEST: Duration = Duration::from_secs(120);

/// Runs a test with a time-out.
pub(crate) async fn within_time<F: Future<Output = ()>>(body: F) {
    tokio::time::timeout(TEST, body).await.expect("the test took too long");
}

/// The child that behaves as it is asked.
pub(crate) const CHILD: &str = env!("CARGO_BIN_EXE_handler_child");

/// Waits that no test notices.
pub(crate) const WAITS: Waits = Waits {
    first: Duration::from_secs(30),
    grace: Duration::from_millis(300),
    restart: Duration::from_millis(20),
    longest: Duration::from_millis(100),
};

/// The account of the tests.
pub(crate) struct Somebody(pub(crate) PathBuf);

impl Account for Somebody {
    fn name(&self) -> &str {
        "main"
    }

    fn is_admin(&self, _ctx: &Context, person: &Person) -> bool {
        person.name == "Boss"
    }

    fn presets(&self, _: &Context, _: Scope) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn outgoing(&self) -> &Path {
        &self.0
    }

    fn nearest_rows(&self, _: &Context, _: &Event, _: &[String], _: usize) -> Vec<Row> {
        Vec::new()
    }

    fn log(&self) -> Option<Arc<dyn StoreReader>> {
        None
    }

    fn period(&self, _: Per, now: Timestamp) -> (Timestamp, Timestamp) {
        (now, now)
    }
}

/// The settings of a handler.
pub(crate) fn spec(command: &[&str]) -> Spec {
    let line = command.iter().map(|&word| word.to_owned()).collect();
    Spec {
        name: "helper".to_owned(),
        source: Source::Command(Command { line, dir: ".".into(), env: BTreeMap::new() }),
        role: Role::Run,
        reads: Vec::new(),
        timeout: Duration::from_secs(30),
        at_once: 1,
        settings: BTreeMap::new(),
        media: None,
    }
}

/// A running handler.
pub(crate) struct Running {
    pub(crate) program: Program,
    handler: ProgramHandler,
    pub(crate) folder: tempfile::TempDir,
}

impl Running {
    pub(crate) fn start(spec: Spec) -> Self {
        Self::waiting(spec, WAITS)
    }

    pub(crate) fn waiting(spec: Spec, waits: Waits) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Program::start(spec, waits).expect("it starts");
        let account = Arc::new(Somebody(folder.path().join("out")));
        let handler = ProgramHandler::new(program.clone(), account);
        Self { program, handler, folder }
    }

    /// The handler itself.
    pub(crate) fn handler(&self) -> &ProgramHandler {
        &self.handler
    }

    /// The text that the handler replies to a text, or its error.
    pub(crate) async fn ask(&self, id: &str, text: &str) -> Result<String, String> {
        self.effects(&message(id, text)).await.map(|effects| said(&effects))
    }

    /// The effects of an event.
    pub(crate) async fn effects(&self, event: &Event) -> Result<Effects, String> {
        let mut ctx = Context::new(Frame {
            chats: Arc::from([Chat::group("shop", "Shop")]),
            ..Frame::of(event, event.time)
        });
        let result = match &event.body {
            EventBody::Message(message) => self.handler.on_message(&mut ctx, message).await,
            _ => self.handler.on_event(&mut ctx, event).await,
        };
        result.map(|_| ctx.finish().1).map_err(|error| error.to_string())
    }
}

/// A message of Ann in a private chat.
pub(crate) fn message(id: &str, text: &str) -> Event {
    let body = EventBody::Message(Message {
        id: id.into(),
        chat: Chat::private("ann", "Ann"),
        sender: Person::friend("ann", "Ann"),
        origin: Origin::Person,
        content: Content::text(text),
        text: text.to_owned(),
        called: true,
        behind_name: None,
    });
    Event { id: EventId::new(id), time: Timestamp::from_millis(0), body }
}

/// The texts of all replies.
pub(crate) fn said(effects: &Effects) -> String {
    let texts = effects.steps.iter().filter_map(|step| match step {
        Step::Act(planned) => match &planned.action {
            Action::Send { content } => Some(content),
            _ => None,
        },
        Step::Run(_) => None,
    });
    let text = |content: &Content| {
        content
            .0
            .iter()
            .filter_map(|segment| match segment {
                Segment::Text { text } => Some(text.clone()),
                _ => None,
            })
            .collect::<String>()
    };
    texts.map(text).collect::<Vec<_>>().join("|")
}
