//! The rules that come out of each kind of file.

use mynah_import::{ImportError, Imported, Input, Kind, Lang, Limits, Reason, import, read_inputs};

fn input(name: &str, text: &str) -> Input {
    Input { name: name.to_owned(), bytes: text.as_bytes().to_vec(), found: false }
}

fn made(name: &str, text: &str) -> Imported {
    import(&[input(name, text)], None, Lang::En).expect("imported")
}

/// The rules without the comment at the top.
fn rules(imported: &Imported) -> String {
    let text = String::from_utf8_lossy(&imported.files[0].1).into_owned();
    text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
}

/// Checks that each text is in the rules.
fn has(name: &str, text: &str, expected: &[&str]) {
    let found = rules(&made(name, text));
    for one in expected {
        assert!(found.contains(one), "{one}\nis not in\n{found}");
    }
}

fn reasons(imported: &Imported) -> Vec<Reason> {
    imported.remarks.iter().map(|one| one.reason).collect()
}

#[test]
fn chatterbot_sentences_answer_the_one_before() {
    let text = "categories:\n- talk\nconversations:\n- - Good day\n  - Hello\n  - How are you?\n- - good day\n  - Hi {you}\n- - [x]\n";
    has(
        "talk.yml",
        text,
        &[
            "exact = \"Good day\"\nreply_one_of = [\"Hello\", \"Hi {{you}}\"]",
            "exact = \"Hello\"\nreply = \"How are you?\"",
        ],
    );
    assert_eq!(made("talk.yml", text).items, 3);
}

#[test]
fn rivescript_wildcards_are_holes_and_arrays_are_lists() {
    has(
        "a.rive",
        "! array pets = cat|guinea pig\n+ my (@pets) eats *\n- Does your <star1> like <star2>?\n\n+ i am # years old\n- <set age=<star>>OK.\n\n+ [please|can you] wait [now]\n- Yes.\n",
        &[
            "pets = [\"cat\", \"guinea pig\"]",
            "pattern = \"my {star:pets} eats {star2}\"\nreply = \"Does your {lower:star} like {lower:star2}?\"",
            "pattern = \"i am {star:int} years old\"\nset = { age = \"{star}\" }\nreply = \"OK.\"",
            "pattern = \"[please|can you] wait [now]\"",
        ],
    );
}

#[test]
fn rivescript_redirects_weights_topics_and_conditions_keep_their_meaning() {
    has(
        "a.rive",
        "+ hey\n@ hello\n\n+ hello\n- Hi!{weight=3}\n- Hello!\n\n+ be sorry\n- {topic=sorry}Say it.\n\n> topic sorry\n+ sorry\n- {topic=random}Good.\n< topic\n\n+ may i vote\n* <get age> >= 18 => Yes.\n- No.\n",
        &[
            "exact = \"hey\"\nwhen = { topic = [\"\", \"random\"] }\nanswer_as = \"hello\"",
            "reply_one_of = [{ text = \"Hi!\", weight = 3 }, { text = \"Hello!\", weight = 1 }]",
            "exact = \"sorry\"\nwhen = { topic = \"sorry\" }\nset = { topic = \"random\" }\nreply = \"Good.\"",
            "age = \">= 18\" }\nreply = \"Yes.\"",
        ],
    );
}

#[test]
fn rivescript_previous_is_after_and_the_rest_is_listed() {
    let text = "+ knock knock\n- Who is there?\n\n+ *\n% who is there\n- <sentence> who?\n\n> object add perl\n  return 1;\n< object\n\n+ sum\n- <call>add</call>\n\n+ half\n- <div x=2>Done.\n";
    let imported = made("a.rive", text);
    let found = rules(&imported);
    assert!(
        found.contains("pattern = \"{star}\"\nafter = \"knock-knock\"\nwithin = \"1d\"\n"),
        "{found}"
    );
    assert!(!found.contains("return 1"));
    let reasons = reasons(&imported);
    assert_eq!(reasons, [Reason::Case, Reason::Code, Reason::Code, Reason::Math]);
    assert_eq!((imported.items, imported.lost), (5, 3));
}

