//! Names about all people in a chat, in conversations; and against a scan of the whole state.

use proptest::prelude::*;

use super::super::test_book::Talk;

const SIGN_IN: &str = r#"
[[rule]]
exact = "签到"
set = { signed = "1" }
add = { points = 5 }
reply = "第 {count:signed} 位，第 {rank:points} 名"

[[rule]]
pattern = "+{n:int}"
add = { points = "{n}" }
reply = "{user.points}"

[[rule]]
exact = "榜"
reply = "{top:points 2|还没有}"

[[rule]]
exact = "名单"
reply = "{who:signed|没有人}"

[[rule]]
exact = "抽奖"
reply = "{pick:signed 2|没有人}"
clear = "members.signed"

[[rule]]
exact = "忘了我"
clear = "points"
reply = "{rank:points|没有名次}"
"#;

#[test]
fn a_group_signs_in_and_draws_lots() {
    let mut talk = Talk::with(SIGN_IN);
    assert_eq!(talk.say("群/甲", "榜"), ["还没有"]);
    assert_eq!(talk.say("群/甲", "名单"), ["没有人"]);
    assert_eq!(talk.say("群/甲", "抽奖"), ["没有人"]);
    assert_eq!(talk.say("群/甲", "签到"), ["第 1 位，第 1 名"]);
    assert_eq!(talk.say("群/乙", "签到"), ["第 2 位，第 1 名"], "equal ones share a rank");
    assert_eq!(talk.say("群/丙", "+3"), ["3"]);
    assert_eq!(
        talk.say("别群/丁", "签到"),
        ["第 1 位，第 1 名"],
        "another group counts for itself"
    );
    // Largest first, equal ones by name: 乙 is before 甲 in Unicode.
    assert_eq!(talk.say("群/丁", "榜"), ["1. 乙 5\n2. 甲 5"]);
    assert_eq!(talk.say("群/丙", "+9"), ["12"]);
    assert_eq!(talk.say("群/甲", "签到"), ["第 2 位，第 2 名"]);
    // In the order of the last change.
    assert_eq!(talk.say("群/丁", "名单"), ["乙、甲"]);
    assert_eq!(talk.say("群/丙", "忘了我"), ["1"], "the clearing comes after the reply");
    assert_eq!(talk.say("群/丁", "榜"), ["1. 甲 10\n2. 乙 5"]);
    let drawn = talk.say("群/丁", "抽奖").remove(0);
    assert!(["甲、乙", "乙、甲"].contains(&drawn.as_str()), "{drawn}");
    assert_eq!(talk.say("群/丁", "名单"), ["没有人"], "the draw closed itself");
    assert_eq!(talk.say("别群/戊", "名单"), ["丁"], "in this group only");
}

#[test]
fn values_that_are_no_numbers_have_no_rank() {
    let rules =
        "[[rule]]\npattern = \"= {text_of}\"\nset = { x = \"{text_of}\" }\nreply = \"{rank:x|-}\"\n
        [[rule]]\nexact = \"all\"\nreply = \"{top:x}/{count:x}\"\n";
    let mut talk = Talk::with(rules);
    for (who, text, rank) in [
        ("a", "= 2", "1"),
        ("b", "= two", "-"),
        ("c", "= 2.5", "1"),
        ("d", "= -1", "3"),
        ("e", "= ２", "2"),
    ] {
        assert_eq!(talk.say(&format!("g/{who}"), text), [rank], "{text}");
    }
    assert_eq!(talk.say("g/a", "all"), ["1. c 2.5\n2. a 2\n3. e ２\n4. d -1/5"]);
}

