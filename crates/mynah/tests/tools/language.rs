//! The features of the rule language together.

use super::*;

#[test]
fn an_example_of_the_whole_language_has_no_warning_and_holds() {
    let bot = root().join("crates/mynah/tests/inputs/language");
    let check = run(mynah().args(["check", "--all"]).arg(&bot));
    assert_eq!((check.status, check.out.lines().count(), &*check.err), (0, 1, ""), "{}", check.out);
    let test = run(mynah().arg("test").arg(&bot));
    assert_eq!(test.status, 0, "{}{}", test.out, test.err);
    assert!(test.out.ends_with("1 passed, 0 failed\n"), "{}", test.out);
}

/// A bot with a list of those who signed in, and a draw among them.
const DRAW: &str = r#"
[[rule]]
exact = "in"
add   = { points = 5 }
set   = { signed = "1" }
reply = "{count:signed}: {top:points}"

[[rule]]
exact = "draw"
reply = "{pick:signed|nobody}"
clear = "members.signed"
"#;

#[test]
fn explain_and_replay_show_the_values_of_all_people() {
    let folder = bot(DRAW);
    let alone = run(mynah()
        .arg("explain")
        .arg(folder.path())
        .args(["in", "--group", "g", "--user", "Ann"]));
    assert!(alone.out.contains("> 1: 1. Ann 5"), "{}", alone.out);
    let messages = [("Ann", "in"), ("Bob", "in"), ("Ann", "draw"), ("Ann", "draw")];
    let line = |(from, text): &(&str, &str)| {
        format!("{{\"group\": \"g\", \"from\": \"{from}\", \"text\": \"{text}\"}}\n")
    };
    let lines: String = messages.iter().map(line).collect();
    let file = file(&folder, "messages.jsonl", &lines);
    let replay = run(mynah().arg("replay").args([folder.path(), &file]).arg("--json"));
    let replies: Vec<String> =
        json(&replay).iter().map(|answer| answer["replies"].to_string()).collect();
    assert_eq!(replies[..2], [r#"["1: 1. Ann 5"]"#, r#"["2: 1. Ann 5\n2. Bob 5"]"#]);
    assert!([r#"["Ann"]"#, r#"["Bob"]"#].contains(&&*replies[2]), "{replies:?}");
    assert_eq!(replies[3], r#"["nobody"]"#);
}
