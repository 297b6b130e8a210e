//! Commands in the documentation: run in a folder like a fresh clone, or listed here with the reason why not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use super::pages::{self, Page};
use super::{mynah, root, said};

/// Commands that this test does not run: their beginnings, and the reasons. Those of `mynah` and cargo must still
/// consist of existing commands, flags, packages and targets.
const NOT_RUN: &[(&str, &str)] = &[
    ("cd mybot", "the crate that handlers.md makes: tests/newcomer/run"),
    ("cargo install", "builds the program anew; this test has it"),
    ("cargo new mybot", "the crate that handlers.md makes: tests/newcomer/run"),
    ("cargo add", "the crate that handlers.md makes: tests/newcomer/run"),
    ("cargo test", "tests do not run themselves; packages and targets are checked"),
    ("cargo bench", "takes minutes; packages and targets are checked"),
    ("cargo build", "builds the program anew; packages and targets are checked"),
    ("cargo publish", "asks the registry: see `.ci/run`"),
    ("cargo run --release -p", "measures for a minute; packages and targets are checked"),
    ("cargo run -- check .", "the crate that handlers.md makes: tests/newcomer/run"),
    ("cargo run -- test .", "the crate that handlers.md makes: tests/newcomer/run"),
    ("cargo run -- sandbox .", "the crate that handlers.md makes: tests/newcomer/run"),
    ("mynah run mybot", "logs in to the real service; run against the sandbox in operating.rs"),
    ("mynah run bots/faq --server", "works until stopped: run in operating.rs"),
    ("mynah sandbox --listen", "serves until stopped: run in operating.rs"),
    ("mynah import", "needs a file of another bot: run in imports.rs"),
    ("mynah status", "needs the data of a bot: run in operating.rs"),
    ("mynah unbind", "needs a name that is bound: run in attacks/commands.rs"),
    ("mynah forget", "needs the data of a bot: run in operating.rs"),
    ("mynah data", "needs the data of a bot: run in operating.rs"),
    ("mynah send", "needs the data of a bot: run in tests/postgres"),
    ("mynah mute", "needs the data of a bot: run in tests/postgres"),
    ("mynah unmute", "needs the data of a bot: run in tests/postgres"),
    ("mynah reload", "needs a running bot: run in tests/postgres"),
    ("mynah fleet", "needs nodes and a database: run in tests/postgres"),
    ("mynah store migrate", "needs a database: run in tests/postgres"),
    ("mynah run --config", "needs accounts and a database: run in tests/postgres"),
    ("rustup", "needs the network"),
    ("podman", "needs a container engine and the network; the Containerfile's sources are checked"),
    ("install ", "needs root"),
    ("cp config/", "needs root; the files are checked"),
    ("cp bots/", "needs root; the files are checked"),
    ("useradd", "needs root"),
    ("systemctl", "needs systemd; the unit is verified in files.rs"),
    ("journalctl", "needs systemd"),
    (".ci/run", "runs this test"),
    ("curl ", "asks a running sandbox: its calls are tests of mynah-sandbox"),
    ("tests/interop/run", "needs other people's programs; a step of `.ci/run`"),
    ("tests/editor/run", "needs other people's programs; a step of `.ci/run`"),
    ("tests/newcomer/run", "builds everything in a crate of its own; a step of `.ci/run`"),
    ("tests/browser/run", "needs a browser; a step of `.ci/run`"),
    ("tests/figures/accounts", "measures hundreds of accounts for minutes"),
    (
        "tests/figures/run",
        "builds the program from clean; a step of `.ci/run` measures that of the release",
    ),
];

/// The parts of a line of a shell block between `&&`, without its comment.
fn parts(line: &str) -> Vec<String> {
    let line = line.split(" #").next().unwrap_or_default();
    line.split(" && ").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The words of a command. Quotation marks group words.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The arguments of `mynah` in a command, also if cargo runs it.
fn for_mynah(command: &str) -> Option<Vec<String>> {
    let all = words(command);
    let rest = |n: usize| Some(all[n..].to_vec());
    match all.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mynah", ..] => rest(1),
        ["cargo", "run", "--", ..] => rest(3),
        ["cargo", "run", "--release", "--", ..] => rest(4),
        _ => None,
    }
}

/// The output of `--help` for a command.
fn help(command: &[&str]) -> String {
    let output = mynah("C").env("COLUMNS", "100").args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "mynah {command:?} --help: {}", said(&output));
    said(&output)
}

/// The error in a command line of `mynah`, if it has an unknown command or flag.
fn unknown(arguments: &[String]) -> Option<String> {
    static TOP: OnceLock<String> = OnceLock::new();
    let top = TOP.get_or_init(|| help(&[]));
    let names: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    let lists =
        |help: &str, name: &str| help.lines().any(|line| line.starts_with(&format!("  {name} ")));
    let mut command: Vec<&str> = Vec::new();
    if let Some(name) = names.first().filter(|name| **name != "help") {
        if !lists(top, name) {
            return Some(format!("there is no command {name}"));
        }
        command.push(name);
        if let Some(inner) = names.get(1).filter(|_| *name == "data") {
            command.push(inner);
        }
    }
    let text = help(&command);
    let flags = arguments.iter().filter(|word| word.starts_with('-') && word.len() > 1);
    let flags = flags.map(|word| word.split('=').next().unwrap());
    let missing = flags.filter(|flag| {
        !text
            .split([' ', ',', '\n'])
            .any(|word| word == *flag || word.trim_end_matches("...") == *flag)
    });
    missing.map(|flag| format!("{command:?} has no {flag}")).next()
}