#[test]
fn aiml_wildcards_srai_that_topic_and_random_keep_their_meaning() {
    let category = |inside: &str| format!("<category>{inside}</category>\n");
    let text = [
        "<aiml version=\"1.0\">\n".to_owned(),
        category("<pattern>WHAT IS *</pattern><template>No idea what <star/> is.</template>"),
        category("<pattern>WHAT IS TEA</pattern><template>A drink.</template>"),
        category(
            "<pattern>TELL ME ABOUT *</pattern><template><srai>WHAT IS <star/></srai></template>",
        ),
        category("<pattern>DO YOU LIKE TEA</pattern><template>Yes. Do you?</template>"),
        category("<pattern>NO</pattern><that>DO YOU</that><template>A pity.</template>"),
        category(
            "<pattern>HI</pattern><template><random><li>Hello!</li><li>Hi!</li></random></template>",
        ),
        category(
            "<pattern>I AM *</pattern><template><think><set name=\"name\"><star/></set></think>Hi, <get name=\"name\"/>.</template>",
        ),
        "<topic name=\"TEA\">".to_owned(),
        category("<pattern>MORE</pattern><template>Green tea.</template>"),
        "</topic>".to_owned(),
        category(
            "<pattern>MOOD</pattern><template><condition name=\"mood\"><li value=\"bad\">Oh.</li><li>Good.</li></condition></template>",
        ),
        "</aiml>".to_owned(),
    ];
    let text = text.concat();
    has(
        "a.aiml",
        &text,
        &[
            "pattern = \"what is {star}\"\nreply = \"No idea what {star} is.\"",
            "pattern = \"tell me about {star}\"\nanswer_as = \"WHAT IS {star}\"",
            "exact = \"no\"\nafter = \"do-you-like-tea\"\nwithin = \"1d\"\nreply = \"A pity.\"",
            "reply_one_of = [\"Hello!\", \"Hi!\"]",
            "set = { name = \"{star}\" }\nreply = \"Hi, {user.name}.\"",
            "when = { topic = \"tea\" }\nreply = \"Green tea.\"",
            "when = { mood = \"bad\" }\nreply = \"Oh.\"",
        ],
    );
    // The certain sentence is looked at before the one with a wildcard.
    let found = rules(&made("a.aiml", &text));
    assert!(found.find("what is tea") < found.find("what is {star}"), "{found}");
}

#[test]
fn home_assistant_sentences_run_handlers_with_their_slots() {
    let text = "language: en\nlists:\n  name:\n    values:\n      - {in: Lamp, out: Lamp, context: {domain: light}}\n      - {in: Door, out: Door, context: {domain: lock}}\n  level:\n    values:\n      - {in: (max|full), out: 100}\n      - {in: low, out: 10}\n  percent:\n    range: {from: 0, to: 100}\nexpansion_rules:\n  the: (the|my)\n  turn: (turn|switch)\nskip_words:\n  - please\nresponses:\n  intents:\n    HassTurnOn:\n      light: Light is on\nintents:\n  HassTurnOn:\n    data:\n      - sentences:\n          - <turn> on [<the>] {name}\n          - <turn> [<the>] {name} to {percent:brightness}[%| percent]\n        requires_context:\n          domain: light\n        slots:\n          domain: light\n        response: light\n      - sentences: [\"set [<the>] {name} to {level:brightness}\"]\n      - sentences: [\"light here (on;now)\"]\n        requires_context:\n          area:\n            slot: true\n";
    has(
        "a.yaml",
        text,
        &[
            "the = [\"the\", \"my\"]",
            "\"<turn> on [<the>] {name:name}\"",
            "name = [\"Lamp\"]",
            "{brightness:int}[%| percent]",
            "args = { domain = \"light\" }",
            "reply = \"Light is on\"\nrun = \"HassTurnOn\"",
            "to (max|full)\"\nrun = \"HassTurnOn\"\nargs = { brightness = \"100\" }",
            "pattern = \"light here (now on|on now)\"\nwhen = { \"chat.area\" = \"!=\" }",
            "area = \"{chat.area}\"",
            "answer_as = \"{before}{after}\"",
        ],
    );
}

