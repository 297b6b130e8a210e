//! The output for a file of 12 000 rules with thousands of mistakes stays short, and begins with what matters.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

/// A slow machine and a build without optimisation need some time for so many rules.
const LONGEST: Duration = Duration::from_secs(120);

const RULES: usize = 12_000;

/// The output of `mynah` in this language, and its standard error.
fn run(lang: &str, arguments: &[&str], bot: &TempDir, more: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
    command.env("LC_ALL", "C").env_remove("MYNAH_LOG").timeout(LONGEST);
    command.args(arguments).arg(bot.path()).args(more).args(["--lang", lang]);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// Rules with a dozen kinds of warnings, thousands of each of the first three, with long texts; and one that answers.
fn generated(last: &str) -> TempDir {
    let mut text = String::from("[bot]\nadmins = [\"老王\"]\n");
    for n in 0..RULES {
        let (half, long) = (n / 2, "很长的一句话".repeat(40));
        let _ = match n % 6 {
            0 => writeln!(
                text,
                "[[rule]]\nkeyword = [\"关键词{half}号\", \"甲{n}\"]\nreply = \"{long}\""
            ),
            1 => writeln!(
                text,
                "[[rule]]\nkeyword = [\"关键词{half}号\", \"甲{n}\"]\nreply = \"{{user.nothing{n}}}\""
            ),
            2 => writeln!(text, "[[rule]]\nexact = \"^词{n}$\"\nreply = \"{n}\""),
            3 => writeln!(
                text,
                "[[rule]]\nkeyword = \"停车{n}，车位{n}\"\nreply = \"{{user.nothing{n}}}\""
            ),
            4 => writeln!(text, "[[rule]]\nregex = '/词{n}/i'\nreply = \"{n}\""),
            _ => writeln!(text, "[[rule]]\nkeyword = \"x甲{n}\"\nimage = \"甲.png\""),
        };
    }
    text.push_str("[[schedule]]\ncron = \"*/40 * * * *\"\nto = \"群\"\nsend = \"好\"\n");
    text.push_str("[[group]]\nname = \"*\"\n[[group]]\nname = \"甲\"\n");
    text.push_str("[[rule]]\nprefix = \"群发\"\nsend = \"{rest}\"\nto = \"*\"\n");
    text.push_str(last);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bot.toml"), text).unwrap();
    std::fs::write(folder.path().join("甲.png"), [1]).unwrap();
    folder
}

/// The codes in an output, each with its severity.
fn codes(out: &str) -> BTreeSet<&str> {
    let is_code = |part: &&str| part.starts_with("warning[") || part.starts_with("error[");
    out.split(' ').filter(is_code).map(|part| &part[..=part.find(']').unwrap()]).collect()
}

#[test]
fn a_check_of_12_000_rules_prints_200_lines_at_most_and_hides_no_kind() {
    let bot = generated("[[rule]]\nexact = \"问\"\nreply = \"答\"\n");
    let all = run("en", &["check", "--all"], &bot, &[]).0;
    assert!(all.lines().count() > 20_000, "{} lines", all.lines().count());
    assert!(codes(&all).len() >= 7, "{:?}", codes(&all));
    for lang in ["en", "zh"] {
        let (out, _) = run(lang, &["check"], &bot, &[]);
        assert!(out.lines().count() <= 200, "{} lines", out.lines().count());
        assert_eq!(codes(&out).len(), codes(&all).len(), "{out}");
        assert!(out.contains("--all"), "{out}");
        let reach = out.lines().last().unwrap();
        assert!(reach.contains("12002") || reach.contains("12 002"), "{reach}");
    }
}

#[test]
fn an_error_among_thousands_of_warnings_is_shown() {
    let bot = generated("[[rule]]\nexact = \"问\"\nrepyl = \"答\"\n");
    let (out, _) = run("en", &["check"], &bot, &[]);
    assert!(out.lines().count() <= 200, "{} lines", out.lines().count());
    assert!(out.contains("error[unknown-key]") && out.contains("did you mean `reply`?"), "{out}");
    let (out, err) = run("zh", &["explain"], &bot, &["问"]);
    assert_eq!(out, "");
    assert!(err.lines().count() <= 40 && err.contains("是否想写 `reply`？"), "{err}");
}

#[test]
fn explain_begins_with_the_answer_and_fits_on_a_screen() {
    let replies: Vec<String> = (0..50).map(|n| format!("\"答{n}\"")).collect();
    let last = format!(
        "[[rule]]\npattern = \"查 {{a}} {{b}} {{c}} {{d}} {{e}} {{f}} {{g}} {{h}}\"\nreply_all_of = [{}]\n",
        replies.join(", ")
    );
    let bot = generated(&last);
    for (lang, answered) in [("en", ": answered"), ("zh", "回答了")] {
        let (out, err) = run(lang, &["explain"], &bot, &["查 1 2 3 4 5 6 7 8"]);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines.len() + err.lines().count() <= 40, "{out}{err}");
        assert!(lines[1].starts_with("* ") && lines[1].contains(answered), "{out}");
        assert!(out.contains("\n> 答0\n") && out.contains("--json"), "{out}");
        assert!(lines.last().unwrap().contains("12 00"), "{out}");
        let (out, err) = run(lang, &["explain"], &bot, &["在吗"]);
        assert!(out.lines().count() + err.lines().count() <= 40, "{out}{err}");
        let none = if lang == "en" { "no rule answers" } else { "没有规则回答" };
        assert_eq!(out.lines().nth(1), Some(none), "{out}");
    }
}
