//! Lists in files: every state of such a file has a defined result, and lists cost what their items cost.

use std::path::Path;

use mynah_core::{Chat, Content, Event, EventBody, Message, NoState, Origin, Person, Timestamp};
use mynah_rules::{Disk, Lang, LoadOptions, Loaded, Moment, RuleBook, load};

const LARGEST: usize = 32 << 20;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn loaded(folder: &Path, rules: &str) -> Loaded {
    let main = folder.join("bot.toml");
    std::fs::write(&main, rules).expect("written");
    load(&main, &Disk, &LoadOptions::default())
}

/// The errors and warnings of a bot whose list is in `items.txt`, in both languages.
fn faults(items: Option<&[u8]>) -> Vec<String> {
    let folder = folder();
    if let Some(items) = items {
        std::fs::write(folder.path().join("items.txt"), items).expect("written");
    }
    let rules =
        "[lists]\nx = { file = \"items.txt\" }\n[[rule]]\nkeyword = \"<x>\"\nreply = \"a\"\n";
    let loaded = loaded(folder.path(), rules);
    let is_watched = |name: &str| loaded.sources.files().any(|(known, _)| known == name);
    assert!(is_watched("items.txt"), "the list is loaded again when it is saved");
    let both = [Lang::En, Lang::Zh];
    let diagnostics = loaded.diagnostics.iter();
    let shown =
        diagnostics.flat_map(|one| both.map(|lang| one.render(&loaded.sources, lang, false)));
    shown.map(|text| text.lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_file_of_a_list_is_read_or_refused_with_a_reason() {
    let at = "bot.toml:2:14: error[file]:";
    assert_eq!(
        faults(None),
        [
            format!("{at} items.txt not found next to bot.toml"),
            format!("{at} bot.toml 旁边没有 items.txt"),
        ]
    );
    for empty in ["", "# nothing\n\n  \n"] {
        let found = faults(Some(empty.as_bytes()));
        assert_eq!(
            found,
            [
                "bot.toml:2:1: error[list]: the list x has no items",
                "bot.toml:2:1: error[list]: 列表 x 没有内容"
            ]
        );
    }
    let latin = faults(Some(b"caf\xe9\n"));
    assert!(latin[0].starts_with(&format!("{at} items.txt cannot be read")), "{latin:?}");
    assert_eq!(
        faults(Some(b"a\nb\0c\n")),
        [
            format!("{at} items.txt cannot be read: line 2 has a NUL character, which no text has"),
            format!("{at} 无法读取 items.txt：第 2 行有 NUL 字符，文本里不会有它"),
        ]
    );
    let mut large = "x\n# ".to_owned();
    large += &"y".repeat(LARGEST - large.len());
    assert_eq!(faults(Some(large.as_bytes())), Vec::<String>::new());
    large.push('y');
    let too_large = faults(Some(large.as_bytes()));
    assert!(too_large[0].starts_with(&format!("{at} items.txt cannot be read")), "{too_large:?}");
    assert_eq!(
        faults(Some("\u{feff}# cities\n北京\r\n\n  上海  \n".as_bytes())),
        Vec::<String>::new()
    );
}

fn answer(book: &RuleBook, text: &str) -> Vec<String> {
    let now = Timestamp::from_secs(1_800_000_000);
    let message = Message {
        id: "1".into(),
        chat: Chat::private("p", "Pat"),
        sender: Person::stranger("p", "Pat"),
        origin: Origin::Person,
        content: Content::text(text),
        text: text.to_owned(),
        called: true,
        behind_name: None,
    };
    let event = Event { id: "1".into(), time: now, body: EventBody::Message(message) };
    let moment = Moment::at(now);
    let decision = book.explain(&event, &NoState, &moment, &mut Vec::new());
    assert_eq!(decision, book.decide(&event, &NoState, &moment));
    let rule = decision.rule.map(|rule| rule.line.to_string());
    rule.into_iter().chain(decision.captures.into_values()).collect()
}

const RULES: &str = r#"
[lists]
city = { file = "city.txt" }
ask = ["请问", "<polite>", "help*"]
polite = ["麻烦", "please"]
[[rule]]
all = ["<city>", "<ask>", "天气"]
reply = "1"
[[rule]]
pattern = "{from:city}到{to:city}[<ask>]"
reply = "2"
[[rule]]
suffix = "<city>"
reply = "{rest}"
[[rule]]
keyword = "<ask>"
reply = "4"
"#;

#[test]
fn lists_stand_for_their_items_in_every_condition() {
    let folder = folder();
    std::fs::write(folder.path().join("city.txt"), "北京\n上海\n北京西\nNew York\n")
        .expect("written");
    let book = loaded(folder.path(), RULES).book.expect("no errors");
    assert_eq!(answer(&book, "麻烦说说北京天气"), ["6"]);
    assert_eq!(answer(&book, "北京天气"), Vec::<String>::new());
    assert_eq!(answer(&book, "北京西到new york请问"), ["9", "北京西", "new york"]);
    assert_eq!(answer(&book, "我在上海。"), ["12"]);
    assert_eq!(answer(&book, "helpful"), ["15"]);
    assert_eq!(answer(&book, "Please!"), ["15"]);
    assert_eq!(answer(&book, "pleased"), Vec::<String>::new());
}

#[test]
fn similar_sentences_can_be_a_list() {
    let rules = "[lists]\nback = [\"怎么退货\", \"如何把东西退回\"]\n[[rule]]\nsimilar = \"<back>\"\nreply = \"a\"\n";
    let book = loaded(folder().path(), rules).book.expect("no errors");
    assert_eq!(answer(&book, "怎么退货呢"), ["3"]);
    assert_eq!(answer(&book, "如何把东西退回啊"), ["3"]);
    assert_eq!(answer(&book, "back"), Vec::<String>::new());
}

#[test]
fn editing_a_list_resets_no_clock() {
    let folder = folder();
    let keys = |items: &str| -> Vec<String> {
        std::fs::write(folder.path().join("city.txt"), items).expect("written");
        let book = loaded(folder.path(), RULES).book.expect("no errors");
        book.rules().map(|rule| rule.key).collect()
    };
    assert_eq!(keys("北京\n"), keys("北京\n上海\n"));
    // The keys of rules without new keys are those under which an older version kept their clocks.
    let old = "[[rule]]\nkeyword = [\"价格\", \"多少钱\"]\nin = \"group\"\nreply = \"a\"\ncooldown = \"1m\"\n\
               [[rule]]\npattern = \"天气 {city}\"\nreply = \"b\"\n[[rule]]\nexact = \"签到\"\ncase = true\nreply = \"c\"\n";
    let book = loaded(folder.path(), old).book.expect("no errors");
    let keys: Vec<String> = book.rules().map(|rule| rule.key).collect();
    insta::assert_snapshot!(keys.join("\n"));
}

/// A rule book of so many keywords: in one rule through one list, or in a rule for each.
fn many(count: usize, through_list: bool) -> RuleBook {
    let folder = folder();
    let words: Vec<String> = (0..count).map(|n| format!("关键词{n}号")).collect();
    let rules = if through_list {
        std::fs::write(folder.path().join("words.txt"), words.join("\n")).expect("written");
        "[lists]\nwords = { file = \"words.txt\" }\n[[rule]]\nkeyword = \"<words>\"\nreply = \"a\"\n".to_owned()
    } else {
        words
            .iter()
            .map(|word| format!("[[rule]]\nkeyword = \"{word}\"\nreply = \"a\"\n"))
            .collect()
    };
    let book = loaded(folder.path(), &rules).book.expect("no errors");
    std::sync::Arc::into_inner(book).expect("the only one")
}

#[test]
fn a_list_in_one_rule_takes_less_room_than_rules() {
    let (list, rules) = (many(10_000, true), many(10_000, false));
    assert!(list.heap_bytes() < rules.heap_bytes(), "{} {}", list.heap_bytes(), rules.heap_bytes());
    assert_eq!(answer(&list, "有没有关键词77号？"), ["3"]);
    assert_eq!(list.scanned().count(), 0);
}

#[test]
fn a_list_in_many_patterns_is_kept_once() {
    let folder = folder();
    let heap = |rules: usize| {
        let cities: Vec<String> = (0..5_000).map(|n| format!("城市{n}")).collect();
        std::fs::write(folder.path().join("city.txt"), cities.join("\n")).expect("written");
        let patterns: String = (0..rules)
            .map(|n| format!("[[rule]]\npattern = \"第{n}号{{c:city}}天气\"\nreply = \"{{c}}\"\n"))
            .collect();
        let rules = format!("[lists]\ncity = {{ file = \"city.txt\" }}\n{patterns}");
        let book = loaded(folder.path(), &rules).book.expect("no errors");
        assert_eq!(answer(&book, "第1号城市77天气"), ["6", "城市77"]);
        book.heap_bytes()
    };
    // A copy of the list would take more than 50 kB.
    assert!(heap(100) - heap(2) < 98 * 2_000);
}

#[test]
fn lists_that_share_lists_cost_what_their_different_items_cost() {
    // Each list names the next one twice: items that are written out once more for each name would be 2^60.
    let mut rules = "[lists]\n".to_owned();
    for at in 0..60 {
        let next = at + 1;
        rules += &format!("l{at} = [\"<l{next}>\", \"word{at}\", \"<l{next}>\"]\n");
    }
    rules += "l60 = [\"last\"]\n[[rule]]\nkeyword = \"<l0>\"\nreply = \"a\"\n";
    let book = loaded(folder().path(), &rules).book.expect("no errors");
    assert_eq!(answer(&book, "the last one"), ["63"]);
    assert_eq!(answer(&book, "a word59"), ["63"]);
}

#[test]
fn lists_inside_of_each_other_have_a_bound_that_is_named_once() {
    let folder = folder();
    let words: Vec<String> = (0..1_000).map(|n| format!("w{n}")).collect();
    std::fs::write(folder.path().join("words.txt"), words.join("\n")).expect("written");
    let mut rules = "[lists]\na0 = { file = \"words.txt\" }\n".to_owned();
    for at in 1..=1_010 {
        rules += &format!("a{at} = [\"<a0>\"]\n");
    }
    rules += "[[rule]]\nkeyword = \"<a0>\"\nreply = \"a\"\n";
    let loaded = loaded(folder.path(), &rules);
    let said: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|one| one.render(&loaded.sources, Lang::En, false))
        .map(|text| text.lines().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("all lists have more than 1000000 items together"), "{said:#?}");
}