#[test]
fn koishi_rows_keep_probability_and_order() {
    let text = r#"[
      {"id": 1, "question": "签到", "original": "签到", "answer": "$a好$n第二句", "flag": 0, "probS": 1, "probA": 0},
      {"id": 2, "question": "抽", "original": "抽", "answer": "红", "flag": 0, "probS": 0.25, "probA": 0},
      {"id": 3, "question": "抽", "original": "抽", "answer": "黄", "flag": 0, "probS": 0.25, "probA": 0},
      {"id": 4, "question": "^买(.+)", "original": "^买(.+)", "answer": "$1没有了", "flag": 2, "probS": 1},
      {"id": 5, "question": "好", "original": "好", "answer": "嗯", "flag": 0, "probS": 1, "predecessors": ["1"], "successorTimeout": 30000},
      {"id": 6, "question": "算", "original": "算", "answer": "$(calc 1+1)", "flag": 0}
    ]"#;
    has(
        "d.json",
        text,
        &[
            "exact = \"签到\"\nreply_all_of = [\"{at}好\", \"第二句\"]\nid = \"q1\"",
            "exact = \"抽\"\nchance = 0.5\nreply_one_of = [\"红\", \"黄\"]",
            "regex = \"^买(.+)\"\nreply = \"{1}没有了\"",
            "exact = \"好\"\nafter = \"q1\"\nwithin = \"30s\"",
        ],
    );
    assert_eq!(reasons(&made("d.json", text)), [Reason::Code]);
}

#[test]
fn word_banks_and_plugins_are_rules() {
    has(
        "bank.json",
        r#"{"author": ["a"], "data": {"钓鱼": ["(@this)钓到(+:鱼:1)条鱼"], "鱼呢": ["有(#:鱼)条"]}}"#,
        &[
            "exact = \"钓鱼\"\nadd = { \"鱼\" = 1 }\nreply = \"{sender}钓到1条鱼\"",
            "reply = \"有{user.鱼|0}条\"",
        ],
    );
    has(
        "plain.json",
        r#"{"早": ["早安", "早上好"], "晚": "晚安"}"#,
        &["reply_one_of = [\"早安\", \"早上好\"]", "reply = \"晚安\""],
    );
    has(
        "config.json",
        r#"{"keyword": {"价格": "见 https://example.com/a.png"}, "group_welc_fixed_msg": {"群一": "欢迎 {nickname}"}}"#,
        &["exact = \"价格\"", "event = \"join\"\ngroups = \"群一\"", "reply = \"欢迎 {joined}\""],
    );
}

#[test]
fn tables_are_put_beside_the_rules() {
    let imported = made("../faq.csv", "问题,答案\n价格,十元\n地址,北京\n");
    assert_eq!(rules(&imported).trim(), "[[table]]\nfile = \"faq.csv\"");
    assert_eq!(imported.files[1].0, "faq.csv");
    let bank: std::collections::BTreeMap<String, [String; 2]> =
        (0..30).map(|n| (format!("q{n}"), [format!("a{n}"), "b".to_owned()])).collect();
    let imported = made("bank.json", &serde_json::json!(bank).to_string());
    assert_eq!(rules(&imported).trim(), "[[table]]\nfile = \"bank.json\"");
    assert_eq!((imported.items, imported.lost, imported.rules), (30, 0, 1));
    let error = import(&[input("a.csv", "\u{0}\u{1}\u{2}")], None, Lang::En).expect_err("binary");
    assert!(matches!(error, ImportError::Form { .. }), "{error}");
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let text = "! array a = x y\n! var b = 1\n+ (@a) *\n- <star1>\n- <bot b>\n";
    assert_eq!(made("a.rive", text).files, made("a.rive", text).files);
}

#[test]
fn the_comment_at_the_top_cannot_be_left() {
    let name = "a\n[[rule]]\nexact = \"x\"\nreply = \"y\"\n.rive";
    let imported =
        import(&[input(name, "+ a\n- b\n+ c\n- <call>\n")], Some(Kind::Rivescript), Lang::Zh);
    let imported = imported.expect("imported");
    assert_eq!(imported.rules, 1);
    assert!(!rules(&imported).contains("\"y\""));
}

