//! Checks the dependency policy of `deny.toml` against the packages that cargo builds.

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

/// Name and licence of every package from elsewhere that cargo builds on this machine.
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

/// Whether the allowed licences satisfy a licence expression: `OR` needs one side, `AND` both.
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

/// A version of Rust as numbers: `1.89` and `1.89.0` are the same.
fn rust(version: &str) -> (u64, u64, u64) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

/// The metadata of the packages that are built on this machine.
fn metadata() -> Vec<serde_json::Value> {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform"])
        .arg(host)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The settings that all packages of the workspace share.
fn shared() -> toml::Table {
    let manifest: toml::Table =
        std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    manifest["workspace"].as_table().unwrap().clone()
}

#[test]
fn no_dependency_needs_a_newer_rust_than_we_promise() {
    let shared = shared();
    let promised = shared["package"]["rust-version"].as_str().unwrap();
    let packages = metadata();
    let mut declared = 0;
    for package in &packages {
        let Some(needed) = package["rust_version"].as_str() else { continue };
        declared += 1;
        let (name, version) = (&package["name"], &package["version"]);
        assert!(rust(needed) <= rust(promised), "{name} {version} needs Rust {needed}");
    }
    assert!(declared > 50, "only {declared} of {} packages declare a version", packages.len());
    let page = std::fs::read_to_string(root().join("docs/operating.md")).unwrap();
    assert!(page.contains(&format!("{promised} or newer")), "docs/operating.md names another Rust");
}

/// The packages that are built for one package of the workspace, without its tests.
fn built_for(package: &str) -> BTreeSet<String> {
    let arguments = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline", "-p", package])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    tree.lines().map(name).filter(|name| name != package).collect()
}

#[test]
fn the_first_command_of_the_readme_builds_the_runner_only() {
    let shared = shared();
    let first: Vec<_> = shared["default-members"].as_array().unwrap().iter().collect();
    assert_eq!(first, [&toml::Value::from("crates/mynah")]);
    let runner = built_for("mynah");
    for bot in ["assistant-bot", "dice-bot", "ledger-bot", "weather-bot"] {
        let more: Vec<_> = built_for(bot)
            .into_iter()
            .filter(|name| name != "mynah" && !runner.contains(name))
            .collect();
        assert!(more.is_empty(), "{bot} needs more than the runner: {more:?}");
    }
}

#[test]
fn no_program_has_the_mistakes_of_the_tests() {
    for program in ["mynah", "assistant-bot", "dice-bot", "ledger-bot", "weather-bot"] {
        assert!(!built_for(program).contains("mynah-store-testing"), "{program}");
    }
}

#[test]
fn all_crates_carry_one_version_that_the_change_log_knows() {
    let shared = shared();
    let version = shared["package"]["version"].as_str().unwrap();
    for (name, dependency) in shared["dependencies"].as_table().unwrap() {
        if dependency.get("path").is_some() {
            assert_eq!(dependency["version"].as_str(), Some(version), "{name}");
        }
    }
    let log = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let is_known = log.contains("## Unreleased") || log.contains(&format!("## {version}"));
    assert!(is_known, "CHANGELOG.md has no section for {version}");
}

/// The folders of the published crates.
fn published() -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(root().join("crates")).unwrap();
    folders.map(|entry| entry.unwrap().path()).filter(|it| it.join("Cargo.toml").exists()).collect()
}

/// The files in the package of a crate.
fn packaged(folder: &Path) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_package_is_whole_without_the_repository_around_it() {
    assert_eq!(published().len(), 19);
    for folder in published() {
        let list = packaged(&folder);
        let files: BTreeSet<&str> = list.lines().collect();
        for needed in ["Cargo.toml", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "src/lib.rs"] {
            assert!(files.contains(needed), "{}: {needed} is missing", folder.display());
        }
        let inside = folder.canonicalize().unwrap();
        let is_source = |file: &&&str| file.starts_with("src/") && file.ends_with(".rs");
        for source in files.iter().filter(is_source) {
            for name in included(&std::fs::read_to_string(folder.join(source)).unwrap()) {
                let path = folder.join(source).parent().unwrap().join(&name);
                let path = path.canonicalize().unwrap_or_else(|_| panic!("{source}: no {name}"));
                assert!(path.starts_with(&inside), "{}/{source}: {name}", folder.display());
            }
        }
    }
}

/// The files that a source file includes.
fn included(source: &str) -> Vec<String> {
    let macros = ["include_str!(\"", "include_bytes!(\""];
    let found = macros.iter().flat_map(|name| source.split(name).skip(1));
    found.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
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
