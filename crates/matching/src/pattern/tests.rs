//! Sentences with holes, as people write and type them.

use proptest::prelude::*;

use super::*;
use crate::fold::Folding;

fn captures(pattern: &str, text: &str) -> Option<Vec<(String, String)>> {
    let folding = Folding::new(false, false);
    let matcher = Matcher::new(&Pattern::parse(pattern).expect(pattern), folding);
    matcher.captures(&folding.fold(text)).map(|captures| captures.into_iter().collect())
}

#[test]
fn sentences_fit_or_do_not() {
    for (pattern, text, expected) in [
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
        ("退款 {no:int} [谢谢]", "退款１２３谢谢。", Some(vec![("no", "１２３")])),
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
    ] {
        let expected = expected.map(|list: Vec<(&str, &str)>| {
            list.into_iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect::<Vec<_>>()
        });
        assert_eq!(captures(pattern, text), expected, "{pattern} on {text}");
    }
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
        ("[]", Kind::Nothing, 1..2),
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
        (prop::sample::select(vec!["a", "b", "城市", "no_1"]), any::<bool>()).prop_map(
            |(name, int)| Node::Hole {
                name: name.to_owned(),
                kind: if int { HoleKind::Int } else { HoleKind::Text },
            },
        )
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

    #[test]
    fn what_is_filled_in_is_captured(city in "[a-z价格ＡＢ]{1,6}", no in "[0-9]{1,5}") {
        let text = format!("查 {city} 的 {no} 号。");
        let expected = vec![("city".to_owned(), city), ("no".to_owned(), no)];
        prop_assert_eq!(captures("查 {city} 的 {no:int} 号", &text), Some(expected));
    }
}
