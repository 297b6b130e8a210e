//! The tools of the command line, as a user sees them: their output, as text and as JSON, and their exit status.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use mynah_core::{
    Action, Batch, Chat, Content, Decided, Effects, Event, EventBody, EventId, Message, MessageId,
    Origin, Person, Planned, Step, Store as _, Timestamp, Turn,
};
use mynah_store::{Options, SqliteStore};
use serde_json::Value;
use tempfile::TempDir;

#[path = "tools/help.rs"]
mod help;
#[path = "tools/language.rs"]
mod language;
#[path = "tools/settings.rs"]
mod settings;

/// How long any one command may take: far longer than it needs, and shorter than anybody waits.
const LONGEST: Duration = Duration::from_secs(60);

/// The program, in English, away from the settings of the user who runs the tests.
fn mynah() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
    command.env("LC_ALL", "C").env_remove("MYNAH_LOG").timeout(LONGEST);
    command
}

/// The output of a command, and its exit status.
struct Answer {
    out: String,
    err: String,
    status: i32,
}

fn run(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Answer {
        out: text(output.stdout),
        err: text(output.stderr),
        status: output.status.code().expect("it ended by itself"),
    }
}

/// The lines of JSON that a command wrote.
fn json(answer: &Answer) -> Vec<Value> {
    answer.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn bots() -> PathBuf {
    root().join("bots")
}

/// A folder with this rule file.
fn bot(rules: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("bot.toml"), rules).unwrap();
    folder
}

/// A file in a folder.
fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

const PRICES: &str = r#"
[[rule]]
id      = "price"
keyword = ["价格", "price"]
reply   = "See the list."
cooldown = "10s"

[[rule]]
pattern = "call me {name}"
set     = { nick = "{name}" }
reply   = "Hello, {name}!"
continue = true

[[rule]]
at_me = true
in    = "group"
reply_one_of = ["yes?", "here!"]

[[rule]]
exact = "never said"
reply = "never"

[[test]]
name = "prices"
script = '''
Shop/Ann: the price?
> See the list.
Shop/Ann: price
> -
'''

[[test]]
script = '''
Ann: call me Annie
> Hello, Annie!
Shop/Ann: @bot
> here!
'''
"#;

#[test]
fn check_says_how_far_a_good_bot_reaches() {
    let good = bot(PRICES);
    let answer = run(mynah().arg("check").arg(good.path()));
    assert_eq!(answer.status, 0);
    insta::assert_snapshot!(answer.out, @"4 rules, 0 dialogs, 0 schedules; speaks in: all friends, all groups");
    let answer = run(mynah().args(["check", "--lang", "zh"]).arg(good.path().join("bot.toml")));
    insta::assert_snapshot!(answer.out, @"4 条规则，0 个对话，0 个定时；发言范围：所有好友、所有群");
    let answer = run(mynah().args(["check", "--json"]).arg(good.path()));
    assert_eq!((answer.out.as_str(), answer.status), ("", 0));
}

const MISTAKES: &str = r#"
[[rule]]
keywrod = "价格"
reply = "{nobody}"

[[rule]]
exact = "菜单"
image = "menu.png"
"#;

#[test]
fn check_tells_every_mistake_in_either_language_and_ends_with_1() {
    let bad = bot(MISTAKES);
    let answer = run(mynah().arg("check").arg(bad.path()));
    assert_eq!(answer.status, 1);
    insta::assert_snapshot!("check_mistakes_en", answer.out);
    let answer = run(mynah().args(["check", "--lang", "zh"]).arg(bad.path()));
    insta::assert_snapshot!("check_mistakes_zh", answer.out);
    let answer = run(mynah().env("LC_ALL", "zh_CN.UTF-8").arg("check").arg(bad.path()));
    insta::assert_snapshot!("check_mistakes_zh", answer.out);
    let chinese = bot(&format!("[bot]\nlang = \"zh\"\n\n{MISTAKES}"));
    let is_chinese = |command: &mut Command| {
        let answer = run(command.arg("check").arg(chinese.path()));
        assert_eq!(answer.status, 1);
        answer.out.contains("个错误")
    };
    assert!(is_chinese(&mut mynah()), "the locale names no language");
    assert!(is_chinese(mynah().env_remove("LC_ALL").env_remove("LC_MESSAGES").env_remove("LANG")));
    assert!(!is_chinese(mynah().env("LC_ALL", "en_US.UTF-8")));
    assert!(!is_chinese(mynah().args(["--lang", "en"])));
    let answer = run(mynah().args(["check", "--json"]).arg(bad.path()));
    assert_eq!(answer.status, 1);
    insta::assert_snapshot!("check_mistakes_json", answer.out);
    for line in json(&answer) {
        let fields: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["severity", "code", "file", "line", "column", "message", "hint"];
        assert_eq!(fields, BTreeSet::from(expected));
    }
}

