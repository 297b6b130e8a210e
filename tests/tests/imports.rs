//! Imported bots answer like their originals, and the command line says how an import ended.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use mynah::Bot;
use mynah::testing::Conversation;
use tempfile::TempDir;

fn mynah() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stock_bot"));
    command.env("LC_ALL", "C");
    command
}

/// A folder with a file, imported.
fn imported(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join(name);
    fs::write(&file, text).expect("written");
    mynah().arg("import").arg(&file).arg("--to").arg(folder.path().join("bot")).assert().success();
    mynah().arg("check").arg(folder.path().join("bot")).assert().success();
    folder
}

/// Plays messages of a person, each with the answers that the original gives.
async fn plays(folder: &Path, talk: &[(&str, &[&str])]) {
    let mut bot = Conversation::new(Bot::new(), folder.join("bot")).await.expect("the bot loads");
    for (text, expected) in talk {
        let answers = bot.say("Ann", text).await.expect("a turn");
        let answers: Vec<&str> = answers.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(answers, *expected, "{text}");
    }
}

#[tokio::test]
async fn rivescript_keeps_its_meaning() {
    let text = "! sub who's = who is\n! array tea = green|black\n+ knock knock\n- Who's there?\n+ *\n% who is there\n- <star> who?\n+ i drink (@tea) tea\n- <set tea=<star>>Good.\n+ which tea\n* <get tea> == undefined => None.\n- <get tea> tea.\n+ hey\n@ which tea\n+ # plus one\n- <add n=1>OK.\n+ count\n- <get n>\n";
    let folder = imported("a.rive", text);
    let talk: &[(&str, &[&str])] = &[
        ("hey", &["None."]),
        ("I drink green tea!", &["Good."]),
        ("hey", &["green tea."]),
        ("i drink mint tea", &[]),
        ("knock knock", &["Who's there?"]),
        ("Olive", &["olive who?"]),
        ("Olive", &[]),
        ("5 plus one", &["OK."]),
        ("count", &["1"]),
    ];
    plays(folder.path(), talk).await;
}

#[tokio::test]
async fn aiml_keeps_its_meaning() {
    let text = "<aiml><category><pattern>WHAT IS *</pattern><template>What is <star/>?</template></category>\
        <category><pattern>WHAT IS YOUR NAME</pattern><template>I have none. Have you?</template></category>\
        <category><pattern>NO</pattern><that>HAVE YOU</that><template>Nor have I.</template></category>\
        <category><pattern>NO</pattern><template>Why not?</template></category>\
        <category><pattern>_ PLEASE</pattern><template><srai><star/></srai></template></category>\
        <category><pattern>I LIKE *</pattern><template><think><set name=\"topic\"><star/></set></think>Why?</template></category>\
        <topic name=\"TEA\"><category><pattern>BECAUSE</pattern><template>Tea is good.</template></category></topic>\
        <category><pattern>BECAUSE</pattern><template>Really?</template></category></aiml>";
    let folder = imported("a.aiml", text);
    let talk: &[(&str, &[&str])] = &[
        ("no", &["Why not?"]),
        ("What's your name?", &["I have none. Have you?"]),
        ("no", &["Nor have I."]),
        ("what is your name, please", &["I have none. Have you?"]),
        ("what is love", &["What is love?"]),
        ("because", &["Really?"]),
        ("I like tea", &["Why?"]),
        ("because", &["Tea is good."]),
    ];
    plays(folder.path(), talk).await;
}

#[tokio::test]
async fn a_table_answers() {
    let folder = imported("faq.csv", "问题,答案\n价格|多少钱,十元\n地址,北京 {x}\n");
    let talk: &[(&str, &[&str])] =
        &[("多少钱？", &["十元"]), ("地址", &["北京 {x}"]), ("名字", &[])];
    plays(folder.path(), talk).await;
}

#[test]
fn nothing_is_overwritten_and_the_counts_are_shown() {
    let folder = imported("a.rive", "+ a\n- b\n+ c\n- <call>d</call>\n");
    let bot = folder.path().join("bot");
    let before = fs::read(bot.join("bot.toml")).expect("written");
    let again = |to: &Path| {
        let mut command = mynah();
        command.arg("import").arg(folder.path().join("a.rive")).arg("--to").arg(to).arg("--json");
        command.output().expect("the command runs")
    };
    let refused = again(&bot);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("already has a bot.toml") && said.contains("hint"), "{said}");
    assert_eq!(fs::read(bot.join("bot.toml")).expect("still there"), before);

    let other = again(&folder.path().join("other"));
    assert_eq!(fs::read(folder.path().join("other/bot.toml")).expect("written"), before);
    let said = String::from_utf8_lossy(&other.stdout).into_owned();
    assert!(said.contains(r#""line":3,"code":"code","lost":true"#), "{said}");
    assert!(said.contains(r#""items":2,"lost":1,"rules":1"#), "{said}");

    let missing = mynah().args(["import", "none.rive", "--to", "x"]).output().expect("runs");
    assert_eq!(missing.status.code(), Some(2));
    let other_kind = mynah().args(["import", "x", "--to", "y", "--from", "flottbot"]).output();
    assert_eq!(other_kind.expect("runs").status.code(), Some(2));
}
