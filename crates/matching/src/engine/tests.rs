//! The index against asking one condition after the other: random conditions, random texts, the same answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::injected::{Mistake, PLANTED};
use crate::pattern::Pattern;
use crate::regex::RegexCondition;
use crate::{Conditions, List, Lists, Set};

/// Pieces of texts: short ones that lie in each other, and everything that folding changes.
const PIECES: [&str; 50] = [
    "a",
    "ab",
    "b",
    "Hi",
    "hi",
    "this",
    "价格",
    "价",
    "格",
    "價格",
    "多少钱",
    "Ａ",
    "ＡＢ",
    "k",
    "\u{212a}",
    "ſ",
    "S",
    "5G",
    "5",
    "é",
    "e\u{301}",
    "e",
    "\u{301}",
    "か",
    "が",
    "\u{3099}",
    "😀",
    "!",
    "：",
    ":",
    "天气 ",
    " x",
    "x",
    "ﬁ",
    "i",
    "C++",
    "\u{200b}",
    "hi*",
    "*b",
    "*ab*",
    "don’t",
    "don't",
    "买 iPhone",
    "买iphone",
    "二十",
    "1万2",
    "？",
    "臺灣",
    "台湾",
    "长长长长长长长长长长长长长长长长长长长长长长长长长长长长头尾",
];

/// The joints between pieces in texts.
const JOINTS: [&str; 9] = ["", "", "", " ", "  ", "\n", "，", "\u{3000}", "："];

const REGEXES: [&str; 24] = [
    "{0}",
    "{0}{1}",
    "^{0}",
    "{0}$",
    "({0})({1})?",
    "{0}?{1}",
    "(?:{0}|{1})",
    "(?:{0}|{1}){2}",
    "({0}|{1}|{2})+",
    "{0}.*{1}",
    "{0}.*?({1}|$)",
    r"\b{0}\b",
    "(?<x>{0}){{2}}",
    "(?:{0}){{0,2}}{1}",
    r"(\d)+",
    r"^\S{{2,4}}$",
    "[{0}{1}]{2}",
    "[^{0}]{1}",
    "(?i:{0}){1}",
    "(?-i:{0})",
    r"{0}\s*[:：]?\s*(?<x>\w*)",
    "(?:{0}{1}|{2})(?:{1}|{2})",
    ".",
    "(?:)|{0}",
];

const PATTERNS: [&str; 17] = [
    "{0} {{x}}",
    "{{x}} {0}",
    "{0} {{x}} {1}",
    "[{0}] {1}",
    "[{0}] {{x}} {1}",
    "({0}|{1}) {{x}}",
    "({0}|{1}){2}",
    "{0} {{n:int}}",
    "{0}",
    "{0} [{1}] ({2}|{{x}})",
    "{0} {{n:int}}{1}",
    "{0}{{n:number}}",
    "[{0}|{1}] {2}",
    "{{x}} {{y}} {0}",
    "{{x:l}}{{y}}",
    "<l>[{0}]",
    "{{x}}{{y:a|价格|hi}}",
];

/// Conditions as the generator means them.
#[derive(Debug, Clone)]
struct Wish {
    conditions: Vec<(u8, Vec<String>)>,
    case: bool,
}

fn piece() -> impl Strategy<Value = String> {
    let long = PIECES[PIECES.len() - 1];
    // The long one often: only that is cut.
    prop_oneof![12 => prop::sample::select(PIECES.to_vec()), 1 => Just(long)]
        .prop_map(str::to_owned)
}

/// A few pieces in a row.
fn phrase(most: usize) -> impl Strategy<Value = String> {
    let joint = prop::sample::select(JOINTS.to_vec());
    prop::collection::vec((piece(), joint), 1..=most).prop_map(|parts| {
        parts.into_iter().flat_map(|(piece, joint)| [piece, joint.to_owned()]).collect()
    })
}

fn filled(
    shapes: &'static [&'static str],
    escape: fn(&str) -> String,
) -> impl Strategy<Value = String> {
    (prop::sample::select(shapes.to_vec()), [piece(), piece(), piece()]).prop_map(
        move |(shape, pieces)| {
            let mut text = shape.to_owned();
            for (n, piece) in pieces.iter().enumerate() {
                text = text.replace(&format!("{{{n}}}"), &escape(piece));
            }
            text.replace("{{", "{").replace("}}", "}")
        },
    )
}