#[test]
fn bad_files_are_refused_with_their_place() {
    let deep_xml = format!("<aiml>{}", "<a>".repeat(10_000));
    let deep_json = "[".repeat(100_000);
    let deep_yaml = format!("conversations: {}", "[".repeat(10_000));
    let aliases = "a: &a [x, x]\nconversations: [*a, *a]\n";
    let entities = "<!DOCTYPE aiml [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><aiml>&b;</aiml>";
    for (name, text, words) in [
        ("a.aiml", deep_xml.as_str(), "deep"),
        ("a.aiml", entities, "entities"),
        ("a.aiml", "<aiml></aiml>", "nothing to import"),
        ("a.json", &deep_json, "not JSON"),
        ("a.json", "{\"a\":", "a.json:1"),
        ("a.yml", &deep_yaml, "recursion limit"),
        ("a.yml", aliases, "aliases"),
        ("a.yml", "x: 1\n", "not known"),
        ("a.toml", "", "not known"),
        ("a.rive", "", "nothing to import"),
    ] {
        let error = import(&[input(name, text)], None, Lang::En).expect_err(name);
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
    let binary = Input { name: "a.rive".into(), bytes: vec![0xff, 0xfe, 0x00, 0x80], found: false };
    let error = import(&[binary], None, Lang::En).expect_err("binary");
    assert!(matches!(error, ImportError::NotUtf8 { .. }), "{error}");
    for (text, encoding) in
        [("+ 你好\n- 您好，請問\n", "Big5"), ("+ 你好\n- 您好，请问\n", "GB18030")]
    {
        let label = encoding_rs::Encoding::for_label(encoding.as_bytes()).expect("known");
        let bytes = label.encode(text).0.into_owned();
        let old = Input { name: "a.rive".into(), bytes, found: false };
        let error = import(&[old], None, Lang::En).expect_err(encoding).to_string();
        assert!(error.contains(&format!("`iconv -f {encoding} -t UTF-8`")), "{error}");
    }
}

#[test]
fn files_are_read_within_limits() {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("b.rive"), "+ a\n- b\n").expect("written");
    std::fs::write(path("a.rive"), "+ c\n- d\n").expect("written");
    std::fs::write(path("notes.txt"), "not for import").expect("written");
    let limits = Limits { file: 100, total: 1_000, files: 10 };
    let names: Vec<String> = read_inputs(&[folder.path().to_owned()], limits)
        .expect("read")
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["a.rive", "b.rive"]);
    let refused = |limits| read_inputs(&[folder.path().to_owned()], limits).expect_err("too much");
    assert!(matches!(refused(Limits { file: 5, ..limits }), ImportError::Read { .. }));
    assert!(matches!(refused(Limits { total: 9, ..limits }), ImportError::TooMuch { .. }));
    assert!(matches!(refused(Limits { files: 1, ..limits }), ImportError::TooMuch { .. }));
    assert!(matches!(read_inputs(&[path("missing.rive")], limits), Err(ImportError::Read { .. })));
}

/// Rules that `check` refuses do not come out, and those that follow them neither.
#[test]
fn a_rule_that_cannot_load_is_listed() {
    let text = "+ a\n@ b\n\n+ b\n@ a\n\n+ c\n- d\n";
    let imported = made("a.rive", text);
    assert_eq!(imported.rules, 1);
    assert!(reasons(&imported).iter().all(|reason| *reason == Reason::Loop));
}

/// The result for a file that was given by name, of a kind that was given.
fn made_as(name: &str, text: &str, kind: Kind) -> Result<Imported, ImportError> {
    import(&[input(name, text)], Some(kind), Lang::En)
}

#[test]
fn a_word_bank_in_a_text_file_becomes_a_table_of_json() {
    let pairs: Vec<String> = (0..30).map(|n| format!("\"问{n}\": \"答{n}\"")).collect();
    let bank = format!("{{{}}}", pairs.join(", "));
    let imported = made_as("bank.txt", &bank, Kind::WordBank).expect("imported");
    assert_eq!(imported.files[1].0, "bank.json");
    assert_eq!((imported.items, imported.lost, imported.rules), (30, 0, 1));
}

