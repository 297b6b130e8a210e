//! The compiled rules of a bot: a [`Decision`] for every event.
//!
//! `rule` holds one rule in its compiled form, `event_facts` the facts of an event; `conditions` compares the two,
//! `brakes` says when a rule keeps quiet, `actions` turns its steps into effects.

pub(crate) mod actions;
mod after;
pub(crate) mod answer_table;
mod asked;
pub(crate) mod brakes;
mod chosen;
pub(crate) mod conditions;
mod destinations;
pub(crate) mod event_facts;
pub(crate) mod fetch;
pub(crate) mod later;
mod members;
pub mod mute;
pub(crate) mod nearest_rows;
pub(crate) mod pending;
pub(crate) mod people;
mod quiet;
mod redirect;
mod rule;
pub(crate) mod scene;
pub(crate) mod search;
pub(crate) mod stored_steps;
mod values;
pub(crate) mod variables;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use mynah_core::{Chat, Event, EventBody, Person, Scope, StateView, Timestamp, sort_by_key};
use mynah_reader::Lang;

use crate::decision::{Decision, Moment};
use crate::dialog::Dialog;
use crate::explain::Trace;
use crate::model;
use crate::schedule;
use mynah_matching::engine::{Engine, EngineBuilder};
use mynah_matching::glob::Glob;

use pending::Pending;
pub(crate) use rule::Rule;
use search::Search;

/// The compiled rules of a bot. Immutable; decisions about the same event, state and moment are the same.
///
/// ```
/// use mynah_core::{Chat, Content, Event, EventBody, Message, NoState, Origin, Person, Timestamp};
/// use mynah_rules::{Disk, LoadOptions, Moment, load};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("bot.toml");
/// std::fs::write(&file, "[[rule]]\nexact = 'menu'\nreply = 'soup'\n\n[[rule]]\nkeyword = 'price'\nreply = '99'\n")?;
/// let book = load(&file, &Disk, &LoadOptions::default()).book.ok_or("there are mistakes")?;
///
/// let now = Timestamp::from_secs(1_800_000_000);
/// let message = Message {
///     id: "1".into(),
///     chat: Chat::private("p", "Pat"),
///     sender: Person::stranger("p", "Pat"),
///     origin: Origin::Person,
///     content: Content::text("the price?"),
///     text: "the price?".to_owned(),
///     called: true,
///     behind_name: None,
/// };
/// let event = Event { id: "1".into(), time: now, body: EventBody::Message(message) };
///
/// let mut why = Vec::new();
/// let decision = book.explain(&event, &NoState, &Moment::at(now), &mut why);
/// assert_eq!(decision, book.decide(&event, &NoState, &Moment::at(now)));
/// assert_eq!(why.len(), 2, "the first rule with the condition that failed, and the one that answers");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RuleBook {
    folder: PathBuf,
    names: Vec<String>,
    people: people::Names,
    groups: Vec<Glob>,
    private: bool,
    zone: TimeZone,
    hant: bool,
    quiet: Vec<model::TimeWindow>,
    vars: BTreeMap<String, String>,
    lang: Lang,
    marked: after::Marked,
    /// In the order in which they are asked: those that run a builtin handler first.
    rules: Vec<Rule>,
    /// How many of them run a builtin handler.
    builtins: usize,
    /// The places of `rules` in reading order.
    reading_order: Vec<u32>,
    tables: Vec<model::GroupTable>,
    dialogs: Vec<Dialog>,
    schedules: Vec<model::Schedule>,
    engine: Engine,
    /// Whether any rule looks at quoted words.
    has_quoted: bool,
}

/// One rule as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its id, or `file:line`.
    pub id: String,
    /// The end of the names of its state, after the brake and a colon.
    pub key: String,
    /// Its file.
    pub file: Arc<str>,
    /// The line of its header.
    pub line: u32,
    /// Whether it is switched off.
    pub off: bool,
    /// Of a `[[table]]` the name of its rows: `faq.xlsx` of `faq.xlsx:12`.
    pub rows: Option<Arc<str>>,
}

/// The length of a message by which regexes are judged, in characters.
const COSTLY_MESSAGE: usize = 2_000;

/// The time of one regex step on a small machine.
const TIME_OF_STEP: Duration = Duration::from_nanos(4);

/// All regexes together should be done with one message in this time.
const TOO_LONG: Duration = Duration::from_millis(50);

/// The cost of all regexes of a bot together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexCost {
    /// About how long one message of 2 000 characters can take.
    pub time: Duration,
    /// The rules whose regexes can all be tried on it: they need the same text, or none.
    pub rules: Vec<RuleInfo>,
}