fn condition() -> impl Strategy<Value = (u8, Vec<String>)> {
    let item = || prop_oneof![4 => piece(), 1 => phrase(2)];
    let list = |most| prop::collection::vec(item(), 1..=most);
    prop_oneof![
        4 => list(3).prop_map(|list| (0, list)),
        2 => list(2).prop_map(|list| (1, list)),
        2 => list(2).prop_map(|list| (2, list)),
        1 => list(3).prop_map(|list| (3, list)),
        2 => list(2).prop_map(|list| (4, list)),
        2 => list(2).prop_map(|list| (5, list)),
        2 => list(3).prop_map(|list| (8, list)),
        3 => prop::collection::vec(filled(&PATTERNS, str::to_owned), 1..=2).prop_map(|list| (6, list)),
        4 => prop::collection::vec(filled(&REGEXES, |piece| piece.replace("++", r"\+\+")), 1..=2)
            .prop_map(|list| (7, list)),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let one = || prop::collection::vec(condition(), 1);
    let conditions = prop_oneof![4 => one(), 1 => prop::collection::vec(condition(), 2)];
    (conditions, any::<bool>()).prop_map(|(conditions, case)| Wish { conditions, case })
}

fn case() -> impl Strategy<Value = (Vec<Wish>, bool, Vec<String>)> {
    let texts = prop::collection::vec(phrase(6), TEXTS);
    (prop::collection::vec(wish(), 2..12), any::<bool>(), texts)
}

/// How many texts each set of conditions gets.
const TEXTS: usize = 25;

fn conditions(wish: &Wish) -> Conditions {
    let mut when = Conditions { case: wish.case, ..Conditions::default() };
    for (kind, list) in &wish.conditions {
        let list = list.clone();
        match kind {
            0 => when.keyword = list,
            1 => when.all = list,
            2 => when.none = list,
            3 => when.exact = list,
            4 => when.prefix = list,
            5 => when.suffix = list,
            8 => when.all_of.push(list),
            // A checked rule has no pattern that cannot be read.
            6 => when.pattern = patterns(&list),
            _ => {
                when.regex = list
                    .iter()
                    .filter_map(|text| RegexCondition::parse(text, wish.case).ok())
                    .collect();
            }
        }
    }
    when
}

fn patterns(list: &[String]) -> Vec<Pattern> {
    let items = ["价格", "a", "ab", "5G", "二十", "Hi", "\u{3099}"].map(str::to_owned);
    let lists = Lists::from([("l".to_owned(), Arc::new(List::new(items)))]);
    list.iter().filter_map(|text| Pattern::parse_with(text, &lists).ok()).collect()
}

/// Counts of the texts so far.
#[derive(Default)]
struct Tally {
    texts: AtomicUsize,
    found: AtomicUsize,
    with_two_candidates: AtomicUsize,
    with_two_found: AtomicUsize,
}

fn compare(
    wishes: &[Wish],
    hant: bool,
    texts: &[String],
    tally: &Tally,
) -> Result<(), TestCaseError> {
    let conditions: Vec<Conditions> = wishes.iter().map(conditions).collect();
    let set = Set::new(&conditions, hant);
    for text in texts {
        let (scanned, found) = (set.all_by_scan(text), set.all(text));
        let count = |counter: &AtomicUsize, yes: bool| {
            counter.fetch_add(usize::from(yes), Ordering::Relaxed)
        };
        count(&tally.texts, true);
        count(&tally.found, !scanned.is_empty());
        count(&tally.with_two_found, scanned.len() > 1);
        count(&tally.with_two_candidates, set.candidates(text) > 1);
        prop_assert_eq!(set.first(text), scanned.first().cloned(), "text {:?}", text);
        prop_assert_eq!(found, scanned, "text {:?}", text);
    }
    Ok(())
}

fn runner(cases: u32, seed: u8) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

#[test]
fn the_index_finds_what_asking_one_by_one_finds() {
    let tally = Arc::new(Tally::default());
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let tally = Arc::clone(&tally);
            scope.spawn(move || {
                let result = runner(crate::cases(2_000), seed)
                    .run(&case(), |(wishes, hant, texts)| compare(&wishes, hant, &texts, &tally));
                if let Err(error) = result {
                    panic!("{error}");
                }
            });
        }
    });
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let texts = count(&tally.texts);
    // The comparison is worth something only if enough is found, and enough could be.
    assert!(2 * count(&tally.found) >= texts, "{} of {texts} found", count(&tally.found));
    let candidates = count(&tally.with_two_candidates);
    assert!(3 * candidates >= texts, "{candidates} of {texts}");
    let two = count(&tally.with_two_found);
    assert!(20 * two >= texts, "{two} of {texts}");
}

#[test]
fn every_planted_mistake_is_found() {
    use Mistake as M;
    for mistake in [
        M::AlwaysForgotten,
        M::Unsorted,
        M::Doubled,
        M::FirstOfSet,
        M::CaseKept,
        M::CaseForgotten,
        M::HantForgotten,
        M::MarksForgotten,
        M::MarksCertain,
        M::CutAtWrongEnd,
        M::SpacesForgotten,
        M::EndForgotten,
        M::OptionalRequired,
        M::FirstBranch,
        M::FirstOfClass,
        M::NoneRequired,
        M::StarsForgotten,
        M::PunctuationForgotten,
        M::InsideForgotten,
        M::ShorterForgotten,
    ] {
        PLANTED.set(Some(mistake));
        let mut runner = runner(2_000, 7);
        let result = runner.run(&case(), |(wishes, hant, texts)| {
            compare(&wishes, hant, &texts, &Tally::default())
        });
        PLANTED.set(None);
        assert!(matches!(result, Err(TestError::Fail(..))), "{mistake:?} was not found");
    }
}
