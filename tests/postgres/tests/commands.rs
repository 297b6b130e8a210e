//! The commands about one account, with its data in a database.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[expect(dead_code, reason = "its own tests use the rest")]
#[path = "../../../crates/store-postgres/tests/postgres/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "other tests use the rest")]
mod runner;

use cluster::Cluster;
use runner::{Runner, question};

/// A database with an account `faq` that has answered one message.
fn answered(cluster: &Cluster, database: &str) -> Runner {
    let runner = Runner::with_database(cluster, database);
    runner.fine(&["store", "migrate"]);
    let (is_fine, said) = runner.run("faq", &question("1"));
    assert!(is_fine && said.contains("价目表"), "{said}");
    runner
}

#[test]
fn commands_about_a_stopped_account_work_on_the_database() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = answered(cluster, "stopped");
    let (is_fine, status) = runner.command(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert!(!is_fine, "an account that does not run is not online");
    assert_eq!(status["data"], "account faq of the database");
    assert_eq!((&status["running"], &status["service"]), (&false.into(), &"stdio".into()));
    assert_eq!(status["queues"]["settled_today"]["accepted"], 1, "{status}");
    let export = runner.fine(&["data", "export"]);
    assert!(export.contains("请问多少钱") && export.contains("价目表"), "{export}");
    let bot = Runner::bot("faq");
    let explained = runner.fine(&["explain", &bot, "--message", "1", "--account", "faq"]);
    assert!(explained.contains("客户一群/小明: 请问多少钱"), "{explained}");
    let replayed = runner.fine(&["replay", &bot, "--account", "faq", "--lang", "en"]);
    assert!(replayed.contains("0 of 1 messages would be answered differently"), "{replayed}");
    assert!(runner.fine(&["logout"]).contains("no login"));
    let unbound = runner.refused(&["unbind", "老王"]);
    assert!(unbound.contains("not bound"), "{unbound}");
    assert!(runner.refused(&["data", "backup", "copy.db"]).contains("pg_dump"));
    assert!(runner.fine(&["forget", "小明"]).contains("deleted: 1 events, 1 answers"));
    assert!(!runner.fine(&["data", "export"]).contains("请问多少钱"));
    assert!(!runner.folder().join("data/mynah.db").exists());
}

#[test]
fn a_message_of_the_operator_waits_in_the_database_for_the_next_start() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = answered(cluster, "waits");
    assert!(runner.fine(&["send", "客户一群", "明天休息"]).contains("at the next start"));
    let (is_fine, said) = runner.run("faq", "");
    assert!(is_fine && said.contains("明天休息"), "{said}");
}

#[test]
fn saved_rows_are_written_as_a_file() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = Runner::with_database(cluster, "rows");
    runner.fine(&["store", "migrate"]);
    let bot = runner.folder().join("signs");
    std::fs::create_dir(&bot).unwrap();
    let rule = "[[rule]]\npattern = \"sign {what}\"\nsave_to = \"signs.csv\"\n";
    std::fs::write(bot.join("bot.toml"), rule).unwrap();
    let line = |id: &str, text: &str| {
        let chat = r#"{"id":"g","name":"g","group":true}"#;
        format!(r#"{{"id":"{id}","chat":{chat},"from":{{"id":"p","name":"Ann"}},"text":"{text}"}}"#)
            + "\n"
    };
    let said = line("1", "sign a,b") + &line("2", "sign =1");
    let bot = bot.display().to_string();
    runner.fine_with(&["run", &bot, "--transport", "stdio"], &said);
    let account = ["--account", "signs"];
    let command = |words: &[&str]| runner.fine(&[words, &account[..]].concat());
    assert_eq!(command(&["data", "rows"]), "signs.csv: 2\n");
    let rows = command(&["data", "rows", "signs.csv"]);
    assert!(rows.contains("Ann,\"a,b\"\n"), "{rows}");
    command(&["data", "rows", "signs.csv", "--to", "out.csv"]);
    let written = std::fs::read_to_string(runner.folder().join("out.csv")).unwrap();
    assert_eq!(written, format!("\u{feff}{rows}"));
    let unknown = [&["data", "rows", "other.csv"][..], &account[..]].concat();
    assert!(runner.refused(&unknown).contains("there are rows of signs.csv"));
}

#[test]
fn a_running_account_answers_and_no_other_one_in_its_place() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = answered(cluster, "running");
    // A second account, which does not run.
    assert!(runner.run("table", "").0);
    let replay = ["replay", &Runner::bot("faq"), "--config", "config/mynah.toml"];
    for command in [&["status"][..], &replay] {
        let names = runner.refused(command);
        assert!(names.contains("the database has 2 accounts"), "{names}");
        assert!(names.contains("name one with --account: there are faq, table"), "{names}");
    }
    let mut running = runner.start("faq", &question("2"));
    assert!(running.line().contains("价目表"));
    let (is_fine, status) = runner.command(&["status", "--json", "--account", "faq"]);
    assert!(is_fine && status.contains(r#""condition":"online""#), "{status}");
    assert!(runner.fine(&["send", "客户一群", "马上到", "--account", "faq"]).contains("sent"));
    assert!(running.line().contains("马上到"));
    // Both accounts have the same folder; the process that listens there is of the first.
    let (is_fine, status) = runner.command(&["status", "--json", "--account", "table"]);
    assert!(!is_fine && status.contains(r#""running":false"#), "{status}");
    assert!(runner.fine(&["forget", "小明", "--account", "faq"]).contains("deleted"));
    assert!(
        runner.refused(&["forget", "小明", "--account", "nobody"]).contains("there are faq, table")
    );
    running.kill();
}
