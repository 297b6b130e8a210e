//! A program with its own runtime, transport and store runs a bot, stops it, and runs it again in the same process.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mynah::core::{
    Action, Capabilities, MediaError, Outgoing, Receipt, Records, SendError, Service, Source,
    Store, Transport,
};
use mynah::embed::{Ended, Pacing, Settings};
use mynah::prelude::*;
use mynah_store_testing::ModelStore;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

#[path = "../examples/embedded.rs"]
mod embedded;

use embedded::{Page, serve};

const PATIENCE: Duration = Duration::from_secs(30);

/// One run: asks the questions in order, then stops the bot and checks that it ended by that.
fn run(runtime: &Runtime, store: &Arc<dyn Store>, questions: &[(&str, &str)]) -> Vec<String> {
    let (page, mut visitor) = Page::open();
    let (stop, stopped) = oneshot::channel();
    let bot = serve(Arc::clone(store), page, async { drop(stopped.await) });
    let running = runtime.spawn(bot);
    let asked = async {
        let mut replies = Vec::new();
        for (id, text) in questions {
            replies.push(visitor.ask(id, text).await.unwrap());
        }
        stop.send(()).unwrap();
        let ended = running.await.unwrap().unwrap();
        assert!(matches!(ended, Ended::Stopped), "{ended:?}");
        replies
    };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await.unwrap() })
}

#[test]
fn a_bot_is_run_stopped_and_run_again() {
    for runtime in [Builder::new_multi_thread(), Builder::new_current_thread()] {
        let mut runtime = runtime;
        let runtime = runtime.enable_all().build().unwrap();
        let store = ModelStore::new();
        let shared: Arc<dyn Store> = Arc::new(store.clone());
        let first = [("1", "the price?"), ("2", "how many?")];
        assert_eq!(run(&runtime, &shared, &first), ["See the list.", "1"]);
        store.reopen();
        // The page repeats a message that was answered; only the new one is.
        let (page, mut visitor) = Page::open();
        let (stop, stopped) = oneshot::channel::<()>();
        let running =
            runtime.spawn(serve(Arc::clone(&shared), page, async { drop(stopped.await) }));
        let asked = async {
            visitor.write("2", "how many?").await;
            assert_eq!(visitor.ask("3", "how many?").await.unwrap(), "2");
            drop(visitor);
            running.await.unwrap().unwrap()
        };
        let ended =
            runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await.unwrap() });
        assert!(matches!(ended, Ended::Finished), "the page is closed: {ended:?}");
        drop(stop);
    }
}

#[test]
fn the_example_runs_its_bot_twice() {
    embedded::main().unwrap();
}

/// Asks for a city.
struct Asks;

#[async_trait]
impl Handler for Asks {
    async fn on_message(&self, ctx: &mut Context, message: &Message) -> Result<Flow, HandlerError> {
        match ctx.awaited().map(str::to_owned) {
            Some(data) => ctx.reply(format!("{data} {}", message.text)),
            None => {
                ctx.reply("Which city?");
                ctx.await_answer(Duration::from_secs(3600), "asks", "to");
            }
        }
        Ok(Flow::Stop)
    }
}

/// One run of a bot that asks, with one message; the reply.
async fn ask_once(store: Arc<dyn Store>, id: &str, text: &str) -> String {
    let rules = "[[rule]]\nregex = \".*\"\nrun = \"asks\"\n";
    let settings = Settings { pacing: Pacing::off(), ..Settings::default() };
    let bot = Bot::new().handler("asks", Asks).embed("shop", store).unwrap();
    let bot = bot.settings(settings).rules(rules).unwrap();
    let (page, mut visitor) = Page::open();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = bot.run_until(Box::new(page), async { drop(stopped.await) });
    let asked = async {
        let reply = visitor.ask(id, text).await.unwrap();
        drop(stop);
        reply
    };
    let both = async { tokio::join!(running, asked).1 };
    tokio::time::timeout(PATIENCE, both).await.unwrap()
}

#[tokio::test]
async fn a_question_waits_over_a_restart_and_is_forgotten_with_the_person() {
    let model = ModelStore::new();
    let store: Arc<dyn Store> = Arc::new(model.clone());
    assert_eq!(ask_once(Arc::clone(&store), "1", "hi").await, "Which city?");
    model.reopen();
    assert_eq!(ask_once(Arc::clone(&store), "2", "Oslo").await, "to Oslo");
    model.reopen();
    assert_eq!(ask_once(Arc::clone(&store), "3", "Rome").await, "Which city?");
    store.forget(&"visitor".into()).await.unwrap();
    model.reopen();
    assert_eq!(ask_once(store, "4", "Rome").await, "Which city?");
}