#[test]
fn notes_are_shown_on_request_only() {
    let noted = bot("[[rule]]\nat_me = true\nin = \"group\"\nreply = \"{at}here\"\n");
    assert!(!run(mynah().arg("check").arg(noted.path())).out.contains("note["));
    assert!(run(mynah().args(["check", "-v"]).arg(noted.path())).out.contains("note[transport]"));
}

#[cfg(unix)]
#[test]
fn a_process_without_file_descriptors_names_the_limit() {
    let script = "ulimit -n 8 && exec \"$0\" schema";
    let program = env!("CARGO_BIN_EXE_mynah");
    let output = Command::new("sh").args(["-c", script, program]).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("too few threads or open files") && err.contains("ulimit -n"), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
fn a_bot_that_is_not_there_is_wrong_usage() {
    let empty = TempDir::new().unwrap();
    for command in ["check", "test", "sandbox"] {
        let answer = run(mynah().arg(command).arg(empty.path()));
        assert_eq!(answer.status, 2, "{command}");
        assert!(answer.err.contains("has no bot.toml"), "{}", answer.err);
        let answer = run(mynah().arg(command).arg(empty.path().join("nowhere")));
        assert_eq!(answer.status, 2, "{command}");
        assert!(answer.err.contains("does not exist"), "{}", answer.err);
    }
}

#[test]
fn a_rule_file_under_nearly_the_right_name_is_to_be_renamed() {
    for name in ["bot.toml.txt", "Bot.toml", "bot.txt", "bot (1).toml"] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(name), PRICES).unwrap();
        let answer = run(mynah().arg("check").arg(folder.path()));
        assert_eq!(answer.status, 2, "{name}");
        assert!(answer.err.contains(&format!("has no bot.toml, but {name}")), "{}", answer.err);
        assert!(answer.err.contains(&format!("rename {name} to bot.toml")), "{}", answer.err);
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("robot.toml"), PRICES).unwrap();
    let answer = run(mynah().arg("check").arg(folder.path()));
    assert!(!answer.err.contains("rename"), "{}", answer.err);
}

#[test]
fn chinese_is_meant_by_every_name_that_people_give_it() {
    let good = bot(PRICES);
    for name in ["zh", "cn", "zh-CN", "zh_CN"] {
        let answer = run(mynah().args(["check", "--lang", name]).arg(good.path()));
        assert!(answer.out.contains("4 条规则"), "{name}: {}{}", answer.out, answer.err);
    }
}

#[test]
fn the_name_of_a_bot_with_a_slip_is_answered_with_the_bot_that_is_there() {
    let folder = TempDir::new().unwrap();
    for name in ["shop", "family"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("bot.toml"), PRICES).unwrap();
    }
    let mut check = mynah();
    let answer = run(check.current_dir(folder.path()).args(["check", "shpo"]));
    assert_eq!(answer.status, 2);
    assert!(answer.err.contains("did you mean shop?"), "{}", answer.err);
    let answer = run(mynah().arg("test").arg(folder.path().join("famly")));
    assert!(answer.err.contains("family?"), "{}", answer.err);
    let answer = run(mynah().arg("check").arg(folder.path()));
    assert!(answer.err.contains("give one of"), "{}", answer.err);
    let answer = run(mynah().arg("check").arg(folder.path().join("weather")));
    assert!(answer.err.contains("`mynah new NAME` makes one"), "{}", answer.err);
}

