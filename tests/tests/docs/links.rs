//! The targets of links exist: files, and headings in them.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::pages::{self, Page};

/// The targets of inline links, outside fenced blocks.
fn links(page: &Page) -> Vec<String> {
    let prose = page.prose();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.map(str::to_owned).collect()
}

/// The anchors of the headings of a page, as common renderers create them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let prose = page.prose();
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let titles = headings.map(|line| line.trim_start_matches('#').trim());
    let mut anchors = BTreeSet::new();
    for title in titles {
        let anchor = anchor(title);
        let mut unique = anchor.clone();
        let mut n = 0;
        while !anchors.insert(unique.clone()) {
            n += 1;
            unique = format!("{anchor}-{n}");
        }
    }
    anchors
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn links_lead_to_files_and_headings() {
    let pages = pages::all();
    let mut broken = Vec::new();
    let mut followed = 0;
    for page in &pages {
        for link in links(page) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            let (target, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if target.is_empty() {
                page.path.clone()
            } else {
                page.path.parent().unwrap().join(target)
            };
            let there = pages.iter().find(|other| plain(&other.path) == plain(&target));
            let is_right = match (heading, there) {
                ("", _) => target.exists(),
                (heading, Some(there)) => anchors(there).contains(heading),
                (_, None) => false,
            };
            if !is_right {
                broken.push(format!("{}: {link}", page.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(followed > 80, "only {followed} links were found");
}

#[test]
fn anchors_are_made_as_the_renderers_make_them() {
    for (title, expected) in [
        ("Before you log in with a real account", "before-you-log-in-with-a-real-account"),
        ("用真实账号登录之前", "用真实账号登录之前"),
        ("1. Make a bot (one minute)", "1-make-a-bot-one-minute"),
        ("`[[rule]]`", "rule"),
    ] {
        assert_eq!(anchor(title), expected);
    }
}

/// The hosts that documents may mention: they exist, or they are reserved for examples.
const HOSTS: [&str; 7] = [
    "example.com",
    "git-scm.com",
    "keepachangelog.com",
    "ollama.com",
    "rustup.rs",
    "semver.org",
    "127.0.0.1",
];

#[test]
fn documents_contain_only_existing_addresses() {
    let mut unknown = Vec::new();
    for page in pages::all() {
        for rest in page.text.split("://").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')));
            let host = &rest[..end.unwrap_or(rest.len())];
            // Without a dot it is a placeholder for any host, as in `http://…`.
            let is_example = host.ends_with(".example.com");
            if host.contains('.') && !is_example && !HOSTS.contains(&host) {
                unknown.push(format!("{}: {host}", page.name));
            }
        }
    }
    assert!(unknown.is_empty(), "is there such a host? {unknown:#?}");
}

/// The Rust sources under a folder, as one text.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_tests_that_security_md_names_exist() {
    let page = std::fs::read_to_string(super::root().join("SECURITY.md")).unwrap();
    let mut code = String::new();
    for folder in ["crates", "tests/tests"] {
        sources(&super::root().join(folder), &mut code);
    }
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let names: Vec<&str> = cells.flat_map(|cell| cell.split('`')).collect();
    let tests: Vec<_> = names.iter().filter(|name| name.contains('_')).collect();
    assert!(tests.len() > 10, "{tests:?}");
    for test in tests {
        assert!(code.contains(&format!("fn {test}(")), "SECURITY.md names no test: {test}");
    }
}
