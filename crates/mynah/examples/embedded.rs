//! A bot inside of another program, which has its own runtime, connection and store: a shop whose customers write on its
//! web page. The program runs the bot, stops it, and runs it again.
//!
//! ```text
//! cargo run -p mynah --example embedded
//! ```

use std::sync::Arc;

use mynah::core::{
    Batch, Capabilities, EventId, Incoming, MediaError, MessageId, Origin, Outgoing, Person,
    Receipt, ReceiveError, Records, SendError, Service, Source, Status, Store, Transport,
};
use mynah::embed::{Ended, Pacing, Settings};
use mynah::prelude::*;
use mynah::store::SqliteStore;
use tokio::sync::{mpsc, oneshot};

const RULES: &str = r#"
[[rule]]
keyword = "price"
reply = "See the list."

[[rule]]
exact = "how many?"
run = "count"
"#;

/// The connection to the page: messages of one visitor come in, replies go out.
pub(crate) struct Page {
    incoming: mpsc::Receiver<Event>,
    replies: mpsc::UnboundedSender<String>,
}

/// The part of the program that talks to the visitor.
pub(crate) struct Visitor {
    messages: mpsc::Sender<Event>,
    replies: mpsc::UnboundedReceiver<String>,
}

impl Page {
    /// A page with one visitor.
    pub(crate) fn open() -> (Self, Visitor) {
        let (messages, incoming) = mpsc::channel(16);
        let (sender, replies) = mpsc::unbounded_channel();
        (Self { incoming, replies: sender }, Visitor { messages, replies })
    }
}

impl Visitor {
    /// Writes a message. The page gives each its id: a message that comes twice is answered once.
    pub(crate) async fn write(&self, id: &str, text: &str) {
        // The bot may have ended.
        let _ = self.messages.send(message(id, text)).await;
    }

    /// Writes a message, and waits for the reply.
    pub(crate) async fn ask(&mut self, id: &str, text: &str) -> Option<String> {
        self.write(id, text).await;
        self.replies.recv().await
    }
}

fn message(id: &str, text: &str) -> Event {
    let message = Message {
        id: MessageId::new(id),
        chat: Chat::private("visitor", "visitor"),
        sender: Person::stranger("visitor", "visitor"),
        origin: Origin::Person,
        content: Content::text(text),
        text: text.to_owned(),
        called: true,
        behind_name: None,
    };
    let time = mynah::core::Clock::now(&mynah::core::SystemClock);
    Event { id: EventId::new(id), time, body: EventBody::Message(message) }
}

impl Transport for Page {
    fn open(self: Box<Self>, _records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let reader = Reader { incoming: self.incoming, is_online: false };
        (Box::new(reader), Arc::new(Writer { replies: self.replies }))
    }
}

struct Reader {
    incoming: mpsc::Receiver<Event>,
    is_online: bool,
}

#[async_trait]
impl Source for Reader {
    async fn receive(&mut self) -> Result<Incoming, ReceiveError> {
        if !std::mem::replace(&mut self.is_online, true) {
            return Ok(Incoming::Status(Status::Online { name: "shop".to_owned() }));
        }
        let Some(event) = self.incoming.recv().await else { return Ok(Incoming::End) };
        Ok(Incoming::Batch(Batch { events: vec![event], ..Batch::default() }))
    }

    async fn log_out(&mut self) -> Records {
        Records::new()
    }
}

struct Writer {
    replies: mpsc::UnboundedSender<String>,
}

#[async_trait]
impl Service for Writer {
    fn capabilities(&self) -> Arc<Capabilities> {
        Arc::new(Capabilities::everything("page"))
    }

    fn chats(&self) -> Arc<[Chat]> {
        Arc::from([])
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        if let Action::Send { content } = &outgoing.action {
            // The visitor may be gone.
            let _ = self.replies.send(content.plain_text());
        }
        Ok(Receipt::default())
    }

    async fn media(&self, _media: &MediaRef, _limit: u64) -> Result<bytes::Bytes, MediaError> {
        Err(MediaError::Unavailable)
    }
}

/// Says how many questions the visitor asked, in all runs.
fn count(ctx: &mut Context, _message: &Message) -> Result<Flow, HandlerError> {
    ctx.add(Scope::Person, "questions", 1);
    let questions = ctx.get(Scope::Person, "questions").unwrap_or_default();
    ctx.reply(questions);
    Ok(Flow::Stop)
}

/// One run of the bot, on the runtime of the caller, until `stop` is ready.
pub(crate) async fn serve(
    store: Arc<dyn Store>,
    page: Page,
    stop: impl Future<Output = ()>,
) -> mynah::Result<Ended> {
    // A page needs no pauses between replies.
    let settings = Settings { pacing: Pacing::off(), ..Settings::default() };
    let bot = Bot::new().handler("count", handler_fn(count));
    let bot = bot.embed("shop", store)?.settings(settings).rules(RULES)?;
    Ok(bot.run_until(Box::new(page), stop).await)
}

#[expect(clippy::print_stdout, reason = "an example is for people")]
pub(crate) fn main() -> Result<(), HandlerError> {
    // The runtime of the program; the bot takes part in it.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory());
    for run in 1..=2 {
        let (page, mut visitor) = Page::open();
        let (stop, stopped) = oneshot::channel();
        let bot = serve(Arc::clone(&store), page, async { drop(stopped.await) });
        let running = runtime.spawn(bot);
        let reply = runtime.block_on(visitor.ask(&format!("message {run}"), "how many?"));
        // The receiver lives until the bot has ended.
        let _ = stop.send(());
        let ended = runtime.block_on(running)??;
        println!("run {run}: {}, {ended:?}", reply.unwrap_or_default());
    }
    Ok(())
}
