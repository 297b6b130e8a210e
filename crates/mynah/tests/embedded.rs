//! A program with its own runtime, transport and store runs a bot, stops it, and runs it again in the same process.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::sync::Arc;
use std::time::Duration;

use mynah::core::Store;
use mynah::embed::{Ended, Pacing, Settings};
use mynah::prelude::*;
use mynah_store_testing::ModelStore;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

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
