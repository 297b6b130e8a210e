//! `[[table]]`: how files are read as questions and answers, and which row answers.

use std::path::Path;

use mynah_core::{
    Action, Chat, Content, Event, EventBody, Message, NoState, Origin, Person, Random, Segment,
    Step, Timestamp,
};
use mynah_rules::{Disk, Lang, LoadOptions, Loaded, Moment, RuleBook, load};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn loaded(folder: &Path, rules: &str) -> Loaded {
    let main = folder.join("bot.toml");
    std::fs::write(&main, rules).expect("written");
    load(&main, &Disk, &LoadOptions::default())
}

/// The first lines of all diagnostics, in English.
fn said(loaded: &Loaded) -> Vec<String> {
    let shown = loaded.diagnostics.iter().map(|one| one.render(&loaded.sources, Lang::En, false));
    shown.map(|text| text.lines().next().unwrap_or_default().to_owned()).collect()
}

/// The rules of a file beside a table `faq.csv`.
fn book(table: &str, rules: &str) -> std::sync::Arc<RuleBook> {
    let folder = folder(&[("faq.csv", table), ("menu.png", "x"), ("menu.pdf", "x")]);
    let loaded = loaded(folder.path(), rules);
    let diagnostics = said(&loaded);
    loaded.book.unwrap_or_else(|| panic!("{diagnostics:#?}"))
}

fn event(chat: Chat, text: &str, seed: u64) -> Event {
    let message = Message {
        id: "m".into(),
        called: !chat.is_group(),
        chat,
        sender: Person::stranger("p", "Pat"),
        origin: Origin::Person,
        content: Content::text(text),
        text: text.to_owned(),
        behind_name: None,
    };
    Event {
        id: format!("e{seed}").into(),
        time: Timestamp::from_secs(0),
        body: EventBody::Message(message),
    }
}

/// The row that answers, and its messages.
fn answer_in(book: &RuleBook, chat: Chat, text: &str, seed: u64) -> (String, Vec<String>) {
    let event = event(chat, text, seed);
    let at = Moment { random: Random::of(seed, &event.id), ..Moment::at(Timestamp::from_secs(0)) };
    let decision = book.decide(&event, &NoState, &at);
    assert_eq!(book.explain(&event, &NoState, &at, &mut Vec::new()), decision, "{text}");
    let texts = decision.steps.iter().filter_map(|step| match step {
        Step::Act(planned) => match &planned.action {
            Action::Send { content } => Some(
                content
                    .0
                    .iter()
                    .map(|segment| match segment {
                        Segment::Text { text } => text.clone(),
                        Segment::Image(_) => "[image]".to_owned(),
                        Segment::File(_) => "[file]".to_owned(),
                        other => format!("{other:?}"),
                    })
                    .collect(),
            ),
            _ => None,
        },
        Step::Run(_) => None,
    });
    let rule = decision.rule.as_ref().map_or(String::new(), |rule| rule.id.to_string());
    (rule, texts.collect())
}

fn answer(book: &RuleBook, text: &str) -> String {
    let (rule, texts) = answer_in(book, Chat::private("p", "Pat"), text, 0);
    format!("{rule} {}", texts.join(" + "))
}

const TABLE: &str = "[[table]]\nfile = \"faq.csv\"\n";

#[test]
fn usual_tables_work_without_a_word_about_their_columns() {
    for (table, row) in [
        ("怎么退货,7 天内\n", 1),
        ("问题,答案\n怎么退货,7 天内\n", 2),
        ("分类,答案,问题\n售后,7 天内,怎么退货\n", 2),
        ("Question,Answer\n怎么退货,7 天内\n", 2),
        ("問題,回覆\n怎么退货,7 天内\n", 2),
        ("關鍵字,回答內容,答案\n怎么退货,x,7 天内\n", 2),
        ("\n\n问题,答案\n\n怎么退货,7 天内\n", 5),
    ] {
        let book = book(table, TABLE);
        assert_eq!(answer(&book, "怎么退货？"), format!("faq.csv:{row} 7 天内"), "{table}");
        assert_eq!(answer(&book, "答案"), " ", "{table}");
    }
}

