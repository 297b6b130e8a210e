//! The script of `docs/stdio.md`, run unchanged.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{pages, root, said};

/// The objects of some lines; different chats may overtake each other.
fn objects(lines: &str) -> BTreeSet<String> {
    let object = |line: &str| serde_json::from_str::<Value>(line).expect("JSON").to_string();
    lines.lines().map(object).collect()
}

#[test]
fn the_example_script_writes_what_the_page_says() {
    let page = pages::page("docs/stdio.md");
    let blocks = page.blocks();
    let block = |language: &str| {
        let found = blocks.iter().find(|block| block.language == language);
        &found.unwrap_or_else(|| panic!("no {language} block")).text
    };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir_all(here.join("bots/faq")).unwrap();
    for entry in fs::read_dir(root().join("bots/faq")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), here.join("bots/faq").join(entry.file_name())).unwrap();
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_stock_bot"), here.join("mynah")).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut script = std::process::Command::new("sh");
    script.args(["-c", block("bash")]).current_dir(here);
    script.env("PATH", format!("{}:{path}", here.display()));
    for name in ["MYNAH_LOG", "MYNAH_DATA", "MYNAH_CONFIG", "MYNAH_SERVER", "MYNAH_LISTEN"] {
        script.env_remove(name);
    }
    let output = script.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let written = String::from_utf8_lossy(&output.stdout);
    assert_eq!(objects(&written), objects(block("json")), "{}", said(&output));
}
