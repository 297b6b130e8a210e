//! The results of folding, and the way back.

use proptest::prelude::*;
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::segment::is_invisible;
use super::*;

fn full(text: &str) -> String {
    Folding::new(false, false).fold(text).into_text()
}

#[test]
fn texts_that_people_take_for_the_same_become_the_same() {
    for (text, folded) in [
        ("", ""),
        ("hello", "hello"),
        ("Hello  World", "hello world"),
        ("ＡＢＣ１２３：（ｘ）", "abc123:(x)"),
        ("ſtraße", "straße"),
        ("\u{212a}elvin", "kelvin"),
        ("价\u{200b}格\u{feff}", "价格"),
        ("a\t\n b\u{3000}\u{a0}c", "a b c"),
        ("ｶﾞ", "ガ"),
        ("か\u{3099}", "が"),
        ("e\u{301}E\u{301}", "éé"),
        ("e\u{200b}\u{301}", "é"),
        ("ﬁ①㎏½", "fi1kg1⁄2"),
        ("☀\u{fe0f}", "☀"),
        ("ΣΑΣ ς", "σασ σ"),
        ("İI", "İi"),
        ("…", "..."),
        ("don’t ‘a‛ 5′", "don't 'a' 5'"),
        ("“a” ‟b‟ 5″", "\"a\" \"b\" 5\""),
        ("a–b — ‐‑‒―−", "a-b - -----"),
        ("买 iPhone", "买iPhone"),
        ("第 3 章", "第3章"),
        ("打开　WiFi\t设置", "打开WiFi设置"),
        ("カタカナ abc", "カタカナabc"),
        ("你好 !", "你好!"),
        ("😀👍🏽", "😀👍🏽"),
    ] {
        assert_eq!(full(text), full(folded), "{text:?}");
        assert_eq!(full(text), full(&full(text)), "{text:?} is stable");
    }
    assert_eq!(full("ＡＢＣ  ｄ"), "abc d");
    for text in
        ["今天 气温", "한국 사람", "@bot !help", "a b", "买\niphone", "第 \n 3 章", " 买 天 "]
    {
        assert_ne!(full(text), full(&text.replace(char::is_whitespace, "")), "{text:?}");
    }
}

#[test]
fn case_and_script_are_kept_on_demand() {
    assert_eq!(Folding::new(true, false).fold("ＡbＣ  價").into_text(), "AbC價");
    assert_eq!(Folding::new(true, true).fold("ＡbＣ  價").into_text(), "AbC价");
    assert_eq!(Folding::WIDTH.fold("Ａb\n ：\u{200b}（ﬁ　ｶﾞ").into_text(), "Ab\n :(ﬁ カ\u{3099}");
}

#[test]
fn no_other_character_becomes_a_caseless_one() {
    for c in '\0'..=char::MAX {
        let folded = fold_case(c);
        assert!(
            folded == c || !(is_caseless(c) || is_caseless(folded)),
            "{c:?} becomes {folded:?}"
        );
    }
}

#[test]
fn nothing_is_copied_where_nothing_changes() {
    for text in ["hello world 123!", ""] {
        assert!(
            matches!(Folding::new(false, false).fold(text).text, Written::Original(_)),
            "{text}"
        );
    }
    assert!(matches!(Folding::WIDTH.fold("Hello\n  World").text, Written::Original(_)));
}

#[test]
fn captures_are_original_characters() {
    for (original, folded, capture) in [
        ("查 ＡＢ１２ 吗", "ab12", "ＡＢ１２"),
        ("ﬁne", "i", "ﬁ"),
        ("x e\u{301} y", "é", "e\u{301}"),
        ("a\u{200b}b", "ab", "a\u{200b}b"),
        ("a\u{200b}b", "a", "a"),
        ("㎏x", "x", "x"),
        ("q\u{301}", "q", "q"),
        ("Hello", "ell", "ell"),
        ("A  B", "a b", "A  B"),
        ("價 a b", "b", "b"),
    ] {
        for hant in [false, true] {
            let text = Folding::new(false, hant).fold(original);
            let start = text.text().find(folded).expect(original);
            assert_eq!(text.original(start..start + folded.len()), capture, "{original}");
        }
    }
}

