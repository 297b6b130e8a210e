//! The help of every command, and completions.

use unicode_width::UnicodeWidthStr;

use super::{mynah, run};

#[test]
fn completions_know_every_command() {
    let help = run(mynah().arg("--help")).out;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() >= 15, "{names:?}");
    for shell in ["bash", "zsh", "fish"] {
        let script = run(mynah().args(["completions", shell])).out;
        for name in &names {
            assert!(script.contains(name), "{shell} does not know {name}");
        }
    }
}

/// The commands that a help lists under `Commands:`, without `help` itself.
fn listed(help: &str) -> Vec<String> {
    let list = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    let lines = list.unwrap_or_default().lines();
    // A line that goes on from the one above begins further right.
    let names =
        lines.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every command there is, as its words: `["data", "backup"]`.
fn all_commands() -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut next = 0;
    while next < all.len() {
        let help = run(mynah().args(&all[next]).arg("--help")).out;
        for name in listed(&help) {
            let longer = [all[next].clone(), vec![name]].concat();
            all.push(longer);
        }
        next += 1;
    }
    all
}

#[test]
fn every_help_reads_well_at_80_columns() {
    let commands = all_commands();
    assert!(commands.len() > 15, "{commands:?}");
    for (command, flag) in commands.iter().flat_map(|it| [(it, "--help"), (it, "-h")]) {
        let help = run(mynah().env("COLUMNS", "80").args(command).arg(flag));
        assert_eq!(help.status, 0, "{command:?}");
        let (name, text) = (command.join(" "), help.out);
        assert!(
            text.contains(&format!("Usage: mynah {name}").trim_end().to_owned()),
            "{name}: {text}"
        );
        let wide = text.lines().filter(|line| line.width() > 80).collect::<Vec<_>>();
        assert!(wide.is_empty(), "{name} {flag}: {wide:#?}");
        let ragged = ragged(&text);
        assert!(ragged.is_empty(), "{name} {flag} breaks lines early: {ragged:#?}");
        let about = text.lines().next().unwrap_or_default();
        assert!(about.len() > 10 && !about.starts_with("Usage"), "{name} says nothing of itself");
        let bare =
            text.lines().filter(|line| line.trim_end().ends_with('>') && line.starts_with("  -"));
        assert!(flag == "--help" || bare.count() == 0, "{name}: an option without a word\n{text}");
    }
}

/// Lines of prose that end although the first word of the next one had room.
fn ragged(help: &str) -> Vec<(&str, &str)> {
    let lines: Vec<&str> = help.lines().collect();
    let pairs = lines.windows(2).map(|pair| (pair[0], pair[1]));
    let is_prose = |line: &str| line.starts_with(char::is_alphanumeric) && !line.ends_with(':');
    pairs
        .filter(|(line, next)| is_prose(line) && is_prose(next))
        .filter(|(line, next)| {
            let word = next.split(' ').next().unwrap_or_default();
            line.width() + 1 + word.width() <= 80
        })
        .collect()
}