#[test]
fn parts_are_counted_one_by_one_wherever_they_are() {
    let empty: Vec<String> = (0..10).map(|n| format!("\"q{n}\":[]")).collect();
    let imported = made("bank.json", &format!("{{{},\"a\":[\"x\"]}}", empty.join(",")));
    assert_eq!((imported.items, imported.lost), (11, 10));
    let imported = made("faq.csv", "question,answer\nhi,ho\nalone,\n");
    assert_eq!((imported.items, imported.lost), (1, 0));
    let long = format!("{}.json", "l".repeat(90));
    let imported =
        made_as(&long, "[{\"q\": \"hi\", \"a\": \"ho\"}]", Kind::Table).expect("imported");
    assert_eq!((imported.items, imported.files[1].0.ends_with("l.json")), (1, true));
}

#[test]
fn an_import_without_a_rule_fails_and_says_why() {
    let aiml =
        "<aiml>\n<category><pattern>HI</pattern><template>a</b></template></category></aiml>";
    let failed = made_as("a.aiml", aiml, Kind::Aiml).expect_err("no rule");
    let said = failed.to_string();
    assert!(said.starts_with("nothing could be imported: a.aiml:2: not well-formed"), "{said}");
    let failed = import(&[], None, Lang::En).expect_err("no file").to_string();
    assert_eq!(failed, "nothing to import: no question or rule in these files");
}

#[test]
fn the_lost_end_of_an_aiml_file_is_listed() {
    let whole = "<aiml>\n<category><pattern>HI</pattern><template>a</template></category>\n";
    let cut = format!("{whole}<category><pattern>YO</pattern><template>b</template>");
    let imported = made("a.aiml", &cut);
    assert_eq!((imported.items, imported.lost, imported.rules > 0), (2, 1, true));
    assert_eq!((imported.remarks[0].reason, imported.remarks[0].line()), (Reason::Unreadable, 3));
}

#[test]
fn aiml_spellings_that_no_pattern_can_notice_are_not_written() {
    let of = |pattern: &str| {
        let text = format!(
            "<aiml><category><pattern>{pattern}</pattern><template><random><li>a</li><li>b</li></random></template>\
             </category></aiml>"
        );
        rules(&made("a.aiml", &text)).to_owned()
    };
    assert_eq!(of("HELLO").matches("[[rule]]").count(), 1, "{}", of("HELLO"));
    let (comma, what, not) = ("{before} {after}", "{word} is", "{word} not");
    for (pattern, expected) in [
        ("GOOD DAY", [true, false, false]),
        ("WHAT IS UP", [true, true, false]),
        ("DO NOT", [true, false, true]),
        ("HELLO *", [true, true, true]),
        ("IS", [false, true, false]),
    ] {
        let text = of(pattern);
        assert_eq!([comma, what, not].map(|form| text.contains(form)), expected, "{text}");
    }
}

#[test]
fn aiml_patterns_are_compared_without_punctuation() {
    let text = "<aiml><category><pattern>DON'T GO, PLEASE.</pattern><template>ok</template></category></aiml>";
    has("a.aiml", text, &["exact = \"do not go please\""]);
}

#[test]
fn koishi_lists_are_read_as_a_database_stores_them() {
    let text = r#"[{"id":1,"flag":0,"question":"a","answer":"x","groups":"","predecessors":""},
        {"id":2,"flag":0,"question":"c","answer":"z","predecessors":""},
        {"id":3,"flag":0,"question":"b","answer":"y","predecessors":"1,2"}]"#;
    let imported = made("d.json", text);
    assert_eq!((imported.items, imported.lost), (3, 0));
    assert!(rules(&imported).contains("after = [\"q1\", \"q2\"]"), "{}", rules(&imported));
}

#[test]
fn a_folder_is_searched_for_every_kind_of_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write("keyword/config.json", r#"{"keyword": {"hi": "ho"}}"#);
    write("banwords/banwords.txt", "spam\n");
    write(
        "alice.xml",
        "<aiml><category><pattern>HI</pattern><template>a</template></category></aiml>",
    );
    std::fs::write(folder.path().join("feed.xml"), [0xff, 0xfe, 0x3c]).expect("written");
    let inputs = read_inputs(&[folder.path().to_owned()], Limits::default()).expect("read");
    let plugins = import(&inputs, Some(Kind::CowAgent), Lang::En).expect("imported");
    assert!(rules(&plugins).contains("keyword = \"spam\"\nsilent = true"), "{}", rules(&plugins));
    let all = import(&inputs, None, Lang::En).expect("imported");
    assert_eq!(all.kinds.keys().copied().collect::<Vec<_>>(), [Kind::CowAgent, Kind::Aiml]);
}