#[test]
fn columns_are_named_by_header_or_number() {
    let table = "编号,客户问,客服答\n1,怎么退货,7 天内\n";
    for columns in ["question = \"客户问\"\nreply = \"客服答\"", "question = 2\nreply = 3"] {
        let book = book(table, &format!("{TABLE}{columns}\n"));
        assert_eq!(answer(&book, "怎么退货"), "faq.csv:2 7 天内");
    }
    let by_number = book("1,怎么退货,7 天内\n", &format!("{TABLE}question = 2\nreply = 3\n"));
    assert_eq!(answer(&by_number, "怎么退货"), "faq.csv:1 7 天内");
    let folder = folder(&[("faq.csv", table)]);
    let wrong = loaded(folder.path(), &format!("{TABLE}question = \"客户\"\nreply = 0\n"));
    assert_eq!(
        said(&wrong),
        [
            "bot.toml:3:12: error[table]: no column is called \"客户\"",
            "bot.toml:4:9: error[table]: reply = 0 is not a column: columns are 1 to 1024",
        ]
    );
}

#[test]
fn titles_above_the_header_are_skipped() {
    for (table, columns, row) in [
        ("客服问答表,\n\n问题,答案\n怎么退货,7 天内\n", "", 4),
        ("FAQ\n2026\nanswer,question\n7 天内,怎么退货\n", "", 4),
        (
            "FAQ,\n1,客户问,客服答\n2,怎么退货,7 天内\n",
            "question = \"客户问\"\nreply = \"客服答\"\n",
            3,
        ),
        ("FAQ\nx,问题,回复\n2,怎么退货,7 天内\n", "question = 2\nreply = 3\n", 3),
    ] {
        let book = book(table, &format!("{TABLE}{columns}"));
        assert_eq!(answer(&book, "怎么退货"), format!("faq.csv:{row} 7 天内"), "{table}");
        assert_eq!(answer(&book, "问题"), " ", "{table}");
    }
    let folder = folder(&[("faq.csv", "客服\n问题,答案\n怎么退货,7 天内\n")]);
    let read = said(&loaded(folder.path(), TABLE)).concat();
    assert!(read.contains("1 row with answers; row 2 is the header, below a title; "), "{read}");
    // Rows with two cells are questions.
    let plain = book("你好,在\n问题,答案\n", TABLE);
    assert_eq!(answer(&plain, "你好"), "faq.csv:1 在");
    assert_eq!(answer(&plain, "问题"), "faq.csv:2 答案");
}

/// A ZIP archive of these parts, not compressed.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    let u32_of = |number: usize| u32::try_from(number).expect("small").to_le_bytes();
    let u16_of = |number: usize| u16::try_from(number).expect("small").to_le_bytes();
    for (name, text) in parts {
        let size = u32_of(text.len());
        let fixed: [&[u8]; 5] = [&[20, 0], &[0; 12], &size, &size, &u16_of(name.len())];
        let fixed = [&fixed.concat()[..], &[0, 0]].concat();
        let offset = u32_of(bytes.len());
        let entry: [&[u8]; 5] = [b"PK\x01\x02\x14\x00", &fixed, &[0; 10], &offset, name.as_bytes()];
        list.extend(entry.concat());
        let part: [&[u8]; 4] = [b"PK\x03\x04", &fixed, name.as_bytes(), text.as_bytes()];
        bytes.extend(part.concat());
    }
    let (count, begin) = (u16_of(parts.len()), u32_of(bytes.len()));
    let end: [&[u8]; 6] =
        [b"PK\x05\x06\x00\x00\x00\x00", &count, &count, &u32_of(list.len()), &begin, &[0, 0]];
    bytes.extend(list.iter().chain(&end.concat()));
    bytes
}

