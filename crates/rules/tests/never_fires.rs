//! A rule or row that is reported as never firing never answers: generated rules and tables, and sentences made from them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use mynah_core::{
    Action, Chat, Content, Event, EventBody, Message, NoState, Origin, Person, Random, Segment,
    Step, Timestamp,
};
use mynah_rules::{Disk, Lang, LoadOptions, Loaded, Moment, RuleBook, load};
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of questions and sentences: inside one another, with stars, signs, blanks, full width and capitals.
const PIECES: &[&str] = &[
    "退", "货", "退货", "吗", "！", " ", "hi", "Hi", "thank", "thanks", "*", "1", "１", "{x}",
    "[请]",
];

/// A text of one to three pieces.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(select(PIECES), 1..4).prop_map(|pieces| pieces.concat().trim().to_owned())
}

/// A rule or a table, before it has a number.
#[derive(Debug, Clone)]
enum Entry {
    Rule { key: &'static str, texts: Vec<String>, more: &'static str },
    Table { rows: Vec<(Vec<String>, &'static str)>, matching: &'static str, more: &'static str },
}

const KEYS: &[&str] = &["keyword", "keyword", "exact", "prefix", "suffix", "all", "pattern"];
const MATCHING: &[&str] = &["exact", "keyword", "keyword", "pattern", "similar"];

/// A line beside the texts; those after the first seven are for rules only.
const MORE: &[&str] = &[
    "",
    "",
    "",
    "",
    "continue = true",
    "priority = 1",
    "in = \"private\"",
    "case = true",
    "none = \"ok\"",
    "none = \"退\"",
    "none = [\"货\", \"hi\"]",
    "none = \"thank*\"\ncase = true",
    "exact = [\"退货\", \"hi!\"]",
    "exact = \"thanks\"\nsuffix = \"货\"",
];

fn entry() -> impl Strategy<Value = Entry> {
    let texts = || prop::collection::vec(text(), 1..3);
    let rule = (select(KEYS), texts(), select(MORE));
    let row = (texts(), select(&["", "", "群甲"][..]));
    let table = (prop::collection::vec(row, 1..5), select(MATCHING), select(&MORE[..7]));
    prop_oneof![
        2 => rule.prop_map(|(key, texts, more)| Entry::Rule { key, texts, more }),
        1 => table.prop_map(|(rows, matching, more)| Entry::Table { rows, matching, more }),
    ]
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The rule file and its tables. Each rule and row answers with its own place as diagnostics show it.
fn files(entries: &[Entry]) -> (String, Vec<(String, String)>) {
    let (mut rules, mut tables) = (String::new(), Vec::new());
    for entry in entries {
        let line = rules.lines().count() + 1;
        match entry {
            Entry::Rule { key, texts, more } => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                let _ = writeln!(
                    rules,
                    "[[rule]]\n{key} = [{}]\n{more}\nreply = \"bot.toml:{line}\"",
                    texts.join(", ")
                );
            }
            Entry::Table { rows, matching, more } => {
                let name = format!("t{line}.csv");
                let _ = writeln!(
                    rules,
                    "[[table]]\nfile = \"{name}\"\nmatch = \"{matching}\"\ngroups = \"群\"\n{more}"
                );
                let mut table = "问题,答案,群\n".to_owned();
                for (at, (texts, groups)) in rows.iter().enumerate() {
                    let _ = writeln!(table, "\"{}\",{name}:{},{groups}", texts.join("|"), at + 2);
                }
                tables.push((name, table));
            }
        }
    }
    (rules, tables)
}

/// Loads the files. Rules with errors are dropped by the caller.
fn loaded(entries: &[Entry]) -> Loaded {
    let folder = tempfile::tempdir().expect("a folder");
    let (rules, tables) = files(entries);
    for (name, text) in tables {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let main = folder.path().join("bot.toml");
    std::fs::write(&main, rules).expect("written");
    load(&main, &Disk, &LoadOptions::default())
}

/// The answers that never come, by the diagnostics: of rules, of rows, of all rows of a table.
fn never(loaded: &Loaded, entries: &[Entry]) -> BTreeSet<String> {
    let mut never = BTreeSet::new();
    let rules = files(entries).0;
    for one in loaded.diagnostics.iter().filter(|one| one.code == "never-fires") {
        let shown = one.render(&loaded.sources, Lang::En, false);
        let first = shown.lines().next().unwrap_or_default().to_owned();
        let text = first.split_once("warning[never-fires]: ").map_or("", |(_, text)| text);
        if let Some((row, _)) = text.split_once(" never answers: ") {
            never.insert(row.to_owned());
            continue;
        }
        never.insert(format!("bot.toml:{}", one.line));
        let table =
            rules.lines().nth(one.line as usize).and_then(|line| line.strip_prefix("file = "));
        let table = table.map(|name| name.trim_matches('"'));
        never.extend(table.iter().flat_map(|name| (2..8).map(move |row| format!("{name}:{row}"))));
    }
    never
}

fn answers(book: &RuleBook, chat: Chat, text: &str) -> Vec<String> {
    let message = Message {
        id: "m".into(),
        called: true,
        chat,
        sender: Person::stranger("p", "Pat"),
        origin: Origin::Person,
        content: Content::text(text),
        text: text.to_owned(),
        behind_name: None,
    };
    let event =
        Event { id: "e".into(), time: Timestamp::from_secs(0), body: EventBody::Message(message) };
    let at = Moment { random: Random::of(0, &event.id), ..Moment::at(Timestamp::from_secs(0)) };
    let decision = book.decide(&event, &NoState, &at);
    let mut answers = Vec::new();
    for step in &decision.steps {
        if let Step::Act(planned) = step
            && let Action::Send { content } = &planned.action
        {
            answers.extend(content.0.iter().filter_map(|segment| match segment {
                Segment::Text { text } => Some(text.clone()),
                _ => None,
            }));
        }
    }
    answers
}

/// Sentences that are near the questions: a question as it is, between other pieces, without its marks.
fn sentences(entries: &[Entry], around: &[String]) -> Vec<String> {
    let mut sentences = Vec::new();
    for entry in entries {
        let texts: Vec<&String> = match entry {
            Entry::Rule { texts, .. } => texts.iter().collect(),
            Entry::Table { rows, .. } => rows.iter().flat_map(|(texts, _)| texts).collect(),
        };
        for text in texts {
            let plain = text.replace("{x}", &around[0]).replace(['[', ']'], "").replace('*', "s");
            sentences.extend([text.clone(), plain.clone()]);
            sentences.extend(around.iter().map(|more| format!("{more}{plain}")));
            sentences.extend(around.iter().map(|more| format!("{plain} {more}")));
        }
    }
    sentences
}

fn cases() -> u32 {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    wanted.unwrap_or(if std::env::var_os("CI").is_some() { 1_000 } else { 200 })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// A tenth of the cases has such an entry, with about 100 sentences: 10 000 in 1 000 cases, each in three chats.
    #[test]
    fn an_entry_that_never_fires_never_answers(
        entries in prop::collection::vec(entry(), 2..7),
        around in prop::collection::vec(text(), 4),
    ) {
        let loaded = loaded(&entries);
        let Some(book) = &loaded.book else { return Ok(()) };
        let never = never(&loaded, &entries);
        if never.is_empty() {
            return Ok(());
        }
        for sentence in sentences(&entries, &around) {
            for chat in [Chat::private("p", "Pat"), Chat::group("g", "群甲"), Chat::group("h", "群乙")] {
                let answers = answers(book, chat, &sentence);
                let wrong = answers.iter().find(|answer| never.contains(*answer));
                prop_assert!(wrong.is_none(), "{sentence:?} is answered by {wrong:?}\n{:#?}", files(&entries));
            }
        }
    }
}