/// The numbers of rules, dialogs and schedules of a bot, and the chats it answers in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotSummary {
    /// How many rules it has, those switched off left out.
    pub rules: usize,
    /// How many dialogs.
    pub dialogs: usize,
    /// How many schedules.
    pub schedules: usize,
    /// Whether it looks at private chats.
    pub private: bool,
    /// The globs of the groups it looks at.
    pub groups: Vec<String>,
}

impl RuleBook {
    /// Compiles a checked bot.
    pub(crate) fn build(bot: model::Bot) -> Self {
        let people = people::Names::of(&bot);
        let marked = after::Marked::of(&bot);
        let places: Vec<_> = bot.rules.iter().map(|rule| rule.place.clone()).collect();
        let mut ordered: Vec<(usize, model::Rule)> = bot.rules.into_iter().enumerate().collect();
        sort_by_key(&mut ordered, |(at, rule)| {
            (!rule::is_builtin(rule), std::cmp::Reverse(rule.priority), *at)
        });
        let builtins = ordered.iter().take_while(|(_, rule)| rule::is_builtin(rule)).count();
        let mut reading_order = vec![0; places.len()];
        for (place, (at, _)) in ordered.iter().enumerate() {
            reading_order[*at] = u32::try_from(place).unwrap_or(u32::MAX);
        }
        let mut engine = EngineBuilder::default();
        let compile = |(_, rule): (usize, model::Rule)| {
            let found_is_proof = if rule.off {
                engine.add_never();
                false
            } else {
                engine.add(&rule.when.text, bot.fold_hant)
            };
            Rule::new(rule, bot.fold_hant, found_is_proof)
        };
        let mut rules: Vec<Rule> = ordered.into_iter().map(compile).collect();
        // The list is made in the room of the larger one before it.
        rules.shrink_to_fit();
        Self {
            folder: bot.folder,
            names: bot.names,
            people,
            groups: bot.groups,
            private: bot.private,
            zone: bot.zone,
            hant: bot.fold_hant,
            quiet: bot.quiet,
            vars: bot.vars,
            lang: bot.lang.unwrap_or(words::USUAL),
            marked,
            engine: engine.build(),
            has_quoted: rules.iter().any(|rule| rule.quoted),
            rules,
            builtins,
            reading_order,
            tables: bot.tables,
            dialogs: bot
                .dialogs
                .into_iter()
                .map(|dialog| Dialog::new(dialog, bot.fold_hant))
                .collect(),
            schedules: bot.schedules,
        }
    }

    /// The decision about an event, found by the index. If it [lacks](Decision::lacks) inputs, the caller adds them to the
    /// moment and asks again.
    #[must_use]
    pub fn decide(&self, event: &Event, state: &dyn StateView, at: &Moment) -> Decision {
        self.run(event, state, at, Search::Indexed, None)
    }

    /// The same, found by asking rule after rule from the top, with the reason for each. The reasons for a decision that
    /// lacks inputs mean nothing.
    pub fn explain(
        &self,
        event: &Event,
        state: &dyn StateView,
        at: &Moment,
        trace: &mut dyn Trace,
    ) -> Decision {
        self.run(event, state, at, Search::Ordered, Some(trace))
    }

    fn run(
        &self,
        event: &Event,
        state: &dyn StateView,
        at: &Moment,
        search: Search,
        trace: Option<&mut dyn Trace>,
    ) -> Decision {
        let mut decision = Decision::default();
        match &event.body {
            EventBody::Message(_) | EventBody::Notice(_) => {
                search::answer(self, event, state, at, search, trace, &mut decision);
            }
            EventBody::Started => decision = schedule::set_all(self, state, at),
            EventBody::Due(due) => decision = later::due(self, due, state, at),
        }
        if decision.lacks.is_empty() {
            decision.warnings.extend(at.inputs.warnings());
        } else {
            decision = Decision { lacks: decision.lacks, ..Decision::default() };
        }
        decision
    }

    /// Whether this person is an admin of the bot.
    #[must_use]
    pub fn is_admin(&self, person: &Person, state: &dyn StateView) -> bool {
        self.people.is_admin(person, &Pending::new(state))
    }

