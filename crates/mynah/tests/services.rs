//! The program knows chat services by their table alone: its sources name none, but for the one that the sandbox plays.

use std::fs;
use std::path::{Path, PathBuf};

use mynah_transports::CONNECTORS;

/// The place where the sandbox asks for its service by name.
const ALLOWED: &str = "services.named(\"webwx\")";

/// Further words by which people know the services.
const WORDS: &[&str] = &["wechat", "weixin", "微信", "uos", "extspam"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "txt")
        {
            found.push(path);
        }
    }
}

/// Whether a line has the word, not as a part of a longer one.
fn names(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !word.is_ascii() || !(before.is_some_and(is_part) || after.is_some_and(is_part))
    })
}

#[test]
fn no_source_of_the_program_names_a_service() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("Cargo.toml")];
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 100, "{} files", files.len());
    // `Stdio` of the standard library is how processes are started.
    let of_services = CONNECTORS.iter().map(|connector| connector.name().to_owned());
    let words: Vec<String> =
        of_services.chain(WORDS.iter().map(|word| (*word).to_owned())).collect();
    let (mut found, mut allowed) = (Vec::new(), 0);
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        for (number, line) in text.lines().enumerate() {
            if line.contains(ALLOWED) {
                allowed += 1;
                continue;
            }
            let lower = line.replace("Stdio::", "").replace("::Stdio", "").to_lowercase();
            if let Some(word) = words.iter().find(|word| names(&lower, word)) {
                found.push(format!("{}:{}: {word}", file.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "ask the table of services instead:\n{}", found.join("\n"));
    assert_eq!(allowed, 1, "the sandbox asks for its service at one place");
}