#[test]
fn a_formula_without_a_value_is_reported_as_such() {
    let text = |text: &str| format!("<c t='inlineStr'><is><t>{text}</t></is></c>");
    let formula = "<c><f>A1</f><v></v></c>";
    let rows = [
        [text("问题"), text("答案")],
        [text("退货"), formula.to_owned()],
        [formula.to_owned(), formula.to_owned()],
        [text("发票"), text("可以")],
    ];
    let rows = rows.map(|cells| format!("<row>{}</row>", cells.concat())).concat();
    let folder = folder(&[]);
    let parts = [
        (
            "xl/workbook.xml",
            "<workbook xmlns:r='r'><sheets><sheet name='A' r:id='r1'/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='sheet.xml'/></Relationships>",
        ),
        ("xl/sheet.xml", &*format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")),
    ];
    std::fs::write(folder.path().join("faq.xlsx"), archive(&parts)).expect("written");
    let loaded = loaded(folder.path(), "[[table]]\nfile = \"faq.xlsx\"\n");
    let said = said(&loaded);
    let row = |row: u32, column: &str| {
        format!(
            "bot.toml:2:8: warning[table]: faq.xlsx:{row}, column {column}: the formula has no value yet; the row is left out"
        )
    };
    assert_eq!(said[..2], [row(2, "B (答案)"), row(3, "A (问题)")], "{said:#?}");
    assert_eq!(answer(&loaded.book.expect("a book"), "发票"), "faq.xlsx:4 可以");
}

#[test]
fn columns_that_cannot_be_meant_are_reported() {
    let folder = folder(&[("faq.csv", "问题,答案\n怎么退货,7 天内\n")]);
    for (columns, expected) in [
        (
            "image = 3\n",
            "bot.toml:3:1: warning[table]: image is column C, which is empty: the last one with text is B",
        ),
        ("groups = \"答案\"\n", "bot.toml:3:1: error[table]: groups and reply are the same column"),
        ("image = 1\n", "bot.toml:3:1: error[table]: image and question are the same column"),
        ("sheet = \"x\"\n", "bot.toml:3:9: warning[table]: the file has no sheets"),
    ] {
        let said = said(&loaded(folder.path(), &format!("{TABLE}{columns}")));
        assert!(said.contains(&expected.to_owned()), "{said:#?}");
    }
    let read = said(&loaded(folder.path(), &format!("{TABLE}question = 1\nreply = 2\n")));
    assert!(read.iter().all(|line| line.contains("note[table-read]")), "{read:#?}");
}

#[test]
fn cells_are_literal_and_hold_several_questions() {
    let table = "退货|怎么退 | ,7 天 {sender}\n\"发票\n开票\",<x> *\nthank*,ok\n";
    let exact = book(table, TABLE);
    assert_eq!(answer(&exact, "怎么退！"), "faq.csv:1 7 天 {sender}");
    assert_eq!(answer(&exact, "开票"), "faq.csv:2 <x> *");
    assert_eq!(answer(&exact, "退货|怎么退"), " ");
    let keyword = book(table, &format!("{TABLE}match = \"keyword\"\n"));
    assert_eq!(answer(&keyword, "many thanks"), " ");
    assert_eq!(answer(&keyword, "say thank* to"), "faq.csv:3 ok");
    let templates = book(table, &format!("{TABLE}templates = true\n"));
    assert_eq!(answer(&templates, "退货"), "faq.csv:1 7 天 Pat");
}

#[test]
fn the_longest_item_of_a_table_answers_and_then_the_upper_row() {
    let table = "发票,1\n开发票,2\n开发,3\n怎么开发票,4\n抬头,5\n税号,6\n";
    let book = book(table, &format!("{TABLE}match = \"keyword\"\n"));
    assert_eq!(answer(&book, "请问怎么开发票呢"), "faq.csv:4 4");
    assert_eq!(answer(&book, "能开发票吗"), "faq.csv:2 2");
    assert_eq!(answer(&book, "税号和抬头"), "faq.csv:5 5");
}

#[test]
fn of_patterns_the_most_fixed_characters_answer() {
    let table = "{x}天气,1\n{city}今天天气,{city}\n[请问]{x}气[如何],3\n";
    let rules = format!(
        "{TABLE}match = \"pattern\"\ntemplates = true\nset = {{ \"chat.city\" = \"{{city|none}}\" }}\n"
    );
    let book = book(table, &rules);
    assert_eq!(answer(&book, "北京今天天气"), "faq.csv:2 北京");
    assert_eq!(answer(&book, "北京天气"), "faq.csv:1 1");
    assert_eq!(answer(&book, "北京空气"), "faq.csv:3 3");
}

#[test]
fn of_similar_questions_the_nearest_answers() {
    let table = "怎么退货,1\n怎么退货款,2\n能开发票吗,3\n";
    let book = book(table, &format!("{TABLE}match = \"similar\"\n"));
    assert_eq!(answer(&book, "怎么退货款啊"), "faq.csv:2 2");
    assert_eq!(answer(&book, "怎么退货啊"), "faq.csv:1 1");
    assert_eq!(answer(&book, "不能开发票吗"), " ");
}

#[test]
fn one_of_the_rows_of_a_question_answers_at_random() {
    let book =
        book("你好,a\n再见,x\n你好！,b\n 你好 ,c\n", &format!("{TABLE}match = \"keyword\"\n"));
    let answers: std::collections::BTreeSet<_> =
        (0..60).map(|seed| answer_in(&book, Chat::private("p", "Pat"), "你好", seed).0).collect();
    assert_eq!(answers.into_iter().collect::<Vec<_>>(), ["faq.csv:1", "faq.csv:4"]);
}

#[test]
fn rows_of_other_groups_are_not_there() {
    let table = "问题,答案,群\n发票,all,\n怎么开发票,vip,客户*|内部群\n";
    let rules = format!("{TABLE}match = \"keyword\"\ngroups = \"群\"\n");
    let book = book(table, &rules);
    for (chat, row) in [
        (Chat::group("1", "客户一群"), 3),
        (Chat::group("2", "内部群"), 3),
        (Chat::group("3", "别的群"), 2),
        (Chat::private("4", "客户"), 2),
    ] {
        let (rule, _) = answer_in(&book, chat.clone(), "怎么开发票", 0);
        assert_eq!(rule, format!("faq.csv:{row}"), "{}", chat.name);
    }
}

#[test]
fn rules_and_tables_are_asked_in_the_order_of_the_file() {
    let table = "退货,table\n";
    let rule = "[[rule]]\nexact = \"退货\"\nreply = \"rule\"\n";
    assert_eq!(answer(&book(table, &format!("{rule}{TABLE}")), "退货"), "bot.toml:1 rule");
    assert_eq!(answer(&book(table, &format!("{TABLE}{rule}")), "退货"), "faq.csv:1 table");
    let first = format!("{rule}{TABLE}priority = 1\n");
    assert_eq!(answer(&book(table, &first), "退货"), "faq.csv:1 table");
    let both = format!("{TABLE}continue = true\n{rule}");
    assert_eq!(answer(&book(table, &both), "退货"), "faq.csv:1 table + rule");
}

#[test]
fn a_row_has_pictures_and_files_beside_its_text() {
    let table = "问题,答案,图片,附件\n菜单,看图,menu.png,menu.pdf\n图,,menu.png,\n";
    let book = book(table, &format!("{TABLE}image = \"图片\"\nattachment = \"附件\"\n"));
    assert_eq!(answer(&book, "菜单"), "faq.csv:2 看图 + [image] + [file]");
    assert_eq!(answer(&book, "图"), "faq.csv:3 [image]");
}

#[test]
fn mistakes_come_with_row_and_column_ten_of_a_kind() {
    let mut table =
        "问题,答案,图片\n只有问题,,\n,只有答案,\n坏,#REF!,\n图,看图,none.png\n好,好,\n".to_owned();
    table.extend((0..13).map(|n| format!("没有答案{n},,\n")));
    let folder = folder(&[("faq.csv", &table)]);
    let loaded = loaded(folder.path(), &format!("{TABLE}image = \"图片\"\n"));
    let said = said(&loaded);
    let at = "bot.toml:2:8:";
    for expected in [
        "error[table]: faq.csv:5, column C (图片): none.png not found next to bot.toml",
        "warning[table]: faq.csv:2, column B (答案): a question without an answer; the row is left out",
        "warning[table]: faq.csv:3, column A (问题): an answer without a question; the row is left out",
        "warning[table]: faq.csv:4, column B (答案): the spreadsheet shows the fault #REF!; the row is left out",
        "warning[table]: and 4 more: questions without an answer",
    ] {
        assert!(said.contains(&format!("{at} {expected}")), "{expected}: {said:#?}");
    }
    assert_eq!(said.iter().filter(|line| line.contains("without an answer; ")).count(), 10);
}

#[test]
fn a_table_that_cannot_be_read_is_an_error_and_is_watched() {
    for (text, expected) in [
        (None, "error[file]: faq.csv not found next to bot.toml"),
        (Some("%PDF-1"), "error[table]: faq.csv cannot be read as a table: it is PDF"),
        (Some(""), "error[table]: faq.csv cannot be read as a table: it is empty"),
        (Some("问题,答案\n"), "error[table]: faq.csv has no row with a question and an answer"),
    ] {
        let files: Vec<_> = text.map(|text| ("faq.csv", text)).into_iter().collect();
        let folder = folder(&files);
        let loaded = loaded(folder.path(), TABLE);
        assert_eq!(said(&loaded), [format!("bot.toml:2:8: {expected}")]);
        assert!(loaded.book.is_none());
        assert!(loaded.sources.files().any(|(name, _)| name == "faq.csv"));
    }
}

#[test]
fn how_a_table_was_read_is_noted() {
    let folder = folder(&[("faq.csv", "问题;答案\n退货;7 天\n")]);
    let loaded = loaded(folder.path(), TABLE);
    let note = "bot.toml:2:8: note[table-read]: faq.csv: 1 row with answers; row 1 is the header; \
        question = A (问题), reply = B (答案); read as UTF-8 text with `;` between cells";
    assert_eq!(said(&loaded), [note]);
}

/// The names of the state that an answer changes, and their values.
fn writes(book: &RuleBook, text: &str) -> Vec<(String, String)> {
    let event = event(Chat::private("p", "Pat"), text, 0);
    let decision = book.decide(&event, &NoState, &Moment::at(Timestamp::from_secs(0)));
    let writes = decision.writes.iter();
    writes.map(|write| (write.key.clone(), format!("{:?}", write.change))).collect()
}

#[test]
fn clocks_run_for_a_question_wherever_its_row_is() {
    let rules =
        format!("{TABLE}id = \"faq\"\ncooldown = \"1m\"\nlimit = {{ chat = 5, per = \"day\" }}\n");
    let keys = |table: &str, text: &str| -> Vec<String> {
        writes(&book(table, &rules), text).into_iter().map(|(key, _)| key).collect()
    };
    let before = keys("退货,1\n发票,2\n", "退货");
    assert!(before[0].starts_with("cooldown:faq/"), "{before:?}");
    assert!(before[1].starts_with("limit:faq:"), "{before:?}");
    assert_eq!(keys("新的,0\n\n发票,2\n 退货！,changed\n退货,1\n", "退货"), before);
    let other = keys("退货,1\n发票,2\n", "发票");
    assert_ne!(other[0], before[0]);
    assert_eq!(other[1], before[1]);
}

#[test]
fn rules_ask_after_the_id_of_a_table() {
    let rules = format!(
        "{TABLE}id = \"faq\"\n[[rule]]\nexact = \"谢谢\"\nafter = \"faq\"\nreply = \"不客气\"\n"
    );
    let written = writes(&book("退货,1\n", &rules), "退货");
    assert!(
        written.iter().any(|(key, value)| key == "after" && value.contains("faq")),
        "{written:?}"
    );
}

/// The lines about rules and rows that never answer.
fn never(table: &str, rules: &str) -> Vec<String> {
    let folder = folder(&[("faq.csv", table)]);
    let loaded = loaded(folder.path(), rules);
    let lines = said(&loaded).into_iter();
    lines.filter(|line| line.contains("never-fires") || line.contains("duplicate")).collect()
}

#[test]
fn rows_and_rules_that_an_earlier_one_always_answers_are_found() {
    let table = "怎么退货,1\n退货|退款,2\n发票,3\n";
    let rule = "[[rule]]\nkeyword = \"退货\"\nreply = \"x\"\n";
    let keyword = "match = \"keyword\"\n";
    assert_eq!(
        never(table, &format!("{rule}{TABLE}")),
        [
            "bot.toml:4:1: warning[never-fires]: faq.csv:1 never answers: line 1 always answers first: its keyword \"退货\" is inside \"怎么退货\""
        ]
    );
    let all = "[[rule]]\nkeyword = [\"退\", \"票\"]\nreply = \"x\"\n";
    assert_eq!(never(table, &format!("{all}{TABLE}{keyword}")).len(), 1);
    let later = "[[rule]]\nexact = \"怎么退货啊\"\nreply = \"x\"\n";
    assert_eq!(
        never(table, &format!("{TABLE}{keyword}{later}")),
        [
            "bot.toml:4:1: warning[never-fires]: line 1 always answers first: its keyword \"怎么退货\" is inside \"怎么退货啊\""
        ]
    );
}

#[test]
fn no_row_or_rule_that_can_answer_is_said_to_be_shadowed() {
    let rule = "[[rule]]\nkeyword = \"退货\"\nreply = \"x\"\n";
    let keyword = "match = \"keyword\"\n";
    let star = "[[rule]]\nkeyword = \"thanks\"\nreply = \"x\"\n";
    for (table, rules) in [
        // The table asks for the whole text, the rule for a part.
        ("退货,1\n", format!("{TABLE}{rule}")),
        // Only in some groups.
        ("问题,答案,群\n退货,1,客户群\n", format!("{TABLE}{keyword}groups = \"群\"\n{rule}")),
        // The rule comes later, goes on, or is for other chats.
        (
            "退货,1\n",
            format!("{TABLE}{keyword}priority = 1\n[[rule]]\nkeyword = \"货\"\nreply = \"x\"\n"),
        ),
        ("退货,1\n", format!("{rule}continue = true\n{TABLE}")),
        ("退货,1\n", format!("{rule}in = \"private\"\n{TABLE}")),
        // A star is text in a cell.
        ("thank*,1\n", format!("{TABLE}{keyword}{star}")),
        ("thank*,1\n", format!("{star}{TABLE}{keyword}")),
        // Nearness is not implied by anything.
        ("退货,1\n", format!("{TABLE}match = \"similar\"\n{rule}")),
        ("退货,1\n", format!("{rule}{TABLE}match = \"similar\"\n")),
        // Conditions beside the questions.
        ("退货,1\n", format!("{TABLE}{keyword}chance = 0.5\n{rule}")),
    ] {
        assert_eq!(never(table, &rules), [""; 0], "{table} {rules}");
    }
}

/// The questions of the rows near to a message of Pat in a chat.
fn near(book: &RuleBook, chat: Chat, text: &str, most: usize) -> Vec<String> {
    let event = event(chat, text, 0);
    let at = Moment::at(Timestamp::from_secs(0));
    let ids = ["faq".to_owned(), "no table".to_owned()];
    let rows = book.nearest_rows(&event, &NoState, &at, &ids, most);
    rows.into_iter().map(|row| format!("{}={}", row.question, row.reply)).collect()
}

#[test]
fn the_nearest_rows_of_a_table_are_found_whatever_its_match() {
    let rows = "怎么退货,7 天\n怎么退款,3 天\n营业时间,九点\n发票,开\n退,\n";
    for matching in ["", "match = \"keyword\"\n", "match = \"pattern\"\n", "match = \"similar\"\n"]
    {
        let book = book(rows, &format!("{TABLE}id = \"faq\"\n{matching}"));
        assert_eq!(book.table_ids().collect::<Vec<_>>(), ["faq"]);
        let private = || Chat::private("p", "Pat");
        let all = ["怎么退货=7 天", "怎么退款=3 天"];
        assert_eq!(near(&book, private(), "请问我要怎么退货啊", 5), all, "{matching}");
        assert_eq!(near(&book, private(), "请问我要怎么退货啊", 1), all[..1], "{matching}");
        assert_eq!(near(&book, private(), "天气", 5), [""; 0]);
    }
}

/// Rows that a person may not have here are never given, whatever the message.
#[test]
fn rows_stay_in_the_groups_and_with_the_people_of_their_table() {
    let rows = "问题,答案,群\n进货价,5 元,代理*\n零售价,9 元,\n";
    let head = format!("{TABLE}id = \"faq\"\nquestion = \"问题\"\nreply = \"答案\"\n");
    let shop = || Chat::group("s", "客户群");
    let agents = || Chat::group("a", "代理一群");
    let private = || Chat::private("p", "Pat");
    let by_row = format!("{head}groups = \"群\"\n");
    let all = ["进货价=5 元", "零售价=9 元"];
    for (rules, chat, expected) in [
        (by_row.clone(), agents(), &all[..]),
        (by_row.clone(), shop(), &all[1..]),
        (by_row.clone(), private(), &all[1..]),
        (format!("[bot]\ngroups = [\"客户*\"]\n{by_row}"), agents(), &[]),
        (format!("{by_row}in = \"group\"\n"), private(), &[]),
        (format!("{by_row}from = \"Boss\"\n"), agents(), &[]),
        (format!("{by_row}when = {{ \"user.level\" = \"> 3\" }}\n"), agents(), &[]),
        (format!("{by_row}when = {{ \"user.level\" = \"< 3\" }}\n"), agents(), &all[..]),
        (format!("{by_row}off = true\n"), agents(), &[]),
        (
            format!(
                "{by_row}[[rule]]\nid = \"b\"\nkeyword = \"b\"\nreply = \"b\"\n[[group]]\nname = \"代理*\"\nonly = [\"b\"]\n"
            ),
            agents(),
            &[],
        ),
    ] {
        let book = book(rows, &rules);
        assert_eq!(near(&book, chat, "进货价 零售价", 5), expected, "{rules}");
    }
}

#[test]
fn a_table_that_a_handler_asks_for_must_exist() {
    let folder = folder(&[("faq.csv", "a,b\n")]);
    let main = folder.path().join("bot.toml");
    std::fs::write(&main, format!("{TABLE}id = \"faq\"\n")).expect("written");
    let grounds = ["faq", "fag", "prices"].map(|id| ("ai".to_owned(), id.to_owned()));
    let options = LoadOptions { grounds: &grounds, ..LoadOptions::default() };
    let loaded = load(&main, &Disk, &options);
    assert!(loaded.book.is_some());
    let shown = |lang| -> Vec<String> {
        let warnings = loaded.diagnostics.iter().filter(|one| one.code == "unknown-id");
        warnings.map(|one| one.message(lang) + "; " + &one.hint(lang).unwrap_or_default()).collect()
    };
    assert_eq!(
        shown(Lang::En),
        [
            "the handler ai of mynah.toml gets the rows of \"fag\" (ground), and no table has this id; did you mean `faq`?",
            "the handler ai of mynah.toml gets the rows of \"prices\" (ground), and no table has this id; add id = \"prices\" to the [[table]] that is meant",
        ]
    );
    assert_eq!(
        shown(Lang::Zh)[1],
        "mynah.toml 里的处理器 ai 要用 \"prices\" 的行（ground），但没有 id 为 \"prices\" 的表格; 在所指的 [[table]] 里加上 id = \"prices\""
    );
}