/// The error in a command line of cargo, if it has an unknown package or target.
fn not_in_workspace(words: &[String]) -> Option<String> {
    static PACKAGES: OnceLock<Vec<Value>> = OnceLock::new();
    let packages = PACKAGES.get_or_init(|| {
        let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
        let output =
            Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        metadata["packages"].as_array().unwrap().clone()
    });
    let given = |flag: &str| words.windows(2).find(|pair| pair[0] == flag).map(|pair| &pair[1]);
    if let Some(path) = given("--path").filter(|path| !path.starts_with("..")) {
        return (!root().join(path).is_dir()).then(|| format!("there is no {path}"));
    }
    let package = given("-p")?;
    let Some(found) = packages.iter().find(|it| it["name"] == package.as_str()) else {
        return Some(format!("there is no package {package}"));
    };
    ["test", "example", "bench", "bin"].iter().find_map(|kind| {
        let name = given(&format!("--{kind}"))?;
        let has = |target: &Value| target["name"] == name.as_str() && target["kind"][0] == *kind;
        let is_there = found["targets"].as_array().unwrap().iter().any(has);
        (!is_there).then(|| format!("{package} has no {kind} {name}"))
    })
}

/// A folder like a clone, in which commands may create files.
fn clone() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["bots", "config", "tests"] {
        copy(&root().join(name), &folder.path().join(name));
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// Runs a command of a page, without input.
fn run(page: &Page, folder: &Path, arguments: &[String], command: &str) {
    let (arguments, file) = match arguments.iter().position(|word| word == ">") {
        Some(n) => (&arguments[..n], Some(folder.join(&arguments[n + 1]))),
        None => (arguments, None),
    };
    let output = mynah(page.locale()).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}: {command}\n{}", page.name, said(&output));
    if let Some(file) = file {
        fs::write(file, output.stdout).unwrap();
    }
}

/// The shell commands of a page, in order.
fn commands(page: &Page) -> Vec<String> {
    let blocks = page.blocks();
    let shell = blocks.iter().filter(|block| matches!(block.language.as_str(), "sh" | "console"));
    shell.flat_map(|block| block.text.lines().flat_map(parts)).collect()
}

/// A command without the variables before it.
fn without_variables(command: &str) -> &str {
    let mut rest = command;
    while let Some((first, after)) = rest.split_once(' ') {
        if !first.contains('=') || first.starts_with('-') {
            break;
        }
        rest = after;
    }
    rest
}

#[test]
fn every_command_is_run_or_named_with_the_reason_why_not() {
    let mut wrong = Vec::new();
    let (mut ran, mut excused) = (0, BTreeSet::new());
    for page in pages::all() {
        let folder = clone();
        for command in commands(&page) {
            let command = without_variables(&command);
            let arguments = for_mynah(command);
            let problem = match &arguments {
                Some(arguments) => unknown(arguments),
                None => not_in_workspace(&words(command)),
            };
            wrong.extend(problem.map(|problem| format!("{}: {command}: {problem}", page.name)));
            if let Some((begin, _)) = NOT_RUN.iter().find(|(begin, _)| command.starts_with(begin)) {
                excused.insert(*begin);
            } else if let Some(arguments) = arguments {
                run(&page, folder.path(), &arguments, command);
                ran += 1;
            } else {
                wrong.push(format!("{}: `{command}` is neither run nor excused", page.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(ran >= 25, "only {ran} commands were run");
    let stale: Vec<&str> =
        NOT_RUN.iter().map(|(begin, _)| *begin).filter(|begin| !excused.contains(begin)).collect();
    assert!(stale.is_empty(), "excused, but nowhere to be found: {stale:?}");
}

#[test]
fn commands_in_running_text_exist() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in pages::all() {
        for span in page.code_spans() {
            for command in parts(&span) {
                let command = without_variables(&command);
                let problem = match for_mynah(command) {
                    Some(arguments) => unknown(&arguments),
                    None if command.starts_with("cargo ") => not_in_workspace(&words(command)),
                    None => continue,
                };
                seen += 1;
                wrong.extend(problem.map(|problem| format!("{}: {command}: {problem}", page.name)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 30, "only {seen} commands were found");
}

#[test]
fn commands_are_taken_apart_as_a_shell_does() {
    assert_eq!(parts("cd a && mynah new b   # a remark"), ["cd a", "mynah new b"]);
    assert_eq!(words(r#"mynah explain bots/faq "how much" --group X"#).len(), 6);
    assert_eq!(without_variables("A=1 B=2 cargo test"), "cargo test");
    assert_eq!(for_mynah("cargo run --release -- check x").unwrap(), ["check", "x"]);
    assert!(unknown(&["chekc".to_owned()]).is_some());
    assert!(unknown(&["check".to_owned(), "x".to_owned(), "--jason".to_owned()]).is_some());
    assert!(unknown(&["data".to_owned(), "backup".to_owned(), "--data".to_owned()]).is_none());
    assert!(not_in_workspace(&words("cargo test -p mynah-nothing")).is_some());
    assert!(not_in_workspace(&words("cargo test -p mynah-tests --test nothing")).is_some());
    assert!(not_in_workspace(&words("cargo test -p mynah-tests --test docs")).is_none());
}
