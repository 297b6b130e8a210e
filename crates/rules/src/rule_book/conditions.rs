//! Checks a rule against an event.
//!
//! Both searches, the ordered and the indexed one, decide about a rule here and nowhere else.

use jiff::civil::Weekday;
use mynah_core::MessageKind;
use mynah_matching::conditions::{Failure, Taken};

use super::answer_table::Asked;
use super::event_facts::{EventFacts, Subject};
use super::rule::{Rest, Rule};
use super::search::Search;
use crate::explain::{Failed, Verdict};
use crate::model::Who;

/// The first condition that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailedCondition {
    Off,
    Event,
    Type,
    Place,
    Groups,
    Only,
    AtMe,
    /// The condition on the text at this place.
    Text(usize),
    Time,
    Days,
    From,
    NotFrom,
    /// The comparison of `when` at this place.
    When(usize),
    /// No sentence of `similar` is near enough.
    Similar,
    /// `after`: another rule answered last.
    After,
    Chance,
    /// No row of a table has the question.
    Table,
}

/// The result of a rule whose conditions hold.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) taken: Taken,
    /// The question of the table that the message asks.
    pub(super) question: Option<u32>,
}

/// Checks everything but people and chance, which need state and randomness, and returns the captures. With
/// `text_holds` the conditions on the text are known to hold, and capture nothing.
pub(super) fn check(
    rule: &Rule,
    facts: &EventFacts<'_>,
    text_holds: bool,
    search: Search,
) -> Result<Held, FailedCondition> {
    if rule.off {
        return Err(FailedCondition::Off);
    }
    match &rule.rest {
        Some(rest) => check_subject(rest, facts)?,
        None if facts.subject != Subject::Message(MessageKind::Text) => {
            return Err(FailedCondition::Type);
        }
        None => {}
    }
    if let Some(only) = facts.only.filter(|_| !rule.builtin) {
        let is_meant = rule.is_named && only.contains(&*rule.reference.id);
        is_meant.then_some(()).ok_or(FailedCondition::Only)?;
    }
    let taken = if text_holds { Taken::default() } else { check_text(rule, facts)? };
    let mut held = Held { taken, question: None };
    if let Some(table) = &rule.table {
        let Asked { question, captures } =
            table.asked(facts, search).ok_or(FailedCondition::Table)?;
        held.taken.captures.extend(captures);
        held.question = Some(question);
    }
    rule.rest.as_ref().map_or(Ok(()), |rest| check_time(rest, facts))?;
    Ok(held)
}

/// Checks the conditions on the text against the words behind a name of the bot, and then against all words.
fn check_text(rule: &Rule, facts: &EventFacts<'_>) -> Result<Taken, FailedCondition> {
    let behind = facts.text_behind_name(rule.quoted).and_then(|text| rule.text.check(text).ok());
    match behind {
        Some(taken) => Ok(taken),
        None => rule.text.check(facts.text_for(rule.quoted)).map_err(FailedCondition::Text),
    }
}

/// The words of the sender in the form for which the conditions of a rule hold.
pub(crate) fn fitting_text<'e>(rule: &Rule, facts: &EventFacts<'e>) -> &'e str {
    let behind = facts.text_behind_name(rule.quoted);
    let fits = |text: &&mynah_matching::Text<'_>| match &rule.table {
        None => rule.text.check(text).is_ok(),
        Some(table) => table.is_asked_by(text, facts.chat),
    };
    behind.filter(fits).unwrap_or(&facts.text).as_str()
}

fn check_subject(rest: &Rest, facts: &EventFacts<'_>) -> Result<(), FailedCondition> {
    match facts.subject {
        Subject::Notice(event) => {
            rest.events.contains(&event).then_some(()).ok_or(FailedCondition::Event)?;
        }
        Subject::Message(kind) => {
            let plain =
                rest.kinds.is_empty() && rest.events.is_empty() && kind == MessageKind::Text;
            let fits = plain || rest.kinds.contains(&kind);
            let missing = if rest.kinds.is_empty() && !rest.events.is_empty() {
                FailedCondition::Event
            } else {
                FailedCondition::Type
            };
            fits.then_some(()).ok_or(missing)?;
        }
    }
    if rest.place.is_some_and(|place| place != facts.chat.kind) {
        return Err(FailedCondition::Place);
    }
    if !rest.groups.is_empty() {
        let fits =
            facts.chat.is_group() && rest.groups.iter().any(|glob| glob.fits(&facts.chat.name));
        fits.then_some(()).ok_or(FailedCondition::Groups)?;
    }
    if rest.at_me && !facts.called { Err(FailedCondition::AtMe) } else { Ok(()) }
}

fn check_time(rest: &Rest, facts: &EventFacts<'_>) -> Result<(), FailedCondition> {
    if !rest.time.is_empty() {
        let time = facts.clock().time();
        rest.time
            .iter()
            .any(|window| window.contains(time))
            .then_some(())
            .ok_or(FailedCondition::Time)?;
    }
    match rest.days {
        Some(days) if !days.contains(facts.clock().weekday()) => Err(FailedCondition::Days),
        _ => Ok(()),
    }
}