#[test]
fn a_slip_of_the_finger_is_answered_with_the_right_word() {
    for (typed, meant) in [
        (&["chekc"][..], "'check'"),
        (&["sandbx", "bots/faq"], "'sandbox'"),
        (&["--verison"], "'--version'"),
        (&["check", "--jsno", "bots/faq"], "'--json'"),
        (&["run", "--sever", "http://127.0.0.1:1"], "'--server'"),
        (&["data", "bakcup"], "'backup'"),
        (&["check", "bots/faq", "--log-format", "jsno"], "'json'"),
        (&["completions", "bsh"], "'bash'"),
        (&["explain", "bots/faq", "hi", "--gruop", "x"], "'--group'"),
    ] {
        let answer = run(mynah().args(typed));
        assert_eq!(answer.status, 2, "{typed:?}");
        assert!(answer.err.contains("tip: "), "{typed:?}: {}", answer.err);
        assert!(answer.err.contains(meant), "{typed:?}: {}", answer.err);
    }
}

#[test]
fn test_plays_conversations_and_names_the_rules_it_did_not_reach() {
    let good = bot(PRICES);
    let answer = run(mynah().arg("test").arg(good.path()));
    assert_eq!(answer.status, 0, "{}", answer.out);
    insta::assert_snapshot!("test_passed", answer.out);
    let answer = run(mynah().args(["test", "--json"]).arg(good.path()));
    insta::assert_snapshot!("test_passed_json", answer.out);
}

const FAILING: &str = r#"
[[rule]]
keyword = "price"
none    = "half"
reply   = "See the list."

[[rule]]
keyword = "price"
run     = "discount"

[[test]]
script = '''
Shop/Ann: the price?
> Ask somebody else.
'''

[[test]]
script = '''
Shop/Ann: half the price?
> 50 % off
'''

[[test]]
script = '''
Shop/Ann: the price?
Shop/Ann: thanks
'''
"#;

#[test]
fn a_failed_test_says_where_what_and_why() {
    let failing = bot(FAILING);
    let answer = run(mynah().arg("test").arg(failing.path()));
    assert_eq!(answer.status, 1);
    insta::assert_snapshot!("test_failed_en", answer.out);
    let answer = run(mynah().args(["test", "--lang", "zh"]).arg(failing.path()));
    insta::assert_snapshot!("test_failed_zh", answer.out);
    let answer = run(mynah().args(["test", "--json"]).arg(failing.path()));
    assert_eq!(answer.status, 1);
    insta::assert_snapshot!("test_failed_json", answer.out);
}

/// The rules that the scripts below are played against.
const STRICT: &str = r#"
[bot]
names = ["helper"]

[[rule]]
exact = "hi"
reply = "hello"

[[rule]]
exact = "hush"
run = "builtin.mute 10m"

[[rule]]
exact = "two"
reply_all_of = ["one", "two"]

[[rule]]
exact = "tell"
reply = "told"
forward_to = ["Boss"]

[[rule]]
exact = "random"
reply_one_of = ["a", "b", "c"]

[[rule]]
exact = "picture"
image = "menu.png"

[[rule]]
pattern = "roll {sides:int}"
run = "dice"

[[rule]]
event = "friend_request"
accept = true
reply = "welcome"

[[rule]]
exact = "later"
do = [{ reply = "now" }, { wait = "5s" }, { reply = "then" }]

[[rule]]
exact = "slow"
reply = "once a minute"
cooldown = "1m"

[[rule]]
at_me = true
in = "group"
reply = "{at}yes"

[[schedule]]
at = "09:00"
to = ["Team*"]
send = "morning"
"#;

