//! Sentences with holes, as people write and type them.

use proptest::prelude::*;

use super::*;
use crate::fold::Folding;

fn captures(pattern: &str, text: &str) -> Option<Vec<(String, String)>> {
    let folding = Folding::new(false, false);
    let matcher = Matcher::new(&Pattern::parse(pattern).expect(pattern), folding);
    matcher.captures(&folding.fold(text)).map(|captures| captures.into_iter().collect())
}

/// A sentence, a text, and what the sentence captures there.
type Case<'c> = (&'c str, &'c str, Option<Vec<(&'c str, &'c str)>>);

fn check(cases: &[Case<'_>]) {
    for (pattern, text, expected) in cases {
        let expected = expected.as_ref().map(|list| {
            list.iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect::<Vec<_>>()
        });
        assert_eq!(captures(pattern, text), expected, "{pattern} on {text}");
    }
}

#[test]
fn sentences_fit_or_do_not() {
    check(&[
        ("天气 {city}", "天气 北京", Some(vec![("city", "北京")])),
        ("天气 {city}", "天气北京", Some(vec![("city", "北京")])),
        ("天气 {city}", "天气　北京！", Some(vec![("city", "北京")])),
        ("天气 {city}", "天气beijing", Some(vec![("city", "beijing")])),
        ("天气 {city}", "天气 New York?", Some(vec![("city", "New York")])),
        ("天气 {city}", "今天天气 北京", None),
        ("天气 {city}", "天气", None),
        ("天气 {city}", "天气 ", None),
        ("天气 {city}", "  天气 北京  ", Some(vec![("city", "北京")])),
        ("天气{city}", "天气 北京", Some(vec![("city", "北京")])),
        ("buy {what}", "buybooks", None),
        ("buy {what}", "BUY Books", Some(vec![("what", "Books")])),
        ("buy {what}", "buy书", Some(vec![("what", "书")])),
        ("退款 {no:int} [谢谢]", "退款 123", Some(vec![("no", "123")])),
        ("退款 {no:int} [谢谢]", "退款１２３谢谢。", Some(vec![("no", "123")])),
        ("退款 {no:int} [谢谢]", "退款 123 谢谢", Some(vec![("no", "123")])),
        ("退款 {no:int} [谢谢]", "退款 12a", None),
        ("退款 {no:int} [谢谢]", "退款 123 456", None),
        ("{n:int}元", "15 元", Some(vec![("n", "15")])),
        ("(买|卖) {what}", "卖 苹果", Some(vec![("what", "苹果")])),
        ("(买|卖) {what}", "吃 苹果", None),
        ("{a} {b}", "北京上海", None),
        ("{a} {b}", "北京 上海 广州", Some(vec![("a", "北京"), ("b", "上海 广州")])),
        ("{a} [的] {b}", "北京上海", None),
        ("{a} [的] {b}", "北京的上海", Some(vec![("a", "北京"), ("b", "上海")])),
        ("{a} [的] {b}", "北京 上海", Some(vec![("a", "北京"), ("b", "上海")])),
        ("从{a}到{b}", "从北京到上海", Some(vec![("a", "北京"), ("b", "上海")])),
        ("从{a}到{b}", "从北京到到", Some(vec![("a", "北京"), ("b", "到")])),
        ("从{a}到{b}", "从到", None),
        ("把 {x} 给 {y}", "把书给我", Some(vec![("x", "书"), ("y", "我")])),
        ("吃了吗？", "吃了吗", Some(vec![])),
        ("吃了吗", "吃了吗？！", Some(vec![])),
        ("说 {x}", "说 ？？", None),
        ("？", "？", Some(vec![])),
        ("a{{b}}", "A{b}", Some(vec![])),
        ("叫我 {name}", "叫我 阿四", Some(vec![("name", "阿四")])),
        ("[请]查 {x}", "请查 a", Some(vec![("x", "a")])),
        ("[please] show {x}", "show it", Some(vec![("x", "it")])),
        ("[please] show {x}", "pleaseshow it", None),
        ("({x}个|一些)苹果", "三个苹果", Some(vec![("x", "三")])),
        ("({x}个|一些)苹果", "一些苹果", Some(vec![])),
        ("{城市}天气", "北京天气", Some(vec![("城市", "北京")])),
    ]);
}

#[test]
fn blanks_signs_and_bars_are_read_as_people_mean_them() {
    check(&[
        // A blank beside Chinese does not count, but between two holes it parts them.
        ("{a} {b}", "我 iPhone 好", Some(vec![("a", "我"), ("b", "iPhone 好")])),
        (" {a} {b}", "  iPhone 好", Some(vec![("a", "iPhone"), ("b", "好")])),
        ("{a} {b}", "我iPhone", None),
        ("打开wifi设置", "打开 WiFi 设置", Some(vec![])),
        ("查第{n:int}节", "查第 5 节", Some(vec![("n", "5")])),
        ("说 {x}", "说 买 iPhone 好", Some(vec![("x", "买 iPhone 好")])),
        ("今天天气", "今天 天气", None),
        // Signs that lead to a value are not part of it.
        ("查快递 {no}", "查快递：123", Some(vec![("no", "123")])),
        ("查快递 {no}", "查快递 = 123", Some(vec![("no", "123")])),
        ("查快递{no:int}", "查快递：123", Some(vec![("no", "123")])),
        ("buy {what}", "buy: books", Some(vec![("what", "books")])),
        ("查快递 {no}", "查快递：", None),
        ("{k}:{v}", "名字：张三", Some(vec![("k", "名字"), ("v", "张三")])),
        ("{k}:{v}", "：张三", None),
        ("温度 {t:number}", "温度-3", Some(vec![("t", "-3")])),
        ("温度 {t:int}", "温度-3", None),
        // Brackets with bars.
        ("[please|can you] ask me", "can you ask me", Some(vec![])),
        ("[please|can you] ask me", "ask me", Some(vec![])),
        ("[please|can you] ask me", "please|can you ask me", None),
        ("a[b|c{x}]", "acd", Some(vec![("x", "d")])),
    ]);
}

#[test]
fn a_number_takes_all_of_its_digits() {
    check(&[
        ("来{n:int}杯", "来两杯", Some(vec![("n", "2")])),
        ("来{n:int}杯", "来二十三杯", Some(vec![("n", "23")])),
        ("来{n:int}杯", "来 1万2 杯", Some(vec![("n", "12000")])),
        ("订单{no:int}", "订单007", Some(vec![("no", "007")])),
        ("{n:int}{what}", "3苹果", Some(vec![("n", "3"), ("what", "苹果")])),
        ("{n:int}{what}", "33苹果", Some(vec![("n", "33"), ("what", "苹果")])),
        ("{what}{n:int}", "苹果33", Some(vec![("n", "33"), ("what", "苹果")])),
        ("{what}{n:int}", "苹果三十", Some(vec![("n", "30"), ("what", "苹果")])),
        ("{n:int}十元", "二十元", Some(vec![("n", "2")])),
        ("{n:int}0", "150", None),
        ("{x:number}元", "1,200元", Some(vec![("x", "1200")])),
        ("{x:number}元", "１．５元", Some(vec![("x", "1.5")])),
        ("{x:int}元", "1.5元", None),
        ("{a:number} {b:number}", "1.5 -2", Some(vec![("a", "1.5"), ("b", "-2")])),
    ]);
}

fn lists() -> Lists {
    let list = |items: &[&str]| Arc::new(List::new(items.iter().map(|item| (*item).to_owned())));
    Lists::from([
        ("city".to_owned(), list(&["北京", "北京西", "New York", "上海"])),
        ("请".to_owned(), list(&["请", "麻烦", "please"])),
    ])
}

#[test]
fn lists_take_their_items_only() {
    for (pattern, text, expected) in [
        ("{city:city}天气", "北京天气", Some(vec![("city", "北京")])),
        ("{city:city}天气", "北京西天气", Some(vec![("city", "北京西")])),
        ("{city:city}西天气", "北京西天气", Some(vec![("city", "北京")])),
        ("{city:city} 天气", "ＮＥＷ york天气", Some(vec![("city", "ＮＥＷ york")])),
        ("{city:city}天气", "广州天气", None),
        ("天气 {city:city}", "天气：上海！", Some(vec![("city", "上海")])),
        ("<请>查{what}", "麻烦查快递", Some(vec![("what", "快递")])),
        ("[<请>]查{what}", "查快递", Some(vec![("what", "快递")])),
        ("<请> show {what}", "please show it", Some(vec![("what", "it")])),
        ("<请> show {what}", "pleaseshow it", None),
        ("{room:客厅|卧室}{what}", "客厅灯", Some(vec![("room", "客厅"), ("what", "灯")])),
        ("{n:int}{unit:个|箱}", "三个", Some(vec![("n", "3"), ("unit", "个")])),
        ("{n:int}{unit:kg|g}", "15kg", Some(vec![("n", "15"), ("unit", "kg")])),
        ("{what} {state:on|off}", "light on", Some(vec![("state", "on"), ("what", "light")])),
        ("{what} {state:on|off}", "lemon", None),
        ("{what}{state:on|off}", "lemon", None),
        ("{what}{state:on|off}", "灯on", Some(vec![("state", "on"), ("what", "灯")])),
        ("{state:on|off}{what}", "one", None),
        ("{state:on|off}{what}", "on灯", Some(vec![("state", "on"), ("what", "灯")])),
        ("{a:city}{b:city}", "北京西上海", Some(vec![("a", "北京西"), ("b", "上海")])),
        ("<b>粗</b>", "<b>粗</b>", Some(vec![])),
    ] {
        let folding = Folding::new(false, false);
        let read = Pattern::parse_with(pattern, &lists()).expect(pattern);
        let found = Matcher::new(&read, folding).captures(&folding.fold(text));
        let expected = expected.map(|list| {
            list.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
        });
        assert_eq!(found, expected, "{pattern} on {text}");
        assert_eq!(Pattern::parse_with(&read.to_string(), &lists()), Ok(read), "{pattern}");
    }
    let unknown = Pattern::parse_with("{x:citys}", &lists()).expect_err("no such list");
    assert_eq!(unknown.kind, PatternErrorKind::UnknownKind("citys".to_owned()));
}

#[test]
fn mistakes_have_a_kind_and_a_place() {
    use PatternErrorKind as Kind;
    for (pattern, kind, span) in [
        ("天气 {city", Kind::Unclosed('{'), 7..8),
        ("a [b", Kind::Unclosed('['), 2..3),
        ("a (b|c", Kind::Unclosed('('), 2..3),
        ("a ]", Kind::Unopened(']'), 2..3),
        ("a }", Kind::Unopened('}'), 2..3),
        ("(a]", Kind::Unopened(']'), 2..3),
        ("a {}", Kind::NoName, 2..4),
        ("a {x y}", Kind::BadName("x y".to_owned()), 2..7),
        ("a {user.x}", Kind::BadName("user.x".to_owned()), 2..10),
        ("a {x:num}", Kind::UnknownKind("num".to_owned()), 2..9),
        ("{x} a {x}", Kind::SameName("x".to_owned()), 6..9),
        ("{x}{y}", Kind::HolesMeet, 3..6),
        ("{x}[a]{y}", Kind::HolesMeet, 0..9),
        ("{x}(a|{z})", Kind::HolesMeet, 0..10),
        ("报名|{name}", Kind::BarOutside, 6..7),
        ("a|b", Kind::BarOutside, 1..2),
        ("[]", Kind::Nothing, 1..2),
        ("[a|]", Kind::Nothing, 3..4),
        ("(a|)", Kind::Nothing, 3..4),
        ("[a] [b]", Kind::FitsNothing, 0..7),
        ("", Kind::FitsNothing, 0..0),
    ] {
        let error = Pattern::parse(pattern).expect_err(pattern);
        assert_eq!((error.kind, error.span), (kind, span), "{pattern}");
    }
    assert_eq!(Pattern::parse(&"长".repeat(501)).expect_err("long").kind, Kind::TooLong);
    let deep = "[".repeat(17) + "a" + &"]".repeat(17);
    assert_eq!(Pattern::parse(&deep).expect_err("deep").kind, Kind::TooDeep);
}

#[test]
fn captures_know_whether_they_are_always_set() {
    let captures = Pattern::parse("{a} x [{b} y] ({c}|{c} z {d})").expect("valid").captures();
    let captures: Vec<_> =
        captures.iter().map(|capture| (capture.name.as_str(), capture.always)).collect();
    assert_eq!(captures, [("a", true), ("b", false), ("c", true), ("d", false)]);
}

#[test]
fn a_long_text_does_not_take_long() {
    let pattern = "{a} x {b} x {c} x {d} x {e} y";
    assert_eq!(captures(pattern, &"x ".repeat(10_000)), None);
}

/// Patterns that can be written.
fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let text = || "[a-z价格 {}，:]{1,5}".prop_map(Node::Text);
    let hole = || {
        let kind = prop::sample::select(vec![HoleKind::Text, HoleKind::Int, HoleKind::Number]);
        (prop::sample::select(vec!["a", "b", "城市", "no_1"]), kind)
            .prop_map(|(name, kind)| Node::Hole { name: name.to_owned(), kind })
    };
    let leaf = prop_oneof![3 => text(), 2 => hole()];
    let node = leaf.prop_recursive(3, 12, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            list().prop_map(Node::Optional),
            prop::collection::vec(list(), 1..3).prop_map(Node::Either)
        ]
    });
    prop::collection::vec(node, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(10_000)))]

    #[test]
    fn a_pattern_prints_and_parses_back(nodes in nodes()) {
        let printed = Pattern { nodes }.to_string();
        // Some generated trees are not valid: holes may meet, names repeat. The others print as they were written.
        if let Ok(pattern) = Pattern::parse(&printed) {
            prop_assert_eq!(pattern.to_string(), printed.clone());
            prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "[\\[\\]{}()|:a-c价 ]{0,12}|.{0,12}") {
        match Pattern::parse(&text) {
            Ok(pattern) => prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern)),
            Err(error) => prop_assert!(text.get(error.span).is_some()),
        }
    }

    /// Quotation marks, dashes, full-width signs and blanks that do not count are compared in another form than they are
    /// typed in.
    #[test]
    fn captures_are_the_typed_characters(
        what in "[a-zＡ“‘価][a-zＺ“”’—–‐ﬁ価格\u{200b} \u{3000}：，＝]{0,8}[a-zＢ”’格]",
        sign in "[！。]{0,2}",
    ) {
        let expected = vec![("what".to_owned(), what.clone())];
        for (pattern, text) in [
            ("寄{what}到家里", format!("寄 {what} 到家里{sign}")),
            ("寄 {what}", format!("寄：{what}{sign}")),
            ("[请]don't寄{what}了", format!("ＤＯＮ’Ｔ寄{what}了{sign}")),
        ] {
            prop_assert_eq!(captures(pattern, &text), Some(expected.clone()), "{} on {}", pattern, text);
        }
    }

    #[test]
    fn what_is_filled_in_is_captured(city in "[a-z价格ＡＢ]{1,6}", no in "[0-9]{1,5}") {
        let text = format!("查 {city} 的 {no} 号。");
        let expected = vec![("city".to_owned(), city), ("no".to_owned(), no)];
        prop_assert_eq!(captures("查 {city} 的 {no:int} 号", &text), Some(expected));
    }
}

#[test]
fn fixed_characters_are_those_of_the_shortest_way() {
    for (pattern, fixed) in [
        ("天气 {city}", 2),
        ("[请问]{city}天气[怎么样]", 2),
        ("(买|想要) {what} now", 4),
        ("{n:int}", 0),
        ("a  b", 2),
    ] {
        assert_eq!(Pattern::parse(pattern).expect(pattern).fixed_characters(), fixed, "{pattern}");
    }
}
