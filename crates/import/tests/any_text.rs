//! For every content of the files, an import ends without a panic, and its result loads.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use mynah_import::{Imported, Input, Kind, Lang, import};
use mynah_rules::{Files, LoadOptions};
use proptest::prelude::*;

/// The files of a result.
struct Result_<'r>(BTreeMap<PathBuf, &'r [u8]>);

impl Files for Result_<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn read_table(&self, _folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(bytes.to_vec())
    }

    fn size(&self, _folder: &Path, path: &Path) -> io::Result<u64> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(bytes.len() as u64)
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.0.keys().cloned().collect())
    }
}

fn loads(imported: &Imported) {
    let files = imported.files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.as_slice()));
    let files = Result_(files.collect());
    let loaded = mynah_rules::load(Path::new("bot.toml"), &files, &LoadOptions::default());
    let errors: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .map(|one| one.message(Lang::En))
        .collect();
    assert!(loaded.book.is_some() && errors.is_empty(), "{errors:?}");
    for (name, _) in &imported.files {
        assert!(!name.contains(['/', '\\']) && !name.starts_with('.'), "{name}");
    }
}

/// Imports a text as a kind; an error is as good as a result.
fn try_as(kind: Kind, name: &str, text: &str) {
    let input = Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), found: false };
    if let Ok(imported) = import(&[input], Some(kind), Lang::En) {
        loads(&imported);
    }
}

/// Words and signs of a language, in any order.
fn pieces(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(of), 0..40).prop_map(|all| all.concat())
}

const RIVE: &[&str] = &[
    "\n+ ",
    "\n- ",
    "\n% ",
    "\n* ",
    "\n@ ",
    "\n! array a = ",
    "\n! sub ",
    "\n! var n = ",
    "\n> topic t",
    "\n< topic",
    "\n^ ",
    " => ",
    "*",
    "#",
    "_",
    "(a|b)",
    "[c]",
    "(@a)",
    "@a",
    "<star>",
    "<star2>",
    "<get x>",
    "<set x=",
    ">",
    "{topic=t}",
    "{random}a|b{/random}",
    "{weight=3}",
    "{@",
    "}",
    "<@>",
    "hello",
    "你好",
    " ",
    "=",
    "==",
    "'",
    "\"",
    "\\",
    "{",
    "[",
    "<call>x</call>",
    "{formal}",
    "{/formal}",
];

const AIML: &[&str] = &[
    "<category>",
    "</category>",
    "<pattern>",
    "</pattern>",
    "<template>",
    "</template>",
    "<that>",
    "</that>",
    "<topic name=\"A\">",
    "</topic>",
    "<srai>",
    "</srai>",
    "<random>",
    "</random>",
    "<li>",
    "</li>",
    "<li value=\"x\">",
    "<star/>",
    "<star index=\"2\"/>",
    "<set name=\"x\">",
    "</set>",
    "<get name=\"x\"/>",
    "<bot name=\"n\"/>",
    "<think>",
    "</think>",
    "<condition name=\"x\">",
    "</condition>",
    "<person/>",
    "<sr/>",
    "HELLO",
    " * ",
    " _ ",
    "A{B}",
    "&amp;",
    "&x;",
    "\"",
    "\n",
    "<br/>",
];

const HASS: &[&str] = &[
    "[",
    "]",
    "(",
    ")",
    "|",
    ";",
    "{name}",
    "{level:x}",
    "{any}",
    "<the>",
    "<x>",
    " ",
    "turn",
    "on",
    "灯",
    "{",
    "}",
    "<",
    ">",
    "%",
    "'",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_text_of_any_kind(text in "\\PC{0,200}", number in 0..Kind::ALL.len()) {
        try_as(Kind::ALL[number], "a.json", &text);
    }

    #[test]
    fn tables(rows in proptest::collection::vec(("[^\\x00]{0,8}", "\\PC{0,8}"), 0..30)) {
        let text: String = rows.iter().map(|(question, answer)| format!("{question:?},{answer:?}\n")).collect();
        try_as(Kind::Table, "../a.csv", &text);
        let bank: BTreeMap<_, _> = rows.into_iter().collect();
        try_as(Kind::WordBank, "a.json", &serde_json::json!(bank).to_string());
    }

    #[test]
    fn rivescript(text in pieces(RIVE)) {
        try_as(Kind::Rivescript, "a.rive", &text);
    }

    #[test]
    fn aiml(text in pieces(AIML)) {
        try_as(Kind::Aiml, "a.aiml", &text);
        let whole = format!("<aiml><category><pattern>X</pattern><template>{text}</template></category></aiml>");
        try_as(Kind::Aiml, "a.aiml", &whole);
    }

    #[test]
    fn home_assistant(sentences in proptest::collection::vec(pieces(HASS), 1..4)) {
        let list: Vec<String> = sentences.iter().map(|one| format!("{one:?}")).collect();
        let text = format!(
            "language: zh\nlists: {{level: {{values: [{{in: (a|b), out: 1}}, c]}}, name: {{values: [灯, lamp]}}, any: {{wildcard: true}}}}\nexpansion_rules: {{the: (the|my), x: \"[{{any}}]<x>\"}}\nintents: {{I: {{data: [{{sentences: [{}]}}]}}}}\n",
            list.join(", "),
        );
        try_as(Kind::HomeAssistant, "a.yaml", &text);
    }

    #[test]
    fn questions_and_answers(question in "\\PC{1,20}", answer in "[$()a1n{}:@+#~鱼 ]{1,20}", flag in 0_u64..32) {
        let bank = serde_json::json!({ question.clone(): [answer.clone()] }).to_string();
        try_as(Kind::WordBank, "a.json", &bank);
        let row = serde_json::json!([{ "id": 1, "question": question, "answer": answer, "flag": flag, "probS": 0.3, "guilds": ["1"], "predecessors": ["1"] }]);
        try_as(Kind::Koishi, "a.json", &row.to_string());
        let plugin = serde_json::json!({ "keyword": { question.clone(): answer.clone() }, "group_welc_fixed_msg": { question: answer } });
        try_as(Kind::CowAgent, "a.json", &plugin.to_string());
    }
}
