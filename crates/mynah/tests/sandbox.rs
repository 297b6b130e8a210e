//! `mynah sandbox`: a whole run through login, sync, rules and send, in one command.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

/// How long any one run may take in all.
const LONGEST: Duration = Duration::from_secs(60);

fn mynah() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mynah"));
    command.env("LC_ALL", "C").env_remove("MYNAH_LOG").timeout(LONGEST);
    command
}

fn faq() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bots/faq")
}

/// The output after the first line, which names the address.
fn chat(command: &mut Command, said: &str) -> String {
    let output = command.write_stdin(said).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let (first, rest) = out.split_once('\n').unwrap();
    assert!(first.starts_with("listening on http://127.0.0.1:"), "{first}");
    rest.to_owned()
}

#[test]
fn what_is_piped_in_is_said_and_answered_and_then_it_ends() {
    let said = "请问多少钱\n@小助手 在吗\n随便聊聊\n";
    let seen = chat(mynah().args(["sandbox", "--as", "张三"]).arg(faq()), said);
    let group = seen.split_once('/').unwrap().0;
    assert!(
        ["水果店客户群", "Customers"].contains(&group),
        "a group where the bot may speak: {group}"
    );
    assert_eq!(
        seen,
        format!(
            "{group}/张三: 请问多少钱\n\
             > 价目表：https://example.com/price\n\
             {group}/张三: @小助手 在吗\n\
             > @张三 我会回答：价格、发票、菜单。\n\
             {group}/张三: 随便聊聊\n"
        )
    );
}

#[test]
fn the_page_is_served_on_this_machine_only() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = mynah().args(["sandbox", "--page", address]).arg(faq()).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(&format!("the page is not served at {address}")), "{err}");
        assert!(!String::from_utf8(output.stdout).unwrap().contains("page:"));
    }
}

#[test]
fn names_about_members_are_those_of_the_group() {
    let bot = TempDir::new().unwrap();
    let rules = r#"
[[rule]]
exact = "in"
set = { signed = "1" }
add = { points = 5 }
reply = "{count:signed} {top:points}"

[[rule]]
exact = "who"
reply = "{someone|nobody}={someone|nobody}"

[[rule]]
exact = "draw"
reply = "{pick:signed|nobody}"
clear = "members.signed"
"#;
    std::fs::write(bot.path().join("bot.toml"), rules).unwrap();
    let said = "in\nin\nwho\ndraw\ndraw\n";
    let mut command = mynah();
    command.args(["sandbox", "--group", "Customers", "--as", "张三"]).arg(bot.path());
    let seen = chat(&mut command, said);
    let answers: Vec<&str> = seen.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    let [first, second, who, drawn, again] = answers[..] else { panic!("{seen}") };
    assert_eq!((first, second), ("1 1. 张三 5", "1 1. 张三 10"));
    let (one, same) = who.split_once('=').unwrap();
    assert!(one == same && !["nobody", "小助手"].contains(&one), "{who}");
    assert_eq!((drawn, again), ("张三", "nobody"));
}

#[test]
fn several_accounts_are_named_with_their_addresses() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mynah"));
    command.args(["sandbox", "--accounts", "30", "--contacts", "5", "--groups", "2"]);
    let mut sandbox = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(sandbox.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let base = first.strip_prefix("listening on ").unwrap();
    let second = lines.next().unwrap().unwrap();
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert_eq!(second, format!("accounts a1 … a30, each at {base}/a/NAME"));
}

#[test]
fn accounts_that_cannot_be_are_refused() {
    for (arguments, expected) in [
        (["--accounts", "0"], "0 is not in 1..=5000"),
        (["--account-names", "a,b/c"], "cannot be named \"b/c\""),
        (["--account-names", "a,a"], "two accounts are named \"a\""),
    ] {
        let refused = mynah().arg("sandbox").args(arguments).assert().code(2);
        let error = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(error.contains(expected), "{error}");
    }
    // A chat is in one account.
    let refused = mynah().args(["sandbox", "--accounts", "2"]).arg(faq()).assert().code(2);
    let error = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(error.contains("cannot be used with"), "{error}");
}

#[test]
fn private_and_other_groups_are_told_apart() {
    let private = chat(mynah().args(["sandbox", "--as", "李四", "--private"]).arg(faq()), "价格");
    assert_eq!(private, "李四: 价格\n> 价目表：https://example.com/price\n");
    let family =
        chat(mynah().args(["sandbox", "--group", "家人", "--as", "妈妈"]).arg(faq()), "价格\n");
    assert_eq!(family, "家人/妈妈: 价格\n");
}