#[test]
fn draws_take_each_person_once_and_depend_on_seed_and_place() {
    let rules = "[[rule]]\nexact = \"in\"\nset = { x = \"1\" }\nreply = \"ok\"\n
        [[rule]]\nexact = \"draw\"\nreply = \"{pick:x 3} {pick:x 3} {pick:x} {pick:x 50}\"\n";
    let mut drawn = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let mut talk = Talk::with(rules);
        talk.seed = seed;
        for who in ["a", "b", "c", "d"] {
            talk.say(&format!("g/{who}"), "in");
        }
        let said = talk.say("g/a", "draw").remove(0);
        let lists: Vec<Vec<&str>> =
            said.split(' ').map(|list| list.split('、').collect()).collect();
        assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1, 4], "{said}");
        for list in &lists {
            let once: std::collections::BTreeSet<_> = list.iter().collect();
            assert_eq!(once.len(), list.len(), "each once: {said}");
        }
        drawn.insert(lists[0].join(""));
        drawn.insert(lists[1].join(""));
    }
    assert_eq!(drawn.len(), 24, "each order of three of four comes");
}

#[test]
fn someone_is_the_same_in_an_answer_and_unknown_in_private() {
    let rules = "[[rule]]\nexact = \"who\"\nreply_all_of = [\"{someone|nobody}\", \"{someone|nobody}\"]\n
        [[schedule]]\nat = \"12:01\"\nto = \"g\"\nsend = \"{someone|nobody} {count:x}{top:x|-}{who:x}{pick:x}\"\n";
    let mut talk = Talk::with(rules);
    assert_eq!(talk.say("g/a", "who"), ["nobody", "nobody"]);
    talk.members = vec!["甲".to_owned(), "乙\n二".to_owned()];
    assert_eq!(talk.say("a", "who"), ["nobody", "nobody"], "in private");
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20 {
        talk.seed = seed;
        let said = talk.say("g/a", "who");
        assert_eq!(said[0], said[1]);
        seen.insert(said[0].clone());
    }
    assert_eq!(seen, ["甲", "乙 二"].map(str::to_owned).into());
    talk.start(None);
    let said = talk.pass(60);
    assert!(
        ["=> g: 甲 0-", "=> g: 乙 二 0-", "甲 0-", "乙 二 0-"].contains(&said[0].as_str()),
        "{said:?}"
    );
}

#[test]
fn a_redirected_message_has_ranges_too() {
    let rules = "[[rule]]\nexact = \"a\"\nadd = { x = 2 }\nanswer_as = \"b\"\n
        [[rule]]\nexact = \"b\"\nadd = { x = 1 }\nreply = \"{top:x}\"\n";
    let mut talk = Talk::with(rules);
    assert_eq!(talk.say("g/p", "b"), ["1. p 1"]);
    assert_eq!(talk.say("g/q", "a"), ["1. q 3\n2. p 1"]);
}

#[test]
fn a_schedule_clears_a_variable_of_all() {
    let rules = "[[rule]]\nexact = \"in\"\nset = { x = \"1\" }\nreply = \"{count:x}\"\n
        [[schedule]]\nat = \"12:01\"\nto = \"g\"\nsend = \"{who:x|nobody}\"\nclear = \"members.x\"\n";
    let mut talk = Talk::with(rules);
    talk.start(None);
    talk.say("g/a", "in");
    assert_eq!(talk.say("g/b", "in"), ["2"]);
    assert_eq!(talk.pass(60), ["a、b"]);
    assert_eq!(talk.say("g/c", "in"), ["1"]);
}

