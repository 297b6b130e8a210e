//! `mynah data move` between a folder and a database.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[expect(dead_code, reason = "its own tests use the rest")]
#[path = "../../../crates/store-postgres/tests/postgres/cluster.rs"]
mod cluster;
#[expect(dead_code, reason = "other tests use the rest")]
mod runner;

use std::fmt::Write;

use cluster::Cluster;
use runner::{Runner, question};

/// A bot with a cooldown, a counter, and a dialog that waits for an answer with a timer.
const BOT: &str = r#"
[[rule]]
keyword = "签到"
add = { points = 1 }
reply = "积分 {user.points}"
cooldown = "1d"

[[dialog]]
id = "signup"
start = "报名"
timeout = "1h"

[[dialog.step]]
ask = "请问姓名？"
save = "name"

[dialog.done]
reply = "{name} 已报名"
"#;

/// Settings with an account in a folder; with the address of a database, its data is there.
fn settings(address: Option<&str>) -> String {
    let store = address.map(|url| format!("[store]\nurl = \"{url}\"\n")).unwrap_or_default();
    format!("{store}[[account]]\nname = \"shop\"\nbot = \"bot\"\ntransport = \"stdio\"\n")
}

fn said(id: &str, text: &str) -> String {
    said_by("小明", id, text)
}

fn said_by(who: &str, id: &str, text: &str) -> String {
    format!(
        "{{\"id\": \"{id}\", \"text\": \"{text}\", \"group\": \"客户一群\", \"from\": \"{who}\"}}\n"
    )
}

/// The runner with an account in a folder.
fn in_folder(bot: &str) -> Runner {
    let runner = Runner::new(&settings(None));
    let folder = runner.folder().join("bot");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bot.toml"), bot).unwrap();
    runner
}

/// The same after 4 000 messages.
fn with_many_events() -> Runner {
    let runner = in_folder("[[rule]]\nkeyword = \"价格\"\nreply = \"价目表\"\n");
    let mut many = String::new();
    for n in 0..4_000 {
        write!(many, "{}", said(&format!("{n}"), if n % 100 == 0 { "价格" } else { "早" }))
            .unwrap();
    }
    runner.fine_with(&["run", "--no-pacing"], &many);
    runner
}

fn with_database(runner: &Runner, cluster: &Cluster, name: &str) -> String {
    cluster.admin_runs("postgres", &format!("CREATE DATABASE {name} OWNER mynah"));
    let settings = settings(Some(&cluster.address(name)));
    runner.set(&settings);
    runner.fine(&["store", "migrate"]);
    settings
}

#[test]
fn an_account_moves_there_and_back_with_all_its_data() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = in_folder(BOT);
    let export = ["data", "export", "--account", "shop"];
    let first = runner.fine_with(&["run"], &(said_by("小李", "1", "签到") + &said("2", "报名")));
    assert!(first.contains("积分 1") && first.contains("请问姓名"), "{first}");
    let before = runner.fine(&export);
    let settings_there = with_database(&runner, cluster, "there_and_back");
    let to_database = ["data", "move", "database", "--account", "shop"];
    let moved = runner.fine(&to_database);
    assert!(moved.contains("3 events, 2 actions") && moved.contains("1 timers"), "{moved}");
    assert_eq!(runner.fine(&export), before);
    assert!(runner.fine(&to_database).contains("was moved to"), "nothing is moved twice");
    // The folder is refused, and the bot goes on in the database: the cooldown holds, the dialog waits, ids are known.
    runner.set(&settings(None));
    let refused = runner.refused(&["run"]);
    assert!(refused.contains("was moved to account shop of the database"), "{refused}");
    runner.set(&settings_there);
    let input =
        said_by("小李", "3", "签到") + &said("2", "报名") + &said("4", "小红") + &said("5", "报名");
    let more = runner.fine_with(&["run"], &input);
    assert!(more.contains("小红 已报名") && !more.contains("积分"), "{more}");
    assert_eq!(more.lines().filter(|line| line.contains("请问姓名")).count(), 1, "{more}");
    let before = runner.fine(&export);
    // Back over the copy of then.
    runner.fine(&["data", "move", "folder", "--account", "shop", "--delete-source"]);
    let refused = runner.refused(&["run"]);
    assert!(refused.contains("was moved to data/shop"), "{refused}");
    runner.set(&settings(None));
    assert_eq!(runner.fine(&export), before);
    let input = said_by("小李", "6", "签到") + &said("4", "小红") + &said("7", "小蓝");
    let more = runner.fine_with(&["run"], &input);
    assert!(more.contains("小蓝 已报名") && !more.contains("积分"), "{more}");
    assert!(!more.contains("小红"), "{more}");
}