#[test]
fn pictures_waits_and_messages_elsewhere_are_all_waited_for() {
    let bot = TempDir::new().unwrap();
    std::fs::copy(faq().join("menu.png"), bot.path().join("menu.png")).unwrap();
    let rules = r#"
[[rule]]
exact = "menu"
do = [{ image = "menu.png" }, { wait = "300ms" }, { reply = "enjoy" }]

[[rule]]
exact = "tell"
reply = "told"
forward_to = ["Kitchen"]
"#;
    std::fs::write(bot.path().join("bot.toml"), rules).unwrap();
    let base = ["sandbox", "--as", "Ann", "--group", "Kitchen"];
    let seen = chat(mynah().args(base).arg(bot.path()), "menu\n");
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines.len(), 3, "{seen}");
    assert!(lines[1].starts_with("> [image"), "{seen}");
    assert_eq!(lines[2], "> enjoy", "{seen}");
}

#[test]
fn a_new_bot_is_met_in_a_group_of_its_own_language() {
    for (lang, said, expected) in [
        (
            "en",
            "when do you open?",
            "Customers/Alice: when do you open?\n> We are open from 9:00 to 21:00 every day.\n",
        ),
        ("zh", "几点开门", "水果店客户群/张三: 几点开门\n> "),
    ] {
        let folder = TempDir::new().unwrap();
        let bot = folder.path().join("bot");
        mynah().args(["new", "--lang", lang]).arg(&bot).assert().success();
        let seen = chat(mynah().args(["sandbox", "--lang", lang]).arg(&bot), said);
        assert!(seen.starts_with(expected), "{seen}");
    }
}

#[test]
fn nothing_said_is_nothing_answered() {
    assert_eq!(chat(mynah().arg("sandbox").arg(faq()), ""), "");
    assert_eq!(chat(mynah().arg("sandbox").arg(faq()), "\n\n"), "");
}

#[test]
fn with_v_every_call_of_the_session_is_seen() {
    let output = mynah().args(["sandbox", "-v"]).arg(faq()).write_stdin("价格\n").output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    // The client logs the duration of each call; the sandbox, in the same process, logs its answers.
    let calls = log.lines().filter(|line| line.contains("call method="));
    let (told, answered): (Vec<&str>, Vec<&str>) = calls.partition(|line| line.contains(" ms="));
    let told = paths(&told);
    // Calls may overlap, so the two need not tell them in the same order.
    let (mut ours, mut theirs) = (told.clone(), paths(&answered));
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs, "{log}");
    let mut rest = told.iter();
    for call in [
        "/jslogin",
        "/cgi-bin/mmwebwx-bin/login",
        "/cgi-bin/mmwebwx-bin/webwxnewloginpage",
        "/cgi-bin/mmwebwx-bin/webwxinit",
        "/cgi-bin/mmwebwx-bin/webwxstatusnotify",
        "/cgi-bin/mmwebwx-bin/webwxgetcontact",
        "/cgi-bin/mmwebwx-bin/webwxsync",
        "/cgi-bin/mmwebwx-bin/webwxsendmsg",
        "/cgi-bin/mmwebwx-bin/webwxlogout",
    ] {
        assert!(rest.any(|path| *path == call), "{call} is not in its place in {told:#?}");
    }
}

/// The paths of calls in order, without the poll: one may be under way when the session ends.
fn paths<'l>(calls: &[&'l str]) -> Vec<&'l str> {
    let path = |line: &'l str| line.split("path=").nth(1)?.split_whitespace().next();
    let all = calls.iter().filter_map(|line| path(line));
    all.filter(|path| !path.ends_with("/synccheck")).collect()
}

#[test]
fn a_bad_bot_is_told_before_anything_is_started() {
    let bot = TempDir::new().unwrap();
    std::fs::write(bot.path().join("bot.toml"), "[[rule]]\nkeyword = \"a\"\nreplay = \"b\"\n")
        .unwrap();
    let output = mynah().arg("sandbox").arg(bot.path()).write_stdin("a\n").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "no login is tried");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("error["), "{told}");
}

/// A bot that saves a row, then answers; it lives as long as the folder.
fn saving() -> TempDir {
    let bot = TempDir::new().unwrap();
    let rules = r#"
[[rule]]
pattern = "sign up {name}"
do = [{ save_to = "people.csv" }, { reply = "noted" }]
"#;
    std::fs::write(bot.path().join("bot.toml"), rules).unwrap();
    bot
}

/// The lines of a chat, with the answer to each message sorted: a remark and a reply may change places.
fn with_remarks_first(seen: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = seen.lines().collect();
    let is_answer = |line: &&str| line.starts_with(['#', '>']);
    lines.chunk_by_mut(|one, next| is_answer(one) == is_answer(next)).for_each(|part| {
        if is_answer(&part[0]) {
            part.sort_unstable();
        }
    });
    lines
}

#[test]
fn a_row_of_save_to_is_written_and_its_place_is_told() {
    let (bot, rows) = (saving(), TempDir::new().unwrap());
    let data = rows.path().join("rows");
    let base = ["sandbox", "--as", "Ann", "--private", "--data"];
    let seen = chat(mynah().args(base).arg(&data).arg(bot.path()), "sign up Ann\n");
    let place = data.join("people.csv");
    let lines = with_remarks_first(&seen);
    assert!(lines[1].starts_with(&format!("# saved to {}: ", place.display())), "{seen}");
    assert_eq!(lines[2..], ["> noted"], "{seen}");
    assert!(std::fs::read_to_string(place).unwrap().contains("Ann"));
}

