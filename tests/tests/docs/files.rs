//! Files that the documentation and the configuration mention exist.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{pages, root};

/// Whether a span of code is a path in this repository: its first folder exists in the root or in `crates/`.
fn is_path(span: &str) -> bool {
    let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '*');
    let Some((first, _)) = span.split_once('/') else { return false };
    !first.is_empty()
        && span.chars().all(usual)
        && (root().join(first).is_dir() || root().join("crates").join(first).is_dir())
}

/// Whether a path exists, relative to the root, to `crates/`, or to the page. A `*` matches the end of a name.
fn exists(span: &str, folder: &Path) -> bool {
    let crates = root().join("crates");
    [root(), &crates, folder].iter().any(|from| match span.split_once('*') {
        None => from.join(span).exists(),
        Some((begin, _)) => {
            let begin = from.join(begin);
            let name = begin.file_name().map(|name| name.to_string_lossy().into_owned());
            let entries = begin.parent().and_then(|folder| fs::read_dir(folder).ok());
            entries.into_iter().flatten().flatten().any(|entry| {
                let entry = entry.file_name().to_string_lossy().into_owned();
                name.as_deref().is_none_or(|name| entry.starts_with(name))
            })
        }
    })
}

#[test]
fn every_file_that_is_named_exists() {
    let mut missing = Vec::new();
    let mut seen = 0;
    for page in pages::all() {
        for span in page.code_spans().into_iter().filter(|span| is_path(span)) {
            seen += 1;
            if !exists(&span, page.path.parent().unwrap()) {
                missing.push(format!("{}: {span}", page.name));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(seen > 40, "only {seen} paths were found");
}

#[test]
fn the_container_is_built_from_files_that_exist() {
    let recipe = fs::read_to_string(root().join("config/Containerfile")).unwrap();
    let copies = recipe.lines().filter_map(|line| line.strip_prefix("COPY "));
    let mut copied = Vec::new();
    for copy in copies.filter(|copy| !copy.starts_with("--from")) {
        let words: Vec<&str> = copy.split_whitespace().collect();
        copied.extend(words[..words.len() - 1].iter().map(|name| (*name).to_owned()));
    }
    for name in &copied {
        assert!(root().join(name).exists(), "{name} is copied and does not exist");
    }
    let manifest: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let folder = member.as_str().unwrap().split('/').next().unwrap();
        assert!(copied.iter().any(|name| name == folder), "{folder} is a member and not copied");
    }
}

#[test]
fn the_unit_restarts_after_a_crash_but_not_when_a_person_is_needed() {
    let unit = fs::read_to_string(root().join("config/mynah.service")).unwrap();
    let key = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let kept: Vec<u8> = key("RestartPreventExitStatus=")
        .split_whitespace()
        .map(|status| status.parse().unwrap())
        .collect();
    let expected: Vec<u8> = mynah::Ended::ALL
        .iter()
        .filter(|ended| !matches!(ended, mynah::Ended::Fine | mynah::Ended::Interrupted))
        .map(|ended| ended.code())
        .collect();
    assert_eq!(kept, expected);
    assert_eq!(key("Restart="), "on-failure");
    assert_eq!(key("CapabilityBoundingSet="), "", "it needs no capability");
    for hardening in ["SystemCallFilter=@system-service", "UMask=0077", "ProtectSystem=strict"] {
        assert!(unit.lines().any(|line| line == hardening), "{hardening}");
    }
}

#[test]
fn systemd_takes_the_unit() {
    let unit = fs::read_to_string(root().join("config/mynah.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let (program, arguments) = start.split_once(' ').unwrap();
    let flags: Vec<&str> = arguments.split(' ').filter(|word| word.starts_with("--")).collect();
    let help = super::mynah("C").args(["run", "--help"]).output().unwrap();
    for flag in flags {
        assert!(super::said(&help).contains(flag), "`mynah run` has no {flag}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mynah.service");
    fs::write(&file, unit.replace(program, env!("CARGO_BIN_EXE_stock_bot"))).unwrap();
    let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&file).output() else {
        println!("not verified: there is no systemd-analyze here");
        return;
    };
    let output = super::said(&verified);
    let about: Vec<&str> = output.lines().filter(|line| line.contains("mynah.service")).collect();
    assert!(about.is_empty(), "{about:#?}");
}
