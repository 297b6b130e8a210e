//! Performs the procedures of `docs/operating.md` with a bot that runs against the sandbox.

use std::fs;
use std::path::Path;

use mynah_tests::{Stage, story};

use super::{mynah, root, said};

/// Runs a command of the page in a folder with the data of a bot in `data`. Returns its output.
fn run(folder: &Path, arguments: &[&str], status: i32) -> String {
    let output = mynah("C").args(arguments).current_dir(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(status), "mynah {arguments:?}: {}", said(&output));
    said(&output)
}

/// A bot that answered 张三 and was stopped. Its data is `data` in a folder.
async fn stopped_bot() -> Stage {
    let bot = root().join("bots/faq");
    let mut t = Stage::new(env!("CARGO_BIN_EXE_stock_bot"), &bot).await;
    t.start().await;
    t.sandbox.say("张三", Some("客户一群"), "请问多少钱");
    t.expect("客户一群", "价目表：https://example.com/price").await;
    assert_eq!(t.terminate().await, 0);
    t
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_bot_is_backed_up_restored_moved_and_made_to_forget() {
    story(async {
        let mut t = stopped_bot().await;
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        // Moving to another machine: the data folder is copied after a stop that keeps the session.
        copy(t.data.path(), &here.join("data"));

        // The bot does not run: status 1 reports that.
        let output = run(here, &["status", "--data", "data"], 1);
        assert!(output.contains("stopped") || output.contains("not run"), "{output}");
        run(here, &["data", "backup", "backup.db", "--data", "data"], 0);
        run(here, &["data", "export", "people.jsonl", "--data", "data"], 0);
        let people = fs::read_to_string(here.join("people.jsonl")).unwrap();
        assert!(people.contains("请问多少钱"), "{people}");

        run(here, &["forget", "张三", "--data", "data"], 0);
        let people = run(here, &["data", "export", "--data", "data"], 0);
        assert!(!people.contains("请问多少钱"), "{people}");

        let output = run(here, &["forget", "张三丰", "--data", "data"], 1);
        assert!(output.contains("nothing is kept about 张三丰"), "{output}");

        // Restoring: the backup alone, as `mynah.db` in an empty data folder.
        fs::create_dir(here.join("restored")).unwrap();
        fs::copy(here.join("backup.db"), here.join("restored/mynah.db")).unwrap();
        let people = run(here, &["data", "export", "--data", "restored"], 0);
        assert!(people.contains("请问多少钱"), "{people}");

        // The bot continues with the restored data, without a scan, and answers only the next message.
        for entry in fs::read_dir(t.data.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::remove_file(path).unwrap();
            }
        }
        copy(&here.join("restored"), t.data.path());
        t.spawn();
        t.sandbox.say("张三", Some("客户一群"), "发票抬头");
        t.expect("客户一群", "抬头请私信客服，注明订单号。").await;
        assert_eq!(t.calls("jslogin"), 1, "no second scan");
        assert_eq!(t.sandbox.sent().len(), 2, "no answer is repeated");
        assert_eq!(t.terminate().await, 0);
    })
    .await;
}

#[test]
fn every_alert_and_every_exit_status_is_documented() {
    let page = super::pages::page("docs/operating.md");
    for ended in mynah::Ended::ALL {
        let row = format!("| {} | {}", ended.code(), ended.meaning());
        assert!(page.text.contains(&row), "the page lacks `{row}`");
    }
    let source = fs::read_to_string(root().join("crates/mynah/src/alert.rs")).unwrap();
    let kinds = source.split("enum AlertKind {").nth(1).unwrap().split('}').next().unwrap();
    let kinds = kinds.lines().map(str::trim).filter(|line| line.ends_with(','));
    let mut seen = 0;
    for kind in kinds.map(|line| line.trim_end_matches(',')) {
        let mut word = String::new();
        for (n, c) in kind.chars().enumerate() {
            if c.is_uppercase() && n > 0 {
                word.push('_');
            }
            word.extend(c.to_lowercase());
        }
        assert!(page.text.contains(&format!("| `{word}` |")), "the page lacks the alert {word}");
        seen += 1;
    }
    assert_eq!(seen, 11);
}
