//! Nothing in the documentation that was not run: its rule files are checked and played, its links lead somewhere.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use mynah_rules::Lang;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

/// Every page of documentation: Markdown in the root and under `docs/`, `crates/` and `bots/`.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in [".", "docs", "bots", "crates", "config"] {
        collect(&root().join(folder), folder != ".", &mut pages);
    }
    assert!(pages.len() > 8, "{pages:?}");
    pages
}

fn collect(folder: &Path, deep: bool, pages: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && deep {
            collect(&path, deep, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

/// The text of every fenced block of that language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in page.lines() {
        match &mut open {
            Some(block) if line == "```" => blocks.push(std::mem::take(block)),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
                continue;
            }
            None if line == format!("```{language}") => {
                open = Some(String::new());
                continue;
            }
            None => continue,
        }
        open = None;
    }
    blocks
}

#[test]
fn rule_files_in_the_documentation_pass_their_own_tests() {
    let mut played = 0;
    for page in pages() {
        for block in blocks(&fs::read_to_string(&page).unwrap(), "toml") {
            if !block.contains("[[rule]]") || !block.contains("[[test]]") {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("bot.toml"), &block).unwrap();
            for command in ["check", "test"] {
                let run = Command::new(env!("CARGO_BIN_EXE_stock_bot"))
                    .arg(command)
                    .arg(folder.path())
                    .assert();
                let output = run.get_output();
                let said = String::from_utf8_lossy(&output.stdout).into_owned()
                    + &String::from_utf8_lossy(&output.stderr);
                assert!(
                    output.status.success(),
                    "{}: {command} of\n{block}\nsaid\n{said}",
                    page.display()
                );
            }
            played += 1;
        }
    }
    assert!(played >= 12, "only {played} rule files were found in the documentation");
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !page.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The targets of inline links, outside fenced blocks.
fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut links = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if !fenced {
            links.extend(
                line.split("](")
                    .skip(1)
                    .filter_map(|rest| rest.split(')').next())
                    .map(str::to_owned),
            );
        }
    }
    links
}

#[test]
fn every_bot_to_copy_is_right() {
    let bots = fs::read_dir(root().join("bots")).unwrap().map(|entry| entry.unwrap().path());
    // A bot with code has tests of its own, which know its handlers.
    let bots: Vec<PathBuf> = bots
        .filter(|bot| bot.join("bot.toml").exists() && !bot.join("Cargo.toml").exists())
        .collect();
    assert!(bots.len() >= 5, "{bots:?}");
    for bot in bots {
        Command::new(env!("CARGO_BIN_EXE_stock_bot")).arg("check").arg(&bot).assert().success();
        Command::new(env!("CARGO_BIN_EXE_stock_bot")).arg("test").arg(&bot).assert().success();
    }
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