    /// The extra names by which the bot is called.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The names of people, in alphabetical order, each with the keys that contain it: `admins`, `from`, `not_from`,
    /// `ignore`.
    pub fn people(&self) -> impl Iterator<Item = (&str, &[&'static str])> {
        self.people.all()
    }

    /// The language of the words that its answers take from the program.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Beginning and end of the calendar unit in its zone that contains a moment: that of `limit`.
    #[must_use]
    pub fn period(&self, per: model::Period, now: Timestamp) -> (Timestamp, Timestamp) {
        brakes::period(per, &event_facts::zoned(now, &self.zone))
    }

    /// The zone of its times and days.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Its rules, in reading order.
    pub fn rules(&self) -> impl Iterator<Item = RuleInfo> {
        self.reading_order.iter().map(|place| self.rules[*place as usize].info())
    }

    /// The rows of its tables that are not switched off, table by table: the name of each, like `faq.xlsx:12`.
    pub fn rows(&self) -> impl Iterator<Item = String> {
        let rules = self.reading_order.iter().map(|place| &self.rules[*place as usize]);
        let tables = rules.filter(|rule| !rule.off).filter_map(|rule| rule.table.as_deref());
        tables.flat_map(|table| table.row_names())
    }

    /// About how many bytes it takes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let rules: usize = self.rules.iter().map(Rule::heap).sum();
        let lists = self.rules.capacity() * size_of::<Rule>() + size_of_val(&*self.reading_order);
        rules + lists + self.engine.heap()
    }

    /// The hosts that it asks, with their ports where these are written: of rules that are not switched off, dialogs and
    /// schedules.
    #[must_use]
    pub fn asks(&self) -> BTreeSet<String> {
        let rules = self.rules.iter().filter(|rule| !rule.off);
        let of_rules = rules.filter_map(|rule| rule.fetch.as_deref());
        let of_dialogs = self.dialogs.iter().filter_map(Dialog::fetch);
        let of_schedules = self.schedules.iter().filter_map(|schedule| schedule.fetch.as_deref());
        let all = of_rules.chain(of_dialogs).chain(of_schedules);
        all.map(|fetch| fetch.host().to_ascii_lowercase()).collect()
    }

    /// The rules that are checked for every message, because no fixed text of them can exclude a message early.
    pub fn scanned(&self) -> impl Iterator<Item = RuleInfo> {
        let always = self.engine.always().iter().map(|place| &self.rules[*place as usize]);
        // A table has an index of its own.
        always.filter(|rule| rule.table.is_none()).map(Rule::info)
    }

    /// The cost of the regexes, if one message of 2 000 characters can make them take too long together.
    #[must_use]
    pub fn regex_cost(&self) -> Option<RegexCost> {
        let steps = |place: u32| self.rules[place as usize].worst_steps(COSTLY_MESSAGE);
        let dear = self.engine.dearest(COSTLY_MESSAGE, steps);
        let sum: usize = dear.iter().map(|place| steps(*place)).sum();
        let time = TIME_OF_STEP.saturating_mul(u32::try_from(sum).unwrap_or(u32::MAX));
        let rules = || dear.iter().map(|place| self.rules[*place as usize].info()).collect();
        (time > TOO_LONG).then(|| RegexCost { time, rules: rules() })
    }

    /// How far it reaches.
    #[must_use]
    pub fn summary(&self) -> BotSummary {
        BotSummary {
            rules: self.rules.iter().filter(|rule| !rule.off).count(),
            dialogs: self.dialogs.len(),
            schedules: self.schedules.len(),
            private: self.private,
            groups: self.groups.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether its conditions are about an event other than a message.
    #[must_use]
    pub fn looks_at(&self, chat: &Chat) -> bool {
        if chat.is_group() {
            self.groups.iter().any(|glob| glob.fits(&chat.name))
        } else {
            self.private
        }
    }

    /// The `[[group]]` table of a chat: the first that fits.
    pub(crate) fn table(&self, chat: &Chat) -> Option<&model::GroupTable> {
        self.tables.iter().find(|table| chat.is_group() && table.name.fits(&chat.name))
    }

    /// The values that variables of this owner have until one is set: `vars` of `[bot]`, and of the `[[group]]` table of a chat.
    #[must_use]
    pub fn presets(&self, owner: Scope, chat: Option<&Chat>) -> Option<&BTreeMap<String, String>> {
        match owner {
            Scope::Bot => Some(&self.vars),
            Scope::Chat => chat.and_then(|chat| self.table(chat)).map(|table| &table.vars),
            Scope::Person => None,
        }
    }

    /// The dialogs, in reading order.
    pub(crate) fn dialogs(&self) -> &[Dialog] {
        &self.dialogs
    }

    /// The schedules, in reading order.
    pub(crate) fn schedules(&self) -> &[model::Schedule] {
        &self.schedules
    }
}

#[cfg(test)]
mod fetch_tests;
#[cfg(test)]
mod language_tests;
#[cfg(test)]
mod members_tests;
#[cfg(test)]
mod search_tests;
#[cfg(test)]
pub(crate) mod test_book;
#[cfg(test)]
mod tests;