#[test]
fn tests_are_strict_about_everything_that_is_said() {
    for (script, passes) in [
        ("Ann: hi\n> hello", true),
        ("Ann: hi", false),
        ("Ann: hi\n> -", false),
        ("Ann: hi\n> hello\n> hello", false),
        ("Ann: hi\n> re: ^hel+o$", true),
        ("Ann: hi\n> re: ^hell$", false),
        ("Ann: nothing\n> -", true),
        ("Ann: nothing", true),
        ("Ann: two\n> one\n> two", true),
        ("Ann: two\n> two\n> one", false),
        ("Ann: two\n> one", false),
        ("Ann: tell\n> told\n=> Boss: Ann：tell", true),
        ("Ann: tell\n=> Boss: Ann：tell\n> told", true),
        ("Ann: tell\n> told", false),
        ("Ann: random\n> a", true),
        ("Ann: random\n> c", true),
        ("Ann: random\n> d", false),
        ("Ann: picture\n> [image menu.png]", true),
        ("Ann: picture\n> [image]", true),
        ("Ann: picture\n> [image other.png]", false),
        ("Ann: picture\n> [file menu.png]", false),
        ("Ann: roll 20\n=> run dice {sides=20}", true),
        ("Ann: roll 20\n=> run dice", true),
        ("Ann: roll 20\n=> run dice {sides=6}", false),
        ("Ann: roll 20", true),
        ("Ann: [image]\n> -", true),
        ("! friend_request Ann: let me in\n=> accept Ann\n> welcome", true),
        ("! friend_request Ann: let me in\n=> accept Ben\n> welcome", false),
        ("Ann: later\n> now\n+5s\n> then", true),
        ("Ann: later\n> now\n+4s\n> -\n+1s\n> then", true),
        ("Ann: later\n> now\n+4s\n> then", false),
        ("Ann: slow\n> once a minute\n+59s\nAnn: slow\n> -\n+1s\nAnn: slow\n> once a minute", true),
        ("Team A/Ann: @helper there?\n> @Ann yes", true),
        ("Team A/Ann: @helpers there?\n> -", true),
        ("@ 2026-11-23 09:00\n=> Team A: morning", true),
        ("@ 2026-11-23 09:00\n=> Team A: morning\n@ 2026-11-25 08:59\nTeam A/Ann: x\n> -", true),
        ("@ 2026-11-23 08:59\n+1m\n=> Team A: morning", true),
        ("Team A/Ann: x\n+48h\n=> Team A: morning\n=> Team A: morning", true),
        ("Team A/Ann: x\n+48h\n=> Team A: morning", false),
        ("@ 2026-11-23 08:59\nTeam A/Ann: x\n+2m", false),
        ("Ann: @helper hi\n> hello", true),
        ("Ann: hush\nAnn: hi\n> -\n+9m\nAnn: hi\n> -\n+1m\nAnn: hi\n> hello", true),
    ] {
        let rules = format!("{STRICT}\n[[test]]\nscript = '''\n{script}\n'''\n");
        let folder = bot(&rules);
        fs::copy(bots().join("faq/menu.png"), folder.path().join("menu.png")).unwrap();
        let answer = run(mynah().arg("test").arg(folder.path()));
        assert_eq!(answer.status == 0, passes, "{script}\n{}{}", answer.out, answer.err);
    }
}

#[test]
fn files_beside_the_rules_are_found_from_any_folder() {
    let folder = bot(
        "include = [\"more/*.toml\", \"*.part.toml\"]\n[lists]\nad = { file = \"ad.txt\" }\n[[rule]]\nkeyword = \"<ad>\"\nreply = \"1\"\n[[table]]\nfile = \"faq.csv\"\n",
    );
    let path = folder.path();
    fs::create_dir(path.join("more")).unwrap();
    fs::write(path.join("more/a.toml"), "[[rule]]\nkeyword = \"a\"\nreply = \"2\"\n").unwrap();
    fs::write(path.join("b.part.toml"), "[[rule]]\nkeyword = \"b\"\nreply = \"3\"\n").unwrap();
    fs::write(path.join("ad.txt"), "代购\n").unwrap();
    fs::write(path.join("faq.csv"), "问题,答案\n退货,7 天\n").unwrap();
    for (from, named) in
        [("", "."), ("", "bot.toml"), ("", "./bot.toml"), ("more", ".."), ("more", "../more/..")]
    {
        let answer = run(mynah().current_dir(path.join(from)).args(["check", named]));
        assert_eq!(answer.status, 0, "{from} {named}: {}", answer.out);
        assert!(answer.out.contains("\n4 rules"), "{from} {named}: {}", answer.out);
    }
}