#[test]
fn cases_fold_as_unicode_says() {
    // The two sources of truth may know different versions of Unicode: only characters known to both are compared.
    let assigned = regex_syntax::parse(r"\P{Cn}").map(regex_syntax::hir::Hir::into_kind);
    let Ok(regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(assigned))) =
        assigned
    else {
        panic!("a class is a class");
    };
    for c in assigned.ranges().iter().flat_map(|range| range.start()..=range.end()) {
        let mut same = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
        same.case_fold_simple();
        for range in same.ranges() {
            for other in range.start()..=range.end() {
                assert_eq!(fold_case(c), fold_case(other), "{c:?} and {other:?}");
            }
        }
        let folded = fold_case(c);
        assert!(
            same.ranges().iter().any(|range| (range.start()..=range.end()).contains(&folded)),
            "{c:?}"
        );
    }
}

#[test]
fn every_character_folds_quickly_to_the_same() {
    let foldings = [Folding::new(false, false), Folding::new(true, true), Folding::WIDTH];
    for c in '\0'..'\u{20000}' {
        // Beyond the first bytes and before the last one, all bytes are looked at together.
        for text in [format!("{c}"), format!("一 {c} 二三a四五六七八 a")] {
            for folding in foldings {
                let mut slowly = String::new();
                folding.walk(&text, &mut |c, _| slowly.push(c));
                assert_eq!(folding.fold(&text).text(), slowly, "{c:?} in {folding:?}");
            }
        }
    }
}

/// Texts that are mostly trouble.
fn troublesome() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        3 => any::<char>().prop_map(String::from),
        2 => prop::sample::select(vec![
            " ", "  ", "\t", "\u{200b}", "Ａ", "ﬁ", "e", "\u{301}", "か", "\u{3099}", "ｶ", "ﾞ", "각", "\u{1100}",
            "\u{1161}", "\u{11a8}", "價", "价", "K", "ß", "\u{fdfa}", "½", "☀\u{fe0f}", "İ", "\u{345}",
            "’", "“", "″", "—", "\u{2011}", "\n", "\u{2028}", "价 a", "b 多", "\u{a0}", "¨",
        ]).prop_map(String::from),
        3 => "[a-zA-Z0-9 价格多少]{1,4}",
    ];
    prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat())
}

/// Texts of usual characters, with everything that makes them change, at every place of the steps in which they are read.
fn usual() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        4 => "[a-z价格多少]{1,20}",
        2 => prop::sample::select(vec![
            " ", "  ", "\t", "\n", "\u{3000}", "\u{3000} ", " \u{3000}", "A", "Ｚ", "，", "。", "：", "\u{7f}", "\0",
            "’", "“", "–", "a 价", "价 a", "价 \n a", "1\u{3000}个",
            // At the borders of the characters that stay as they are.
            "\u{4dbf}", "\u{3400}", "\u{4e00}", "\u{9fff}", "が", "ア", "Ж", "я", "각", "😀", "臺", "價",
        ]).prop_map(String::from),
    ];
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

