//! The dependency policy of `deny.toml`, held against what cargo would build.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

fn policy() -> toml::Table {
    std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

/// Every package that cargo builds on this machine and that is not ours: name and licence.
fn dependencies() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--prefix",
            "none",
            "--format",
            "{p}|{l}",
            "--locked",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let packages: BTreeSet<(String, String)> = tree
        .lines()
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('|'))
        .filter(|(package, _)| !package.contains("mynah") && !package.contains("-bot "))
        .map(|(package, license)| {
            (package.split(' ').next().unwrap_or_default().to_owned(), license.to_owned())
        })
        .collect();
    assert!(packages.len() > 50, "cargo tree named only {} packages", packages.len());
    packages.into_iter().collect()
}

/// Whether a licence expression can be met with the allowed licences: `OR` needs one side, `AND` both.
fn allowed(expression: &str, allow: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    expression.split(" AND ").all(|part| {
        part.split(" OR ").any(|license| {
            let license = license.split(" WITH ").next().unwrap_or_default().trim();
            allow.contains(&license)
        })
    })
}

#[test]
fn every_license_is_allowed() {
    let policy = policy();
    let allow: Vec<&str> = policy["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l.as_str().unwrap())
        .collect();
    let refused: Vec<_> =
        dependencies().into_iter().filter(|(_, license)| !allowed(license, &allow)).collect();
    assert!(refused.is_empty(), "not allowed by deny.toml: {refused:?}");
}

#[test]
fn nothing_banned_is_built() {
    let policy = policy();
    let packages = dependencies();
    for ban in policy["bans"]["deny"].as_array().unwrap() {
        let (name, reason) = (ban["name"].as_str().unwrap(), ban["reason"].as_str().unwrap());
        assert!(!packages.iter().any(|(package, _)| package == name), "{name} is banned: {reason}");
    }
}

#[test]
fn everything_comes_from_the_registry() {
    let policy = policy();
    let registries = policy["sources"]["allow-registry"].as_array().unwrap();
    let lock: toml::Table =
        std::fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let Some(source) = package.get("source").and_then(toml::Value::as_str) else { continue };
        let registry = source.trim_start_matches("registry+");
        assert!(
            registries.iter().any(|r| r.as_str() == Some(registry)),
            "{} comes from {source}",
            package["name"].as_str().unwrap_or("?")
        );
    }
}

#[test]
fn license_expressions_are_read() {
    let allow = ["MIT", "Apache-2.0"];
    for (expression, expected) in [
        ("MIT", true),
        ("MIT OR GPL-3.0", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
    ] {
        assert_eq!(allowed(expression, &allow), expected, "{expression}");
    }
}