#[test]
fn all_bots_to_copy_are_right() {
    let mut seen = 0;
    for entry in fs::read_dir(bots()).unwrap() {
        let folder = entry.unwrap().path();
        // A bot with handlers of its own is tested by its own program.
        if !folder.join("bot.toml").exists() || folder.join("Cargo.toml").exists() {
            continue;
        }
        let text = fs::read_to_string(folder.join("bot.toml")).unwrap();
        assert!(text.starts_with("#:schema ../../config/bot.schema.json\n"), "{folder:?}");
        let answer = run(mynah().arg("check").arg(&folder));
        assert_eq!(answer.status, 0, "{}", answer.out);
        let tables = text.lines().filter(|line| *line == "[[table]]").count();
        let lines = answer.out.lines().count();
        assert_eq!(lines, 1 + tables, "the reach and how tables were read: {}", answer.out);
        seen += 1;
        // These handlers need other programs, Python and Node; their own tests play the bots.
        if folder.join("mynah.toml").exists() {
            continue;
        }
        let answer = run(mynah().arg("test").arg(&folder));
        assert_eq!(answer.status, 0, "{}", answer.out);
    }
    assert_eq!(seen, 10);
}

/// Rules of which each second one never fires.
fn many_rules(count: usize) -> String {
    let rule = |n: usize| {
        format!("[[rule]]\nkeyword = [\"关键词{}号\", \"甲{n}\"]\nreply = \"{n}\"\n", n / 2)
    };
    let mut rules: String = (0..count).map(rule).collect();
    rules.push_str("[[rule]]\nexact = \"问\"\nreply = \"答\"\n");
    rules
}

#[test]
fn thousands_of_warnings_are_counted_and_do_not_hide_the_answer() {
    let many = bot(&many_rules(5_000));
    let checked = run(mynah().arg("check").arg(many.path()));
    let lines: Vec<&str> = checked.out.lines().collect();
    assert!(lines.len() <= 200, "{} lines", lines.len());
    let shown = lines.iter().filter(|line| line.contains("warning[duplicate-keyword]:"));
    assert_eq!(shown.count(), 21, "20 and the count");
    assert!(lines.contains(&"warning[duplicate-keyword]: and 2 480 more (--all)"), "{lines:?}");
    let all = run(mynah().arg("check").arg("--all").arg(many.path())).out;
    let json = run(mynah().arg("check").arg("--json").arg(many.path()));
    assert_eq!(all.matches("warning[duplicate-keyword]:").count(), 2_500);
    assert!(!all.contains("(--all)"));
    let is_warning = |line: &&str| line.contains("\"duplicate-keyword\"");
    assert_eq!(json.out.lines().filter(is_warning).count(), 2_500);
    let explained = run(mynah().arg("explain").arg(many.path()).arg("问"));
    let lines: Vec<&str> = explained.out.lines().collect();
    assert!(lines.len() <= 24, "{} lines", lines.len());
    assert!(lines[1].contains("answered") && lines[2] == "> 答", "{lines:?}");
    assert!(lines.last().unwrap().contains("5 000"), "{lines:?}");
    assert!(explained.err.contains("2500 warnings"), "{}", explained.err);
    let tested = run(mynah().arg("test").arg(many.path())).out;
    let unreached = tested.lines().last().unwrap();
    assert_eq!(unreached.matches("bot.toml:").count(), 20, "{unreached}");
    assert!(unreached.ends_with(", …"), "{unreached}");
}

