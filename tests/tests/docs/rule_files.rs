//! Rule files in the documentation are checked and played.

use std::fs;
use std::path::Path;

use mynah::prelude::*;
use tempfile::TempDir;

use super::pages::{self, Page};
use super::{mynah, root, said};

/// Whether a block is a rule file or a part of one.
fn is_rule_file(text: &str) -> bool {
    ["[[rule]]", "[[dialog]]", "[[schedule]]"].iter().any(|table| text.contains(table))
}

/// A folder with this rule file, the picture that the recipes send, and the tables that they read.
fn bot(rules: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bot.toml"), rules).unwrap();
    for picture in ["menu.png", "soup.png"] {
        fs::copy(root().join("bots/faq/menu.png"), folder.path().join(picture)).unwrap();
    }
    for table in ["faq.csv", "faq.en.csv"] {
        fs::copy(root().join("bots/table").join(table), folder.path().join(table)).unwrap();
    }
    folder
}

/// Checks a rule file without warnings, and runs its tests with the handler from the pages about handlers.
fn is_right(page: &Page, rules: &str) {
    let folder = bot(rules);
    let check = mynah(page.locale()).arg("check").arg(folder.path()).output().unwrap();
    let output = said(&check);
    assert!(check.status.success(), "{}: check of\n{rules}\nsaid\n{output}", page.name);
    // The lines about how a table was read, and which hosts are asked, are not warnings.
    let is_fact =
        |line: &&str| ["faq.", "asks: ", "会请求："].iter().any(|begin| line.starts_with(begin));
    let lines = output.lines().filter(|line| !is_fact(line));
    assert_eq!(lines.count(), 1, "{}: check of\n{rules}\nwarned\n{output}", page.name);
    if !rules.contains("[[test]]") {
        return;
    }
    if rules.contains("\"dice\"") {
        with_dice(folder.path());
    } else {
        let test = mynah(page.locale()).arg("test").arg(folder.path()).output().unwrap();
        assert!(test.status.success(), "{}: test of\n{rules}\nsaid\n{}", page.name, said(&test));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn with_dice(bot: &Path) {
    let dice = handler_fn(|ctx, _| {
        let sides: u64 = ctx.capture("sides").unwrap_or("6").parse()?;
        ctx.reply(format!("🎲 {}", ctx.random().below(sides) + 1));
        Ok(Flow::Stop)
    });
    let bot = bot.to_str().unwrap();
    let ended = Bot::new().handler("dice", dice).run(["dice-bot", "test", bot]).await.unwrap();
    assert_eq!(ended, mynah::Ended::Fine);
}

#[test]
fn rule_files_in_the_documentation_load_without_a_warning_and_pass_their_tests() {
    let (mut checked, mut played) = (0, 0);
    for page in pages::all() {
        for block in page.blocks() {
            if block.language == "toml" && is_rule_file(&block.text) {
                is_right(&page, &block.text);
                checked += 1;
                played += usize::from(block.text.contains("[[test]]"));
            }
        }
    }
    assert!(checked >= 32 && played >= 28, "{checked} checked, {played} played");
}

/// The numbered sections of a page: title and text.
fn sections(page: &Page) -> Vec<(String, String)> {
    let parts = page.text.split("\n## ").skip(1);
    let sections = parts.map(|part| part.split_once('\n').unwrap_or((part, "")));
    sections.map(|(title, text)| (title.to_owned(), text.to_owned())).collect()
}

#[test]
fn every_recipe_has_rules_that_are_played_in_both_languages() {
    let [english, chinese] = ["docs/cookbook.md", "docs/cookbook.zh-CN.md"].map(pages::page);
    let [ours, theirs] = [sections(&english), sections(&chinese)];
    assert!(ours.len() >= 12);
    assert_eq!(ours.len(), theirs.len(), "a recipe is missing in one language");
    for (title, text) in ours.iter().chain(&theirs) {
        assert!(text.contains("```toml") && text.contains("[[test]]"), "{title} is not played");
    }
}

#[test]
fn the_guide_describes_the_generated_bot_and_its_test_passes() {
    for name in ["docs/guide.md", "docs/guide.zh-CN.md"] {
        let page = pages::page(name);
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("mybot");
        mynah(page.locale()).arg("new").arg(&made).assert().success();
        let mut rules = fs::read_to_string(made.join("bot.toml")).unwrap();
        let without_remarks: String = rules
            .lines()
            .map(|line| line.split('#').next().unwrap().trim_end().to_owned() + "\n")
            .collect();
        let blocks = page.blocks();
        let [rule, test] = ["[[rule]]", "[[test]]"].map(|table| {
            blocks.iter().find(|block| block.text.starts_with(table)).unwrap().text.clone()
        });
        assert!(without_remarks.contains(&rule), "{name} shows a rule that is not made:\n{rule}");
        rules.push_str(&test);
        fs::write(made.join("bot.toml"), rules).unwrap();
        let played = mynah(page.locale()).arg("test").arg(&made).output().unwrap();
        assert!(played.status.success(), "{name}: {}", said(&played));
    }
}