#[test]
fn rivescript_that_costs_too_much_ends() {
    let deep = format!(
        "+ hi\n- {}x{}\n\n+ ho\n- y\n",
        "{random}<star>|".repeat(5_000),
        "{/random}".repeat(5_000)
    );
    let imported = made("a.rive", &deep);
    assert_eq!((imported.items, imported.lost), (2, 1));
    let imported = made("a.rive", "! sub = x\n\n+ it's you\n- y\n");
    assert_eq!((imported.items, imported.rules), (2, 1));
}

#[test]
fn a_key_that_a_later_one_replaces_is_named_with_its_line() {
    let bank = "{\n \"你好\": \"一\",\n \"b\": \"c\",\n \"\\u4f60好\": [\"二\"]\n}";
    let plugin = "{\"keyword\": {\n\"你好\": \"一\",\n\"你好\": \"二\"}, \"x\": {\"keyword\": {}}}";
    for (kind, text, loser) in [(Kind::WordBank, bank, 2), (Kind::CowAgent, plugin, 2)] {
        let imported = import(&[input("a.json", text)], Some(kind), Lang::En).expect("imported");
        let replaced: Vec<_> =
            imported.remarks.iter().filter(|one| one.reason == Reason::Replaced).collect();
        let [one] = replaced[..] else { panic!("{:?}", imported.remarks) };
        assert_eq!((one.line(), one.subject.as_str()), (loser, "你好"));
        assert!(rules(&imported).contains("exact = \"你好\"\nreply = \"二\""));
    }
}

#[test]
fn keys_of_json_keep_the_order_and_the_lines_of_the_file() {
    let bank = "{\n\"b\": [\"1\"],\n\"c\": \"\",\n\"a\": [\"2\"]\n}";
    let imported = import(&[input("a.json", bank)], Some(Kind::WordBank), Lang::En).expect("made");
    let found = rules(&imported);
    assert!(found.find("exact = \"b\"") < found.find("exact = \"a\""), "{found}");
    let lost = imported.remarks.iter().find(|one| one.reason == Reason::Empty).expect("a loss");
    assert_eq!((lost.line(), lost.subject.as_str()), (3, "c"));
}

#[test]
fn lines_are_found_though_characters_are_escaped() {
    // As Python writes JSON.
    let text = "{\n\"keyword\": {\n\"\\u4f60\\u597d\": \"\\u55e8\",\n\"\\u518d\\u89c1\": \"\"}}";
    let imported = made("config.json", text);
    let lost = imported.remarks.iter().find(|one| one.reason == Reason::Empty).expect("a loss");
    assert_eq!((lost.line(), lost.subject.as_str()), (4, "再见"));
}

/// How long an import may take that is linear in the file.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(60);

#[test]
fn large_files_are_imported() {
    const ROWS: usize = 30_000;
    let escaped = |n: usize| format!("\\u95ee{n}");
    let bank = (0..ROWS).map(|n| format!("\"{}\": \"a\"", escaped(n))).collect::<Vec<_>>();
    let dialogue =
        |n| format!("{{\"original\": \"{}\", \"answer\": \"a\", \"flag\": 0}}", escaped(n));
    let rows = (0..ROWS).map(dialogue).collect::<Vec<_>>();
    for (kind, text) in [
        (Kind::WordBank, format!("{{{}}}", bank.join(",\n"))),
        (Kind::Koishi, format!("[{}]", rows.join(",\n"))),
    ] {
        let (done, result) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let imported = import(&[input("a.json", &text)], Some(kind), Lang::En);
            done.send(imported.expect("imported").items).expect("the test waits");
        });
        assert_eq!(result.recv_timeout(LONGEST).expect("the import ends"), ROWS);
    }
}
