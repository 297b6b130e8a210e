//! The indexed search against the ordered one: places, priorities, quotes, `continue` and rules that are off. Which texts the
//! index finds is tested where it is made.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;
use mynah_core::{
    Action, Change, Chat, ChatKind, Content, Event, EventBody, FetchAnswer, FetchFailure,
    FetchNote, Message, Origin, Person, Quiet, Scope, Segment, StateView, Timestamp, Write, add,
};
use mynah_matching::glob::Glob;
use mynah_matching::pattern::Pattern;
use mynah_matching::template::Template;
use proptest::prelude::*;

use super::RuleBook;
use super::search::Search;
use crate::comparison::{Comparison, Test};
use crate::decision::{Decision, Moment};
use crate::fetching::{Fetching, NamedText, Take};
use crate::inputs::{Fetched, Inputs, Lack};
use crate::model::{
    After, AnswerTable, Asked, Bot, Brakes, Conditions, Matching, Name, Place, Rule, Shape, Step,
    TimeWindow,
};
use crate::rows::{Answer, Rows};

const NIGHT: TimeWindow =
    TimeWindow { from: Time::constant(22, 0, 0, 0), to: Time::constant(7, 0, 0, 0) };

const WORDS: [&str; 6] = ["hi", "价格", "a", "b", "价", "x"];

/// A rule as the generator means it.
#[derive(Debug, Clone)]
struct Wish {
    words: Vec<&'static str>,
    exact: bool,
    quoted: bool,
    scope: u8,
    priority: i64,
    go_on: bool,
    off: bool,
    silent: bool,
    /// What `user.x` must be.
    when: Option<&'static str>,
    /// The word as which the message is searched again.
    answer_as: Option<&'static str>,
    /// A sentence that the text is like.
    similar: Option<&'static str>,
    /// The rule that must have answered last, by its line.
    after: Option<u8>,
    /// What `user.x` becomes.
    sets: Option<u8>,
    /// Whether the message is recalled, the sender invited into the second group, the sender removed.
    members: (bool, bool, bool),
    /// In place of a rule, a table.
    table: Option<TableWish>,
    /// Whether it asks a web service, and is answered.
    fetch: Option<bool>,
}

/// A table as the generator means it.
#[derive(Debug, Clone)]
struct TableWish {
    matching: Matching,
    /// The questions of each row, and the group in which it counts.
    rows: Vec<(Vec<&'static str>, Option<&'static str>)>,
}

/// Questions, some of which are within others.
const QUESTIONS: [&str; 9] = ["hi", "价格", "a", "a b", "价", "x", "a 价格", "hi a", "b"];

fn table() -> impl Strategy<Value = TableWish> {
    let question = prop::sample::select(QUESTIONS.to_vec());
    let group = prop::option::weighted(0.4, prop::sample::select(vec!["一*", "二群"]));
    let rows = prop::collection::vec((prop::collection::vec(question, 1..3), group), 1..6);
    let matching = prop::sample::select(vec![
        Matching::Exact,
        Matching::Keyword,
        Matching::Keyword,
        Matching::Pattern,
        Matching::Similar(0.6),
    ]);
    (matching, rows).prop_map(|(matching, rows)| TableWish { matching, rows })
}

fn answers(wish: &TableWish, line: u32) -> AnswerTable {
    let mut table = AnswerTable {
        name: format!("{line}.csv").into(),
        matching: wish.matching,
        questions: Vec::new(),
        patterns: Vec::new(),
        rows: Rows::default(),
        shape: Shape::default(),
        templates: false,
        before_reply: 0,
    };
    for (number, (questions, group)) in (1..).zip(&wish.rows) {
        let groups = group.iter().map(|name| Glob::new(*name)).collect();
        let reply = format!("{line}.{number}");
        let row = table.rows.add(number, Answer { reply: &reply, groups, ..Answer::default() });
        for question in questions {
            if wish.matching == Matching::Pattern {
                // Half of them have a hole.
                let text = if number % 2 == 0 {
                    format!("{question} {{y}}")
                } else {
                    (*question).to_owned()
                };
                table.patterns.push(Pattern::parse(&text).expect("a pattern"));
                table.questions.push(Asked { text: text.into(), row });
            } else {
                table.questions.push(Asked { text: (*question).into(), row });
            }
        }
    }
    table
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(WORDS.to_vec())
}