/// Whether a rule that fails nearly matched: the text has something that the rule asks for, or the rule asks for nothing
/// in the text and only the hour, the person or chance is against it.
pub(crate) fn is_near(fails: FailedCondition, rule: &Rule, facts: &EventFacts<'_>) -> bool {
    if matches!(
        fails,
        FailedCondition::Off
            | FailedCondition::Event
            | FailedCondition::Type
            | FailedCondition::Only
    ) {
        return false;
    }
    let late = matches!(
        fails,
        FailedCondition::Time
            | FailedCondition::Days
            | FailedCondition::From
            | FailedCondition::NotFrom
            | FailedCondition::When(_)
            | FailedCondition::After
            | FailedCondition::Chance
    );
    let holds = |text| rule.text.holds_in_part(text).unwrap_or(late);
    facts.text_behind_name(rule.quoted).is_some_and(holds) || holds(facts.text_for(rule.quoted))
}

/// The words for a condition that fails.
#[expect(clippy::too_many_lines, reason = "a table: a line for each condition")]
pub(crate) fn describe(fails: FailedCondition, rule: &Rule, facts: &EventFacts<'_>) -> Verdict {
    let rest = rule.rest.as_deref();
    let failed =
        |key, expected: String, actual: String| Verdict::Failed(Failed { key, expected, actual });
    let of_rest = |words: fn(&Rest) -> String| rest.map(words).unwrap_or_default();
    let person = || facts.person.map(|person| person.name.clone()).unwrap_or_default();
    match fails {
        FailedCondition::Off => Verdict::Off,
        FailedCondition::Event => failed(
            "event",
            of_rest(|rest| join(rest.events.iter().map(|kind| kind.word()))),
            subject(facts),
        ),
        FailedCondition::Type => {
            let kinds = of_rest(|rest| join(rest.kinds.iter().map(|kind| kind.word())));
            failed("type", if kinds.is_empty() { "text".to_owned() } else { kinds }, subject(facts))
        }
        FailedCondition::Place => failed(
            "in",
            of_rest(|rest| rest.place.map_or("", place).to_owned()),
            place(facts.chat.kind).to_owned(),
        ),
        FailedCondition::Groups => {
            failed("groups", of_rest(|rest| join(rest.groups.iter())), facts.chat.name.clone())
        }
        FailedCondition::Only => {
            failed("only", join(facts.only.into_iter().flatten()), rule.reference.id.to_string())
        }
        FailedCondition::AtMe => failed("at_me", "true".to_owned(), "false".to_owned()),
        FailedCondition::Text(n) => text_failed(rule.text.describe(n, facts.text_for(rule.quoted))),
        FailedCondition::Time => {
            let windows = of_rest(|rest| {
                join(rest.time.iter().map(|one| format!("{}-{}", hour(one.from), hour(one.to))))
            });
            failed("time", windows, hour(facts.clock().time()))
        }
        FailedCondition::Days => {
            let days = rest.and_then(|rest| rest.days);
            let expected =
                WEEK.iter().filter(|(day, _)| days.is_some_and(|days| days.contains(*day)));
            let today = WEEK.iter().find(|(day, _)| *day == facts.clock().weekday());
            failed(
                "days",
                join(expected.map(|(_, word)| word)),
                today.map_or("", |(_, word)| word).to_owned(),
            )
        }
        FailedCondition::From => {
            failed("from", of_rest(|rest| join(rest.from.iter().map(who))), person())
        }
        FailedCondition::NotFrom => {
            failed("not_from", of_rest(|rest| join(rest.not_from.iter().map(who))), person())
        }
        // Described where the values are: see `Run::describe`.
        FailedCondition::When(_) => failed("when", String::new(), String::new()),
        FailedCondition::Similar => match rest.and_then(|rest| rest.similar.as_ref()) {
            Some(similar) => failed("similar", similar.wanted(), similar.best(facts.sentence())),
            None => failed("similar", String::new(), String::new()),
        },
        FailedCondition::After => failed("after", String::new(), String::new()),
        FailedCondition::Table => match &rule.table {
            Some(table) => {
                let (expected, actual) = table.wanted(facts);
                failed(table.key(), expected, actual)
            }
            None => failed("table", String::new(), String::new()),
        },
        FailedCondition::Chance => failed(
            "chance",
            of_rest(|rest| rest.chance.map(|chance| chance.to_string()).unwrap_or_default()),
            String::new(),
        ),
    }
}

fn text_failed(failure: Failure) -> Verdict {
    let Failure { key, expected, actual } = failure;
    Verdict::Failed(Failed { key, expected, actual })
}

const WEEK: [(Weekday, &str); 7] = [
    (Weekday::Monday, "mon"),
    (Weekday::Tuesday, "tue"),
    (Weekday::Wednesday, "wed"),
    (Weekday::Thursday, "thu"),
    (Weekday::Friday, "fri"),
    (Weekday::Saturday, "sat"),
    (Weekday::Sunday, "sun"),
];

fn join(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn hour(time: jiff::civil::Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn place(kind: mynah_core::ChatKind) -> &'static str {
    match kind {
        mynah_core::ChatKind::Group => "group",
        mynah_core::ChatKind::Private => "private",
    }
}

fn who(who: &Who) -> &str {
    match who {
        Who::Admin => "admin",
        Who::Named(name) => name,
    }
}

fn subject(facts: &EventFacts<'_>) -> String {
    match facts.subject {
        Subject::Message(kind) => kind.word().to_owned(),
        Subject::Notice(kind) => kind.word().to_owned(),
    }
}
