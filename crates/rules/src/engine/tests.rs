//! The index against asking every rule: random rules, random messages, the same decisions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mynah_core::{
    Chat, ChatKind, Content, Event, EventBody, Message, NoState, Origin, Person, Timestamp,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::planted::{Mistake, PLANTED};
use crate::decision::{Decision, Moment};
use crate::explain::{Trace, Verdict};
use crate::glob::Glob;
use crate::model::{Bot, Brakes, Conditions, Name, Place, Rule, Shape, Step};
use crate::pattern::Pattern;
use crate::regex_condition::RegexCondition;
use crate::rule_book::RuleBook;
use crate::template::Template;

/// Pieces of texts: short ones that lie in each other, and everything that folding changes.
const PIECES: [&str; 40] = [
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
    "臺灣",
    "台湾",
    "长长长长长长长长长长长长长长长长长长长长长长长长长长长长头尾",
];

/// What holds pieces together in messages.
const JOINTS: [&str; 8] = ["", "", "", " ", "  ", "\n", "，", "\u{3000}"];

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

const PATTERNS: [&str; 10] = [
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
];

/// A rule as the generator means it.
#[derive(Debug, Clone)]
struct Wish {
    conditions: Vec<(u8, Vec<String>)>,
    case: bool,
    scope: u8,
    priority: i64,
    go_on: bool,
    off: bool,
}

#[derive(Debug, Clone)]
struct Said {
    text: String,
    chat: u8,
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
        3 => prop::collection::vec(filled(&PATTERNS, str::to_owned), 1..=2).prop_map(|list| (6, list)),
        4 => prop::collection::vec(filled(&REGEXES, |piece| piece.replace("++", r"\+\+")), 1..=2)
            .prop_map(|list| (7, list)),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let one = || prop::collection::vec(condition(), 1);
    let conditions = prop_oneof![4 => one(), 1 => prop::collection::vec(condition(), 2)];
    let flags = (any::<bool>(), prop::bool::weighted(0.3), prop::bool::weighted(0.05));
    (conditions, flags, 0..8_u8, -1..=1_i64).prop_map(
        |(conditions, (case, go_on, off), scope, priority)| Wish {
            conditions,
            case,
            scope,
            priority,
            go_on,
            off,
        },
    )
}

fn case() -> impl Strategy<Value = (Vec<Wish>, bool, Vec<Said>)> {
    let said = (phrase(6), 0..3_u8).prop_map(|(text, chat)| Said { text, chat });
    (prop::collection::vec(wish(), 2..12), any::<bool>(), prop::collection::vec(said, MESSAGES))
}

/// How many messages each set of rules gets.
const MESSAGES: usize = 25;

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
            // What cannot be read, a checked rule does not have.
            6 => when.pattern = list.iter().filter_map(|text| Pattern::parse(text).ok()).collect(),
            _ => {
                when.regex = list
                    .iter()
                    .filter_map(|text| RegexCondition::parse(text, wish.case).ok())
                    .collect();
            }
        }
    }
    match wish.scope {
        0 => when.place = Some(ChatKind::Group),
        1 => when.place = Some(ChatKind::Private),
        2 => (when.place, when.groups) = (Some(ChatKind::Group), vec![Glob::new("一*")]),
        3 => when.at_me = true,
        _ => {}
    }
    when
}

fn book(wishes: &[Wish], hant: bool) -> RuleBook {
    let rules = (1..).zip(wishes).map(|(line, wish)| Rule {
        place: Place { file: "bot.toml".into(), line },
        name: Name { id: None, key: line.to_string() },
        when: conditions(wish),
        then: vec![Step::Say {
            text: Template::parse(&format!("{line} {{rest}} {{x}} {{1}}"))
                .expect("a good template"),
            shape: Shape::default(),
        }],
        brakes: Brakes::default(),
        priority: wish.priority,
        go_on: wish.go_on,
        off: wish.off,
    });
    RuleBook::build(Bot {
        names: Vec::new(),
        admins: Vec::new(),
        groups: vec![Glob::new("*")],
        private: true,
        ignore: Vec::new(),
        zone: jiff::tz::TimeZone::UTC,
        fold_hant: hant,
        rules: rules.collect(),
        tables: Vec::new(),
        dialogs: Vec::new(),
        schedules: Vec::new(),
    })
}