fn wish() -> impl Strategy<Value = Wish> {
    let words = prop::collection::vec(word(), 0..3);
    let weighted = prop::bool::weighted;
    let flags = (weighted(0.2), weighted(0.3), weighted(0.3), weighted(0.1), weighted(0.1));
    let when =
        prop::option::weighted(0.3, prop::sample::select(vec!["1", ">= 2", "!=", "", "0..1"]));
    let sets = prop::option::weighted(0.3, 0..3_u8);
    let after = prop::option::weighted(0.15, 1..12_u8);
    let answer_as = prop::option::weighted(0.15, word());
    let similar = prop::option::weighted(0.15, word());
    let members = (weighted(0.2), weighted(0.2), weighted(0.2));
    let table = prop::option::weighted(0.35, table());
    let fetch = prop::option::weighted(0.2, any::<bool>());
    let rest = (when, after, sets, answer_as, similar, members, table, fetch);
    (words, flags, 0..8_u8, -1..=1_i64, rest).prop_map(|(words, flags, scope, priority, rest)| {
        let (when, after, sets, answer_as, similar, members, table, fetch) = rest;
        let (exact, quoted, go_on, off, silent) = flags;
        Wish {
            words,
            exact,
            quoted,
            scope,
            priority,
            go_on,
            off,
            silent,
            when,
            after,
            sets,
            // No table has these.
            answer_as: answer_as.filter(|_| table.is_none()),
            similar,
            members,
            fetch: fetch.filter(|_| table.is_none() && answer_as.is_none() && !silent),
            table,
        }
    })
}

fn conditions(wish: &Wish) -> Conditions {
    let mut when = Conditions { quoted: wish.quoted, ..Conditions::default() };
    let words = wish.words.iter().map(ToString::to_string).collect();
    if wish.table.is_some() {
        when.quoted = false;
    } else if wish.exact {
        when.text.exact = words;
    } else {
        when.text.keyword = words;
    }
    match wish.scope {
        0 => when.place = Some(ChatKind::Group),
        1 => when.place = Some(ChatKind::Private),
        2 => (when.place, when.groups) = (Some(ChatKind::Group), vec![Glob::new("一*")]),
        3 => when.at_me = true,
        _ => {}
    }
    when.similar = wish.similar.map(|text| (vec![text.to_owned()], 0.5));
    when.after = wish
        .after
        .map(|line| After { ids: vec![line.to_string()], within: Duration::from_secs(60) });
    when.comparisons.extend(wish.when.map(|test| Comparison {
        name: "user.x".into(),
        written: "x".into(),
        test: Test::read(test).expect("a comparison"),
    }));
    when
}

fn steps(wish: &Wish, line: u32) -> Vec<Step> {
    let set = wish.sets.map(|value| Step::Set {
        scope: Scope::Person,
        key: "x".to_owned(),
        value: Template::plain(value.to_string()),
    });
    let say = Step::Say { text: Template::plain(line.to_string()), shape: Shape::default() };
    let (recalls, invites, kicks) = wish.members;
    let recall = recalls.then_some(Step::Recall);
    let members = [invites.then(|| Step::Invite("二群".to_owned())), kicks.then_some(Step::Kick)];
    let first = recall.into_iter().chain(set).chain((!wish.silent).then_some(say));
    first.chain(members.into_iter().flatten()).collect()
}

/// The state of one person: what was written last.
#[derive(Default)]
struct TestState(BTreeMap<(Scope, String), String>);

impl StateView for TestState {
    fn get(&self, scope: Scope, key: &str) -> Option<String> {
        self.0.get(&(scope, key.to_owned())).cloned()
    }

    fn expires(&self, _scope: Scope, _key: &str) -> Option<Timestamp> {
        None
    }
}

impl TestState {
    fn write(&mut self, writes: &[Write]) {
        for write in writes {
            let place = (write.scope, write.key.clone());
            match &write.change {
                Change::Set(text) => drop(self.0.insert(place, text.clone())),
                Change::Add(by) => {
                    let sum = add(self.0.get(&place).map(String::as_str), *by);
                    self.0.insert(place, sum);
                }
                Change::Remove | Change::RemoveOfAll => drop(self.0.remove(&place)),
            }
        }
    }
}

/// A request that shows by its address whether it is answered, and depends on what earlier rules set.
fn fetching(line: u32, is_answered: bool) -> Fetching {
    let url = format!("https://a.example/{is_answered}/{}?x={{user.x}}", line % 2);
    Fetching {
        method: "GET".to_owned(),
        url: NamedText::parse(&url).expect("an address"),
        headers: Vec::new(),
        body: None,
        take: vec![("taken".to_owned(), Take::Text)],
        timeout: Duration::from_secs(5),
        cache: None,
        status: Vec::new(),
        reply: line.is_multiple_of(2).then(|| Template::plain("nothing")),
    }
}