#[test]
fn explain_lists_the_rules_up_to_the_one_that_answers() {
    let good = bot(PRICES);
    let explain = |arguments: &[&str]| {
        run(mynah()
            .arg("explain")
            .arg(good.path())
            .args(["--user", "Ann", "--time", "2026-11-23T09:00:00Z"])
            .args(arguments))
    };
    insta::assert_snapshot!("explain_answered", explain(&["call me Ann", "--group", "Shop"]).out);
    insta::assert_snapshot!("explain_nothing", explain(&["good day", "--group", "Shop"]).out);
    insta::assert_snapshot!("explain_called", explain(&["x", "--group", "Shop", "--at-me"]).out);
    let zh = explain(&["x", "--group", "Shop", "--at-me", "--lang", "zh"]).out;
    assert!(zh.starts_with("Shop/Ann: x   (2026-11-23 09:00 UTC，叫到了机器人)\n"), "{zh}");
    let answer = explain(&["PRICE", "--json"]);
    insta::assert_snapshot!("explain_json", answer.out);
    assert_eq!(json(&answer).len(), 1);
}

const MESSAGES: &str = r#"{"text":"the price","group":"Shop","from":"Ann","time":"2026-11-23T09:00:00+08:00"}
{"text":"price","group":"Shop","from":"Ben","time":"2026-11-23T09:00:09+08:00","id":"second"}
{"text":"price","group":"Shop","from":"Ben","time":"2026-11-23T09:00:10+08:00","id":3}
{"text":"call me Ben","from":"Ben"}
{"text":"x","group":"Shop","at_me":true}
{"type":"image","group":"Shop"}
"#;

#[test]
fn replay_has_a_line_for_every_message_in_its_fixed_form() {
    let good = bot(PRICES);
    let messages = file(&good, "messages.jsonl", MESSAGES);
    let replay = |arguments: &[&str]| {
        run(mynah().arg("replay").arg(good.path()).arg(&messages).args(arguments))
    };
    insta::assert_snapshot!("replay_json", replay(&["--json"]).out);
    insta::assert_snapshot!("replay_stateless_json", replay(&["--json", "--stateless"]).out);
    insta::assert_snapshot!("replay_text", replay(&[]).out);
    let fields = ["id", "rule", "file", "line", "captures", "replies", "quiet"];
    for line in json(&replay(&["--json"])) {
        let found: BTreeSet<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, BTreeSet::from(fields));
    }
    assert_eq!(replay(&["--json"]).out, replay(&["--json", "--seed", "0"]).out);
}

#[test]
fn messages_may_come_from_standard_input_and_a_bad_line_is_named() {
    let good = bot(PRICES);
    let replay = |input: &str| {
        run(mynah().arg("replay").arg(good.path()).args(["-", "--json"]).write_stdin(input))
    };
    assert_eq!(json(&replay(MESSAGES)).len(), 6);
    let answer = replay("{\"text\":\"a\"}\nnonsense\n");
    assert_eq!(answer.status, 2);
    assert!(answer.err.contains("-:2: this is not a message"), "{}", answer.err);
}

#[test]
fn bench_measures_in_its_fixed_form() {
    let good = bot(PRICES);
    let messages = file(&good, "messages.jsonl", MESSAGES);
    let answer = run(mynah().arg("bench").arg(good.path()).arg(&messages).arg("--json"));
    assert_eq!(answer.status, 0, "{}", answer.err);
    let lines = json(&answer);
    let [measured] = lines.as_slice() else { panic!("one line: {}", answer.out) };
    let number =
        |name: &str| measured[name].as_f64().unwrap_or_else(|| panic!("{name}: {measured}"));
    assert_eq!((number("rules"), number("messages"), number("hits")), (4.0, 6.0, 5.0));
    assert!(number("cpu_ns") > 0.0 && number("build_ms") > 0.0);
    assert!(number("p50_ns") > 0.0 && number("p50_ns") <= number("p99_ns"));
    let bytes = number("heap_bytes");
    assert!((500.0..10_000_000.0).contains(&bytes), "{bytes} bytes for four rules");
}

