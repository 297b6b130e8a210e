//! Variables by the names that rules use: `user.points`, `person.points`, `chat.topic`, `bot.open`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use mynah_core::{Context, Person, Scope, StateView};
use mynah_matching::template::is_name;

use crate::Account;

/// The owners of variables, as they are written.
const OWNERS: [(&str, Scope, &str); 4] = [
    ("user", Scope::Person, ""),
    ("person", Scope::Bot, OF_PERSON),
    ("chat", Scope::Chat, ""),
    ("bot", Scope::Bot, ""),
];

/// The beginning of the keys of variables that a person has in all chats, as in rules: `person:points:ID`.
const OF_PERSON: &str = "person:";

/// A variable by the name that rules use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    owner: usize,
    name: String,
}

impl Variable {
    /// The scope of the variable.
    pub(crate) fn scope(&self) -> Scope {
        OWNERS[self.owner].1
    }

    /// The key in the state; `None` for a variable of a person where there is no person.
    pub(crate) fn key(&self, person: Option<&Person>) -> Option<String> {
        match OWNERS[self.owner] {
            (_, Scope::Person, _) => person.map(|_| self.name.clone()),
            (_, _, "") => Some(self.name.clone()),
            (_, _, before) => person.map(|person| format!("{before}{}:{}", self.name, person.id)),
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", OWNERS[self.owner].0, self.name)
    }
}

impl FromStr for Variable {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (owner, name) = text.split_once('.').ok_or(())?;
        let owner = OWNERS.iter().position(|(word, ..)| *word == owner).ok_or(())?;
        is_name(name).then(|| Self { owner, name: name.to_owned() }).ok_or(())
    }
}

/// One variable, or all whose names begin alike: `chat.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// The variable, or the beginning of the names.
    variable: Variable,
    all: bool,
}

impl Reads {
    /// The names and values, read through the context: they count as read, so that the turn runs again if they change.
    /// A variable without a value has that of the rule file, as in rules.
    pub(crate) fn values(&self, ctx: &Context, account: &dyn Account) -> Vec<(String, String)> {
        let person = ctx.person().cloned();
        let presets = self.presets(ctx, account);
        let variables = match self.all {
            true => self.found(ctx, person.as_ref(), &presets),
            false => BTreeSet::from([self.variable.clone()]),
        };
        let value = |variable: Variable| {
            let key = variable.key(person.as_ref())?;
            let value = ctx.get(variable.scope(), &key);
            let value = value.or_else(|| presets.get(&variable.name).cloned())?;
            Some((variable.to_string(), value))
        };
        variables.into_iter().filter_map(value).collect()
    }

    /// The values of the rule file: only chats and the bot have some.
    fn presets(&self, ctx: &Context, account: &dyn Account) -> BTreeMap<String, String> {
        match OWNERS[self.variable.owner] {
            (_, scope, "") => account.presets(ctx, scope),
            _ => BTreeMap::new(),
        }
    }

    /// The variables that are meant and have a value.
    fn found(
        &self,
        ctx: &Context,
        person: Option<&Person>,
        presets: &BTreeMap<String, String>,
    ) -> BTreeSet<Variable> {
        let Variable { owner, name: begin } = &self.variable;
        let (_, scope, before) = OWNERS[*owner];
        let end = person.map(|person| format!(":{}", person.id)).unwrap_or_default();
        let name_of = |key: &str| {
            let name = key.strip_prefix(before)?;
            let name = if before.is_empty() { name } else { name.strip_suffix(end.as_str())? };
            // The marks that the program itself keeps have names that no variable can have.
            (is_name(name) && name.starts_with(begin.as_str())).then(|| name.to_owned())
        };
        let names = ctx.values(scope).filter_map(|(key, _)| name_of(&key));
        let preset = presets.keys().filter(|name| name.starts_with(begin.as_str())).cloned();
        let names = names.chain(preset);
        names.map(|name| Variable { owner: *owner, name }).collect()
    }
}