#[test]
fn more_values_than_the_store_returns_are_reported() {
    use crate::{Inputs, Moment};
    use mynah_core::{MemberValue, MemberValues, NoState};
    let book = super::super::test_book::book(
        "[[rule]]\nexact = \"n\"\nreply = \"{count:x}\"\n[[rule]]\nexact = \"s\"\nset = { x = \"1\" }\n",
    );
    let value = |n: usize| {
        let person = format!("p{n}").into();
        MemberValue { person, name: n.to_string(), text: "1".to_owned() }
    };
    let values =
        MemberValues { values: (0..MemberValues::MOST).map(value).collect(), is_cut: true };
    let mut talk = Talk::with("[[rule]]\nexact = \"x\"\nreply = \"x\"\n");
    let event = talk.event("g/a", "n");
    let mut inputs = Inputs::default();
    let at = |inputs: &Inputs| Moment { inputs: inputs.clone(), ..Moment::at(event.time) };
    let lacking = book.decide(&event, &NoState, &at(&inputs));
    assert_eq!(lacking.lacks.len(), 1);
    assert!(!lacking.acted && lacking.rule.is_none());
    inputs.add_values("x", values);
    let decision = book.decide(&event, &NoState, &at(&inputs));
    let [warning] = decision.warnings.as_slice() else { panic!("{:?}", decision.warnings) };
    assert!(warning.en.contains("10000") && warning.zh.contains("10000"));
    assert!(format!("{:?}", decision.steps).contains("\"10000\""));
}

/// A change of the sender's value, or of those of all.
#[derive(Debug, Clone)]
enum Op {
    Set(&'static str),
    Add(i8),
    Clear,
    ClearAll,
}

impl Op {
    fn toml(&self) -> String {
        match self {
            Self::Set(text) => format!("{{ set = {{ x = \"{text}\" }} }}"),
            Self::Add(by) => format!("{{ add = {{ x = {by} }} }}"),
            Self::Clear => "{ clear = \"x\" }".to_owned(),
            Self::ClearAll => "{ clear = \"members.x\" }".to_owned(),
        }
    }
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => prop::sample::select(vec!["1", "2", "word", "", "2.5", "-3"]).prop_map(Op::Set),
        3 => (-2..4_i8).prop_map(Op::Add),
        2 => Just(Op::Clear),
        1 => Just(Op::ClearAll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The state after a turn, looked at as a whole, gives the same texts as the turn gave.
    #[test]
    fn ranges_are_a_scan_of_the_state_after_the_changes_of_the_turn(
        rules in prop::collection::vec(prop::collection::vec(op(), 1..4), 1..6),
        turns in prop::collection::vec((0..6_usize, 0..4_usize, 0..2_usize), 1..30),
    ) {
        let reply = "{ reply = \"{top:x 20}|{rank:x}|{count:x}|{who:x}\" }";
        let rule = |(n, ops): (usize, &Vec<Op>)| {
            let ops: Vec<String> = ops.iter().map(Op::toml).collect();
            format!("[[rule]]\nexact = \"{n}\"\ndo = [{}, {reply}]\n", ops.join(", "))
        };
        let file: String = rules.iter().enumerate().map(rule).collect();
        let mut talk = Talk::with(&file);
        for (rule, person, group) in turns {
            let (place, id) = (format!("g{group}/{person}"), format!("f:{person}"));
            let said = talk.say(&place, &(rule % rules.len()).to_string()).remove(0);
            let chat = mynah_core::Chat::group(format!("g:g{group}"), "");
            let all = talk.of_members(Some(&chat), "x").values;
            let number = |text: &str| text.trim().parse::<f64>().ok();
            let mut numbers: Vec<_> =
                all.iter().filter_map(|one| Some((number(&one.text)?, &*one.name, &*one.text))).collect();
            numbers.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
            let lines: Vec<String> = numbers.iter().enumerate()
                .map(|(n, (_, name, text))| format!("{}. {name} {text}", n + 1)).collect();
            let own = all.iter().find(|one| one.person.as_str() == id).and_then(|one| number(&one.text));
            let rank = own.map_or(String::new(), |own| {
                (1 + numbers.iter().filter(|(number, ..)| *number > own).count()).to_string()
            });
            let names: Vec<&str> =
                all.iter().filter(|one| !one.text.is_empty()).map(|one| &*one.name).collect();
            let expected =
                format!("{}|{rank}|{}|{}", lines.join("\n"), names.len(), names.join("、"));
            prop_assert_eq!(said, expected);
        }
    }
}