#[test]
fn new_makes_a_bot_that_is_right_in_both_languages() {
    for lang in ["en", "zh"] {
        let folder = TempDir::new().unwrap();
        let made = folder.path().join("shop");
        let answer = run(mynah().args(["new", "--lang", lang]).arg(&made));
        assert_eq!(answer.status, 0, "{}", answer.err);
        assert!(answer.out.contains("mynah sandbox"), "{}", answer.out);
        let text = fs::read_to_string(made.join("bot.toml")).unwrap();
        assert!(text.starts_with("#:schema bot.schema.json\n"));
        let schema = fs::read_to_string(made.join("bot.schema.json")).unwrap();
        assert!(serde_json::from_str::<Value>(&schema).unwrap()["properties"].is_object());
        let answer = run(mynah().args(["check", "-v"]).arg(&made));
        assert_eq!(answer.status, 0, "{}", answer.out);
        assert!(!answer.out.contains("warning"), "{}", answer.out);
        let answer = run(mynah().args(["test", "--json"]).arg(&made));
        assert_eq!(answer.status, 0, "{}", answer.out);
        let sums = json(&answer).pop().unwrap();
        assert_eq!(sums["unreached"], Value::Array(vec![]), "{sums}");
        // Existing files are never overwritten.
        let answer = run(mynah().arg("new").arg(&made));
        assert_eq!(answer.status, 1);
        assert!(answer.err.contains("is not empty"), "{}", answer.err);
        assert_eq!(fs::read_to_string(made.join("bot.toml")).unwrap(), text);
    }
}

#[test]
fn the_committed_schema_is_the_one_that_is_printed() {
    let answer = run(mynah().arg("schema"));
    assert_eq!(answer.status, 0);
    let committed = fs::read_to_string(root().join("config/bot.schema.json")).unwrap();
    assert_eq!(
        committed, answer.out,
        "write it anew: cargo run -- schema --output config/bot.schema.json"
    );
    let folder = TempDir::new().unwrap();
    let written = folder.path().join("schema.json");
    run(mynah().args(["schema", "--output"]).arg(&written));
    assert_eq!(fs::read_to_string(written).unwrap(), committed);
}

#[test]
fn the_reference_is_printed_in_both_languages() {
    let en = run(mynah().args(["schema", "--reference", "--lang", "en"])).out;
    let zh = run(mynah().args(["schema", "--reference", "--lang", "zh"])).out;
    assert!(en.contains("cooldown") && zh.contains("cooldown") && en != zh);
}

/// A data folder whose log has these messages: one answered by a rule that is gone, one as today, one too old, one answered as
/// today by a rule without id that stood in another line, and one that was also sent to another chat.
async fn log_of_yesterday() -> TempDir {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).unwrap();
    let old = Decided {
        rule: Some("greeting".to_owned()),
        replies: vec!["Welcome!".to_owned()],
        ..Decided::default()
    };
    let same = Decided {
        rule: Some("price".to_owned()),
        replies: vec!["See the list.".to_owned()],
        ..Decided::default()
    };
    let passed_over = Decided { passed_over: Some("too old".to_owned()), ..Decided::default() };
    let moved = Decided {
        rule: Some("bot.toml:70".to_owned()),
        replies: vec!["Hello, Bob!".to_owned()],
        ..Decided::default()
    };
    let to = |chat: &str, text: &str| {
        let action = Action::Send { content: Content::text(text) };
        let planned = Planned { chat: chat.into(), action, delay: Duration::ZERO, is_reply: true };
        Step::Act(planned)
    };
    for (second, text, decided, steps) in [
        (10, "call me Ann", old, vec![to("g", "Welcome!")]),
        (20, "the price", same.clone(), vec![to("g", "See the list.")]),
        (30, "price", passed_over, vec![]),
        (40, "call me Bob", moved, vec![to("g", "Hello, Bob!")]),
        (50, "the price", same, vec![to("g", "See the list."), to("staff", "Ann asks")]),
    ] {
        let now = Timestamp::from_secs(second);
        let chat = Chat::group("g", "Shop");
        let message = Message {
            id: MessageId::new(format!("m{second}")),
            chat: chat.clone(),
            sender: Person::stranger("p", "Ann"),
            origin: Origin::Person,
            content: Content::text(text),
            text: text.to_owned(),
            called: false,
            behind_name: None,
        };
        let id = EventId::new(format!("e{second}"));
        let event = Event { id, time: now, body: EventBody::Message(message) };
        let batch = Batch { events: vec![event], ..Batch::default() };
        let lane = store.accept(batch, now).await.unwrap().remove(0);
        let (event, snapshot) = store.begin(&lane, now).await.unwrap().unwrap();
        let turn = Turn {
            event,
            reads: snapshot.reads(),
            effects: Effects { steps, ..Effects::default() },
            decided,
            reply_max_age: None,
        };
        store.commit(turn, now).await.unwrap();
    }
    folder
}

