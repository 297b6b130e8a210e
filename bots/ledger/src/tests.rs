//! Tests of the bot with a ledger in memory or in a temporary file.

use std::path::Path;

use mynah::Ended;
use mynah::testing::Conversation;

use crate::bot;
use crate::ledger::{Ledger, Payment, Total};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

#[tokio::test]
async fn the_rule_file_is_right_and_passes_its_own_tests() {
    for command in ["check", "test"] {
        let ended =
            bot(Ledger::in_memory().unwrap()).run(["ledger-bot", command, FOLDER]).await.unwrap();
        assert_eq!(ended, Ended::Fine, "{command}");
    }
}

#[tokio::test]
async fn the_ledger_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    for total in ["12.00", "24.00"] {
        let ledger = Ledger::open(&file).unwrap();
        // Each conversation starts a new bot, whose messages get new ids.
        let mut talk = Conversation::new(bot(ledger), FOLDER).await.unwrap();
        if total == "24.00" {
            talk.say("Trip/Bob", "你好").await.unwrap();
        }
        let said = talk.say("Trip/Ann", "记账 tea 12").await.unwrap();
        assert_eq!(said, [format!("@Ann 记下了：tea 12.00 元。你一共付了 {total} 元。").as_str()]);
    }
}

#[test]
fn a_turn_that_runs_again_pays_once() {
    let ledger = Ledger::in_memory().unwrap();
    let payment = Payment {
        event: "message 1".to_owned(),
        chat: "trip".to_owned(),
        person: "ann".to_owned(),
        name: "Ann".to_owned(),
        what: "tea".to_owned(),
        cents: 1200,
    };
    assert_eq!(ledger.record(&payment).unwrap(), 1200);
    assert_eq!(ledger.record(&payment).unwrap(), 1200);
    let renamed = Payment { event: "message 2".to_owned(), name: "Annie".to_owned(), ..payment };
    assert_eq!(ledger.record(&renamed).unwrap(), 2400);
    let total = Total { name: "Annie".to_owned(), cents: 2400 };
    assert_eq!(ledger.totals("trip").unwrap(), [total], "one person, whatever the name");
    assert_eq!(ledger.totals("elsewhere").unwrap(), []);
}

#[test]
fn only_a_bot_that_runs_writes_into_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    let open = |words: &[&str]| {
        super::ledger(words.iter().map(|word| (*word).into()), Path::new(&file)).unwrap();
        file.exists()
    };
    assert!(!open(&["test", "run"]));
    assert!(!open(&["sandbox", "bots/ledger"]));
    assert!(open(&["-v", "run", "bots/ledger"]));
}