#[test]
fn a_folder_for_rows_is_made_where_none_is_stated() {
    let (bot, temporary) = (saving(), TempDir::new().unwrap());
    let base = ["sandbox", "--as", "Ann", "--private"];
    let mut command = mynah();
    let command = command.args(base).env("TMPDIR", temporary.path()).env("TMP", temporary.path());
    let seen = chat(command.arg(bot.path()), "sign up Ann\n");
    let told = seen.lines().find_map(|line| line.strip_prefix("# saved to ")).unwrap();
    let place = &told[..told.find(".csv").unwrap() + 4];
    assert!(Path::new(place).starts_with(temporary.path()), "{place}");
    assert!(std::fs::read_to_string(place).unwrap().contains("Ann"), "it is there afterwards");
}

#[test]
fn a_row_that_cannot_be_saved_is_told_at_once_and_the_answer_after_it_comes() {
    let (bot, data) = (saving(), TempDir::new().unwrap());
    std::fs::create_dir(data.path().join("people.csv")).unwrap();
    let base = ["sandbox", "--as", "Ann", "--private", "--data"];
    let seen =
        chat(mynah().args(base).arg(data.path()).arg(bot.path()), "sign up Ann\nsign up Bob\n");
    let lines = with_remarks_first(&seen);
    assert_eq!(lines.len(), 6, "{seen}");
    for (said, failed, answer) in [(0, 1, 2), (3, 4, 5)] {
        assert!(lines[said].starts_with("Ann: sign up"), "{seen}");
        assert!(
            lines[failed].starts_with("# failed: ") && lines[failed].contains("people.csv"),
            "{seen}"
        );
        assert_eq!(lines[answer], "> noted", "{seen}");
    }
}

#[test]
fn a_picture_that_has_gone_is_told_at_once_and_the_answer_after_it_comes() {
    let bot = TempDir::new().unwrap();
    let picture = bot.path().join("menu.png");
    std::fs::copy(faq().join("menu.png"), &picture).unwrap();
    let rules =
        "[[rule]]\nexact = \"menu\"\ndo = [{ image = \"menu.png\" }, { reply = \"enjoy\" }]\n";
    std::fs::write(bot.path().join("bot.toml"), rules).unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mynah"))
        .args(["sandbox", "--lang", "en", "--as", "Ann", "--private"])
        .arg(bot.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut seen = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    for expected in ["> [image", "# failed: [image menu.png]: menu.png could not be read"] {
        std::io::Write::write_all(&mut input, b"menu\n").unwrap();
        let mut answer = seen.by_ref().filter(|line| line.starts_with(['>', '#']));
        let mut answer = [answer.next().unwrap(), answer.next().unwrap()];
        answer.sort();
        assert!(answer[0].starts_with(expected), "{answer:?}");
        assert_eq!(answer[1], "> enjoy");
        let _ = std::fs::remove_file(&picture);
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_handler_that_the_stock_program_lacks_is_told_where_it_would_run() {
    let bots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bots");
    for (bot, said, told) in [
        (
            "keywords",
            "天气 上海",
            "# here the handler `weather` would run; it is Rust code of your own",
        ),
        (
            "dice",
            "roll d20",
            "# here the handler `dice` would run; build it with `cargo run --manifest-path",
        ),
    ] {
        let seen = chat(mynah().args(["sandbox", "--lang", "en"]).arg(bots.join(bot)), said);
        let remark = seen.lines().nth(1).unwrap_or_else(|| panic!("{bot} says nothing: {seen}"));
        assert!(remark.starts_with(told), "{seen}");
    }
}

#[test]
fn every_bot_to_copy_starts() {
    let bots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bots");
    let bots = std::fs::read_dir(bots).unwrap().map(|entry| entry.unwrap().path());
    for bot in bots.filter(|bot| bot.join("bot.toml").exists()) {
        let seen = chat(mynah().arg("sandbox").arg(&bot), "没人会回答的话\n");
        assert!(seen.contains(": 没人会回答的话"), "{}: {seen}", bot.display());
    }
}

#[cfg(unix)]
#[test]
fn without_a_bot_it_serves_until_it_is_stopped() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mynah"))
        .args(["sandbox", "--auto-confirm"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim().strip_prefix("listening on http://").expect(&first).to_owned();
    std::net::TcpStream::connect(address).expect("it listens");
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_logs_out_in_order() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mynah"))
        .args(["sandbox", "-v"])
        .arg(faq())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The input stays open, so only the signal can end it.
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, "价格\n".as_bytes()).unwrap();
    let mut seen = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(seen.any(|line| line.unwrap().starts_with("> ")), "the bot answers first");
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("webwxlogout"), "{log}");
    drop(input);
}
