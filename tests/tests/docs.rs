//! The documentation is tested: its rule files are checked and played, its commands are run or listed with the reason
//! why not, its files exist, and its links have a target.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/files.rs"]
mod files;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/operating.rs"]
mod operating;
#[path = "docs/pages.rs"]
mod pages;
#[path = "docs/programs.rs"]
mod programs;
#[path = "docs/rule_files.rs"]
mod rule_files;
#[path = "docs/stdio.rs"]
mod stdio;
#[path = "docs/trial.rs"]
mod trial;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use mynah_rules::Lang;

/// The folder of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

/// The stock program in this locale, without the settings of the user who runs the tests.
fn mynah(locale: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stock_bot"));
    command.env("LC_ALL", locale);
    for name in ["MYNAH_LOG", "MYNAH_DATA", "MYNAH_CONFIG", "MYNAH_SERVER", "MYNAH_LISTEN"] {
        command.env_remove(name);
    }
    command
}

/// The whole output of a command, for a failing test.
fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_bot_to_copy_is_right() {
    let bots = fs::read_dir(root().join("bots")).unwrap().map(|entry| entry.unwrap().path());
    let bots: Vec<PathBuf> = bots.filter(|bot| bot.join("bot.toml").exists()).collect();
    assert!(bots.len() >= 11, "{bots:?}");
    for bot in bots {
        let check = mynah("C").arg("check").arg(&bot).output().unwrap();
        let output = said(&check);
        // The line about how a table was read is not a warning.
        let lines = output.lines().filter(|line| !line.starts_with("faq."));
        assert!(check.status.success() && lines.count() == 1, "{output}");
        // A bot with code has tests of its own, which know its handlers.
        if bot.join("Cargo.toml").exists() {
            let code = fs::read_to_string(bot.join("src/main.rs")).unwrap()
                + &fs::read_to_string(bot.join("src/tests.rs")).unwrap_or_default();
            assert!(code.contains("passes_its_own_tests"), "{} is not played", bot.display());
        } else if bot.join("mynah.toml").exists() {
            play_with_handlers(&bot);
        } else {
            mynah("C").arg("test").arg(&bot).assert().success();
        }
    }
}

/// Whether a test is skipped, with a line for people, as its program is missing. In CI that is a failure.
#[expect(clippy::print_stdout, reason = "a skipped test is for people")]
fn is_missing(program: &str, test: &str) -> bool {
    let is_missing = Command::new(program).arg("--version").output().is_err();
    if is_missing {
        assert!(std::env::var_os("CI").is_none(), "{program} is needed for {test}");
        println!("SKIP {test}: there is no {program}");
    }
    is_missing
}

/// Plays a bot whose handlers are programs, and runs the tests of the programs themselves.
fn play_with_handlers(bot: &Path) {
    let settings = fs::read_to_string(bot.join("mynah.toml")).unwrap();
    let is_python = settings.contains("python3");
    let (program, arguments): (_, &[&str]) =
        if is_python { ("python3", &["-m", "unittest"]) } else { ("node", &["--test"]) };
    if is_missing(program, &bot.display().to_string()) {
        return;
    }
    let mut tests = Command::new(program);
    tests.args(arguments).current_dir(bot).env("PYTHONPATH", root().join("sdk/python"));
    tests.env("PYTHONDONTWRITEBYTECODE", "1");
    let tested = tests.output().unwrap();
    assert!(tested.status.success(), "{}: {}", bot.display(), said(&tested));
    let config = bot.join("mynah.toml");
    let mut command = mynah("C");
    command.args(["test", "--handlers", "--config"]).arg(config).arg(bot);
    command.assert().success();
}

#[test]
fn the_reference_of_the_language_is_that_of_the_table_of_keys() {
    for (file, lang) in [("bot-toml.md", Lang::En), ("bot-toml.zh-CN.md", Lang::Zh)] {
        let path = root().join("docs").join(file);
        let text = mynah_rules::reference(lang);
        if std::env::var_os("MYNAH_UPDATE_DOCS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "docs/{file} is out of date: MYNAH_UPDATE_DOCS=1 cargo test -p mynah-tests --test docs"
        );
    }
}
