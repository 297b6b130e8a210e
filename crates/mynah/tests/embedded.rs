//! A program with its own runtime, transport and store runs a bot, stops it, and runs it again in the same process.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::sync::Arc;
use std::time::Duration;

use mynah::core::Store;
use mynah::embed::Ended;
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

#[test]
fn mistakes_of_the_rules_are_reported_before_the_run() {
    let store = Arc::new(ModelStore::new());
    let bot = mynah::prelude::Bot::new().embed("shop", store);
    let report = bot.rules("[[rule]]\nkeyword = 1\n").unwrap_err().to_string();
    assert!(report.contains("bot.toml:2"), "{report}");
}