fn event(said: &Said) -> Event {
    let chat = match said.chat {
        0 => Chat::group("1", "一群"),
        1 => Chat::group("2", "二群"),
        _ => Chat::private("3", "张三"),
    };
    let message = Message {
        id: "m".into(),
        called: !chat.is_group(),
        chat,
        sender: Person::stranger("p", "张三"),
        origin: Origin::Person,
        content: Content::text(said.text.clone()),
        text: said.text.clone(),
    };
    Event { id: "e".into(), time: Timestamp::from_secs(0), body: EventBody::Message(message) }
}

/// How many rules matched.
#[derive(Default)]
struct Matched(usize);

impl Trace for Matched {
    fn looked_at(&mut self, _rule: &crate::RuleRef, verdict: Verdict) {
        self.0 += usize::from(matches!(verdict, Verdict::Acted { .. }));
    }
}

/// What became of the messages so far.
#[derive(Default)]
struct Tally {
    cases: AtomicUsize,
    answered: AtomicUsize,
    with_two_candidates: AtomicUsize,
    with_two_acting: AtomicUsize,
}

fn compare(
    wishes: &[Wish],
    hant: bool,
    messages: &[Said],
    tally: &Tally,
) -> Result<(), TestCaseError> {
    let book = book(wishes, hant);
    let at = Moment::at(Timestamp::from_secs(0));
    for said in messages {
        let event = event(said);
        let mut matched = Matched::default();
        let scanned: Decision = book.explain(&event, &NoState, &at, &mut matched);
        let found = book.decide(&event, &NoState, &at);
        let count = |counter: &AtomicUsize, yes: bool| {
            counter.fetch_add(usize::from(yes), Ordering::Relaxed)
        };
        count(&tally.cases, true);
        count(&tally.answered, scanned.acted);
        count(&tally.with_two_acting, matched.0 > 1);
        count(&tally.with_two_candidates, book.candidates(&event) > 1);
        prop_assert_eq!(found, scanned, "message {:?}", said);
    }
    Ok(())
}

fn runner(cases: u32, seed: u8) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

#[test]
fn the_index_decides_as_asking_every_rule_does() {
    let tally = Arc::new(Tally::default());
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let tally = Arc::clone(&tally);
            scope.spawn(move || {
                let result = runner(2_000, seed).run(&case(), |(wishes, hant, messages)| {
                    compare(&wishes, hant, &messages, &tally)
                });
                if let Err(error) = result {
                    panic!("{error}");
                }
            });
        }
    });
    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let cases = count(&tally.cases);
    assert!(cases >= 100_000);
    // The comparison is worth something only if enough is found, and enough could be.
    assert!(2 * count(&tally.answered) >= cases, "{} of {cases} answered", count(&tally.answered));
    assert!(
        3 * count(&tally.with_two_candidates) >= cases,
        "{} of {cases}",
        count(&tally.with_two_candidates)
    );
    assert!(
        20 * count(&tally.with_two_acting) >= cases,
        "{} of {cases}",
        count(&tally.with_two_acting)
    );
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
    ] {
        PLANTED.set(Some(mistake));
        let mut runner = runner(2_000, 7);
        let result = runner.run(&case(), |(wishes, hant, messages)| {
            compare(&wishes, hant, &messages, &Tally::default())
        });
        PLANTED.set(None);
        assert!(matches!(result, Err(TestError::Fail(..))), "{mistake:?} was not found");
    }
}
