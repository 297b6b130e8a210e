//! Regexes as people write them, and the machine against the usual engine.

use proptest::prelude::*;

use super::*;
use crate::fold::Folding;

fn captures(source: &str, text: &str) -> Option<Vec<(String, String)>> {
    let regex = RegexCondition::parse(source, false).expect(source);
    regex.find(&Folding::WIDTH.fold(text)).map(|captures| captures.into_iter().collect())
}

#[test]
fn both_widths_match_and_captures_are_original() {
    for (source, text, expected) in [
        (
            r"订单号?\s*[:：]?\s*(?<no>\d{8,12})",
            "订单：２０２６１１２２",
            Some(vec![("no", "２０２６１１２２")]),
        ),
        ("(a)(b)?", "xA", Some(vec![("1", "A")])),
        ("（(.+)）", "看(这里)", Some(vec![("1", "这里")])),
        ("[！-～]+", "abc", Some(vec![])),
        ("[^：]x", ":x", None),
        ("[^：]x", "：x", None),
        (r"\(x\)", "（x）", Some(vec![])),
        ("价格", "价\u{200b}格", Some(vec![])),
        ("^b$", "a\nb", None),
        ("(?m)^b$", "a\nb", Some(vec![])),
        (r"\bhi\b", "Hi there", Some(vec![])),
        ("K", "\u{212a}", Some(vec![])),
        ("哈哈呵", "哈哈哈呵", Some(vec![])),
        ("aab", "aaab", Some(vec![])),
    ] {
        let expected = expected.map(|list: Vec<(&str, &str)>| {
            list.into_iter()
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect::<Vec<_>>()
        });
        assert_eq!(captures(source, text), expected, "{source} on {text}");
    }
    let exact = RegexCondition::parse("Ab", true).expect("valid");
    assert!(
        exact.find(&Folding::WIDTH.fold("ab")).is_none()
            && exact.find(&Folding::WIDTH.fold("Ａb")).is_some()
    );
}

#[test]
fn mistakes_have_a_kind_and_a_place() {
    let huge = r"(\w{1,100}){1,100}";
    for (source, kind, span) in [
        ("a(?=b)", RegexErrorKind::LookAround { is_negative: false }, 1..4),
        ("(?<!a)b", RegexErrorKind::LookAround { is_negative: true }, 0..4),
        (r"(a)\1", RegexErrorKind::BackReference, 3..5),
        (huge, RegexErrorKind::TooSlow { steps: 20_020_200 }, 0..huge.len()),
        ("(((((a{99}){99}){99}){99}){99})", RegexErrorKind::TooLong, 0..31),
    ] {
        let error = RegexCondition::parse(source, false).expect_err(source);
        assert_eq!((error.kind, error.span), (kind, span), "{source}");
    }
    for source in ["(a", "a)", "[a", "*", r"\k<x>", "(?P=x)", r"\q", "a{2,1}"] {
        assert!(RegexCondition::parse(source, false).is_err(), "{source}");
    }
}

#[test]
fn what_matches_everything_is_known() {
    for (source, every) in [
        ("(ab)*", true),
        ("a?", true),
        ("", true),
        ("^", true),
        ("x*$", true),
        ("a", false),
        ("^$", false),
        (r"\b", false),
        ("(?<x>a)|b*", true),
        (".+", false),
    ] {
        assert_eq!(
            RegexCondition::parse(source, false).expect(source).matches_every(),
            every,
            "{source}"
        );
    }
}

#[test]
fn groups_are_known_by_name_or_number() {
    let names =
        RegexCondition::parse("(a)(?<x>b)?(?:(c)|(?<y>d))", false).expect("valid").captures();
    let expected = [("1", true), ("x", false), ("3", false), ("y", false)];
    let names: Vec<(&str, bool)> =
        names.iter().map(|name| (name.name.as_str(), name.always)).collect();
    assert_eq!(names, expected);
}

/// Regexes over a small alphabet, nested a few times.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a",
        "b",
        "aa",
        "aab",
        "价价",
        "价",
        "é",
        "[ab]",
        "[^a]",
        r"\d",
        r"\w",
        r"\s",
        ".",
        "^",
        "$",
        r"\b",
        r"\B",
        "",
        "1",
        r"\b{start}",
        r"\b{end}",
        "(?m:^)",
        "(?m:$)",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            prop::collection::vec(inner.clone(), 1..4)
                .prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (
                inner.clone(),
                prop::sample::select(vec![
                    "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}"
                ])
            )
                .prop_map(|(inner, times)| format!("(?:{inner}){times}")),
            inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(20_000)))]

    #[test]
    fn the_machine_finds_what_the_usual_engine_finds(source in expression(), text in "[abAB价é1 \n]{0,12}") {
        let ours = RegexCondition::parse(&source, false).expect("generated expressions are valid");
        let theirs = regex::RegexBuilder::new(&source).case_insensitive(true).build().expect("valid");
        let expected = theirs.captures(&text).map(|found| {
            let groups = found.iter().enumerate().skip(1);
            groups.filter_map(|(n, group)| Some((n.to_string(), group?.as_str().to_owned()))).collect::<Captures>()
        });
        let text = Folding::WIDTH.fold(&text);
        prop_assert_eq!(ours.program.is_match(text.text()), expected.is_some());
        prop_assert_eq!(ours.find(&text), expected);
    }

    #[test]
    fn an_exact_one_finds_what_the_usual_engine_finds(source in expression(), text in "[abAB价é1：: \n]{0,12}") {
        let ours = exact(&source).expect("generated expressions are valid");
        let theirs = regex::Regex::new(&source).expect("valid");
        prop_assert_eq!(ours.is_match(&text), theirs.is_match(&text));
    }
}