#[tokio::test]
async fn the_log_is_replayed_as_a_difference_and_explained_message_by_message() {
    let good = bot(PRICES);
    let data = log_of_yesterday().await;
    let replay = |arguments: &[&str]| {
        run(mynah().arg("replay").arg(good.path()).arg("--data").arg(data.path()).args(arguments))
    };
    insta::assert_snapshot!("replay_difference", replay(&[]).out);
    insta::assert_snapshot!("replay_difference_json", replay(&["--json"]).out);
    let zh = replay(&["--lang", "zh"]).out;
    assert!(zh.ends_with("4 条消息中有 2 条的处理会与当时不同\n"), "{zh}");
    assert!(replay(&["--list"]).out.contains("> See the list.   (price)"));
    let explain = |id: &str| {
        run(mynah()
            .arg("explain")
            .arg(good.path())
            .args(["--message", id, "--data"])
            .arg(data.path()))
    };
    insta::assert_snapshot!("explain_message", explain("m20").out);
    assert_eq!(explain("e20").out, explain("m20").out);
    let answer = explain("m99");
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("no message m99"), "{}", answer.err);
}

/// The earlier acts of a rule are known from the log: without it, `explain` showed a quiet message as answered.
#[tokio::test]
async fn a_message_of_the_log_is_explained_as_of_then() {
    let braked =
        bot("[[rule]]\nkeyword = [\"ann\", \"price\"]\nreply = \"yes\"\ncooldown = \"1m\"\n");
    let data = log_of_yesterday().await;
    for (id, expected) in [
        ("m10", "* bot.toml:1: answered"),
        ("m20", "* bot.toml:1: matched, but its cooldown keeps it quiet for another 50s"),
    ] {
        let mut explain = mynah();
        explain.arg("explain").arg(braked.path()).args(["--message", id, "--data"]);
        let answer = run(explain.arg(data.path()));
        assert!(answer.out.contains(expected), "{id}: {}{}", answer.out, answer.err);
    }
}

/// A second is short and a year is long: the test ends all the same, and reports the mistake.
#[test]
fn a_test_in_which_time_would_not_end_fails_soon() {
    for (to, expected) in
        [("Team A", "got       => Team A: tick"), ("Nobody*", "more than 10000 timers")]
    {
        let rules = format!(
            "[[schedule]]\nevery = \"1s\"\nto = \"{to}\"\nsend = \"tick\"\n[[test]]\nscript = '''\n+365d\n'''\n"
        );
        let answer = run(mynah().arg("test").arg(bot(&rules).path()));
        assert_eq!(answer.status, 1);
        assert!(answer.out.contains(expected), "{}{}", answer.out, answer.err);
    }
}

#[test]
fn explain_speaks_chinese_too() {
    let good = bot(PRICES);
    let explain =
        ["--lang", "zh", "--user", "Ann", "--time", "2026-11-23T09:00:00Z", "--group", "Shop"];
    let answer = run(mynah().arg("explain").arg(good.path()).arg("PRICE").args(explain));
    insta::assert_snapshot!("explain_zh", answer.out);
}