#[test]
fn mistakes_of_the_rules_are_reported_before_the_run() {
    let store = Arc::new(ModelStore::new());
    let broken = Bot::new().default_rules("broken", "[[rule]]\nkeyword = 1\n");
    let report = broken.embed("shop", Arc::clone(&store) as _).unwrap_err().to_string();
    assert!(report.contains("broken:2"), "{report}");
    let bot = Bot::new().embed("shop", store).unwrap();
    let report = bot.rules("[[rule]]\nkeyword = 1\n").unwrap_err().to_string();
    assert!(report.contains("bot.toml:2"), "{report}");
}

/// A service that shows where the files of messages are.
struct Files(Page, mpsc::UnboundedSender<(PathBuf, Vec<u8>)>);

impl Transport for Files {
    fn open(self: Box<Self>, records: Records) -> (Box<dyn Source>, Arc<dyn Service>) {
        let Self(page, files) = *self;
        let (source, service) = Box::new(page).open(records);
        (source, Arc::new(FileService(service, files)))
    }
}

struct FileService(Arc<dyn Service>, mpsc::UnboundedSender<(PathBuf, Vec<u8>)>);

#[async_trait]
impl Service for FileService {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.0.capabilities()
    }

    fn chats(&self) -> Arc<[Chat]> {
        self.0.chats()
    }

    async fn perform(&self, outgoing: &Outgoing) -> Result<Receipt, SendError> {
        if let Action::Send { content } = &outgoing.action
            && let Some(media) = content.0.iter().find_map(Segment::media)
        {
            let path = media.source.path().unwrap().to_owned();
            self.1.send((path.clone(), std::fs::read(path).unwrap())).unwrap();
        }
        self.0.perform(outgoing).await
    }

    async fn media(&self, media: &MediaRef, limit: u64) -> Result<bytes::Bytes, MediaError> {
        self.0.media(media, limit).await
    }
}

/// A handler that draws a picture, with a program of the settings that is asked about everything else.
fn drawing() -> Bot {
    let settings = r#"
[[handler]]
name = "count"
command = ["python3", "-c", """
import json, sys
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "reply": "by a program"}), flush=True)
"""]
"#;
    let draw = handler_fn(|ctx, _| {
        let picture = MediaRef::bytes("chart.png", b"PNG".to_vec());
        ctx.reply_with(Content::text("here").with(Segment::Image(picture)));
        Ok(Flow::Stop)
    });
    Bot::new().handler("draw", draw).settings(settings).unwrap()
}

const DRAWING: &str =
    "[[rule]]\nexact = \"draw\"\nrun = \"draw\"\n[[rule]]\nregex = \".*\"\nrun = \"count\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn handlers_of_the_settings_run_and_files_of_messages_are_removed_at_the_end() {
    let saves = tempfile::tempdir().unwrap();
    for folder in [None, Some(saves.path().to_owned())] {
        let store: Arc<dyn Store> = Arc::new(ModelStore::new());
        let settings =
            Settings { pacing: Pacing::off(), save_folder: folder.clone(), ..Settings::default() };
        let bot = drawing().embed("shop", store).unwrap().settings(settings);
        let bot = bot.rules(DRAWING).unwrap();
        let (page, mut visitor) = Page::open();
        let (files, mut sent) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let transport = Box::new(Files(page, files));
        let running = bot.run_until(transport, async { drop(stopped.await) });
        let asked = async {
            assert_eq!(visitor.ask("1", "count").await.unwrap(), "by a program");
            assert_eq!(visitor.ask("2", "draw").await.unwrap(), "here");
            drop(stop);
        };
        let both = async { tokio::join!(running, asked).0 };
        let ended = tokio::time::timeout(PATIENCE, both).await.unwrap();
        assert!(matches!(ended, Ended::Stopped), "{ended:?}");
        let (path, bytes) = sent.recv().await.unwrap();
        assert_eq!(bytes, b"PNG");
        assert!(path.to_string_lossy().ends_with("-chart.png"), "{}", path.display());
        match folder {
            Some(folder) => assert!(path.starts_with(folder) && path.exists()),
            None => assert!(!path.parent().unwrap().parent().unwrap().exists()),
        }
    }
}