/// A decision with all that it lacks, and how often it was taken.
fn decided(book: &RuleBook, event: &Event, state: &TestState, search: Search) -> (Decision, usize) {
    let mut at = Moment { chats: chats().into(), ..Moment::at(Timestamp::from_secs(0)) };
    at.inputs = Inputs::default();
    for times in 1.. {
        let decision = match search {
            Search::Ordered => book.explain(event, state, &at, &mut Vec::new()),
            Search::Indexed => book.decide(event, state, &at),
        };
        if decision.lacks.is_empty() {
            return (decision, times);
        }
        for lack in decision.lacks {
            let Lack::Fetch(request) = lack else { panic!("{lack:?}") };
            let outcome = if request.line().contains("/true/") {
                Fetched::Answer(Arc::new(FetchAnswer { status: 200, body: "7".to_owned() }))
            } else {
                Fetched::Failed(FetchFailure::TimedOut)
            };
            at.inputs.add_fetched(*request, outcome);
        }
    }
    unreachable!()
}

fn book(wishes: &[Wish], quiet: bool) -> RuleBook {
    let rules = (1..).zip(wishes).map(|(line, wish)| Rule {
        place: Place { file: "bot.toml".into(), line },
        name: Name { id: Some(line.to_string()), key: line.to_string() },
        when: conditions(wish),
        then: steps(wish, line),
        fetch: wish.fetch.map(|is_answered| Box::new(fetching(line, is_answered))),
        answer_as: wish.answer_as.map(Template::plain),
        brakes: Brakes::default(),
        priority: wish.priority,
        go_on: wish.go_on,
        silent: wish.silent,
        off: wish.off,
        table: wish.table.as_ref().map(|table| Box::new(answers(table, line))),
    });
    RuleBook::build(Bot {
        folder: PathBuf::new(),
        names: Vec::new(),
        admins: vec!["老王".to_owned()],
        groups: vec![Glob::new("*")],
        private: true,
        ignore: Vec::new(),
        zone: jiff::tz::TimeZone::UTC,
        fold_hant: false,
        lang: None,
        vars: BTreeMap::new(),
        quiet: quiet.then_some(NIGHT).into_iter().collect(),
        rules: rules.collect(),
        tables: Vec::new(),
        dialogs: Vec::new(),
        schedules: Vec::new(),
    })
}

fn chats() -> [Chat; 3] {
    [Chat::group("1", "一群"), Chat::group("2", "二群"), Chat::private("3", "张三")]
}

fn event(
    quoted: &[&str],
    text: &str,
    behind_name: Option<usize>,
    (chat, is_admin): (u8, bool),
) -> Event {
    let chat = chats()[usize::from(chat)].clone();
    let sender =
        if is_admin { Person::friend("w", "老王") } else { Person::stranger("p", "张三") };
    let quote = (!quoted.is_empty()).then(|| Segment::Quote {
        message: None,
        sender: "李四".to_owned(),
        text: quoted.join(" "),
    });
    let message = Message {
        id: "m".into(),
        called: !chat.is_group() || behind_name.is_some(),
        behind_name,
        chat,
        sender,
        origin: Origin::Person,
        content: Content(quote.into_iter().collect()).with(Segment::Text { text: text.to_owned() }),
        text: text.to_owned(),
    };
    Event { id: "e".into(), time: Timestamp::from_secs(0), body: EventBody::Message(message) }
}

proptest! {
    #[test]
    fn the_indexed_search_decides_as_the_ordered_one(
        wishes in prop::collection::vec(wish(), 2..12),
        quiet in prop::bool::weighted(0.2),
        messages in prop::collection::vec(
            (prop::collection::vec(word(), 0..3), prop::collection::vec(word(), 1..4), any::<bool>(), (0..3_u8, prop::bool::weighted(0.2))), 25,
        ),
    ) {
        let book = book(&wishes, quiet);
        let mut state = TestState::default();
        for (quoted, words, is_named, chat) in messages {
            let behind_name = is_named.then(|| words[0].len());
            let event = event(&quoted, &words.join(" "), behind_name, chat);
            let ordered = decided(&book, &event, &state, Search::Ordered);
            let (indexed, times) = decided(&book, &event, &state, Search::Indexed);
            prop_assert_eq!((&indexed, times), (&ordered.0, ordered.1), "message {:?}", words);
            let fetches = indexed.fetch_notes();
            prop_assert!(fetches.len() <= 4 && times <= 4, "{:?}", fetches);
            let fails = |note: &FetchNote| note.failure.is_some();
            let failed = indexed.quiet == Some(Quiet::Fetch);
            prop_assert_eq!(fetches.iter().position(fails), failed.then(|| fetches.len() - 1));
            let spares_admins = indexed.steps.iter().all(|step| match step {
                mynah_core::Step::Act(planned) => match &planned.action {
                    Action::Kick { person } => person.id.as_str() != "w" && chat.0 < 2,
                    _ => true,
                },
                mynah_core::Step::Run(_) => true,
            });
            prop_assert!(spares_admins, "{:?}", indexed.steps);
            state.write(&indexed.writes);
        }
    }
}
