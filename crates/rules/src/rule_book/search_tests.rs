//! The indexed search against the ordered one: places, priorities, quotes, `continue` and rules that are off. Which texts the
//! index finds is tested where it is made.

use std::path::PathBuf;

use mynah_core::{
    Chat, ChatKind, Content, Event, EventBody, Message, NoState, Origin, Person, Segment, Timestamp,
};
use mynah_matching::glob::Glob;
use mynah_matching::template::Template;
use proptest::prelude::*;

use super::RuleBook;
use crate::decision::Moment;
use crate::model::{Bot, Brakes, Conditions, Name, Place, Rule, Shape, Step};

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
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(WORDS.to_vec())
}

fn wish() -> impl Strategy<Value = Wish> {
    let words = prop::collection::vec(word(), 0..3);
    let weighted = prop::bool::weighted;
    let flags = (weighted(0.2), weighted(0.3), weighted(0.3), weighted(0.1));
    (words, flags, 0..8_u8, -1..=1_i64).prop_map(|(words, flags, scope, priority)| {
        let (exact, quoted, go_on, off) = flags;
        Wish { words, exact, quoted, scope, priority, go_on, off }
    })
}

fn conditions(wish: &Wish) -> Conditions {
    let mut when = Conditions { quoted: wish.quoted, ..Conditions::default() };
    let words = wish.words.iter().map(ToString::to_string).collect();
    if wish.exact {
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
    when
}

fn book(wishes: &[Wish]) -> RuleBook {
    let rules = (1..).zip(wishes).map(|(line, wish)| Rule {
        place: Place { file: "bot.toml".into(), line },
        name: Name { id: None, key: line.to_string() },
        when: conditions(wish),
        then: vec![Step::Say {
            text: Template::parse(&format!("{line}")).expect("a good template"),
            shape: Shape::default(),
        }],
        brakes: Brakes::default(),
        priority: wish.priority,
        go_on: wish.go_on,
        off: wish.off,
    });
    RuleBook::build(Bot {
        folder: PathBuf::new(),
        names: Vec::new(),
        admins: Vec::new(),
        groups: vec![Glob::new("*")],
        private: true,
        ignore: Vec::new(),
        zone: jiff::tz::TimeZone::UTC,
        fold_hant: false,
        rules: rules.collect(),
        tables: Vec::new(),
        dialogs: Vec::new(),
        schedules: Vec::new(),
    })
}

fn event(quoted: &[&str], text: &str, behind_name: Option<usize>, chat: u8) -> Event {
    let chat = match chat {
        0 => Chat::group("1", "一群"),
        1 => Chat::group("2", "二群"),
        _ => Chat::private("3", "张三"),
    };
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
        sender: Person::stranger("p", "张三"),
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
        messages in prop::collection::vec(
            (prop::collection::vec(word(), 0..3), prop::collection::vec(word(), 1..4), any::<bool>(), 0..3_u8), 25,
        ),
    ) {
        let book = book(&wishes);
        let at = Moment::at(Timestamp::from_secs(0));
        for (quoted, words, is_named, chat) in messages {
            let behind_name = is_named.then(|| words[0].len());
            let event = event(&quoted, &words.join(" "), behind_name, chat);
            let ordered = book.explain(&event, &NoState, &at, &mut Vec::new());
            prop_assert_eq!(book.decide(&event, &NoState, &at), ordered, "message {:?}", words);
        }
    }
}