#[test]
fn a_move_that_was_killed_is_refused_by_run_and_goes_on() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = with_many_events();
    let before = runner.fine(&["data", "export", "--account", "shop"]);
    let settings_there = with_database(&runner, cluster, "killed");
    let to_database = ["data", "move", "database", "--account", "shop"];
    for _ in 0..2 {
        runner.kill_after(&to_database, "rows are copied");
        for (settings, other) in [(settings(None), "to"), (settings_there.clone(), "from")] {
            runner.set(&settings);
            let refused = runner.refused(&["run"]);
            let is_clear =
                refused.contains("is not complete") && refused.contains("mynah data move");
            assert!(is_clear && refused.contains(other), "{refused}");
        }
    }
    runner.fine(&to_database);
    assert_eq!(runner.fine(&["data", "export", "--account", "shop"]), before);
    runner.kill_after(&["data", "move", "folder", "--all"], "rows are copied");
    assert!(runner.refused(&["run"]).contains("is not complete"));
    let back = runner.fine(&["data", "move", "folder", "--all", "--json"]);
    assert!(back.contains(r#""account":"shop""#) && back.contains(r#""events":4001"#), "{back}");
    runner.set(&settings(None));
    assert_eq!(runner.fine(&["data", "export", "--account", "shop"]), before);
}

#[test]
fn a_running_account_and_a_place_with_data_are_refused() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = in_folder("[[rule]]\nkeyword = \"多少钱\"\nreply = \"价目表\"\n");
    runner.fine_with(&["run"], &question("1"));
    let settings_there = with_database(&runner, cluster, "refused");
    runner.fine_with(&["run"], &question("2"));
    let refused = runner.refused(&["data", "move", "database", "--account", "shop"]);
    assert!(refused.contains("there is data of this account in"), "{refused}");
    runner.set(&settings(None));
    let mut running = runner.start_with(&["run"], &question("3"));
    assert!(running.line().contains("价目表"));
    runner.set(&settings_there);
    let refused = runner.refused(&["data", "move", "database", "--account", "shop"]);
    assert!(refused.contains("stop the bot first"), "{refused}");
    running.kill();
    let missing = runner.refused(&["data", "move", "database", "--account", "nobody"]);
    assert!(missing.contains("there is no data in data/nobody"), "{missing}");
}

#[test]
fn a_move_to_another_folder_leaves_no_part_that_can_be_run() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = in_folder("[[rule]]\nkeyword = \"价格\"\nreply = \"价目表\"\n");
    let mut many = String::new();
    for n in 0..4_000 {
        write!(many, "{}", said(&format!("{n}"), "早")).unwrap();
    }
    runner.fine_with(&["run", "--no-pacing"], &many);
    let before = runner.fine(&["data", "export", "--account", "shop"]);
    with_database(&runner, cluster, "another_folder");
    let to_folder = |folder| ["data", "move", "folder", "--account", "shop", "--data", folder];
    let to_database = ["data", "move", "database", "--account", "shop"];
    runner.kill_after(&to_database, "rows are copied");
    let refused = runner.refused(&to_folder("first"));
    assert!(refused.contains("from data/shop is not complete"), "{refused}");
    assert!(!runner.folder().join("first").exists(), "a refused move creates nothing");
    runner.fine(&to_database);
    runner.kill_after(&to_folder("first"), "rows are copied");
    runner.fine(&to_folder("second"));
    let refused = runner.refused(&to_folder("first"));
    assert!(refused.contains("was moved to second"), "{refused}");
    runner.set(&settings(None));
    assert_eq!(runner.fine(&["data", "export", "--data", "second"]), before);
    runner.set(&settings(None).replace("[[account]]\n", "[[account]]\ndata = \"first\"\n"));
    let refused = runner.refused(&["run"]);
    assert!(refused.contains("is not complete"), "{refused}");
}

#[test]
fn a_move_is_given_up_and_accounts_of_one_name_in_two_databases_are_two() {
    let Some(cluster) = Cluster::shared() else { return };
    let runner = with_many_events();
    let before = runner.fine(&["data", "export", "--account", "shop"]);
    let settings_there = with_database(&runner, cluster, "given_up");
    let to_database = ["data", "move", "database", "--account", "shop"];
    let give_up = [&to_database[..], &["--give-up"]].concat();
    assert!(runner.refused(&give_up).contains("nothing was changed"), "nothing was begun");
    runner.kill_after(&to_database, "rows are copied");
    assert!(runner.refused(&["run"]).contains("is not complete"));
    let given_up = runner.fine(&give_up);
    assert!(given_up.contains("is given up; it runs with data/shop"), "{given_up}");
    runner.set(&settings(None));
    assert_eq!(runner.fine(&["data", "export", "--account", "shop"]), before);
    runner.fine_with(&["run"], "");
    // The same move once more, which then is finished.
    runner.set(&settings_there);
    runner.fine(&to_database);
    assert!(runner.refused(&give_up).contains("nothing was changed"), "it is finished");
    // Another database with an account of this name.
    with_database(&runner, cluster, "another");
    runner.fine_with(&["run"], &said("1", "价格"));
    let refused = runner.refused(&to_database);
    assert!(refused.contains("was moved to account shop of the database"), "{refused}");
}
