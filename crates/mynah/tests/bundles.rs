//! Default rules: behind those of the file, overridden by them, reported like a file.

use mynah::Ended;
use mynah::prelude::*;
use mynah::testing::Conversation;

const GREETINGS: &str = r#"
[[rule]]
id = "greetings.hi"
keyword = "hi"
reply = "default hello"

[[rule]]
keyword = "bye"
reply = "default bye"

[lists]
drinks = { file = "drinks.txt" }

[[rule]]
pattern = "a {drink:drinks}"
reply = "{drink}!"

[[test]]
script = '''
Ann: hi
> default hello
'''
"#;

fn greetings(bot: Bot) -> Bot {
    bot.default_rules("greetings", GREETINGS).default_file("drinks.txt", "tea\nmilk\n")
}

#[tokio::test]
async fn default_rules_answer_where_the_file_does_not() -> mynah::Result<()> {
    let own = "[[rule]]\nkeyword = \"hi\"\nreply = \"own hello\"\n";
    let mut talk = Conversation::with_rules(greetings(Bot::new()), own).await?;
    assert_eq!(talk.say("Ann", "hi").await?, ["own hello"]);
    assert_eq!(talk.say("Ann", "bye").await?, ["default bye"]);
    assert_eq!(talk.say("Ann", "a tea").await?, ["tea!"]);
    let closed = "[bot]\ngroups = [\"Shop\"]\nprivate = false\n";
    let mut talk = Conversation::with_rules(greetings(Bot::new()), closed).await?;
    assert!(talk.say("Club/Ann", "bye").await?.is_empty(), "[bot] holds for default rules");
    assert_eq!(talk.say("Shop/Ann", "bye").await?, ["default bye"]);
    Ok(())
}

#[tokio::test]
async fn the_command_line_knows_default_rules() -> mynah::Result<()> {
    let folder = tempfile::tempdir().map_err(|_| ()).expect("a folder");
    let bot = folder.path().join("bot.toml");
    let write = |path: &std::path::Path, text: &str| std::fs::write(path, text).expect("written");
    // A rule that takes the place of a default one is not reported; a test meets the default rules.
    write(
        &bot,
        "[[rule]]\nkeyword = \"hi\"\nreply = \"own\"\n\n[[test]]\nscript = '''\nAnn: bye\n> default bye\nAnn: a milk\n> milk!\n'''\n",
    );
    let path = folder.path().display().to_string();
    let run = |command: &'static str| greetings(Bot::new()).run(["bot", command, &path]);
    assert_eq!(run("check").await?, Ended::Fine);
    assert_eq!(run("test").await?, Ended::Fine);
    // A file of the folder takes the place of a default one.
    write(&folder.path().join("drinks.txt"), "juice\n");
    assert_eq!(run("test").await?, Ended::No);
    Ok(())
}

#[tokio::test]
async fn mistakes_in_default_rules_are_reported_with_their_name() {
    let bundle = Bot::new().default_rules("broken", "[[rule]]\nkeyword = 1\n");
    let report = Conversation::with_rules(bundle, "").await.map(drop).expect_err("a mistake");
    assert!(report.to_string().contains("broken:2"), "{report}");
    let bundle = Bot::new().default_rules("broken", "[bot]\nnames = [\"x\"]\n");
    let report = Conversation::with_rules(bundle, "").await.map(drop).expect_err("a mistake");
    assert!(report.to_string().contains("broken:1"), "{report}");
}