impl FromStr for Reads {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let Some(begin) = text.strip_suffix('*') else {
            return Ok(Self { variable: text.parse()?, all: false });
        };
        let (owner, name) = begin.split_once('.').ok_or(())?;
        let owner = OWNERS.iter().position(|(word, ..)| *word == owner).ok_or(())?;
        let is_good = name.is_empty() || is_name(name.trim_end_matches('.'));
        let variable = Variable { owner, name: name.to_owned() };
        is_good.then_some(Self { variable, all: true }).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use mynah_core::{
        Chat, Event, EventBody, EventId, Frame, Notice, NoticeKind, Snapshot, StoreReader,
        Timestamp, Value,
    };

    use super::*;
    use crate::{Per, Row};

    /// An account whose rule file has these values: of the bot, and of the group.
    struct Presets;

    impl Account for Presets {
        fn name(&self) -> &str {
            "main"
        }

        fn is_admin(&self, _: &Context, _: &Person) -> bool {
            false
        }

        fn presets(&self, _: &Context, owner: Scope) -> BTreeMap<String, String> {
            let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
            match owner {
                Scope::Bot => [pair("open", "no")].into(),
                Scope::Chat => [pair("city", "Rome"), pair("topic", "coffee")].into(),
                Scope::Person => BTreeMap::new(),
            }
        }

        fn outgoing(&self) -> &Path {
            Path::new(".")
        }

        fn nearest_rows(&self, _: &Context, _: &Event, _: &[String], _: usize) -> Vec<Row> {
            Vec::new()
        }

        fn log(&self) -> Option<Arc<dyn StoreReader>> {
            None
        }

        fn period(&self, _: Per, now: Timestamp) -> (Timestamp, Timestamp) {
            (now, now)
        }
    }

    #[test]
    fn names_are_those_of_rules() {
        for (text, is_good) in [
            ("user.points", true),
            ("person.积分", true),
            ("chat.a.b", true),
            ("bot.x", true),
            ("points", false),
            ("user.", false),
            ("nobody.x", false),
            ("chat.mute:until", false),
        ] {
            assert_eq!(text.parse::<Variable>().is_ok(), is_good, "{text}");
        }
        for (text, is_good) in [("chat.*", true), ("chat.a*", true), ("*", false), ("x.*", false)] {
            assert_eq!(text.parse::<Reads>().is_ok(), is_good, "{text}");
        }
    }

    #[test]
    fn a_star_reads_the_variables_of_the_present_owner_and_no_marks() {
        let value = |text: &str| Value { text: text.to_owned(), version: 1, expires: None };
        let values = [
            (Scope::Chat, "topic", "tea"),
            (Scope::Chat, "mute:until", "9"),
            (Scope::Bot, "open", "yes"),
            (Scope::Bot, "person:points:ann", "5"),
            (Scope::Bot, "person:points:bob", "7"),
        ];
        let values: BTreeMap<_, _> =
            values.map(|(scope, key, text)| ((scope, key.to_owned()), value(text))).into();
        let body = EventBody::Notice(Notice {
            chat: Chat::group("g", "Shop"),
            person: Some(Person::stranger("ann", "Ann")),
            kind: NoticeKind::RedPacket,
        });
        let event = Event { id: EventId::new("1"), time: Timestamp::from_millis(0), body };
        let frame = Frame {
            snapshot: Snapshot::new(values),
            ..Frame::of(&event, Timestamp::from_millis(0))
        };
        let ctx = Context::new(frame);
        let read = |text: &str| text.parse::<Reads>().expect("it is one").values(&ctx, &Presets);
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(read("chat.*"), [pair("chat.city", "Rome"), pair("chat.topic", "tea")]);
        assert_eq!(read("chat.city"), [pair("chat.city", "Rome")]);
        assert_eq!(read("chat.top*"), [pair("chat.topic", "tea")]);
        assert_eq!(read("person.open"), []);
        assert_eq!(read("bot.*"), [pair("bot.open", "yes")]);
        assert_eq!(read("person.*"), [pair("person.points", "5")]);
        assert_eq!(read("person.points"), [pair("person.points", "5")]);
        assert_eq!(read("chat.none"), []);
        assert!(ctx.finish().0.iter().any(|read| read.key == "topic"), "it counts as read");
    }
}
