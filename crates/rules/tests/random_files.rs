//! Loading a rule file always ends, whichever its content: in diagnostics that can be shown, or in a rule book.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use mynah_rules::{Files, Lang, LoadOptions, load};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Files in memory.
struct Memory(BTreeMap<PathBuf, String>);

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn size(&self, _folder: &Path, path: &Path) -> io::Result<u64> {
        self.read(path).map(|text| text.len() as u64)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.0.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }
}

/// Pieces that rule files are made of, whole and broken.
const PIECES: &[&str] = &[
    "[[rule]]\n",
    "[rule]\n",
    "[bot]\n",
    "[[dialog]]\n",
    "[[dialog.step]]\n",
    "[dialog.done]\n",
    "[[schedule]]\n",
    "[[group]]\n",
    "[[test]]\n",
    "[[rule]",
    "keyword = ",
    "reply = ",
    "pattern = ",
    "regex = ",
    "set = ",
    "add = ",
    "do = ",
    "cooldown = ",
    "limit = ",
    "time = ",
    "days = ",
    "cron = ",
    "script = ",
    "include = ",
    "id = ",
    "start = ",
    "only = ",
    "vars = ",
    "image = ",
    "save_to = ",
    "kick = ",
    "invite_to = ",
    "recall = ",
    "\"价格\"",
    "'天气 {city}'",
    "'(\\d+)'",
    "\"\\d\"",
    "“价格”",
    "「a」",
    "＝",
    "，",
    "[",
    "]",
    "{",
    "}",
    "{{",
    "}}",
    "\"",
    "'",
    "'''",
    "\"\"\"",
    "\n",
    "\r\n",
    " ",
    "\t",
    "#",
    ",",
    "=",
    ".",
    "\\",
    "\u{200b}",
    "\u{feff}",
    "{user.x}",
    "{at}",
    "{sender|{group}}",
    "{ user = \"1m\" }",
    "true",
    "5",
    "0.3",
    "1979-05-27",
    "\"09:00-18:00\"",
    "\"30\"",
    "\"30s\"",
    "\"0 9 * * *\"",
    "> x\n",
    "群/甲: a\n",
    "+3s\n",
    "@ 2026-11-23 09:00\n",
    "! join 群/甲\n",
    "=> run x {a=b}\n",
    "=> invite 甲: 群\n",
    "=> mute 甲 10m\n",
    "ʬ",
    "𪚥",
    "é",
    "ﬁ",
    "\0",
    "\u{1b}",
];

/// The good and the bad files of the other tests.
fn known_files() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs");
    let mut texts = Vec::new();
    for part in ["good", "bad"] {
        for entry in std::fs::read_dir(folder.join(part)).expect("a folder") {
            let path = entry.expect("a file").path();
            // The costly regexes would take the time of all other cases together.
            let is_costly = path.ends_with("regex-cost.toml");
            if path.extension().is_some_and(|extension| extension == "toml") && !is_costly {
                // Some are in other encodings.
                let bytes = std::fs::read(path).expect("a file");
                texts.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    texts.sort();
    texts
}

/// A change of a text.
#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, &'static str),
    Delete(Index, usize),
    RepeatLine(Index),
    DropLine(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (any::<Index>(), select(PIECES)).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        4 => (any::<Index>(), 1..8_usize).prop_map(|(at, count)| Edit::Delete(at, count)),
        1 => any::<Index>().prop_map(Edit::RepeatLine),
        1 => any::<Index>().prop_map(Edit::DropLine),
    ]
}

fn apply(text: &str, edit: &Edit) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    match edit {
        Edit::Insert(at, piece) => {
            let (before, after) = characters.split_at(at.index(characters.len() + 1));
            before.iter().copied().chain(piece.chars()).chain(after.iter().copied()).collect()
        }
        Edit::Delete(at, count) => {
            let at = at.index(characters.len());
            characters[..at].iter().chain(characters.iter().skip(at + count)).collect()
        }
        Edit::RepeatLine(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at]);
            lines.concat()
        }
        Edit::DropLine(at) => {
            lines.remove(at.index(lines.len()));
            lines.concat()
        }
    }
}

/// A known file with some changes, or a heap of pieces.
fn file() -> impl Strategy<Value = String> {
    let mutated = (select(known_files()), prop::collection::vec(edit(), 0..6))
        .prop_map(|(text, edits)| edits.iter().fold(text, |text, edit| apply(&text, edit)));
    let heap = prop::collection::vec(select(PIECES), 0..40).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => mutated, 1 => heap]
}

/// Loads a file and checks the promises about the result.
fn hold(text: &str) -> Result<(), TestCaseError> {
    let main = PathBuf::from("bot.toml");
    let other = "[[rule]]\nkeyword = \"o\"\nreply = \"x\"\n".to_owned();
    let files = Memory(BTreeMap::from([
        (main.clone(), text.to_owned()),
        ("menu.png".into(), other.clone()),
        ("a.toml".into(), other),
    ]));
    let loaded = load(&main, &files, &LoadOptions::default());
    let has_errors = loaded.diagnostics.iter().any(mynah_rules::Diagnostic::is_error);
    prop_assert_eq!(loaded.book.is_none(), has_errors);
    let is_toml = toml::de::DeTable::parse(text).is_ok();
    prop_assert!(is_toml || has_errors, "a syntax error was lost");
    for one in &loaded.diagnostics {
        let line = loaded.sources.line(&one.file, one.line);
        prop_assert!(line.is_some(), "{}:{} does not exist", one.file, one.line);
        let length = line.unwrap_or_default().chars().count();
        prop_assert!(one.column as usize <= length + 1, "column {} of {}", one.column, length);
        for lang in [Lang::En, Lang::Zh] {
            let shown = one.render(&loaded.sources, lang, false);
            prop_assert_eq!(shown.lines().count(), 3, "{}", shown);
            let steers = |c: char| c.is_control() && c != '\n';
            prop_assert!(!shown.contains(steers), "{:?}", shown);
        }
    }
    Ok(())
}

/// How many files are tried: all where CI runs, fewer at a desk, `PROPTEST_CASES` if it is set.
fn cases() -> u32 {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    wanted.unwrap_or(if std::env::var_os("CI").is_some() { 10_000 } else { 1_000 })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loading_ends_in_diagnostics_or_a_rule_book(text in file()) {
        hold(&text)?;
    }
}