/// Whether the blanks that begin at a place count, by the sentence in the reference.
fn counts(characters: &[char], at: usize) -> bool {
    let before = characters[..at].last();
    let run: Vec<char> =
        characters[at..].iter().copied().take_while(|c| c.is_whitespace()).collect();
    let after = characters.get(at + run.len());
    let (Some(before), Some(after)) = (before, after) else { return true };
    let is_line = run.iter().any(|c| "\n\r\u{b}\u{c}\u{85}\u{2028}\u{2029}".contains(*c));
    is_line || blanks::is_chinese(*before) == blanks::is_chinese(*after)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(10_000)))]

    #[test]
    fn folding_is_the_documented_sequence(text in troublesome()) {
        use unicode_normalization::UnicodeNormalization;
        let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        let mut plain = String::new();
        let signs = |c: char| signs::plain(c).unwrap_or(c);
        let characters: Vec<char> =
            visible.chars().map(signs).nfkc().map(|c| fold_case(signs(c))).collect();
        for (at, c) in characters.iter().enumerate() {
            if !c.is_whitespace() {
                plain.push(*c);
            } else if (at == 0 || !characters[at - 1].is_whitespace()) && counts(&characters, at) {
                plain.push(' ');
            }
        }
        prop_assert_eq!(full(&text), plain);
    }

    #[test]
    fn usual_characters_fold_quickly_to_the_same(text in usual(), from in 0_usize..60, length in 0_usize..10) {
        let both = [false, true];
        let all = both.map(|case| both.map(|hant| Folding::new(case, hant)));
        for folding in all.into_iter().flatten().chain([Folding::WIDTH]) {
            let folded = folding.fold(&text);
            prop_assert!(folded.is_plain());
            let mut slowly = String::new();
            folding.walk(&text, &mut |c, _| slowly.push(c));
            prop_assert_eq!(folded.text(), &slowly);
            let mut places = slowly.char_indices().map(|(at, _)| at).chain([slowly.len()]).skip(from);
            let (Some(start), Some(end)) = (places.next(), places.nth(length)) else { continue };
            // Without knowing how far nothing moved, the way back is walked.
            let walked = Folded { same_until: 0, ..folded.clone() };
            prop_assert_eq!(folded.original(start..end), walked.original(start..end));
        }
    }

    #[test]
    fn a_second_folding_is_that_of_the_text(
        text in prop_oneof![usual(), troublesome()],
        hant in any::<bool>(),
        from in 0_usize..60,
        length in 0_usize..10,
    ) {
        let full = Folding::new(false, hant).fold(&text);
        for folding in [Folding::new(false, hant), Folding::new(true, hant), Folding::WIDTH] {
            let expected = folding.fold(&text);
            let again = full.again(folding);
            let again = match &again {
                Again::Same(same) => same,
                Again::Other(other) => other,
            };
            prop_assert_eq!(again.text(), expected.text());
            let ends = expected.text().char_indices().map(|(at, _)| at).chain([expected.text().len()]);
            let mut places = ends.skip(from);
            let (Some(start), Some(end)) = (places.next(), places.nth(length)) else { continue };
            prop_assert_eq!(again.original(start..end), expected.original(start..end));
        }
    }

    #[test]
    fn the_way_back_covers_and_is_smallest(text in troublesome(), from in 0_usize..40, length in 1_usize..10) {
        for folding in [Folding::new(false, false), Folding::new(true, true), Folding::WIDTH] {
            let folded = folding.fold(&text);
            let places: Vec<usize> = folded.text().char_indices().map(|(at, _)| at).chain([folded.text().len()]).collect();
            let (Some(start), Some(end)) = (places.get(from), places.get(from + length)) else { continue };
            let capture = folded.original(*start..*end);
            let wanted = &folded.text()[*start..*end];
            prop_assert!(text.contains(capture));
            // Its folding covers the capture; white space at the border of a run may be one character of it.
            let again = folding.fold(capture);
            prop_assert!(again.text().contains(wanted.trim()), "{:?} from {:?}", again.text(), wanted);
        }
    }
}

#[test]
fn the_places_of_blanks_that_do_not_count_are_known() {
    // The second text has characters that combine, and is folded another way.
    for (text, folded, places) in
        [("买 iPhone 15 了", "买iphone 15了", [3, 12]), ("买 e\u{301}x 了", "买\u{e9}x了", [3, 6])]
    {
        let found = Folding::new(false, false).fold(text);
        assert_eq!(found.text(), folded);
        let all = 0..=folded.len();
        assert_eq!(all.filter(|at| found.has_idle_blank(*at)).collect::<Vec<_>>(), places);
    }
}
